/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/common/test_tpm_cmd.c - the raw TPM commands against a TPM that lies
 *
 * The TPM is the other end of a SOCK_SEQPACKET pair: its answer is put there before the command is sent, and the
 * command's bytes are read back after. A real TPM answers in the VM tests.
 */
#include "tests/common/check.h"

#include "common/tpm_cmd.h"

#include "common/cleanup.h"

#include <sys/socket.h>

/* Run one call against one prepared answer; keep what was sent. */
struct fake {
	int fd[2];
	uint8_t sent[1024];
	ssize_t sent_bytes;
};

static struct fake fake_open(const void *answer, size_t n)
{
	struct fake f = { .sent_bytes = 0 };

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, f.fd), 0);
	if (n)
		assert_int_equal(write(f.fd[1], answer, n), n);
	return f;
}

static void fake_close(struct fake *f)
{
	f->sent_bytes = recv(f->fd[1], f->sent, sizeof(f->sent), MSG_DONTWAIT);
	assert_int_equal(close(f->fd[0]), 0);
	assert_int_equal(close(f->fd[1]), 0);
}

static const uint8_t ok_extend[] = { 0x80, 2, 0, 0, 0, 19, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0 };

static void extend_sends_the_bytes_of_the_specification(void **state)
{
	/* TPM 2.0 part 3 section 22.2, by hand: tag, size, code, handle 11, auth area, one digest of sha256. */
	static const uint8_t want[] = { 0x80, 2, 0, 0, 0, 65, 0, 0, 1, 0x82, 0, 0, 0, 11, 0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 11 };
	struct tpm_digest d = { .alg = HASH_SHA256, .digest = { 0xaa, 0xbb } };
	struct fake f = fake_open(ok_extend, sizeof(ok_extend));
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(tpm_cmd_extend(f.fd[0], 1000, 11, &d, 1, &e), &e);
	fake_close(&f);
	assert_int_equal(f.sent_bytes, sizeof(want) + 32);
	assert_memory_equal(f.sent, want, sizeof(want));
	assert_memory_equal(f.sent + sizeof(want), d.digest, 32);
}

static void a_refusal_names_the_response_code(void **state)
{
	static const uint8_t refused[] = { 0x80, 1, 0, 0, 0, 10, 0, 0, 9, 0x21 }; /* TPM_RC_LOCKOUT */
	struct tpm_digest d = { .alg = HASH_SHA256 };
	struct fake f = fake_open(refused, sizeof(refused));
	struct err e = ERR_INIT;

	(void)state;
	assert_refused(tpm_cmd_extend(f.fd[0], 1000, 13, &d, 1, &e), &e, EPROTO, "PCR 13 was not extended: the TPM refused with response code 0x921");
	fake_close(&f);
}

static void a_lying_size_or_a_cut_answer_is_refused(void **state)
{
	struct tpm_digest d = { .alg = HASH_SHA256 };
	uint8_t bad[sizeof(ok_extend)];

	(void)state;
	for (size_t n = 1; n < sizeof(ok_extend); n++) {
		struct fake f = fake_open(ok_extend, n);
		struct err e = ERR_INIT;

		assert_refused(tpm_cmd_extend(f.fd[0], 1000, 13, &d, 1, &e), &e, EPROTO, "answer says");
		fake_close(&f);
	}
	memcpy(bad, ok_extend, sizeof(bad));
	bad[5] = 200;
	struct fake f = fake_open(bad, sizeof(bad));
	struct err e = ERR_INIT;

	assert_refused(tpm_cmd_extend(f.fd[0], 1000, 13, &d, 1, &e), &e, EPROTO, "says 200 bytes and has 19");
	fake_close(&f);
}

static void a_silent_tpm_ends_in_a_timeout(void **state)
{
	struct tpm_digest d = { .alg = HASH_SHA256 };
	struct fake f = fake_open(NULL, 0);
	struct err e = ERR_INIT;

	(void)state;
	assert_refused(tpm_cmd_extend(f.fd[0], 20, 13, &d, 1, &e), &e, ETIMEDOUT, "did not answer within 20 ms");
	fake_close(&f);
}

static void banks_with_pcrs_are_listed_and_empty_ones_are_not(void **state)
{
	static const uint8_t answer[] = { 0x80, 1, 0, 0, 0, 37, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 3, 0, 4, 3, 0, 0, 0,
					  0, 11, 3, 255, 255, 255, 0, 12, 3, 255, 255, 255 };
	static const uint8_t sm3[] = { 0x80, 1, 0, 0, 0, 25, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 1, 0, 0x12, 3, 255, 255, 255 };
	static const uint8_t none[] = { 0x80, 1, 0, 0, 0, 19, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0 };
	struct tpm_banks b;
	struct err e = ERR_INIT;
	struct fake f = fake_open(answer, sizeof(answer));

	(void)state;
	assert_ok(tpm_cmd_banks(f.fd[0], 1000, &b, &e), &e);
	fake_close(&f);
	assert_int_equal(b.n, 2);
	assert_int_equal(b.alg[0], HASH_SHA256);
	assert_int_equal(b.alg[1], HASH_SHA384);
	/* A bank we could not extend would be left for others to fill: refused. */
	f = fake_open(sm3, sizeof(sm3));
	assert_refused(tpm_cmd_banks(f.fd[0], 1000, &b, &e), &e, ENOTSUP, "algorithm 0x12");
	fake_close(&f);
	f = fake_open(none, sizeof(none));
	assert_refused(tpm_cmd_banks(f.fd[0], 1000, &b, &e), &e, EPROTO, "malformed or empty");
	fake_close(&f);
}

static void a_pcr_is_read_and_malformed_answers_are_not(void **state)
{
	uint8_t answer[10 + 4 + 4 + 6 + 4 + 2 + 32] = { 0x80, 1, 0, 0, 0, 62, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1, 0, 11, 3, 0, 8, 0, 0, 0, 0, 1, 0, 32, 0x77 };
	static const uint8_t empty[] = { 0x80, 1, 0, 0, 0, 28, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1, 0, 11, 3, 0, 0, 0, 0, 0, 0, 0 };
	uint8_t v[32];
	struct err e = ERR_INIT;
	struct fake f = fake_open(answer, sizeof(answer));

	(void)state;
	assert_ok(tpm_cmd_read(f.fd[0], 1000, 11, HASH_SHA256, v, &e), &e);
	fake_close(&f);
	assert_int_equal(v[0], 0x77);
	assert_memory_equal(f.sent, "\x80\x01\0\0\0\x14\0\0\x01\x7e\0\0\0\x01\0\x0b\x03\0\x08\0", 20);
	answer[29] = 31;
	f = fake_open(answer, sizeof(answer));
	assert_refused(tpm_cmd_read(f.fd[0], 1000, 11, HASH_SHA256, v, &e), &e, EPROTO, "PCR 11 is malformed");
	fake_close(&f);
	f = fake_open(empty, sizeof(empty));
	assert_refused(tpm_cmd_read(f.fd[0], 1000, 11, HASH_SHA256, v, &e), &e, ENOENT, "no PCR 11 in bank sha256");
	fake_close(&f);
	assert_refused(tpm_cmd_read(-1, 1000, 24, HASH_SHA256, v, &e), &e, EINVAL, "no PCR 24");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(extend_sends_the_bytes_of_the_specification),
		cmocka_unit_test(a_refusal_names_the_response_code),
		cmocka_unit_test(a_lying_size_or_a_cut_answer_is_refused),
		cmocka_unit_test(a_silent_tpm_ends_in_a_timeout),
		cmocka_unit_test(banks_with_pcrs_are_listed_and_empty_ones_are_not),
		cmocka_unit_test(a_pcr_is_read_and_malformed_answers_are_not),
	};

	return cmocka_run_group_tests_name("common/tpm_cmd", tests, NULL, NULL);
}
