/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/bpf_code.c - the programs of init/bpf_lsm.h, as instructions */
#include "init/bpf_code.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/mman.h>

#define EROFS_MAGIC 0xe0f5e1e2

/* Targets of jumps that are not known yet; both stand at a program's end. */
#define TO_ALLOW INT16_MAX
#define TO_DENY  INT16_MIN

#define JIT_CGROUP_LEVEL 2 /* /jit/<image> */

/* R6 to R9 live through calls: R6 is the object that is looked at, R7 what was read of it, R8 a spare, R9 arguments, at last
 * the bit that is asked of the device. */
enum { R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, R10 };

static void emit(struct bpf_code *c, int code, int dst, int src, int off, int64_t imm)
{
	if (c->n == BPF_CODE_MAX) {
		c->bad = true;
		return;
	}
	c->insn[c->n++] = (struct bpf_insn){
		.code = (uint8_t)code, .dst_reg = dst & 15, .src_reg = src & 15, .off = (int16_t)off, .imm = (int32_t)imm
	};
}

static void move(struct bpf_code *c, int dst, int src)
{
	emit(c, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

static void set(struct bpf_code *c, int dst, int32_t value)
{
	emit(c, BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, value);
}

static void load(struct bpf_code *c, int size, int dst, int src, int off)
{
	emit(c, BPF_LDX | size | BPF_MEM, dst, src, off, 0);
}

/* Jump if the lower half of @reg stands to @value as @op says. */
static void jump32(struct bpf_code *c, int op, int reg, uint32_t value, int to)
{
	emit(c, BPF_JMP32 | op | BPF_K, reg, 0, to, (int32_t)value);
}

static void deny_null(struct bpf_code *c, int reg)
{
	emit(c, BPF_JMP | BPF_JEQ | BPF_K, reg, 0, TO_DENY, 0);
}

static void jump(struct bpf_code *c, int to)
{
	emit(c, BPF_JMP | BPF_JA, 0, 0, to, 0);
}

/* The two ends, then every open jump gets its distance. Refusals return -@error. */
static void finish(struct bpf_code *c, int error)
{
	size_t allow = c->n, deny;

	set(c, R0, 0);
	emit(c, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	deny = c->n;
	set(c, R0, -error);
	emit(c, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	for (size_t i = 0; i < allow && !c->bad; i++) {
		int class = BPF_CLASS(c->insn[i].code);

		if (class != BPF_JMP && class != BPF_JMP32)
			continue;
		if (c->insn[i].off == TO_ALLOW)
			c->insn[i].off = (int16_t)(allow - i - 1);
		else if (c->insn[i].off == TO_DENY)
			c->insn[i].off = (int16_t)(deny - i - 1);
	}
}

/* R0 = the address in @reg plus @off, as what may be read without harm. R1 to R5 are spent. */
static void cast(struct bpf_code *c, const struct bpf_code_kernel *k, int reg, int64_t off)
{
	move(c, R1, reg);
	if (off)
		emit(c, BPF_ALU64 | BPF_ADD | BPF_K, R1, 0, 0, off);
	set(c, R2, (int32_t)k->word);
	emit(c, BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, k->rdonly_cast);
}

/* @dst = the word at @reg + @off: a number to the verifier, whatever it is to the kernel. */
static void read(struct bpf_code *c, const struct bpf_code_kernel *k, int size, int dst, int reg, int64_t off)
{
	cast(c, k, reg, off);
	load(c, size, dst, R0, 0);
}

static void follow(struct bpf_code *c, const struct bpf_code_kernel *k, int dst, int reg, int64_t off)
{
	read(c, k, BPF_DW, dst, reg, off);
	deny_null(c, dst);
}

/* Argument @n of the hook into @reg, for the verifier no longer one that cannot be NULL: it may be. */
static void take_pointer(struct bpf_code *c, const struct bpf_code_kernel *k, int reg, int n)
{
	load(c, BPF_DW, R1, R9, 8 * n);
	cast(c, k, R1, 0);
	move(c, reg, R0);
	deny_null(c, reg);
}

/* R6 = the inode below the overlay's inode R6, whose super block is R7; or deny. */
static void look_below(struct bpf_code *c, const struct bpf_code_kernel *k)
{
	const uint32_t *off = k->off;
	int64_t inode = off[OFF_OVL_VFS_INODE];

	follow(c, k, R7, R7, off[OFF_SB_INFO]);
	follow(c, k, R7, R7, off[OFF_OVL_LAYERS]);
	read(c, k, BPF_DW, R7, R7, off[OFF_OVL_LAYER_MNT]); /* of the first layer: the upper one, if there is any */
	emit(c, BPF_JMP | BPF_JNE | BPF_K, R7, 0, TO_DENY, 0);
	read(c, k, BPF_DW, R7, R6, off[OFF_OVL_UPPER] - inode);
	emit(c, BPF_JMP | BPF_JNE | BPF_K, R7, 0, TO_DENY, 0);
	follow(c, k, R7, R6, off[OFF_OVL_ENTRY] - inode);
	read(c, k, BPF_W, R8, R7, off[OFF_OVL_NUMLOWER]);
	jump32(c, BPF_JNE, R8, 1, TO_DENY);
	follow(c, k, R7, R7, off[OFF_OVL_STACK] + off[OFF_OVL_PATH_DENTRY]);
	follow(c, k, R6, R7, off[OFF_DENTRY_INODE]);
	follow(c, k, R7, R6, off[OFF_INODE_SB]);
}

/* A jump forward to where land() is called. */
static size_t leap(struct bpf_code *c, int op, int reg, uint64_t value)
{
	emit(c, BPF_JMP | op | BPF_K, reg, 0, 0, (int32_t)value);
	return c->n - 1;
}

static void land(struct bpf_code *c, size_t from)
{
	if (!c->bad)
		c->insn[from].off = (int16_t)(c->n - from - 1);
}

/* R0 = what map @fd has for the 32 bits at the stack's top; or deny. */
static void look_up(struct bpf_code *c, int fd)
{
	emit(c, BPF_LD | BPF_DW | BPF_IMM, R1, BPF_PSEUDO_MAP_FD, 0, fd);
	emit(c, 0, 0, 0, 0, 0); /* its upper half */
	move(c, R2, R10);
	emit(c, BPF_ALU64 | BPF_ADD | BPF_K, R2, 0, 0, -4);
	emit(c, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem);
	deny_null(c, R0);
}

static void call(struct bpf_code *c, int helper)
{
	emit(c, BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}

/* Do @reg and R7 stand to each other as @op says? Then deny. */
static void deny_if(struct bpf_code *c, int op, int reg)
{
	emit(c, BPF_JMP | op | BPF_X, reg, R7, TO_DENY, 0);
}

/* R8 = the slot of the cgroup that this process is below; or deny. */
static void find_slot(struct bpf_code *c, const struct bpf_code_maps *m)
{
	set(c, R1, JIT_CGROUP_LEVEL);
	call(c, BPF_FUNC_get_current_ancestor_cgroup_id);
	move(c, R7, R0);
	deny_null(c, R7); /* it is above that level */
	emit(c, BPF_ST | BPF_W | BPF_MEM, R10, 0, -4, 0);
	look_up(c, m->slots);
	move(c, R8, R0);
	for (size_t left = m->n_slots; left; left--) {
		load(c, BPF_DW, R1, R8, offsetof(struct bpf_code_slot, cgroup));
		if (left == 1) {
			deny_if(c, BPF_JNE, R1);
			break;
		}
		emit(c, BPF_JMP | BPF_JEQ | BPF_X, R1, R7, (int)(3 * left - 3), 0); /* three for each other, two for the last */
		emit(c, BPF_ALU64 | BPF_ADD | BPF_K, R8, 0, 0, sizeof(struct bpf_code_slot));
	}
}

/* May this process make executable memory? R6 = its program's file, R9 = the bit that its device must have; or deny. */
static void judge_process(struct bpf_code *c, const struct bpf_code_kernel *k, const struct bpf_code_maps *m)
{
	find_slot(c, m);
	call(c, BPF_FUNC_get_current_task);
	move(c, R6, R0);
	follow(c, k, R9, R6, k->off[OFF_TASK_CRED]);
	for (int i = 0; i < 4; i++) {
		read(c, k, BPF_DW, R1, R9, k->off[OFF_CRED_UID] + 8 * i);
		load(c, BPF_DW, R7, R8, offsetof(struct bpf_code_slot, ids));
		deny_if(c, BPF_JNE, R1);
	}
	read(c, k, BPF_DW, R1, R9, k->off[OFF_CRED_PERMITTED]);
	load(c, BPF_DW, R7, R8, offsetof(struct bpf_code_slot, no_caps));
	deny_if(c, BPF_JSET, R1);
	load(c, BPF_DW, R9, R8, offsetof(struct bpf_code_slot, use));
	follow(c, k, R6, R6, k->off[OFF_TASK_MM]);
	follow(c, k, R6, R6, k->off[OFF_MM_EXE]);
}

/* Does a volume whose device has the bit R9 hold the file R6? Ends the program. */
static void judge(struct bpf_code *c, const struct bpf_code_kernel *k, const struct bpf_code_maps *m)
{
	size_t skip;

	follow(c, k, R6, R6, k->off[OFF_FILE_INODE]);
	follow(c, k, R7, R6, k->off[OFF_INODE_SB]);
	read(c, k, BPF_W, R8, R7, k->off[OFF_SB_MAGIC]);
	skip = leap(c, BPF_JNE, R8, OVERLAYFS_SUPER_MAGIC);
	look_below(c, k);
	read(c, k, BPF_W, R8, R7, k->off[OFF_SB_MAGIC]);
	land(c, skip);
	jump32(c, BPF_JNE, R8, EROFS_MAGIC, TO_DENY);
	read(c, k, BPF_W, R8, R7, k->off[OFF_SB_DEV]);
	emit(c, BPF_STX | BPF_W | BPF_MEM, R10, R8, -4, 0);
	look_up(c, m->devices);
	load(c, BPF_W, R1, R0, 0);
	emit(c, BPF_JMP | BPF_JSET | BPF_X, R1, R9, TO_ALLOW, 0);
	jump(c, TO_DENY);
	finish(c, EACCES);
}

/* R8 = what memory is to be: what was asked for, and what personality(READ_IMPLIES_EXEC) made of it. */
static void judge_protection(struct bpf_code *c, int asked, int made)
{
	load(c, BPF_DW, R8, R9, 8 * asked);
	load(c, BPF_DW, R7, R9, 8 * made);
	emit(c, BPF_ALU64 | BPF_OR | BPF_X, R8, R7, 0, 0);
	jump32(c, BPF_JSET, R8, PROT_EXEC, 1);
	jump(c, TO_ALLOW);
}

/* Executable memory that no file backs, from jump @from on; a file's judgement has come to where this is called, with R6 set. Ends
 * the program. */
static void judge_both(struct bpf_code *c, const struct bpf_code_kernel *k, const struct bpf_code_maps *m, size_t from)
{
	size_t skip;

	set(c, R9, BPF_CODE_USE_RUN);
	skip = leap(c, BPF_JA, 0, 0);
	land(c, from);
	if (m->n_slots)
		judge_process(c, k, m);
	else
		jump(c, TO_DENY);
	land(c, skip);
	judge(c, k, m);
}

void bpf_code_exec(struct bpf_code *c, const struct bpf_code_kernel *k, const struct bpf_code_maps *m)
{
	move(c, R9, R1);
	take_pointer(c, k, R6, 0);
	follow(c, k, R6, R6, k->off[OFF_BPRM_FILE]);
	set(c, R9, BPF_CODE_USE_RUN);
	judge(c, k, m);
}

/* (file, reqprot, prot, flags) */
void bpf_code_mmap(struct bpf_code *c, const struct bpf_code_kernel *k, const struct bpf_code_maps *m)
{
	size_t anonymous;

	move(c, R9, R1);
	judge_protection(c, 1, 2);
	load(c, BPF_DW, R7, R9, 24);
	anonymous = leap(c, BPF_JSET, R7, MAP_ANONYMOUS);
	jump32(c, BPF_JSET, R8, PROT_WRITE, TO_DENY);
	take_pointer(c, k, R6, 0);
	judge_both(c, k, m, anonymous);
}

/* (vma, reqprot, prot) */
void bpf_code_mprotect(struct bpf_code *c, const struct bpf_code_kernel *k, const struct bpf_code_maps *m)
{
	size_t anonymous;

	move(c, R9, R1);
	judge_protection(c, 1, 2);
	take_pointer(c, k, R6, 0);
	read(c, k, BPF_DW, R7, R6, k->off[OFF_VMA_FILE]);
	anonymous = leap(c, BPF_JEQ, R7, 0);
	jump32(c, BPF_JSET, R8, PROT_WRITE, TO_DENY);
	read(c, k, BPF_DW, R8, R6, k->off[OFF_VMA_ANON]);
	emit(c, BPF_JMP | BPF_JNE | BPF_K, R8, 0, TO_DENY, 0);
	move(c, R6, R7);
	judge_both(c, k, m, anonymous);
}

/* (cmd, attr, size): the offsets in attr are those of the system call's own ABI. */
void bpf_code_bpf(struct bpf_code *c)
{
	static const struct {
		uint8_t cmd;
		uint8_t off; /* of what decides, in attr; UINT8_MAX: the command alone does */
		uint8_t value;
	} allowed[] = {
		{ BPF_PROG_LOAD, offsetof(union bpf_attr, prog_type), BPF_PROG_TYPE_CGROUP_DEVICE },
		{ BPF_PROG_ATTACH, offsetof(union bpf_attr, attach_type), BPF_CGROUP_DEVICE },
		{ BPF_PROG_DETACH, offsetof(union bpf_attr, attach_type), BPF_CGROUP_DEVICE },
		{ BPF_PROG_QUERY, offsetof(union bpf_attr, query.attach_type), BPF_CGROUP_DEVICE },
		{ BPF_PROG_GET_FD_BY_ID, UINT8_MAX, 0 }, /* to take one's old program off; ours hang on links */
		{ BPF_OBJ_GET_INFO_BY_FD, UINT8_MAX, 0 },
	};

	load(c, BPF_DW, R6, R1, 0);
	load(c, BPF_DW, R7, R1, 8);
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		if (allowed[i].off == UINT8_MAX) {
			jump32(c, BPF_JEQ, R6, allowed[i].cmd, TO_ALLOW);
			continue;
		}
		jump32(c, BPF_JNE, R6, allowed[i].cmd, 2);
		load(c, BPF_W, R8, R7, allowed[i].off);
		jump32(c, BPF_JEQ, R8, allowed[i].value, TO_ALLOW);
	}
	jump(c, TO_DENY);
	finish(c, EPERM);
}

/* Of a cgroup: 1 lets it be, 0 refuses with EPERM. */
void bpf_code_sysctl(struct bpf_code *c)
{
	load(c, BPF_W, R6, R1, offsetof(struct bpf_sysctl, write));
	set(c, R0, 1);
	jump32(c, BPF_JEQ, R6, 0, 1);
	set(c, R0, 0);
	emit(c, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}
