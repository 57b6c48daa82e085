/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_explain.c - causes in words: versions, command lines, missing and surplus events; a page without markup
 *
 * That every refusal is explained at all is test_attacks.c's. Here are the words that need more than the evidence.
 */
#include "tests/attest/world.h"

#include "attest/explain.h"
#include "attest/explain_words.h"

static struct explanation x; /* large */

static void load(const char *text, struct refvalues *rv)
{
	struct err e = ERR_INIT;

	assert_ok(refvalues_parse(text, strlen(text), "refvalues.json", rv, &e), &e);
}

static void run(struct world *w, const struct refvalues *rv, const struct refvalues *known, bool judged)
{
	const struct explain_input in = {.evidence = {w->evidence.data, w->evidence.len},
					 .nonce = judged ? w->nonce : NULL,
					 .enrolment = judged ? &w->enrolment : NULL,
					 .set = &(struct judge_set){.n = 1, .rv = (struct refvalues *)rv},
					 .known = known,
					 .n_known = known ? 1 : 0};
	struct err e = ERR_INIT;

	assert_ok(explain(&in, &x, &e), &e);
}

static const struct explain_finding *finding(int pcr, const char *words)
{
	for (size_t i = 0; i < x.n; i++)
		if (x.finding[i].pcr == pcr && strstr(x.finding[i].fact, words))
			return &x.finding[i];
	for (size_t i = 0; i < x.n; i++)
		print_message("  PCR %d: %s\n", x.finding[i].pcr, x.finding[i].fact);
	fail_msg("no finding of PCR %d says \"%s\"", pcr, words);
	return NULL;
}

static void replace(char *text, const char *what, const char *by)
{
	char *at = strstr(text, what);

	assert_non_null(at);
	assert_int_equal(strlen(what), strlen(by));
	memcpy(at, by, strlen(by));
}

/* The command line as the kernel's EFI stub measures it, logged as it logs it: without its text. */
static void set_command_line(struct world *w, const char *text)
{
	struct event *ev = &w->firmware.v[w_find(&w->firmware, 9, "command line")];
	uint8_t utf16[512];

	for (size_t i = 0; i <= strlen(text); i++) {
		utf16[2 * i] = (uint8_t)text[i];
		utf16[2 * i + 1] = 0;
	}
	w_sha256(utf16, 2 * (strlen(text) + 1), ev->digest);
	memcpy(ev->data, "\xed\x22\x3b\x8f\0\0\0\0", 8);
	ev->n = 8;
}

/* A refvalues document of @w whose description says @text. */
static void describe(struct world *w, const char *text)
{
	char *at;

	w_ima_sound(w);
	w_refvalues(w);
	at = strstr(w->refvalues, "\"describe\"");
	assert_non_null(at);
	(void)snprintf(at, 512, "\"describe\":{\"command_line\":\"%s\",\"layer_policy_version\":3}}", text);
}

static void an_older_version_is_recognised_by_its_own_reference_values(void **state)
{
	struct world *old = world_sound(), *new = world_sound();
	struct refvalues old_rv = {0}, new_rv = {0};

	(void)state;
	set_command_line(old, "quiet roothash=aa holdfast.profile=enforce");
	describe(old, "quiet roothash=aa holdfast.profile=enforce");
	world_seal(old);
	w_sha256("a newer UKI", 11, new->firmware.v[w_find(&new->firmware, 4, "UKI")].digest);
	set_command_line(new, "quiet roothash=bb holdfast.profile=enforce");
	describe(new, "quiet roothash=bb holdfast.profile=enforce");
	replace(new->refvalues, "\"version\":1", "\"version\":2");
	load(old->refvalues, &old_rv);
	load(new->refvalues, &new_rv);
	run(old, &old_rv, NULL, true);
	assert_int_equal(x.n, 0); /* the sound twin */
	run(old, &new_rv, NULL, true);
	assert_non_null(finding(4, "no reference values that were given know it"));
	assert_string_equal(finding(9, "the log holds only its digest")->artefact, "command line");
	run(old, &new_rv, &old_rv, true);
	assert_true(x.proven);
	assert_non_null(finding(4, "the UKI is that of demo version 1; version 2 of demo is wanted"));
	assert_non_null(finding(9, "the command line differs at byte 15: found \"quiet roothash=aa"));
	assert_non_null(finding(9, "it is that of demo version 1"));
	refvalues_free(&old_rv);
	refvalues_free(&new_rv);
	world_free(old);
	world_free(new);
}

static void a_command_line_is_derived_from_what_the_host_proved(void **state)
{
	static const char line[] = "quiet roothash=%s holdfast.profile=%s";
	char wanted[256], found[256], root[65];
	struct world *w = world_sound(), *want = world_sound();
	struct refvalues rv = {0};
	uint8_t h[32];

	(void)state;
	w_root_hash(h);
	hex_encode(h, 32, root);
	(void)snprintf(wanted, sizeof(wanted), line, "0000000000000000000000000000000000000000000000000000000000000000",
		       "enforce");
	(void)snprintf(found, sizeof(found), line, root, "audit");
	set_command_line(want, wanted);
	describe(want, wanted);
	load(want->refvalues, &rv);
	set_command_line(w, found); /* the root that PCR 15 names, and the other profile */
	w_ima_sound(w);
	world_seal(w);
	run(w, &rv, NULL, true);
	assert_non_null(finding(9, "the command line differs at byte 15: found \"quiet roothash=a5a5"));
	refvalues_free(&rv);
	world_free(w);
	world_free(want);
}

static void one_event_too_many_or_too_few_is_one_finding(void **state)
{
	struct world *w = world_sound();
	struct refvalues rv = {0};
	struct event extra = w->os.v[w_find(&w->os, 13, "engine")];

	(void)state;
	load(w->refvalues, &rv);
	w_remove(&w->os, w_find(&w->os, 13, "layer-policy"));
	w_insert(&w->os, w_find(&w->os, 13, "separator"), &extra);
	world_seal(w);
	run(w, &rv, NULL, true);
	assert_int_equal(x.n, 2);
	assert_non_null(finding(13, "one layer policy event is missing"));
	assert_non_null(finding(13, "engine"));
	assert_int_equal(x.link[EXPLAIN_LINK_LAUNCH], EXPLAIN_BAD);
	assert_int_equal(x.link[EXPLAIN_LINK_ROOT], EXPLAIN_GOOD);
	refvalues_free(&rv);
	world_free(w);
}

static void without_a_signer_nothing_is_proven(void **state)
{
	struct world *w = world_sound();
	struct refvalues rv = {0};

	(void)state;
	load(w->refvalues, &rv);
	world_seal(w);
	run(w, &rv, NULL, false);
	assert_false(x.judged || x.proven);
	assert_int_equal(x.n, 0);
	for (int i = 0; i < EXPLAIN_LINKS_; i++)
		assert_int_equal(x.link[i], EXPLAIN_UNKNOWN);
	w->nonce[0] ^= 1; /* a replay: what the logs say is then only what they say */
	run(w, &rv, NULL, true);
	assert_false(x.proven);
	assert_int_equal(x.link[EXPLAIN_LINK_QUOTE], EXPLAIN_BAD);
	assert_int_equal(x.link[EXPLAIN_LINK_UKI], EXPLAIN_UNKNOWN);
	refvalues_free(&rv);
	world_free(w);
}

static void the_page_takes_no_markup_from_a_log(void **state)
{
	static const char evil[] = "<script>alert(\"x\")</script>&'";
	cleanup_buf struct buf page = BUF_INIT;
	struct world *w = world_sound();
	struct refvalues rv = {0};
	struct err e = ERR_INIT;
	const char *text;

	(void)state;
	load(w->refvalues, &rv);
	w_text(&w->firmware, 12, 0xd, evil);
	w_ima_sound(w);
	world_seal(w);
	run(w, &rv, NULL, true);
	assert_non_null(finding(12, "<script>"));
	assert_ok(explain_html(&x, &rv, &page, &e), &e);
	buf_u8(&page, 0);
	text = (const char *)page.data;
	assert_null(strstr(text, "<script"));
	assert_non_null(strstr(text, "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;"));
	assert_null(strstr(text, "http:"));
	assert_null(strstr(text, "https"));
	assert_null(strstr(text, "src="));
	assert_null(strstr(text, "url("));
	assert_non_null(strstr(text, "default-src 'none'"));
	assert_non_null(strstr(text, "prefers-color-scheme:dark"));
	assert_non_null(strstr(text, "REFUSE: this host is not the host that was built"));
	refvalues_free(&rv);
	world_free(w);
}

static void the_place_where_texts_differ_is_told(void **state)
{
	static const struct {
		const char *wanted, *found, *words;
	} cases[] = {
		{"a b", "a c", "x differs at byte 2: found \"a c\", expected \"a b\""},
		{"a", "a b", "x differs at byte 1: found \"a b\", expected \"a\" and no more"},
		{"a b", "a", "x differs at byte 1: found \"a\" and no more, expected \"a b\""},
		{"", "a", "x differs at byte 0"},
		{"a", "a", "x is the expected one"},
		{"0123456789012345678901234567890123 ro", "0123456789012345678901234567890123 rw",
		 "differs at byte 36: found \"...234567890123456789"},
	};
	char text[EXPLAIN_MAX_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		explain_texts_differ("x", cases[i].wanted, cases[i].found, text);
		if (!strstr(text, cases[i].words))
			fail_msg("\"%s\", wanted \"%s\"", text, cases[i].words);
	}
}

/* The @n-th "unjudged" of @w's document (PCR 0, 1, 5) becomes a sequence of the host's own events, one of them exchanged. */
static void judge_machine(struct world *w, size_t n, uint32_t pcr, const char *logged, const char *what, char ret[static 65536])
{
	static const char rule[] = "{\"unjudged\":\"machine\"}";
	const char *at = strstr(w->refvalues, rule);
	char *p = ret, *end = ret + 65536, hex[65];
	bool first = true;
	uint8_t h[32];

	for (; n; n--)
		at = strstr(at + 1, rule);
	p += snprintf(p, (size_t)(end - p), "%.*s{\"sequence\":[", (int)(at - w->refvalues), w->refvalues);
	for (size_t i = 0; i < w->firmware.n; i++) {
		const struct event *ev = &w->firmware.v[i];
		bool other = what && ev == &w->firmware.v[w_find(&w->firmware, pcr, logged)];

		if (ev->pcr != pcr)
			continue;
		w_sha256("another", 7, h);
		hex_encode(other ? h : ev->digest, 32, hex);
		p += snprintf(p, (size_t)(end - p), "%s{\"digest\":\"%s\",\"what\":\"%s\"}", first ? "" : ",", hex,
			      other ? what : "event");
		first = false;
	}
	(void)snprintf(p, (size_t)(end - p), "]}%s", at + strlen(rule));
}

static void another_firmware_machine_or_disk_is_named(void **state)
{
	static const struct {
		size_t n;
		uint32_t pcr;
		const char *logged, *what, *guess;
	} all[] = {
		{0, 0, "firmware version", "EV_EFI_PLATFORM_FIRMWARE_BLOB: PEI volume of the firmware", "other memory or another processor"},
		{0, 0, "firmware version", "EV_S_CRTM_VERSION: version of the firmware, 1", "replaced or updated"},
		{1, 1, "boot order", "EV_PLATFORM_CONFIG_FLAGS: ACPI file etc/acpi/tables", "another version of QEMU"},
		{1, 1, "boot order", "EV_EFI_VARIABLE_BOOT: boot order", "boot options were changed"},
		{2, 5, "GPT", "EV_EFI_GPT_EVENT: partition table of the disk", "partitioned anew"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct world *w = world_sound();
		struct refvalues sound = {0}, other = {0};
		char *text = malloc(65536), fact[200];

		assert_non_null(text);
		world_seal(w);
		judge_machine(w, all[i].n, all[i].pcr, all[i].logged, NULL, text);
		load(text, &sound);
		run(w, &sound, NULL, true);
		assert_int_equal(x.n, 0); /* the sound twin: judged, and accepted */
		judge_machine(w, all[i].n, all[i].pcr, all[i].logged, all[i].what, text);
		load(text, &other);
		run(w, &other, NULL, true);
		assert_int_equal(x.n, 1);
		(void)snprintf(fact, sizeof(fact), "the %s is another than the expected one", strstr(all[i].what, ": ") + 2);
		assert_non_null(strstr(finding((int)all[i].pcr, fact)->guess, all[i].guess));
		refvalues_free(&sound);
		refvalues_free(&other);
		world_free(w);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_firmware_machine_or_disk_is_named),
		cmocka_unit_test(an_older_version_is_recognised_by_its_own_reference_values),
		cmocka_unit_test(a_command_line_is_derived_from_what_the_host_proved),
		cmocka_unit_test(one_event_too_many_or_too_few_is_one_finding),
		cmocka_unit_test(without_a_signer_nothing_is_proven),
		cmocka_unit_test(the_page_takes_no_markup_from_a_log),
		cmocka_unit_test(the_place_where_texts_differ_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
