/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/verity/bench_run.c - what a command costs: CPU seconds, wall seconds, most memory in KiB, on one line
 *
 *   bench_run OUTPUT COMMAND...     its standard output goes to OUTPUT; exit 1 if it failed
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* always there */
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	struct rusage used;
	double begin = now();
	int status = 0;
	pid_t pid;

	if (argc < 3)
		return 2;
	pid = fork();
	if (pid == 0) {
		int out = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0600);

		if (out < 0 || dup2(out, STDOUT_FILENO) < 0)
			_exit(127);
		(void)execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &used) != pid || status != 0)
		return 1;
	printf("%.4f %.4f %ld\n", seconds(used.ru_utime) + seconds(used.ru_stime), now() - begin, used.ru_maxrss);
	return 0;
}
