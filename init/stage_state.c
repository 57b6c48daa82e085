/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/stage_state.c - the sealed state volume is opened, measured, and mounted
 *
 * Theory of operation: init/sealed.h. All that needs libcryptsetup, keys or sessions is the program holdfast-state, which PID 1 starts once; here
 * is what nobody else may do: measure, and mount. Whatever is refused ends the boot: a host whose layers and
 * containers are on another volume than its own is no host. Only where there is no TPM, and the manifest allows that, is there no state.
 */
#include "init/sealed.h"

#include "init/io.h"
#include "init/log.h"
#include "init/pid1.h"
#include "init/sys.h"

#include <string.h>
#include <sys/mount.h>

#define HELPER    "/usr/lib/holdfast/holdfast-state"
#define HELPER_NS (600ull * 1000000000) /* the first boot writes a file system, and with integrity every block */

static struct pid1_sealed_answer answer;

static int ask(struct pid1 *p, struct err *e)
{
	const char *const argv[] = { HELPER, p->host.state, p->host.state_recovery, NULL };
	ssize_t n = sys_ask(argv, pid1_environment, p->log.tpm_fd, &answer, sizeof(answer), HELPER_NS);

	if (n < 0)
		return pid1_err(e, (int)n, "%s", HELPER);
	if (n != sizeof(answer))
		return err_set(e, EPROTO, "%s answered %zd bytes, wanted %zu", HELPER, n, sizeof(answer));
	answer.e.msg[sizeof(answer.e.msg) - 1] = '\0';
	answer.uuid[sizeof(answer.uuid) - 1] = '\0';
	if (!answer.code)
		return 0;
	p->code = answer.code;
	return err_set(e, answer.e.code ? answer.e.code : EPROTO, "%s", answer.e.msg);
}

static int measure(struct pid1 *p, struct err *e)
{
	struct measure_event ev = measure_state_volume(answer.uuid);
	int r;

	if (!ev.data_bytes)
		return err_set(e, EPROTO, "%s answered a UUID that is none", HELPER);
	r = pid1_measure(&p->log, &ev, e);
	if (r)
		p->code = CODE_HOST_MEASURE;
	return r;
}

static int mount_it(struct err *e)
{
	int r = sys_mkdir(PID1_SEALED_MOUNT, 0700);

	if (!r)
		r = sys_mount(PID1_SEALED_MAPPING, PID1_SEALED_MOUNT, "ext4", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOSYMFOLLOW, "errors=remount-ro");
	return r ? pid1_err(e, r, "cannot mount %s on %s", PID1_SEALED_MAPPING, PID1_SEALED_MOUNT) : 0;
}

int pid1_stage_state(struct pid1 *p, struct err *e)
{
	int r;

	if (!strcmp(p->host.state, "none"))
		return 0;
	if (p->log.tpm_fd < 0) {
		pid1_log(p->stage, "none, there is no TPM; the manifest allows that");
		return 0;
	}
	r = ask(p, e);
	r = r ? r : measure(p, e);
	r = r ? r : mount_it(e);
	if (r)
		return r;
	pid1_log(p->stage, "volume %s %s", answer.uuid,
		 !answer.made ? "opened" : answer.again ? "made anew: an unfinished one was found" : "made: the partition was blank");
	return 0;
}
