/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/ima_log.h - the kernel's IMA log (binary_runtime_measurements) and what dm-ima writes into it
 *
 * Theory of operation
 *   +---------+-----------+----------+------+----------+------------------------------+
 *   | pcr u32 | sha1 [20] | len u32  | name | len u32  | template data                |   little-endian
 *   +---------+-----------+----------+------+----------+------------------------------+
 *   Template data is a run of fields, each u32 length and bytes. Known templates: ima-ng (d-ng, n-ng), ima-sig (d-ng,
 *   n-ng, sig), ima-buf (d-ng, n-ng, buf). d-ng is "<hash>:" NUL digest; n-ng is a name with its NUL. The bank sha256
 * is extended with SHA-256(template data), which is what authenticates the fields; the recorded SHA-1 must be
 * SHA1(template data) or all zero, which says "violation" (a file was written while it was measured): the kernel
 * extends 0xff then.
 *
 *   With `measure func=CRITICAL_DATA label=device-mapper` device-mapper writes ima-buf entries: dm_table_load with the
 * whole table as text, dm_device_resume with that text's hash, and dm_device_remove, dm_table_clear, dm_device_rename.
 * Values of the text are only partly escaped by the kernel, so it is read strictly in the kernel's order of fields.
 *
 * Input: hostile until replayed against a quote. Spec: Linux 6.12, security/integrity/ima/ima_fs.c and
 * ima_template_lib.c; Documentation/admin-guide/device-mapper/dm-ima.rst; STATUSTYPE_IMA in
 * drivers/md/dm-verity-target.c.
 */
#ifndef ATTEST_IMA_LOG_H
#define ATTEST_IMA_LOG_H

#include "attest/evidence.h"
#include "attest/replay.h"
#include "common/reader.h"

#include <stdbool.h>

#define IMA_LOG_MAX_ENTRIES    8192
#define IMA_LOG_MAX_NAME_BYTES 4097 /* PATH_MAX and a NUL */
#define IMA_LOG_PCR            10

enum ima_template {
	IMA_TEMPLATE_UNSET = 0,
	IMA_TEMPLATE_NG,
	IMA_TEMPLATE_SIG,
	IMA_TEMPLATE_BUF,
};

/**
 * struct ima_entry - one entry; views into the log
 * @violation: the recorded digest is all zero: 0xff is extended, the fields are authenticated by nothing
 * @file:      digest of the file or buffer, in @file_alg
 * @name:      path or event name, without its NUL
 * @buf:       of ima-buf, else empty
 * @extend:    what goes into the sha256 bank of PCR 10
 */
struct ima_entry {
	size_t index;
	enum ima_template template;
	bool violation;
	enum hash_alg file_alg;
	struct bytes file;
	struct bytes name;
	struct bytes buf;
	uint8_t extend[HASH_SHA256_BYTES];
};

/**
 * ima_log_next() - parse the entry at @r
 * @index: its number
 *
 * Return: 1, 0 at a clean end, -EINVAL with entry and rule (a PCR other than 10, a template not listed above, a SHA-1
 * that is not that of the template data, lengths, bytes left over).
 */
int ima_log_next(struct reader *r, size_t index, struct ima_entry *ret, struct err *e) WARN_UNUSED;

/** ima_boot_aggregate() - SHA-256 over PCR 0 to 9 of a SHA-256 replay (Linux 5.8 and later). */
void ima_boot_aggregate(const struct replay *r, uint8_t ret[static HASH_SHA256_BYTES]);

/* What device-mapper said. */
enum ima_dm {
	IMA_DM_NOT = 0,    /* the entry is not device-mapper's */
	IMA_DM_TABLE_LOAD, /* @root_digest is that of the table's one dm-verity target */
	IMA_DM_STATE,      /* the table's one target is dm-crypt, and the device is the state volume's */
	IMA_DM_RESUME,     /* @table_hash is SHA-256 of the resumed table's text */
	IMA_DM_GONE,       /* a device or a table went away */
};

/** struct ima_dm_event - @table_hash is SHA-256 of @buf for a table load, what the text names for a resume */
struct ima_dm_event {
	enum ima_dm kind;
	uint8_t root_digest[HASH_SHA256_BYTES];
	uint8_t table_hash[HASH_SHA256_BYTES];
};

/**
 * ima_dm_parse() - read an ima-buf entry of device-mapper
 *
 * A table must be exactly one target: the state volume's, aes-xts-plain64 under its name and LUKS2, or dm-verity, version 1, sha256, that checks every block every time and answers
 * corruption with an error, a restart or a panic. Return: 0 with @ret->kind, or -EINVAL saying what else it is: any
 * other target, a rename, a device resumed without a measured table.
 */
int ima_dm_parse(const struct ima_entry *entry, struct ima_dm_event *ret, struct err *e) WARN_UNUSED;

#endif
