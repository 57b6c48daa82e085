/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/stage_floor.c - nothing below the rollback floor runs, and a healthy host raises it
 *
 * Theory of operation: init/floor.h. This stage comes when all three versions are known (the IPE policy's from the kernel), and before
 * anything runs that PID 1 did not verify. The efivarfs is mounted only while holdfast-floor reads or writes the mark;
 * its module is unloaded by the next stage.
 * What a board lets pass (tpm = optional) and what the profile audit lets pass is told with its code, shown in the status, and measured
 * by an event that no reference values hold: whoever attests this host refuses it.
 */
#include "init/floor.h"

#include "init/io.h"
#include "init/log.h"
#include "init/pid1.h"
#include "init/sys.h"

#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#define EFIVARS   "/sys/firmware/efi/efivars"
#define HELPER    "/usr/lib/holdfast/holdfast-floor"
#define NS_PER_MS 1000000u

/* Static: there is one floor, and its last words are for later. */
static struct pid1_floor_answer answer;

static int ask(const struct pid1 *p, struct err *e)
{
	char version[2][24];
	const char *const argv[] = { HELPER, pid1_is_direct(p) ? "direct" : "uefi", p->log.tpm_fd < 0 ? "none" : "tpm",
				     version[0], version[1], NULL };
	const struct sys_child c = { .argv = argv,
				     .env = pid1_environment,
				     .cgroup_procs = PID1_ENGINE_CGROUP,
				     .console = pid1_log_console(),
				     .input = p->log.tpm_fd < 0 ? 0 : p->log.tpm_fd,
				     .within_ns = PID1_FLOOR_WITHIN_MS * (uint64_t)NS_PER_MS };
	const char *step;
	ssize_t n;

	(void)snprintf(version[0], sizeof(version[0]), "%llu", (unsigned long long)p->host.version);   /* both fit */
	(void)snprintf(version[1], sizeof(version[1]), "%llu", (unsigned long long)p->policy->version);
	n = sys_ask(c, &answer, sizeof(answer), &step);
	if (n < 0)
		return pid1_err(e, (int)n, HELPER " (%s)", step);
	return n == sizeof(answer) ? 0 : err_set(e, EPROTO, HELPER " answered %zd bytes, wanted %zu", n, sizeof(answer));
}

static int check(struct pid1 *p, struct err *e)
{
	bool uefi = !pid1_is_direct(p);
	int r = uefi ? sys_mount("efivarfs", EFIVARS, "efivarfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) : 0;

	if (r)
		return pid1_err(e, r, "cannot mount " EFIVARS);
	r = ask(p, e);
	if (uefi)
		(void)sys_umount(EFIVARS, 0); /* the next stage says it if it is still in use */
	if (r)
		return r;
	if (answer.code == CODE_NONE && *answer.floor)
		return 0;
	if (answer.code != CODE_NONE)
		p->code = answer.code;
	*e = answer.e;
	e->msg[sizeof(e->msg) - 1] = '\0';
	return -EPERM;
}

static int let_pass(struct pid1 *p, const struct err *why, struct err *e)
{
	struct measure_event ev = measure_floor_unchecked();
	char fact[24];
	int r;

	(void)snprintf(fact, sizeof(fact), "unchecked, E%u", p->code); /* fits */
	pid1_fact(p, "floor", fact);
	pid1_log(p->stage, "%s: %s; %s", fact, why->msg,
		 p->cmdline.profile == CMDLINE_AUDIT ? "profile audit goes on" : "the manifest allows that");
	r = pid1_measure(&p->log, &ev, e);
	if (r)
		p->code = CODE_HOST_MEASURE;
	return r;
}

int pid1_stage_floor(struct pid1 *p, struct err *e)
{
	struct err why = ERR_INIT;
	int r = check(p, &why);

	if (r && p->code != CODE_FLOOR && (!p->boot.tpm_required || p->cmdline.profile == CMDLINE_AUDIT))
		return let_pass(p, &why, e);
	*e = why;
	if (r)
		return r;
	if (answer.made)
		pid1_log(p->stage, "made, for a TPM that had none and was not marked");
	pid1_log(p->stage, "%s%s", answer.floor, answer.armed.n ? "; what runs is newer" : "");
	pid1_fact(p, "floor", answer.floor);
	p->floor_armed = answer.armed;
	explicit_bzero(&answer.armed, sizeof(answer.armed));
	return 0;
}

/* --- the host is healthy --------------------------------------------------------------------------------------------- */

int pid1_floor_raise(struct tpm_io *t, struct pid1_tpm_wire *armed, struct err *e)
{
	struct reader r;
	int rc;

	if (!armed->n)
		return err_set(e, EINVAL, "no command is armed");
	rc = tpm_io_transact(t, armed->b, armed->n, &r, e);
	explicit_bzero(armed, sizeof(*armed));
	if (!rc && t->code)
		rc = err_set(e, EPROTO, "the TPM refused to raise the floor with response code 0x%x", (unsigned)t->code);
	return rc;
}

void pid1_floor_host_is_healthy(struct pid1 *p)
{
	static struct tpm_io tpm; /* 1 KiB */
	struct err e = ERR_INIT;

	if (!p->floor_armed.n)
		return;
	tpm = (struct tpm_io){ .fd = p->log.tpm_fd, .timeout_ms = PID1_TPM_TIMEOUT_MS };
	if (pid1_floor_raise(&tpm, &p->floor_armed, &e)) {
		pid1_log("floor", "not raised, the next boot tries again: %s", e.msg);
		return;
	}
	pid1_log("floor", "raised to what runs: %s", answer.to);
	pid1_fact(p, "floor", answer.to);
}
