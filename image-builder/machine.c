/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/machine.c - describe a board's machine: read its firmware, ask QEMU */
#include "image-builder/machine.h"

#include "common/file.h"
#include "common/hex.h"
#include "common/proc.h"
#include "image-builder/boot.h"
#include "image-builder/folder.h"
#include "image-builder/qtest.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MAX_BLOBS        8
#define BLANK_DISK_BYTES (64 << 20)
/* What BdsDxe says of the first boot option, our empty disk; all of PCR 0 and 1 is measured by then. */
#define FIRMWARE_IS_DONE "BdsDxe: failed to load Boot0001"

/* struct asking - what the running machine is asked for */
struct asking {
	const struct board *board;
	const struct firmware *firmware;
	char qtest[PATH_MAX], monitor[PATH_MAX];
	bool ran;
	struct machine_description *ret;
};

void machine_free(struct machine_description *m)
{
	for (size_t i = 0; i < ARRAY_SIZE(m->pcr); i++)
		predict_list_free(&m->pcr[i]);
	*m = (struct machine_description){ 0 };
}

int machine_options(const struct board *b, char ret[static MACHINE_MAX_TEXT], struct err *e)
{
	int n = snprintf(ret, MACHINE_MAX_TEXT, "%s -machine %s -cpu %s -m %s -device %s", b->qemu, b->qemu_machine, b->qemu_cpu,
			 b->qemu_memory, b->qemu_tpm);

	for (size_t i = 0; i < b->qemu_arg.n && n < MACHINE_MAX_TEXT; i++)
		n += snprintf(ret + n, (size_t)(MACHINE_MAX_TEXT - n), " %s", b->qemu_arg.v[i]);
	return n < MACHINE_MAX_TEXT ? 0 : err_set(e, EINVAL, "the board's QEMU options are longer than %d characters", MACHINE_MAX_TEXT - 1);
}

int machine_check(const struct machine_description *m, const struct board *board, const char *path, struct err *e)
{
	char options[MACHINE_MAX_TEXT];
	uint8_t digest[HASH_SHA256_BYTES];
	int r = machine_options(board, options, e);

	r = r ? r : hash_sha256_file(path, digest, e);
	if (r)
		return r;
	if (!hash_equal(digest, sizeof(digest), m->firmware, sizeof(m->firmware)))
		return err_set(e, EINVAL, "the machine description is of another firmware than %s: make it anew", path);
	if (strcmp(options, m->options))
		return err_set(e, EINVAL, "the machine description is of \"%.90s\", the board says \"%.90s\": make it anew", m->options, options);
	return 0;
}

/* --- asking ---------------------------------------------------------------------------------------------------------- */

/* struct blobs - what the loader names */
struct blobs {
	struct machine_blob v[MAX_BLOBS];
	size_t n;
};

static void blobs_free(struct blobs *b)
{
	for (size_t i = 0; i < b->n; i++)
		buf_free(&b->v[i].data);
}

static int ask_tables(const struct asking *a, struct qtest *q, struct err *e)
{
	__attribute__((cleanup(blobs_free))) struct blobs blob = { 0 };
	struct predict_list *l = &a->ret->pcr[1];
	cleanup_buf struct buf loader = BUF_INIT;
	int r = qtest_fw_cfg(q, "etc/table-loader", &loader, e);

	r = r ? r : machine_loader(loader.data, loader.len, blob.v, MAX_BLOBS, &blob.n, e);
	r = r ? r : predict_add_bytes(l, loader.data, loader.len, "EV_PLATFORM_CONFIG_FLAGS", "ACPI loader", e);
	for (size_t i = 0; !r && i < blob.n; i++) {
		char what[80];

		(void)snprintf(what, sizeof(what), "ACPI file %s", blob.v[i].name); /* fits */
		r = qtest_fw_cfg(q, blob.v[i].name, &blob.v[i].data, e);
		r = r ? r : predict_add_bytes(l, blob.v[i].data.data, blob.v[i].data.len, "EV_PLATFORM_CONFIG_FLAGS", what, e);
	}
	r = r ? r : machine_boot_options(a->firmware->dxe.name, l, e);
	return r ? r : predict_add_separator(l, e);
}

/* The PEI volume where it lies in memory. Its size and signature are what it was, or it is not there. */
static int ask_code(const struct asking *a, struct qtest *q, struct err *e)
{
	const struct firmware *f = a->firmware;
	cleanup_buf struct buf now = BUF_INIT;
	uint8_t digest[HASH_SHA256_BYTES];
	struct fv fv;
	int r;

	if (!f->pei_in_memory)
		return machine_code(f, NULL, &a->ret->pcr[0], e);
	r = qtest_read(q, f->pei_address, f->pei.len, &now, e);
	r = r ? r : fv_parse(now.data, now.len, "the PEI volume in the machine's memory", &fv, e);
	if (!r && fv.len != f->pei.len)
		r = err_set(e, EINVAL, "the PEI volume has 0x%zx bytes in memory and 0x%zx in the file", fv.len, f->pei.len);
	if (r)
		return r;
	hash_sha256(now.data, now.len, digest);
	return machine_code(f, digest, &a->ret->pcr[0], e);
}

/* What was computed and read must be what was measured in this run. */
static int prove(const struct asking *a, struct qtest *q, struct err *e)
{
	for (unsigned pcr = 0; pcr < ARRAY_SIZE(a->ret->pcr); pcr++) {
		uint8_t found[HASH_SHA256_BYTES], wanted[HASH_SHA256_BYTES];
		char hex[2][2 * HASH_SHA256_BYTES + 1];
		int r = qtest_pcr(q, pcr, found, e);

		r = r ? r : predict_replay(&a->ret->pcr[pcr], wanted, e);
		if (r)
			return r;
		hex_encode(found, sizeof(found), hex[0]);
		hex_encode(wanted, sizeof(wanted), hex[1]);
		if (!hash_equal(found, sizeof(found), wanted, sizeof(wanted)))
			return err_set(e, EBADMSG, "this firmware is not understood: its events would make PCR %u %s, and the TPM "
						   "holds %s", pcr, hex[1], hex[0]);
	}
	return 0;
}

/* boot_run()'s question. The firmware goes on after its line, so it is halted; memory first: reading fw_cfg writes to it. */
static int ask(void *arg, struct err *e)
{
	struct asking *a = arg;
	struct qtest q = { .fd = -1 };
	int r = a->ret->recorded ? qtest_stop(a->monitor, e) : 0;

	a->ran = true;
	r = r ? r : qtest_open(a->qtest, a->board->arch, &q, e);
	r = r ? r : ask_code(a, &q, e);
	r = r ? r : ask_tables(a, &q, e);
	if (!r && a->ret->recorded)
		r = prove(a, &q, e);
	qtest_close(&q);
	return r;
}

/* --- the run --------------------------------------------------------------------------------------------------------- */

static int make_blank(const char *path, struct err *e)
{
	cleanup_fd int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || ftruncate(fd, BLANK_DISK_BYTES) < 0)
		return err_errno(e, "cannot make the empty disk %s", path);
	return 0;
}

static int run(const struct machine_params *p, struct asking *a, struct err *e)
{
	const struct board *b = p->board;
	char blank[PATH_MAX], port[PATH_MAX];
	struct boot_params boot = { .disk = blank, .keys = p->keys, .tree = p->tree, .state = p->state,
				    .firmware_code = b->firmware_code, .firmware_vars = b->firmware_vars, .system = b->qemu,
				    .machine = b->qemu_machine, .cpu = b->qemu_cpu, .memory = b->qemu_memory,
				    .tpm_device = b->qemu_tpm, .extra = b->qemu_arg.v, .n_extra = b->qemu_arg.n,
				    .secure_boot = true, .tpm = true, .attest_socket = port, .until = FIRMWARE_IS_DONE,
				    .timeout_s = p->timeout_s, .qtest_socket = a->qtest, .monitor_socket = a->monitor, .ask = ask, .ask_arg = a,
				    .frozen = !a->ret->recorded };
	struct boot_verdict v = { 0 };
	int r = file_mkdirs(p->state, e);

	r = r ? r : folder_join(p->state, "blank.img", blank, e);
	r = r ? r : folder_join(p->state, "agent.sock", port, e);
	r = r ? r : folder_join(p->state, "qtest.sock", a->qtest, e);
	r = r ? r : folder_join(p->state, "monitor.sock", a->monitor, e);
	r = r ? r : make_blank(blank, e);
	r = r ? r : boot_run(&boot, &v, e);
	if (!r && !a->ran)
		r = err_set(e, ETIMEDOUT, "the firmware did not say \"%s\" within %u s", FIRMWARE_IS_DONE, p->timeout_s);
	return r;
}

/* "QEMU emulator version 7.2.22 (...)" */
static int qemu_version(const char *program, char ret[static 128], struct err *e)
{
	const char *const argv[] = { program, "--version", NULL };
	cleanup_buf struct buf out = BUF_INIT;
	const struct proc_params p = { .argv = argv, .out = &out, .out_max = 4096, .quiet = 1 };
	int r = proc_run(&p, e);

	if (!r)
		(void)snprintf(ret, 128, "%.*s", (int)strcspn((const char *)out.data, "\n"), (const char *)out.data); /* for people */
	return r;
}

int machine_make(const struct machine_params *p, struct machine_description *ret, struct err *e)
{
	cleanup_buf struct buf file = BUF_INIT;
	cleanup_firmware struct firmware f = { 0 };
	struct asking a = { .board = p->board, .firmware = &f, .ret = ret };
	char path[PATH_MAX];
	int r;

	if (board_is_direct(p->board))
		return err_set(e, EINVAL, "a board without UEFI has no firmware to describe");
	r = folder_join(p->tree, p->board->firmware_code, path, e);
	r = r ? r : file_read(path, FIRMWARE_MAX_BYTES, &file, e);
	r = r ? r : firmware_parse(file.data, file.len, &f, e);
	if (r)
		return err_context(e, "%s", path);
	hash_sha256(file.data, file.len, ret->firmware);
	ret->recorded = f.pei_in_memory;
	r = machine_options(p->board, ret->options, e);
	r = r ? r : qemu_version(p->board->qemu, ret->qemu, e);
	return r ? r : run(p, &a, e);
}
