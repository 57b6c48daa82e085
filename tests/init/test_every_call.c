/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/init/test_every_call.c - PID 1 as a whole, from its first call to the end of the machine, with each call failing
 *
 * Theory of operation
 *   Both programs of PID 1 are in here: the stages run in their order, over the fake kernel of fake_sys.h, once soundly. That run
 *   counts the calls and notes what each is and in which stage. Then, for every one of them, the boot is run again with that
 *   one failing (once; and again with it and all like it failing for ever), each in a process of its own, which must
 *   end as PID 1 may: by executing the root's holdfast-init, or by reboot(2), after a refusal with a code of that
 *   stage, or in order. A return from main(), an exit, a crash, a wait that nothing ends and a loop are each a
 *   failure. A call that may fail without a refusal stands in one of the tables below, so that nothing is
 *   tolerated by accident.
 *
 *   From the point of no return on, malloc() and its like end the test: whatever fails there, nothing may allocate.
 */
#include "tests/init/fake_sys.h"

#include "common/cel.h"
#include "common/pcr_policy.h"
#include "init/log.h"
#include "init/pid1.h"
#include "init/sealed.h"
#include "init/state.h"
#include "policy/policy.h"
#include "verity/layer.h"

#include <linux/magic.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t first_process(void)
{
	return 1;
}

static void mark_stage(struct pid1_times *t, const char *name);
int host_main(int argc, char **argv);
int initramfs_main(void);

#define getpid          first_process
#define pid1_times_mark mark_stage
#include "init/run.c"
#define main            host_main
#include "init/main.c"
#undef main
#define main            initramfs_main
#include "init/initramfs_main.c"
#undef main
#undef getpid
#undef pid1_times_mark

#define EFIVARS    "/sys/firmware/efi/efivars"
#define HASH       "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define SECOND     1000000000ull
#define MAX_CALLS  1024
#define MOST_CALLS 1000000 /* a loop makes more */
#define MAX_STAGES 40
#define HANGS      "it hangs"
#define EXIT_HUNG  98
#define EXIT_HEAP  99
#define FOR_EVER   7200 * SECOND /* of the fake's clock */

enum half { INITRAMFS, HOST };

/* What a run came to; in memory that parent and child share. */
static struct outcome {
	bool executed, rebooted;
	int cmd;
	unsigned calls, n_stages, code, reboots_failed;
	struct {
		const char *name;
		unsigned end; /* number of its last call */
	} stage[MAX_STAGES];
	struct {
		char call[16], what[120];
	} call[MAX_CALLS + 1];
	char said[1500]; /* the end of the console */
} * out;

static volatile sig_atomic_t no_heap;

/* --- what is not the kernel's ------------------------------------------------------------------------------------------ */

static const char *const settings[] = {
	"kernel/modules_disabled",  "kernel/kexec_load_disabled",    "kernel/unprivileged_bpf_disabled", "kernel/kptr_restrict",
	"kernel/dmesg_restrict",    "kernel/yama/ptrace_scope",      "kernel/perf_event_paranoid",       "kernel/io_uring_disabled",
	"kernel/sysrq",             "kernel/core_pattern",           "kernel/panic_on_oops",             "kernel/ftrace_enabled",
	"kernel/usermodehelper/bset", "kernel/usermodehelper/inheritable", "vm/memfd_noexec",            "vm/unprivileged_userfaultfd",
	"net/core/bpf_jit_harden",  "dev/tty/ldisc_autoload",        "fs/suid_dumpable",                 "fs/protected_symlinks",
	"fs/protected_hardlinks",   "fs/protected_fifos",            "fs/protected_regular",
};

static struct policy_layer layer;
static struct policy_image image = { .name = (char *)"hello", .layer = &layer, .n_layers = 1 };
static struct policy policy = { .name = (char *)"test", .version = 7, .image = &image, .n_images = 1 };

int __wrap_verity_discover_root(const struct verity_discover_params *params, struct verity_root_devices *ret, struct err *e);
int __wrap_verity_sigrecord_load(const char *path, struct verity_sigrecord *ret, struct err *e);
int __wrap_verity_activate(const struct verity_activate_params *params, struct verity_device *ret, struct err *e);
int __wrap_verity_prove_mount(const char *path, const uint8_t root_hash[static HASH_SHA256_BYTES], uint64_t data_bytes, struct err *e);
int __wrap_policy_load_verified(const char *root, struct policy **ret, struct err *e);
int __wrap_verity_layer_open(const char *dir, const uint8_t root_hash[static HASH_SHA256_BYTES], uint64_t data_bytes,
			     enum verity_on_corruption c, char ret_path[static VERITY_LAYER_PATH_BYTES], struct err *e);
int __wrap_hash_sha256_file(const char *path, uint8_t ret[static HASH_SHA256_BYTES], struct err *e);

static int library_call(const char *call, const char *what, struct err *e)
{
	return fake_call(call, what) ? err_set(e, fake.fail_errno, "%s %s does not work", call, what) : 0;
}

int __wrap_verity_discover_root(const struct verity_discover_params *params, struct verity_root_devices *ret, struct err *e)
{
	(void)params;
	for (size_t i = 0; i < VERITY_PARTS_; i++)
		(void)snprintf(ret->path[i], sizeof(ret->path[i]), "/dev/vda%zu", i + 1);
	return library_call("discover", "", e);
}

int __wrap_verity_sigrecord_load(const char *path, struct verity_sigrecord *ret, struct err *e)
{
	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < 32; i++)
		ret->root_hash[i] = ret->fingerprint[i] = (uint8_t)(i % 16 * 0x11);
	return library_call("sigrecord", path, e);
}

int __wrap_verity_activate(const struct verity_activate_params *params, struct verity_device *ret, struct err *e)
{
	(void)params;
	strcpy(ret->path, "/dev/dm-0");
	return library_call("activate", "", e);
}

int __wrap_verity_prove_mount(const char *path, const uint8_t root_hash[static HASH_SHA256_BYTES], uint64_t data_bytes, struct err *e)
{
	(void)root_hash;
	(void)data_bytes;
	return library_call("prove", path, e);
}

int __wrap_policy_load_verified(const char *root, struct policy **ret, struct err *e)
{
	*ret = &policy;
	return library_call("policy", root, e);
}

int __wrap_verity_layer_open(const char *dir, const uint8_t root_hash[static HASH_SHA256_BYTES], uint64_t data_bytes,
			     enum verity_on_corruption c, char ret_path[static VERITY_LAYER_PATH_BYTES], struct err *e)
{
	(void)root_hash;
	(void)data_bytes;
	(void)c;
	ret_path[0] = '\0';
	return library_call("layer", dir, e);
}

int __wrap_hash_sha256_file(const char *path, uint8_t ret[static HASH_SHA256_BYTES], struct err *e)
{
	memset(ret, 0x5a, HASH_SHA256_BYTES);
	return library_call("hash", path, e);
}

/* --- one run ---------------------------------------------------------------------------------------------------------- */

static void world_of_both(void)
{
	static const struct pid1_lastfail failure = { .code = CODE_DISK_ABSENT, .source = LASTFAIL_PID1, .in_a_row = 1 };
	uint8_t bytes[LASTFAIL_FILE_BYTES];
	struct fake_file *f;

	fake_reset();
	fake.count_all = true;
	fake.exec_works = true;
	fake_file("/dev/console", "");
	fake_file("/sys/kernel/rcu_expedited", "0\n");
	fake_file("/dev/kmsg", "");
	fake_file("/dev/null", "");
	fake_file("/proc/sys/kernel/printk_devkmsg", "");
	fake_file("/proc/sys/kernel/printk", "");
	fake_file("/proc/cmdline", "roothash=" HASH " holdfast.profile=enforce\n");
	fake_file("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	pid1_lastfail_encode(&failure, bytes);
	f = fake_file(EFIVARS "/" LASTFAIL_VARIABLE, "");
	memcpy(f->data, bytes, LASTFAIL_FILE_BYTES);
	f->len = LASTFAIL_FILE_BYTES;
	fake_file("/sys/module/printk/parameters/always_kmsg_dump", "N\n");
}

static void world_of_initramfs(void)
{
	struct fake_file *f;

	fake.magic = RAMFS_MAGIC;
	fake_file("/", "");
	fake_file("/etc/holdfast/boot.conf", "root.signer = " HASH "\nmodule = a.ko x=1\nmodule = -b.ko\nmodule = +efivarfs.ko\non_failure = reboot\n");
	fake_file("/usr/lib/modules/a.ko", "");
	fake_file("/usr/lib/modules/b.ko", "");
	fake_file("/usr/lib/modules/efivarfs.ko", "");
	fake_file(PCR_POLICY_EXTRA, "{}");
	fake_file("/sys/module/pstore/parameters/backend", "efi_pstore\n");
	fake_file("/sys/fs/pstore/dmesg-efi_pstore-1", "Panic#1 Part1\n<0>[ 1.0] Kernel panic - not syncing: dm-verity device corrupted\n");
	fake_file("/sys/module/dm_verity/parameters/require_signatures", "Y\n");
	fake_file("/sys/kernel/security/ima/policy", "");
	f = fake_file("/sys/kernel/boot_params/data", "");
	memset(f->data, 0, 4096);
	f->len = 4096;
	f->data[0x1ec] = 3;
}

/* A life in which everything happens: the engine dies and comes back, there are a task, an agent, a gate, strangers. */
static void world_of_host(void)
{
	static struct pid1_floor_answer floor;
	static struct pid1_sealed_answer volume;

	fake.magic = EROFS_SUPER_MAGIC_V1;
	fake_file(PID1_STATE_PATH, "tpm_required = 1\nmain_ns = 1\nkmsg_ns = 1\nmark.api = 2\n");
	fake_file("/etc/holdfast/host.conf",
		  "module = c.ko\nengine.argv = /e --x\nengine.sha256 = " HASH "\nengine.config = /etc/e.conf\nengine.ready = /run/e.sock\n"
		  "watchdog = /dev/watchdog0\nversion = 1\nfloor.healthy_ms = 50000\nagent.argv = /agent\nstate.argv = /usr/lib/holdfast/holdfast-state plain none\ntask = /task 1\ntask = /task 2\non_failure = reboot\n");
	fake_file("/usr/lib/modules/c.ko", "");
	fake_file("/etc/holdfast/ipe.p7b", "blob");
	fake_file("/sys/kernel/security/ipe/new_policy", "");
	fake_file("/sys/kernel/security/ipe/policies/holdfast/active", "0");
	fake_file("/sys/kernel/security/ipe/policies/holdfast/policy",
		  "policy_name=holdfast policy_version=0.0.1\nDEFAULT action=DENY\nop=EXECUTE dmverity_signature=TRUE action=ALLOW\n");
	fake_file("/sys/kernel/security/ipe/enforce", "0");
	fake_file("/sys/fs/cgroup/cgroup.controllers", "cpu pids\n");
	fake_file("/sys/fs/cgroup/cgroup.subtree_control", "");
	fake_file("/proc/self/mounts", "none / x\nnone /dev x\nnone /tmp x\nnone /var x\n");
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		char path[96];

		(void)snprintf(path, sizeof(path), "/proc/sys/%s", settings[i]);
		fake_file(path, "9");
	}
	(void)snprintf(floor.floor, sizeof(floor.floor), "floor");
	floor.armed.n = 12;
	fake.asked = &floor;
	fake.asked_bytes = sizeof(floor);
	strcpy(volume.uuid, "31d11df4-f785-4691-8cef-9731c35abc47");
	fake.asked_next = &volume;
	fake.asked_next_bytes = sizeof(volume);
	fake.engine_ready_at = fake.now + 200000000;
	fake.child[fake.n_children++] = (struct fake_event){ .at = fake.now + 3 * SECOND, .pid = 77 };
	fake.signal[fake.n_signals++] = (struct fake_event){ .at = fake.now + 4 * SECOND, .number = SIGHUP };
	fake.signal[fake.n_signals++] = (struct fake_event){ .at = fake.now + 100 * SECOND, .number = SIGTERM };
	fake.client_waits = true;
	fake.request = "violation 61";
	fake.order = "status\n";
	fake.order_at = fake.now + 5 * SECOND;
	fake.container_processes = 2;
	fake.containers_end = fake.now + 101 * SECOND;
}

static void mark_stage(struct pid1_times *t, const char *name)
{
	pid1_times_mark(t, name);
	out->stage[out->n_stages].name = name;
	out->stage[out->n_stages++].end = fake.calls;
	if (!strcmp(name, "seal"))
		no_heap = 1; /* the last one: pid1_serve() comes next */
}

static _Noreturn void hung(void)
{
	_exit(EXIT_HUNG);
}

static void watch(const char *call, const char *what)
{
	static unsigned calls;

	if (++calls > MOST_CALLS || fake.now > FOR_EVER)
		hung();
	if (!strcmp(call, "spawn")) /* the doctor has its verdict at once; a good run of the others is 70 s: its end is forgiven */
		fake.lifetime = strstr(what, "/holdfast-runtime ") ? SECOND / 100 : 70 * SECOND;
	if (fake.calls + 1 > MAX_CALLS)
		return;
	(void)snprintf(out->call[fake.calls + 1].call, sizeof(out->call[0].call), "%s", call);
	(void)snprintf(out->call[fake.calls + 1].what, sizeof(out->call[0].what), "%s", what);
}

static unsigned code_said(const char *text)
{
	const char *at = strstr(text, "holdfast: E");

	return at ? (unsigned)atoi(at + strlen("holdfast: E")) : 0;
}

/* In a process of its own. It ends here or, wrongly, elsewhere. */
static _Noreturn void run_in_child(enum half half, unsigned fail_nth, int number, bool sticks)
{
	const char *said;
	int how;

	world_of_both();
	if (half == INITRAMFS)
		world_of_initramfs();
	else
		world_of_host();
	fake.watch = watch;
	fake.hung = hung;
	fake.fail_nth = fail_nth;
	fake.fail_errno = number;
	fake.fail_sticks = sticks;
	(void)alarm(60); /* for loops that make no call */
	how = setjmp(fake.end);
	if (how == 0)
		_exit((half == INITRAMFS ? initramfs_main() : host_main(0, NULL)) ? 97 : 96);
	no_heap = 0;
	out->executed = how == 2;
	out->rebooted = how == 1;
	out->cmd = fake.reboot_cmd;
	out->reboots_failed = fake.reboots_failed;
	out->calls = fake.calls;
	out->code = code_said(fake.early);
	if (!out->code)
		out->code = code_said(fake_text("/dev/console"));
	if (!out->code)
		out->code = code_said(fake_text("/dev/kmsg"));
	said = fake_text("/dev/console");
	said += strlen(said) < sizeof(out->said) ? 0 : strlen(said) - sizeof(out->said) + 1;
	(void)snprintf(out->said, sizeof(out->said), "%s", said);
	_exit(0);
}

/* NULL, or what was wrong with the way it ended. */
static const char *run(enum half half, unsigned fail_nth, int number, bool sticks)
{
	static char text[80];
	int status;
	pid_t pid;

	memset(out, 0, sizeof(*out));
	(void)fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		run_in_child(half, fail_nth, number, sticks);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status == 0)
		return out->executed || out->rebooted ? NULL : "it ended in an unknown way";
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_HUNG)
		return HANGS;
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_HEAP)
		return "it allocates after the point of no return";
	(void)snprintf(text, sizeof(text), "PID 1 ended: status 0x%x", (unsigned)status);
	return text;
}

/* The sound run's calls, kept while others run. */
static struct outcome sound;

/* --- what must come of it ----------------------------------------------------------------------------------------------- */

/* A stage's own code is in main.c's table; these it may say as well. */
static const struct {
	const char *stage;
	unsigned code;
} also[] = {
	{ "secure-boot", CODE_LOCKDOWN },  { "modules", CODE_VERITY_UNGUARDED }, { "tpm", CODE_UEVENTS },
	{ "resume", CODE_ROOT_UNPROVED },
	{ "api", CODE_INTERNAL },        { "resume", CODE_INTERNAL }, /* main()'s own call, before any stage */
	{ "tpm", CODE_MEASURE },         { "activate", CODE_ROOT_SIGNATURE }, { "switch-root", CODE_MEASURE },
	{ "resume", CODE_SWITCH_ROOT },  { "resume", CODE_HOST_MEASURE },     { "ipe", CODE_IPE_ENFORCE },  { "state", CODE_HOST_MEASURE },
	{ "layer-policy", CODE_LAYER_POLICY_SIGNATURE },                       { "measure", CODE_MEASURE },
};

/* Stages in which such a call may fail and the boot goes on; "": in every one. A prefix of "<call> <what>". */
static const struct {
	const char *stage;
	const char *call;
	const char *why;
} tolerated[] = {
	{ "", "write /dev/console", "a line that cannot be said is lost" },
	{ "", "write /dev/kmsg", "likewise" },
	{ "modules", "open /usr/lib/modules/b.ko", "an optional module" },
	{ "modules", "module /usr/lib/modules/b.ko", "an optional module" },
	{ "", "open /sys/kernel/rcu_expedited", "the boot takes longer" },
	{ "", "write /sys/kernel/rcu_expedited", "likewise" },
	{ "switch-root", "delete_tree", "memory is lost, nothing else" },
	{ "switch-root", "drain", "cannot fail" },
	{ "switch-root", "open " PCR_POLICY_EXTRA, "no TPM obeys a host without them, and no boot waits" },
	{ "switch-root", "read " PCR_POLICY_EXTRA, "likewise" },
	{ "switch-root", "open " PCR_POLICY_PATH, "likewise" },
	{ "switch-root", "write " PCR_POLICY_PATH, "likewise" },
	{ "host-modules", "mount " EFIVARS, "the last failure is not told, or told again" },
	{ "host-modules", "open " EFIVARS, "likewise" },
	{ "host-modules", "read " EFIVARS, "likewise" },
	{ "host-modules", "make_mutable " EFIVARS, "likewise" },
	{ "host-modules", "write " EFIVARS, "likewise" },
	{ "host-modules", "umount " EFIVARS, "likewise; and a module in use is not unloaded, which is refused" },
	{ "floor", "umount " EFIVARS, "a module in use is not unloaded, which is refused" },
	{ "last-failure", "", "a boot is worth more than the story of the one before" },
};

/* The loop: a call that may fail, and the code of the refusal that follows; 0: it goes on and ends in order. */
static const struct {
	const char *call;
	unsigned code;
	const char *why;
} loop[] = {
	{ "write /dev/", 0, "a line that cannot be said is lost" },
	{ "reap", 0, "the next turn tries again" },
	{ "poll", 0, "likewise" },
	{ "open " PID1_STATUS_PATH, 0, "the status file is older than the status" },
	{ "write " PID1_STATUS_PATH, 0, "likewise" },
	{ "rename " PID1_STATUS_PATH, 0, "likewise" },
	{ "read operator", 0, "an operator that cannot be heard is hung up on" },
	{ "write operator", 0, "nor answered" },
	{ "watchdog_feed", 0, "the next time counts" },
	{ "cgroup_signal", 0, "they get their SIGKILL like all" },
	{ "signal_next", 0, "likewise: it is still pending" },
	{ "accept", 0, "likewise" },
	{ "read client", 0, "a client that cannot be heard is hung up on" },
	{ "write client", 0, "a client that cannot be answered has its answer in the log" },
	{ "close client", 0, "cannot fail" },
	{ "connect", 0, "the engine is not ready yet" },
	{ "spawn /e", 0, "it is tried again later" },
	{ "spawn /agent", 0, "likewise" },
	{ "spawn /usr/lib/holdfast/holdfast-bless", 0, "the boot loader counts this boot as a try" },
	{ "spawn /task", CODE_TASK, "" },
	{ "write " CEL_PATH, CODE_HOST_MEASURE, "" },
	{ "tpm_extend 11", CODE_HOST_MEASURE, "" },
	{ "tpm_io", 0, "the floor stays as it is; the next boot raises it" },
	{ "tpm_extend 13", 0, "the gate is told, and refuses the container" },
	{ "open /dev/kmsg", 0, "times begin with main()" },
	{ "read /dev/kmsg", 0, "likewise" },
	{ "kill", 0, "it was gone already" },
	{ "open /proc/self/mounts", 0, "it is told, the machine ends" },
	{ "read /proc/self/mounts", 0, "likewise" },
	{ "umount", 0, "likewise" },
	{ "open /sys/module/printk/", 0, "a log too many is left behind" },
	{ "write /sys/module/printk/", 0, "likewise" },
	{ "chown", 0, "the helper's: the agent will miss it, and say so" },
	{ "mkdir /run/holdfast/agent", 0, "likewise" },
	{ "drain", 0, "cannot fail" },
	{ "reboot", 0, "another way is tried" },
};

/* In the end nothing is refused any more. */
static const char *const of_the_end[] = { ("write " CEL_PATH), "tpm_extend 11", "volume_close" };

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static bool code_is_of(const struct pid1_stage *table, size_t i, unsigned code)
{
	if (table[i].code == code)
		return true;
	for (size_t k = 0; k < ARRAY_SIZE(also); k++)
		if (!strcmp(also[k].stage, table[i].name) && also[k].code == code)
			return true;
	return false;
}

static bool stage_tolerates(const char *stage, const char *what)
{
	for (size_t i = 0; i < ARRAY_SIZE(tolerated); i++)
		if ((!*tolerated[i].stage || !strcmp(tolerated[i].stage, stage)) && begins(what, tolerated[i].call))
			return true;
	return false;
}

/* The code that the loop must say for this call; ~0 if no row is about it. */
static unsigned loop_code(unsigned nth, const char *what, bool ending)
{
	if (begins(what, "helper_ask")) /* an engine or agent is tried again */
		return begins(sound.call[nth + 1].what, "/task") ? CODE_TASK : 0;
	if (begins(what, "write " CEL_PATH) && strcmp(sound.call[nth + 1].what, "11 x2") != 0)
		return 0; /* a record of the gate's: it is told */
	for (size_t i = 0; ending && i < ARRAY_SIZE(of_the_end); i++)
		if (begins(what, of_the_end[i]))
			return 0;
	for (size_t i = 0; i < ARRAY_SIZE(loop); i++)
		if (begins(what, loop[i].call))
			return loop[i].code;
	return ~0u;
}

/* Without it for ever, PID 1 may live until somebody pulls the plug: nobody can tell it anything. */
static bool may_live_on(const char *what)
{
	return begins(what, "signal_next");
}

static unsigned wrong;

static void complain(unsigned nth, const char *stage, const char *what, bool sticks, const char *why)
{
	wrong++;
	print_error("call %u of stage %s, \"%s\"%s: %s (E%u, %u stages done)\n%s\n", nth, stage, what,
		    sticks ? ", from then on" : "", why, out->code, out->n_stages, out->said);
}

/* Which stage the call is in: its index, or the number of stages for the loop. */
static size_t stage_of(unsigned nth)
{
	size_t i = 0;

	while (i < sound.n_stages && nth > sound.stage[i].end)
		i++;
	return i;
}

static bool ended_well(enum half half)
{
	return half == INITRAMFS ? out->executed : out->rebooted && out->code == 0 && out->cmd == RB_POWER_OFF;
}

/* Call @nth failed: has PID 1 ended as it should? @sticks: all like it failed as well, so what follows may refuse instead. */
static void judge(enum half half, unsigned nth, unsigned shutdown_at, bool sticks, const char *bad)
{
	const struct pid1_stage *table = half == INITRAMFS ? initramfs : host;
	size_t i = stage_of(nth);
	char what[140];
	const char *name = table[i].name ? table[i].name : "(loop)";

	(void)snprintf(what, sizeof(what), "%s %s", sound.call[nth].call, sound.call[nth].what);
	if (bad && !(sticks && !strcmp(bad, HANGS) && !table[i].name && may_live_on(what))) {
		complain(nth, name, what, sticks, bad);
	} else if (bad) {
		return;
	} else if (!table[i].name) {
		unsigned want = loop_code(nth, what, nth >= shutdown_at);

		if (want == ~0u)
			complain(nth, name, what, sticks, "no row says what is to come of it");
		else if (want ? out->code != want : !sticks && !ended_well(half) && out->reboots_failed != 1)
			complain(nth, name, what, sticks, want ? "it is not refused with the right code" : "it does not go on");
		else if (out->executed)
			complain(nth, name, what, sticks, "it executed something");
	} else if (stage_tolerates(name, what)) {
		if (!ended_well(half) && !sticks)
			complain(nth, name, what, sticks, "it does not go on");
	} else if (out->code == 0 || !out->rebooted) {
		complain(nth, name, what, sticks, "nothing was refused");
	} else if (!code_is_of(table, i, out->code) || out->n_stages != i) {
		complain(nth, name, what, sticks, "it was refused elsewhere, or with another code");
	}
}

static void every_call_is_made_to_fail(enum half half)
{
	static const int numbers[] = { EIO, ENOMEM, EPERM };
	const char *bad = run(half, 0, 0, false);
	unsigned shutdown_at = ~0u, runs = 0;

	if (bad || !ended_well(half))
		fail_msg("the sound run: %s (E%u): %s", bad ? bad : "refused", out->code, out->said);
	sound = *out;
	for (unsigned n = 1; n <= sound.calls; n++)
		if (!strcmp(sound.call[n].what, CEL_PATH))
			shutdown_at = n; /* the last record is that of the phase `shutdown` */
	wrong = 0;
	for (unsigned n = 1; n <= sound.calls; n++) {
		for (size_t k = 0; k < ARRAY_SIZE(numbers); k++, runs++)
			judge(half, n, shutdown_at, false, run(half, n, numbers[k], false));
		judge(half, n, shutdown_at, true, run(half, n, EIO, true));
		runs++;
	}
	print_message("%u calls, %u stages, %u runs\n", sound.calls, sound.n_stages, runs);
	assert_int_equal(wrong, 0);
	assert_true(sound.calls > 60);
}

static void every_call_of_the_initramfs(void **state)
{
	(void)state;
	every_call_is_made_to_fail(INITRAMFS);
	assert_int_equal(sound.n_stages + 1, ARRAY_SIZE(initramfs) - 1); /* the last one executes the root's PID 1 */
}

static void every_call_of_the_host_and_its_loop(void **state)
{
	(void)state;
	every_call_is_made_to_fail(HOST);
	assert_int_equal(sound.n_stages, ARRAY_SIZE(host) - 1);
}

/* In a process of its own, as above: what @half says on @magic. */
static unsigned code_on(enum half half, uint64_t magic)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		world_of_both();
		if (half == INITRAMFS)
			world_of_initramfs();
		else
			world_of_host();
		fake.magic = magic;
		if (setjmp(fake.end) == 0)
			_exit((half == INITRAMFS ? initramfs_main() : host_main(0, NULL)) ? 97 : 96);
		_exit((int)code_said(strstr(fake.early, "initramfs (file system 0x") ? fake.early : ""));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return (unsigned)WEXITSTATUS(status);
}

static void each_program_runs_on_its_own_ground_only(void **state)
{
	(void)state;
	assert_int_equal(code_on(INITRAMFS, OVERLAYFS_SUPER_MAGIC), CODE_INTERNAL);
	assert_int_equal(code_on(HOST, RAMFS_MAGIC), CODE_INTERNAL);
	assert_int_equal(code_on(HOST, TMPFS_MAGIC), CODE_INTERNAL);
	assert_int_equal(code_on(INITRAMFS, TMPFS_MAGIC), 0); /* as the sound runs above are on theirs */
}

static int share_memory(void **state)
{
	(void)state;
	out = mmap(NULL, sizeof(*out), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return out == MAP_FAILED;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_call_of_the_initramfs),
		cmocka_unit_test(every_call_of_the_host_and_its_loop),
		cmocka_unit_test(each_program_runs_on_its_own_ground_only),
	};

	return cmocka_run_group_tests(tests, share_memory, NULL) != 0;
}

/* --- the heap: ours in glibc's place, but for sanitizers, which have their own ---------------------------------------- */

#ifndef HOLDFAST_SANITIZED
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t m);
void *__libc_realloc(void *p, size_t n);

static void heap_is_used(void)
{
	if (no_heap)
		_exit(EXIT_HEAP);
}

void *malloc(size_t n)
{
	heap_is_used();
	return __libc_malloc(n);
}

void *calloc(size_t n, size_t m)
{
	heap_is_used();
	return __libc_calloc(n, m);
}

void *realloc(void *p, size_t n)
{
	heap_is_used();
	return __libc_realloc(p, n);
}
#endif
