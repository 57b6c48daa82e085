/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/floor_main.c - holdfast-floor: check the rollback floor and authorise its raise, on PID 1's behalf
 *
 * holdfast-floor uefi|direct tpm|none ROOT-VERSION POLICY-VERSION: standard input is the TPM, if there is one; standard output takes a struct
 * pid1_floor_answer. With uefi the efivarfs is mounted, and the mark is read and written here. Exit: 0 if it answered.
 *
 * Runs as: root without capabilities, a child of PID 1, before `ready`; afterwards the TPM obeys it no more than anybody. Both
 * programs are of one build and one root. Theory of operation: init/floor.h.
 */
#include "init/floor.h"

#include "common/file.h"
#include "init/floor_mark.h"
#include "init/measure_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_KEY_BYTES 4096
#define IPE_VERSION   "/sys/kernel/security/ipe/policies/holdfast/version"

static int load(struct pid1_policy_key *key, struct pcr_policies *states, struct err *e)
{
	cleanup_buf struct buf pem = BUF_INIT, text = BUF_INIT;
	int r = file_read(PCR_POLICY_KEY, MAX_KEY_BYTES, &pem, e);

	r = r ? r : pid1_policy_key_load(pem.data, pem.len, PCR_POLICY_KEY, PCR_POLICY_BOOT, key, e);
	r = r ? r : file_read(PCR_POLICY_PATH, PCR_POLICY_MAX_BYTES, &text, e);
	return r ? r : pcr_policy_parse(text.data, text.len, PCR_POLICY_PATH, PCR_POLICY_BOOT, states, e);
}

/* What the TPM says; the mark, if it is to be written; the command that raises the floor, if it may be. */
static int open_floor(struct pid1_floor_params *p, const char *mark_path, const struct pid1_floor *running,
		      struct pid1_floor_found *ret, struct pid1_floor_answer *io)
{
	static struct pid1_policy_key key;
	static struct pcr_policies states;
	struct pid1_floor to;
	int r = load(&key, &states, &io->e);

	p->pcr_key = &key;
	p->policies = &states;
	r = r ? r : pid1_floor_open(p, ret, &io->e);
	if (r || (ret->verdict != PID1_FLOOR_READ && ret->verdict != PID1_FLOOR_NEW))
		return r;
	if (mark_path && !p->mark)
		r = pid1_floor_mark_write(mark_path, ret->mark, &io->e);
	if (r || pid1_floor_below(&ret->floor, running) != PID1_FLOOR_WHAT_ || !pid1_floor_raised(&ret->floor, running, &to))
		return r;
	pid1_floor_str(&to, io->to);
	return pid1_floor_arm(p, &to, &io->armed, &io->e);
}

static int check(bool uefi, bool tpm, struct pid1_floor *running, struct pid1_floor_answer *ret)
{
	static struct tpm_io io = { .fd = 0, .timeout_ms = PID1_TPM_TIMEOUT_MS };
	const char *mark_path = uefi ? PID1_FLOOR_MARK : NULL;
	struct pid1_floor_params p = { .tpm = &io };
	struct pid1_floor_found found = { .verdict = PID1_FLOOR_NO_TPM };
	uint8_t mark[PID1_TPM_NAME_BYTES];
	bool marked = false;
	int r = uefi ? pid1_floor_ipe_version(IPE_VERSION, &running->version[PID1_FLOOR_IPE_POLICY], &ret->e) : 0;

	if (!r && uefi)
		r = pid1_floor_mark_read(mark_path, mark, &marked, &ret->e);
	p.mark = marked ? mark : NULL;
	if (!r && tpm)
		r = open_floor(&p, mark_path, running, &found, ret);
	if (r)
		return r;
	ret->made = found.verdict == PID1_FLOOR_NEW;
	return pid1_floor_judge(&found, running, marked, ret);
}

int main(int argc, char **argv)
{
	static struct pid1_floor_answer answer = { .code = CODE_FLOOR_UNREAD };
	struct pid1_floor running = { { 0 } };

	if (argc != 5)
		return 2;
	running.version[PID1_FLOOR_ROOT] = strtoull(argv[3], NULL, 10);
	running.version[PID1_FLOOR_LAYER_POLICY] = strtoull(argv[4], NULL, 10);
	if (!check(!strcmp(argv[1], "uefi"), !strcmp(argv[2], "tpm"), &running, &answer))
		answer.code = CODE_NONE; /* what was found absent on the way is no error */
	return write(1, &answer, sizeof(answer)) == (ssize_t)sizeof(answer) ? 0 : 3;
}
