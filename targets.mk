# targets.mk - what is done with the programs: guest builds, tests, the demo, packaging
CACHE ?= $(CURDIR)/cache
NPROC := $(shell nproc)
SYSROOT_DIR := $(CACHE)/sysroot-$(DEB_ARCH)
# What the guest's three programs compile against; the same release as the guest's own libraries.
SYSROOT_PACKAGES := libc6-dev libgcc-s1 libgcc-14-dev linux-libc-dev libcryptsetup-dev libssl-dev libblkid-dev libtss2-dev libjson-c-dev
IMAGE_TOOL := build/host-$(HOST_ARCH)/holdfast-image
GUEST_DIR := build/guest-$(ARCH)
GUEST_PROGRAMS := $(addprefix $(GUEST_DIR)/,holdfast-init holdfast-runtime holdfast-attest)

TREE_DIR := $(CACHE)/tree-$(DEB_ARCH)
GNU_HOST := $(subst arm64,aarch64,$(HOST_ARCH))
HOST_LOADER := $(subst x86_64,lib64/ld-linux-x86-64.so.2,$(subst arm64,lib/ld-linux-aarch64.so.1,$(HOST_ARCH)))
# Layers are converted by Debian 13's mkfs.erofs, run by its own loader; without the tree those tests say SKIP.
MKFS_EROFS := $(if $(wildcard $(TREE_DIR)/usr/bin/mkfs.erofs),$(TREE_DIR)/usr/$(HOST_LOADER) --library-path $(TREE_DIR)/usr/lib/$(GNU_HOST)-linux-gnu $(TREE_DIR)/usr/bin/mkfs.erofs)

.PHONY: sysroot tree
tree: $(IMAGE_TOOL)
	$(Q)$(IMAGE_TOOL) fetch --board boards/qemu-$(ARCH) --engine engines/containerd --cache $(CACHE)/packages-$(DEB_ARCH) --out $(TREE_DIR) busybox-static

sysroot: $(IMAGE_TOOL)
	$(Q)$(IMAGE_TOOL) fetch --arch $(DEB_ARCH) --cache $(CACHE)/packages-$(DEB_ARCH) --out $(SYSROOT_DIR) --sysroot $(SYSROOT_PACKAGES)

guest: sysroot ## the programs that run in the guest, against Debian 13's libraries
	$(Q)$(MAKE) --no-print-directory SYSROOT=$(SYSROOT_DIR) $(GUEST_PROGRAMS)

deps: ## install what building, booting and testing need (apt, asks nothing)
	$(Q)tools/install-deps build boot check

demo: ## build an image, boot it, attest it, watch it refuse
	$(Q)tools/install-deps build boot
	$(Q)$(MAKE) --no-print-directory -j$(NPROC) programs guest
	$(Q)ARCH=$(ARCH) tools/demo

unit-check: tests programs ## unit tests, and the programs from outside
	$(Q)HOLDFAST_MKFS_EROFS="$(MKFS_EROFS)" tests/run unit $(sort $(TESTS)) tests/cli/run tests/attest/interop

san-check: ## unit tests under ASan and UBSan
	$(Q)$(MAKE) --no-print-directory SAN=1 tests programs
	$(Q)HOLDFAST_MKFS_EROFS="$(MKFS_EROFS)" ASAN_OPTIONS=detect_leaks=1 HOLDFAST_BIN=$(B)-san tests/run sanitized $(sort $(subst $(B)/,$(B)-san/,$(TESTS))) tests/cli/run tests/attest/interop

lint: programs ## include edges, symbol prefixes, function limits, and that each rule can fail
	$(Q)tests/lint/run
	$(Q)tools/lint . $(B)

vm-check: guest programs ## boots in QEMU: the chain, and each attack refused
	$(Q)$(MAKE) --no-print-directory SYSROOT=$(SYSROOT_DIR) $(GUEST_DIR)/tests/vm/probe
	$(Q)tests/vm/run

fuzz: ## each fuzz target for FUZZ_SECONDS (30)
	$(Q)$(MAKE) --no-print-directory FUZZ=1 fuzzers
	$(Q)tests/fuzz/run $(subst $(B)/,$(B)-fuzz/,$(FUZZERS))

.PHONY: fuzzers
fuzzers: $(FUZZERS)

bench: programs ## hash tree against veritysetup, in one run
	$(Q)tests/bench

bench-attest: programs $(B)/tests/attest/bench_attest ## evidence judged a second, beside openssl speed
	$(Q)tests/attest/bench

BENCH_VERDICTS ?= 100000
bench-attest-service: programs $(B)/tests/attest/bench_service ## the verifier under load, loopback only (BENCH_VERDICTS=100000)
	$(Q)$(B)/tests/attest/bench_service $(BENCH_VERDICTS)

check: ## everything CI runs; ends with "N passed, N failed"
	$(Q)tools/install-deps build boot check
	$(Q)tests/check

.PHONY: docs
docs: programs ## pages made from the code
	$(Q)$(B)/holdfast-image codes --markdown >docs/failure-codes.md

DESTDIR ?=
PREFIX ?= /usr
install: programs ## into DESTDIR, below PREFIX (/usr)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/holdfast $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man8 $(DESTDIR)$(PREFIX)/share/holdfast
	install -m 0755 $(filter-out %/holdfast-init,$(PROGRAMS)) $(DESTDIR)$(PREFIX)/bin
	install -m 0755 $(B)/holdfast-init $(DESTDIR)$(PREFIX)/lib/holdfast
	install -m 0644 $(wildcard docs/man/*.1) $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 0644 $(wildcard docs/man/*.8) $(DESTDIR)$(PREFIX)/share/man/man8
	cp -r boards engines $(DESTDIR)$(PREFIX)/share/holdfast
