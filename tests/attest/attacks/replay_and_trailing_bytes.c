/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/attest/attacks/replay_and_trailing_bytes.c - Replay; a structure of another type; trailing bytes; logs exchanged under a good quote */
#include "tests/attest/attacks/attack.h"

static void type_certify(struct world *w)
{
	w->attest_type = 0x8017;
}

static void trailing(struct world *w)
{
	w->trailing = 1;
}

static void old_nonce(struct world *w)
{
	w->nonce[31] ^= 1;
}

static void pcr_digest_edited(struct world *w)
{
	w->attest.data[w->attest.len - 1] ^= 1;
	w_encode(w);
}

static void log_of_another_boot(struct world *w)
{
	w->os.n--;
	buf_free(&w->os_log);
	w_seal_os(w);
	w_encode(w);
}

static void ima_log_taken_away(struct world *w)
{
	buf_free(&w->ima_log);
	w_encode(w);
}

static void evidence_with_a_byte_behind(struct world *w)
{
	buf_u8(&w->evidence, 0);
}

/* clang-format off */
static const struct attack replay_and_trailing_bytes[] = {
	{ "an attestation of another type refuses", .before = type_certify, .reason = "type is 0x8017" },
	{ "bytes behind the quote refuse", .before = trailing, .reason = "PCR digest of 32 bytes, 1 bytes behind it" },
	{ "a replayed quote (another nonce) refuses", .after = old_nonce, .reason = "not the binding of our nonce", .words = "not the binding of our nonce" },
	{ "an edited quote refuses", .after = pcr_digest_edited, .reason = "not that of the enrolled AK" },
	{ "a log of another boot under a good quote refuses", .after = log_of_another_boot, .reason = "not the binding of our nonce" },
	{ "an IMA log that was taken away refuses", .after = ima_log_taken_away, .reason = "not the binding of our nonce" },
	{ "a byte behind the evidence refuses", .after = evidence_with_a_byte_behind, .reason = "evidence" },
};
/* clang-format on */
