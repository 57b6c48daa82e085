/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/cmdline.h - what PID 1 takes from the kernel command line
 *
 * Input: part of the signed and measured UKI; parsed strictly all the same, for a board's author errs too.
 */
#ifndef INIT_CMDLINE_H
#define INIT_CMDLINE_H

#include "common/cleanup.h"
#include "common/err.h"
#include "common/hash.h"

#include <stddef.h>
#include <stdint.h>

#define PID1_MAX_CMDLINE_BYTES 4096

enum pid1_profile { PID1_PROFILE_UNSET, PID1_PROFILE_ENFORCE, PID1_PROFILE_AUDIT };

/** struct pid1_cmdline - root hash and profile */
struct pid1_cmdline {
	uint8_t root_hash[HASH_SHA256_BYTES];
	enum pid1_profile profile;
};

/**
 * pid1_cmdline_parse() - find roothash= and holdfast.profile=, each exactly once
 * @text: @len bytes of /proc/cmdline, with or without newline
 *
 * Words end at blanks outside double quotes, as the kernel has it; a value may not be quoted.
 * Return: 0, or -EINVAL naming the word.
 */
int pid1_cmdline_parse(const char *text, size_t len, struct pid1_cmdline *ret, struct err *e) WARN_UNUSED;

#endif
