/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * common/cmdline.h - what PID 1 and the gate take from the kernel command line
 *
 * Input: with UEFI part of the signed and measured UKI; in the profile `direct` whatever started the machine says it, and
 * PID 1 measures it. Parsed strictly in either case, for a board's author errs too.
 */
#ifndef COMMON_CMDLINE_H
#define COMMON_CMDLINE_H

#include "common/cleanup.h"
#include "common/err.h"
#include "common/hash.h"

#include <stddef.h>
#include <stdint.h>

#define CMDLINE_MAX_BYTES 4096
#define CMDLINE_PATH      "/proc/cmdline"

/* What decides who may run: docs/ARCHITECTURE.md, "Profiles". */
enum cmdline_profile {
	CMDLINE_UNSET,
	CMDLINE_ENFORCE, /* UEFI; the kernel checks signatures; IPE */
	CMDLINE_ENFORCE_JIT, /* as enforce, but BPF-LSM holds execution: declared images may make code */
	CMDLINE_AUDIT,   /* as enforce, but IPE stops nothing */
	CMDLINE_DIRECT,  /* no UEFI: PID 1 checks signatures; BPF-LSM */
	CMDLINE_PROFILES_,
};

/** struct cmdline - root hash and profile */
struct cmdline {
	uint8_t root_hash[HASH_SHA256_BYTES];
	enum cmdline_profile profile;
};

/**
 * cmdline_parse() - find roothash= and holdfast.profile=, each exactly once
 * @text: @len bytes of /proc/cmdline, with or without newline
 *
 * Words end at blanks outside double quotes, as the kernel has it; a value may not be quoted.
 * Return: 0, or -EINVAL naming the word.
 */
int cmdline_parse(const char *text, size_t len, struct cmdline *ret, struct err *e) WARN_UNUSED;

/** cmdline_profile_str() - its word on the command line. */
const char *cmdline_profile_str(enum cmdline_profile profile);

#endif
