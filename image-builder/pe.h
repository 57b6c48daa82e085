/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/pe.h - bounded reader of PE32+ images (EFI programs)
 *
 * Theory of operation
 *   Only what a UKI needs is read: the headers' fields that assembling and signing rewrite (by their file
 *   offsets), the section table and the place of the certificate table. All offsets and sizes handed out were
 *   checked against the file, so that a caller may slice it without further checks.
 *
 *     +-----------+ 0                     DOS header, e_lfanew at 0x3c
 *     | stub      |
 *     +-----------+ e_lfanew              "PE\0\0", COFF header (20), optional header PE32+ (112 + 8 a directory)
 *     | sections  | section_table_offset  40 bytes each
 *     +-----------+ size_of_headers
 *     | raw data  | file_alignment
 *     +-----------+ cert_offset           WIN_CERTIFICATE entries, up to the end of the file
 *
 * Input: hostile. Spec: Microsoft PE Format (rev. 2024), "Optional Header", "Section Table", "Attribute Certificate
 * Table".
 */
#ifndef IMAGE_BUILDER_PE_H
#define IMAGE_BUILDER_PE_H

#include "common/cleanup.h"
#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

#define PE_MAX_SECTIONS 64
#define PE_MAX_BYTES    (1u << 30)

#define PE_MACHINE_X86_64 0x8664
#define PE_MACHINE_ARM64  0xaa64

#define PE_SECTION_BYTES 40
#define PE_DLL_NX_COMPAT 0x0100

/* Offsets within the optional header (PE32+). */
#define PE_OPT_INITIALIZED_BYTES   8
#define PE_OPT_IMAGE_BYTES         56
#define PE_OPT_CHECKSUM            64
#define PE_OPT_DLL_CHARACTERISTICS 70

/** struct pe_section - one row of the section table; raw_offset + raw_bytes lies within the file */
struct pe_section {
	char name[9]; /* NUL-terminated */
	uint32_t virtual_bytes, virtual_address;
	uint32_t raw_bytes, raw_offset;
	uint32_t characteristics;
};

/**
 * struct pe - a parsed image; borrows the caller's bytes
 * @pe_offset:             of the "PE\0\0" signature
 * @optional_offset:       of the optional header
 * @checksum_offset:       of the optional header's CheckSum
 * @cert_dir_offset:       of the certificate table's data directory (8 bytes)
 * @section_table_offset:  of the first row
 * @cert_offset, @cert_bytes: certificate table in the file; both 0 when unsigned
 */
struct pe {
	const uint8_t *data;
	size_t len;
	uint16_t machine, dll_characteristics;
	uint32_t section_alignment, file_alignment;
	uint32_t image_bytes, header_bytes, checksum;
	size_t pe_offset, optional_offset, checksum_offset, cert_dir_offset, section_table_offset;
	size_t n_sections;
	struct pe_section section[PE_MAX_SECTIONS];
	uint32_t cert_offset, cert_bytes;
};

/**
 * pe_parse() - read and check the headers
 * @data: borrowed by @ret, must outlive it
 * @name: for messages
 *
 * Refuses what is not PE32+, alignments that are no powers of two, sections out of order or overlapping in memory or in
 * the file, raw data or certificate table outside the file, a certificate table that is not the file's end.
 * Return: 0 or -EINVAL with offset and rule.
 */
int pe_parse(const void *data, size_t len, const char *name, struct pe *ret, struct err *e) WARN_UNUSED;

/** pe_find() - the section of that name (at most 8 bytes), or NULL. */
const struct pe_section *pe_find(const struct pe *pe, const char *name);

/** pe_content() - bytes of a section as loaded: the smaller of raw and virtual size; *@ret_len gets it. */
const uint8_t *pe_content(const struct pe *pe, const struct pe_section *s, size_t *ret_len);

/** pe_checksum() - the optional header's CheckSum over @len bytes, its own four taken as zero. */
uint32_t pe_checksum(const uint8_t *data, size_t len, size_t checksum_offset);

/** pe_machine() - machine number of "x86_64" or "arm64"; 0 for another name. */
uint16_t pe_machine(const char *arch);

#endif
