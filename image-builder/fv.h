/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/fv.h - bounded reader of UEFI firmware volumes: volume, files in it, sections in those
 *
 * Theory of operation
 *   Three walks over borrowed bytes, none of which copies or recurses. What is handed out lies within what was given.
 *   Compressed sections are handed out as they are; who unpacks them (image-builder/firmware.c) walks on in the result.
 *
 *     volume   | zero vector 16 | file system GUID 16 | length 8 | "_FVH" | attributes 4 | header length 2 | checksum 2 |
 *              | extended header's offset 2 | 0 | revision | block map ... 0 0 |
 *     file     at multiples of 8: | name GUID 16 | header sum, data sum | type | attributes | size 3 | state | (size 8)
 *     section  at multiples of 4 of the file: | size 3 | type | (size 4) | content; type 2: | GUID 16 | data offset 2 | attributes 2
 *
 * Input: foreign (firmware files of packages). Spec: UEFI PI 1.8 volume 3, sections 3.2.1 to 3.2.5.
 */
#ifndef IMAGE_BUILDER_FV_H
#define IMAGE_BUILDER_FV_H

#include "common/cleanup.h"
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FV_GUID_BYTES 16
#define FV_MAX_BYTES  (1u << 28)

enum {
	FV_FILE_PEI_CORE = 0x04,
	FV_FILE_DXE_CORE = 0x05,
	FV_FILE_PEIM = 0x06,
	FV_FILE_VOLUME = 0x0b,
	FV_FILE_PAD = 0xf0,

	FV_SECTION_GUIDED = 0x02,
	FV_SECTION_PE32 = 0x10,
	FV_SECTION_TE = 0x12,
	FV_SECTION_VOLUME = 0x17,
};

/**
 * struct fv - one volume; borrows the caller's bytes
 * @data, @len: header and all
 * @files:      offset of the first file
 * @name:       of the extended header, as it is stored (mixed-endian); all zero without one
 */
struct fv {
	const uint8_t *data;
	size_t len;
	size_t files;
	uint8_t name[FV_GUID_BYTES];
};

/** struct fv_file - one file: @data is what follows its header, @offset that of the header in the volume */
struct fv_file {
	uint8_t name[FV_GUID_BYTES];
	uint8_t type;
	size_t offset;
	const uint8_t *data;
	size_t len;
};

/** struct fv_section - one section: @data is what follows its header; of FV_SECTION_GUIDED what follows @guid's header */
struct fv_section {
	uint8_t type;
	uint8_t guid[FV_GUID_BYTES]; /* FV_SECTION_GUIDED */
	const uint8_t *data;
	size_t len;
};

/** fv_parse() - the volume that begins at @data; @len may be more than it has. @where: for messages. -EINVAL. */
int fv_parse(const uint8_t *data, size_t len, const char *where, struct fv *ret, struct err *e) WARN_UNUSED;

/**
 * fv_file_next() - the file at *@at (begin with 0), pad files among them
 * Return: 1, 0 at the end, -EINVAL with offset. Each call takes *@at further by 24 bytes or more.
 */
int fv_file_next(const struct fv *fv, size_t *at, struct fv_file *ret, struct err *e) WARN_UNUSED;

/** fv_section_next() - likewise, the section at *@at of @len bytes of sections; each call takes *@at further by 4 or more. */
int fv_section_next(const uint8_t *data, size_t len, size_t *at, struct fv_section *ret, struct err *e) WARN_UNUSED;

#endif
