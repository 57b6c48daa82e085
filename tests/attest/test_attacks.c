/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_attacks.c - every pitfall of TPM attestation: refused with its reason, beside the sound twin, and explained
 *
 * One file a pitfall in tests/attest/attacks; they are one program so that they share the world and its key.
 */
#include "tests/attest/attacks/forged_attestation.c"
#include "tests/attest/attacks/selection_not_bound.c"
#include "tests/attest/attacks/resettable_pcrs.c"
#include "tests/attest/attacks/replay_and_trailing_bytes.c"
#include "tests/attest/attacks/type_and_data_not_authenticated.c"
#include "tests/attest/attacks/no_action_and_locality.c"
#include "tests/attest/attacks/separators.c"
#include "tests/attest/attacks/appended_after_boot.c"
#include "tests/attest/attacks/bank_downgrade.c"
#include "tests/attest/attacks/empty_logs_and_pcrs_without_events.c"
#include "tests/attest/attacks/ak_elsewhere.c"
#include "tests/attest/attacks/vulnerable_loader.c"
#include "tests/attest/attacks/ima_pcr_10.c"
#include "tests/attest/attacks/reference_values.c"

#include "attest/explain.h"

static struct explanation explained; /* large */

static bool some_finding(const char *words)
{
	for (size_t i = 0; i < explained.n; i++)
		if (strstr(explained.finding[i].fact, words) || strstr(explained.finding[i].guess, words))
			return true;
	return false;
}

/* What was refused is explained: as refused, with its PCR or its sentence, and in the words that belong to it. */
static void explain_it(const struct attack *at, const struct world *w)
{
	struct refvalues rv = {0};
	struct err e = ERR_INIT;
	const struct explain_input in = {.evidence = {w->evidence.data, w->evidence.len},
					 .nonce = w->nonce,
					 .enrolment = &w->enrolment,
					 .set = &(struct judge_set){.n = 1, .rv = &rv}};
	bool named = false;
	int pcr = -1, end = 0;

	assert_ok(refvalues_parse(w->refvalues, strlen(w->refvalues), "refvalues.json", &rv, &e), &e);
	assert_ok(explain(&in, &explained, &e), &e);
	assert_int_equal(explained.result.appraisal.verdict, APPRAISE_REFUSE);
	assert_true(explained.judged && explained.n > 0);
	(void)sscanf(at->reason, "PCR %d:%n", &pcr, &end); /* end stays 0 without the colon */
	if (!end)
		pcr = -1;
	for (size_t i = 0; i < explained.n; i++)
		named = named || (pcr >= 0 && explained.finding[i].pcr == pcr);
	for (size_t i = 0; i < judged.reasons.n && pcr < 0; i++) /* a reason that is not of one PCR stands there as it is */
		named = named || (strstr(judged.reasons.line[i], at->reason) &&
				  (some_finding("do not replay") || some_finding(judged.reasons.line[i]) ||
				   strstr(judged.reasons.line[i], "PCR ")));
	if (!named || (at->words && !some_finding(at->words))) {
		for (size_t i = 0; i < explained.n; i++)
			print_message("  PCR %d: %s | %s\n", explained.finding[i].pcr, explained.finding[i].fact,
				      explained.finding[i].guess);
		fail_msg("not explained%s%s", at->words ? ": no word of " : "", at->words ? at->words : "");
	}
	refvalues_free(&rv);
}

static void sound_twin(void)
{
	struct world *w = world_sound();

	world_seal(w);
	if (world_judge(w, &judged) != APPRAISE_ACCEPT) {
		show(&judged);
		fail_msg("the sound twin is not accepted");
	}
	world_free(w);
}

static void attack_test(void **state)
{
	const struct attack *at = *state;
	struct world *w;

	sound_twin();
	w = world_sound();
	if (at->before)
		at->before(w);
	world_seal_lying(w, at->lie, at->edit);
	if (at->after)
		at->after(w);
	assert_int_equal(world_judge(w, &judged), APPRAISE_REFUSE);
	assert_false(has_line(&judged.facts, "secure boot")); /* a refusal states nothing that was not proven */
	if (!has_line(&judged.reasons, at->reason)) {
		show(&judged);
		fail_msg("no reason says \"%s\"", at->reason);
	}
	explain_it(at, w);
	world_free(w);
}

/* The sound twin of all explanations: nothing differs, and what is judged is green. */
static void a_sound_host_has_nothing_to_explain(void **state)
{
	struct world *w = world_sound();
	struct refvalues rv = {0};
	struct err e = ERR_INIT;
	const struct explain_input in = {.evidence = {w->evidence.data, w->evidence.len}, .nonce = w->nonce,
					 .enrolment = &w->enrolment, .set = &(struct judge_set){.n = 1, .rv = &rv}};
	struct explain_input sealed;

	(void)state;
	world_seal(w);
	sealed = in;
	sealed.evidence = (struct bytes){w->evidence.data, w->evidence.len};
	assert_ok(refvalues_parse(w->refvalues, strlen(w->refvalues), "refvalues.json", &rv, &e), &e);
	assert_ok(explain(&sealed, &explained, &e), &e);
	assert_int_equal(explained.result.appraisal.verdict, APPRAISE_ACCEPT);
	assert_int_equal(explained.n, 0);
	assert_true(explained.proven);
	for (int i = 0; i < EXPLAIN_LINKS_; i++)
		assert_int_equal(explained.link[i], i == EXPLAIN_LINK_FIRMWARE || i == EXPLAIN_LINK_WANTED ? EXPLAIN_UNKNOWN : EXPLAIN_GOOD);
	refvalues_free(&rv);
	world_free(w);
}

#define ATTACKS(name) {name, ARRAY_SIZE(name)}
static const struct {
	const struct attack *v;
	size_t n;
} pitfalls[] = {
	ATTACKS(forged_attestation),
	ATTACKS(selection_not_bound),
	ATTACKS(resettable_pcrs),
	ATTACKS(replay_and_trailing_bytes),
	ATTACKS(type_and_data_not_authenticated),
	ATTACKS(no_action_and_locality),
	ATTACKS(separators),
	ATTACKS(appended_after_boot),
	ATTACKS(bank_downgrade),
	ATTACKS(empty_logs_and_pcrs_without_events),
	ATTACKS(ak_elsewhere),
	ATTACKS(vulnerable_loader),
	ATTACKS(ima_pcr_10),
	ATTACKS(reference_values),
};

int main(void)
{
	static struct CMUnitTest tests[256];
	size_t n = 0;

	tests[n++] = (struct CMUnitTest)cmocka_unit_test(a_sound_host_has_nothing_to_explain);
	for (size_t i = 0; i < ARRAY_SIZE(pitfalls); i++)
		for (size_t j = 0; j < pitfalls[i].n && n < ARRAY_SIZE(tests); j++)
			tests[n++] = (struct CMUnitTest){pitfalls[i].v[j].name, attack_test, NULL, NULL,
							 (void *)&pitfalls[i].v[j]};
	return _cmocka_run_group_tests("attest/attacks", tests, n, NULL, NULL);
}
