/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/runtime_main.c - holdfast-runtime, the program an engine calls in place of runc or crun
 *
 * The environment is the engine's: nothing of it is kept. Exit status 1 and one sentence on a refusal.
 */
#include "policy/gate.h"

#include "common/cmdline.h"
#include "common/file.h"
#include "policy/doctor.h"
#include "policy/layer_service.h"
#include "policy/oci_spec.h"
#include "verity/trust.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_REFUSED 1

#if defined(__x86_64__)
#define LOADER "/lib64/ld-linux-x86-64.so.2"
#elif defined(__aarch64__)
#define LOADER "/lib/ld-linux-aarch64.so.1"
#else
#error "no dynamic loader is known for this architecture"
#endif

static const struct gate_host host = {
	.run_dir = "/run/holdfast",
	.policy_root = "",
	.layer_dir = POLICY_LAYER_DIR,
	.bottom = "/usr/lib/holdfast/bottom",
	.crun = "/usr/lib/holdfast/crun",
	.loader = LOADER,
	.measure = "/run/holdfast/measure.sock",
	.content = "/var/lib/containerd/io.containerd.content.v1.content",
	.pulled_dir = POLICY_PULLED_DIR,
	.opener = POLICY_LAYER_SOCKET,
	.owner = 0,
};

/* What we and crun need, and nothing that could steer either: no LD_*, NOTIFY_SOCKET, LISTEN_FDS, XDG_RUNTIME_DIR. */
static int reset_environment(void)
{
	return clearenv() || setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1) || setenv("HOME", "/", 1) ||
	       setenv("DM_DISABLE_UDEV", "1", 1);
}

/* Descriptors 0 to 2 must be open, or the first file opened would become standard output. */
static int open_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= 2);
	return fd < 0 ? -1 : close(fd);
}

static int refuse(const struct gate_command *cmd, enum code code, const struct err *e)
{
	char sentence[ERR_MSG_MAX + 128];
	struct err log = ERR_INIT;

	(void)signal(SIGPIPE, SIG_IGN); /* an engine that has closed our standard error still reads the log */
	if (code != CODE_INTERNAL && code != CODE_GATE_ABSENT) /* a fault of ours or crun's, or a pull that was forgotten, is no attempt of anybody */
		gate_measure_violation(host.measure, code, cmd->n_operand && oci_spec_id_is_valid(cmd->operand[0]) ? cmd->operand[0] : NULL);
	gate_sentence(code, e->msg, sentence, sizeof(sentence));
	(void)fprintf(stderr, "holdfast-runtime: %s\n", sentence); /* nobody else to tell */
	if (gate_report(cmd, code, e->msg, &log))
		(void)fprintf(stderr, "holdfast-runtime: %s\n", log.msg);
	return EXIT_REFUSED;
}

/*
 * In the profile `direct` no table says that its signature was checked: PID 1 did that, and only PID 1 can have loaded it.
 * A command line that is not ours to read leaves the stricter rule.
 */
static void learn_profile(void)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct cmdline cmdline = {0};
	struct err ignored = ERR_INIT;

	if (file_read(CMDLINE_PATH, CMDLINE_MAX_BYTES, &text, &ignored) == 0 &&
	    cmdline_parse((const char *)text.data, text.len, &cmdline, &ignored) == 0 && cmdline.profile == CMDLINE_DIRECT)
		verity_trust_direct(NULL);
}

static void tell_finding(void *arg, const struct policy_doctor_finding *f)
{
	char text[1024];

	(void)arg;
	(void)snprintf(text, sizeof(text), "%s:%u: %s%s%s: %s", f->file, f->line, f->where, f->where[0] ? " = " : "", f->found,
		       f->why); /* for people; cut is fine */
	for (char *s = text; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
	(void)fprintf(stderr, "holdfast-runtime: doctor: %s\n", text); /* nobody else to tell */
}

/* PID 1 asks before it starts the engine. Exit status 0 is the only one that lets it. */
static int doctor(void)
{
	struct policy_doctor d = {.root = "", .live = true, .fn = tell_finding};
	struct err e = ERR_INIT;

	if (policy_doctor_root(&d, &e)) {
		(void)fprintf(stderr, "holdfast-runtime: doctor: %s\n", e.msg);
		return EXIT_REFUSED;
	}
	return d.findings ? EXIT_REFUSED : 0;
}

/* As the network plugin of CRI: the request is in the environment. */
static int cni(void)
{
	cleanup_buf struct buf answer = BUF_INIT;
	struct err e = ERR_INIT;

	if (gate_cni(getenv("CNI_COMMAND"), getenv("CNI_IFNAME"), getenv("CNI_NETNS"), &answer, &e) ||
	    file_write_all(STDOUT_FILENO, answer.data, answer.len, "standard output", &e)) {
		printf("{\"cniVersion\":\"1.0.0\",\"code\":4,\"msg\":\"holdfast-runtime: refused\"}\n"); /* section 5, "Error" */
		(void)fprintf(stderr, "holdfast-runtime: %s\n", e.msg); /* nobody else to tell */
		return EXIT_REFUSED;
	}
	return 0;
}

static bool is_called(const char *name, const char *argv0)
{
	const char *slash = argv0 ? strrchr(argv0, '/') : NULL;

	return argv0 && !strcmp(slash ? slash + 1 : argv0, name);
}

int main(int argc, char **argv)
{
	struct gate_command cmd = {0};
	enum code code = CODE_GATE_VERB;
	struct err e = ERR_INIT;
	int r;

	if (open_standard_fds() < 0)
		return EXIT_REFUSED;
	if (is_called(GATE_CNI_NAME, argv[0]) || is_called(GATE_CNI_LOOPBACK, argv[0]))
		return cni();
	if (reset_environment())
		return EXIT_REFUSED;
	if (argc == 2 && !strcmp(argv[1], "--doctor"))
		return doctor();
	learn_profile();
	r = gate_command_parse(argc, argv, &cmd, &e);
	if (!r)
		r = gate_run(&host, &cmd, &code, &e);
	if (r < 0)
		r = refuse(&cmd, code, &e);
	gate_command_free(&cmd);
	return r;
}
