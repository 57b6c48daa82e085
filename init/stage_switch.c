/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/stage_switch.c - leave the initramfs: take the API file systems along, enter the root, become its PID 1
 *
 * The initramfs is emptied for its memory's sake. From here on nothing of it runs: the root's own holdfast-init is
 * executed, and it believes nothing of its past but init/state.h.
 */
#include "init/pid1.h"

#include "common/pcr_policy.h"
#include "init/io.h"
#include "init/log.h"
#include "init/state.h"
#include "init/sys.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>

static int move_mounts(struct err *e)
{
	static const char *const moved[] = { "/dev", "/proc", "/sys", "/run" };

	for (size_t i = 0; i < ARRAY_SIZE(moved); i++) {
		char target[32];
		int r;

		(void)snprintf(target, sizeof(target), PID1_SYSROOT "%s", moved[i]); /* fits: both are constants */
		r = sys_mount(moved[i], target, NULL, MS_MOVE, NULL);
		if (r)
			return pid1_err(e, r, "cannot move %s to %s", moved[i], target);
	}
	return 0;
}

/* The signed PCR policies are the stub's gift to the initramfs; who needs them comes later, and says what it lacks. */
static void keep_pcr_policies(const struct pid1 *p)
{
	static char text[PCR_POLICY_MAX_BYTES + 1];
	struct err e = ERR_INIT;
	size_t len = 0;
	int fd, r = pid1_read(PCR_POLICY_EXTRA, text, sizeof(text), &len, &e);

	if (!r) {
		fd = r = sys_open(PCR_POLICY_PATH, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
		if (fd >= 0)
			r = sys_write(fd, text, len) == (ssize_t)len ? 0 : pid1_err(&e, -EIO, "cannot write " PCR_POLICY_PATH);
		sys_close(fd);
	}
	if (r)
		pid1_log(p->stage, "no signed PCR policies: %s", e.msg);
}

int pid1_stage_switch_root(struct pid1 *p, struct err *e)
{
	static const char *const argv[] = { PID1_SELF, NULL };
	struct pid1_state state = { .tpm_required = p->boot.tpm_required };
	int old, r = pid1_phase(p, MEASURE_LEAVE_INITRD, e);

	if (r)
		return r;
	keep_pcr_policies(p);
	old = sys_open("/", O_RDONLY | O_DIRECTORY, 0);
	if (old < 0)
		return pid1_err(e, old, "cannot open the initramfs");
	r = move_mounts(e);
	if (r)
		return r;
	r = sys_chdir(PID1_SYSROOT);
	if (!r)
		r = sys_enter_root();
	if (r)
		return pid1_err(e, r, "cannot make %s the root", PID1_SYSROOT);
	sys_delete_tree(old);
	pid1_times_mark(&p->times, p->stage);
	state.times = p->times;
	r = pid1_state_save(&state, e);
	if (r)
		return r;
	r = sys_exec(argv, pid1_environment);
	return pid1_err(e, r, "cannot execute %s", PID1_SELF);
}
