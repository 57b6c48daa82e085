/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/init/test_stage_host.c - host mounts, IPE, hardening, confinement, and the order of PCR 13 */
#include "tests/init/fake_sys.h"

#include "common/cel.h"
#include "init/log.h"
#include "init/pid1.h"

#include "verity/layer.h"

#include <linux/capability.h>

#define IPE "/sys/kernel/security/ipe"
#define IPE_TEXT                                                                                                       \
	"policy_name=holdfast policy_version=0.0.1\nDEFAULT action=DENY\nop=EXECUTE dmverity_signature=TRUE "          \
	"action=ALLOW\n"
#define LOCKDOWN "/sys/kernel/security/lockdown"

static struct pid1 p;
static struct policy policy = { .version = 7 };

/* The settings that init/stage_harden.c must make; the kernel's defaults are all different. */
static const char *const settings[][2] = {
	{ "kernel/kexec_load_disabled", "1" },
	{ "kernel/unprivileged_bpf_disabled", "1" },
	{ "kernel/kptr_restrict", "2" },
	{ "kernel/dmesg_restrict", "1" },
	{ "kernel/yama/ptrace_scope", "3" },
	{ "kernel/perf_event_paranoid", "3" },
	{ "kernel/io_uring_disabled", "2" },
	{ "kernel/sysrq", "0" },
	{ "kernel/core_pattern", "|/bin/false" },
	{ "kernel/panic_on_oops", "1" },
	{ "kernel/ftrace_enabled", "0" },
	{ "kernel/usermodehelper/bset", "0 0" },
	{ "kernel/usermodehelper/inheritable", "0 0" },
	{ "vm/memfd_noexec", "2" },
	{ "vm/unprivileged_userfaultfd", "0" },
	{ "net/core/bpf_jit_harden", "2" },
	{ "dev/tty/ldisc_autoload", "0" },
	{ "fs/suid_dumpable", "0" },
	{ "fs/protected_symlinks", "1" },
	{ "fs/protected_hardlinks", "1" },
	{ "fs/protected_fifos", "2" },
	{ "fs/protected_regular", "2" },
};

static int prepare(void)
{
	struct err e = ERR_INIT;

	fake_reset();
	memset(&p, 0, sizeof(p));
	p.stage = "test";
	p.policy = &policy;
	p.cmdline.profile = CMDLINE_ENFORCE;
	fake_file("/dev/console", "");
	fake_file("/dev/kmsg", "");
	fake_file("/proc/sys/kernel/printk_devkmsg", "");
	fake_file("/proc/sys/kernel/printk", "");
	fake_file("/etc/holdfast/ipe.p7b", "blob");
	fake_file(IPE "/new_policy", "");
	fake_file(IPE "/policies/holdfast/active", "0");
	fake_file(IPE "/policies/holdfast/policy", IPE_TEXT);
	fake_file(IPE "/enforce", "0");
	fake_file(LOCKDOWN, "none [integrity] confidentiality\n");
	fake_file("/sys/fs/cgroup/cgroup.controllers", "cpu memory pids\n");
	fake_file("/sys/fs/cgroup/cgroup.subtree_control", "");
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		char path[96];

		(void)snprintf(path, sizeof(path), "/proc/sys/%s", settings[i][0]);
		fake_file(path, "9");
	}
	return pid1_log_open(&e);
}

static int setup(void **state)
{
	(void)state;
	return prepare();
}

static int run_mounts(struct err *e)
{
	return pid1_stage_host_mounts(&p, e);
}

static int run_ipe(struct err *e)
{
	return pid1_stage_ipe(&p, e);
}

static int run_harden(struct err *e)
{
	return pid1_stage_harden(&p, e);
}

static int run_confine(struct err *e)
{
	return pid1_stage_confine(&p, e);
}

static int run_engine(struct err *e)
{
	static struct pid1_argv argv = { { "/e", NULL } };

	p.host.engine = argv;
	return pid1_stage_engine(&p, e);
}

static int run_sound_doctor(struct err *e)
{
	return pid1_stage_doctor(&p, e);
}

/* @how: what sys_ask() says of it */
static int run_doctor(ssize_t how, struct err *e)
{
	(void)prepare();
	fake.asked_bytes = how;
	return pid1_stage_doctor(&p, e);
}

static void no_engine_without_a_sound_doctor(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(run_doctor(0, &e), &e);
	assert_non_null(strstr(fake.trace, "ask /usr/bin/holdfast-runtime --doctor; "));
	assert_refused(run_doctor(-ECHILD, &e), &e, EBADMSG, "goes around the gate"); /* by its exit status, or a signal */
	assert_refused(run_doctor(-ETIMEDOUT, &e), &e, ETIMEDOUT, "no verdict on the engine's configuration");
}

static void every_call_that_fails_fails_its_stage(void **state)
{
	(void)state;
	assert_true(fake_fail_each(prepare, run_mounts) >= 20);
	assert_true(fake_fail_each(prepare, run_ipe) >= 17);
	assert_true(fake_fail_each(prepare, run_harden) >= 5 * ARRAY_SIZE(settings));
	assert_int_equal(fake_fail_each(prepare, run_confine), 6);
	assert_int_equal(fake_fail_each(prepare, run_engine), 6);
	assert_int_equal(fake_fail_each(prepare, run_sound_doctor), 1);

}

static void ipe_is_loaded_activated_enforced_and_tried(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(pid1_stage_ipe(&p, &e), &e);
	assert_string_equal(fake_text(IPE "/new_policy"), "blob");
	assert_string_equal(fake_text(IPE "/policies/holdfast/active"), "1");
	assert_string_equal(fake_text(IPE "/enforce"), "1");
	assert_non_null(strstr(fake_text("/dev/console"), "active and enforcing"));
}

static void audit_does_everything_but_enforce(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	p.cmdline.profile = CMDLINE_AUDIT;
	fake_file(IPE "/enforce", "1");
	fake.exec_memory = 0;
	assert_ok(pid1_stage_ipe(&p, &e), &e);
	assert_string_equal(fake_text(IPE "/policies/holdfast/active"), "1");
	assert_string_equal(fake_text(IPE "/enforce"), "0");
	fake_will_fail("write", "new_policy", ENOKEY);
	assert_refused(pid1_stage_ipe(&p, &e), &e, ENOKEY, "new_policy");
}

/* enforce-jit: IPE enforces, and its policy must be the one that leaves execution to the stage bpf-lsm. */
static void for_enforce_jit_ipe_leaves_execution_to_others(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	p.cmdline.profile = CMDLINE_ENFORCE_JIT;
	fake.exec_memory = 0;
	assert_ok(pid1_stage_ipe(&p, &e), &e);
	assert_string_equal(fake_text(IPE "/enforce"), "1");
	assert_non_null(strstr(fake_text("/dev/console"), "but for execution: stage bpf-lsm does that"));
	fake.exec_memory = 1;
	assert_refused(pid1_stage_ipe(&p, &e), &e, EPERM, "its policy is not one for enforce-jit");
	assert_int_equal(p.code, CODE_IPE_ENFORCE);
}

static void an_ipe_policy_that_is_not_in_force_as_it_must_be_is_refused(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	fake_file(IPE "/policies/holdfast/policy", IPE_TEXT "op=EXECUTE boot_verified=TRUE action=ALLOW\n");
	assert_refused(pid1_stage_ipe(&p, &e), &e, EBADMSG, "boot_verified");
	assert_int_equal(p.code, CODE_IPE_ENFORCE);
	fake_file(IPE "/policies/holdfast/policy", "policy_name=holdfast\nDEFAULT action=ALLOW\n");
	assert_refused(pid1_stage_ipe(&p, &e), &e, EBADMSG, "does not deny by default");
	fake_file(IPE "/policies/holdfast/policy", IPE_TEXT);
	fake_file(IPE "/policies/holdfast/active", "0")->stubborn = true;
	assert_refused(pid1_stage_ipe(&p, &e), &e, EIO, "is \"0\" after writing \"1\"");
	fake_file(IPE "/policies/holdfast/active", "1");
	fake_file(IPE "/enforce", "0")->stubborn = true;
	assert_refused(pid1_stage_ipe(&p, &e), &e, EIO, "enforce is \"0\"");
}

static void an_ipe_that_only_says_it_enforces_is_refused(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	fake.exec_memory = 0;
	assert_refused(pid1_stage_ipe(&p, &e), &e, EPERM, "anonymous executable memory was given");
	fake.exec_memory = -ENOMEM;
	assert_refused(pid1_stage_ipe(&p, &e), &e, ENOMEM, "cannot try");
}

static void every_setting_is_made_and_read_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		struct err e = ERR_INIT;
		char path[96];

		assert_int_equal(prepare(), 0);
		(void)snprintf(path, sizeof(path), "/proc/sys/%s", settings[i][0]);
		assert_ok(pid1_stage_harden(&p, &e), &e);
		assert_string_equal(fake_text(path), settings[i][1]);
		fake_file(path, "9")->stubborn = true;
		assert_refused(pid1_stage_harden(&p, &e), &e, EIO, settings[i][0]);
	}
}

static void lockdown_is_brought_about_or_refused(void **state)
{
	struct err e = ERR_INIT;
	struct fake_file *f = fake_file(LOCKDOWN, "[none] integrity confidentiality\n");

	(void)state;
	f->stubborn = true;
	assert_refused(pid1_stage_harden(&p, &e), &e, EPERM, "wanted integrity");
	assert_non_null(strstr(fake.trace, "write " LOCKDOWN));
}

static void pid1_gives_up_what_could_change_ipe(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(pid1_stage_confine(&p, &e), &e);
	assert_true(fake.dropped_caps == (1ull << CAP_MAC_ADMIN | 1ull << CAP_SYS_MODULE | 1ull << CAP_SYS_RAWIO));
	fake.caps_stick = true;
	assert_refused(pid1_stage_confine(&p, &e), &e, EPERM, "still in PID 1's bounding set");
}

static void the_engine_never_has_the_dangerous_capabilities(void **state)
{
	static const unsigned gone[] = { CAP_MAC_ADMIN, CAP_MAC_OVERRIDE, CAP_SYS_MODULE,
					 CAP_SYS_RAWIO, CAP_SYS_BOOT,     CAP_BPF };
	struct err e = ERR_INIT;
	unsigned long long keep = 0;

	(void)state;
	assert_ok(run_engine(&e), &e);
	assert_int_equal(sscanf(strstr(fake.trace, "keep "), "keep %llx", &keep), 1);
	for (size_t i = 0; i < ARRAY_SIZE(gone); i++)
		assert_false(keep >> gone[i] & 1);
	assert_true(keep >> CAP_SYS_ADMIN & 1);
	/* whoever asks to be measured or to end the machine is heard before the engine runs */
	assert_true(strstr(fake.trace, "listen " PID1_MEASURE_SOCKET) < strstr(fake.trace, "spawn /e"));
}

static void controllers_are_delegated(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(pid1_stage_host_mounts(&p, &e), &e);
	assert_non_null(strstr(fake.trace, "mount /tmp; mount /var; mkdir /dev/pts; mount /dev/pts; "));
	assert_string_equal(fake_text("/sys/fs/cgroup/cgroup.subtree_control"), "+pids");
}

/* Of the layers below: which have only a signature in the root, and how many were opened. */
static bool elsewhere[3];
static unsigned n_opened;

bool __wrap_verity_layer_is_elsewhere(const char *dir, const uint8_t root_hash[static HASH_SHA256_BYTES]);
int __wrap_verity_layer_open(const char *dir, const uint8_t root_hash[static HASH_SHA256_BYTES], uint64_t data_bytes,
			     enum verity_on_corruption c, char ret_path[static VERITY_LAYER_PATH_BYTES], struct err *e);

bool __wrap_verity_layer_is_elsewhere(const char *dir, const uint8_t root_hash[static HASH_SHA256_BYTES])
{
	assert_string_equal(dir, POLICY_LAYER_DIR);
	return elsewhere[root_hash[0]];
}

int __wrap_verity_layer_open(const char *dir, const uint8_t root_hash[static HASH_SHA256_BYTES], uint64_t data_bytes,
			     enum verity_on_corruption c, char ret_path[static VERITY_LAYER_PATH_BYTES], struct err *e)
{
	assert_string_equal(dir, POLICY_LAYER_DIR);
	assert_int_equal(data_bytes, 4096);
	assert_int_equal(c, VERITY_CORRUPTION_EIO);
	ret_path[0] = '\0';
	n_opened++;
	return elsewhere[root_hash[0]] ? err_set(e, ENOENT, "there is none") : 0;
}

static void layers_that_are_pulled_are_left_to_their_opener(void **state)
{
	static struct policy_layer layer[3] = { { .root_hash = { 0 }, .data_bytes = 4096 }, { .root_hash = { 1 }, .data_bytes = 4096 },
						{ .root_hash = { 2 }, .data_bytes = 4096 } };
	static struct policy_image image = { .name = (char *)"hello", .layer = layer, .n_layers = 3 };
	static struct policy with_layers = { .image = &image, .n_images = 1 };
	struct err e = ERR_INIT;

	(void)state;
	p.policy = &with_layers;
	for (unsigned i = 0; i < 3; i++)
		elsewhere[i] = false;
	n_opened = 0;
	assert_ok(pid1_stage_layers(&p, &e), &e);
	assert_int_equal(n_opened, 3);
	assert_null(strstr(fake.trace, "ask ")); /* nobody who may map, where there is nothing to pull */
	elsewhere[1] = elsewhere[2] = true;
	n_opened = 0;
	assert_ok(pid1_stage_layers(&p, &e), &e);
	assert_int_equal(n_opened, 1);
	assert_non_null(strstr(fake.trace, "ask /usr/lib/holdfast/holdfast-layer; ")); /* before the engine: fake_sys.h checks its privileges */
	fake.asked_bytes = -ECHILD;
	assert_refused(pid1_stage_layers(&p, &e), &e, ECHILD, "/usr/lib/holdfast/holdfast-layer (step)");
	fake.asked_bytes = 0;
	/* In `direct` and `enforce-jit` nobody could open them later. */
	p.cmdline.profile = CMDLINE_DIRECT;
	assert_refused(pid1_stage_layers(&p, &e), &e, ENOENT, "image hello, layer 1");
	p.cmdline.profile = CMDLINE_ENFORCE_JIT;
	assert_refused(pid1_stage_layers(&p, &e), &e, ENOENT, "image hello, layer 1");
}

/* Real files: hash_sha256_file() is not faked. The IPE policy's path cannot be made here, so it is the first to fail. */
static void the_launch_chain_begins_with_the_layer_policy(void **state)
{
	struct err e = ERR_INIT;
	struct cel_record rec;
	struct reader r;

	(void)state;
	p.host.engine = (struct pid1_argv){ { "/proc/self/exe", NULL } };
	assert_ok(pid1_measure_open(&p.log, FAKE_TPM_FD, &e), &e);
	assert_refused(pid1_stage_measure_host(&p, &e), &e, ENOENT, "/etc/holdfast/ipe.p7b");
	r = reader_init(fake_text(CEL_PATH), fake_find(CEL_PATH)->len);
	assert_int_equal(cel_next(&r, 0, &rec, &e), 1);
	assert_int_equal(rec.pcr, MEASURE_PCR_LAUNCH);
	assert_memory_equal(rec.data, "layer-policy:sha256:", 20);
	assert_memory_equal(rec.data + rec.data_bytes - 10, ":version:7", 10);
	assert_int_equal(cel_next(&r, 1, &rec, &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(no_engine_without_a_sound_doctor, setup),
		cmocka_unit_test_setup(every_call_that_fails_fails_its_stage, setup),
		cmocka_unit_test_setup(ipe_is_loaded_activated_enforced_and_tried, setup),
		cmocka_unit_test_setup(audit_does_everything_but_enforce, setup),
		cmocka_unit_test_setup(for_enforce_jit_ipe_leaves_execution_to_others, setup),
		cmocka_unit_test_setup(an_ipe_policy_that_is_not_in_force_as_it_must_be_is_refused, setup),
		cmocka_unit_test_setup(an_ipe_that_only_says_it_enforces_is_refused, setup),
		cmocka_unit_test(every_setting_is_made_and_read_back),
		cmocka_unit_test_setup(lockdown_is_brought_about_or_refused, setup),
		cmocka_unit_test_setup(pid1_gives_up_what_could_change_ipe, setup),
		cmocka_unit_test_setup(the_engine_never_has_the_dangerous_capabilities, setup),
		cmocka_unit_test_setup(controllers_are_delegated, setup),
		cmocka_unit_test_setup(layers_that_are_pulled_are_left_to_their_opener, setup),
		cmocka_unit_test_setup(the_launch_chain_begins_with_the_layer_policy, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
