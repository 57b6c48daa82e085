/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/fuzz/fuzz_tpm_answers.c - a TPM that answers anything, to the whole of pid1_floor_open(): it ends, and never with a floor that
 * was not read under a session whose HMAC was right
 *
 * Input: answers, each behind its length of one byte times four; the header's size is put right, so that more than it is tried.
 */
#include "init/floor.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_answers(int fd, const uint8_t *data, size_t size)
{
	while (size > 1) {
		size_t n = 10 + data[0] * 4u;
		uint8_t b[10 + 255 * 4] = { 0x80, 0x01 };

		n = n < size - 1 + 10 ? n : size - 1 + 10;
		memcpy(b + 6, data + 1, n - 10 < 4 ? n - 10 : 4);
		memcpy(b + 10, data + 1, n - 10);
		b[6] = 0; /* mostly successes: the first byte of four decides */
		b[7] = 0;
		if (b[8] < 0xc0)
			b[8] = b[9] = 0;
		b[4] = (uint8_t)(n >> 8);
		b[5] = (uint8_t)n;
		if (send(fd, b, n, MSG_DONTWAIT) < 0)
			return;
		size -= n - 10 + 1;
		data += n - 10 + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct pcr_policies states = { .n = 1, .v = { { .pcrs = 0x880, .signature_bytes = 256 } } };
	static struct pid1_policy_key key = { .reference = PCR_POLICY_BOOT };
	struct tpm_io tpm = { .timeout_ms = 0 };
	struct pid1_floor_params p = { .tpm = &tpm, .pcr_key = &key, .policies = &states };
	struct pid1_floor_found found;
	struct err e = ERR_INIT;
	int fd[2];

	if (size < 1 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd))
		return 0;
	tpm.fd = fd[0];
	p.mark = *data & 1 ? key.name : NULL;
	put_answers(fd[1], data + 1, size - 1);
	if (!pid1_floor_open(&p, &found, &e) && (found.verdict == PID1_FLOOR_READ || found.verdict == PID1_FLOOR_NEW))
		__builtin_trap();
	close(fd[0]);
	close(fd[1]);
	return 0;
}
