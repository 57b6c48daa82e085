/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * common/err.h - one sentence about what went wrong, carried to whoever prints it
 *
 * Every function that can fail returns 0 or -errno and fills the caller's struct err with a
 * sentence: what was found, what was wanted, in which file, at which offset. Library code never
 * logs; only main.c and cmd_*.c print.
 */
#ifndef COMMON_ERR_H
#define COMMON_ERR_H

#include <errno.h>

#define ERR_MSG_MAX 256

/**
 * struct err - an error on its way up
 * @code: positive errno value, 0 while nothing went wrong
 * @msg:  one sentence without newline; cut at the end, or by err_context() in the middle, if too long
 */
struct err {
	int code;
	char msg[ERR_MSG_MAX];
};

#define ERR_INIT { 0 }

/**
 * err_text() - the sentence of an errno value, in English
 *
 * strerror() looks for a translation, and allocates while it does (glibc 2.41): not for PID 1 after its point of no return.
 * Return: a constant string.
 */
const char *err_text(int errnum);

/** err_set() - we found it: store @code (positive errno) and the sentence. Return: -@code. */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/** err_errno() - errno said it: store errno and "<sentence>: <err_text()>". Return: -errno (never 0). */
int err_errno(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** err_context() - put "<sentence>: " before the stored message, keeping the code. Return: -code. */
int err_context(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
