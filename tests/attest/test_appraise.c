/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/attest/test_appraise.c - sound hosts are accepted with their facts; what is no verdict is no acceptance */
#include "tests/attest/world.h"

#include "attest/ima_log.h"
#include "attest/rules.h"

static struct appraisal judged; /* large */

static bool has_line(const struct appraisal_lines *l, const char *part)
{
	for (size_t i = 0; i < l->n; i++)
		if (strstr(l->line[i], part))
			return true;
	return false;
}

static void show(const struct appraisal *a)
{
	for (size_t i = 0; i < a->reasons.n; i++)
		print_message("  reason: %s\n", a->reasons.line[i]);
}

static void a_sound_host_is_accepted_with_its_facts(void **state)
{
	static const char *const facts[] = {
		"image: demo version 1, x86_64",
		"profile: enforce",
		"root hash: a5a5",
		"secure boot: on",
		"layer policy: layer-policy:sha256:07",
		"seen since boot: container",
		"EK: believed",
		"clock 123456 ms",
		"PCR 0: replayed, not",
		"dm-verity tables 1, files 1",
	};
	struct world *w = world_sound();
	char hex[65];

	(void)state;
	world_seal(w);
	/* As firmware measures it: the same digest stands in the PCR 7 of every log of a machine with Secure Boot on.
	 */
	hex_encode(w->firmware.v[w_find(&w->firmware, 7, "SecureBoot")].digest, 32, hex);
	assert_string_equal(hex, "ccfc4bb32888a345bc8aeadaba552b627d99348c767681ab3141f5b01e40a40e");
	assert_int_equal(world_judge(w, &judged), APPRAISE_ACCEPT);
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		if (!has_line(&judged.facts, facts[i]))
			fail_msg("no fact says \"%s\"", facts[i]);
	world_free(w);
}

static void a_stated_startup_locality_of_3_is_accepted(void **state)
{
	struct world *w = world_sound();

	(void)state;
	w->locality = 3;
	world_seal(w);
	assert_int_equal(world_judge(w, &judged), APPRAISE_ACCEPT);
	assert_true(has_line(&judged.facts, "startup locality 3"));
	world_free(w);
}

static void a_boot_order_with_the_bytes_of_an_error_separator_is_accepted(void **state)
{
	static const uint8_t order[] = { 1, 0, 0, 0 }; /* Boot0001, Boot0000: as OVMF measures it with a bootindex */
	struct world *w = world_sound();
	struct event *ev = &w->firmware.v[w_find(&w->firmware, 1, "boot order")];

	(void)state;
	w_sha256(order, sizeof(order), ev->digest);
	world_seal(w);
	assert_int_equal(world_judge(w, &judged), APPRAISE_ACCEPT);
	world_free(w);
}

static void a_clock_that_is_not_safe_is_a_fact_and_no_refusal(void **state)
{
	struct world *w = world_sound();

	(void)state;
	w->not_safe = true;
	world_seal(w);
	assert_int_equal(world_judge(w, &judged), APPRAISE_ACCEPT);
	assert_true(has_line(&judged.facts, "not safe"));
	world_free(w);
}

static void devices_that_go_away_are_accepted(void **state)
{
	struct world *w = world_sound();
	uint8_t h[32] = {0};

	(void)state;
	w_ima(&w->ima, h, "dm_device_remove", "dm_version=4.48.0;device_active_metadata=name=root;remove_all=n;");
	world_seal(w);
	assert_int_equal(world_judge(w, &judged), APPRAISE_ACCEPT);
	world_free(w);
}

/* What the reference values describe is for `explain`: a false description changes no verdict. */
static void a_description_judges_nothing(void **state)
{
	struct world *w = world_sound();
	char *at = strstr(w->refvalues, "\"command_line\":\"command line\"");

	(void)state;
	assert_non_null(at);
	memcpy(at, "\"command_line\":\"a false line\"", 29);
	world_seal(w);
	assert_int_equal(world_judge(w, &judged), APPRAISE_ACCEPT);
	world_free(w);
}

/* PCR 10's rule becomes `zero`, as the builder writes it where the TPM's driver is a module. */
static void expect_pcr_10_zero(struct world *w)
{
	char *from = strstr(w->refvalues, "{\"ima\":"), *to = strstr(w->refvalues, ",\"11\":");
	static const char zero[] = "{\"zero\":true}";

	assert_non_null(from);
	assert_non_null(to);
	memcpy(from, zero, strlen(zero));
	memmove(from + strlen(zero), to, strlen(to) + 1);
}

static void replace(char *text, size_t size, const char *from, const char *to)
{
	char *at = strstr(text, from), rest[16384];

	assert_non_null(at);
	(void)snprintf(rest, sizeof(rest), "%s", at + strlen(from));
	(void)snprintf(at, size - (size_t)(at - text), "%s%s", to, rest);
}

/* No firmware: no event before PID 1's, and PCR 0 to 7 are not judged. */
/* --- the state volume --- */

#define STATE_UUID "31d11df4-f785-4691-8cef-9731c35abc47"
/* As Linux 6.12.117 measured it in tests/vm/cases/sealed-state, but for the UUID. */
#define STATE_TABLE(name, cipher) \
	"dm_version=4.48.0;name=" name ",uuid=CRYPT-LUKS2-31d11df4f78546918cef9731c35abc47-" name ",major=253,minor=1,minor_count=1," \
	"num_targets=1;target_index=0,target_begin=0,target_len=90112,target_name=crypt,target_version=1.28.0,allow_discards=n,same_cpu_crypt=n,high_priority=n," \
	"submit_from_crypt_cpus=n,no_read_workqueue=n,no_write_workqueue=n,iv_large_sectors=n,sector_size=4096,cipher_string=" cipher "," \
	"key_size=64,key_parts=1,key_extra_size=0,key_mac_size=0;"

struct state_case {
	bool wanted;			/* by the reference values */
	const char *volume[2], *table[2]; /* what the host measured */
	const char *reason;		/* NULL: accepted */
};

static void one_state_volume_is_wanted_where_it_is_declared_and_nowhere_else(void **state)
{
	static const char good[] = STATE_TABLE("holdfast-state", "aes-xts-plain64");
	static const struct state_case cases[] = {
		{ true, { STATE_UUID }, { good }, NULL },
		{ false, { NULL }, { NULL }, NULL },
		{ true, { NULL }, { NULL }, "PCR 15: ends after its sequence, expected one event state-volume" },
		{ true, { STATE_UUID, STATE_UUID }, { good }, "PCR 15" },
		{ false, { STATE_UUID }, { NULL }, "no event after its sequence" },
		{ false, { NULL }, { good }, "the reference values want none" },
		{ true, { STATE_UUID }, { good, good }, "not the first" },
		{ true, { STATE_UUID }, { STATE_TABLE("holdfast-state", "cipher_null-ecb") }, "not strict dm-verity" },
		{ true, { STATE_UUID }, { STATE_TABLE("other", "aes-xts-plain64") }, "not strict dm-verity" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct state_case *c = &cases[i];
		struct world *w = world_sound();
		const uint8_t h[32] = { 0 };

		if (c->wanted) {
			char *fifteen = strstr(w->refvalues, "\"15\":{\"sequence\"");

			assert_non_null(fifteen);
			replace(fifteen, sizeof(w->refvalues) - (size_t)(fifteen - w->refvalues), "{", "{\"state_volume\":true,");
		}
		for (size_t k = 0; k < 2 && c->volume[k]; k++)
			w_measure(&w->os, measure_state_volume(c->volume[k]));
		for (size_t k = 0; k < 2 && c->table[k]; k++)
			w_ima(&w->ima, h, "dm_table_load", c->table[k]);
		world_seal(w);
		(void)world_judge(w, &judged);
		if (c->reason ? !has_line(&judged.reasons, c->reason) : judged.reasons.n != 0) {
			show(&judged);
			fail_msg("case %zu: wanted %s", i, c->reason ? c->reason : "acceptance");
		}
		assert_int_equal(has_line(&judged.facts, "state volume: " STATE_UUID), !c->reason && c->wanted);
		world_free(w);
	}
}

/* --- a host without UEFI --- */

static struct world *world_direct(void)
{
	struct world *w = world_sound();
	struct events own = {0};

	memset(&w->firmware, 0, sizeof(w->firmware));
	w_measure(&own, measure_profile("direct"));
	w_measure(&own, measure_direct_cmdline("quiet", 5));
	w_insert(&w->os, 0, &own.v[1]);
	w_insert(&w->os, 0, &own.v[0]);
	w_refvalues(w);
	replace(w->refvalues, sizeof(w->refvalues), "\"profile\":\"enforce\"", "\"profile\":\"direct\"");
	return w;
}

static void no_firmware_log(struct world *w)
{
	buf_free(&w->firmware_log);
}

static void a_host_without_uefi_is_accepted_and_the_verdict_says_what_is_missing(void **state)
{
	struct world *w = world_direct();

	(void)state;
	world_seal_lying(w, NULL, no_firmware_log);
	if (world_judge(w, &judged) != APPRAISE_ACCEPT) {
		show(&judged);
		fail_msg("it is not accepted");
	}
	assert_true(has_line(&judged.facts, "profile: direct (no UEFI: kernel, initramfs and command line are reported by PID 1 "
					    "itself; nothing below vouches for them)"));
	assert_true(has_line(&judged.facts, "secure boot: none"));
	assert_true(has_line(&judged.facts, "there is no firmware log"));
	world_free(w);
}

/* Each of the two kinds of host, judged by the other's values. */
static void neither_kind_of_host_is_accepted_as_the_other(void **state)
{
	struct world *direct = world_direct(), *enforce = world_sound();
	char values[sizeof(direct->refvalues)];

	(void)state;
	world_seal_lying(direct, NULL, no_firmware_log);
	world_seal(enforce);
	memcpy(values, direct->refvalues, sizeof(values));
	memcpy(direct->refvalues, enforce->refvalues, sizeof(values));
	memcpy(enforce->refvalues, values, sizeof(values));
	assert_int_equal(world_judge(direct, &judged), APPRAISE_REFUSE);
	assert_true(has_line(&judged.reasons, "only reference values of the profile direct allow"));
	assert_int_equal(world_judge(enforce, &judged), APPRAISE_REFUSE);
	assert_true(has_line(&judged.reasons, "PCR 11: "));
	assert_false(has_line(&judged.facts, "secure boot"));
	world_free(direct);
	world_free(enforce);
}

/* PID 1 reports it truthfully; the TPM would have refused the floor (vm:direct-chain), and the verifier refuses the host. */
static void another_command_line_without_uefi_refuses(void **state)
{
	struct world *w = world_direct();
	struct events own = {0};

	(void)state;
	w_measure(&own, measure_direct_cmdline("quiet loglevel=3", 16));
	w->os.v[1] = own.v[0];
	world_seal_lying(w, NULL, no_firmware_log);
	assert_int_equal(world_judge(w, &judged), APPRAISE_REFUSE);
	assert_true(has_line(&judged.reasons, "PCR 11: OS event log event 1"));
	world_free(w);
}

/* A firmware log that is there is replayed: what it lacks, or has too much, shows in the quote. */
static void a_host_without_uefi_cannot_hide_what_its_firmware_extended(void **state)
{
	struct world *w = world_direct();

	(void)state;
	w_text(&w->firmware, 1, 0x80000007, "Calling INT 19h");
	world_seal(w);
	assert_int_equal(world_judge(w, &judged), APPRAISE_ACCEPT);
	world_free(w);
	w = world_direct();
	w_text(&w->firmware, 1, 0x80000007, "Calling INT 19h");
	world_seal_lying(w, NULL, no_firmware_log);
	assert_int_equal(world_judge(w, &judged), APPRAISE_REFUSE);
	assert_true(has_line(&judged.reasons, "the logs replay, bank sha256, to PCR 0-15"));
	world_free(w);
}

/* Profile enforce-jit: PID 1 says so in PCR 11, before its first phase. */
static struct world *world_jit(void)
{
	struct world *w = world_sound();
	struct events own = {0};

	w_measure(&own, measure_profile("enforce-jit"));
	w_insert(&w->os, 0, &own.v[0]);
	w_refvalues(w);
	replace(w->refvalues, sizeof(w->refvalues), "\"profile\":\"enforce\"", "\"profile\":\"enforce-jit\"");
	return w;
}

static void enforce_jit_is_accepted_by_values_of_its_own_alone(void **state)
{
	struct world *jit = world_jit(), *enforce = world_sound();
	char values[sizeof(jit->refvalues)];

	(void)state;
	world_seal(jit);
	world_seal(enforce);
	assert_int_equal(world_judge(jit, &judged), APPRAISE_ACCEPT);
	assert_true(has_line(&judged.facts, "profile: enforce-jit (containers of which the layer policy says so may make executable memory"));
	assert_int_equal(world_judge(enforce, &judged), APPRAISE_ACCEPT);
	memcpy(values, jit->refvalues, sizeof(values));
	memcpy(jit->refvalues, enforce->refvalues, sizeof(values));
	memcpy(enforce->refvalues, values, sizeof(values));
	assert_int_equal(world_judge(jit, &judged), APPRAISE_REFUSE);
	assert_true(has_line(&judged.reasons, "PCR 11: OS event log event 0"));
	assert_int_equal(world_judge(enforce, &judged), APPRAISE_REFUSE);
	assert_true(has_line(&judged.reasons, "PCR 11: OS event log event 0"));
	world_free(jit);
	world_free(enforce);
}

/* The profile is no mere word of the document: it and PCR 11's sequence are one. */
static void values_whose_profile_is_not_their_sequences_refuse(void **state)
{
	struct world *w = world_direct();

	(void)state;
	replace(w->refvalues, sizeof(w->refvalues), "\"profile\":\"direct\"", "\"profile\":\"enforce\"");
	world_seal(w);
	assert_int_equal(world_judge(w, &judged), APPRAISE_REFUSE);
	assert_true(has_line(&judged.reasons, "profile enforce, but PCR 11 has the event of the profile direct"));
	world_free(w);
	w = world_sound();
	world_seal(w);
	replace(w->refvalues, sizeof(w->refvalues), "\"profile\":\"enforce\"", "\"profile\":\"direct\"");
	assert_int_equal(world_judge(w, &judged), APPRAISE_REFUSE);
	assert_true(has_line(&judged.reasons, "profile direct, but PCR 11's sequence does not begin with its event"));
	world_free(w);
	w = world_jit();
	replace(w->refvalues, sizeof(w->refvalues), "\"profile\":\"enforce-jit\"", "\"profile\":\"enforce\"");
	world_seal(w);
	assert_int_equal(world_judge(w, &judged), APPRAISE_REFUSE);
	assert_true(has_line(&judged.reasons, "profile enforce, but PCR 11 has the event of the profile enforce-jit"));
	world_free(w);
	w = world_sound();
	replace(w->refvalues, sizeof(w->refvalues), "\"profile\":\"enforce\"", "\"profile\":\"enforce-jit\"");
	world_seal(w);
	assert_int_equal(world_judge(w, &judged), APPRAISE_REFUSE);
	assert_true(has_line(&judged.reasons, "profile enforce-jit, but PCR 11's sequence does not have its event"));
	world_free(w);
}

static void an_ima_log_that_nothing_binds_counts_for_nothing(void **state)
{
	struct world *w = world_sound();

	(void)state;
	w->ima_without_tpm = true;
	expect_pcr_10_zero(w);
	world_seal(w);
	assert_int_equal(world_judge(w, &judged), APPRAISE_ACCEPT);
	assert_true(has_line(&judged.facts, "kernel's witness: none"));
	assert_false(has_line(&judged.facts, "dm-verity tables"));
	world_free(w);
	w = world_sound(); /* the same log where the kernel, or anybody, did extend PCR 10 */
	expect_pcr_10_zero(w);
	world_seal(w);
	assert_int_equal(world_judge(w, &judged), APPRAISE_REFUSE);
	assert_true(has_line(&judged.reasons, "the logs replay, bank sha256, to PCR 0-15"));
	world_free(w);
	w = world_sound(); /* and a host whose IMA had no TPM, where one is expected */
	w->ima_without_tpm = true;
	world_seal(w);
	assert_int_equal(world_judge(w, &judged), APPRAISE_REFUSE);
	assert_true(has_line(&judged.reasons, "the logs replay, bank sha256, to PCR 0-15"));
	world_free(w);
}

static void no_verdict_is_not_an_acceptance(void **state)
{
	struct world *w = world_sound();
	struct refvalues rv = {0};
	struct err e = ERR_INIT;
	struct appraise_input in;

	(void)state;
	world_seal(w);
	assert_ok(refvalues_parse(w->refvalues, strlen(w->refvalues), "r", &rv, &e), &e);
	w->enrolment.ak_public[9] ^=
		0x10; /* fixedParent off: an AK that could leave its TPM; the record cannot be used */
	in = (struct appraise_input){.evidence = {w->evidence.data, w->evidence.len},
				     .nonce = w->nonce,
				     .enrolment = &w->enrolment,
				     .refvalues = &rv};
	judged.verdict = APPRAISE_ACCEPT;
	assert_refused(appraise(&in, &judged, &e), &e, EINVAL, "enrolment record: AK: attributes");
	assert_int_equal(judged.verdict, APPRAISE_UNSET);
	refvalues_free(&rv);
	world_free(w);
}

static void reference_values_without_rules_accept_nothing(void **state)
{
	struct world *w = world_sound();
	struct refvalues rv = {.name = "", .arch = "", .profile = ""};
	struct err e = ERR_INIT;
	struct appraise_input in = {.nonce = w->nonce, .enrolment = &w->enrolment, .refvalues = &rv};

	(void)state;
	world_seal(w);
	in.evidence = (struct bytes){w->evidence.data, w->evidence.len};
	assert_ok(appraise(&in, &judged, &e), &e);
	assert_int_equal(judged.verdict, APPRAISE_REFUSE);
	assert_true(has_line(&judged.reasons, "PCR 8: has no rule"));
	world_free(w);
}

/* No evidence of 64 KiB holds so many; whoever raises that bound must not find this one gone. */
static void more_tables_than_the_bound_refuse_and_as_many_do_not(void **state)
{
	static struct rules rules; /* large */
	struct world *w = world_sound();
	cleanup_buf struct buf log = BUF_INIT;
	struct refvalues rv = {0};
	struct bytes table = {0};
	struct ima_dm_event dm;
	struct ima_entry en;
	struct err e = ERR_INIT;
	struct replay r;
	struct reader rd;

	(void)state;
	world_seal(w);
	assert_ok(refvalues_parse(w->refvalues, strlen(w->refvalues), "r", &rv, &e), &e);
	rd = reader_init(w->ima_log.data, w->ima_log.len);
	for (size_t i = 0, from = 0; ima_log_next(&rd, i, &en, &e) == 1; i++, from = reader_offset(&rd)) {
		assert_ok(ima_dm_parse(&en, &dm, &e), &e);
		if (i == 0 || dm.kind == IMA_DM_TABLE_LOAD)
			table = (struct bytes){w->ima_log.data + from, reader_offset(&rd) - from};
		if (i == 0)
			buf_put(&log, table.p, table.n);
	}
	for (size_t i = 0; i < RULES_MAX_TABLES; i++)
		buf_put(&log, table.p, table.n);
	for (size_t more = 0; more < 2; more++) {
		const char *difference = rules.pcr[10].difference;

		assert_ok(rules_init(&rules, &rv, &e), &e);
		assert_ok(replay_init(HASH_SHA256, &r, &e), &e);
		for (size_t i = 0; i < 10; i++) /* of which the first entry speaks */
			memcpy(r.pcr[i], w->pcr[i], 32);
		assert_ok(rules_ima(&rules, &r, (struct bytes){log.data, log.len}, &e), &e);
		assert_int_equal(rules.n_tables, RULES_MAX_TABLES);
		if (more)
			assert_non_null(strstr(difference, "more than 512 dm-verity tables"));
		else
			assert_string_equal(difference, "");
		rules_free(&rules);
		buf_put(&log, table.p, table.n);
	}
	refvalues_free(&rv);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sound_host_is_accepted_with_its_facts),
		cmocka_unit_test(a_stated_startup_locality_of_3_is_accepted),
		cmocka_unit_test(a_boot_order_with_the_bytes_of_an_error_separator_is_accepted),
		cmocka_unit_test(more_tables_than_the_bound_refuse_and_as_many_do_not),
		cmocka_unit_test(a_clock_that_is_not_safe_is_a_fact_and_no_refusal),
		cmocka_unit_test(devices_that_go_away_are_accepted),
		cmocka_unit_test(a_description_judges_nothing),
		cmocka_unit_test(one_state_volume_is_wanted_where_it_is_declared_and_nowhere_else),
		cmocka_unit_test(a_host_without_uefi_is_accepted_and_the_verdict_says_what_is_missing),
		cmocka_unit_test(neither_kind_of_host_is_accepted_as_the_other),
		cmocka_unit_test(another_command_line_without_uefi_refuses),
		cmocka_unit_test(a_host_without_uefi_cannot_hide_what_its_firmware_extended),
		cmocka_unit_test(enforce_jit_is_accepted_by_values_of_its_own_alone),
		cmocka_unit_test(values_whose_profile_is_not_their_sequences_refuse),
		cmocka_unit_test(an_ima_log_that_nothing_binds_counts_for_nothing),
		cmocka_unit_test(no_verdict_is_not_an_acceptance),
		cmocka_unit_test(reference_values_without_rules_accept_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
