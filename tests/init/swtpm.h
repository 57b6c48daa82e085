/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/init/swtpm.h - a real TPM implementation for PID 1's tests, with a man in the middle who slows, cuts and bends
 *
 * swtpm serves one end of a socket pair; between it and the test stands a child that passes commands and answers on,
 * counts them, and does what struct swtpm_control says. A reset is swtpm's end and a new start on the same state. Without swtpm
 * the tests are skipped, loudly.
 */
#ifndef TESTS_INIT_SWTPM_H
#define TESTS_INIT_SWTPM_H

#include "tests/common/check.h"

#include "common/cleanup.h"
#include "common/tpm_cmd.h"
#include "init/tpm_session.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the man in the middle does; shared with him. */
struct swtpm_control {
	volatile int delay_ms;	      /* before each answer */
	volatile int commands;	      /* passed on since the last reset */
	volatile int cut_after;	      /* after so many commands the power is off; 0: never */
	volatile uint32_t bend_code;  /* the answer to this command has one bit of its parameters changed */
	volatile size_t log_bytes;
	uint8_t log[256 << 10];	      /* all that went over the bus */
};

static struct {
	char dir[64], first[64];
	pid_t tpm, middle;
	int fd;
	struct swtpm_control *control;
} lab = { .fd = -1 };

static bool have_swtpm(void)
{
	return system("command -v swtpm >/dev/null && command -v swtpm_setup >/dev/null") == 0;
}

#define NEED_SWTPM()                                                                   \
	do {                                                                           \
		if (!have_swtpm()) {                                                   \
			print_message("SKIPPED: swtpm or swtpm_setup is missing\n");   \
			skip();                                                        \
		}                                                                      \
	} while (0)

static _Noreturn void stand_in_the_middle(int test, int tpm)
{
	struct swtpm_control *c = lab.control;
	uint8_t b[4096];

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		uint32_t code;
		ssize_t n = read(test, b, sizeof(b));

		if (n < 10)
			_exit(0);
		if (c->cut_after && c->commands >= c->cut_after)
			_exit(0);
		code = (uint32_t)b[6] << 24 | (uint32_t)b[7] << 16 | (uint32_t)b[8] << 8 | b[9];
		c->commands++;
		for (int way = 0; way < 2; way++) {
			if (c->log_bytes + (size_t)n < sizeof(c->log)) {
				memcpy(c->log + c->log_bytes, b, (size_t)n);
				c->log_bytes += (size_t)n;
			}
			if (way)
				break;
			if (write(tpm, b, (size_t)n) != n || (n = read(tpm, b, sizeof(b))) < 10)
				_exit(0);
		}
		if (code == c->bend_code && n > 16)
			b[16] ^= 1;
		if (c->delay_ms)
			(void)poll(NULL, 0, c->delay_ms);
		if (write(test, b, (size_t)n) != n)
			_exit(0);
	}
}

static void swtpm_stop(void)
{
	if (lab.fd < 0)
		return;
	(void)close(lab.fd);
	lab.fd = -1;
	(void)kill(lab.tpm, SIGKILL);
	(void)kill(lab.middle, SIGKILL);
	assert_int_equal(waitpid(lab.tpm, NULL, 0), lab.tpm);
	assert_int_equal(waitpid(lab.middle, NULL, 0), lab.middle);
}

/* Power off, without a word to the TPM, and on again. */
static void swtpm_reset(void)
{
	int to_tpm[2], to_test[2];

	swtpm_stop();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, to_tpm), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, to_test), 0);
	lab.tpm = fork();
	assert_true(lab.tpm >= 0);
	if (lab.tpm == 0) {
		char state[80], fd[12];

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)close(to_test[0]);
		(void)close(to_test[1]);
		(void)close(to_tpm[0]);
		(void)snprintf(state, sizeof(state), "dir=%s", lab.dir);
		(void)snprintf(fd, sizeof(fd), "%d", to_tpm[1]);
		execlp("swtpm", "swtpm", "socket", "--tpm2", "--tpmstate", state, "--fd", fd, "--flags", "not-need-init,startup-clear",
		       (char *)NULL);
		_exit(127);
	}
	lab.control->commands = 0;
	lab.control->cut_after = 0;
	lab.control->bend_code = 0;
	lab.control->delay_ms = 0;
	lab.control->log_bytes = 0;
	lab.middle = fork();
	assert_true(lab.middle >= 0);
	if (lab.middle == 0) {
		(void)close(to_test[0]);
		(void)close(to_tpm[1]);
		stand_in_the_middle(to_test[1], to_tpm[0]);
	}
	(void)close(to_tpm[0]);
	(void)close(to_tpm[1]);
	(void)close(to_test[1]);
	lab.fd = to_test[0];
}

/* A TPM that was never used. The first is made by swtpm_setup, later ones are copies unless @another. */
static void swtpm_new(bool another)
{
	char cmd[400];

	swtpm_stop();
	if (!lab.control) {
		lab.control = mmap(NULL, sizeof(*lab.control), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		assert_true(lab.control != MAP_FAILED);
	}
	if (!*lab.dir) {
		strcpy(lab.dir, "/tmp/holdfast-tpm-XXXXXX");
		assert_non_null(mkdtemp(lab.dir));
		strcpy(lab.first, "/tmp/holdfast-tpm-XXXXXX");
		assert_non_null(mkdtemp(lab.first));
		(void)snprintf(cmd, sizeof(cmd), "swtpm_setup --tpm2 --tpmstate %s --pcr-banks sha256 >/dev/null 2>&1", lab.first);
		assert_int_equal(system(cmd), 0);
	}
	(void)snprintf(cmd, sizeof(cmd), another ? "rm -rf %s/*; swtpm_setup --tpm2 --tpmstate %s --pcr-banks sha256 >/dev/null 2>&1" :
						   "rm -rf %s/*; cp %s/* %s/",
		       lab.dir, another ? lab.dir : lab.first, lab.dir);
	assert_int_equal(system(cmd), 0);
	swtpm_reset();
}

static int swtpm_end(void **state)
{
	char cmd[200];

	(void)state;
	swtpm_stop();
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s %s", lab.dir, lab.first);
	return *lab.dir ? system(cmd) : 0;
}

static inline void extend(uint32_t pcr, const char *text)
{
	struct tpm_digest d = { .alg = HASH_SHA256 };
	struct err e = ERR_INIT;

	hash_sha256(text, strlen(text), d.digest);
	assert_ok(tpm_cmd_extend(lab.fd, 5000, pcr, &d, 1, &e), &e);
}

#endif
