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
#include "policy/policy.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#define CAST  4711
#define MAP   5
#define SLOTS 6
#define DEV   0x0fe00003u /* 254:3 */
#define OVL   0x794c7630u
#define EROFS_SUPER 0xe0f5e1e2u
#define TMPFS 0x01021994u
#define STEPS 1000

/* A kernel whose structures are arrays of words; the inode stands in the middle of overlayfs's own. */
static uint64_t bprm[8], vma[8], file[8], sb[8], inode[8], lower_sb[8], lower_inode[8], dentry[8], ovl_fs[4], ovl_layers[4],
	ovl_entry[4], task[8], mm[8], cred[8];

static const struct bpf_code_kernel kernel = {
	.off = { [OFF_BPRM_FILE] = 16, [OFF_VMA_FILE] = 8, [OFF_VMA_ANON] = 24, [OFF_FILE_INODE] = 40, [OFF_INODE_SB] = 32,
		 [OFF_SB_MAGIC] = 8, [OFF_SB_DEV] = 16, [OFF_SB_INFO] = 24, [OFF_DENTRY_INODE] = 48, [OFF_OVL_VFS_INODE] = 16,
		 [OFF_OVL_UPPER] = 56, [OFF_OVL_ENTRY] = 64, [OFF_OVL_NUMLOWER] = 0, [OFF_OVL_STACK] = 8,
		 [OFF_OVL_PATH_DENTRY] = 8, [OFF_OVL_LAYERS] = 8, [OFF_OVL_LAYER_MNT] = 0, [OFF_TASK_CRED] = 8,
		 [OFF_TASK_MM] = 16, [OFF_MM_EXE] = 24, [OFF_CRED_UID] = 8, [OFF_CRED_FSUID] = 32, [OFF_CRED_PERMITTED] = 56 },
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

/* What the helpers say of the process; what the maps hold. */
static uint64_t ancestor;
static uint32_t device_use = BPF_CODE_USE_RUN;
static struct bpf_code_slot slot[3];
static struct bpf_code_maps maps = { .devices = MAP, .slots = SLOTS };

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

static void look_up(struct machine *m)
{
	uint32_t key;

	memcpy(&key, (const void *)(uintptr_t)m->r[2], sizeof(key));
	if (m->r[1] == SLOTS) {
		assert_int_equal(key, 0);
		m->r[0] = address(slot);
		m->safe[0] = true; /* of a map, and so to be read */
		return;
	}
	assert_int_equal(m->r[1], MAP);
	m->r[0] = key == DEV ? address(&device_use) : 0;
	m->safe[0] = true;
}

static void call(struct machine *m, const struct bpf_insn *i)
{
	memset(m->safe, 0, 6);
	if (i->src_reg == BPF_PSEUDO_KFUNC_CALL) {
		assert_int_equal(i->imm, CAST);
		assert_int_equal(m->r[2], kernel.word);
		m->r[0] = m->r[1];
		m->safe[0] = true;
	} else if (i->imm == BPF_FUNC_get_current_ancestor_cgroup_id) {
		assert_int_equal(m->r[1], 2);
		m->r[0] = ancestor;
	} else if (i->imm == BPF_FUNC_get_current_task) {
		m->r[0] = address(task);
	} else {
		assert_int_equal(i->imm, BPF_FUNC_map_lookup_elem);
		look_up(m);
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
			if (BPF_OP(i->code) == BPF_MOV)
				m.safe[i->dst_reg] = i->code & BPF_X && m.safe[i->src_reg];
			else
				m.safe[i->dst_reg] &= BPF_OP(i->code) == BPF_ADD && !(i->code & BPF_X);
			m.r[i->dst_reg] = BPF_OP(i->code) == BPF_MOV ? operand :
					  BPF_OP(i->code) == BPF_ADD ? m.r[i->dst_reg] + operand :
								       m.r[i->dst_reg] | operand;
		} else if (class == BPF_LDX) {
			m.r[i->dst_reg] = fetch(&m, i, ctx, ctx_bytes);
			m.safe[i->dst_reg] = false;
		} else if (class == BPF_STX) {
			memcpy((void *)(uintptr_t)(m.r[10] + (uint64_t)(int64_t)i->off), &m.r[i->src_reg], 4);
		} else if (class == BPF_ST) {
			memcpy((void *)(uintptr_t)(m.r[10] + (uint64_t)(int64_t)i->off), &i->imm, 4);
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

	bpf_code_exec(&c, &kernel, &maps);
	return run(&c, ctx, sizeof(ctx));
}

static int64_t run_mmap(const void *f, uint64_t asked, uint64_t made, uint64_t flags)
{
	struct bpf_code c = { .n = 0 };
	const uint64_t ctx[] = { address(f), asked, made, flags };

	bpf_code_mmap(&c, &kernel, &maps);
	return run(&c, ctx, sizeof(ctx));
}

static int64_t run_mprotect(uint64_t asked, uint64_t made)
{
	struct bpf_code c = { .n = 0 };
	const uint64_t ctx[] = { address(vma), asked, made };

	bpf_code_mprotect(&c, &kernel, &maps);
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

/* A process that may: of the second of three images, in its group, as its user, with one of its two capabilities. */
static void maker(void)
{
	const uint64_t ids = 1001ull << 32 | 1000;

	overlaid(DEV);
	device_use = BPF_CODE_USE_RUN | 4;
	maps.n_slots = ARRAY_SIZE(slot);
	slot[0] = (struct bpf_code_slot){ .cgroup = 70, .ids = 5, .no_caps = ~0ull, .use = 2 };
	slot[1] = (struct bpf_code_slot){ .cgroup = 71, .ids = ids, .no_caps = ~0x401ull, .use = 4 };
	slot[2] = (struct bpf_code_slot){ .cgroup = 72, .ids = 0, .no_caps = ~0ull, .use = 8 };
	ancestor = 71;
	task[1] = address(cred);
	task[2] = address(mm);
	mm[3] = address(file);
	for (size_t i = 1; i <= 4; i++)
		cred[i] = ids;
	cred[7] = 0x400;
}

static int64_t makes(void)
{
	const uint64_t rwx = PROT_READ | PROT_WRITE | PROT_EXEC;
	int64_t mapped = run_mmap(NULL, rwx, rwx, MAP_PRIVATE | MAP_ANONYMOUS), changed;

	assert_int_equal(run_mmap(NULL, PROT_EXEC, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS), mapped);
	vma[1] = 0;
	vma[3] = 0xffff888000000000; /* anonymous memory that was written to */
	changed = run_mprotect(PROT_READ | PROT_EXEC, PROT_READ | PROT_EXEC);
	assert_int_equal(changed, mapped);
	return mapped;
}

static void executable_memory_is_for_who_is_all_that_the_entry_says(void **state)
{
	uint64_t *const links[] = { &task[1], &task[2], &mm[3], &file[5] };

	(void)state;
	maker();
	assert_int_equal(makes(), 0);
	for (size_t i = 1; i <= 4; i++)
		for (unsigned bit = 0; bit < 64; bit += 31) {
			maker();
			cred[i] ^= 1ull << bit;
			assert_int_equal(makes(), -EACCES);
		}
	for (unsigned cap = 0; cap < 64; cap++) {
		maker();
		cred[7] |= 1ull << cap;
		assert_int_equal(makes(), cap == 0 || cap == 10 ? 0 : -EACCES);
	}
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		maker();
		*links[i] = 0;
		assert_int_equal(makes(), -EACCES);
	}
	maker();
	device_use = BPF_CODE_USE_RUN | 2 | 8; /* its program is of other images' layers */
	assert_int_equal(makes(), -EACCES);
	maker();
	slot[1].use = 0; /* none was measured */
	assert_int_equal(makes(), -EACCES);
	maker();
	maps.n_slots = 0; /* another profile */
	assert_int_equal(makes(), -EACCES);
	maps.n_slots = 1; /* 70 alone */
	assert_int_equal(makes(), -EACCES);
	maker();
	lower_sb[2] = DEV + 1; /* its program is of no layer that is allowed */
	assert_int_equal(makes(), -EACCES);
}

static void executable_memory_is_for_an_images_group(void **state)
{
	(void)state;
	for (ancestor = 0; ancestor < 100; ancestor++) {
		const uint64_t group = ancestor;

		maker();
		ancestor = group;
		assert_int_equal(makes(), group == 71 ? 0 : -EACCES);
	}
	maker();
	slot[2].ids = cred[1];
	slot[2].use = 4;
	ancestor = 72; /* the last one's: its capabilities count */
	assert_int_equal(makes(), -EACCES);
	cred[7] = 0;
	assert_int_equal(makes(), 0);
	slot[0] = slot[2];
	slot[0].cgroup = ancestor = 70;
	assert_int_equal(makes(), 0);
}

/* Who may make memory executable gets no more of files than others. */
static void files_are_judged_alike_there(void **state)
{
	(void)state;
	maker();
	assert_int_equal(run_mmap(file, PROT_WRITE | PROT_EXEC, PROT_WRITE | PROT_EXEC, MAP_PRIVATE), -EACCES);
	assert_int_equal(run_mmap(file, PROT_EXEC, PROT_EXEC, MAP_PRIVATE), 0);
	assert_int_equal(run_mmap(NULL, PROT_EXEC, PROT_EXEC, MAP_PRIVATE | MAP_FIXED), -EACCES); /* MMAP_PAGE_ZERO */
	vma[1] = address(file);
	assert_int_equal(run_mprotect(PROT_EXEC, PROT_EXEC), 0);
	vma[3] = 0xffff888000000000;
	assert_int_equal(run_mprotect(PROT_EXEC, PROT_EXEC), -EACCES);
	vma[3] = 0;
	assert_int_equal(run_mprotect(PROT_WRITE | PROT_EXEC, PROT_WRITE | PROT_EXEC), -EACCES);
	lower_sb[2] = DEV + 1;
	assert_int_equal(run_mmap(file, PROT_EXEC, PROT_EXEC, MAP_PRIVATE), -EACCES);
	assert_int_equal(run_exec(), -EACCES);
}

static void the_most_images_fit(void **state)
{
	struct bpf_code_maps many = { .devices = MAP, .slots = SLOTS, .n_slots = POLICY_MAX_JIT };
	struct bpf_code c = { .n = 0 }, d = { .n = 0 };

	(void)state;
	bpf_code_mmap(&c, &kernel, &many);
	bpf_code_mprotect(&d, &kernel, &many);
	assert_false(c.bad || d.bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_files_of_allowed_volumes_are_executed),
		cmocka_unit_test(a_missing_pointer_is_refused_everywhere),
		cmocka_unit_test(an_overlay_is_judged_by_the_file_below),
		cmocka_unit_test(memory_is_executable_only_if_a_verified_file_backs_it),
		cmocka_unit_test(memory_that_was_written_to_does_not_become_executable),
		cmocka_unit_test(executable_memory_is_for_who_is_all_that_the_entry_says),
		cmocka_unit_test(executable_memory_is_for_an_images_group),
		cmocka_unit_test(files_are_judged_alike_there),
		cmocka_unit_test(the_most_images_fit),
		cmocka_unit_test(of_bpf_only_device_rules_are_left),
		cmocka_unit_test(sysctls_are_read_and_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
