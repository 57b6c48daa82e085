/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/enrolment.h - the enrolment record: what a verifier trusts about one host
 *
 * One JSON object, docs/formats/evidence.md. Written by `holdfast-attest enrol`, read by `verify`. It is the verifier's
 * own file and therefore trusted for its meaning, but parsed like any other foreign bytes.
 */
#ifndef ATTEST_ENROLMENT_H
#define ATTEST_ENROLMENT_H

#include "common/buf.h"
#include "common/err.h"
#include "common/hash.h"

#include <stdbool.h>

#define ENROLMENT_MAX_BYTES        16384
#define ENROLMENT_MAX_PUBLIC_BYTES 1024

/* Why the EK is believed to be a TPM's. */
enum enrolment_ek {
	ENROLMENT_EK_UNSET = 0,
	ENROLMENT_EK_CERTIFICATE, /* chain to a pinned manufacturer root */
	ENROLMENT_EK_PINNED,      /* digest given by the operator */
	ENROLMENT_EK_PROVIDER,    /* chain to a provider of virtual machines, whose hypervisor is the TPM */
};

/**
 * struct enrolment - one record
 * @identity:   SHA-256 of the EK's TPMT_PUBLIC, that is of @ek_public without its two bytes of size
 * @ek:         why the EK is believed
 * @ek_public:  TPM2B_PUBLIC of the EK, @ek_public_bytes of it
 * @ak_public:  TPM2B_PUBLIC of the AK, @ak_public_bytes of it
 */
struct enrolment {
	uint8_t identity[HASH_SHA256_BYTES];
	enum enrolment_ek ek;
	uint8_t ek_public[ENROLMENT_MAX_PUBLIC_BYTES];
	size_t ek_public_bytes;
	uint8_t ak_public[ENROLMENT_MAX_PUBLIC_BYTES];
	size_t ak_public_bytes;
	bool has_certificate_id;
	uint8_t certificate_id[HASH_SHA256_BYTES]; /* of the EK certificate: attest/ek_revoked.h */
};

/** enrolment_identity() - SHA-256 of the TPMT_PUBLIC inside a TPM2B_PUBLIC; -EINVAL if its size field is wrong. */
int enrolment_identity(const void *tpm2b, size_t len, uint8_t ret[static HASH_SHA256_BYTES], struct err *e) WARN_UNUSED;

/** enrolment_parse() - strict parse; @name is for messages. -EINVAL also if identity is not that of ek_public. */
int enrolment_parse(const void *text, size_t len, const char *name, struct enrolment *ret, struct err *e) WARN_UNUSED;

/** enrolment_load() - enrolment_parse() of a file. */
int enrolment_load(const char *path, struct enrolment *ret, struct err *e) WARN_UNUSED;

/** enrolment_write() - publish @rec as @path, mode 0644; @rec->identity must be set. Return: 0 or -errno. */
int enrolment_write(const char *path, const struct enrolment *rec, struct err *e) WARN_UNUSED;

/** enrolment_ek_str() - "certificate", "pinned" or "provider" as in the record; "unset" else. */
const char *enrolment_ek_str(enum enrolment_ek ek);

#endif
