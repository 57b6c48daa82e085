/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/init/test_serve.c - the loop of PID 1: readiness, tasks, restarts, signals, and the end of the machine */
#include "tests/init/fake_sys.h"

#include "init/backoff.h"
#include "init/log.h"
#include "init/pid1.h"

#include <signal.h>
#include <sys/reboot.h>

#define ENGINE_PID 100
#define MS         1000000ull
#define SECOND     1000000000ull

static struct pid1 p;
static struct policy policy;

static int setup(void **state)
{
	static const char conf[] = "engine.argv = /e\nengine.sha256 = 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
				   "engine.ready = /run/e.sock\nengine.ready_ms = 60000\n";
	struct err e = ERR_INIT;

	(void)state;
	fake_reset();
	memset(&p, 0, sizeof(p));
	fake_file("/dev/console", "");
	fake_file("/dev/kmsg", "");
	fake_file("/proc/sys/kernel/printk_devkmsg", "");
	fake_file("/proc/sys/kernel/printk", "");
	fake_file("/proc/self/mounts", "none / x\nnone /dev x\nnone /dev/pts x\nnone /tmp x\nnone /var x\n");
	strcpy(p.host.text, conf);
	p.policy = &policy;
	p.engine = ENGINE_PID;
	p.signals = FAKE_SIGNAL_FD;
	p.measure_socket = FAKE_LISTEN_FD;
	p.control_socket = FAKE_CONTROL_FD;
	p.watchdog.fd = -1;
	p.watchdog.next_ns = UINT64_MAX;
	if (pid1_spawner_start(&p, &e))
		return -1;
	return pid1_log_open(&e) || pid1_host_manifest_parse(&p.host, strlen(conf), &e) ||
	       pid1_measure_open(&p.log, FAKE_TPM_FD, &e);
}

static void serve(void)
{
	if (setjmp(fake.end) == 0)
		pid1_serve(&p);
}

static const char *console(void)
{
	return fake_text("/dev/console");
}

static void ends(pid_t pid, uint64_t in, int status)
{
	fake.child[fake.n_children++] = (struct fake_event){ .at = fake.now + in, .pid = pid, .number = status };
}

static void signal_in(uint64_t in, int sig)
{
	fake.signal[fake.n_signals++] = (struct fake_event){ .at = fake.now + in, .number = sig };
}

static void an_engine_that_is_ready_gets_its_tasks_then_power_off(void **state)
{
	(void)state;
	p.host.task[0] = (struct pid1_argv){ { "/bin/first", NULL } };
	p.host.task[1] = (struct pid1_argv){ { "/bin/second", NULL } };
	p.host.n_tasks = 2;
	p.host.poweroff_when_done = true;
	fake.engine_ready_at = fake.now + 200 * MS;
	fake.lifetime = SECOND;
	fake.lifetime_status = 3 << 8;
	serve();
	assert_int_equal(fake.reboot_cmd, RB_POWER_OFF);
	assert_non_null(strstr(console(), "holdfast: ready\n"));
	assert_non_null(strstr(console(), "holdfast: boot: total "));
	assert_non_null(strstr(console(), "holdfast: task 1: exit 3\nholdfast: task 2: exit 3\n"));
	assert_non_null(strstr(fake.trace, "spawn /bin/first in /sys/fs/cgroup/engine/cgroup.procs keep "));
	assert_true(strstr(fake.trace, "/bin/first") < strstr(fake.trace, "/bin/second"));
	/* ready and shutdown into PCR 11, the latter before anything is stopped */
	assert_true(strstr(fake.trace, "tpm_extend 11") < strstr(fake.trace, "/bin/first"));
	assert_true(strstr(fake.trace, "kill") > strstr(strstr(fake.trace, "/bin/second"), "tpm_extend 11"));
}

static void no_task_runs_before_the_engine_is_ready(void **state)
{
	(void)state;
	p.host.task[0] = (struct pid1_argv){ { "/bin/first", NULL } };
	p.host.n_tasks = 1;
	serve();
	assert_non_null(strstr(console(), "holdfast: E41 "));
	assert_non_null(strstr(console(), "/run/e.sock accepted no connection within 60000 ms"));
	assert_null(strstr(fake.trace, "spawn"));
	assert_int_equal(fake.now, 61 * SECOND);
	assert_int_equal(fake.reboot_cmd, RB_POWER_OFF);
}

static void an_engine_that_ends_is_started_again_ever_later_then_given_up(void **state)
{
	(void)state;
	fake.engine_ready_at = fake.now;
	ends(ENGINE_PID, SECOND, 1 << 8);
	fake.lifetime = SECOND;
	fake.lifetime_status = SIGKILL;
	serve();
	assert_non_null(strstr(console(), "holdfast: engine: pid 100 ended: exit 1\n"));
	assert_non_null(strstr(console(), "holdfast: engine: will be started again in 1 s\n"));
	assert_non_null(strstr(console(), "holdfast: engine: will be started again in 16 s\n"));
	assert_non_null(strstr(console(), "ended: exit 137\n"));
	assert_non_null(strstr(console(), "holdfast: E42 "));
	/* six runs of a second each, and 1 + 2 + 4 + 8 + 16 seconds between them */
	assert_int_equal(fake.now, SECOND + 6 * SECOND + 31 * SECOND);
}

/* Started once the host was ready for a minute, once; an engine that ends begins the minute anew. */
static void a_boot_is_called_good_once_after_the_boards_time(void **state)
{
	const char *first;

	(void)state;
	fake.engine_ready_at = fake.now;
	signal_in(59 * SECOND, SIGTERM);
	serve();
	assert_null(strstr(fake.trace, "holdfast-bless"));
	assert_int_equal(setup(state), 0);
	fake.engine_ready_at = fake.now;
	fake.lifetime = 1000 * SECOND;
	ends(ENGINE_PID, 50 * SECOND, 0);
	signal_in(100 * SECOND, SIGTERM);
	serve();
	assert_null(strstr(fake.trace, "holdfast-bless"));
	assert_int_equal(setup(state), 0);
	fake.engine_ready_at = fake.now;
	fake.lifetime = 1000 * SECOND;
	signal_in(200 * SECOND, SIGTERM);
	serve();
	first = strstr(fake.trace, "/usr/lib/holdfast/holdfast-bless");
	assert_non_null(first);
	assert_null(strstr(strstr(first, "-bless") + 1, "-bless"));
	assert_int_equal(setup(state), 0);
	p.cmdline.profile = CMDLINE_DIRECT;
	fake.engine_ready_at = fake.now;
	signal_in(200 * SECOND, SIGTERM);
	serve();
	assert_null(strstr(fake.trace, "holdfast-bless"));
}

static void a_good_run_forgives_earlier_ends(void **state)
{
	struct pid1_backoff b = { 0 };

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_true(pid1_backoff_next(&b, SECOND) == SECOND << i);
	assert_true(pid1_backoff_next(&b, SECOND) == PID1_BACKOFF_GIVE_UP);
	assert_true(pid1_backoff_next(&b, PID1_BACKOFF_GOOD_RUN_NS) == PID1_BACKOFF_FIRST_NS);
}

static void an_agent_that_keeps_ending_takes_nothing_down(void **state)
{
	(void)state;
	p.host.agent = (struct pid1_argv){ { "/bin/agent", NULL } };
	fake.engine_ready_at = fake.now;
	fake.lifetime = SECOND;
	signal_in(200 * SECOND, SIGTERM);
	serve();
	assert_non_null(strstr(fake.trace, "spawn /bin/agent in /sys/fs/cgroup/agent/cgroup.procs keep 0 as 971; "));
	assert_non_null(strstr(console(), "holdfast: agent: ended 6 times in a row; it stays down"));
	assert_non_null(strstr(console(), "holdfast: shutdown: power off\n"));
}

static void the_agent_is_given_what_it_needs_and_the_engine_is_not(void **state)
{
	(void)state;
	p.host.agent = (struct pid1_argv){ { "/bin/agent", NULL } };
	fake_file("/dev/tpmrm0", "");
	fake_file("/dev/vport2p1", "");
	fake_file("/run/holdfast/agent", ""); /* as mkdir made it */
	fake_file("/dev/tpm0", "");
	fake_file("/sys/kernel/security/tpm0/binary_bios_measurements", "");
	fake.engine_ready_at = fake.now;
	signal_in(SECOND, SIGTERM);
	serve();
	assert_non_null(strstr(fake.trace, "chown /dev/tpmrm0 971:971; "));
	assert_non_null(strstr(fake.trace, "chown /dev/vport2p1 971:971; "));
	assert_non_null(strstr(fake.trace, "chown /run/holdfast/agent 971:971; "));
	assert_non_null(strstr(fake.trace, "chown /run/holdfast/eventlog.cel 0:971; "));
	assert_non_null(strstr(fake.trace, "chown /sys/kernel/security/tpm0/binary_bios_measurements 0:971; "));
	assert_null(strstr(fake.trace, "chown /dev/tpm0 "));
}

/* Whatever of it fails, the agent is started, and the host is ready. */
static void no_failure_of_the_agent_holds_up_the_boot(void **state)
{
	static const char *const calls[][2] = { { "chown", "/dev/tpmrm0" }, { "mkdir", "/run/holdfast/agent" }, { "spawn", "/bin/agent" } };

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		assert_int_equal(setup(state), 0);
		p.host.agent = (struct pid1_argv){ { "/bin/agent", NULL } };
		fake_file("/dev/tpmrm0", "");
		fake_will_fail(calls[i][0], calls[i][1], EIO);
		fake.engine_ready_at = fake.now + SECOND;
		signal_in(10 * SECOND, SIGTERM);
		serve();
		assert_non_null(strstr(console(), "holdfast: ready\n"));
		assert_non_null(strstr(fake.trace, "spawn /bin/agent "));
		assert_null(strstr(console(), "holdfast: E"));
	}
}

static void a_task_that_cannot_be_started_is_a_failure(void **state)
{
	(void)state;
	p.host.task[0] = (struct pid1_argv){ { "/bin/none", NULL } };
	p.host.n_tasks = 1;
	p.host.on_failure = PID1_REBOOT;
	fake.engine_ready_at = fake.now;
	fake_will_fail("spawn", "/bin/none", ENOENT);
	serve();
	assert_non_null(strstr(console(), "holdfast: E43 "));
	assert_non_null(strstr(console(), "cannot start /bin/none (execve): No such file or directory"));
	assert_int_equal(fake.reboot_cmd, RB_AUTOBOOT);
}

static void readiness_that_cannot_be_measured_is_a_failure(void **state)
{
	(void)state;
	fake.engine_ready_at = fake.now;
	fake_will_fail("tpm_extend", "11", EPROTO);
	serve();
	assert_non_null(strstr(console(), "holdfast: E39 "));
	assert_null(strstr(console(), "holdfast: ready"));
}

static void the_floor_waits_for_an_engine_that_was_started_anew(void **state)
{
	(void)state;
	p.floor_armed.n = 12;
	p.host.healthy_ms = 10000;
	fake.engine_ready_at = fake.now + SECOND;
	ends(ENGINE_PID, 5 * SECOND, 0); /* started again after 1 s: its time begins anew */
	signal_in(15 * SECOND, SIGTERM);
	serve();
	assert_null(strstr(console(), "holdfast: floor: "));
	assert_int_equal(p.floor_armed.n, 12);
}

static void the_floor_is_raised_once_after_the_boards_time(void **state)
{
	(void)state;
	p.floor_armed.n = 12;
	p.host.healthy_ms = 10000;
	fake.engine_ready_at = fake.now + SECOND;
	signal_in(12 * SECOND, SIGTERM);
	serve();
	assert_non_null(strstr(console(), "holdfast: ready"));
	assert_non_null(strstr(console(), "holdfast: floor: raised to what runs"));
	assert_null(strstr(strstr(console(), "holdfast: floor: ") + 1, "holdfast: floor: "));
	assert_int_equal(p.floor_armed.n, 0);
	assert_non_null(strstr(fake.trace, "holdfast-bless")); /* healthy is one thing */
}

static void signals_end_the_machine_in_order(void **state)
{
	static const struct {
		int sig, cmd;
	} cases[] = { { SIGTERM, RB_POWER_OFF }, { SIGPWR, RB_POWER_OFF }, { SIGINT, RB_AUTOBOOT } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *t;

		assert_int_equal(setup(NULL), 0);
		fake.engine_ready_at = fake.now;
		ends(ENGINE_PID, 3 * SECOND, 0);
		signal_in(SECOND, SIGHUP);
		signal_in(2 * SECOND, cases[i].sig);
		serve();
		assert_int_equal(fake.reboot_cmd, cases[i].cmd);
		t = strstr(fake.trace, "kill 100 15; ");
		assert_non_null(t);
		t = strstr(t, "kill -1 9; ");
		assert_non_null(t);
		t = strstr(t, "umount /var; umount /tmp; umount /dev/pts; ");
		assert_non_null(t);
		assert_non_null(strstr(t, "drain ; reboot "));
		assert_null(strstr(fake.trace, "umount /; "));
	}
}

static void a_service_that_ignores_sigterm_holds_nothing_up(void **state)
{
	(void)state;
	fake.engine_ready_at = fake.now;
	signal_in(SECOND, SIGTERM);
	ends(ENGINE_PID, 3600 * SECOND, 0);
	serve();
	assert_int_equal(fake.now, 2 * SECOND + 15 * SECOND);
	assert_non_null(strstr(console(), "not all services ended within 10 s"));
	assert_non_null(strstr(console(), "not all processes ended within 5 s"));
	assert_int_equal(fake.reboot_cmd, RB_POWER_OFF);
}

static void order(const char *line, uint64_t in)
{
	fake.order = line;
	fake.order_at = fake.now + in;
}

static void a_stopped_engine_is_continued_and_told_of_ever_more_rarely(void **state)
{
	unsigned told = 0;

	(void)state;
	fake.engine_ready_at = fake.now;
	for (unsigned i = 1; i <= 8; i++)
		ends(ENGINE_PID, i * SECOND, SIGSTOP << 8 | 0x7f);
	signal_in(20 * SECOND, SIGTERM);
	ends(ENGINE_PID, 21 * SECOND, 0);
	serve();
	for (const char *at = console(); (at = strstr(at, "engine: was stopped by signal 19, and continued")); at++)
		told++;
	assert_int_equal(told, 4); /* the 1st, 2nd, 4th, 8th */
	assert_int_equal(p.live.engine.stops, 8);
	assert_non_null(strstr(fake.trace, "kill 100 18; "));
	assert_null(strstr(console(), "will be started again"));
	assert_int_equal(fake.reboot_cmd, RB_POWER_OFF);
}

static void watchdog(void)
{
	p.watchdog.fd = FAKE_WATCHDOG_FD;
	p.watchdog.interval_ns = 5 * SECOND;
	p.watchdog.next_ns = fake.now + 5 * SECOND;
}

static void the_watchdog_is_fed_while_the_engine_answers(void **state)
{
	(void)state;
	watchdog();
	fake.engine_ready_at = fake.now + 12 * SECOND; /* until then its own deadline watches it */
	signal_in(61 * SECOND, SIGTERM);
	ends(ENGINE_PID, 61 * SECOND, 0);
	serve();
	assert_int_equal(p.watchdog.fed, 12 + 3); /* and at each step of the end */
	assert_null(strstr(console(), "not fed"));
	assert_null(strstr(fake.trace, "watchdog_close")); /* armed to the last */
}

static void the_watchdog_is_not_fed_while_the_engine_does_not(void **state)
{
	(void)state;
	watchdog();
	fake.engine_ready_at = fake.now;
	ends(ENGINE_PID, 7 * SECOND, 0);
	fake_will_fail("spawn", "/e ", EAGAIN);
	serve();
	assert_int_equal(fake.fed_at, 6 * SECOND); /* it began at 1 s */
	assert_non_null(strstr(console(), "holdfast: watchdog: not fed: the engine does not run\n"));
	assert_non_null(strstr(console(), "holdfast: E42 "));
	assert_int_equal(fake.reboot_cmd, RB_POWER_OFF);
}

static void an_engine_that_nobody_can_reach_is_not_well(void **state)
{
	(void)state;
	watchdog();
	fake.engine_ready_at = fake.now;
	p.host.engine_ready = "/run/e.sock";
	signal_in(2 * SECOND, SIGHUP);
	signal_in(30 * SECOND, SIGTERM);
	ends(ENGINE_PID, 30 * SECOND, 0);
	fake.engine_gone_at = fake.now + 12 * SECOND;
	serve();
	assert_int_equal(p.watchdog.fed, 2 + 3);
	assert_non_null(strstr(console(), "holdfast: watchdog: not fed: the engine accepts no connection\n"));
}

static void an_operator_gets_the_status(void **state)
{
	(void)state;
	fake.engine_ready_at = fake.now;
	pid1_fact(&p, "slot", "a\"b\\c\n");
	pid1_fact(&p, "floor", "6");
	pid1_fact(&p, "floor", "7");
	order("status", 3 * SECOND);
	signal_in(5 * SECOND, SIGTERM);
	ends(ENGINE_PID, 6 * SECOND, 0);
	serve();
	assert_non_null(strstr(fake.order_answer, "{\"holdfast\":\"status/1\",\"version\":\"" HOLDFAST_VERSION "\","));
	assert_non_null(strstr(fake.order_answer, "\"state\":\"ready\""));
	assert_non_null(strstr(fake.order_answer, "\"slot\":\"a?b?c?\",\"floor\":\"7\","));
	assert_non_null(strstr(fake.order_answer, "\"engine\":{\"state\":\"running\",\"pid\":100,\"starts\":1,"));
	assert_non_null(strstr(fake.order_answer, "\"agent\":{\"state\":\"absent\""));
	assert_non_null(strstr(fake_text(PID1_STATUS_PATH), "\"state\":\"ending\"")); /* the last that the file said */
	assert_non_null(strstr(fake.trace, "open " PID1_STATUS_PATH ".new; write " PID1_STATUS_PATH ".new; rename " PID1_STATUS_PATH "; "));
}

static void an_operator_may_end_the_machine(void **state)
{
	static const struct {
		const char *line;
		int cmd;
	} cases[] = { { "reboot", RB_AUTOBOOT }, { "reboot\n", RB_AUTOBOOT }, { "poweroff\n", RB_POWER_OFF } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(setup(NULL), 0);
		fake.engine_ready_at = fake.now;
		order(cases[i].line, 3 * SECOND);
		ends(ENGINE_PID, 4 * SECOND, 0);
		serve();
		assert_string_equal(fake.order_answer, "ok\n");
		assert_int_equal(fake.reboot_cmd, cases[i].cmd);
		assert_non_null(strstr(console(), "holdfast: shutdown: done"));
	}
}

static void other_orders_and_other_users_are_refused(void **state)
{
	static const char *const lines[] = { "reboo", "reboot now", "REBOOT", "reboot\n\n", "\n", "halt", "status status" };

	(void)state;
	for (size_t i = 0; i <= ARRAY_SIZE(lines); i++) {
		assert_int_equal(setup(NULL), 0);
		fake.peer = i == ARRAY_SIZE(lines) ? 1000 : 0;
		fake.engine_ready_at = fake.now;
		order(fake.peer ? "reboot" : lines[i], 3 * SECOND);
		signal_in(5 * SECOND, SIGTERM);
		ends(ENGINE_PID, 6 * SECOND, 0);
		serve();
		assert_string_equal(fake.order_answer,
				    fake.peer ? "" : "refused malformed request, wanted status, reboot or poweroff\n");
		assert_int_equal(fake.reboot_cmd, RB_POWER_OFF); /* by the signal */
	}
}

static void containers_are_asked_to_end_before_their_engine(void **state)
{
	const char *t;

	(void)state;
	fake.engine_ready_at = fake.now;
	fake.container_processes = 3;
	fake.containers_end = fake.now + 4 * SECOND;
	signal_in(2 * SECOND, SIGTERM);
	ends(ENGINE_PID, 3 * SECOND, 0); /* while containers are still waited for */
	serve();
	t = strstr(fake.trace, "cgroup_signal /sys/fs/cgroup but engine agent: 15; ");
	assert_non_null(t);
	assert_null(strstr(t, "kill 100 15")); /* it was gone by then, and that was noticed */
	assert_non_null(strstr(t, "kill -1 9; "));
	assert_int_equal(fake.now, 5 * SECOND);
}

static void containers_that_ignore_it_have_a_deadline(void **state)
{
	(void)state;
	fake.engine_ready_at = fake.now;
	fake.container_processes = 3;
	fake.containers_end = UINT64_MAX;
	signal_in(2 * SECOND, SIGTERM);
	ends(ENGINE_PID, 9 * SECOND, 0);
	serve();
	assert_non_null(strstr(fake.trace, "kill 100 15; kill 100 18; "));
	assert_non_null(strstr(console(), "containers: 3 processes left"));
	assert_int_equal(fake.now, 10 * SECOND); /* the engine's end, at 9 s from 1 s on */
}

/* As after a suspend, or where somebody turned the clock: nothing is due that was not, and nothing is lost. */
static void a_clock_that_jumps_ahead_ends_nothing(void **state)
{
	(void)state;
	watchdog();
	fake.engine_ready_at = fake.now;
	fake.jump_at = fake.now + 10 * SECOND;
	fake.jump_ns = 3600 * 24 * 365 * SECOND;
	fake.signal[fake.n_signals++] = (struct fake_event){ .at = fake.now + 5 * SECOND, .number = SIGHUP };
	fake.signal[fake.n_signals++] = (struct fake_event){ .at = fake.now + fake.jump_ns + 30 * SECOND, .number = SIGTERM };
	fake.child[fake.n_children++] = (struct fake_event){ .at = fake.now + fake.jump_ns + 31 * SECOND, .pid = ENGINE_PID };
	serve();
	assert_null(strstr(console(), "holdfast: E"));
	assert_null(strstr(console(), "will be started again"));
	assert_int_equal(fake.reboot_cmd, RB_POWER_OFF);
	assert_true(p.watchdog.fed >= 4 && p.watchdog.fed < 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_engine_that_is_ready_gets_its_tasks_then_power_off, setup),
		cmocka_unit_test_setup(no_task_runs_before_the_engine_is_ready, setup),
		cmocka_unit_test_setup(an_engine_that_ends_is_started_again_ever_later_then_given_up, setup),
		cmocka_unit_test_setup(a_boot_is_called_good_once_after_the_boards_time, setup),
		cmocka_unit_test(a_good_run_forgives_earlier_ends),
		cmocka_unit_test_setup(an_agent_that_keeps_ending_takes_nothing_down, setup),
		cmocka_unit_test_setup(the_agent_is_given_what_it_needs_and_the_engine_is_not, setup),
		cmocka_unit_test_setup(no_failure_of_the_agent_holds_up_the_boot, setup),
		cmocka_unit_test_setup(a_task_that_cannot_be_started_is_a_failure, setup),
		cmocka_unit_test_setup(readiness_that_cannot_be_measured_is_a_failure, setup),
		cmocka_unit_test_setup(the_floor_is_raised_once_after_the_boards_time, setup),
		cmocka_unit_test_setup(the_floor_waits_for_an_engine_that_was_started_anew, setup),
		cmocka_unit_test(signals_end_the_machine_in_order),
		cmocka_unit_test_setup(a_stopped_engine_is_continued_and_told_of_ever_more_rarely, setup),
		cmocka_unit_test_setup(the_watchdog_is_fed_while_the_engine_answers, setup),
		cmocka_unit_test_setup(the_watchdog_is_not_fed_while_the_engine_does_not, setup),
		cmocka_unit_test_setup(an_engine_that_nobody_can_reach_is_not_well, setup),
		cmocka_unit_test_setup(an_operator_gets_the_status, setup),
		cmocka_unit_test(an_operator_may_end_the_machine),
		cmocka_unit_test(other_orders_and_other_users_are_refused),
		cmocka_unit_test_setup(containers_are_asked_to_end_before_their_engine, setup),
		cmocka_unit_test_setup(containers_that_ignore_it_have_a_deadline, setup),
		cmocka_unit_test_setup(a_clock_that_jumps_ahead_ends_nothing, setup),
		cmocka_unit_test_setup(a_service_that_ignores_sigterm_holds_nothing_up, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
