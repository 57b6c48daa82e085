/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/quote_check.h - one quote against what was asked for, apart from any log
 *
 * Theory of operation
 *   For people with tpm2-tools and a quote. What is wanted is given in full before a byte of the quote is read: key and
 * scheme, nonce, selection, and PCR values if they have them. In order: the structure (magic, type, sizes, selection,
 *   nothing behind it), the nonce, the signature over the very bytes that were parsed, the qualified signer where it is
 *   known, the PCR digest over exactly the selected values. The first breach ends it.
 *
 *   The qualified signer can be known in two ways: it was given (tpm2_createak -q prints it), or the AK came as a
 *   TPM2B_PUBLIC, whose Name is computable, and it is a primary key. Else it is shown and said to be unchecked.
 *
 * Input: hostile (quote, signature); the caller's own (the rest). Spec: TPM 2.0 Library part 2, 10.12; part 1, 16.
 */
#ifndef ATTEST_QUOTE_CHECK_H
#define ATTEST_QUOTE_CHECK_H

#include "attest/pcr_values.h"
#include "attest/quote.h"

#define QUOTE_CHECK_MAX_NONCE 64

/** enum quote_signer - what is known of the qualified signer */
enum quote_signer {
	QUOTE_SIGNER_UNKNOWN = 0, /* nothing to compare it with */
	QUOTE_SIGNER_GIVEN,       /* it is the one that was given */
	QUOTE_SIGNER_ENDORSEMENT, /* the AK is a primary of the endorsement hierarchy */
	QUOTE_SIGNER_OWNER,       /* ... of the owner's */
};

/** struct quote_check - zero it, then set; @signer may be empty, @values NULL */
struct quote_check {
	struct quote_ak *ak;
	struct quote_want want;
	struct bytes attest, signature, nonce, signer;
	const struct pcr_values *values;
};

/**
 * quote_check() - does the quote hold?
 *
 * Return: 0 with @ret and @ret_signer, -EBADMSG or -EINVAL checked and bad, -ENOENT if @values lacks a selected PCR,
 * other -errno could not check.
 */
int quote_check(const struct quote_check *c, struct quote *ret, enum quote_signer *ret_signer, struct err *e) WARN_UNUSED;

/** quote_select_parse() - "sha256:0-15", "sha1:0,2+sha256:0-7,9"; each bank once, PCR 0-23. -EINVAL with the place. */
int quote_select_parse(const char *text, struct quote_want *ret, struct err *e) WARN_UNUSED;

/**
 * quote_ak_load() - an AK from a file: a public key in PEM, or a TPM2B_PUBLIC as tpm2_readpublic -f tss writes it
 * @scheme: what is wanted of it; a TPM2B_PUBLIC must agree and must be an AK (quote_ak_parse())
 */
int quote_ak_load(const char *path, const struct quote_scheme *scheme, struct quote_ak *ret, struct err *e) WARN_UNUSED;

#endif
