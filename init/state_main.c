/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/state_main.c - holdfast-state: make or open the sealed state volume, on PID 1's behalf
 *
 * holdfast-state plain|integrity none|print|escrow: standard input is the TPM, standard output takes a struct
 * pid1_sealed_answer, standard error the recovery key. Both programs are of one build and one root. Exit: 0 if it answered.
 *
 * Runs as: root, a child of PID 1, before `sysinit`; afterwards the TPM obeys it no more than anybody. Theory of operation: init/sealed.h.
 */
#include "init/sealed_volume.h"

#include "common/cli.h"
#include "common/codes.h"
#include "common/file.h"
#include "init/measure_log.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_CLASS        "/sys/class/block"
#define ESCROW_CERTIFICATE "/etc/holdfast/state-escrow.pem"
#define HEADER             "/run/holdfast/state-header"
#define MAX_PEM_BYTES      16384
#define MAX_UEVENT_BYTES   4096
#define DEVICE_BYTES       64

/* PEM: with a NUL behind it. */
static int load(const char *path, struct buf *ret, struct err *e)
{
	int r = file_read(path, MAX_PEM_BYTES, ret, e);

	buf_u8(ret, 0);
	return r ? r : ret->bad ? err_set(e, ENOMEM, "no memory for %s", path) : 0;
}

/* The value of "@key=" at a line's begin in @text, its length in *@ret_n; NULL if there is none. */
static const char *uevent_value(const char *text, const char *key, size_t *ret_n)
{
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (!strncmp(line, key, strlen(key))) {
			*ret_n = strcspn(line + strlen(key), "\n");
			return line + strlen(key);
		}
	return NULL;
}

/* Is @name a partition of our label? Then its device node. */
static bool is_ours(const char *name, char ret[static DEVICE_BYTES])
{
	cleanup_buf struct buf text = BUF_INIT;
	struct err none = ERR_INIT;
	char path[300];
	const char *v;
	size_t n = 0;

	(void)snprintf(path, sizeof(path), BLOCK_CLASS "/%s/uevent", name); /* a name has 255 bytes at most */
	if (file_read(path, MAX_UEVENT_BYTES, &text, &none))
		return false; /* it went away */
	v = uevent_value((const char *)text.data, "PARTNAME=", &n);
	if (!v || n != strlen(PID1_SEALED_LABEL) || memcmp(v, PID1_SEALED_LABEL, n))
		return false;
	v = uevent_value((const char *)text.data, "DEVNAME=", &n);
	return v && (size_t)snprintf(ret, DEVICE_BYTES, "/dev/%.*s", (int)n, v) < DEVICE_BYTES;
}

/* The one partition of that label. Which of two would be right nobody could say. */
static int find_partition(char ret[static DEVICE_BYTES], struct err *e)
{
	DIR *d = opendir(BLOCK_CLASS);
	struct dirent *entry;
	size_t n = 0;

	if (!d)
		return err_errno(e, "cannot open " BLOCK_CLASS);
	while ((entry = readdir(d)))
		n += entry->d_name[0] != '.' && is_ours(entry->d_name, ret);
	(void)closedir(d);
	return n == 1 ? 0 : err_set(e, ENODEV, "%zu partitions have the label " PID1_SEALED_LABEL ", wanted one", n);
}

/* --- */

/* Whom the TPM obeys: the PCR key, and what it signed; for the machine's secret, and for the volume's key. */
static int load_policies(struct pid1_sealed_tpm *t, struct buf *pem, struct err *e)
{
	static struct pid1_policy_key boot_key, key;
	static struct pcr_policies boot, states;
	cleanup_buf struct buf text = BUF_INIT;
	int r = load(PCR_POLICY_KEY, pem, e);

	r = r ? r : pid1_policy_key_load(pem->data, pem->len - 1, PCR_POLICY_KEY, PCR_POLICY_BOOT, &boot_key, e);
	r = r ? r : pid1_policy_key_load(pem->data, pem->len - 1, PCR_POLICY_KEY, PCR_POLICY_STATE, &key, e);
	r = r ? r : file_read(PCR_POLICY_PATH, PCR_POLICY_MAX_BYTES, &text, e);
	r = r ? r : pcr_policy_parse(text.data, text.len, PCR_POLICY_PATH, PCR_POLICY_BOOT, &boot, e);
	r = r ? r : pcr_policy_parse(text.data, text.len, PCR_POLICY_PATH, PCR_POLICY_STATE, &states, e);
	t->floor.pcr_key = &boot_key;
	t->floor.policies = &boot;
	t->key = &key;
	t->states = &states;
	return r;
}

static int open_volume(struct pid1_sealed_volume *v, struct pid1_sealed_answer *ret)
{
	static char device[DEVICE_BYTES];
	int r;

	ret->code = CODE_STATE_SEALED;
	r = pid1_sealed_tpm_open(v->tpm, &ret->e);
	if (r)
		return r;
	ret->code = CODE_STATE;
	r = find_partition(device, &ret->e);
	v->partition = device;
	return r ? r : pid1_sealed_volume_open(v, ret, &ret->code, &ret->e);
}

static int run(struct pid1_sealed_volume *v, struct pid1_sealed_answer *ret)
{
	static struct tpm_io io = { .fd = 0, .timeout_ms = PID1_TPM_TIMEOUT_MS };
	static struct pid1_sealed_tpm tpm = { .floor.tpm = &io };
	cleanup_buf struct buf pem = BUF_INIT, escrow = BUF_INIT;
	int r;

	ret->code = CODE_STATE;
	r = load_policies(&tpm, &pem, &ret->e);
	if (!r && v->recovery == PID1_SEALED_RECOVERY_ESCROW)
		r = load(ESCROW_CERTIFICATE, &escrow, &ret->e);
	v->tpm = &tpm;
	v->pcr_pem = (const char *)pem.data;
	v->escrow_pem = (const char *)escrow.data;
	r = r ? r : open_volume(v, ret);
	explicit_bzero(&tpm, sizeof(tpm));
	return r;
}

int main(int argc, char **argv)
{
	static const char *const recoveries[] = { "none", "print", "escrow" };
	static struct pid1_sealed_answer answer;
	struct pid1_sealed_volume v = { .header = HEADER, .tell = 2, .activate = true };
	size_t i = 0;

	_Static_assert(ARRAY_SIZE(recoveries) == PID1_SEALED_RECOVERIES_, "every recovery has its word");
	while (argc == 3 && i < ARRAY_SIZE(recoveries) && strcmp(argv[2], recoveries[i]) != 0)
		i++;
	if (argc != 3 || i == ARRAY_SIZE(recoveries) || (strcmp(argv[1], "plain") != 0 && strcmp(argv[1], "integrity") != 0)) {
		(void)fprintf(stderr, "usage: holdfast-state plain|integrity none|print|escrow\n"
				      "Started by PID 1, with the TPM as standard input; see holdfast-state(8).\n");
		return CLI_USAGE;
	}
	v.integrity = !strcmp(argv[1], "integrity");
	v.recovery = (enum pid1_sealed_recovery)i;
	if (!run(&v, &answer)) {
		answer.code = CODE_NONE;
		answer.e.code = 0; /* what was found absent on the way is no error */
	}
	return write(1, &answer, sizeof(answer)) == (ssize_t)sizeof(answer) ? 0 : 3;
}
