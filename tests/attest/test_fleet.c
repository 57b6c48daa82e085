/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/attest/test_fleet.c - policy sets: what is refused when it is loaded, and what is judged how */
#include "tests/common/check.h"

#include "attest/fleet.h"

#define DATA "tests/data/policy-set/"

static void bad_sets_are_refused_with_the_place_and_the_reason(void **state)
{
	static const struct {
		const char *file, *part;
	} cases[] = {
		{"unauthenticated-event-name", "rules[0] require[0]: field event.name is not authenticated"},
		{"unauthenticated-client-address", "field client.address is not authenticated"},
		{"unknown-field", "there is no field \"image.colour\""},
		{"two-comparisons", "has 2 comparisons"},
		{"no-comparison", "has 0 comparisons"},
		{"text-compared-as-number", "at_least compares numbers, but image.name is a text"},
		{"number-compared-as-text", "one_of compares texts, but image.version is a number"},
		{"rule-without-conditions", "a rule that asks for nothing is a mistake"},
		{"no-rules", "has 0 rules"},
		{"empty-list", "one_of has 0 values"},
		{"results-for-a-day", "result_seconds is 86400"},
		{"unknown-key", "default"},
		{"other-kind", "wanted \"policy-set/1\""},
		{"trailing", "bad-trailing.json"},
		{"duplicate-key", "name"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err e = ERR_INIT;
		struct fleet f;
		char path[128];

		(void)snprintf(path, sizeof(path), DATA "bad-%s.json", cases[i].file);
		assert_refused(fleet_load(path, &f, &e), &e, EINVAL, cases[i].part);
	}
}

/* The good set against a subject that differs in one thing each time. */
static void each_condition_decides(void **state)
{
	static const struct {
		const char *name, *profile;
		uint64_t version, firmware;
		enum enrolment_ek ek;
		uint8_t identity;
		const char *part; /* NULL: wanted */
	} cases[] = {
		{"demo", "enforce", 2, 7, ENROLMENT_EK_CERTIFICATE, 1, NULL},
		{"edge", "enforce", 9, 7, ENROLMENT_EK_CERTIFICATE, 1, NULL},
		{"other", "enforce", 2, 7, ENROLMENT_EK_CERTIFICATE, 1, "image.name is \"other\""},
		{"demo", "enforce", 1, 7, ENROLMENT_EK_CERTIFICATE, 1, "image.version is 1, wanted at_least 2"},
		{"demo", "enforce", 10, 7, ENROLMENT_EK_CERTIFICATE, 1, "image.version is 10, wanted at_most 9"},
		{"demo", "audit", 2, 7, ENROLMENT_EK_CERTIFICATE, 1, "image.profile is \"audit\""},
		{"demo", "enforce", 2, 1, ENROLMENT_EK_CERTIFICATE, 1, "tpm.firmware_version is \"0000000000000001\""},
		{"demo", "enforce", 2, 7, ENROLMENT_EK_PINNED, 1, "host.ek is \"pinned\""},
		{"other", "audit", 1, 1, ENROLMENT_EK_PINNED, 0, NULL}, /* the canary's rule asks for nothing but its name */
	};
	cleanup_fleet struct fleet f = {0};
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(fleet_load(DATA "good-all-comparisons.json", &f, &e), &e);
	assert_int_equal(f.result_seconds, 120);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		static struct appraisal a;
		const struct refvalues rv = {.name = cases[i].name,
					     .version = cases[i].version,
					     .arch = "x86_64",
					     .profile = cases[i].profile};
		const struct quote q = {.firmware_version = cases[i].firmware};
		struct enrolment rec = {.ek = cases[i].ek};

		rec.identity[0] = cases[i].identity;
		a.reasons.n = a.facts.n = 0;
		fleet_judge(&f, &(struct fleet_subject){&rv, &rec, &q}, &a);
		if (!cases[i].part && a.reasons.n)
			fail_msg("case %zu: refused: %s", i, a.reasons.line[0]);
		if (cases[i].part && (!a.reasons.n || !strstr(a.reasons.line[0], cases[i].part)))
			fail_msg("case %zu: wanted \"%s\", have \"%s\"", i, cases[i].part,
				 a.reasons.n ? a.reasons.line[0] : "no reason");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_sets_are_refused_with_the_place_and_the_reason),
		cmocka_unit_test(each_condition_decides),
	};

	return cmocka_run_group_tests_name("attest/fleet", tests, NULL, NULL);
}
