/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/common/check.h - cmocka, and what every test of ours wants beside it */
#ifndef TESTS_COMMON_CHECK_H
#define TESTS_COMMON_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The command that runs a program built like this test, if the machine cannot run it by itself: words, or "". See tests/run. */
static inline const char *check_runner(void)
{
	const char *runner = getenv("TEST_RUNNER");

	return runner ? runner : "";
}

/* The call failed with @code and its sentence holds @part. */
#define assert_refused(call, e, code_, part) \
	do { \
		int r_ = (call); \
		if (r_ != -(code_) || !strstr((e)->msg, (part))) \
			fail_msg("returned %d \"%s\", wanted %d with \"%s\"", r_, (e)->msg, -(code_), (part)); \
	} while (0)

/* The call returned 0; its sentence is shown if not. */
#define assert_ok(call, e) \
	do { \
		int r_ = (call); \
		if (r_ != 0) \
			fail_msg("returned %d \"%s\"", r_, (e)->msg); \
	} while (0)

#endif
