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
		{"platform-nothing-absent", "declares nothing to be absent"},
		{"platform-no-states", "has 0 pcr_states"},
		{"platform-states-and-log", "pcr_states, but a firmware log"},
		{"platform-pcr-13", "\"13\" is not a PCR from 0 to 9"},
		{"platform-pcr-11-hex", "\":\" is not a PCR from 0 to 9"},
		{"platform-state-empty", "is not an object that names a PCR"},
		{"platform-value-short", "platforms[0] pcr_states[0]"},
		{"platform-ek", "is none of certificate, pinned, provider"},
		{"platform-ek-twice", "or stands twice"},
		{"platform-no-ek", "ek is empty"},
		{"platform-log", "firmware_log is \"maybe\""},
		{"platform-name-twice", "the name \"a\" stands twice"},
		{"platforms-empty", "has 0 platforms"},
		{"packages-as-texts", "one_of compares texts, but image.packages is a list of packages"},
		{"packages-version", "the version of libssl3t64 is none"},
		{"packages-version-number", "the version of libssl3t64 is none"},
		{"packages-name", "none_of[0] is no package's name"},
		{"packages-name-of-version", "not_older has \"_\", which is no package's name"},
		{"packages-none", "not_older names no package"},
		{"text-not-older", "not_older compares versions of packages, but image.name is a text"},
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
		fleet_judge(&f, &(struct fleet_subject){&rv, &rec, &q, NULL}, &a);
		if (!cases[i].part && a.reasons.n)
			fail_msg("case %zu: refused: %s", i, a.reasons.line[0]);
		if (cases[i].part && (!a.reasons.n || !strstr(a.reasons.line[0], cases[i].part)))
			fail_msg("case %zu: wanted \"%s\", have \"%s\"", i, cases[i].part,
				 a.reasons.n ? a.reasons.line[0] : "no reason");
	}
}

/* What the SBOM in signed reference values says decides; what it does not list is neither too old nor there. */
static void packages_are_held_to_versions_and_absence(void **state)
{
	static const struct {
		struct sbom_package package[2];
		const char *part; /* NULL: wanted */
	} cases[] = {
		{{{"libc6", "2.41-12"}, {"libssl3t64", "3.5.1-1"}}, NULL},
		{{{"libc6", "2.41-12"}, {"libssl3t64", "3.5.1-1+deb13u1"}}, NULL},
		{{{"libc6", "2.41-12"}, {"libssl3t64", "3.5.1-1~deb13u1"}},
		 "image.packages has libssl3t64 3.5.1-1~deb13u1, wanted not_older than 3.5.1-1"},
		{{{"libssl3t64", "3.5.9-1"}, {"openssh-server", "1:9.9p1-3"}}, "has openssh-server 1:9.9p1-3"},
		{{{"libc6", "2.41-12"}, {"telnetd", "0.17-1"}}, "has telnetd 0.17-1, wanted none_of it"},
		{{{"libc6", "2.41-12"}, {"zlib1g", "1:1.3"}}, NULL},
	};
	cleanup_fleet struct fleet f = {0};
	struct err e = ERR_INIT;
	static struct appraisal a;
	struct refvalues rv = {.name = "demo", .arch = "x86_64", .profile = "enforce"};
	const struct enrolment rec = {.ek = ENROLMENT_EK_PINNED};
	const struct quote q = {0};
	const struct fleet_subject subject = {&rv, &rec, &q, NULL};

	(void)state;
	assert_ok(fleet_load(DATA "good-packages.json", &f, &e), &e);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sbom_package p[2] = {cases[i].package[0], cases[i].package[1]};

		rv.sbom = (struct sbom){.known = true, .n = 2, .package = p};
		a.reasons.n = a.facts.n = 0;
		fleet_judge(&f, &subject, &a);
		if (!cases[i].part && a.reasons.n)
			fail_msg("case %zu: refused: %s", i, a.reasons.line[0]);
		if (cases[i].part && (!a.reasons.n || !strstr(a.reasons.line[0], cases[i].part)))
			fail_msg("case %zu: wanted \"%s\", have \"%s\"", i, cases[i].part,
				 a.reasons.n ? a.reasons.line[0] : "no reason");
	}
	rv.sbom = (struct sbom){0};
	a.reasons.n = 0;
	fleet_judge(&f, &subject, &a);
	assert_int_equal(a.reasons.n, 1);
	assert_non_null(strstr(a.reasons.line[0], "the reference values carry no SBOM"));
}

static void platforms_are_read(void **state)
{
	cleanup_fleet struct fleet f = {0};
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(fleet_load(DATA "good-platforms.json", &f, &e), &e);
	assert_int_equal(f.platforms.n, 2);
	assert_int_equal(f.platforms.item[0].n_states, 2);
	assert_int_equal(f.platforms.item[0].state[1].pcrs, 1 | 1 << 7);
	assert_int_equal(f.platforms.item[0].state[1].value[7][31], 0xa5);
	assert_true(platform_fits(&f.platforms.item[0], ENROLMENT_EK_PINNED, true));
	assert_false(platform_fits(&f.platforms.item[0], ENROLMENT_EK_CERTIFICATE, true));
	assert_false(platform_fits(&f.platforms.item[0], ENROLMENT_EK_PINNED, false));
	assert_true(platform_fits(&f.platforms.item[1], ENROLMENT_EK_PROVIDER, false));
}

static void a_set_over_the_bound_is_not_read(void **state)
{
	/* Spaces are no document either, which is said of as many as the bound. */
	static char text[FLEET_MAX_BYTES + 1];
	struct fleet f = {0};
	struct err e = ERR_INIT;

	(void)state;
	memset(text, 32, sizeof(text));
	assert_int_equal(fleet_parse(text, sizeof(text) - 1, "p", &f, &e), -EINVAL);
	assert_refused(fleet_parse(text, sizeof(text), "p", &f, &e), &e, E2BIG, "wanted at most");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_sets_are_refused_with_the_place_and_the_reason),
		cmocka_unit_test(each_condition_decides),
		cmocka_unit_test(platforms_are_read),
		cmocka_unit_test(packages_are_held_to_versions_and_absence),
		cmocka_unit_test(a_set_over_the_bound_is_not_read),
	};

	return cmocka_run_group_tests_name("attest/fleet", tests, NULL, NULL);
}
