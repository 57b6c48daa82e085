/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* common/proc.c - run another program and wait for it */
#include "common/proc.h"

#include "common/interrupt.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define STDERR_KEPT_BYTES 4096
#define END_WAIT_MS       2000 /* for a grandchild that left the group and keeps a pipe */

/* The child's side: wire descriptors, then exec. Reports the failing errno through @report. */
static void child(const struct proc_params *p, int out, int err, int report)
{
	int in = p->stdin_fd > 0 ? p->stdin_fd : open("/dev/null", O_RDONLY | O_CLOEXEC);
	int saved;

	interrupt_child();
	if (in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		goto fail;
	if (p->dir && chdir(p->dir) < 0)
		goto fail;
	for (size_t i = 0; p->env && p->env[i]; i++)
		if (putenv((char *)p->env[i]) != 0)
			goto fail;
	execvp(p->argv[0], (char *const *)p->argv);
fail:
	saved = errno;
	(void)!write(report, &saved, sizeof(saved)); /* the parent sees EOF instead, and the exit status */
	_exit(127);
}

/* Keep the last STDERR_KEPT_BYTES of what was read. */
static void keep_tail(struct buf *tail, const uint8_t *data, size_t n)
{
	buf_put(tail, data, n);
	if (tail->len > 2 * STDERR_KEPT_BYTES) {
		memmove(tail->data, tail->data + tail->len - STDERR_KEPT_BYTES, STDERR_KEPT_BYTES);
		tail->len = STDERR_KEPT_BYTES;
	}
}

/* Read both pipes until both are closed. Return: 0; -EFBIG if standard output is over its bound; -EINTR. */
static int drain(const struct proc_params *p, int out, int err, struct buf *tail, struct err *e)
{
	struct pollfd fds[3] = { { .fd = out, .events = POLLIN },
				 { .fd = err, .events = POLLIN },
				 { .fd = interrupt_fd(), .events = POLLIN } };
	uint8_t block[65536]; /* a pipe's worth */
	int r = 0;

	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			return err_errno(e, "cannot wait for %s", p->argv[0]);
		r = interrupt_check(e);
		if (r)
			return r;
		for (int i = 0; i < 2; i++) {
			ssize_t n;

			if (fds[i].fd < 0 || !fds[i].revents)
				continue;
			n = read(fds[i].fd, block, sizeof(block));
			if (n < 0 && errno == EINTR)
				continue;
			if (n <= 0) {
				fds[i].fd = -1;
				continue;
			}
			if (i == 0 && p->sink)
				r = p->sink(p->sink_arg, block, (size_t)n, e);
			else if (i == 0 && (p->out->len > p->out_max || (size_t)n > p->out_max - p->out->len))
				r = err_set(e, EFBIG, "%s wrote more than %zu bytes", p->argv[0], p->out_max);
			else if (i == 0)
				buf_put(p->out, block, (size_t)n);
			else
				keep_tail(tail, block, (size_t)n);
			if (r)
				return r; /* the caller ends the program: endless output must not keep us */
		}
	}
	return 0;
}

/*
 * End our own child @pid. Where signals are caught it has a process group, whose other members (dpkg-deb's tar, apt's
 * methods) end with it; they hold the pipes, which tell when the last of them is gone and writes no more.
 */
static void end_child(pid_t pid, int out, int err)
{
	const int fds[2] = { out, err };
	uint8_t block[4096];

	if (interrupt_fd() < 0) {
		(void)kill(pid, SIGKILL); /* it is reaped next */
		return;
	}
	(void)kill(-pid, SIGKILL);
	for (int i = 0; i < 2; i++) {
		struct pollfd p = { .fd = fds[i], .events = POLLIN };

		while (poll(&p, 1, END_WAIT_MS) > 0 && read(fds[i], block, sizeof(block)) > 0)
			;
	}
}

static const char *last_line(struct buf *tail)
{
	char *s, *nl;

	while (tail->len && (tail->data[tail->len - 1] == '\n' || tail->data[tail->len - 1] == '\r'))
		tail->len--;
	buf_u8(tail, 0);
	if (tail->bad)
		return "";
	s = (char *)tail->data;
	nl = strrchr(s, '\n');
	return nl ? nl + 1 : s;
}

static int verdict(const struct proc_params *p, int status, int exec_errno, struct buf *tail, struct err *e)
{
	const char *line;

	if (exec_errno == ENOENT)
		return err_set(e, ENOENT, "%s is not installed", p->argv[0]);
	if (exec_errno)
		return err_set(e, exec_errno, "cannot run %s: %s", p->argv[0], err_text(exec_errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	line = p->quiet ? last_line(tail) : "see above";
	if (WIFSIGNALED(status))
		return err_set(e, EIO, "%s was ended by signal %d: %s", p->argv[0], WTERMSIG(status), line);
	return err_set(e, ECHILD, "%s failed with status %d: %s", p->argv[0], WEXITSTATUS(status), line);
}

int proc_run(const struct proc_params *p, struct err *e)
{
	int report[2] = { -1, -1 }, out[2] = { -1, -1 }, err[2] = { -1, -1 };
	cleanup_buf struct buf tail = BUF_INIT;
	int status = 0, exec_errno = 0, r = interrupt_check(e);
	pid_t pid;

	if (r)
		return r;
	if (pipe2(report, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0) {
		r = err_errno(e, "cannot make pipes for %s", p->argv[0]);
		goto out;
	}
	pid = fork();
	if (pid < 0) {
		r = err_errno(e, "cannot start %s", p->argv[0]);
		goto out;
	}
	if (pid == 0)
		child(p, p->out || p->sink ? out[1] : 2, p->quiet ? err[1] : 2, report[1]);
	if (interrupt_fd() >= 0)
		(void)setpgid(pid, pid); /* the child does it too; whoever is first */
	(void)close(take_fd(&report[1]));
	(void)close(take_fd(&out[1]));
	(void)close(take_fd(&err[1]));
	if (read(report[0], &exec_errno, sizeof(exec_errno)) != sizeof(exec_errno))
		exec_errno = 0;
	r = drain(p, out[0], err[0], &tail, e);
	if (r)
		end_child(pid, out[0], err[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!r)
		r = verdict(p, status, exec_errno, &tail, e);
out:
	for (int i = 0; i < 2; i++) {
		cleanup_fd_fn(&report[i]);
		cleanup_fd_fn(&out[i]);
		cleanup_fd_fn(&err[i]);
	}
	return r;
}
