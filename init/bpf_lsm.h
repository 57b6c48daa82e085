/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/bpf_lsm.h - where IPE cannot: execution only from the volumes PID 1 opened, by BPF-LSM
 *
 * Theory of operation
 *   IPE takes a policy, and dm-verity a root hash signature, only from a key in the firmware's or the kernel's keyrings.
 *   Without UEFI (profile `direct`) there is none of ours, so PID 1 checks the signatures itself and
 *   holds the kernel to its answer with five small programs, assembled here and judged by the kernel's own verifier. In the
 *   profile `enforce-jit` the kernel has judged the signatures of these very volumes, and IPE holds all but execution.
 *
 *     hook                   refuses
 *     bprm_check_security    to execute a file that no allowed volume holds
 *     mmap_file              executable memory: anonymous (but see below), writable too, or of such a file
 *     file_mprotect          likewise, and a private copy of a file's page that was ever written to
 *     bpf                    all of bpf(2) but what an OCI runtime does to a container's device cgroup
 *     cgroup/sysctl          to write any sysctl: kernel.ftrace_enabled=0 would switch the four above off
 *
 *   A volume is allowed if it is EROFS on a device whose number stands in a map: the root and the layers, which PID 1
 *   opened, whose root hashes it believes. The map is frozen and read-only to programs before the first hook is in force.
 *   The numbers stay theirs: no child of PID 1 can load, remove or rename a device-mapper table (init/sys.c). EROFS is asked
 *   for as well, so that another file system that is told to stand on such a device (fuseblk) counts for nothing.
 *
 *   An overlay is judged by the file below: of the overlay's inode, the one lower inode (ovl_inode.oe) and its
 *   super block. One with an upper folder is refused whatever it shows, and so is a file of several layers (metacopy). So
 *   whoever composes an overlay, and when, does not matter: nothing has to be told to PID 1, and the map can be
 *   frozen before the engine starts. (The other way, PID 1 adding the overlay's own device for the gate, would have
 *   needed a map that stays open, and trust in a mount namespace that is the engine's.)
 *
 *   Executable memory of one's own making (profile `enforce-jit`) is for images whose policy entry says so (run.jit). For each
 *   PID 1 makes the cgroup /jit/<image>, where the gate puts its containers, and tells the programs its number before the
 *   engine starts. Root in the engine's context can move whom it likes below that group, so the group is only the first of
 *   four things that a process must be, all of them asked at every such call:
 *
 *     below that group                 or below another image's, with that one's limits
 *     the entry's user and group       real, effective, saved, of the file system: eight numbers
 *     without any other capability     than the entry's, permitted ones
 *     running a program                from a layer of that entry
 *
 *   So what a hostile engine gets by it is what it may start anyway: that image's program, as that user, without privileges.
 *   And none of it before PID 1 has measured a container of that image (pid1_jit_open()): a host whose PCR 13 does
 *   not hold it has given no such memory to anyone. That is the one thing that changes after boot; PID 1 writes it into memory
 *   that it shares with the programs, for bpf(2) is refused to it too.
 *
 *   Offsets are read from the running kernel's BTF (init/btf.h), vmlinux's and the module overlay's. Every pointer is
 *   followed by reads that the kernel makes safe (bpf_rdonly_cast(): a fault reads as 0) and compared with NULL
 *   first: mmap_file gets none for anonymous memory, and with personality(MMAP_PAGE_ZERO) even without MAP_ANONYMOUS.
 *   No helper is used that lockdown forbids.
 *
 *   Each program is held by a link, each link by a descriptor of PID 1, which ends when the machine does. Nobody can get
 *   at it: bpf(2) is refused by the fourth, ptrace and pidfd_getfd by Yama, nothing is pinned.
 *
 *   What IPE has and this has not: the kernel's word on a signature. What this has and IPE (6.12) has not: W^X.
 *
 * Runs as: PID 1, once, after the layers are open and before the engine. Needs CAP_BPF and CAP_PERFMON, the module overlay
 * loaded, kernel.ftrace_enabled=1.
 * Spec: Linux 6.12, Documentation/bpf/prog_lsm.rst, kfuncs.rst, prog_cgroup_sysctl.rst; fs/overlayfs/ovl_entry.h.
 */
#ifndef INIT_BPF_LSM_H
#define INIT_BPF_LSM_H

#include "common/cleanup.h"
#include "common/err.h"
#include "init/bpf_code.h"
#include "policy/policy.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PID1_LSM_LINKS       5
#define PID1_LSM_MAX_DEVICES 1024
#define PID1_JIT_USE(i)      (BPF_CODE_USE_RUN << (1 + (i))) /* bit of the @i-th image with run.jit */

/** struct pid1_lsm - the links; they must stay open as long as the machine runs */
struct pid1_lsm {
	int link[PID1_LSM_LINKS];
};

/** struct pid1_volume - a device from which something may be executed; @use: BPF_CODE_USE_RUN and bits of images with run.jit */
struct pid1_volume {
	dev_t dev;
	uint32_t use;
};

/**
 * struct pid1_jit - the images with run.jit: what PID 1 shares with the programs
 * @slot:  the programs' own, POLICY_MAX_JIT of them; NULL: the profile is another
 * @image: whose slot it is, in the policy's order, @n of them
 */
struct pid1_jit {
	struct bpf_code_slot *slot;
	const struct policy_image *image[POLICY_MAX_JIT];
	size_t n;
};

/**
 * pid1_lsm_enforce() - from now on only what stands on @volume, @n of them, can be executed
 * @jit: @image and @n set; its @slot is set here if there are any
 *
 * Should: have every hook in force when it returns. Must not: leave the map of volumes open to change.
 * Return: 0; -E2BIG for more than PID1_LSM_MAX_DEVICES; -EBADMSG, -ENOENT for BTF that lacks what is needed; -errno
 * with the kernel's verifier's last words if it refuses a program.
 */
int pid1_lsm_enforce(const struct pid1_volume *volume, size_t n, struct pid1_jit *jit, struct pid1_lsm *ret,
		     struct err *e) WARN_UNUSED;

/** pid1_jit_open() - @image was started and measured: its containers may make executable memory, if its entry says so. No heap. */
void pid1_jit_open(const struct pid1_jit *jit, const struct policy_image *image);

#endif
