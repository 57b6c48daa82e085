# targets.mk - what is done with the programs: guest builds, tests, the demo, packaging
NPROC := $(shell nproc)
HOST_DIR := build/host-$(HOST_ARCH)
IMAGE_TOOL := $(HOST_DIR)/holdfast-image
GUEST_DIR := build/guest-$(ARCH)
GUEST_PROGRAMS := $(addprefix $(GUEST_DIR)/,holdfast-init holdfast-initramfs holdfast-initramfs-direct holdfast-floor holdfast-bless holdfast-state holdfast-layer holdfast-runtime holdfast-attest)

# The command that runs a program for the machine that this one is not. Pointer authentication as Arm specifies it takes
# three quarters of the time of an emulated program, SVE's string functions half of what hashing takes.
HOST_DEB := $(subst x86_64,amd64,$(HOST_ARCH))
OTHER_ARCH := $(filter-out $(HOST_ARCH),x86_64 arm64)
QEMU_CPU_arm64 := -cpu max,pauth-impdef=on,sve=off
OTHER_RUNNER := qemu-$(subst arm64,aarch64,$(OTHER_ARCH)) $(QEMU_CPU_$(OTHER_ARCH)) -L $(CACHE)/sysroot-$(subst x86_64,amd64,$(OTHER_ARCH))
TEST_RUNNER := $(if $(FOREIGN),$(OTHER_RUNNER))
# Before version 8 qemu-user has a table of a program's pages, 400 MB of it for the shadow of an address sanitizer, which each start fills
# and each fork copies. Where this machine's is so old, Debian 13's is unpacked for the sanitized programs.
QEMU_USER_DIR := $(CACHE)/qemu-user-$(HOST_DEB)
QEMU_IS_OLD := $(if $(FOREIGN),$(shell $(firstword $(OTHER_RUNNER)) --version 2>/dev/null | grep -q 'version [0-7]\.' && echo yes))

TREE_DIR := $(CACHE)/tree-$(DEB_ARCH)
LOADER := $(subst x86_64,lib64/ld-linux-x86-64.so.2,$(subst arm64,lib/ld-linux-aarch64.so.1,$(ARCH)))
# What tests/run and the tests that start programs themselves are told. An emulated program takes its time.
TEST_ENV = ARCH=$(ARCH) TEST_RUNNER="$(TEST_RUNNER)" HOLDFAST_CACHE=$(CACHE) TEST_DEADLINE=$(if $(FOREIGN),1800,120)
# The results of an architecture that is not this machine's have its name.
SUFFIX := $(if $(FOREIGN),-$(ARCH))

.PHONY: sysroot tree pkcs11-tree host-programs identity vm-check-all FORCE
# What runs on this machine is always its own build; what a build for another needs of it is made by a make of its own.
HOST_MAKE = $(MAKE) --no-print-directory $(if $(Q),-s) ARCH=$(HOST_ARCH) GUEST= SYSROOT= SAN=
ifeq ($(B),$(HOST_DIR))
host-programs: programs
else
$(IMAGE_TOOL): FORCE
	$(Q)+$(HOST_MAKE) $@
host-programs: $(IMAGE_TOOL)
	$(Q)+$(HOST_MAKE) programs
endif

tree: $(IMAGE_TOOL)
	$(Q)$(IMAGE_TOOL) fetch --board boards/qemu-$(ARCH) --engine engines/containerd --cache $(CACHE)/packages-$(DEB_ARCH) --out $(TREE_DIR) busybox-static

sysroot: $(IMAGE_TOOL)
	$(Q)$(IMAGE_TOOL) fetch --arch $(DEB_ARCH) --cache $(CACHE)/packages-$(DEB_ARCH) --out $(SYSROOT_DIR) --sysroot $(SYSROOT_PACKAGES)

# A token and what OpenSSL needs to use it, with libraries of their own: Debian 12 has no pkcs11-provider.
pkcs11-tree: $(IMAGE_TOOL)
	$(Q)$(IMAGE_TOOL) fetch --arch $(DEB_ARCH) --cache $(CACHE)/packages-$(DEB_ARCH) --out $(CACHE)/pkcs11-$(DEB_ARCH) \
		pkcs11-provider softhsm2 libcryptsetup12 libssl3t64 libjson-c5 libblkid1

guest: ## the programs that run in the guest, against Debian 13's libraries
ifeq ($(B),$(GUEST_DIR))
guest: $(GUEST_PROGRAMS)
else
guest: $(IMAGE_TOOL)
	$(Q)$(MAKE) --no-print-directory GUEST=1 SYSROOT=$(SYSROOT_DIR) $(GUEST_PROGRAMS)
endif

deps: ## install what building, booting and testing need (apt, asks nothing)
	$(Q)tools/install-deps build boot check $(ARCH)

demo: ## build an image, boot it, attest it, watch it refuse
	$(Q)tools/install-deps build boot $(ARCH)
	$(Q)$(MAKE) --no-print-directory -j$(NPROC) host-programs guest
	$(Q)ARCH=$(ARCH) tools/demo

# Against other implementations, where both run: veritysetup, tpm2-tools, systemd-pcrlock (make tree). Elsewhere their known answers are compared.
PEERS := tests/verity/against_veritysetup tests/verity/fec_against_veritysetup tests/attest/interop
RUN_PEERS = $(if $(FOREIGN),,$(Q)$(TEST_ENV) HOLDFAST_BIN=$(1) tests/run $(2) $(PEERS) $(3))

CLI_TESTS := $(addprefix tests/cli/,help image verity policy attest faults)

unit-check: tests programs ## unit tests, and the programs from outside; with ARCH=arm64 by qemu-user
	$(Q)$(TEST_ENV) HOLDFAST_BIN=$(B) tests/run unit$(SUFFIX) $(CLI_TESTS) $(sort $(TESTS))
	$(call RUN_PEERS,$(B),peers,tests/verity/sign_by_pkcs11)

.PHONY: qemu-user
qemu-user: $(IMAGE_TOOL)
	$(Q)$(IMAGE_TOOL) fetch --arch $(HOST_DEB) --cache $(CACHE)/packages-$(HOST_DEB) --out $(QEMU_USER_DIR) qemu-user

san-check: TEST_RUNNER := $(if $(FOREIGN),$(if $(QEMU_IS_OLD),$(QEMU_USER_DIR)/usr/bin/)$(OTHER_RUNNER))
san-check: $(if $(QEMU_IS_OLD),qemu-user) ## unit tests under ASan and UBSan
	$(Q)$(MAKE) --no-print-directory SAN=1 tests programs
	$(Q)$(TEST_ENV) ASAN_OPTIONS=detect_leaks=$(if $(FOREIGN),0,1) HOLDFAST_BIN=$(B)-san tests/run sanitized$(SUFFIX) $(CLI_TESTS) $(sort $(subst $(B)/,$(B)-san/,$(TESTS)))
	$(call RUN_PEERS,$(B)-san,peers-sanitized)

identity: ## that the programs of both architectures make the same bytes of the same input
	$(Q)$(MAKE) --no-print-directory ARCH=$(HOST_ARCH) SYSROOT=$(CACHE)/sysroot-$(HOST_DEB) programs tree
	$(Q)$(MAKE) --no-print-directory ARCH=$(OTHER_ARCH) programs tree
	$(Q)TEST_RUNNER="$(OTHER_RUNNER)" HOLDFAST_CACHE=$(CACHE) TEST_DEADLINE=900 tests/run identity tests/cross/identity

lint: programs ## include edges, symbol prefixes, function limits, and that each rule can fail
	$(Q)tests/lint/run
	$(Q)tools/lint . $(B)

vm-check: guest host-programs ## boots in QEMU: the chain, and each attack refused
	$(Q)$(MAKE) --no-print-directory GUEST=1 SYSROOT=$(SYSROOT_DIR) $(GUEST_DIR)/tests/vm/probe $(GUEST_DIR)/tests/vm/maker $(GUEST_DIR)/tests/verity/vm_activate
	$(Q)ARCH=$(ARCH) tests/vm/run $(CASES)

vm-check-all: ## vm-check on both architectures; docs/vm-cases.md becomes the table of both
	$(Q)for a in x86_64 arm64; do BOOT_RUNS=5 $(MAKE) --no-print-directory ARCH=$$a vm-check || bad=1; done; \
		tests/vm/table >build/vm-cases.md || bad=1; cp build/vm-cases.md docs/vm-cases.md; cat docs/vm-cases.md; exit $${bad:-0}

fuzz: ## each fuzz target for FUZZ_SECONDS (30)
	$(if $(FOREIGN),$(error fuzz targets are run on this machine's own architecture, $(HOST_ARCH)))
	$(Q)$(MAKE) --no-print-directory SAN=1 fuzzers
	$(Q)tests/fuzz/run $(subst $(B)/,$(B)-san/,$(FUZZERS))

.PHONY: fuzzers
fuzzers: $(FUZZERS)

bench: bench-verity bench-lanes bench-layers bench-gate bench-boot bench-attest bench-attest-service ## all of them

.PHONY: bench-verity bench-layers
bench-verity: programs $(addprefix $(B)/tests/verity/,bench_run bench_openssl bench_lanes) ## hash tree and FEC against veritysetup and OpenSSL, in one run
	$(Q)tests/bench-verity

bench-layers: programs ## layers converted and signed against tar x, in one run (BENCH_TREE=a folder of some hundred MB)
	$(Q)tests/policy/bench_layers $(B)/holdfast-policy $(or $(BENCH_TREE),$(TREE_DIR)/usr)

.PHONY: bench-gate
bench-gate: guest host-programs ## what the gate adds to a container's start, against crun and runc, in a guest, in instructions
	$(Q)$(MAKE) --no-print-directory GUEST=1 SYSROOT=$(SYSROOT_DIR) $(GUEST_DIR)/tests/vm/bench_gate
	$(Q)ARCH=$(ARCH) tests/bench-gate

.PHONY: bench-boot
bench-boot: guest host-programs ## a boot to the verity root against raw system calls and systemd, in one run, in instructions; PSS of PID 1, sizes
	$(Q)$(MAKE) --no-print-directory GUEST=1 SYSROOT=$(SYSROOT_DIR) $(addprefix $(GUEST_DIR)/tests/vm/boot/,floor end idle)
	$(Q)ARCH=$(ARCH) tests/bench-boot

bench-attest: programs $(B)/tests/attest/bench_attest ## evidence judged a second, beside openssl speed
	$(Q)tests/attest/bench

.PHONY: mutate-attest
mutate-attest: ## each check of the pitfalls of attestation taken out, one at a time: its test must fail (MUTATE=regex of titles)
	$(Q)tests/attest/mutate '$(MUTATE)'

BENCH_VERDICTS ?= 100000
bench-attest-service: programs $(B)/tests/attest/bench_service ## the verifier under load, loopback only (BENCH_VERDICTS=100000)
	$(Q)$(B)/tests/attest/bench_service $(BENCH_VERDICTS)

check: ## everything CI runs; ends with "N passed, N failed"; with ARCH=arm64 all that is arm64's
	$(Q)tools/install-deps build boot check $(OTHER_ARCH)
	$(Q)ARCH=$(ARCH) tests/check

.PHONY: docs
docs: $(IMAGE_TOOL) ## pages made from the code
	$(Q)$(IMAGE_TOOL) codes --markdown >docs/failure-codes.md

DESTDIR ?=
PREFIX ?= /usr
install: programs ## into DESTDIR, below PREFIX (/usr)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/holdfast $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man8 $(DESTDIR)$(PREFIX)/share/holdfast
	install -m 0755 $(filter-out %/holdfast-init %/holdfast-initramfs %/holdfast-initramfs-direct %/holdfast-floor %/holdfast-bless %/holdfast-layer,$(PROGRAMS)) $(DESTDIR)$(PREFIX)/bin
	install -m 0755 $(addprefix $(B)/,holdfast-init holdfast-initramfs holdfast-initramfs-direct holdfast-floor holdfast-bless holdfast-layer) $(DESTDIR)$(PREFIX)/lib/holdfast
	install -m 0644 $(wildcard docs/man/*.1) $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 0644 $(wildcard docs/man/*.8) $(DESTDIR)$(PREFIX)/share/man/man8
	cp -r boards engines $(DESTDIR)$(PREFIX)/share/holdfast
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	for p in verity policy attest image; do install -m 0644 tools/completion/holdfast.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/holdfast-$$p || exit 1; done
