/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/floor_main.c - holdfast-floor: ask the TPM for the rollback floor, and authorise its raise, on PID 1's behalf
 *
 * holdfast-floor MARK ROOT LAYER-POLICY IPE-POLICY: standard input is the TPM, standard output takes a struct pid1_floor_answer; MARK is the
 * SRK's name in hex or "-", the others are the running versions. Both programs are of one build and one root. Exit: 0 if it answered.
 *
 * Runs as: root, a child of PID 1, before `ready`; afterwards the TPM obeys it no more than anybody. Theory of operation: init/floor.h.
 */
#include "init/floor.h"

#include "common/file.h"
#include "common/hex.h"
#include "init/measure_log.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_KEY_BYTES      4096
#define MAX_DOCUMENT_BYTES 16384

static int load(const char *path, size_t max, struct buf *ret, struct err *e)
{
	int r = file_read(path, max, ret, e);

	buf_u8(ret, 0); /* for PEM */
	return r ? r : ret->bad ? err_set(e, ENOMEM, "no memory for %s", path) : 0;
}

static int ask(const struct pid1_floor_params *p, const struct pid1_floor *running, struct pid1_floor_answer *ret)
{
	struct pid1_floor to;
	int r = pid1_floor_open(p, &ret->found, &ret->e);

	if (r || (ret->found.verdict != PID1_FLOOR_READ && ret->found.verdict != PID1_FLOOR_NEW))
		return r;
	if (pid1_floor_below(&ret->found.floor, running) != PID1_FLOOR_WHAT_ ||
	    !pid1_floor_raised(&ret->found.floor, running, &to))
		return 0;
	return pid1_floor_arm(p, &to, &ret->armed, &ret->e);
}

int main(int argc, char **argv)
{
	static struct tpm_io tpm = { .fd = 0, .timeout_ms = PID1_TPM_TIMEOUT_MS };
	static struct pid1_floor_answer answer;
	static struct pid1_policy_key key;
	cleanup_buf struct buf pem = BUF_INIT, text = BUF_INIT;
	struct pid1_floor_params p = { .tpm = &tpm, .pcr_key = &key };
	struct pid1_floor running = { { 0 } };
	struct pid1_policy_doc doc;
	uint8_t mark[PID1_TPM_NAME_BYTES];
	int r;

	if (argc != 2 + PID1_FLOOR_WHAT_)
		return 2;
	if (strcmp(argv[1], "-") != 0) {
		if (!hex_decode(argv[1], mark, sizeof(mark)))
			return 2;
		p.mark = mark;
	}
	for (int i = 0; i < PID1_FLOOR_WHAT_; i++)
		running.version[i] = strtoull(argv[2 + i], NULL, 10);
	r = load(PID1_PCR_KEY, MAX_KEY_BYTES, &pem, &answer.e);
	r = r ? r : pid1_policy_key_load((const char *)pem.data, &key, &answer.e);
	r = r ? r : load(PID1_PCR_POLICIES, MAX_DOCUMENT_BYTES, &text, &answer.e);
	if (!r) {
		doc = (struct pid1_policy_doc){ .text = (const char *)text.data, .bytes = text.len - 1 };
		p.policies = &doc;
		r = ask(&p, &running, &answer);
	}
	if (!r)
		answer.e.code = 0; /* what was found absent on the way is no error */
	return write(1, &answer, sizeof(answer)) == (ssize_t)sizeof(answer) ? 0 : 3;
}
