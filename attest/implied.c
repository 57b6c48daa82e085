/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/implied.c - PCR 0 to 11 of a host that has no firmware log, on a platform that declares so */
#include "attest/implied.h"

#include "attest/ima_log.h"
#include "common/cel.h"
#include "common/measure.h"

#include <string.h>

/* The first @n of a PCR's sequence happened. */
static void imply(struct rules *rules, struct replay *r, uint32_t pcr, size_t n)
{
	const struct refvalues_list *list = &rules->rv->rule[pcr].list;

	for (size_t i = 0; i < n; i++)
		replay_extend(r, pcr, list->item[i].digest);
	rules->pcr[pcr].matched = n;
}

/* The digest of PID 1's first record of PCR 11; false if there is none. */
static bool first_phase(struct bytes os_log, uint8_t ret[static HASH_SHA256_BYTES])
{
	struct reader rd = reader_init(os_log.p, os_log.n);
	struct err later = ERR_INIT; /* replay_os() says it */
	struct cel_record rec;

	for (uint64_t n = 0; n < REPLAY_MAX_OS_RECORDS && cel_next(&rd, n, &rec, &later) == 1; n++)
		for (size_t i = 0; rec.pcr == MEASURE_PCR_PHASE && i < rec.n_digests; i++)
			if (rec.digest[i].alg == HASH_SHA256) {
				memcpy(ret, rec.digest[i].digest, HASH_SHA256_BYTES);
				return true;
			}
	return false;
}

int implied_events(struct rules *rules, struct replay *r, struct bytes os_log, struct err *e)
{
	const struct refvalues_rule *phase = &rules->rv->rule[MEASURE_PCR_PHASE];
	uint8_t first[HASH_SHA256_BYTES];
	const struct refvalues_digest *d;

	(void)e; /* nothing fails here: what is wrong shows in the digest */
	rules->no_firmware_log = true;
	for (uint32_t i = 0; i < PLATFORM_PCRS; i++)
		if (rules->rv->rule[i].kind == REFVALUES_SEQUENCE)
			imply(rules, r, i, rules->rv->rule[i].list.n);
	if (phase->kind != REFVALUES_SEQUENCE || !first_phase(os_log, first))
		return 0;
	d = refvalues_find(&phase->list, first);
	if (d)
		imply(rules, r, MEASURE_PCR_PHASE, (size_t)(d - phase->list.item));
	return 0;
}

/* PCR 10 as the IMA log replays it; its entries are judged later, when PCR 0 to 9 are known. */
static int replay_ima(const struct refvalues *rv, struct replay *r, struct bytes log, struct err *e)
{
	struct reader rd = reader_init(log.p, log.n);
	struct ima_entry en;
	size_t n = 0;
	int rc = 0;

	if (rv->rule[IMA_LOG_PCR].kind == REFVALUES_ZERO)
		return 0;
	while ((rc = ima_log_next(&rd, n, &en, e)) == 1) {
		n++;
		replay_extend(r, IMA_LOG_PCR, en.extend);
	}
	return rc;
}

/* Every PCR that the reference values do not judge must be listed: nothing else would hold it. */
static bool is_complete(const struct refvalues *rv, const struct platform_state *s)
{
	for (uint32_t i = 0; i < PLATFORM_PCRS; i++)
		if (rv->rule[i].kind == REFVALUES_UNJUDGED && !(s->pcrs & 1u << i))
			return false;
	return true;
}

static void set(struct replay *r, const struct platform_state *s)
{
	for (uint32_t i = 0; i < PLATFORM_PCRS; i++)
		if (s->pcrs & 1u << i)
			memcpy(r->pcr[i], s->value[i], HASH_SHA256_BYTES);
}

static bool gives(const struct replay *r, const struct platform_state *s, const uint8_t *digest)
{
	uint8_t found[HASH_SHA256_BYTES];
	struct replay with = *r;

	set(&with, s);
	replay_pcr_digest(&with, found);
	return hash_equal(found, sizeof(found), digest, HASH_SHA256_BYTES);
}

/* The state that gives the digest; without one the first that is complete, @ret_n of which were tried. */
static const struct platform_state *find(const struct refvalues *rv, const struct replay *r, const struct implied_search *s,
					 const struct platform **ret, size_t *ret_n, bool *ret_found)
{
	const struct platform_state *first = NULL;

	for (size_t i = 0; i < s->platforms->n; i++) {
		const struct platform *p = &s->platforms->item[i];

		for (size_t k = 0; platform_fits(p, s->ek, true) && k < p->n_states; k++) {
			if (!is_complete(rv, &p->state[k]))
				continue;
			++*ret_n;
			*ret_found = gives(r, &p->state[k], s->digest);
			if (!first || *ret_found)
				*ret = p;
			if (*ret_found)
				return &p->state[k];
			if (!first)
				first = &p->state[k];
		}
	}
	return first;
}

int implied_state(struct rules *rules, struct replay *r, const struct implied_search *s, const struct platform **ret,
		  struct appraisal *a, struct err *e)
{
	struct replay all = *r;
	const struct platform_state *state;
	bool found = false;
	size_t n = 0;
	int rc = replay_ima(rules->rv, &all, s->ima_log, e);

	if (rc)
		return rc;
	state = find(rules->rv, &all, s, ret, &n, &found);
	if (!state) {
		appraise_reason(a, "platforms: no state lists every PCR of 0 to 9 that the reference values do not judge, and no "
				"firmware log shows them");
		return 0;
	}
	if (!found)
		appraise_reason(a, "platforms: none of the %zu listed states for an EK of this kind gives, with the predicted PCRs and "
				"the other logs, the PCR digest that the TPM signed", n);
	rules->held = state->pcrs;
	set(r, state);
	return 0;
}
