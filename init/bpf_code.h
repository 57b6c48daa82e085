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

#define BPF_CODE_MAX 160

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

/** struct bpf_code - a program; @bad: it did not fit, or a jump is too far */
struct bpf_code {
	struct bpf_insn insn[BPF_CODE_MAX];
	size_t n;
	bool bad;
};

/** bpf_code_exec(), _mmap(), _mprotect() - the three judges of files; @map_fd: hash map of allowed device numbers. */
void bpf_code_exec(struct bpf_code *c, const struct bpf_code_kernel *k, int map_fd);
void bpf_code_mmap(struct bpf_code *c, const struct bpf_code_kernel *k, int map_fd);
void bpf_code_mprotect(struct bpf_code *c, const struct bpf_code_kernel *k, int map_fd);

/** bpf_code_bpf() - the guard of bpf(2). bpf_code_sysctl() - of sysctls. */
void bpf_code_bpf(struct bpf_code *c);
void bpf_code_sysctl(struct bpf_code *c);

#endif
