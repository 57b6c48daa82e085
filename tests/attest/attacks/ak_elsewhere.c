/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/attest/attacks/ak_elsewhere.c - An AK outside the TPM, unrestricted, or of another TPM (CVE-2021-3406, CVE-2022-1053, CVE-2023-38201) */
#include "tests/attest/attacks/attack.h"

static void other_key(struct world *w)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	w_sign(w, key);
	EVP_PKEY_free(key);
	w_encode(w);
}

/* The same public area, made in another hierarchy or under another parent. */
static void other_signer(struct world *w)
{
	w->other_signer = true;
}

/* clang-format off */
static const struct attack ak_elsewhere[] = {
	{ "CVE-2021-3406: a quote by another key refuses", .after = other_key, .reason = "not that of the enrolled AK" },
	{ "a quote by a key of the same public area elsewhere refuses", .before = other_signer, .reason = "its qualified signer is not the enrolled AK" },
};
/* clang-format on */
