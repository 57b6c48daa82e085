/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/state.h - what PID 1 tells itself across the change of root
 *
 * A `key = value` file in /run/holdfast, written just before the re-execution and deleted when it was read: nothing that
 * comes later can be taken for it. Facts that the kernel or the root can tell again are not in it.
 *
 * Input: our own.
 */
#ifndef INIT_STATE_H
#define INIT_STATE_H

#include "common/cleanup.h"
#include "common/err.h"
#include "init/times.h"

#include <stdbool.h>
#include <stddef.h>

#define PID1_STATE_PATH      "/run/holdfast/init.state"
#define PID1_MAX_STATE_BYTES 4096

/** struct pid1_state - @tpm_required as the boot manifest says */
struct pid1_state {
	bool tpm_required;
	struct pid1_times times;
};

/** pid1_state_format() - as text. Return: its length, or 0 if @room is not enough. */
size_t pid1_state_format(const struct pid1_state *s, char *ret, size_t room);

/** pid1_state_parse() - @text of @len bytes, NUL-terminated, cut in place. 0 or -EINVAL. */
int pid1_state_parse(char *text, size_t len, struct pid1_state *ret, struct err *e) WARN_UNUSED;

/** pid1_state_save(), pid1_state_load() - write it; read it and delete it. */
int pid1_state_save(const struct pid1_state *s, struct err *e) WARN_UNUSED;
int pid1_state_load(struct pid1_state *ret, struct err *e) WARN_UNUSED;

#endif
