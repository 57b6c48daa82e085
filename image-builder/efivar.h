/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/efivar.h - the Secure Boot variables' bytes, and the digests under which firmware measures them
 *
 * Theory of operation
 *   virt-fw-vars writes PK, KEK and db as one EFI_SIGNATURE_LIST of type X.509 with one entry (owner GUID,
 *   DER certificate), and an empty dbx. Firmware measures UEFI_VARIABLE_DATA: the vendor GUID, the name and
 *   the data, without attributes and time.
 *
 *     EFI_SIGNATURE_LIST                     UEFI_VARIABLE_DATA
 *     | type GUID 16 | list size 4 |         | vendor GUID 16 | name length 8 (UTF-16 units) | data length 8 |
 *     | header size 4 | entry size 4 |       | name, UTF-16LE without NUL | data |
 *     | owner GUID 16 | certificate |
 *
 * Spec: UEFI 2.10 section 32.4.1; TCG PC Client Platform Firmware Profile 1.06, section 10.2.6.
 */
#ifndef IMAGE_BUILDER_EFIVAR_H
#define IMAGE_BUILDER_EFIVAR_H

#include "common/pki.h"
#include "image-builder/gpt.h"

enum efivar_vendor {
	EFIVAR_GLOBAL,   /* 8be4df61-93ca-11d2-aa0d-00e098032b8c: SecureBoot, PK, KEK */
	EFIVAR_SECURITY, /* d719b2cb-3d3a-4596-a3bc-dad00e67656f: db, dbx */
};

/** efivar_signature_data() - append owner GUID and DER certificate (EFI_SIGNATURE_DATA, as the authority event holds
 * it). */
int efivar_signature_data(X509 *cert, const struct gpt_uuid *owner, struct buf *ret, struct err *e) WARN_UNUSED;

/** efivar_signature_list() - append an EFI_SIGNATURE_LIST with this one certificate. */
int efivar_signature_list(X509 *cert, const struct gpt_uuid *owner, struct buf *ret, struct err *e) WARN_UNUSED;

/** efivar_event_digest() - SHA-256 of UEFI_VARIABLE_DATA; @data may be NULL when @len is 0. */
int efivar_event_digest(enum efivar_vendor vendor, const char *name, const void *data, size_t len,
			uint8_t ret[static HASH_SHA256_BYTES], struct err *e) WARN_UNUSED;

/** efivar_uuid_parse() - a GUID from its lower-case text. -EINVAL if it is none. */
int efivar_uuid_parse(const char *text, struct gpt_uuid *ret, struct err *e) WARN_UNUSED;

#endif
