/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/stage_harden.c - settings of the kernel that a container host does not need open; then PID 1's own privileges
 *
 * Each setting is read back; one that this kernel lacks is a failure, for the builder knows the kernel. Some could be
 * set back by any process of user 0 on the host. The gate keeps /proc/sys from containers, but a client of containerd's
 * API may have a container's output written there (file:// logger).
 */
#include "init/pid1.h"

#include "init/io.h"
#include "init/log.h"
#include "init/sys.h"

#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#define LOCKDOWN "/sys/kernel/security/lockdown"

/* Key below /proc/sys, value, and so on to an empty key. No pointers: as in common/codes_text.c. */
static const char settings[] =
	"kernel/kexec_load_disabled\0" "1\0"
	"kernel/unprivileged_bpf_disabled\0" "1\0"
	"kernel/kptr_restrict\0" "2\0"
	"kernel/dmesg_restrict\0" "1\0"
	"kernel/yama/ptrace_scope\0" "3\0"
	"kernel/perf_event_paranoid\0" "3\0"
	"kernel/io_uring_disabled\0" "2\0"
	"kernel/sysrq\0" "0\0"
	"kernel/core_pattern\0" "|/bin/false\0"
	"kernel/panic_on_oops\0" "1\0"
	"kernel/usermodehelper/bset\0" "0 0\0"
	"kernel/usermodehelper/inheritable\0" "0 0\0"
	"vm/memfd_noexec\0" "2\0"
	"vm/unprivileged_userfaultfd\0" "0\0"
	"net/core/bpf_jit_harden\0" "2\0"
	"dev/tty/ldisc_autoload\0" "0\0"
	"fs/suid_dumpable\0" "0\0"
	"fs/protected_symlinks\0" "1\0"
	"fs/protected_hardlinks\0" "1\0"
	"fs/protected_fifos\0" "2\0"
	"fs/protected_regular\0" "2\0"
	;

static int lock_down(struct err *e)
{
	char text[64];
	size_t len;
	int r = pid1_read(LOCKDOWN, text, sizeof(text), &len, e);

	if (!r && strstr(text, "[none]"))
		r = pid1_write(LOCKDOWN, "integrity", 9, e);
	if (!r)
		r = pid1_read(LOCKDOWN, text, sizeof(text), &len, e);
	if (!r && !strstr(text, "[integrity]") && !strstr(text, "[confidentiality]"))
		r = err_set(e, EPERM, "%s is \"%.*s\", wanted integrity or confidentiality", LOCKDOWN,
			    (int)strcspn(text, "\n"), text);
	return r;
}

int pid1_stage_harden(struct pid1 *p, struct err *e)
{
	size_t n = 1; /* with the next one */
	int r = lock_down(e);

	/* BPF-LSM programs are called through ftrace: without it nothing would be refused (init/bpf_lsm.h). */
	if (!r)
		r = pid1_set("/proc/sys/kernel/ftrace_enabled", pid1_holds_execution(p) ? "1" : "0", e);
	for (const char *key = settings, *value; !r && *key; key = value + strlen(value) + 1) {
		char path[96];

		value = key + strlen(key) + 1;
		(void)snprintf(path, sizeof(path), "/proc/sys/%s", key); /* constants, they fit */
		r = pid1_set(path, value, e);
		n++;
	}
	if (!r)
		pid1_log(p->stage, "lockdown and %zu settings in force", n);
	return r;
}

int pid1_stage_confine(struct pid1 *p, struct err *e)
{
	/* What PID 1 and all its children never need again: to change IPE, load modules, reach ports and raw memory. */
	static const unsigned gone[] = { CAP_MAC_ADMIN, CAP_SYS_MODULE, CAP_SYS_RAWIO };

	for (size_t i = 0; i < ARRAY_SIZE(gone); i++) {
		int r = sys_cap_drop(gone[i]);

		if (!r)
			r = sys_cap_has(gone[i]);
		if (r < 0)
			return pid1_err(e, r, "cannot give up capability %u", gone[i]);
		if (r)
			return err_set(e, EPERM, "capability %u is still in PID 1's bounding set", gone[i]);
	}
	pid1_log(p->stage, "PID 1 gave up CAP_MAC_ADMIN, CAP_SYS_MODULE and CAP_SYS_RAWIO");
	return 0;
}
