/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/control.c - `holdfast-init status|reboot|poweroff`: one line to PID 1, one answer */
#include "init/control.h"

#include "init/clients.h"
#include "init/log.h"
#include "init/status.h"
#include "init/sys.h"

#include <stdio.h>
#include <string.h>

static size_t say(char *ret, size_t room, const char *what)
{
	return (size_t)snprintf(ret, room, "%s\n", what); /* constants, they fit */
}

/* The word of the line; its newline may be there or not. */
static bool line_is(const char *packet, size_t len, const char *word)
{
	if (len && packet[len - 1] == '\n')
		len--;
	return len == strlen(word) && !memcmp(packet, word, len);
}

size_t pid1_control_answer(void *arg, const char *packet, size_t len, char *ret, size_t room)
{
	struct pid1_control *c = arg;
	size_t n;

	if (line_is(packet, len, "status")) {
		n = pid1_status_format(c->p, ret, room);
		return n ? n : say(ret, room, "refused the status is too long");
	}
	if (line_is(packet, len, "reboot"))
		c->action = PID1_REBOOT;
	else if (line_is(packet, len, "poweroff"))
		c->action = PID1_POWEROFF;
	else
		return say(ret, room, "refused malformed request, wanted status, reboot or poweroff");
	c->asked = true;
	pid1_log("control", "asked to %s", c->action == PID1_REBOOT ? "reboot" : "power off");
	return say(ret, room, "ok");
}

static int print(int fd, const char *text, size_t len, int code)
{
	return sys_write(fd, text, len) == (ssize_t)len ? code : 3;
}

int pid1_client_main(int argc, char **argv)
{
	static const char usage[] = "usage: holdfast-init status|reboot|poweroff\n"
				    "See holdfast-init(8).\n";
	static char answer[PID1_MAX_ANSWER_BYTES];
	static const char unreached[] = "holdfast-init: no answer on " PID1_CONTROL_SOCKET "\n";
	const char *verb = argc > 1 ? argv[1] : "";
	ssize_t n;
	int fd;

	if (argc == 2 && !strcmp(verb, "--help"))
		return print(1, usage, sizeof(usage) - 1, 0);
	if (argc == 3 && !strcmp(verb, "status") && !strcmp(argv[2], "--json"))
		argc = 2; /* it is never anything else */
	if (argc != 2 || (strcmp(verb, "status") && strcmp(verb, "reboot") && strcmp(verb, "poweroff")))
		return print(2, usage, sizeof(usage) - 1, 2);
	fd = sys_connect(PID1_CONTROL_SOCKET);
	n = fd < 0 ? fd : sys_helper_ask(fd, verb, strlen(verb), answer, sizeof(answer), 10000000000ull);
	if (n <= 0)
		return print(2, unreached, sizeof(unreached) - 1, 3);
	return print(1, answer, (size_t)n, !strncmp(answer, "refused", 7));
}
