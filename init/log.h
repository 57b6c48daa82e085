/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/log.h - one line, once on the console and once in the kernel's log
 *
 * Theory of operation
 *   A line goes to /dev/console in one write(2): the terminal layer keeps it whole among the lines of the engine. The
 *   same line goes to /dev/kmsg, for dmesg and pstore, with a priority that the console's log level
 *   (PID1_CONSOLE_LEVEL, set when the console is opened) holds back, so that it is seen once. Before /dev is
 *   there both are skipped but for descriptor 2, which the kernel has opened for us if the initramfs has a console node.
 *   No heap.
 */
#ifndef INIT_LOG_H
#define INIT_LOG_H

#include "common/cleanup.h"
#include "common/err.h"

#include <stdint.h>

/** pid1_log_open() - open both, and set the kernel's own console log level to errors. */
int pid1_log_open(struct err *e) WARN_UNUSED;

/** pid1_log_console() - the console's descriptor, for children. */
int pid1_log_console(void);

/** pid1_log_first_ns() - sys_now_ns() when the first line went to the kernel's log; 0 before. */
uint64_t pid1_log_first_ns(void);

/** pid1_log() - "holdfast: <stage>: <fact>"; with @stage NULL "holdfast: <fact>". */
void pid1_log(const char *stage, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** pid1_log_refusal() - "holdfast: E<code> <text>: <sentence>", and wait until the console has sent it. */
void pid1_log_refusal(unsigned code, const char *sentence);

#endif
