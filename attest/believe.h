/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/believe.h - steps 2 and 3 of every enrolment: what a host showed of its keys is held to templates and believed
 *
 * Both public areas must be exactly of our two shapes; nothing about a key is taken from the host's word. The EK is
 * believed because the operator gave its digest, or because its certificate leads to a pinned root; there is no trust on
 * first use. That the AK lives beside the EK is not known yet: that takes credential activation (attest/credential.h).
 *
 * Input: hostile (the three). Spec: docs/formats/evidence.md.
 */
#ifndef ATTEST_BELIEVE_H
#define ATTEST_BELIEVE_H

#include "attest/ek_cert.h"
#include "attest/ek_revoked.h"
#include "attest/enrolment.h"
#include "attest/quote.h"

/**
 * struct believe_input - zero it, then set
 * @roots:    PEM file of pinned roots, or NULL
 * @provider_roots: the same, of providers of virtual machines (ENROLMENT_EK_PROVIDER)
 * @revoked:  what is not believed any more, or NULL; @now_s for its CRLs
 * @pinned:   @n_pinned digests of EKs that the operator gave; may be NULL
 */
struct believe_input {
	struct bytes ek_public;
	struct bytes ek_certificate;
	struct bytes ak_public;
	const char *roots;
	const char *provider_roots;
	const struct ek_revoked *revoked;
	int64_t now_s;
	const uint8_t (*pinned)[HASH_SHA256_BYTES];
	size_t n_pinned;
};

/** struct believed - keys and the record that is true once activation has succeeded; release with believed_free() */
struct believed {
	struct ek_public ek;
	struct quote_ak ak;
	struct enrolment record;
};

/** believe_keys() - Return: 0; -EBADMSG checked and bad; other -errno could not check. */
int believe_keys(const struct believe_input *in, struct believed *ret, struct err *e) WARN_UNUSED;

/** believed_free() - accepts a zeroed one. */
void believed_free(struct believed *b);
#define cleanup_believed __attribute__((cleanup(believed_free)))

#endif
