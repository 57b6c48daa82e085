/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/cmd_wait.c - `holdfast-attest wait`: hold what follows until a verifier has fetched evidence
 *
 * Theory of operation
 *   The agent writes how often it has handed out evidence to AGENT_COUNT_PATH, by rename. As a task of the host manifest
 *   this verb keeps the tasks behind it from running on a host that nobody has looked at. inotify on the folder tells
 *   of each rename; the watch is set before the first look, so none is missed.
 *   It is a convenience in order, not a guard: whoever is root in the engine's context can write the file too.
 *
 * Runs as: a task, in the engine's context.
 */
#include "attest/agent.h"
#include "attest/cmd.h"

#include "common/cli.h"
#include "common/conf.h"
#include "common/clock.h"
#include "common/file.h"

#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>

#define MAX_COUNT_BYTES 32
#define MAX_SECONDS     86400

/* How often evidence was handed out; a file that is not there yet means never. */
static int read_count(const char *path, uint64_t *ret, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;
	int r = file_read(path, MAX_COUNT_BYTES, &b, e);

	if (r == -ENOENT) {
		*ret = 0;
		return 0;
	}
	if (r)
		return r;
	*ret = strtoull((const char *)b.data, NULL, 10);
	return 0;
}

static int watch(const char *path, int *ret_fd, struct err *e)
{
	cleanup_fd int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char copy[PATH_MAX];

	(void)snprintf(copy, sizeof(copy), "%s", path); /* a path that is too long fails below */
	if (fd < 0 || inotify_add_watch(fd, dirname(copy), IN_MOVED_TO | IN_CLOSE_WRITE) < 0)
		return err_errno(e, "cannot watch the folder of %s", path);
	*ret_fd = take_fd(&fd);
	return 0;
}

/* Return: 1 when the count is reached, 0 when the time is over, -errno. */
static int wait_for_count(const char *path, uint64_t wanted, uint64_t seconds, struct err *e)
{
	int64_t end = clock_ms(CLOCK_MONOTONIC) + (int64_t)seconds * 1000;
	uint64_t count = 0;
	cleanup_fd int fd = -1;
	int r = watch(path, &fd, e);

	while (!r) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t now = clock_ms(CLOCK_MONOTONIC);
		char events[4096];

		r = read_count(path, &count, e);
		if (r || count >= wanted)
			return r ? r : 1;
		if (now >= end)
			return 0;
		if (poll(&p, 1, (int)(end - now)) < 0 && errno != EINTR)
			return err_errno(e, "cannot wait for %s", path);
		while (read(fd, events, sizeof(events)) > 0)
			;
	}
	return r;
}

int cmd_wait(int argc, char **argv)
{
	static struct conf c = { .name = "wait" };
	const char *count = "1", *timeout = "300", *path = AGENT_COUNT_PATH;
	const struct cli_opt opts[] = {
		{ .name = "count", .arg = "N", .help = "until evidence was fetched N times since boot (1)", .value = &count },
		{ .name = "timeout", .arg = "S", .help = "give up after S seconds, exit 3 (300)", .value = &timeout },
		{ .name = "file", .arg = "FILE", .help = "the agent's counter (" AGENT_COUNT_PATH ")", .value = &path },
		{ 0 },
	};
	struct err e = ERR_INIT;
	uint64_t wanted, seconds;
	int n = cli_options(argc, argv, "", "wait until a verifier has fetched evidence", opts), r;

	if (n < 0)
		return CLI_USAGE;
	if (n > 0)
		return cli_usage("wait", "operand \"%s\" is not wanted", argv[1]);
	c.n = 2;
	c.line[0] = (struct conf_line){ .key = "--count", .value = count };
	c.line[1] = (struct conf_line){ .key = "--timeout", .value = timeout };
	if (conf_u64(&c, "--count", 1, UINT32_MAX, &wanted, &e) || conf_u64(&c, "--timeout", 300, MAX_SECONDS, &seconds, &e))
		return cli_usage("wait", "%s", e.msg);
	r = wait_for_count(path, wanted, seconds, &e);
	if (r < 0)
		return cli_fail(CLI_COULD_NOT, "wait", &e);
	if (r == 0) {
		(void)err_set(&e, ETIMEDOUT, "nobody fetched evidence %s times within %s s", count, timeout);
		return cli_fail(CLI_COULD_NOT, "wait", &e);
	}
	return CLI_PASSED;
}
