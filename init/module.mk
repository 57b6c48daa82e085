# init/: PID 1. Small: it stands in every initramfs, and each MB of a UKI is hashed four times before it runs.
$(eval $(call library,init))
$(eval $(call program,holdfast-init,init/main.c,init policy verity common,$(if $(SAN_FLAGS),libcryptsetup) libcrypto blkid json-c))
# The initramfs of machines with UEFI does without OpenSSL; without UEFI it judges signatures itself. A sanitized program is linked whole.
UEFI_ONLY := init/uefi_only.c verity/trust_kernel.c common/sha_plain.c
$(eval $(call program,holdfast-initramfs,init/initramfs_main.c $(UEFI_ONLY),init policy verity common,$(if $(SAN_FLAGS),libcryptsetup libcrypto) blkid json-c))
$(eval $(call program,holdfast-initramfs-direct,init/initramfs_main.c,init policy verity common,$(if $(SAN_FLAGS),libcryptsetup) libcrypto blkid json-c))
$(eval $(call program,holdfast-bless,init/bless_main.c,init common,libcrypto json-c))
$(eval $(call program,holdfast-floor,init/floor_main.c,init common,libcrypto json-c))
$(eval $(call program,holdfast-state,init/state_main.c,init common,libcryptsetup libcrypto json-c))
$(eval $(call tests,init,init policy verity common,libcryptsetup libcrypto blkid json-c))
$(eval $(call fuzzers,btf fat fdt lastfail measure_request sealed_token tpm_answers uevent,init policy verity common,libcryptsetup libcrypto blkid json-c))
$(B)/init/%.o: CFLAGS += $(SMALL)
$(B)/holdfast-init $(B)/holdfast-initramfs $(B)/holdfast-initramfs-direct: LDFLAGS += $(call ld_probe,-z pack-relative-relocs)
# arm64: the remedy for Cortex-A53's erratum 843419 by exchanging an instruction. The default makes room for whole pages of stubs (8 KiB of
# nothing), whether or not it then needs them; where the exchange is not possible this one is an error.
$(B)/holdfast-init $(B)/holdfast-initramfs $(B)/holdfast-initramfs-direct: LDFLAGS += $(call ld_probe,-Wl$(comma)--fix-cortex-a53-843419=adr)
# The whole of PID 1 over a fake kernel: what is not a system call of its own is replaced at the link.
$(B)/tests/init/test_every_call: LDFLAGS += $(patsubst %,-Wl$(comma)--wrap=%,verity_discover_root verity_sigrecord_load verity_activate \
	verity_prove_mount policy_load_verified verity_layer_open hash_sha256_file)
$(B)/tests/init/test_stage_host: LDFLAGS += -Wl,--wrap=verity_layer_open -Wl,--wrap=verity_layer_is_elsewhere
