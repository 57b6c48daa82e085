/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/boot.c - boot an image in QEMU and come back with a verdict */
#include "image-builder/boot.h"

#include "common/clock.h"
#include "common/file.h"
#include "image-builder/folder.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#define MAX_ARGS 80

/* struct machine - everything one boot has made and must undo; text parts keep their place while QEMU's argv is used */
struct machine {
	const struct boot_params *p;
	char state[PATH_MAX], vars[PATH_MAX], code[PATH_MAX], swtpm_sock[PATH_MAX];
	char opt_machine[128], opt_code[PATH_MAX + 64], opt_vars[PATH_MAX + 64], opt_disk[PATH_MAX + 64], opt_tpm[PATH_MAX + 64];
	char opt_device[64], opt_port[PATH_MAX + 64], opt_disk_device[80], opt_attest_device[64], opt_qtest[PATH_MAX + 64];
	char opt_monitor[PATH_MAX + 64];
	const char *argv[MAX_ARGS];
	size_t argc;
	int swtpm, qemu, console, log;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	interrupted = sig;
}

static void arg(struct machine *m, const char *a)
{
	if (m->argc < MAX_ARGS - 1)
		m->argv[m->argc++] = a;
}

static void args(struct machine *m, const char *a, const char *b)
{
	arg(m, a);
	arg(m, b);
}

/* --- preparation ----------------------------------------------------------------------------------------------- */

/* A UNIX socket's path must fit its address; a comma would be read as the next option by QEMU. */
static int check_path(const char *path, bool is_socket, struct err *e)
{
	const struct sockaddr_un *a = NULL;

	if (is_socket && strlen(path) >= sizeof(a->sun_path))
		return err_set(e, ENAMETOOLONG, "%s: path of a socket, wanted at most %zu bytes", path, sizeof(a->sun_path) - 1);
	if (strchr(path, ','))
		return err_set(e, EINVAL, "%s: a path with a comma cannot be given to QEMU", path);
	return 0;
}

/* The variable store is written by the firmware: a boot starts from a copy of the enrolled one, if it is not to go on with the last. */
static int copy_vars(struct machine *m, struct err *e)
{
	char enrolled[PATH_MAX];
	int r = folder_join(m->state, m->p->secure_boot ? "vars-enrolled.fd" : "vars-enrolled-off.fd", enrolled, e);

	if (!r)
		r = boot_vars_make(m->p, enrolled, e);
	if (!r)
		r = folder_join(m->state, "vars.fd", m->vars, e);
	if (r || (m->p->keep_variables && access(m->vars, F_OK) == 0))
		return r;
	(void)unlink(m->vars); /* of the boot before */
	return folder_copy_file(enrolled, m->vars, 0600, e);
}

static int find_firmware(struct machine *m, struct err *e)
{
	const struct boot_params *p = m->p;
	int r = folder_join(p->tree, p->firmware_code, m->code, e);

	if (!r)
		r = folder_need(m->code, e);
	return r ? r : check_path(m->code, false, e);
}

static int find_kernel(const struct boot_params *p, struct err *e)
{
	int r = folder_need(p->kernel, e);

	return r ? r : folder_need(p->initramfs, e);
}

static int prepare(struct machine *m, struct err *e)
{
	const struct boot_params *p = m->p;
	int r = folder_absolute(p->state, m->state, e);

	if (!r)
		r = p->kernel ? find_kernel(p, e) : find_firmware(m, e);
	if (!r)
		r = folder_need(p->disk, e);
	if (!r)
		r = folder_join(m->state, "swtpm.sock", m->swtpm_sock, e);
	if (!r)
		r = check_path(m->swtpm_sock, true, e);
	if (!r && p->attest_socket)
		r = check_path(p->attest_socket, true, e);
	if (!r && p->qtest_socket)
		r = check_path(p->qtest_socket, true, e);
	if (!r && p->monitor_socket)
		r = check_path(p->monitor_socket, true, e);
	if (!r)
		r = check_path(p->disk, false, e);
	if (!r)
		r = file_mkdirs(m->state, e);
	if (!r && !p->kernel)
		r = copy_vars(m, e);
	if (!r && p->tpm)
		r = boot_tpm_make(m->state, e);
	return r;
}

/* --- QEMU's arguments -------------------------------------------------------------------------------------------- */

/* Processor and memory. @options: of the machine */
static void args_machine(struct machine *m, const char *options)
{
	const struct boot_params *p = m->p;

	(void)snprintf(m->opt_machine, sizeof(m->opt_machine), "%s%s,accel=tcg", p->machine, options); /* bounded by board */
	args(m, "-machine", m->opt_machine);
	args(m, "-cpu", p->cpu);
	args(m, "-m", p->memory);
	args(m, "-smp", "1");
}

static void args_kernel(struct machine *m)
{
	args_machine(m, "");
	args(m, "-kernel", m->p->kernel);
	args(m, "-initrd", m->p->initramfs);
	args(m, "-append", m->p->cmdline);
}

static void args_firmware(struct machine *m)
{
	bool pc = strstr(m->p->system, "x86_64") != NULL;

	/* SMM guards the variable store of a PC; a virt machine has no SMM, its store is guarded by nobody. */
	(void)snprintf(m->opt_code, sizeof(m->opt_code), "if=pflash,format=raw,unit=0,readonly=on,file=%s", m->code); /* fits */
	(void)snprintf(m->opt_vars, sizeof(m->opt_vars), "if=pflash,format=raw,unit=1,file=%s", m->vars);	      /* fits */
	args_machine(m, pc ? ",smm=on" : "");
	if (pc) {
		args(m, "-global", "ICH9-LPC.disable_s3=1");
		args(m, "-global", "driver=cfi.pflash01,property=secure,value=on");
	}
	args(m, "-drive", m->opt_code);
	args(m, "-drive", m->opt_vars);
}

static void args_devices(struct machine *m)
{
	const struct boot_params *p = m->p;

	(void)snprintf(m->opt_disk, sizeof(m->opt_disk), "if=none,id=disk,format=raw,file=%s%s", p->disk,
		       p->keep_writes ? "" : ",snapshot=on"); /* fits */
	args(m, "-drive", m->opt_disk);
	/* First in the boot order: an attempt at anything before it would be one more event in PCR 4. 0 is what a board with -kernel among its qemu.arg takes. */
	(void)snprintf(m->opt_disk_device, sizeof(m->opt_disk_device), "virtio-blk-pci,drive=disk,addr=0x%x%s", BOOT_PCI_DISK,
		       p->kernel ? "" : ",bootindex=1"); /* fits */
	args(m, "-device", m->opt_disk_device);
	if (p->tpm) {
		(void)snprintf(m->opt_tpm, sizeof(m->opt_tpm), "socket,id=tpmsock,path=%s", m->swtpm_sock); /* fits */
		(void)snprintf(m->opt_device, sizeof(m->opt_device), "%s,tpmdev=tpm", p->tpm_device);	    /* bounded by board */
		args(m, "-chardev", m->opt_tpm);
		args(m, "-tpmdev", "emulator,id=tpm,chardev=tpmsock");
		args(m, "-device", m->opt_device);
	}
	if (p->attest_socket) {
		(void)snprintf(m->opt_port, sizeof(m->opt_port), "socket,id=attest,server=on,wait=off,path=%s", p->attest_socket); /* fits */
		args(m, "-chardev", m->opt_port);
		(void)snprintf(m->opt_attest_device, sizeof(m->opt_attest_device), "virtio-serial-pci,addr=0x%x", BOOT_PCI_ATTEST);
		args(m, "-device", m->opt_attest_device);
		args(m, "-device", "virtserialport,chardev=attest,name=" BOOT_ATTEST_PORT);
	}
	args(m, "-nic", "none");
}

static void args_all(struct machine *m)
{
	const struct boot_params *p = m->p;

	arg(m, p->system);
	if (p->kernel)
		args_kernel(m);
	else
		args_firmware(m);
	args_devices(m);
	if (p->icount) {
		args(m, "-icount", "shift=0,sleep=off");
		args(m, "-rtc", "base=2026-01-01,clock=vm");
		args(m, "-seed", "1");
	}
	for (size_t i = 0; i < p->n_extra; i++)
		arg(m, p->extra[i]);
	if (p->qtest_socket) {
		(void)snprintf(m->opt_qtest, sizeof(m->opt_qtest), "unix:%s,server=on,wait=off", p->qtest_socket); /* fits */
		args(m, "-qtest", m->opt_qtest);
		args(m, "-qtest-log", "/dev/null");
	}
	if (p->frozen)
		arg(m, "-S");
	args(m, "-display", "none");
	args(m, "-serial", "stdio");
	(void)snprintf(m->opt_monitor, sizeof(m->opt_monitor), "unix:%s,server=on,wait=off",
		       p->monitor_socket ? p->monitor_socket : ""); /* fits */
	args(m, "-monitor", p->monitor_socket ? m->opt_monitor : "none");
	arg(m, "-no-reboot");
}

/* --- the run ------------------------------------------------------------------------------------------------------- */

/* One whole console line: passed on, kept, judged. Return: true if nothing more is waited for. */
static bool take_line(struct machine *m, char *line, struct boot_verdict *v)
{
	size_t n = strlen(line);
	struct err ignored = ERR_INIT; /* a log that cannot be written must not change the verdict */

	while (n && line[n - 1] == '\r')
		line[--n] = '\0';
	if (m->p->echo)
		m->p->echo(line);
	if (m->log >= 0) {
		(void)!file_write_all(m->log, line, n, m->p->console, &ignored);
		(void)!file_write_all(m->log, "\n", 1, m->p->console, &ignored);
	}
	return boot_verdict_line(v, line, m->p->until);
}

/* struct console - the line being collected; what is longer is cut into pieces */
struct console {
	char line[BOOT_MAX_LINE_BYTES];
	size_t n;
};

static bool take_bytes(struct machine *m, struct console *c, const char *bytes, size_t n, struct boot_verdict *v)
{
	bool done = false;

	for (size_t i = 0; i < n && !done; i++) {
		if (bytes[i] == '\n' || c->n == sizeof(c->line) - 1) {
			c->line[c->n] = '\0';
			c->n = 0;
			done = take_line(m, c->line, v);
		}
		if (bytes[i] != '\n' && bytes[i] != '\0')
			c->line[c->n++] = bytes[i];
	}
	return done;
}

/* QEMU has closed the console by itself: a status other than 0 says that it could not run the machine. */
static int check_ended(struct machine *m, struct err *e)
{
	int status = 0;

	while (waitpid(m->qemu, &status, 0) < 0 && errno == EINTR)
		;
	m->qemu = -1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return err_set(e, ECHILD, "%s could not run the machine (wait status 0x%x): see the lines above", m->p->system, (unsigned)status);
}

/* Read the console until QEMU closes it, nothing more is waited for, or the time is over. */
static int follow(struct machine *m, struct boot_verdict *v, struct err *e)
{
	static struct console c;
	long end = clock_ms(CLOCK_MONOTONIC) + 1000L * m->p->timeout_s;

	c.n = 0;
	for (;;) {
		struct pollfd pfd = { .fd = m->console, .events = POLLIN };
		long left = end - clock_ms(CLOCK_MONOTONIC);
		char bytes[4096];
		ssize_t n;

		if (interrupted)
			return err_set(e, EINTR, "interrupted by signal %d", (int)interrupted);
		if (left <= 0) {
			v->code = CODE_DEADLINE;
			(void)snprintf(v->sentence, sizeof(v->sentence), "the guest was not done after %u s", m->p->timeout_s); /* fits */
			return 0;
		}
		if (poll(&pfd, 1, left > 500 ? 500 : (int)left) <= 0)
			continue;
		n = read(m->console, bytes, sizeof(bytes));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "cannot read the console");
		if (n == 0)
			return check_ended(m, e);
		if (take_bytes(m, &c, bytes, (size_t)n, v))
			return 0;
	}
}

static int run(struct machine *m, struct boot_verdict *v, struct err *e)
{
	int out[2], r;

	if (m->p->tpm) {
		r = boot_tpm_start(m->state, &m->swtpm, e);
		if (r)
			return r;
	}
	if (pipe2(out, O_CLOEXEC) < 0)
		return err_errno(e, "cannot make a pipe for the console");
	m->console = out[0];
	args_all(m);
	r = boot_child_start(m->argv, out[1], &m->qemu, e);
	(void)close(out[1]); /* QEMU holds the writing end */
	if (!r && !m->p->frozen)
		r = follow(m, v, e);
	if (!r && m->p->ask && (m->p->frozen || v->until))
		r = m->p->ask(m->p->ask_arg, e);
	return r;
}

/* Undo, in reverse order; every step is fine if its thing was never made. */
static void undo(struct machine *m)
{
	boot_child_end(&m->qemu);
	boot_child_end(&m->swtpm);
	cleanup_fd_fn(&m->console);
	cleanup_fd_fn(&m->log);
	if (m->p->attest_socket)
		(void)unlink(m->p->attest_socket);
	if (m->p->qtest_socket)
		(void)unlink(m->p->qtest_socket);
	if (m->p->monitor_socket)
		(void)unlink(m->p->monitor_socket);
	(void)unlink(m->swtpm_sock);
}

int boot_run(const struct boot_params *p, struct boot_verdict *ret, struct err *e)
{
	struct sigaction act = { .sa_handler = on_signal }, old_int, old_term;
	static struct machine m;
	struct boot_verdict v = { 0 };
	int r;

	memset(&m, 0, sizeof(m));
	m.p = p;
	m.swtpm = m.qemu = m.console = m.log = -1;
	interrupted = 0;
	(void)sigaction(SIGINT, &act, &old_int);   /* cannot fail with these signals */
	(void)sigaction(SIGTERM, &act, &old_term);
	r = prepare(&m, e);
	if (!r && p->console) {
		m.log = open(p->console, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		if (m.log < 0)
			r = err_errno(e, "cannot create %s", p->console);
	}
	if (!r)
		r = run(&m, &v, e);
	undo(&m);
	(void)sigaction(SIGINT, &old_int, NULL);
	(void)sigaction(SIGTERM, &old_term, NULL);
	if (!r)
		*ret = v;
	return r;
}
