/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/stage_state.c - the sealed state volume is opened, measured, and mounted; at the end it is closed
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

#include <linux/capability.h>
#include <sys/mount.h>

#define WITHIN_NS (600ull * 1000000000) /* the first boot writes a file system, and with integrity every block */
#define CAPS      (1ull << CAP_SYS_ADMIN | 1ull << CAP_MKNOD) /* the device-mapper's, and the node of what it makes */

static struct pid1_sealed_answer answer;

static int ask(struct pid1 *p, struct err *e)
{
	const struct sys_child c = { .argv = p->host.state.arg, .env = pid1_environment, .cgroup_procs = PID1_ENGINE_CGROUP, .keep_caps = CAPS,
				     .console = pid1_log_console(), .input = p->log.tpm_fd, .volumes = true, .within_ns = WITHIN_NS };
	const char *step;
	ssize_t n = sys_ask(c, &answer, sizeof(answer), &step);

	if (n < 0)
		return pid1_err(e, (int)n, "%s (%s)", c.argv[0], step);
	if (n != sizeof(answer))
		return err_set(e, EPROTO, "%s answered %zd bytes, wanted %zu", c.argv[0], n, sizeof(answer));
	answer.uuid[sizeof(answer.uuid) - 1] = '\0';
	if (!answer.code)
		return 0;
	p->code = answer.code;
	*e = answer.e;
	e->msg[sizeof(e->msg) - 1] = '\0';
	return -EPERM;
}

static int measure(struct pid1 *p, struct err *e)
{
	struct measure_event ev = measure_state_volume(answer.uuid);
	int r = ev.data_bytes ? pid1_measure(&p->log, &ev, e) : err_set(e, EPROTO, "the volume's UUID is none");

	if (r)
		p->code = CODE_HOST_MEASURE;
	return r;
}

int pid1_stage_state(struct pid1 *p, struct err *e)
{
	int r;

	if (!p->host.state.arg[0])
		return 0;
	if (p->log.tpm_fd < 0) {
		pid1_log(p->stage, "none, there is no TPM; the manifest allows that");
		return 0;
	}
	r = ask(p, e);
	r = r ? r : measure(p, e);
	if (r)
		return r;
	r = sys_mkdir(PID1_SEALED_MOUNT, 0700);
	r = r ? r : sys_mount(PID1_SEALED_MAPPING, PID1_SEALED_MOUNT, "ext4", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOSYMFOLLOW, "errors=remount-ro");
	if (r)
		return pid1_err(e, r, "cannot mount " PID1_SEALED_MAPPING);
	pid1_log(p->stage, "volume %s %s", answer.uuid, answer.found);
	return 0;
}

void pid1_state_close(void)
{
	int r = *answer.uuid ? sys_volume_close(PID1_SEALED_LABEL) : 0;

	if (!r && *answer.uuid)
		r = sys_volume_close(PID1_SEALED_LABEL "_dif"); /* what libcryptsetup puts below it with state = integrity */
	if (r && r != -ENXIO)
		pid1_log("shutdown", "the state volume stays open: %s", err_text(-r));
}
