/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/attest/test_evidence.c - evidence and the agent's messages: one shape each, and what the quote is bound to */
#include "tests/common/check.h"

#include "attest/cbor.h"
#include "attest/evidence.h"
#include "attest/message.h"
#include "common/file.h"
#include "common/hex.h"

/* The files were written by an independent encoder (a few lines of Python with struct, after RFC 8949 section 3). */
#define EVIDENCE "tests/data/evidence/"
#define MESSAGES "tests/data/agent-message/"

static void load(const char *folder, const char *name, struct buf *ret)
{
	char path[256];
	struct err e = ERR_INIT;

	(void)snprintf(path, sizeof(path), "%s%s.cbor", folder, name);
	assert_ok(file_read(path, 1 << 20, ret, &e), &e);
}

static struct bytes text(const char *s)
{
	return (struct bytes){(const uint8_t *)s, strlen(s)};
}

static void good_evidence_is_read_and_written_back_to_the_same_bytes(void **state)
{
	cleanup_buf struct buf file = BUF_INIT, again = BUF_INIT;
	struct err e = ERR_INIT;
	struct evidence ev;

	(void)state;
	load(EVIDENCE, "good-evidence", &file);
	assert_ok(evidence_parse(file.data, file.len, &ev, &e), &e);
	assert_int_equal(ev.attest.n, 11);
	assert_int_equal(ev.firmware_log.n, 360);
	assert_int_equal(ev.os_log.n, 6);
	assert_memory_equal(ev.os_log.p, "os log", 6);
	assert_int_equal(ev.ima_log.n, 0);
	assert_ok(evidence_encode(&ev, &again, &e), &e);
	assert_int_equal(again.len, file.len);
	assert_memory_equal(again.data, file.data, file.len);
}

static void bad_evidence_is_refused_with_the_rule_it_breaks(void **state)
{
	static const struct {
		const char *file;
		const char *part;
	} cases[] = {
		{"bad-evidence-version", "version 2, wanted 1"},
		{"bad-evidence-trailing", "1 bytes stand behind the end"},
		{"bad-evidence-missing-member", "5 members, wanted exactly 6"},
		{"bad-evidence-extra-member", "7 members, wanted exactly 6"},
		{"bad-evidence-order", "is not \"attest\""},
		{"bad-evidence-duplicate", "is not \"signature\""},
		{"bad-evidence-no-version", "is not \"v\""},
		{"bad-evidence-empty-attest", "attest at byte"},
		{"bad-evidence-empty-os-log", "os-log at byte"},
		{"bad-evidence-text-for-bytes", "another type"},
		{"bad-evidence-indefinite-map", "indefinite lengths"},
		{"bad-evidence-long-head", "shortest form"},
		{"bad-evidence-cut", "ends"},
		{"bad-evidence-length-lies", "the input ends inside it"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_buf struct buf file = BUF_INIT;
		struct err e = ERR_INIT;
		struct evidence ev;

		load(EVIDENCE, cases[i].file, &file);
		assert_refused(evidence_parse(file.data, file.len, &ev, &e), &e, EINVAL, cases[i].part);
	}
}

static void evidence_of_64_KiB_is_the_largest(void **state)
{
	static uint8_t log[EVIDENCE_MAX_BYTES];
	struct evidence ev = {.attest = text("a"), .signature = text("s"), .os_log = text("o")};
	cleanup_buf struct buf least = BUF_INIT, most = BUF_INIT, more = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	ev.firmware_log = (struct bytes){log, 60000}; /* its head has three bytes, as any size up to 65535 */
	assert_ok(evidence_encode(&ev, &least, &e), &e);
	ev.firmware_log.n = EVIDENCE_MAX_BYTES - (least.len - 60000);
	assert_ok(evidence_encode(&ev, &most, &e), &e);
	assert_int_equal(most.len, EVIDENCE_MAX_BYTES);
	assert_ok(evidence_parse(most.data, most.len, &ev, &e), &e);
	ev.firmware_log.n++;
	assert_refused(evidence_encode(&ev, &more, &e), &e, E2BIG, "at most 65536");
	assert_int_equal(more.len, 0);
	assert_refused(evidence_parse(log, EVIDENCE_MAX_BYTES + 1, &ev, &e), &e, EINVAL, "at most 65536");
}

/*
 * printf 'fw' >a; printf 'os' >b; : >c
 * { printf 'holdfast-evidence/1\0'; printf 'n%.0s' $(seq 32); for f in a b c; do openssl dgst -sha256 -binary $f; done;
 * } | sha256sum
 */
static void the_binding_is_that_of_another_implementation(void **state)
{
	const struct evidence ev = {.firmware_log = text("fw"), .os_log = text("os")};
	uint8_t nonce[EVIDENCE_NONCE_BYTES], binding[HASH_SHA256_BYTES];
	char hex[2 * HASH_SHA256_BYTES + 1];

	(void)state;
	memset(nonce, 'n', sizeof(nonce));
	evidence_binding(nonce, &ev, binding);
	hex_encode(binding, sizeof(binding), hex);
	assert_string_equal(hex, "69d1a2a113e7f768877e6487aeb80c7f06b6469d12897d2245184d3fd70f5670");
}

static void the_binding_changes_with_the_nonce_and_with_each_log(void **state)
{
	const struct evidence base = {.firmware_log = text("fw"), .os_log = text("os"), .ima_log = text("ima")};
	struct evidence other[] = {base, base, base, base};
	uint8_t nonce[EVIDENCE_NONCE_BYTES] = {0}, want[HASH_SHA256_BYTES], have[HASH_SHA256_BYTES];

	(void)state;
	other[0].firmware_log = text("fv");
	other[1].os_log = text("");
	other[2].ima_log = text("os");
	other[3].os_log = base.ima_log; /* exchanged */
	other[3].ima_log = base.os_log;
	evidence_binding(nonce, &base, want);
	for (size_t i = 0; i < ARRAY_SIZE(other); i++) {
		evidence_binding(nonce, &other[i], have);
		assert_false(hash_equal(have, sizeof(have), want, sizeof(want)));
	}
	nonce[31] = 1;
	evidence_binding(nonce, &base, have);
	assert_false(hash_equal(have, sizeof(have), want, sizeof(want)));
}

static void each_message_is_read_and_written_back_to_the_same_bytes(void **state)
{
	static const struct {
		const char *file;
		enum message_side side;
		enum message_kind kind;
		size_t first_bytes;
	} cases[] = {
		{"good-identify", MESSAGE_REQUEST, MESSAGE_IDENTIFY, 0},
		{"good-activate", MESSAGE_REQUEST, MESSAGE_ACTIVATE, 70},
		{"good-ask-evidence", MESSAGE_REQUEST, MESSAGE_ASK_EVIDENCE, 32},
		{"good-identity", MESSAGE_ANSWER, MESSAGE_IDENTITY, 316},
		{"good-activated", MESSAGE_ANSWER, MESSAGE_ACTIVATED, 32},
		{"good-evidence-answer", MESSAGE_ANSWER, MESSAGE_EVIDENCE, 441},
		{"good-error", MESSAGE_ANSWER, MESSAGE_ERROR, 6},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_buf struct buf file = BUF_INIT, again = BUF_INIT;
		struct err e = ERR_INIT;
		struct message m;

		load(MESSAGES, cases[i].file, &file);
		assert_ok(message_parse(cases[i].side, file.data, file.len, &m, &e), &e);
		assert_int_equal(m.kind, cases[i].kind);
		assert_int_equal(m.field[0].n, cases[i].first_bytes);
		assert_ok(message_encode(&m, &again, &e), &e);
		assert_int_equal(again.len, file.len);
		assert_memory_equal(again.data, file.data, file.len);
	}
}

static void bad_messages_are_refused_with_the_rule_they_break(void **state)
{
	static const struct {
		const char *file;
		enum message_side side;
		const char *part;
	} cases[] = {
		{"bad-request-unknown-op", MESSAGE_REQUEST, "op \"reboot\" is not one we know"},
		{"bad-request-answer-as-request", MESSAGE_REQUEST, "op \"activated\" is not one we know"},
		{"bad-request-short-nonce", MESSAGE_REQUEST, "nonce has 31 bytes, wanted at least 32"},
		{"bad-request-long-nonce", MESSAGE_REQUEST, "has 33 bytes, at most 32"},
		{"bad-request-op-not-first", MESSAGE_REQUEST, "is not \"op\""},
		{"bad-request-extra-member", MESSAGE_REQUEST, "has 2 members, wanted 1"},
		{"bad-request-trailing", MESSAGE_REQUEST, "stand behind the end"},
		{"bad-request-empty-map", MESSAGE_REQUEST, "has 0 members"},
		{"bad-request-long-op", MESSAGE_REQUEST, "at most 16"},
		{"bad-request-huge-blob", MESSAGE_REQUEST, "has 257 bytes, at most 256"},
		{"bad-request-not-cbor", MESSAGE_REQUEST, "another type"},
		{"good-identify", MESSAGE_ANSWER, "op \"identify\" is not one we know"},
		{"bad-answer-escape-in-error", MESSAGE_ANSWER, "printable ASCII"},
		{"bad-answer-empty-credential", MESSAGE_ANSWER, "credential has 0 bytes"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_buf struct buf file = BUF_INIT;
		struct err e = ERR_INIT;
		struct message m;

		load(MESSAGES, cases[i].file, &file);
		assert_refused(message_parse(cases[i].side, file.data, file.len, &m, &e), &e, EINVAL, cases[i].part);
	}
}

static void an_error_answer_is_cleaned_and_cut(void **state)
{
	char long_text[600];
	cleanup_buf struct buf b = BUF_INIT, c = BUF_INIT;
	struct err e = ERR_INIT;
	struct message m;

	(void)state;
	assert_ok(message_error("a\x1b[2Jb\n\xff", &b, &e), &e);
	assert_ok(message_parse(MESSAGE_ANSWER, b.data, b.len, &m, &e), &e);
	assert_int_equal(m.field[0].n, 8);
	assert_memory_equal(m.field[0].p, "a?[2Jb??", 8);
	memset(long_text, 'x', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	assert_ok(message_error(long_text, &c, &e), &e);
	assert_ok(message_parse(MESSAGE_ANSWER, c.data, c.len, &m, &e), &e);
	assert_int_equal(m.field[0].n, MESSAGE_MAX_TEXT_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_evidence_is_read_and_written_back_to_the_same_bytes),
		cmocka_unit_test(bad_evidence_is_refused_with_the_rule_it_breaks),
		cmocka_unit_test(evidence_of_64_KiB_is_the_largest),
		cmocka_unit_test(the_binding_is_that_of_another_implementation),
		cmocka_unit_test(the_binding_changes_with_the_nonce_and_with_each_log),
		cmocka_unit_test(each_message_is_read_and_written_back_to_the_same_bytes),
		cmocka_unit_test(bad_messages_are_refused_with_the_rule_they_break),
		cmocka_unit_test(an_error_answer_is_cleaned_and_cut),
	};

	return cmocka_run_group_tests_name("attest/evidence", tests, NULL, NULL);
}
