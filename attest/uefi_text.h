/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/uefi_text.h - strings, GUIDs and device paths of firmware, as text that a terminal may be shown
 *
 * Input: hostile. What comes out is printable ASCII, of a bounded length, whatever went in: a character that is none
 * becomes '?'. Nothing here is believed by anybody: these are labels for people.
 * Spec: UEFI 2.10, sections 10.3 (device paths), 3.1.3 (load options).
 */
#ifndef ATTEST_UEFI_TEXT_H
#define ATTEST_UEFI_TEXT_H

#include "attest/evidence.h"

#define UEFI_GUID_BYTES     16
#define UEFI_TEXT_MAX_BYTES 512 /* of any text here, with its NUL */

/** uefi_text_ascii() - @b up to its first NUL or its end. */
void uefi_text_ascii(struct bytes b, char ret[static UEFI_TEXT_MAX_BYTES]);

/** uefi_text_utf16() - @b as UTF-16LE, up to its first NUL or its end. */
void uefi_text_utf16(struct bytes b, char ret[static UEFI_TEXT_MAX_BYTES]);

/** uefi_text_any() - UTF-16LE, else ASCII, if @b is wholly one of them (NULs at its end are allowed); else "". */
void uefi_text_any(struct bytes b, char ret[static UEFI_TEXT_MAX_BYTES]);

/** uefi_text_guid() - "8be4df61-...", and " (name)" behind one that we know. */
void uefi_text_guid(const uint8_t guid[static UEFI_GUID_BYTES], char ret[static UEFI_TEXT_MAX_BYTES]);

/** uefi_text_path() - a device path as the UEFI shell writes it, as far as it goes; says where it is malformed. */
void uefi_text_path(struct bytes path, char ret[static UEFI_TEXT_MAX_BYTES]);

#endif
