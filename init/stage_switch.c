/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/stage_switch.c - leave the initramfs: take the API file systems along, enter the root, become its PID 1
 *
 * The initramfs is emptied for its memory's sake. From here on nothing of it runs: the root's own holdfast-init is
 * executed, and it believes nothing of its past but init/state.h.
 */
#include "init/pid1.h"

#include "init/io.h"
#include "init/state.h"
#include "init/sys.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>

/* Signed PCR policies, as the stub or the builder put them there. Without them the host's stages say what they lack. */
static int take_policies(struct err *e)
{
	static char text[PID1_MAX_MANIFEST_BYTES];
	size_t len;
	int fd, r = pid1_read("/.extra/tpm2-pcr-signature.json", text, sizeof(text), &len, e);
	ssize_t n;

	if (r == -ENOENT)
		return 0;
	if (r)
		return r;
	fd = sys_open(PID1_PCR_POLICIES, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0444);
	if (fd < 0)
		return pid1_err(e, fd, "cannot create %s", PID1_PCR_POLICIES);
	n = sys_write(fd, text, len);
	sys_close(fd);
	return n == (ssize_t)len ? 0 : pid1_err(e, n < 0 ? (int)n : -EIO, "cannot write %s", PID1_PCR_POLICIES);
}

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

int pid1_stage_switch_root(struct pid1 *p, struct err *e)
{
	static const char *const argv[] = { PID1_SELF, NULL };
	struct pid1_state state = { .tpm_required = p->boot.tpm_required };
	int old, r = pid1_phase(p, MEASURE_LEAVE_INITRD, e);

	r = r ? r : take_policies(e);
	if (r)
		return r;
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
