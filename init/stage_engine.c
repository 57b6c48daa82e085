/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/stage_engine.c - measure what will run, then start it: the engine, its tasks, the attestation agent
 *
 * PCR 13 gets, before anything of it runs: the layer policy, the IPE policy, the engine's program, its configuration
 * files, its arguments, and a separator: what comes after it was not known at boot.
 */
#include "init/pid1.h"

#include "common/agent_user.h"
#include "common/cel.h"
#include "init/io.h"
#include "init/log.h"
#include "init/sys.h"

#include <linux/capability.h>

#define IPE_BLOB   "/etc/holdfast/ipe.p7b"
#define CAP_BIT(c) (1ull << (c))
#define SPAWN_NS   20000000000ull

/* What an engine could undo the host with. CAP_SYS_ADMIN must stay: an engine mounts. */
#define ENGINE_CAPS_GONE                                                                                               \
	(CAP_BIT(CAP_MAC_ADMIN) | CAP_BIT(CAP_MAC_OVERRIDE) | CAP_BIT(CAP_SYS_MODULE) | CAP_BIT(CAP_SYS_RAWIO) |       \
	 CAP_BIT(CAP_SYS_BOOT) | CAP_BIT(CAP_SYS_TIME) | CAP_BIT(CAP_SYSLOG) | CAP_BIT(CAP_AUDIT_CONTROL) |            \
	 CAP_BIT(CAP_AUDIT_READ) | CAP_BIT(CAP_BPF) | CAP_BIT(CAP_PERFMON) | CAP_BIT(CAP_WAKE_ALARM) |                 \
	 CAP_BIT(CAP_BLOCK_SUSPEND) | CAP_BIT(CAP_LINUX_IMMUTABLE) | CAP_BIT(CAP_CHECKPOINT_RESTORE))

static int measure_file_at(struct pid1 *p, const char *what, const char *path, struct err *e)
{
	uint8_t digest[HASH_SHA256_BYTES];
	struct measure_event ev;
	int r = hash_sha256_file(path, digest, e);

	if (r)
		return r;
	ev = measure_file(what, digest);
	return pid1_measure(&p->log, &ev, e);
}

int pid1_stage_measure_host(struct pid1 *p, struct err *e)
{
	struct measure_event policy = measure_layer_policy(p->policy->digest, p->policy->version);
	/*
	 * Read and hashed here, an engine of 50 MB is two thirds of a boot, and no more is known: the file and the manifest with its
	 * digest stand below the same root hash, which the kernel holds each block of both to whenever it is read.
	 */
	struct measure_event engine = measure_file("engine", p->host.engine_sha256);
	struct measure_event argv = measure_argv(p->host.engine.arg), separator = measure_separator();
	int r = pid1_measure(&p->log, &policy, e);

	if (!r && !pid1_is_direct(p)) /* there none was loaded */
		r = measure_file_at(p, "ipe-policy", IPE_BLOB, e);
	if (!r)
		r = pid1_measure(&p->log, &engine, e);
	for (size_t i = 0; !r && i < p->host.n_engine_configs; i++)
		r = measure_file_at(p, "engine-config", p->host.engine_config[i], e);
	if (!r)
		r = pid1_measure(&p->log, &argv, e);
	if (!r)
		r = pid1_measure(&p->log, &separator, e);
	return r ? r : pid1_phase(p, MEASURE_SYSINIT, e);
}

static int spawn(const char *const *argv, struct sys_child c, bool makes_code, pid_t *ret_pid, struct err *e)
{
	const char *step = "";
	int r;

	c.argv = argv;
	c.makes_code = makes_code;
	c.env = pid1_environment;
	c.console = pid1_log_console();
	c.within_ns = SPAWN_NS;
	r = sys_spawn(&c, ret_pid, &step);
	return r ? pid1_err(e, r, "cannot start %s (%s)", argv[0], step) : 0;
}

/* What runs in the containers' cgroup: the engine, and tasks in its context. */
static const struct sys_child engine_child = { .cgroup_procs = PID1_ENGINE_CGROUP,
					       .keep_caps = ~ENGINE_CAPS_GONE };

int pid1_spawn_engine(struct pid1 *p, pid_t *ret_pid, struct err *e)
{
	return spawn(p->host.engine.arg, engine_child, p->jit.n, ret_pid, e);
}

int pid1_spawn_task(struct pid1 *p, size_t task, pid_t *ret_pid, struct err *e)
{
	return spawn(p->host.task[task].arg, engine_child, p->jit.n, ret_pid, e);
}

/*
 * What the agent needs and root alone has: the TPM, the logs, the ports, a folder. What is not there is not given, and what
 * cannot be given the agent will miss, and say so: nobody else waits for it. Done anew at each start, for ports come late.
 */
static void give_to_agent(void)
{
	static const char *const logs[] = { CEL_PATH, "/sys/kernel/security/tpm0/binary_bios_measurements",
					    "/sys/kernel/security/ima/binary_runtime_measurements",
					    /* where that is a link (Linux 6.10 and newer) */
					    "/sys/kernel/security/ima/binary_runtime_measurements_sha1" };
	char port[] = "/dev/vportNpM";

	for (size_t i = 0; i < ARRAY_SIZE(logs); i++)
		(void)sys_chown(logs[i], 0, AGENT_USER_ID); /* to be read by its group */
	(void)sys_chown("/dev/tpmrm0", AGENT_USER_ID, AGENT_USER_ID);
	for (port[10] = '0'; port[10] < '4'; port[10]++) /* all: nobody else on a host has a use for one */
		for (port[12] = '0'; port[12] < '8'; port[12]++)
			(void)sys_chown(port, AGENT_USER_ID, AGENT_USER_ID);
	if (sys_mkdir(AGENT_RUN_DIR, 0755) == 0)
		(void)sys_chown(AGENT_RUN_DIR, AGENT_USER_ID, AGENT_USER_ID);
}

int pid1_spawn_agent(struct pid1 *p, pid_t *ret_pid, struct err *e)
{
	static const struct sys_child agent = { .cgroup_procs = PID1_AGENT_CGROUP, .user = AGENT_USER_ID };

	give_to_agent();
	return spawn(p->host.agent.arg, agent, false, ret_pid, e);
}

int pid1_spawn_bless(struct pid1 *p, pid_t *ret_pid, struct err *e)
{
	static const char *const argv[] = { "/usr/lib/holdfast/holdfast-bless", NULL };
	static const struct sys_child child = { .cgroup_procs = PID1_AGENT_CGROUP }; /* root, without capabilities */

	(void)p; /* as its siblings have it */
	return spawn(argv, child, false, ret_pid, e);
}

int pid1_stage_engine(struct pid1 *p, struct err *e)
{
	int r;

	p->signals = sys_signals_open();
	if (p->signals < 0)
		return pid1_err(e, p->signals, "cannot receive signals");
	r = sys_ctrl_alt_del_to_us();
	if (r)
		return pid1_err(e, r, "cannot take over ctrl-alt-del");
	p->measure_socket = sys_listen(PID1_MEASURE_SOCKET);
	if (p->measure_socket < 0)
		return pid1_err(e, p->measure_socket, "cannot listen on " PID1_MEASURE_SOCKET);
	r = pid1_spawner_start(p, e);
	if (!r)
		r = pid1_start(p, PID1_START_ENGINE, 0, &p->engine, e);
	if (r)
		return r;
	pid1_log(p->stage, "%s started, pid %d", p->host.engine.arg[0], (int)p->engine);
	return 0;
}
