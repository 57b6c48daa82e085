/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/init/test_bpf_code.c - the programs' every decision, run here over structures of our own
 *
 * A small interpreter of just the instructions that the programs use. What bpf_rdonly_cast() gave may be read at any
 * address, and reads 0 below a page, as the kernel has it; anything else must lie in the context or the stack. Whether the
 * kernel accepts the programs, and calls them, is shown by the VM cases direct-*.
 */
#include "tests/common/check.h"

#include "common/cleanup.h"
#include "init/bpf_code.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#define CAST  4711
#define MAP   5
#define DEV   0x0fe00003u /* 254:3 */
#define OVL   0x794c7630u
#define EROFS_SUPER 0xe0f5e1e2u
#define TMPFS 0x01021994u
#define STEPS 1000

/* A kernel whose structures are arrays of words; the inode stands in the middle of overlayfs's own. */
static uint64_t bprm[8], vma[8], file[8], sb[8], inode[8], lower_sb[8], lower_inode[8], dentry[8], ovl_fs[4], ovl_layers[4],
	ovl_entry[4];

static const struct bpf_code_kernel kernel = {
	.off = { [OFF_BPRM_FILE] = 16, [OFF_VMA_FILE] = 8, [OFF_VMA_ANON] = 24, [OFF_FILE_INODE] = 40, [OFF_INODE_SB] = 32,
		 [OFF_SB_MAGIC] = 8, [OFF_SB_DEV] = 16, [OFF_SB_INFO] = 24, [OFF_DENTRY_INODE] = 48, [OFF_OVL_VFS_INODE] = 16,
		 [OFF_OVL_UPPER] = 56, [OFF_OVL_ENTRY] = 64, [OFF_OVL_NUMLOWER] = 0, [OFF_OVL_STACK] = 8,
		 [OFF_OVL_PATH_DENTRY] = 8, [OFF_OVL_LAYERS] = 8, [OFF_OVL_LAYER_MNT] = 0 },
	.rdonly_cast = CAST,
	.word = 99,
};

static uint64_t address(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

/* A file of an EROFS_SUPER on @dev. */
static void plain(uint32_t dev)
{
	memset(ovl_fs, 0, sizeof(ovl_fs));
	memset(ovl_layers, 0, sizeof(ovl_layers));
	memset(inode, 0, sizeof(inode));
	bprm[2] = address(file);
	vma[1] = address(file);
	vma[3] = 0;
	file[5] = address(inode);
	inode[4] = address(sb);
	sb[1] = EROFS_SUPER;
	sb[2] = dev;
}

/* The same file, seen through an overlay without an upper folder. */
static void overlaid(uint32_t dev)
{
	plain(dev);
	sb[1] = OVL;
	sb[2] = 0x30;
	sb[3] = address(ovl_fs);
	ovl_fs[1] = address(ovl_layers);
	inode[5] = 0;                  /* __upperdentry: 56 - 16 */
	inode[6] = address(ovl_entry); /* oe: 64 - 16 */
	ovl_entry[0] = 1;
	ovl_entry[2] = address(dentry);
	dentry[6] = address(lower_inode);
	lower_inode[4] = address(lower_sb);
	lower_sb[1] = EROFS_SUPER;
	lower_sb[2] = dev;
}

struct machine {
	uint64_t r[11];
	uint8_t stack[64];
	bool safe[11]; /* the register holds what the cast gave */
};

static uint64_t fetch(const struct machine *m, const struct bpf_insn *i, const void *ctx, size_t ctx_bytes)
{
	size_t n = BPF_SIZE(i->code) == BPF_DW ? 8 : 4;
	uint64_t value = 0, from = m->r[i->src_reg] + (uint64_t)(int64_t)i->off;

	if (m->safe[i->src_reg]) {
		if (from < 4096)
			return 0;
	} else if (from < address(ctx) || from + n > address(ctx) + ctx_bytes) {
		fail_msg("an unsafe read");
	}
	memcpy(&value, (const void *)(uintptr_t)from, n);
	return value;
}

static bool holds(int op, uint64_t a, uint64_t b)
{
	switch (op) {
	case BPF_JEQ:
		return a == b;
	case BPF_JNE:
		return a != b;
	case BPF_JSET:
		return a & b;
	default:
		fail_msg("jump 0x%x", (unsigned)op);
		return false;
	}
}

static void call(struct machine *m, const struct bpf_insn *i)
{
	static uint32_t value = 1;
	uint32_t key;

	memset(m->safe, 0, 6);
	if (i->src_reg == BPF_PSEUDO_KFUNC_CALL) {
		assert_int_equal(i->imm, CAST);
		assert_int_equal(m->r[2], kernel.word);
		m->r[0] = m->r[1];
		m->safe[0] = true;
	} else {
		assert_int_equal(i->imm, BPF_FUNC_map_lookup_elem);
		assert_int_equal(m->r[1], MAP);
		memcpy(&key, (const void *)(uintptr_t)m->r[2], sizeof(key));
		m->r[0] = key == DEV ? address(&value) : 0;
	}
	for (int r = 1; r <= 5; r++)
		m->r[r] = 0xdead;
}

/* Run @c with the context @ctx. Return: R0. */
static int64_t run(const struct bpf_code *c, const void *ctx, size_t ctx_bytes)
{
	struct machine m = { .r = { [1] = address(ctx) } };
	size_t pc = 0;

	m.r[10] = address(m.stack + sizeof(m.stack));
	assert_false(c->bad);
	for (int step = 0; step < STEPS; step++) {
		const struct bpf_insn *i = &c->insn[pc++];
		int class = BPF_CLASS(i->code);
		uint64_t operand = i->code & BPF_X ? m.r[i->src_reg] : (uint64_t)(int64_t)i->imm;

		assert_true(pc <= c->n);
		if (class == BPF_ALU64) {
			m.safe[i->dst_reg] = BPF_OP(i->code) == BPF_MOV && i->code & BPF_X && m.safe[i->src_reg];
			m.r[i->dst_reg] = BPF_OP(i->code) == BPF_MOV ? operand :
					  BPF_OP(i->code) == BPF_ADD ? m.r[i->dst_reg] + operand :
								       m.r[i->dst_reg] | operand;
		} else if (class == BPF_LDX) {
			m.r[i->dst_reg] = fetch(&m, i, ctx, ctx_bytes);
			m.safe[i->dst_reg] = false;
		} else if (class == BPF_STX) {
			memcpy((void *)(uintptr_t)(m.r[10] + (uint64_t)(int64_t)i->off), &m.r[i->src_reg], 4);
		} else if (class == BPF_LD) {
			m.r[i->dst_reg] = (uint32_t)i->imm;
			pc++;
		} else if (i->code == (BPF_JMP | BPF_EXIT)) {
			return (int64_t)m.r[0];
		} else if (i->code == (BPF_JMP | BPF_CALL)) {
			call(&m, i);
		} else if (i->code == (BPF_JMP | BPF_JA)) {
			pc += (size_t)(int64_t)i->off;
		} else if (holds(BPF_OP(i->code), class == BPF_JMP ? m.r[i->dst_reg] : (uint32_t)m.r[i->dst_reg],
				 class == BPF_JMP ? operand : (uint32_t)operand)) {
			pc += (size_t)(int64_t)i->off;
		}
	}
	fail_msg("the program does not end");
	return 0;
}

static int64_t run_exec(void)
{
	struct bpf_code c = { .n = 0 };
	const uint64_t ctx[] = { address(bprm) };

	bpf_code_exec(&c, &kernel, MAP);
	return run(&c, ctx, sizeof(ctx));
}

static int64_t run_mmap(const void *f, uint64_t asked, uint64_t made, uint64_t flags)
{
	struct bpf_code c = { .n = 0 };
	const uint64_t ctx[] = { address(f), asked, made, flags };

	bpf_code_mmap(&c, &kernel, MAP);
	return run(&c, ctx, sizeof(ctx));
}

static int64_t run_mprotect(uint64_t asked, uint64_t made)
{
	struct bpf_code c = { .n = 0 };
	const uint64_t ctx[] = { address(vma), asked, made };

	bpf_code_mprotect(&c, &kernel, MAP);
	return run(&c, ctx, sizeof(ctx));
}

static void only_files_of_allowed_volumes_are_executed(void **state)
{
	(void)state;
	plain(DEV);
	assert_int_equal(run_exec(), 0);
	plain(DEV + 1);
	assert_int_equal(run_exec(), -EACCES);
	plain(DEV);
	sb[1] = TMPFS; /* or whatever else is told to stand on that device */
	assert_int_equal(run_exec(), -EACCES);
}

static void a_missing_pointer_is_refused_everywhere(void **state)
{
	uint64_t *const links[] = { &bprm[2], &file[5], &inode[4] };
	uint64_t *const below[] = { &sb[3], &ovl_fs[1], &inode[6], &ovl_entry[2], &dentry[6], &lower_inode[4] };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		plain(DEV);
		*links[i] = 0;
		assert_int_equal(run_exec(), -EACCES);
	}
	for (size_t i = 0; i < ARRAY_SIZE(below); i++) {
		overlaid(DEV);
		*below[i] = 0;
		assert_int_equal(run_exec(), -EACCES);
	}
}

static void an_overlay_is_judged_by_the_file_below(void **state)
{
	(void)state;
	overlaid(DEV);
	assert_int_equal(run_exec(), 0);
	overlaid(DEV + 1);
	assert_int_equal(run_exec(), -EACCES);
	overlaid(DEV);
	lower_sb[1] = OVL; /* an overlay of overlays */
	assert_int_equal(run_exec(), -EACCES);
	overlaid(DEV);
	ovl_layers[0] = 0xffff888000000000; /* an upper folder, whatever this file has */
	assert_int_equal(run_exec(), -EACCES);
	overlaid(DEV);
	inode[5] = address(dentry); /* copied up */
	assert_int_equal(run_exec(), -EACCES);
	for (uint64_t n = 0; n < 4; n++) {
		overlaid(DEV);
		ovl_entry[0] = n; /* metacopy: the data come from another layer */
		assert_int_equal(run_exec(), n == 1 ? 0 : -EACCES);
	}
}

static void memory_is_executable_only_if_a_verified_file_backs_it(void **state)
{
	(void)state;
	plain(DEV);
	assert_int_equal(run_mmap(file, PROT_READ | PROT_EXEC, PROT_READ | PROT_EXEC, MAP_PRIVATE), 0);
	assert_int_equal(run_mmap(file, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, MAP_PRIVATE), 0);
	assert_int_equal(run_mmap(NULL, PROT_READ, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS), 0);
	assert_int_equal(run_mmap(NULL, PROT_EXEC, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS), -EACCES);
	assert_int_equal(run_mmap(NULL, PROT_READ, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS), -EACCES);
	assert_int_equal(run_mmap(NULL, PROT_EXEC, PROT_EXEC, MAP_PRIVATE | MAP_FIXED), -EACCES); /* MMAP_PAGE_ZERO */
	assert_int_equal(run_mmap(file, PROT_WRITE | PROT_EXEC, PROT_WRITE | PROT_EXEC, MAP_PRIVATE), -EACCES);
	plain(DEV + 1);
	assert_int_equal(run_mmap(file, PROT_EXEC, PROT_EXEC, MAP_PRIVATE), -EACCES);
	assert_int_equal(run_mmap(file, PROT_READ, PROT_READ, MAP_PRIVATE), 0);
}

static void memory_that_was_written_to_does_not_become_executable(void **state)
{
	(void)state;
	plain(DEV);
	assert_int_equal(run_mprotect(PROT_READ | PROT_EXEC, PROT_READ | PROT_EXEC), 0);
	assert_int_equal(run_mprotect(PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE), 0);
	assert_int_equal(run_mprotect(PROT_WRITE | PROT_EXEC, PROT_WRITE | PROT_EXEC), -EACCES);
	vma[3] = 0xffff888000000000; /* anon_vma: a page of it is a copy */
	assert_int_equal(run_mprotect(PROT_READ | PROT_EXEC, PROT_READ | PROT_EXEC), -EACCES);
	assert_int_equal(run_mprotect(PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE), 0);
	plain(DEV);
	vma[1] = 0; /* anonymous */
	assert_int_equal(run_mprotect(PROT_READ | PROT_EXEC, PROT_READ | PROT_EXEC), -EACCES);
	plain(DEV + 1);
	assert_int_equal(run_mprotect(PROT_READ | PROT_EXEC, PROT_READ | PROT_EXEC), -EACCES);
}

/* attr is read as it is: to the verifier a pointer it trusts. */
static int64_t run_bpf(int cmd, union bpf_attr *attr)
{
	struct bpf_code c = { .n = 0 };
	struct {
		uint64_t args[3];
		union bpf_attr attr;
	} ctx = { .args = { (uint64_t)cmd, 0, sizeof(*attr) }, .attr = *attr };

	ctx.args[1] = address(&ctx.attr);
	bpf_code_bpf(&c);
	return run(&c, &ctx, sizeof(ctx));
}

static void of_bpf_only_device_rules_are_left(void **state)
{
	(void)state;
	for (int cmd = 0; cmd < 64; cmd++) {
		bool by_id = cmd == BPF_PROG_GET_FD_BY_ID || cmd == BPF_OBJ_GET_INFO_BY_FD;
		union bpf_attr none = { 0 };

		assert_int_equal(run_bpf(cmd, &none), by_id ? 0 : -EPERM);
	}
	for (unsigned type = 0; type < 40; type++) {
		union bpf_attr load = { .prog_type = type }, attach = { .attach_type = type };

		assert_int_equal(run_bpf(BPF_PROG_LOAD, &load), type == BPF_PROG_TYPE_CGROUP_DEVICE ? 0 : -EPERM);
		assert_int_equal(run_bpf(BPF_PROG_ATTACH, &attach), type == BPF_CGROUP_DEVICE ? 0 : -EPERM);
		assert_int_equal(run_bpf(BPF_PROG_DETACH, &attach), type == BPF_CGROUP_DEVICE ? 0 : -EPERM);
	}
}

static void sysctls_are_read_and_not_written(void **state)
{
	struct bpf_code c = { .n = 0 };
	struct bpf_sysctl read = { .write = 0 }, write = { .write = 1 };

	(void)state;
	bpf_code_sysctl(&c);
	assert_int_equal(run(&c, &read, sizeof(read)), 1);
	assert_int_equal(run(&c, &write, sizeof(write)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_files_of_allowed_volumes_are_executed),
		cmocka_unit_test(a_missing_pointer_is_refused_everywhere),
		cmocka_unit_test(an_overlay_is_judged_by_the_file_below),
		cmocka_unit_test(memory_is_executable_only_if_a_verified_file_backs_it),
		cmocka_unit_test(memory_that_was_written_to_does_not_become_executable),
		cmocka_unit_test(of_bpf_only_device_rules_are_left),
		cmocka_unit_test(sysctls_are_read_and_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
