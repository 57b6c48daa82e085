/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/stage_ipe.c - execution only from signed dm-verity volumes: load, activate, enforce, and prove it
 *
 * The kernel judges the policy's signature. What it then says of itself is read back: the active policy is ours, it
 * has no rule for `boot_verified` (files written later into the first rootfs would count as that), it enforces; and at
 * last anonymous executable memory, which no rule can allow, must be refused to PID 1 itself. The profile
 * `audit` differs in one thing only: it does not enforce. In `enforce-jit` the policy allows execution, which IPE cannot
 * allow to some (policy/ipe.h): that memory must then be given, until the stage bpf-lsm.
 *
 * Spec: Linux 6.12, Documentation/admin-guide/LSM/ipe.rst.
 */
#include "init/pid1.h"

#include "init/io.h"
#include "init/log.h"
#include "init/sys.h"

#include <fcntl.h>
#include <string.h>

#define IPE           "/sys/kernel/security/ipe"
#define IPE_ACTIVE    IPE "/policies/holdfast/active"
#define IPE_TEXT      IPE "/policies/holdfast/policy"
#define IPE_BLOB      "/etc/holdfast/ipe.p7b"
#define IPE_MAX_BYTES (128 << 10)

/* One buffer: the blob is not needed any more when the text is read back. */
static char ipe_bytes[IPE_MAX_BYTES];

static int load_policy(struct err *e)
{
	size_t len;
	int r = pid1_read(IPE_BLOB, ipe_bytes, sizeof(ipe_bytes), &len, e);

	if (!r)
		r = pid1_write(IPE "/new_policy", ipe_bytes, len, e);
	if (!r)
		r = pid1_set(IPE_ACTIVE, "1", e);
	return r;
}

/* Comments are no rules: a word behind '#' is looked at too, and refuses; our own policy text has no such comment. */
static int check_text(struct err *e)
{
	size_t len;
	int r = pid1_read(IPE_TEXT, ipe_bytes, sizeof(ipe_bytes), &len, e);

	if (r)
		return r;
	if (strlen(ipe_bytes) != len)
		return err_set(e, EBADMSG, "the active IPE policy's text holds a NUL byte at offset %zu",
			       strlen(ipe_bytes));
	if (strstr(ipe_bytes, "boot_verified"))
		return err_set(e, EBADMSG, "the active IPE policy still trusts boot_verified");
	if (!strstr(ipe_bytes, "DEFAULT action=DENY"))
		return err_set(e, EBADMSG, "the active IPE policy does not deny by default");
	return 0;
}

int pid1_stage_ipe(struct pid1 *p, struct err *e)
{
	const bool jit = p->cmdline.profile == CMDLINE_ENFORCE_JIT, enforce = jit || p->cmdline.profile == CMDLINE_ENFORCE;
	int r;

	if (pid1_is_direct(p))
		return 0; /* the kernel has no key that signed a policy: stage bpf-lsm does its work */
	r = load_policy(e);
	if (r)
		return r;
	p->code = CODE_IPE_ENFORCE;
	r = check_text(e);
	if (!r)
		r = pid1_set(IPE "/enforce", enforce ? "1" : "0", e);
	if (r)
		return r;
	if (!enforce) {
		pid1_log(p->stage, "active, profile audit: it does not enforce");
		return 0;
	}
	r = sys_exec_memory_is_denied();
	if (r < 0)
		return pid1_err(e, r, "cannot try anonymous executable memory");
	if (r && jit)
		return err_set(e, EPERM, "IPE refuses anonymous executable memory: its policy is not one for enforce-jit");
	if (!r && !jit)
		return err_set(e, EPERM, "anonymous executable memory was given although IPE says that it enforces");
	pid1_log(p->stage, "active and enforcing%s", jit ? ", but for execution: stage bpf-lsm does that" : "");
	return 0;
}
