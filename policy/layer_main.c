/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/layer_main.c - holdfast-layer, the program of PID 1's that opens the layers that were pulled (policy/layer_service.h)
 *
 * Runs as: a child of PID 1, with CAP_SYS_ADMIN and CAP_MKNOD, the one that may give the device-mapper a table after the boot.
 */
#include "policy/layer_service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#define USAGE                                                                                                          \
	"usage: holdfast-layer\n"                                                                                      \
	"Started by PID 1; opens the layers that an engine pulled and the gate converted. See holdfast-layer(8).\n"

static int serve(struct err *e)
{
	struct policy_layer_service s = {.built_in = POLICY_LAYER_DIR, .pulled = POLICY_PULLED_DIR, .open = policy_layer_open};
	cleanup_policy struct policy *policy = NULL;
	cleanup_fd int listener = -1;
	int r = policy_load_verified("", &policy, e);

	if (!r)
		r = policy_layer_listen(POLICY_LAYER_SOCKET, &listener, e);
	s.policy = policy;
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
	(void)!serve(&e); /* it returns only to say why */
	(void)fprintf(stderr, "holdfast-layer: %s\n", e.msg);
	return 3;
}
