/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/judge.c - one verdict about one host: appraisal, the fleet's policy set, and the TPM's clocks, in this order */
#include "attest/judge.h"

#include "attest/allowed.h"
#include "common/hex.h"

#include <string.h>

void judge_set_free(struct judge_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		refvalues_free(&s->rv[i]);
	free(s->rv);
	fleet_free(&s->fleet);
	ek_revoked_free(&s->revoked);
	allowed_free(s->allowed);
	*s = (struct judge_set){0};
}

/* ---- clocks ------------------------------------------------------------------------------------------------------ */

#define LL(x) ((unsigned long long)(x))

/* How far the clock may have run back: one loss for each reset since, and only while it is not safe. */
static uint64_t may_lose(const struct judge_clock *last, const struct quote *now)
{
	uint64_t resets = now->reset_count - last->reset_count;

	return now->safe ? 0 : resets > 1024 ? 1024 * JUDGE_LOSS_MS : resets * JUDGE_LOSS_MS;
}

bool judge_clock_step(const struct judge_clock *last, const struct quote *now, int64_t now_ms, struct appraisal *a)
{
	uint64_t ran, passed;

	if (!last || !last->known)
		return true;
	if (now->reset_count < last->reset_count) {
		appraise_reason(a, "TPM: %u resets, %u were seen before: it was rolled back or cleared", now->reset_count,
				last->reset_count);
		return false;
	}
	if (now->reset_count == last->reset_count && now->restart_count < last->restart_count) {
		appraise_reason(a, "TPM: %u restarts since reset %u, %u were seen before: it was rolled back or cleared",
				now->restart_count, now->reset_count, last->restart_count);
		return false;
	}
	if (now->clock_ms < last->clock_ms && last->clock_ms - now->clock_ms > may_lose(last, now)) {
		appraise_reason(a, "TPM: its clock shows %llu ms, %llu were seen before, and %u resets %s explain it: it was "
				"rolled back or cleared",
				LL(now->clock_ms), LL(last->clock_ms), now->reset_count - last->reset_count,
				now->safe ? "with a safe clock do not" : "do not");
		return false;
	}
	ran = now->clock_ms - last->clock_ms;
	passed = now_ms > last->seen_ms ? (uint64_t)(now_ms - last->seen_ms) : 0;
	if (now->reset_count == last->reset_count && passed > ran && passed - ran > JUDGE_PAUSE_MS + passed / 4)
		appraise_fact(a, "TPM: its clock ran %llu s while ours ran %llu: it was paused, or rolled back and left running",
			      LL(ran / 1000), LL(passed / 1000));
	return true;
}

/* ---- which reference values -------------------------------------------------------------------------------------- */

/* The root hash that the OS log names first, as a hint. The evidence is one piece of bytes: the log stands inside. */
static bool hint(struct bytes evidence, uint8_t ret[static HASH_SHA256_BYTES])
{
	static const char word[] = "root-hash:sha256:";
	const uint8_t *p = evidence.n ? memmem(evidence.p, evidence.n, word, sizeof(word) - 1) : NULL;
	char hex[2 * HASH_SHA256_BYTES + 1] = "";
	size_t left;

	if (!p)
		return false;
	p += sizeof(word) - 1;
	left = evidence.n - (size_t)(p - evidence.p);
	if (left < sizeof(hex) - 1)
		return false;
	memcpy(hex, p, sizeof(hex) - 1);
	return hex_decode(hex, ret, HASH_SHA256_BYTES);
}

static int try_one(const struct judge_set *set, const struct judge_input *in, const struct refvalues *rv,
		   struct judge_result *ret, struct err *e)
{
	const struct appraise_input one = {.evidence = in->evidence,
					   .nonce = in->nonce,
					   .enrolment = in->enrolment,
					   .refvalues = rv,
					   .channel_key = in->channel_key,
					   .ak = in->ak,
					   .allowed = set->allowed,
					   .platforms = &set->fleet.platforms};

	ret->rv = rv;
	return appraise(&one, &ret->appraisal, e);
}

/* With one document there is no choice. With more, the first of those with the hinted root hash that accepts. */
static int try_each(const struct judge_set *set, const struct judge_input *in, struct judge_result *ret, struct err *e)
{
	uint8_t root[HASH_SHA256_BYTES];
	size_t tried = 0;
	bool hinted;
	int rc = 0;

	if (set->n == 1)
		return try_one(set, in, &set->rv[0], ret, e);
	hinted = hint(in->evidence, root);
	for (size_t i = 0; hinted && i < set->n && tried < JUDGE_MAX_SAME_ROOT; i++) {
		if (!hash_equal(set->rv[i].root_hash, HASH_SHA256_BYTES, root, sizeof(root)))
			continue;
		tried++;
		rc = try_one(set, in, &set->rv[i], ret, e);
		if (rc || ret->appraisal.verdict == APPRAISE_ACCEPT || !ret->appraisal.quoted)
			return rc;
	}
	return tried ? 0 : try_one(set, in, NULL, ret, e);
}

/* Over a channel: its key must be what the reference values say that such a host has. Only -ENOMEM and the like are our failure. */
static int judge_channel(const struct judge_input *in, struct judge_result *ret, struct err *e)
{
	cleanup_quote_ak struct quote_ak own = {0};
	struct channel_want want = {.ak = in->ak,
				    .ek_public = {in->enrolment->ek_public, in->enrolment->ek_public_bytes},
				    .policy = ret->rv->channel_policy};
	struct appraisal *a = &ret->appraisal;
	int rc = 0;

	if (!in->ak) {
		rc = quote_ak_parse((struct bytes){in->enrolment->ak_public, in->enrolment->ak_public_bytes}, &own, e);
		want.ak = &own;
	}
	if (rc)
		return rc;
	if (!in->shown) {
		appraise_reason(a, "TLS key: the certificate of the channel was not kept, and the reference values want its proof");
		return 0;
	}
	rc = channel_check(in->shown, &want, e);
	if (rc && rc != -EBADMSG && rc != -EINVAL)
		return rc;
	if (rc)
		appraise_reason(a, "%s", e->msg);
	else
		appraise_fact(a, "TLS key: in the TPM of that AK, usable only in states that the owner signed");
	return 0;
}

int judge(const struct judge_set *set, const struct judge_input *in, struct judge_result *ret, struct err *e)
{
	struct appraisal *a = &ret->appraisal;
	const char *revoked = ek_revoked_why(&set->revoked, in->enrolment);
	int rc;

	ret->clock_ok = false;
	rc = try_each(set, in, ret, e);
	if (rc)
		return rc;
	if (revoked && a->quoted)
		appraise_reason(a, "%s", revoked);
	if (a->quoted && in->channel_key && ret->rv && ret->rv->has_channel_policy) {
		rc = judge_channel(in, ret, e);
		if (rc)
			return rc;
		a->verdict = a->reasons.n ? APPRAISE_REFUSE : a->verdict;
	}
	if (a->verdict == APPRAISE_ACCEPT && set->fleet.n_rules)
		fleet_judge(&set->fleet, &(struct fleet_subject){ret->rv, in->enrolment, &a->quote, a->platform}, a);
	ret->clock_ok = a->quoted && judge_clock_step(in->last, &a->quote, in->now_ms, a);
	a->verdict = a->reasons.n ? APPRAISE_REFUSE : APPRAISE_ACCEPT;
	return 0;
}
