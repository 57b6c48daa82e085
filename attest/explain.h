/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/explain.h - why a host was refused: expected and actual side by side, and the cause in words
 *
 * Theory of operation
 *   The verdict is judge()'s, with the operator's policy set and revoked EKs, and is not touched here. Its evidence is read once more: each PCR's events are aligned
 * with its sequence in the reference values (longest common subsequence), so that one event too many is told as one
 * event, not as everything behind it. Each difference becomes a finding: the PCR, the event, the artefact by the
 * reference values' label, what is established (fact), and what is likely (guess). Every reason of the verdict that no
 *   finding covers becomes one of its own, so nothing that refuses stays untold.
 *
 *   Facts stand only on digests: an event is what the reference values (these, or others that the owner has signed) say
 *   of its digest; its text counts where the digest is that of the text. All other text of a log is quoted in guesses.
 *   If the quote could not be proven, or the logs do not replay to it, no finding is proven: they are what the logs say.
 *
 * Input: hostile (evidence); authenticated (reference values). Memory: bounded by the logs' own caps.
 */
#ifndef ATTEST_EXPLAIN_H
#define ATTEST_EXPLAIN_H

#include "attest/judge.h"
#include "attest/replay.h"
#include "common/buf.h"

#define EXPLAIN_MAX_FINDINGS 64
#define EXPLAIN_MAX_TEXT     512
#define EXPLAIN_MAX_KNOWN    32

enum explain_state {
	EXPLAIN_UNKNOWN = 0, /* not judged, or nothing of it is proven */
	EXPLAIN_GOOD,
	EXPLAIN_BAD,
};

/* The links of the chain, in the order of the boot; each has its PCRs. */
enum explain_link {
	EXPLAIN_LINK_QUOTE,
	EXPLAIN_LINK_KEYS,
	EXPLAIN_LINK_LOGS,
	EXPLAIN_LINK_FIRMWARE,
	EXPLAIN_LINK_SECURE_BOOT,
	EXPLAIN_LINK_UKI,
	EXPLAIN_LINK_KERNEL,
	EXPLAIN_LINK_SECTIONS,
	EXPLAIN_LINK_NOTHING_ADDED,
	EXPLAIN_LINK_WITNESS,
	EXPLAIN_LINK_ROOT,
	EXPLAIN_LINK_LAUNCH,
	EXPLAIN_LINK_WANTED,
	EXPLAIN_LINKS_
};

/**
 * struct explain_finding - one difference; empty strings where there is nothing to say
 * @pcr:      or -1: the quote or a log as a whole
 * @place:    "firmware log event 16"
 * @artefact: what it is about, by the reference values' label
 * @expected, @found: digests with what is known of them
 * @fact:     established, if the explanation's @proven is set
 * @guess:    likely, and told as such
 */
struct explain_finding {
	enum explain_link link;
	int pcr;
	char place[64];
	char artefact[160];
	char expected[EXPLAIN_MAX_TEXT];
	char found[EXPLAIN_MAX_TEXT];
	char fact[EXPLAIN_MAX_TEXT];
	char guess[EXPLAIN_MAX_TEXT];
};

/** struct explanation - @judged: the verdict is judge()'s; else no enrolment was given. Large. */
struct explanation {
	struct judge_result result;
	bool judged;
	bool proven; /* the quote is good and the logs replay to it */
	enum explain_state link[EXPLAIN_LINKS_];
	size_t n;
	size_t dropped;
	struct explain_finding finding[EXPLAIN_MAX_FINDINGS];
};

/**
 * struct explain_input - all borrowed
 * @nonce, @enrolment, @channel_key, @shown: as for judge(); without the first two the quote's signer and freshness cannot be checked
 * @set: what is wanted; one set of reference values
 * @known: other reference values of the owner, to recognise other versions by
 * @rv, @found_root: filled by explain(): the reference values; the root hash that the OS log names, "" if none
 */
struct explain_input {
	struct bytes evidence;
	const uint8_t *nonce;
	const struct enrolment *enrolment;
	const uint8_t *channel_key;
	struct channel_shown *shown;
	const struct judge_set *set;
	const struct refvalues *rv;
	const struct refvalues *known;
	size_t n_known;
	char found_root[2 * HASH_SHA256_BYTES + 1];
};

/** explain() - fill @ret. Return: 0, or -errno if it could not be looked at (no memory). */
int explain(const struct explain_input *in, struct explanation *ret, struct err *e) WARN_UNUSED;

/** explain_link_name() - "Secure Boot keys"; explain_link_pcrs() - "7", "" for none. */
const char *explain_link_name(enum explain_link link);
const char *explain_link_pcrs(enum explain_link link);

/** explain_html() - append one self-contained page: no script, nothing from outside, every text escaped. */
int explain_html(const struct explanation *x, const struct refvalues *rv, struct buf *out, struct err *e) WARN_UNUSED;

#endif
