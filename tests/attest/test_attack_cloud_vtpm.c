/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_attack_cloud_vtpm.c - hosts that lack a firmware log or a maker's EK certificate, declared and not
 *
 * The host is the sound one of world.h, whose firmware log is withheld (or which a provider vouches for); its twin is
 * accepted by a platform that lists what the TPM really holds. Each case changes one thing.
 */
#include "tests/attest/world.h"

#include "attest/allowed.h"
#include "attest/ear.h"

#define RULES "\"rules\":[{\"name\":\"all\",\"require\":[{\"field\":\"image.version\",\"at_least\":1}]}]"

static struct judge_result result; /* large */

static void no_firmware_log(struct world *w)
{
	w->firmware_log.len = 0;
}

/* Seal again. */
static void seal(struct world *w, bool with_log)
{
	w->firmware_log.len = w->os_log.len = w->ima_log.len = 0;
	world_seal_lying(w, NULL, with_log ? NULL : no_firmware_log);
}

static void another_application(struct world *w)
{
	w->firmware.v[w_find(&w->firmware, 4, "UKI")].digest[0] ^= 1;
}

static void another_boot_order(struct world *w)
{
	w->firmware.v[w_find(&w->firmware, 1, "boot order")].digest[0] ^= 1;
}

static void violation(struct world *w)
{
	w_measure(&w->os, measure_violation(61));
}

static void hide_last_record(struct world *w)
{
	w->os.n--;
}

static void no_phases(struct world *w)
{
	for (size_t i = w->os.n; i-- > 0;)
		if (w->os.v[i].pcr == 11)
			w_remove(&w->os, i);
}

static void sections_only(struct world *w)
{
	no_phases(w); /* before the TPM: PID 1 never said anything */
}

/* `"platforms":[...],` with @pcrs of the values that w->pcr holds; @first: byte to add to the first digit's value. */
static void platform(const struct world *w, const char *ek, const char *log, const char *pcrs, int off, struct buf *out)
{
	buf_printf(out, "\"platforms\":[{\"name\":\"cloud\",\"ek\":[%s],\"firmware_log\":\"%s\"", ek, log);
	for (const char *p = pcrs; *p; p++) {
		char hex[65];

		hex_encode(w->pcr[*p - '0'], 32, hex);
		if (off)
			hex[63] = hex[63] == '0' ? '1' : '0';
		buf_printf(out, "%s\"%c\":\"%s\"", p == pcrs ? ",\"pcr_states\":[{" : ",", *p, hex);
	}
	buf_printf(out, "%s}],", *pcrs ? "}]" : "");
}

static struct judge_set set_of(const struct world *w, const char *platforms)
{
	cleanup_buf struct buf b = BUF_INIT;
	struct judge_set set = {.n = 1, .rv = calloc(1, sizeof(struct refvalues))};
	struct err e = ERR_INIT;

	buf_printf(&b, "{\"holdfast\":\"policy-set/1\",\"name\":\"f\",\"version\":1,%s" RULES "}", platforms);
	assert_ok(fleet_parse(b.data, b.len, "set", &set.fleet, &e), &e);
	assert_ok(refvalues_parse(w->refvalues, strlen(w->refvalues), "r", set.rv, &e), &e);
	return set;
}

static enum appraise_verdict run(const struct judge_set *set, const struct world *w)
{
	const struct judge_input in = {
		.evidence = {w->evidence.data, w->evidence.len}, .nonce = w->nonce, .enrolment = &w->enrolment};
	struct err e = ERR_INIT;

	assert_ok(judge(set, &in, &result, &e), &e);
	return result.appraisal.verdict;
}

static bool has_reason(const char *part)
{
	const struct appraisal_lines *l = &result.appraisal.reasons;

	for (size_t i = 0; i < l->n; i++)
		if (strstr(l->line[i], part))
			return true;
	return false;
}

#define PROVIDER "\"provider\""
#define PINNED   "\"pinned\""

static const struct attack {
	const char *name;
	void (*before)(struct world *w), (*lie)(struct world *w);
	enum enrolment_ek ek;
	bool shows_log;
	const char *eks, *log, *pcrs; /* @eks NULL: no platform is declared */
	int off;
	const char *reason; /* NULL: the sound twin, accepted */
} attacks[] = {
	{"twin: no log, declared", .ek = ENROLMENT_EK_PINNED, .eks = PINNED, .log = "absent", .pcrs = "015"},
	{"twin: more PCRs listed than must be", .ek = ENROLMENT_EK_PINNED, .eks = PINNED, .log = "absent", .pcrs = "0123456789"},
	{"twin: two kinds of EK", .ek = ENROLMENT_EK_PINNED, .eks = PROVIDER "," PINNED, .log = "absent", .pcrs = "015"},
	{"twin: a provider's EK with its log", .ek = ENROLMENT_EK_PROVIDER, .shows_log = true, .eks = PROVIDER, .log = "present", .pcrs = ""},
	{"twin: a whole host needs no platform", .ek = ENROLMENT_EK_CERTIFICATE, .shows_log = true},
	{"no log, not declared", .ek = ENROLMENT_EK_PINNED, .reason = "firmware log: is empty, which only reference values of the profile direct allow, or a platform"},
	{"no log, declared for another kind of EK", .ek = ENROLMENT_EK_PINNED, .eks = PROVIDER, .log = "absent", .pcrs = "015", .reason = "for an EK of the kind pinned"},
	{"a provider's EK, not declared", .ek = ENROLMENT_EK_PROVIDER, .shows_log = true, .reason = "EK: a provider of virtual machines vouches for it"},
	{"a provider's EK without the log that is declared", .ek = ENROLMENT_EK_PROVIDER, .eks = PROVIDER, .log = "present", .pcrs = "", .reason = "firmware log: is empty"},
	{"a provider's EK with a log where none is declared", .ek = ENROLMENT_EK_PROVIDER, .shows_log = true, .eks = PROVIDER, .log = "absent", .pcrs = "015", .reason = "EK: a provider of virtual machines"},
	{"another value than is listed", .ek = ENROLMENT_EK_PINNED, .eks = PINNED, .log = "absent", .pcrs = "015", .off = 1, .reason = "none of the 1 listed states"},
	{"a PCR that nothing holds", .ek = ENROLMENT_EK_PINNED, .eks = PINNED, .log = "absent", .pcrs = "01", .reason = "no state lists every PCR"},
	{"another UKI, nobody shows it", another_application, .ek = ENROLMENT_EK_PINNED, .eks = PINNED, .log = "absent", .pcrs = "015", .reason = "none of the 1 listed states"},
	{"a violation, shown", violation, .ek = ENROLMENT_EK_PINNED, .eks = PINNED, .log = "absent", .pcrs = "015", .reason = "PCR 13: OS event log event"},
	{"a violation, hidden", violation, hide_last_record, .ek = ENROLMENT_EK_PINNED, .eks = PINNED, .log = "absent", .pcrs = "015", .reason = "none of the 1 listed states"},
	{"PID 1's phases hidden", NULL, no_phases, .ek = ENROLMENT_EK_PINNED, .eks = PINNED, .log = "absent", .pcrs = "015", .reason = "PCR 11: ends after 0 events"},
	{"no phase ever came", sections_only, .ek = ENROLMENT_EK_PINNED, .eks = PINNED, .log = "absent", .pcrs = "015", .reason = "PCR 11: ends after 0 events"},
};

static void what_is_lacking_must_be_declared_and_held(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(attacks); i++) {
		const struct attack *at = &attacks[i];
		cleanup_buf struct buf b = BUF_INIT;
		struct world *w = world_sound();
		struct judge_set set;

		print_message("  %s\n", at->name);
		w->enrolment.ek = at->ek;
		if (at->before)
			at->before(w);
		world_seal_lying(w, at->lie, at->shows_log ? NULL : no_firmware_log);
		if (at->eks)
			platform(w, at->eks, at->log, at->pcrs, at->off, &b);
		buf_u8(&b, 0);
		set = set_of(w, (const char *)b.data);
		if (run(&set, w) != (at->reason ? APPRAISE_REFUSE : APPRAISE_ACCEPT) || (at->reason && !has_reason(at->reason))) {
			for (size_t k = 0; k < result.appraisal.reasons.n; k++)
				print_message("    reason: %s\n", result.appraisal.reasons.line[k]);
			fail_msg("wanted %s", at->reason ? at->reason : "ACCEPT");
		}
		if (!at->reason)
			assert_true(!result.appraisal.platform == !at->eks);
		judge_set_free(&set);
		world_free(w);
	}
}

/* A listed boot order of yesterday: the state of one host is not that of another that differs in an unjudged PCR. */
static void an_unjudged_pcr_is_held_to_its_listed_value(void **state)
{
	struct world *sound = world_sound(), *other = world_sound();
	cleanup_buf struct buf b = BUF_INIT;
	struct judge_set set;

	(void)state;
	sound->enrolment.ek = other->enrolment.ek = ENROLMENT_EK_PINNED;
	another_boot_order(other);
	world_seal_lying(sound, NULL, no_firmware_log);
	world_seal_lying(other, NULL, no_firmware_log);
	platform(sound, PINNED, "absent", "015", 0, &b);
	buf_u8(&b, 0);
	set = set_of(sound, (const char *)b.data);
	assert_int_equal(run(&set, sound), APPRAISE_ACCEPT);
	assert_int_equal(run(&set, other), APPRAISE_REFUSE);
	assert_true(has_reason("none of the 1 listed states"));
	judge_set_free(&set);
	world_free(sound);
	world_free(other);
}

/* What was accepted of a host that showed its log says nothing about one that does not, and the other way round. */
static void the_fast_path_keeps_them_apart(void **state)
{
	struct world *w = world_sound();
	cleanup_buf struct buf b = BUF_INIT;
	struct judge_set set;

	(void)state;
	w->enrolment.ek = ENROLMENT_EK_CERTIFICATE;
	seal(w, true);
	set = set_of(w, "");
	set.allowed = allowed_new();
	assert_int_equal(run(&set, w), APPRAISE_ACCEPT);
	assert_int_equal(run(&set, w), APPRAISE_ACCEPT);
	assert_true(result.appraisal.fast);
	seal(w, false);
	assert_int_equal(run(&set, w), APPRAISE_REFUSE); /* the same PCRs, accepted before: but nobody declared that it lacks a log */
	assert_true(has_reason("firmware log: is empty"));
	judge_set_free(&set);
	platform(w, "\"certificate\"", "absent", "015", 0, &b);
	buf_u8(&b, 0);
	set = set_of(w, (const char *)b.data);
	set.allowed = allowed_new();
	assert_int_equal(run(&set, w), APPRAISE_ACCEPT);
	assert_false(result.appraisal.fast);
	assert_int_equal(run(&set, w), APPRAISE_ACCEPT);
	assert_true(result.appraisal.fast);
	assert_string_equal(result.appraisal.platform->name, "cloud");
	seal(w, true);
	assert_int_equal(run(&set, w), APPRAISE_ACCEPT);
	assert_false(result.appraisal.fast); /* with its log it is judged by its log */
	assert_null(result.appraisal.platform);
	judge_set_free(&set);
	world_free(w);
}

/* The result says what it does not give. */
static void a_result_names_the_platform_and_what_is_missing(void **state)
{
	struct world *w = world_sound();
	cleanup_buf struct buf b = BUF_INIT, claims = BUF_INIT, whole = BUF_INIT;
	struct err e = ERR_INIT;
	struct judge_set set;
	struct ear_input in = {.result = &result, .enrolment = &w->enrolment, .nonce = w->nonce, .issued_s = 1, .expires_s = 2};
	const char *text;

	(void)state;
	w->enrolment.ek = ENROLMENT_EK_PROVIDER;
	seal(w, false);
	platform(w, PROVIDER, "absent", "015", 0, &b);
	buf_u8(&b, 0);
	set = set_of(w, (const char *)b.data);
	in.fleet = &set.fleet;
	assert_int_equal(run(&set, w), APPRAISE_ACCEPT);
	assert_ok(ear_claims(&in, &claims, &e), &e);
	buf_u8(&claims, 0);
	text = (const char *)claims.data;
	assert_non_null(strstr(text, "\"ear_status\":\"warning\""));
	assert_null(strstr(text, "\"hardware\":"));
	assert_non_null(strstr(text, "\"holdfast_ek\":\"provider\""));
	assert_non_null(strstr(text, "\"holdfast_platform\":{\"name\":\"cloud\",\"firmware_log\":\"absent\",\"not_given\":[\"what the firmware did"));
	assert_non_null(strstr(text, "\"a TPM in hardware"));
	judge_set_free(&set);
	w->enrolment.ek = ENROLMENT_EK_CERTIFICATE;
	seal(w, true);
	set = set_of(w, "");
	in.fleet = &set.fleet;
	assert_int_equal(run(&set, w), APPRAISE_ACCEPT);
	assert_ok(ear_claims(&in, &whole, &e), &e);
	buf_u8(&whole, 0);
	text = (const char *)whole.data;
	assert_non_null(strstr(text, "\"ear_status\":\"affirming\""));
	assert_non_null(strstr(text, "\"hardware\":2"));
	assert_null(strstr(text, "holdfast_platform"));
	judge_set_free(&set);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_lacking_must_be_declared_and_held),
		cmocka_unit_test(an_unjudged_pcr_is_held_to_its_listed_value),
		cmocka_unit_test(the_fast_path_keeps_them_apart),
		cmocka_unit_test(a_result_names_the_platform_and_what_is_missing),
	};

	return cmocka_run_group_tests_name("attest/attack_cloud_vtpm", tests, NULL, NULL);
}
