/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/verity/test_memory.c - holdfast-verity's memory does not grow with the volume: at most 16 MiB resident */
#include "tests/common/check.h"

#include "common/cleanup.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_KIB (16 * 1024L)

static char dir[64], data[96], hash[96], parity[96], root_hash[128];

/* Run holdfast-verity; its largest resident set in KiB, and its first @n bytes of output. */
static long run(const char *const *argv, char *out, size_t n)
{
	char program[512];
	struct rusage used;
	int to[2], status = -1;
	ssize_t got = 0, more;
	pid_t pid;

	(void)snprintf(program, sizeof(program), "%s/holdfast-verity", getenv("HOLDFAST_BIN"));
	assert_int_equal(pipe2(to, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)dup2(to[1], 1);
		execv(program, (char *const *)argv);
		_exit(127);
	}
	close(to[1]);
	while ((more = read(to[0], out + got, n - 1 - (size_t)got)) > 0)
		got += more;
	out[got] = 0;
	close(to[0]);
	assert_int_equal(wait4(pid, &status, 0, &used), pid);
	assert_int_equal(status, 0);
	return used.ru_maxrss;
}

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/holdfast-memory-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(data, sizeof(data), "%s/data", dir);
	(void)snprintf(hash, sizeof(hash), "%s/hash", dir);
	(void)snprintf(parity, sizeof(parity), "%s/parity", dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(data);
	(void)unlink(hash);
	(void)unlink(parity);
	return rmdir(dir);
}

static void small(const char *what, long kib)
{
	print_message("  %s: %ld KiB\n", what, kib);
	if (kib > LIMIT_KIB)
		fail_msg("%s: %ld KiB resident, wanted at most %ld", what, kib, LIMIT_KIB);
}

/* 512 MiB, thirty-two times the bound; of holes, which are read and hashed like other bytes. */
static void format_verify_and_parity_stay_under_sixteen_mebibytes(void **state)
{
	char out[4096];
	const char *at;
	cleanup_fd int fd = -1;

	(void)state;
	if (*check_runner() || !getenv("HOLDFAST_BIN"))
		skip(); /* an emulator's memory is its own */
#ifdef HOLDFAST_SANITIZED
	skip(); /* a sanitizer's too */
#endif
	fd = open(data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 512L << 20), 0);
	small("format with parity, read", run((const char *const[]){"holdfast-verity", "format", "--io", "pread", "--fec-device", parity,
								    data, hash, NULL},
					      out, sizeof(out)));
	at = strstr(out, "Root hash:");
	assert_non_null(at);
	assert_int_equal(sscanf(at, "Root hash: %127s", root_hash), 1);
	small("verify", run((const char *const[]){"holdfast-verity", "verify", data, hash, root_hash, NULL}, out, sizeof(out)));
	for (size_t i = 0; i < 2; i++) {
		const char *const how[] = {"direct", "auto"};

		(void)unlink(hash);
		small(how[i], run((const char *const[]){"holdfast-verity", "format", "--io", how[i], data, hash, NULL}, out, sizeof(out)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(format_verify_and_parity_stay_under_sixteen_mebibytes),
	};

	return cmocka_run_group_tests_name("verity/memory", tests, set_up, tear_down);
}
