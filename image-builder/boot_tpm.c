/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/boot_tpm.c - an emulated TPM with an endorsement key and a certificate for it
 *
 * swtpm_setup makes the EK and has swtpm_localca sign its certificate; the manufacturer is a private one, made in the
 * state folder, whose root certificates become BOOT_EK_ROOTS: what a verifier pins for this machine. Only the sha256
 * bank is active: every other one would be hashed by the firmware as well. swtpm wants absolute paths.
 *
 * Spec: swtpm_setup(8), swtpm_setup.conf(5), swtpm-localca.conf(5).
 */
#include "image-builder/boot.h"

#include "common/file.h"
#include "common/proc.h"
#include "image-builder/folder.h"

#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_ROOTS_BYTES 65536

/* One file of swtpm's configuration; every %s is the absolute state folder. */
static int write_conf(const char *state, const char *name, const char *text, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;
	char path[PATH_MAX];
	int r = folder_join(state, name, path, e);

	for (const char *s = text; *s; s++)
		if (*s == '@')
			buf_str(&b, state);
		else
			buf_u8(&b, (uint8_t)*s);
	if (b.bad)
		return err_set(e, ENOMEM, "no memory to write %s", name);
	return r ? r : file_write(path, b.data, b.len, 0644, e);
}

static int write_configuration(const char *state, struct err *e)
{
	int r = write_conf(state, "localca.conf",
			   "statedir = @/ca\nsigningkey = @/ca/signkey.pem\nissuercert = @/ca/issuercert.pem\n"
			   "certserial = @/ca/certserial\n",
			   e);

	if (!r)
		r = write_conf(state, "localca.options",
			       "--platform-manufacturer holdfast\n--platform-version 1\n--platform-model qemu\n", e);
	if (!r)
		r = write_conf(state, "setup.conf",
			       "create_certs_tool = /usr/bin/swtpm_localca\ncreate_certs_tool_config = @/localca.conf\n"
			       "create_certs_tool_options = @/localca.options\nactive_pcr_banks = sha256\n",
			       e);
	return r;
}

/* Root and issuer in one file, for `holdfast-attest enrol --ek-roots`. */
static int collect_roots(const char *state, struct err *e)
{
	cleanup_buf struct buf root = BUF_INIT, issuer = BUF_INIT;
	char path[PATH_MAX];
	int r = folder_join(state, "ca/swtpm-localca-rootca-cert.pem", path, e);

	if (!r)
		r = file_read(path, MAX_ROOTS_BYTES, &root, e);
	if (!r)
		r = folder_join(state, "ca/issuercert.pem", path, e);
	if (!r)
		r = file_read(path, MAX_ROOTS_BYTES, &issuer, e);
	if (!r)
		r = folder_join(state, BOOT_EK_ROOTS, path, e);
	if (r)
		return r;
	buf_put(&root, issuer.data, issuer.len);
	return root.bad ? err_set(e, ENOMEM, "no memory for %s", path) : file_write(path, root.data, root.len, 0644, e);
}

int boot_tpm_make(const char *state, struct err *e)
{
	char tpm[PATH_MAX], ca[PATH_MAX], conf[PATH_MAX], done[PATH_MAX];
	const char *const argv[] = { "swtpm_setup", "--tpm2", "--tpmstate", tpm, "--create-ek-cert", "--config", conf,
				     "--pcr-banks", "sha256", "--overwrite", NULL };
	cleanup_buf struct buf chatter = BUF_INIT;
	const struct proc_params proc = { .argv = argv, .quiet = 1, .out = &chatter, .out_max = MAX_ROOTS_BYTES };
	int r = folder_join(state, "tpm", tpm, e);

	if (!r)
		r = folder_join(state, "ca", ca, e);
	if (!r)
		r = folder_join(state, "setup.conf", conf, e);
	if (!r)
		r = folder_join(state, BOOT_EK_ROOTS, done, e);
	if (r || access(done, R_OK) == 0)
		return r;
	r = file_mkdirs(tpm, e);
	if (!r)
		r = file_mkdirs(ca, e);
	if (!r)
		r = write_configuration(state, e);
	if (!r)
		r = proc_run(&proc, e);
	if (!r)
		r = collect_roots(state, e);
	return r ? err_context(e, "the emulated TPM could not be made") : 0;
}

/* swtpm is ready when its control socket is there; it makes it at once, or fails. */
static int wait_for_socket(const char *path, struct err *e)
{
	for (int i = 0; i < 200; i++) {
		struct stat st;

		if (stat(path, &st) == 0)
			return 0;
		(void)poll(NULL, 0, 25); /* a pause */
	}
	return err_set(e, ETIMEDOUT, "swtpm made no socket %s within 5 s", path);
}

int boot_tpm_start(const char *state, int *ret_pid, struct err *e)
{
	char dir[PATH_MAX + 8], ctrl[PATH_MAX + 24], sock[PATH_MAX], tpm[PATH_MAX];
	const char *const argv[] = { "swtpm", "socket", "--tpm2", "--tpmstate", dir, "--ctrl", ctrl, "--terminate", NULL };
	int r = folder_join(state, "tpm", tpm, e), pid = -1;

	if (!r)
		r = folder_join(state, "swtpm.sock", sock, e);
	if (r)
		return r;
	(void)snprintf(dir, sizeof(dir), "dir=%s", tpm);		   /* fits: see the sizes */
	(void)snprintf(ctrl, sizeof(ctrl), "type=unixio,path=%s", sock); /* fits: see the sizes */
	(void)unlink(sock);						   /* of an earlier run */
	r = boot_child_start(argv, 2, &pid, e);
	if (!r)
		r = wait_for_socket(sock, e);
	if (r) {
		boot_child_end(&pid);
		return r;
	}
	*ret_pid = pid;
	return 0;
}
