/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/layer_main.c - holdfast-layer, the program of PID 1's that opens the layers that were pulled (policy/layer_service.h)
 *
 * Runs as: a child of PID 1, with CAP_SYS_ADMIN and CAP_MKNOD, the one that may give the device-mapper a table after the boot.
 * Started once, before the engine: it ends with 0 when it listens, and leaves the process that answers.
 */
#include "policy/layer_service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define USAGE                                                                                                          \
	"usage: holdfast-layer\n"                                                                                      \
	"Started by PID 1; opens the layers that an engine pulled and the gate converted. See holdfast-layer(8).\n"

/* @s->policy is owned by the caller, for as long as this process is there. */
static int begin(struct policy_layer_service *s, struct policy **ret_policy, int *ret_listener, struct err *e)
{
	int r = policy_load_verified("", ret_policy, e);

	r = r ? r : policy_layer_listen(POLICY_LAYER_SOCKET, ret_listener, e);
	s->policy = *ret_policy;
	return r;
}

static int serve(struct err *e)
{
	struct policy_layer_service s = {.built_in = POLICY_LAYER_DIR, .pulled = POLICY_PULLED_DIR, .open = policy_layer_open};
	cleanup_policy struct policy *policy = NULL;
	cleanup_fd int listener = -1;
	int r = begin(&s, &policy, &listener, e);
	pid_t pid = r ? 0 : fork();

	if (pid < 0)
		r = err_errno(e, "cannot go on as a child");
	if (r || pid > 0)
		return r;
	while (!r)
		r = policy_layer_serve_one(&s, listener, e);
	return r;
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;

	if (argc == 2 && !strcmp(argv[1], "--help"))
		return fputs(USAGE, stdout) < 0 ? 3 : 0;
	if (argc != 1) {
		(void)fputs(USAGE, stderr); /* nobody else to tell */
		return 2;
	}
	/* Nobody traces it, reads its memory or takes its descriptors. There is no udev that it should wait for. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || setenv("DM_DISABLE_UDEV", "1", 1))
		return 3;
	if (!serve(&e))
		return 0;
	(void)fprintf(stderr, "holdfast-layer: %s\n", e.msg);
	return 3;
}
