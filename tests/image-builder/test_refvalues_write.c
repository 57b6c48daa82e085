/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/image-builder/test_refvalues_write.c - the document has the shape of docs/formats/README.md, and all or nothing
 */
#include "tests/image-builder/make.h"

#include "common/hex.h"
#include "common/json.h"
#include "image-builder/refvalues_write.h"

#define H0 "0000000000000000000000000000000000000000000000000000000000000000"
#define H1 "0100000000000000000000000000000000000000000000000000000000000000"

static struct predict_event one_event = {{1}, "a \"label\" of /x"};

static struct predict rules(void)
{
	struct predict p = {0};

	for (size_t i = 0; i < PREDICT_PCRS; i++)
		p.pcr[i].rule = PREDICT_ZERO;
	p.pcr[0] = (struct predict_pcr){.rule = PREDICT_UNJUDGED, .why = "why"};
	p.pcr[4] = (struct predict_pcr){.rule = PREDICT_SEQUENCE, .event = {&one_event, 1}};
	p.pcr[10] = (struct predict_pcr){.rule = PREDICT_IMA, .event = {&one_event, 1}, .then = {&one_event, 1}};
	p.pcr[13] = (struct predict_pcr){.rule = PREDICT_SEQUENCE, .then = {&one_event, 1}};
	p.pcr[15] = (struct predict_pcr){.rule = PREDICT_SEQUENCE, .event = {&one_event, 1}, .state_volume = true};
	return p;
}

static const struct refvalues_image image = {.name = "demo", .version = 7, .arch = "x86_64", .profile = "enforce"};

static void the_document_is_exactly_this(void **state)
{
	static const char want[] =
		"{\"holdfast\":\"reference-values/1\",\"image\":{\"name\":\"demo\",\"version\":7,\"arch\":\"x86_64\","
		"\"profile\":\"enforce\",\"root_hash\":\"" H0
		"\"},\"bank\":\"sha256\",\"pcrs\":{\"0\":{\"unjudged\":\"why\"},"
		"\"1\":{\"zero\":true},\"2\":{\"zero\":true},\"3\":{\"zero\":true},"
		"\"4\":{\"sequence\":[{\"digest\":\"" H1 "\",\"what\":\"a \\\"label\\\" of /x\"}]},"
		"\"5\":{\"zero\":true},\"6\":{\"zero\":true},\"7\":{\"zero\":true},\"8\":{\"zero\":true},\"9\":{"
		"\"zero\":true},"
		"\"10\":{\"ima\":{\"files\":[{\"digest\":\"" H1 "\",\"what\":\"a \\\"label\\\" of /x\"}],"
		"\"verity_root_digests\":[\"" H1 "\"]}},\"11\":{\"zero\":true},\"12\":{\"zero\":true},"
		"\"13\":{\"sequence\":[],\"then\":[{\"digest\":\"" H1 "\",\"what\":\"a \\\"label\\\" of /x\"}]},"
		"\"14\":{\"zero\":true},\"15\":{\"sequence\":[{\"digest\":\"" H1 "\",\"what\":\"a \\\"label\\\" of /x\"}],"
		"\"state_volume\":true}}}\n";
	cleanup_buf struct buf out = BUF_INIT, again = BUF_INIT;
	cleanup_json json_object *o = NULL;
	struct predict p = rules();
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(refvalues_write(&image, &p, &out, &e), &e);
	assert_ok(refvalues_write(&image, &p, &again, &e), &e);
	assert_int_equal(out.len, strlen(want));
	assert_memory_equal(out.data, want, out.len);
	assert_memory_equal(again.data, out.data, out.len);
	assert_ok(json_parse(out.data, out.len, "refvalues.json", &o, &e), &e);
}

/* For `explain`: it stands behind the rules, and only if there is something to describe. */
static void what_digests_were_made_from_is_described(void **state)
{
	static const char want[] = "},\"describe\":{\"command_line\":\"a \\\"b\\\" roothash=0\",\"layer_policy_version\":9}}\n";
	struct refvalues_image described = image;
	cleanup_buf struct buf out = BUF_INIT;
	struct predict p = rules();
	struct err e = ERR_INIT;

	(void)state;
	described.command_line = "a \"b\" roothash=0";
	described.layer_policy_version = 9;
	assert_ok(refvalues_write(&described, &p, &out, &e), &e);
	assert_true(out.len > strlen(want));
	assert_memory_equal(out.data + out.len - strlen(want), want, strlen(want));
}

static void a_pcr_without_a_rule_is_refused_and_nothing_written(void **state)
{
	cleanup_buf struct buf out = BUF_INIT;
	struct predict p = rules();
	struct err e = ERR_INIT;

	(void)state;
	p.pcr[15].rule = PREDICT_UNSET;
	assert_refused(refvalues_write(&image, &p, &out, &e), &e, EINVAL, "PCR 15 has no rule");
	assert_int_equal(out.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_document_is_exactly_this),
		cmocka_unit_test(what_digests_were_made_from_is_described),
		cmocka_unit_test(a_pcr_without_a_rule_is_refused_and_nothing_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
