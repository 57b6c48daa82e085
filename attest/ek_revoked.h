/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/ek_revoked.h - endorsement keys that are not believed any more
 *
 * Theory of operation
 *   Two lists of the operator: digests of EKs (a deny list), and CRLs of those who certify EKs. A CRL counts only with the
 *   signature of a certificate of the roots file, and only a whole one does: no delta, no part, no critical extension.
 *   A certificate is known by its id: SHA-256 over the digest of the key that signed it and its serial number; the
 *   enrolment record keeps it, so that a host that was enrolled long ago is refused as soon as its certificate is revoked.
 *
 *   With CRLs given, enrolling is strict: the EK certificate's issuer must have one, and one in force. A host that is
 *   enrolled already is held to the last list that is known, however old: a CRL that nobody renewed must not stop a fleet.
 *
 * Input: the operator's own files; CRLs come from far away, so they are checked like any. Spec: RFC 5280 section 5.
 */
#ifndef ATTEST_EK_REVOKED_H
#define ATTEST_EK_REVOKED_H

#include "attest/enrolment.h"
#include "common/pki.h"

#include <stdbool.h>

#define EK_REVOKED_MAX_FILES   16
#define EK_REVOKED_MAX_BYTES   (32u << 20) /* of one file */
#define EK_REVOKED_MAX_ENTRIES 1000000

/** struct ek_revoked - sorted digests, owned; zeroed: nothing is revoked */
struct ek_revoked {
	size_t n;
	uint8_t (*id)[HASH_SHA256_BYTES];
	size_t n_issuers;
	struct ek_revoked_issuer {
		uint8_t key[HASH_SHA256_BYTES];
		int64_t until_s;
	} issuer[EK_REVOKED_MAX_FILES];
};

/** struct ek_revoked_files - paths; @deny: one digest a line; @crl: PEM or DER; @roots: who may sign them. NULL: none. */
struct ek_revoked_files {
	const char *deny;
	const char *const *crl;
	size_t n_crls;
	const char *roots[2];
};

/** ek_revoked_load() - -EBADMSG: a CRL's signature is nobody's; -EINVAL: malformed, partial, of the future. */
int ek_revoked_load(const struct ek_revoked_files *f, int64_t now_s, struct ek_revoked *ret, struct err *e) WARN_UNUSED;

/** ek_revoked_origin() - digest of the key among @roots that signed @cert, and @cert's id. -EBADMSG if none did. */
int ek_revoked_origin(X509 *cert, const char *roots, uint8_t ret_issuer[static HASH_SHA256_BYTES],
		      uint8_t ret_id[static HASH_SHA256_BYTES], struct err *e) WARN_UNUSED;

/** ek_revoked_may_enrol() - is there a CRL in force for that issuer, if there are CRLs at all? -EBADMSG. */
int ek_revoked_may_enrol(const struct ek_revoked *r, const uint8_t issuer[static HASH_SHA256_BYTES], int64_t now_s,
			 struct err *e) WARN_UNUSED;

/** ek_revoked_why() - the sentence why @rec's EK is revoked, or NULL. */
const char *ek_revoked_why(const struct ek_revoked *r, const struct enrolment *rec);

/** ek_revoked_free() - release what @r owns; accepts a zeroed one. */
void ek_revoked_free(struct ek_revoked *r);
#define cleanup_ek_revoked __attribute__((cleanup(ek_revoked_free)))

#endif
