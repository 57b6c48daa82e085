/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/bpf_lsm.c - execution only from the volumes PID 1 opened: find the kernel's types, load, attach */
#include "init/bpf_lsm.h"

#include "init/bpf_code.h"
#include "init/btf.h"
#include "init/io.h"
#include "init/sys.h"
#include "policy/capability.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#define BTF_VMLINUX   "/sys/kernel/btf/vmlinux"
#define BTF_OVERLAY   "/sys/kernel/btf/overlay"
#define BTF_MAX_SMALL (1u << 20) /* of a module */
#define CGROUP        "/sys/fs/cgroup"
#define LOG_BYTES     65536
/* Ours is LGPL 2.1 or later, which its section 3 lets anyone take as GPL; the kernel knows only that name. */
#define LICENSE "GPL"

/* Without pointers, which cost a relocation each. */
static const struct wanted {
	char type[16], member[16];
} wanted[BPF_CODE_OFFSETS] = {
	[OFF_BPRM_FILE] = { "linux_binprm", "file" },
	[OFF_VMA_FILE] = { "vm_area_struct", "vm_file" },
	[OFF_VMA_ANON] = { "vm_area_struct", "anon_vma" },
	[OFF_FILE_INODE] = { "file", "f_inode" },
	[OFF_INODE_SB] = { "inode", "i_sb" },
	[OFF_SB_MAGIC] = { "super_block", "s_magic" },
	[OFF_SB_DEV] = { "super_block", "s_dev" },
	[OFF_SB_INFO] = { "super_block", "s_fs_info" },
	[OFF_DENTRY_INODE] = { "dentry", "d_inode" },
	[OFF_WORD] = { "timespec64", "tv_sec" },
	[OFF_TASK_CRED] = { "task_struct", "cred" },
	[OFF_TASK_MM] = { "task_struct", "mm" },
	[OFF_MM_EXE] = { "mm_struct", "exe_file" },
	[OFF_CRED_UID] = { "cred", "uid" },
	[OFF_CRED_FSUID] = { "cred", "fsuid" },
	[OFF_CRED_PERMITTED] = { "cred", "cap_permitted" },
	[OFF_OVL_VFS_INODE] = { "ovl_inode", "vfs_inode" },
	[OFF_OVL_UPPER] = { "ovl_inode", "__upperdentry" },
	[OFF_OVL_ENTRY] = { "ovl_inode", "oe" },
	[OFF_OVL_NUMLOWER] = { "ovl_entry", "__numlower" },
	[OFF_OVL_STACK] = { "ovl_entry", "__lowerstack" },
	[OFF_OVL_PATH_DENTRY] = { "ovl_path", "dentry" },
	[OFF_OVL_LAYERS] = { "ovl_fs", "layers" },
	[OFF_OVL_LAYER_MNT] = { "ovl_layer", "mnt" },
};
#define FIRST_OF_OVERLAY OFF_OVL_VFS_INODE

/* In the order in which they take effect: the guard of bpf(2) last, for it refuses us too. */
enum { SYSCTL, EXEC, MMAP, MPROTECT, GUARD };
static const char *const hooks[PID1_LSM_LINKS] = { NULL, "bpf_lsm_bprm_check_security", "bpf_lsm_mmap_file",
						   "bpf_lsm_file_mprotect", "bpf_lsm_bpf" };

/* --- the kernel's types ------------------------------------------------------------------------------------------ */

/* struct source - a description and its heap, which is gone again before the engine starts */
struct source {
	struct pid1_btf btf;
	char *bytes;
};

/* struct types - the kernel's, and the module's that goes on from it */
struct types {
	struct source vmlinux, overlay;
};

static void source_free(struct source *s)
{
	free(s->bytes);
	free(s->btf.at);
}

/* @s: btf.name and btf.base are set; @max: bytes */
static int read_btf(struct source *s, size_t max, struct err *e)
{
	size_t len;
	int r;

	s->btf.room = max / 12; /* a type has 12 bytes at least */
	s->bytes = malloc(max);
	s->btf.at = malloc(s->btf.room * sizeof(*s->btf.at));
	if (!s->bytes || !s->btf.at)
		return err_set(e, ENOMEM, "no memory for %s", s->btf.name);
	r = pid1_read(s->btf.name, s->bytes, max, &len, e);
	return r ? r : pid1_btf_parse(&s->btf, s->bytes, len, e);
}

static int need(uint32_t id, const char *what, struct err *e)
{
	return id ? 0 : err_set(e, ENOENT, "%s does not know %s", BTF_VMLINUX, what);
}

static int ask(const struct types *t, struct bpf_code_kernel *k, uint32_t hook_id[static PID1_LSM_LINKS], struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < BPF_CODE_OFFSETS; i++)
		r = pid1_btf_offset(i < FIRST_OF_OVERLAY ? &t->vmlinux.btf : &t->overlay.btf, wanted[i].type, wanted[i].member,
				    &k->off[i], e);
	if (!r && (k->off[OFF_WORD] || k->off[OFF_CRED_FSUID] != k->off[OFF_CRED_UID] + 24))
		r = err_set(e, EBADMSG, "the kernel's struct timespec64 or cred is not laid out as it was");
	for (size_t i = EXEC; !r && i < PID1_LSM_LINKS; i++) {
		hook_id[i] = pid1_btf_find(&t->vmlinux.btf, hooks[i], PID1_BTF_FUNC);
		r = need(hook_id[i], hooks[i], e);
	}
	if (r)
		return r;
	k->rdonly_cast = pid1_btf_find(&t->vmlinux.btf, "bpf_rdonly_cast", PID1_BTF_FUNC);
	k->word = pid1_btf_find(&t->vmlinux.btf, "timespec64", PID1_BTF_STRUCT);
	return need(k->rdonly_cast, "bpf_rdonly_cast()", e);
}

static int know_kernel(struct bpf_code_kernel *k, uint32_t hook_id[static PID1_LSM_LINKS], struct err *e)
{
	struct types t = { .vmlinux.btf.name = BTF_VMLINUX,
			   .overlay.btf = { .name = BTF_OVERLAY, .base = &t.vmlinux.btf } };
	int r = read_btf(&t.vmlinux, PID1_BTF_MAX_BYTES, e);

	if (!r)
		r = read_btf(&t.overlay, BTF_MAX_SMALL, e);
	if (!r)
		r = ask(&t, k, hook_id, e);
	source_free(&t.vmlinux);
	source_free(&t.overlay);
	return r;
}

/* --- bpf(2) ------------------------------------------------------------------------------------------------------ */

/* The kernel's own number of a device: 12 bits of major, 20 of minor. Linux: include/linux/kdev_t.h. */
static uint32_t kernel_dev(dev_t dev)
{
	return (uint32_t)(major(dev) << 20 | (minor(dev) & 0xfffff));
}

/* Filled, then shut: nobody can change it any more, through whatever descriptor. */
static int make_map(const struct pid1_volume *volume, size_t n, struct err *e)
{
	union bpf_attr create = { .map_type = BPF_MAP_TYPE_HASH,
				  .key_size = 4,
				  .value_size = 4,
				  .max_entries = (uint32_t)n,
				  .map_flags = BPF_F_RDONLY_PROG,
				  .map_name = "holdfast" };
	int map = sys_bpf(BPF_MAP_CREATE, &create), r = 0;

	if (map < 0)
		return pid1_err(e, map, "cannot make a BPF map");
	for (size_t i = 0; !r && i < n; i++) {
		uint32_t key = kernel_dev(volume[i].dev), value = volume[i].use;
		union bpf_attr update = { .map_fd = (uint32_t)map,
					  .key = (uintptr_t)&key,
					  .value = (uintptr_t)&value };

		r = sys_bpf(BPF_MAP_UPDATE_ELEM, &update);
	}
	if (!r)
		r = sys_bpf(BPF_MAP_FREEZE, &(union bpf_attr){ .map_fd = (uint32_t)map });
	if (!r)
		return map;
	sys_close(map);
	return pid1_err(e, r, "cannot fill and freeze a BPF map");
}

static uint64_t capabilities(const struct policy_run *run)
{
	uint64_t caps = 0;

	for (size_t i = 0; i < run->n_caps; i++)
		caps |= 1ull << policy_capability_number(run->caps[i]); /* the policy's parser knows them all */
	return caps;
}

/* The group of @image's containers, and who they are. Its bit is set when one was measured. */
static int fill_slot(const struct policy_image *image, struct bpf_code_slot *ret, struct err *e)
{
	char path[sizeof(CGROUP "/" POLICY_JIT_GROUP "/") + MEASURE_MAX_NAME_BYTES];
	uint64_t group;
	int r = sys_mkdir(CGROUP "/" POLICY_JIT_GROUP, 0755);

	(void)snprintf(path, sizeof(path), CGROUP "/" POLICY_JIT_GROUP "/%s", image->name); /* names are bounded */
	if (!r)
		r = sys_mkdir(path, 0755);
	if (!r)
		r = sys_inode(path, &group);
	if (r)
		return pid1_err(e, r, "cannot make %s", path);
	*ret = (struct bpf_code_slot){ .cgroup = group,
				       .ids = (uint64_t)image->run.gid << 32 | image->run.uid,
				       .no_caps = ~capabilities(&image->run) };
	return 0;
}

/* As memory that PID 1 can write to when bpf(2) is refused to it. (Not RDONLY_PROG: of such a map the kernel gives no writable memory.) */
static int make_slots(struct pid1_jit *jit, struct err *e)
{
	union bpf_attr create = { .map_type = BPF_MAP_TYPE_ARRAY,
				  .key_size = 4,
				  .value_size = POLICY_MAX_JIT * sizeof(struct bpf_code_slot),
				  .max_entries = 1,
				  .map_flags = BPF_F_MMAPABLE,
				  .map_name = "holdfast_jit" };
	int map = sys_bpf(BPF_MAP_CREATE, &create), r;
	void *shared = NULL;

	if (map < 0)
		return pid1_err(e, map, "cannot make a BPF map");
	r = sys_map_shared(map, create.value_size, &shared);
	if (r)
		r = pid1_err(e, r, "cannot map a BPF map");
	jit->slot = shared;
	for (size_t i = 0; !r && i < jit->n; i++)
		r = fill_slot(jit->image[i], &jit->slot[i], e);
	if (r)
		sys_close(map);
	return r ? r : map;
}

void pid1_jit_open(const struct pid1_jit *jit, const struct policy_image *image)
{
	for (size_t i = 0; i < jit->n; i++)
		if (jit->image[i] == image)
			__atomic_store_n(&jit->slot[i].use, (uint64_t)PID1_JIT_USE(i), __ATOMIC_RELAXED);
}

/* struct program - what to load and where to hang it */
struct program {
	const char *name;
	uint32_t type, attach_type, hook_id;
	int target; /* descriptor of the cgroup, or 0 */
	struct bpf_code code;
};

/* The last line of the verifier's log that says something. */
static const char *last_words(char *log)
{
	size_t n = strlen(log);
	char *line;

	while (n && log[n - 1] == '\n')
		log[--n] = '\0';
	for (line = strrchr(log, '\n'); line && !strncmp(line + 1, "processed ", 10); line = strrchr(log, '\n'))
		*line = '\0';
	return line ? line + 1 : log;
}

static int load_program(const struct program *p, struct err *e)
{
	union bpf_attr attr = { .prog_type = p->type,
				.expected_attach_type = p->attach_type,
				.attach_btf_id = p->hook_id,
				.insns = (uintptr_t)p->code.insn,
				.insn_cnt = (uint32_t)p->code.n,
				.license = (uintptr_t)LICENSE };
	char *log;
	int fd = sys_bpf(BPF_PROG_LOAD, &attr), r;

	if (fd >= 0)
		return fd;
	log = calloc(1, LOG_BYTES);
	if (!log)
		return pid1_err(e, fd, "the kernel refuses the BPF program for %s", p->name);
	attr.log_buf = (uintptr_t)log;
	attr.log_size = LOG_BYTES;
	attr.log_level = 1;
	r = sys_bpf(BPF_PROG_LOAD, &attr); /* again, to be told why */
	if (r >= 0)
		sys_close(r);
	r = pid1_err(e, fd, "the kernel refuses the BPF program for %s (%.120s)", p->name, last_words(log));
	free(log);
	return r;
}

static int attach(const struct program *p, int *ret_link, struct err *e)
{
	union bpf_attr link = { .link_create.target_fd = (uint32_t)p->target, .link_create.attach_type = p->attach_type };
	int fd, r;

	if (p->code.bad)
		return err_set(e, E2BIG, "the BPF program for %s does not fit", p->name);
	fd = load_program(p, e);
	if (fd < 0)
		return fd;
	link.link_create.prog_fd = (uint32_t)fd;
	r = sys_bpf(BPF_LINK_CREATE, &link);
	sys_close(fd); /* the link holds it */
	if (r < 0)
		return pid1_err(e, r, "cannot attach the BPF program for %s", p->name);
	*ret_link = r;
	return 0;
}

/* Forbid sysctls for every process below the root of the cgroups, which is every process. */
static int attach_sysctl(int *ret_link, struct err *e)
{
	struct program p = { .name = "sysctl", .type = BPF_PROG_TYPE_CGROUP_SYSCTL, .attach_type = BPF_CGROUP_SYSCTL };
	int r;

	p.target = sys_open(CGROUP, O_RDONLY | O_DIRECTORY, 0);
	if (p.target < 0)
		return pid1_err(e, p.target, "cannot open %s", CGROUP);
	bpf_code_sysctl(&p.code);
	r = attach(&p, ret_link, e);
	sys_close(p.target);
	return r;
}

/* struct judges - what the programs of all hooks are made from */
struct judges {
	struct bpf_code_kernel kernel;
	struct bpf_code_maps maps;
	uint32_t hook_id[PID1_LSM_LINKS];
};

static int attach_hook(size_t i, const struct judges *j, int *ret_link, struct err *e)
{
	struct program p = { .name = hooks[i], .type = BPF_PROG_TYPE_LSM, .attach_type = BPF_LSM_MAC, .hook_id = j->hook_id[i] };

	switch (i) {
	case EXEC:
		bpf_code_exec(&p.code, &j->kernel, &j->maps);
		break;
	case MMAP:
		bpf_code_mmap(&p.code, &j->kernel, &j->maps);
		break;
	case MPROTECT:
		bpf_code_mprotect(&p.code, &j->kernel, &j->maps);
		break;
	default:
		bpf_code_bpf(&p.code);
	}
	return attach(&p, ret_link, e);
}

int pid1_lsm_enforce(const struct pid1_volume *volume, size_t n, struct pid1_jit *jit, struct pid1_lsm *ret,
		     struct err *e)
{
	struct judges j = { .maps.n_slots = jit->n, .maps.slots = -1 };
	int r;

	if (!n || n > PID1_LSM_MAX_DEVICES)
		return err_set(e, E2BIG, "%zu volumes to allow, wanted 1 to %d", n, PID1_LSM_MAX_DEVICES);
	r = know_kernel(&j.kernel, j.hook_id, e);
	if (r)
		return r;
	j.maps.devices = make_map(volume, n, e);
	if (j.maps.devices < 0)
		return j.maps.devices;
	if (jit->n)
		r = j.maps.slots = make_slots(jit, e);
	if (r >= 0)
		r = attach_sysctl(&ret->link[SYSCTL], e);
	for (size_t i = EXEC; !r && i < PID1_LSM_LINKS; i++)
		r = attach_hook(i, &j, &ret->link[i], e);
	sys_close(j.maps.devices); /* the programs hold them */
	sys_close(j.maps.slots);
	return r; /* on failure PID 1 ends the machine: nothing to undo */
}
