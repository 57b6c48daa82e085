/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/bpf_code.h - the programs of init/bpf_lsm.h, as instructions
 *
 * Pure: bytes out of offsets and ids. What they refuse and why stands in init/bpf_lsm.h.
 */
#ifndef INIT_BPF_CODE_H
#define INIT_BPF_CODE_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BPF_CODE_MAX 256

/* What the programs must know of the kernel's structures: offsets in bytes, in the order of the table in bpf_lsm.c. */
enum bpf_code_offset {
	OFF_BPRM_FILE,
	OFF_VMA_FILE,
	OFF_VMA_ANON,
	OFF_FILE_INODE,
	OFF_INODE_SB,
	OFF_SB_MAGIC,
	OFF_SB_DEV,
	OFF_SB_INFO,
	OFF_DENTRY_INODE,
	OFF_WORD, /* of timespec64.tv_sec: must be 0 */
	OFF_TASK_CRED,
	OFF_TASK_MM,
	OFF_MM_EXE,
	OFF_CRED_UID,
	OFF_CRED_FSUID, /* four pairs of user and group number stand in one row: must be 24 behind */
	OFF_CRED_PERMITTED,
	/* of the module overlay: */
	OFF_OVL_VFS_INODE,
	OFF_OVL_UPPER,
	OFF_OVL_ENTRY,
	OFF_OVL_NUMLOWER,
	OFF_OVL_STACK,
	OFF_OVL_PATH_DENTRY,
	OFF_OVL_LAYERS,
	OFF_OVL_LAYER_MNT,
	BPF_CODE_OFFSETS,
};

/**
 * struct bpf_code_kernel - the running kernel
 * @rdonly_cast: BTF id of the function bpf_rdonly_cast()
 * @word:        BTF id of struct timespec64, as which every word is read: it begins with a 64-bit number
 */
struct bpf_code_kernel {
	uint32_t off[BPF_CODE_OFFSETS];
	uint32_t rdonly_cast;
	uint32_t word;
};

/**
 * struct bpf_code_slot - an image that may make executable memory, as the programs read it: who does so must be all of this
 * @cgroup:  id of the cgroup below which its containers are
 * @ids:     its user number, and above it its group number: real, effective, saved, of the file system
 * @no_caps: capabilities that it has not
 * @use:     bit of its layers among struct bpf_code_maps' devices; 0: none of it was started and measured
 */
struct bpf_code_slot {
	uint64_t cgroup, ids, no_caps, use;
};

#define BPF_CODE_USE_RUN 1u /* bit of every device from which something may be executed */

/**
 * struct bpf_code_maps - what the judges look up
 * @devices: hash map from device numbers to bits (32 of them each)
 * @slots:   array of one element: @n_slots of struct bpf_code_slot. 0 of them: nobody may make executable memory
 */
struct bpf_code_maps {
	int devices, slots;
	size_t n_slots;
};

/** struct bpf_code - a program; @bad: it did not fit, or a jump is too far */
struct bpf_code {
	struct bpf_insn insn[BPF_CODE_MAX];
	size_t n;
	bool bad;
};

/** bpf_code_exec(), _mmap(), _mprotect() - the three judges of executable files and memory. */
void bpf_code_exec(struct bpf_code *c, const struct bpf_code_kernel *k, const struct bpf_code_maps *m);
void bpf_code_mmap(struct bpf_code *c, const struct bpf_code_kernel *k, const struct bpf_code_maps *m);
void bpf_code_mprotect(struct bpf_code *c, const struct bpf_code_kernel *k, const struct bpf_code_maps *m);

/** bpf_code_bpf() - the guard of bpf(2). bpf_code_sysctl() - of sysctls. */
void bpf_code_bpf(struct bpf_code *c);
void bpf_code_sysctl(struct bpf_code *c);

#endif
