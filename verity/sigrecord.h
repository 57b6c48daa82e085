/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/sigrecord.h - the content of a root-verity-sig partition
 *
 * JSON as systemd-dissect reads it, padded with NUL to the partition's end:
 *   {"rootHash":"<hex>","certificateFingerprint":"<hex>","signature":"<base64>"}
 *
 * The record is believed by nobody: the kernel judges the signature. The fingerprint tells which certificate to
 * measure and to name in messages; PID 1 compares it with the boot manifest's root.signer.
 *
 * Input: hostile. Spec: UAPI group, Discoverable Partitions Specification, "Verity signature partition".
 */
#ifndef VERITY_SIGRECORD_H
#define VERITY_SIGRECORD_H

#include "common/buf.h"
#include "common/err.h"
#include "common/hash.h"

#define VERITY_SIGRECORD_PARTITION_BYTES     16384
#define VERITY_SIGRECORD_MAX_BYTES           (4 << 20)
#define VERITY_SIGRECORD_MAX_SIGNATURE_BYTES 8192

/** struct verity_sigrecord - @signature: PKCS#7, DER, over the 64 hex digits of the root hash */
struct verity_sigrecord {
	uint8_t root_hash[HASH_SHA256_BYTES];
	uint8_t fingerprint[HASH_SHA256_BYTES];
	size_t signature_bytes;
	uint8_t signature[VERITY_SIGRECORD_MAX_SIGNATURE_BYTES];
};

/**
 * verity_sigrecord_encode() - append the record, padded with NUL to @partition_bytes
 *
 * Return: 0; -EFBIG if it does not fit; -ENOMEM.
 */
int verity_sigrecord_encode(const struct verity_sigrecord *rec, size_t partition_bytes, struct buf *ret,
			    struct err *e) WARN_UNUSED;

/**
 * verity_sigrecord_parse() - strict parse of a partition's bytes
 * @name: for messages
 *
 * All three fields must stand there once; hex in lower case; canonical base64; nothing but NUL behind the JSON.
 * Return: 0 or -EINVAL with field and rule.
 */
int verity_sigrecord_parse(const void *bytes, size_t len, const char *name, struct verity_sigrecord *ret,
			   struct err *e) WARN_UNUSED;

/** verity_sigrecord_load() - read a partition or file and parse it. -EINVAL malformed; other -errno unreadable. */
int verity_sigrecord_load(const char *path, struct verity_sigrecord *ret, struct err *e) WARN_UNUSED;

#endif
