/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/uki.h - unified kernel image: the systemd stub with command line, initramfs and kernel as sections
 *
 * Theory of operation
 *   Sections are appended behind the stub's own, as ukify does: .osrel, .cmdline, .uname, .linux, .initrd, each at the next
 *   multiple of the section alignment. .osrel is what systemd-boot knows a UKI by (name, version); for it the stub adds a cpio with /.extra/os-release to the
 *   initramfs, of known bytes (image-builder/pcrsig.h). A .pcrsig (image-builder/pcrsig.h) comes last; it does the same, by bytes that are known. The stub's .sbat stays as it is (SBAT is shim's, and there is no shim here).
 *   Unlike ukify the CheckSum is filled in. Same inputs give same bytes.
 *
 * Input: the builder's own (packages checked by apt); the stub is parsed as hostile.
 * Spec: UAPI group, Unified Kernel Image (UKI) 1.0; systemd-stub(7).
 */
#ifndef IMAGE_BUILDER_UKI_H
#define IMAGE_BUILDER_UKI_H

#include "common/buf.h"
#include "common/err.h"
#include "image-builder/pe.h"

#define UKI_MAX_CMDLINE_BYTES 2047 /* x86 boot protocol 2.06: COMMAND_LINE_SIZE 2048 with the NUL */

/**
 * struct uki_params - zero it, then set all
 * @arch:    "x86_64" or "arm64": stub and kernel must be for it
 * @stub:    bytes of linuxx64.efi.stub or linuxaa64.efi.stub
 * @kernel:  bytes of the kernel (an EFI image)
 * @initrd:  bytes of the initramfs; its section is padded with zeros to a multiple of 4, as the kernel wants initramfs
 * parts
 * @cmdline: printable ASCII, no newline
 * @osrel:   os-release(5): lines, IMAGE_ID and IMAGE_VERSION among them; NULL: none, and no loader finds it by itself
 * @uname:   kernel release ("6.12.1-amd64")
 * @pcrsig:  signed PCR policies for this very UKI, built without them; NULL: none
 */
struct uki_params {
	const char *arch;
	const struct buf *stub, *kernel, *initrd;
	const char *osrel, *cmdline;
	const char *uname;
	const struct buf *pcrsig;
};

/** uki_build() - assemble the unsigned UKI. @ret: an empty buf. -EINVAL names the input and what is wrong with it. */
int uki_build(const struct uki_params *p, struct buf *ret, struct err *e) WARN_UNUSED;

/**
 * uki_measured() - the sections that stub 257 measures into PCR 11, in its order
 * @i: 0, 1, 2, ...
 *
 * Return: the @i-th section of @pe that the stub measures, or NULL after the last. Each gives two events:
 * sha256(name with NUL), sha256(content, virtual size).
 */
const struct pe_section *uki_measured(const struct pe *pe, size_t i);

#endif
