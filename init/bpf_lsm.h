/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/bpf_lsm.h - where the kernel has no key of ours: execution only from the volumes PID 1 opened, by BPF-LSM
 *
 * Theory of operation
 *   IPE takes a policy, and dm-verity a root hash signature, only from a key in the firmware's or the kernel's keyrings.
 *   Without UEFI (profile `direct`) there is none of ours, so PID 1 checks the signatures itself and
 *   holds the kernel to its answer with five small programs, assembled here and judged by the kernel's own verifier.
 *
 *     hook                   refuses
 *     bprm_check_security    to execute a file that no allowed volume holds
 *     mmap_file              executable memory: anonymous, writable too, or of such a file
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

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PID1_LSM_LINKS       5
#define PID1_LSM_MAX_DEVICES 1024

/** struct pid1_lsm - the links; they must stay open as long as the machine runs */
struct pid1_lsm {
	int link[PID1_LSM_LINKS];
};

/**
 * pid1_lsm_enforce() - from now on only what stands on @device, @n of them, can be executed
 *
 * Should: have every hook in force when it returns. Must not: leave the map open to change.
 * Return: 0; -E2BIG for more than PID1_LSM_MAX_DEVICES; -EBADMSG, -ENOENT for BTF that lacks what is needed; -errno
 * with the kernel's verifier's last words if it refuses a program.
 */
int pid1_lsm_enforce(const dev_t *device, size_t n, struct pid1_lsm *ret, struct err *e) WARN_UNUSED;

#endif
