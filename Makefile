# SPDX-License-Identifier: LGPL-2.1-or-later
#
# holdfast: how to build
#
#   make demo      install what is missing, build an image, boot it, attest it, show it refuse
#   make check     everything CI runs: lint, unit tests, sanitizers, boots
#   make help      the other targets
#
# Variables: V=1 shows commands; SAN=1 builds with ASan and UBSan; ARCH=x86_64|arm64;
# SYSROOT=DIR builds against a tree of Debian 13 packages, as everything does if ARCH is not this machine's (the sysroot
# is then made by itself); GUEST=1 with it builds what an image carries (`make guest` does it).
# Each combination has its own folder below build/, so switching costs nothing. One Makefile, not recursive:
# every folder adds to it by its module.mk. Tests, programs and fuzz targets are found by file name.

VERSION := 0.1.0
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:

HOST_ARCH := $(subst aarch64,arm64,$(shell uname -m))
ARCH ?= $(HOST_ARCH)
GNU_ARCH := $(subst arm64,aarch64,$(ARCH))
DEB_ARCH := $(subst x86_64,amd64,$(ARCH))
# FOREIGN is ARCH if this machine does not run it: then a cross compiler, and qemu-user for what must run.
FOREIGN := $(filter-out $(HOST_ARCH),$(ARCH))
CC := $(if $(FOREIGN),$(GNU_ARCH)-linux-gnu-gcc,gcc)
AR := $(if $(FOREIGN),$(GNU_ARCH)-linux-gnu-)ar
PKG_CONFIG := pkg-config
V ?= 0
comma := ,
Q := $(if $(filter 1,$(V)),,@)
say = @printf '  %-8s %s\n' '$(1)' '$(2)'

# --- against which libraries: this machine's own, or Debian 13's in a sysroot --------------------------------------------
CACHE ?= $(CURDIR)/cache
SYSROOT_DIR := $(CACHE)/sysroot-$(DEB_ARCH)
# The same release as the guest's own libraries. libgcc's version is the release's compiler's.
SYSROOT_PACKAGES := libc6-dev libgcc-s1 libgcc-14-dev linux-libc-dev libcryptsetup-dev libssl-dev libblkid-dev libtss2-dev libjson-c-dev \
	libzstd-dev libsqlite3-dev libcmocka-dev
ifneq ($(FOREIGN),)
SYSROOT := $(SYSROOT_DIR)
endif
ifneq ($(SYSROOT),)
VARIANT := $(if $(GUEST),guest,cross)-$(ARCH)
# A native gcc with --sysroot still takes the machine's own start files and libraries: -B and -L name the sysroot's.
SYSROOT_FLAGS := --sysroot=$(SYSROOT) -B$(SYSROOT)/usr/lib/$(GNU_ARCH)-linux-gnu -L$(SYSROOT)/usr/lib/$(GNU_ARCH)-linux-gnu
PKG_CONFIG := env -u PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR=$(SYSROOT) PKG_CONFIG_LIBDIR=$(SYSROOT)/usr/lib/$(GNU_ARCH)-linux-gnu/pkgconfig:$(SYSROOT)/usr/share/pkgconfig pkg-config
else
VARIANT := host-$(ARCH)
endif
# One sanitized build serves the unit tests and the fuzz targets; the fuzzer's engine is clang's, and there for this machine only.
ifeq ($(SAN),1)
VARIANT := $(VARIANT)-san
SAN_FLAGS := -O1 -g1 -DHOLDFAST_SANITIZED -fsanitize=address,undefined$(if $(FOREIGN),,$(comma)fuzzer-no-link) -fno-sanitize-recover=all -fno-omit-frame-pointer
ifeq ($(FOREIGN),)
CC := clang
else
# The cross compiler's runtime is not in the sysroot.
SAN_FLAGS += -static-libasan -static-libubsan
# In a program so large the linker's short way around a Cortex-A53's erratum does not reach; said last, for the compiler says "short" behind all else.
LAST_WORD := $(if $(filter arm64,$(ARCH)),-Wl$(comma)--fix-cortex-a53-843419=full)
endif
endif
B := build/$(VARIANT)

# What the compiler knows; what the linker knows (of what it does not it says that it ignores it). Neither needs a libc: the sysroot may not be there yet.
probe = $(shell echo 'int x;' | $(CC) -Werror $(1) -x c -c - -o /dev/null 2>/dev/null && echo '$(1)')
ld_probe = $(shell echo 'int x;' | $(CC) -nostdlib -shared $(1) -x c - -o /dev/null 2>&1 | grep -q . || echo '$(1)')
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wno-format-nonliteral -Wunused-result \
	-Wimplicit-fallthrough -Wpointer-arith -Wundef -Werror
ifeq ($(SAN_FLAGS),)
HARDEN := -D_FORTIFY_SOURCE=2 $(call probe,-fstack-protector-strong) $(call probe,-fstack-clash-protection) $(call probe,-fcf-protection) \
	$(call probe,-mbranch-protection=standard) $(call probe,-ftrivial-auto-var-init=zero)
endif
# Nothing in the guest unwinds its stack; the tables would be a tenth of PID 1.
GUEST_FLAGS := $(if $(GUEST),-DHOLDFAST_GUEST -fno-asynchronous-unwind-tables -fno-unwind-tables)
# All is bound at the start (-z now), so a procedure linkage table is a detour, and 3 KiB. On arm64 calls past it are longer than it is.
ifeq ($(ARCH),x86_64)
GUEST_FLAGS += $(if $(GUEST),-fno-plt)
endif
CPPFLAGS := -I. -D_GNU_SOURCE -DHOLDFAST_VERSION='"$(VERSION)"'
CFLAGS := -std=gnu11 -O2 -g -fPIE -ffunction-sections -fdata-sections $(WARN) $(HARDEN) $(GUEST_FLAGS) $(SAN_FLAGS) $(SYSROOT_FLAGS)
# arm64's linker aligns for pages of 64 KiB, which is up to 64 KiB of zeros in each file; Debian's kernels have 4 or 16 KiB.
ifeq ($(ARCH),arm64)
PAGE_FLAGS := -Wl,-z,max-page-size=16384
endif
LDFLAGS := -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--gc-sections -Wl,--as-needed $(PAGE_FLAGS) $(if $(GUEST),-Wl$(comma)--build-id=none) $(SAN_FLAGS) $(SYSROOT_FLAGS)

# In the guest size is what counts: every byte of the initramfs is hashed four times on its way. Its programs spend their time
# in libraries and in the kernel. GCC 12 and clang know -Oz.
SMALL := $(firstword $(call probe,-Oz) -Os)
ifneq ($(GUEST),)
$(B)/common/%.o $(B)/policy/%.o $(B)/verity/%.o: CFLAGS += $(SMALL)
endif

# A test's own code runs once: what compiles soonest is best. What it tests is compiled as ever.
TEST_SPEED := $(if $(SAN_FLAGS),-O0,-O1) -g1

.DEFAULT_GOAL := all

# --- what the folders add -------------------------------------------------------------------------------------------
# What only a program that names it is linked with, in place of a file of a library: see init/module.mk.
NOT_BUILT := common/sha_plain.c init/uefi_only.c verity/trust_kernel.c

# $(call library,FOLDER): lib<FOLDER>.a of all its .c files but main.c, cmd_*.c and *_main.c, and those in NOT_BUILT.
lib_srcs = $(filter-out $(1)/main.c $(1)/cmd_%.c $(1)/%_main.c $(NOT_BUILT),$(wildcard $(1)/*.c))
define library
$(B)/lib$(1).a: $(patsubst %.c,$(B)/%.o,$(call lib_srcs,$(1)))
LIB_OBJS += $(patsubst %.c,$(B)/%.o,$(call lib_srcs,$(1)))
endef

# $(call program,NAME,SOURCES,FOLDERS LINKED (dependents first),PKG-CONFIG NAMES)
define program
$(B)/$(1): $(patsubst %.c,$(B)/%.o,$(2)) $(patsubst %,$(B)/lib%.a,$(3))
$(B)/$(1): PKGS := $(4)
PROGRAMS += $(if $(wildcard $(firstword $(2))),$(B)/$(1))
PROGRAM_OBJS += $(patsubst %.c,$(B)/%.o,$(2))
endef

# $(call tests,FOLDER,FOLDERS LINKED,PKG-CONFIG NAMES): each tests/FOLDER/test_*.c is one program.
test_srcs = $(filter-out $(NOT_BUILT),$(wildcard tests/$(1)/test_*.c))
define tests
$(patsubst %.c,$(B)/%,$(call test_srcs,$(1))): $(B)/%: $(B)/%.o $(patsubst %,$(B)/lib%.a,$(2))
$(patsubst %.c,$(B)/%,$(call test_srcs,$(1))): PKGS := $(3) cmocka
TESTS += $(patsubst %.c,$(B)/%,$(call test_srcs,$(1)))
endef

# $(call fuzzers,NAMES,FOLDERS LINKED,PKG-CONFIG NAMES): tests/fuzz/fuzz_NAME.c each.
define fuzzers
$(patsubst %,$(B)/tests/fuzz/fuzz_%,$(1)): $(B)/%: $(B)/%.o $(patsubst %,$(B)/lib%.a,$(2))
$(patsubst %,$(B)/tests/fuzz/fuzz_%,$(1)): PKGS := $(3)
FUZZERS += $(patsubst %,$(B)/tests/fuzz/fuzz_%,$(1))
endef

include common/module.mk verity/module.mk policy/module.mk init/module.mk attest/module.mk image-builder/module.mk tests/module.mk

# --- rules ----------------------------------------------------------------------------------------------------------

FLAGS_FILE := $(B)/flags
FLAGS_NOW := $(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)
$(shell mkdir -p $(B); printf '%s\n' '$(subst ','\'',$(FLAGS_NOW))' | cmp -s - $(FLAGS_FILE) || printf '%s\n' '$(subst ','\'',$(FLAGS_NOW))' > $(FLAGS_FILE))

# A sysroot that is not there, or not of the packages wanted, is made first; a new one means compiling anew.
SYSROOT_LIST := $(if $(filter $(SYSROOT_DIR),$(SYSROOT)),$(SYSROOT)/.holdfast-packages)
ifneq ($(SYSROOT_LIST),)
$(SYSROOT_LIST): sysroot
	@:
endif

$(B)/%.o: %.c $(FLAGS_FILE) $(SYSROOT_LIST)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(B)/lib%.a:
	$(call say,AR,$@)
	@mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) rcsD $@ $(filter %.o,$^)

link = $(CC) $(CFLAGS) $(LDFLAGS) $(1) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(shell $(PKG_CONFIG) --libs $(PKGS)) -lpthread $(LAST_WORD)

# What the guest carries has no symbols: every byte of the initramfs is hashed four times on its way.
$(PROGRAMS) $(B)/tests/vm/probe: LDFLAGS += $(if $(GUEST),-s)
$(PROGRAMS):
	$(call say,LD,$@)
	$(Q)$(call link,)

$(addsuffix .o,$(TESTS)): CFLAGS += $(TEST_SPEED)
$(TESTS):
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(call link,)

$(FUZZERS):
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(call link,-fsanitize=fuzzer)

-include $(patsubst %.o,%.d,$(LIB_OBJS) $(PROGRAM_OBJS)) $(addsuffix .d,$(TESTS) $(FUZZERS))

# --- targets --------------------------------------------------------------------------------------------------------
.PHONY: all programs tests guest deps demo check unit-check san-check lint vm-check fuzz bench bench-attest bench-attest-service clean install help

all: programs tests ## build programs and tests; with ARCH=arm64 for it, by a cross compiler and a sysroot that it makes
programs: $(PROGRAMS)
tests: $(TESTS)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

clean: ## remove build/ (downloads are kept in cache/)
	rm -rf build

include targets.mk
