/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/control.h - `holdfast-init status|reboot|poweroff`: one line to PID 1, one answer
 *
 * The socket is root's (mode 0600, and SO_PEERCRED is asked). Whoever may ask for the end here could as well send SIGTERM.
 *
 * Input: hostile: any root process of the host can connect. No heap in PID 1.
 */
#ifndef INIT_CONTROL_H
#define INIT_CONTROL_H

#include "init/pid1.h"

#include <stdbool.h>
#include <stddef.h>

#define PID1_CONTROL_SOCKET "/run/holdfast/control.sock"

/** struct pid1_control - @asked: then the machine is to end with @action, once the answer is sent */
struct pid1_control {
	const struct pid1 *p;
	bool asked;
	enum pid1_action action;
};

/** pid1_control_answer() - a pid1_answer_fn; @arg is a struct pid1_control. */
size_t pid1_control_answer(void *arg, const char *packet, size_t len, char *ret, size_t room);

/** pid1_client_main() - the same program as anybody but PID 1: ask it. Return: 0, 1 refused, 2 usage, 3 not reached. */
int pid1_client_main(int argc, char **argv);

#endif
