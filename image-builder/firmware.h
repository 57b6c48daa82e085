/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/firmware.h - what edk2 firmware (OVMF, AAVMF) will measure of its own file
 *
 * Theory of operation
 *   Two shapes of file are known, and anything else is refused rather than guessed at:
 *
 *     x86_64  volume { LZMA { volume P: PEI core, PEIMs;  volume D: DXE core, drivers } } ...
 *     arm64   volume P: PEI core, PEIMs, { LZMA { volume D: DXE core, drivers } }
 *
 *   Tcg2Pei measures its version string, then the volume that it runs from (P), then each other one as it is found that does not
 *   lie in one already measured (D on x86_64). On arm64 P is executed from flash and is what is in the file. On x86_64
 *   P was unpacked into memory and its modules keep their variables in it: by the time it is measured some forty bytes are
 *   other ones (page table, control registers, stack and descriptor tables of PlatformPei), which follow from the memory's size
 *   and the processor. They cannot be had without running that code: image-builder/machine.h.
 *
 * Input: foreign (firmware files of packages). Spec: UEFI PI 1.8 volume 3; edk2 SecurityPkg/Tcg/Tcg2Pei; TCG PFP 1.06, 3.3.4.1.
 */
#ifndef IMAGE_BUILDER_FIRMWARE_H
#define IMAGE_BUILDER_FIRMWARE_H

#include "common/buf.h"
#include "image-builder/fv.h"

#define FIRMWARE_MAX_BYTES          (128u << 20)
#define FIRMWARE_MAX_UNPACKED_BYTES (64u << 20)
#define FIRMWARE_MAX_VERSION_CHARS  64

/**
 * struct firmware - zero it; firmware_free() in any case. Borrows the file's bytes
 * @unpacked:    content of the compressed section; volumes may point into it
 * @pei:         P above; @pei_in_memory: it is changed before it is measured; @pei_address: where it lies then
 * @dxe:         D above; its name is part of the boot manager's device path
 * @version:     ASCII; measured as UTF-16LE with its NUL
 */
struct firmware {
	struct buf unpacked;
	struct fv pei, dxe;
	bool pei_in_memory;
	uint64_t pei_address;
	char version[FIRMWARE_MAX_VERSION_CHARS + 1];
};

/** firmware_parse() - read @data (borrowed by @ret); runs xz(1). -EINVAL with offset and rule, -errno of xz. */
int firmware_parse(const uint8_t *data, size_t len, struct firmware *ret, struct err *e) WARN_UNUSED;

/**
 * firmware_find() - the same after unpacking, without running anything: what firmware_parse() does with @outer and the
 * sections in @ret->unpacked. For tests that try any bytes.
 */
int firmware_find(const struct fv *outer, struct firmware *ret, struct err *e) WARN_UNUSED;

/** firmware_free() - release; accepts a zeroed one. */
void firmware_free(struct firmware *f);

#define cleanup_firmware __attribute__((cleanup(firmware_free)))

#endif
