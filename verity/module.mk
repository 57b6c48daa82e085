# verity/: superblock, hash tree, signatures, discovery, activation
$(eval $(call library,verity))
$(eval $(call program,holdfast-verity,verity/main.c $(wildcard verity/cmd_*.c),verity common,libcryptsetup libcrypto blkid json-c))
$(eval $(call tests,verity,verity common,libcryptsetup libcrypto blkid json-c))
$(eval $(call fuzzers,verity_superblock verity_sigrecord verity_status verity_fec verity_rs,verity common,libcryptsetup libcrypto blkid json-c))
# The version is told where a message says what this libcryptsetup cannot do.
$(B)/verity/open.o: CPPFLAGS += -DLIBCRYPTSETUP_VERSION='"$(shell $(PKG_CONFIG) --modversion libcryptsetup)"'
# 64-byte vectors in plain registers: nothing there is called from elsewhere.
$(B)/tests/verity/test_lanes.o: CFLAGS += -Wno-psabi

# Files that need more than the base CPU; lanes.c and rs.c ask the CPU before they call into them.
# The wide ones add in the order that is written, which keeps the longest chain short; gcc would turn it about.
ifeq ($(ARCH),x86_64)
WIDE_FLAGS := $(call probe,-fno-tree-reassoc) $(call probe,-fno-schedule-insns2)
$(B)/verity/lanes_shani.o: CFLAGS += -mavx -msha
$(B)/verity/lanes_avx2.o: CFLAGS += -mavx2 $(WIDE_FLAGS)
$(B)/verity/lanes_avx512.o: CFLAGS += -mavx512f -mavx512bw -mprefer-vector-width=512 $(WIDE_FLAGS)
$(B)/verity/rs_avx2.o: CFLAGS += -mavx2
$(B)/verity/rs_gfni.o: CFLAGS += -mavx2 -mgfni
else
$(B)/verity/lanes_armv8.o: CFLAGS += -march=armv8-a+crypto
endif

$(B)/tests/verity/bench_lanes: $(B)/tests/verity/bench_lanes.o $(B)/libverity.a $(B)/libcommon.a
	$(call say,LD,$@)
	$(Q)$(call link,)
$(B)/tests/verity/bench_lanes: PKGS := libcrypto

.PHONY: bench-lanes
bench-lanes: $(B)/tests/verity/bench_lanes ## hash and Reed-Solomon kernels, each path of this CPU
	$(Q)$<
	@echo 'the same, SHA-NI taken from OpenSSL:'
	$(Q)OPENSSL_ia32cap=:~0x20000000 $<

$(B)/tests/verity/bench_run: $(B)/tests/verity/bench_run.o
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $<

$(B)/tests/verity/bench_openssl: $(B)/tests/verity/bench_openssl.o
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< -lcrypto
