/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/stage_floor.c - nothing below the rollback floor runs, and a healthy host raises it
 *
 * Theory of operation: init/floor.h. This stage comes when all three versions are known (the IPE policy's from the kernel), and before
 * anything runs that PID 1 did not verify. The mark is an EFI variable; the efivarfs is mounted only while it is read or written,
 * and its module is unloaded by the next stage.
 * What a board lets pass (tpm = optional) and what the profile audit lets pass is told and measured; see pid1_floor_let_pass().
 */
#include "init/floor.h"

#include "common/hex.h"
#include "init/io.h"
#include "init/log.h"
#include "init/pid1.h"
#include "init/sys.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#define EFIVARS      "/sys/firmware/efi/efivars"
#define MARK         EFIVARS "/HoldfastFloor-9158ed57-6df6-4ddb-926e-46d7650470b9"
#define IPE_VERSION  "/sys/kernel/security/ipe/policies/holdfast/version"
#define HELPER       "/usr/lib/holdfast/holdfast-floor"
#define HELPER_NS    (600ull * 1000000000) /* some 50 commands; each answer has its own deadline there */
#define NS_PER_MS    1000000u

static const uint8_t mark_attributes[4] = { 7 }; /* non-volatile, boot services, run time; little-endian */

/* The helper's answer, and the TPM for the raise. Static: 1 KB each, and there is one floor. */
static struct pid1_floor_answer answer;
static struct tpm_io tpm;

/* --- the mark ------------------------------------------------------------------------------------------------------- */

/* Without UEFI there is none, and nobody to keep it. */
static int read_mark(char ret_hex[static 2 * PID1_TPM_NAME_BYTES + 1], struct err *e)
{
	char b[sizeof(mark_attributes) + PID1_TPM_NAME_BYTES + 1];
	size_t len;
	int r = pid1_read(MARK, b, sizeof(b), &len, e);

	if (r == -ENOENT)
		return 0;
	if (!r && len != sizeof(b) - 1)
		r = err_set(e, EBADMSG, "%s has %zu bytes, wanted %zu", MARK, len, sizeof(b) - 1);
	if (r)
		return r;
	hex_encode((const uint8_t *)b + sizeof(mark_attributes), PID1_TPM_NAME_BYTES, ret_hex);
	return 0;
}

static int write_mark(const uint8_t mark[static PID1_TPM_NAME_BYTES], struct err *e)
{
	uint8_t b[sizeof(mark_attributes) + PID1_TPM_NAME_BYTES];
	int fd = sys_open(MARK, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
	ssize_t n;

	if (fd < 0)
		return pid1_err(e, fd, "cannot create %s", MARK);
	memcpy(b, mark_attributes, sizeof(mark_attributes));
	memcpy(b + sizeof(mark_attributes), mark, PID1_TPM_NAME_BYTES);
	n = sys_write(fd, b, sizeof(b)); /* one write: that is the variable */
	sys_close(fd);
	return n == sizeof(b) ? 0 : pid1_err(e, n < 0 ? (int)n : -EIO, "cannot write %s", MARK);
}

/* --- versions ------------------------------------------------------------------------------------------------------- */

/* "0.1.2" as the kernel writes it, each number below 65536. */
static int read_ipe_version(uint64_t *ret, struct err *e)
{
	unsigned a, b, c;
	char text[64];
	size_t len;
	int r = pid1_read(IPE_VERSION, text, sizeof(text), &len, e);

	if (r)
		return r;
	if (sscanf(text, "%5u.%5u.%5u", &a, &b, &c) != 3 || a > 0xffff || b > 0xffff || c > 0xffff)
		return err_set(e, EINVAL, "%s is \"%.*s\", wanted a version of three numbers", IPE_VERSION,
			       (int)strcspn(text, "\n"), text);
	*ret = (uint64_t)a << 32 | (uint64_t)b << 16 | c;
	return 0;
}

static int read_running(const struct pid1 *p, struct pid1_floor *ret, struct err *e)
{
	*ret = (struct pid1_floor){ { p->host.version, p->policy->version, 0 } };
	return pid1_is_direct(p) ? 0 : read_ipe_version(&ret->version[PID1_FLOOR_IPE_POLICY], e);
}

/* --- the stage ------------------------------------------------------------------------------------------------------ */

/* What the TPM says, and the command that raises the floor if it may be. @mark: hex, or "-" */
static int ask(const struct pid1 *p, const char *mark, const struct pid1_floor *running, struct err *e)
{
	char version[PID1_FLOOR_WHAT_][24];
	const char *const argv[] = { HELPER, mark, version[0], version[1], version[2], NULL };
	ssize_t n;

	for (int i = 0; i < PID1_FLOOR_WHAT_; i++)
		(void)snprintf(version[i], sizeof(version[i]), "%llu", (unsigned long long)running->version[i]); /* fits */
	n = sys_ask(argv, pid1_environment, p->log.tpm_fd, &answer, sizeof(answer), HELPER_NS);
	if (n < 0)
		return pid1_err(e, (int)n, "%s", HELPER);
	if (n != sizeof(answer))
		return err_set(e, EPROTO, "%s answered %zd bytes, wanted %zu", HELPER, n, sizeof(answer));
	if (answer.e.code) {
		*e = answer.e;
		e->msg[sizeof(e->msg) - 1] = '\0';
	}
	return -answer.e.code;
}

static int open_with_mark(struct pid1 *p, const struct pid1_floor *running, struct err *e)
{
	const struct pid1_floor_found *f = &answer.found;
	char mark[2 * PID1_TPM_NAME_BYTES + 1] = "-";
	int r = pid1_is_direct(p) ? 0 : read_mark(mark, e);

	r = r ? r : ask(p, mark, running, e);
	if (r)
		return r;
	if (f->verdict == PID1_FLOOR_NEW)
		pid1_log(p->stage, "made, for a TPM that had none and was not marked%s",
			 pid1_is_direct(p) ? " (without UEFI there is no mark)" : "");
	if (f->verdict != PID1_FLOOR_NEW && f->verdict != PID1_FLOOR_READ)
		return 0;
	return *mark != '-' || pid1_is_direct(p) ? 0 : write_mark(f->mark, e);
}

static int open_floor(struct pid1 *p, const struct pid1_floor *running, struct err *e)
{
	int r;

	if (pid1_is_direct(p))
		return open_with_mark(p, running, e);
	r = sys_mount("efivarfs", EFIVARS, "efivarfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	if (r)
		return pid1_err(e, r, "cannot mount %s", EFIVARS);
	r = open_with_mark(p, running, e);
	(void)sys_umount(EFIVARS, 0); /* the next stage says it if it is still in use */
	return r;
}

static int judge(struct pid1 *p, const struct pid1_floor *running, struct err *e)
{
	const struct pid1_floor *floor = &answer.found.floor;
	enum pid1_floor_what below;

	p->code = CODE_FLOOR_LOST;
	switch (answer.found.verdict) {
	case PID1_FLOOR_READ:
	case PID1_FLOOR_NEW:
		break;
	case PID1_FLOOR_DELETED:
		return err_set(e, EPERM, "this machine had a floor, and its TPM, the same, has no index 0x%x now",
			       PID1_FLOOR_INDEX);
	case PID1_FLOOR_CLEARED:
		return err_set(e, EPERM, "this machine had a floor, and its TPM was cleared or is another one");
	default:
		return err_set(e, EPERM, "index 0x%x, key 0x%x or owner of this TPM are somebody else's", PID1_FLOOR_INDEX,
			       PID1_TPM_SRK);
	}
	below = pid1_floor_below(floor, running);
	p->code = CODE_FLOOR;
	if (below != PID1_FLOOR_WHAT_)
		return err_set(e, EPERM, "%s version %llu is below the floor, %llu", pid1_floor_what_str(below),
			       (unsigned long long)running->version[below], (unsigned long long)floor->version[below]);
	return 0;
}

static int check(struct pid1 *p, struct err *e)
{
	const uint64_t *floor = answer.found.floor.version;
	struct pid1_floor running;
	int r = read_running(p, &running, e);

	r = r ? r : open_floor(p, &running, e);
	r = r ? r : judge(p, &running, e);
	if (r)
		return r;
	pid1_log(p->stage, "root image %llu, layer policy %llu, IPE policy 0x%llx%s", (unsigned long long)floor[PID1_FLOOR_ROOT],
		 (unsigned long long)floor[PID1_FLOOR_LAYER_POLICY], (unsigned long long)floor[PID1_FLOOR_IPE_POLICY],
		 answer.armed.n ? "; what runs is newer" : "");
	p->floor_armed = answer.armed;
	explicit_bzero(&answer.armed, sizeof(answer.armed));
	return 0;
}

/* It is told, and measured by an event that no reference values hold: whoever attests this host refuses it. */
static int let_pass(struct pid1 *p, const struct err *why, struct err *e)
{
	struct measure_event ev = measure_floor_unchecked();
	int r;

	pid1_log(p->stage, "not checked, %s: %s",
		 p->cmdline.profile == CMDLINE_AUDIT ? "profile audit goes on" : "the manifest allows that", why->msg);
	r = pid1_measure(&p->log, &ev, e);
	if (r)
		p->code = CODE_HOST_MEASURE;
	return r;
}

int pid1_stage_floor(struct pid1 *p, struct err *e)
{
	struct err why = ERR_INIT;
	int r;

	if (p->log.tpm_fd < 0) {
		pid1_log(p->stage, "not checked, there is no TPM; the manifest allows that");
		return 0;
	}
	r = check(p, &why);
	if (r && p->code != CODE_FLOOR && (!p->boot.tpm_required || p->cmdline.profile == CMDLINE_AUDIT))
		return let_pass(p, &why, e);
	*e = why;
	return r;
}

/* --- the host is healthy --------------------------------------------------------------------------------------------- */

uint64_t pid1_floor_due_ns(const struct pid1 *p, uint64_t healthy_since_ns)
{
	return p->floor_armed.n ? healthy_since_ns + p->host.healthy_ms * NS_PER_MS : UINT64_MAX;
}

void pid1_floor_host_is_healthy(struct pid1 *p)
{
	struct err e = ERR_INIT;

	tpm = (struct tpm_io){ .fd = p->log.tpm_fd, .timeout_ms = PID1_TPM_TIMEOUT_MS };
	if (pid1_floor_raise(&tpm, &p->floor_armed, &e))
		pid1_log("floor", "not raised, the next boot tries again: %s", e.msg);
	else
		pid1_log("floor", "raised to what runs: the host was healthy for %llu ms", (unsigned long long)p->host.healthy_ms);
}
