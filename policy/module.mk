# policy/: the layer policy, what is derived from it, and the gate
$(eval $(call library,policy))
$(eval $(call program,holdfast-policy,policy/main.c $(wildcard policy/cmd_*.c),policy verity common,libcryptsetup libcrypto blkid json-c))
# Nothing of libcryptsetup is used; loading it with its closure would be a third of the gate's own time. Sanitizers keep what the linker drops.
$(eval $(call program,holdfast-runtime,policy/runtime_main.c,policy verity common,$(if $(SAN_FLAGS),libcryptsetup blkid) libcrypto json-c))
# The same libraries, for the same reason.
$(eval $(call program,holdfast-layer,policy/layer_main.c,policy verity common,$(if $(SAN_FLAGS),libcryptsetup blkid) libcrypto json-c))
$(eval $(call tests,policy,policy verity common,libcryptsetup libcrypto blkid json-c))
$(eval $(call fuzzers,oci_spec,policy verity common,libcryptsetup libcrypto blkid json-c))
$(eval $(call fuzzers,policy tar oci_layout settings image_user image_tree oci_archive mountinfo layer_request,policy verity common,libcryptsetup libcrypto blkid json-c))
# What is open is asked of a kernel elsewhere.
$(B)/tests/policy/test_gate_pull: LDFLAGS += -Wl,--wrap=verity_layer_prove
