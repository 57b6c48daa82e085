/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/boot_child.c - children that live as long as a boot and never longer than we do */
#include "image-builder/boot.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

int boot_child_start(const char *const argv[], int out_fd, int *ret_pid, struct err *e)
{
	pid_t parent = getpid(), pid;
	int report[2], child_errno = 0;

	if (pipe2(report, O_CLOEXEC) < 0)
		return err_errno(e, "cannot make a pipe for %s", argv[0]);
	pid = fork();
	if (pid < 0) {
		(void)err_errno(e, "cannot start %s", argv[0]);
	} else if (pid == 0) {
		sigset_t none;
		int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

		/* Its own group: ctrl-C is for us, and we end it in order. If we are gone already, so is it. */
		(void)sigemptyset(&none);
		(void)sigprocmask(SIG_SETMASK, &none, NULL);
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent && setpgid(0, 0) == 0 && null >= 0 &&
		    dup2(null, 0) >= 0 && dup2(out_fd, 1) >= 0 && dup2(out_fd, 2) >= 0)
			(void)execvp(argv[0], (char *const *)argv); /* returns only on failure */
		child_errno = errno;
		(void)!write(report[1], &child_errno, sizeof(child_errno)); /* EOF says as much */
		_exit(127);
	}
	(void)close(report[1]);
	if (pid > 0 && read(report[0], &child_errno, sizeof(child_errno)) == sizeof(child_errno)) {
		(void)waitpid(pid, NULL, 0); /* it has ended */
		(void)(child_errno == ENOENT ? err_set(e, ENOENT, "%s is not installed", argv[0]) :
					       err_set(e, child_errno, "cannot run %s: %s", argv[0], err_text(child_errno)));
		pid = -1;
	}
	(void)close(report[0]);
	if (pid < 0)
		return -e->code;
	*ret_pid = pid;
	return 0;
}

void boot_child_end(int *pid)
{
	if (*pid <= 0)
		return;
	(void)kill(*pid, SIGTERM); /* it may have ended: it is our child until reaped, so the number is its own */
	for (int i = 0; i < 40; i++) {
		if (waitpid(*pid, NULL, WNOHANG) != 0) {
			*pid = -1;
			return;
		}
		(void)poll(NULL, 0, 25); /* a pause */
	}
	(void)kill(*pid, SIGKILL);
	(void)waitpid(*pid, NULL, 0); /* cannot fail: it is our child */
	*pid = -1;
}
