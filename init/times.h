/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/times.h - how long each stage took, across the change of root
 *
 * Theory of operation
 *   Marks are CLOCK_BOOTTIME at the end of each stage. The boot begins with the kernel's "Run /init as init process",
 *   whose time stamp is another clock: the first line that PID 1 wrote to the kernel's log stands there with the
 *   same clock, and PID 1 noted CLOCK_BOOTTIME when it wrote it, so the difference of the two stamps dates the
 *   beginning. The log is read after the engine was started, when it costs no boot time. If the record is gone, the boot
 *   begins with main(), which is said. No heap.
 */
#ifndef INIT_TIMES_H
#define INIT_TIMES_H

#include <stddef.h>
#include <stdint.h>

#define PID1_MAX_MARKS       40
#define PID1_MARK_NAME_BYTES 24

/** struct pid1_times - @main_ns: when main() began in the initramfs; @kmsg_ns: pid1_log_first_ns() there */
struct pid1_times {
	uint64_t main_ns;
	uint64_t kmsg_ns;
	size_t n;
	struct pid1_mark {
		char name[PID1_MARK_NAME_BYTES];
		uint64_t ns;
	} mark[PID1_MAX_MARKS];
};

/** pid1_times_mark() - stage @name ends now. Marks past PID1_MAX_MARKS are dropped. */
void pid1_times_mark(struct pid1_times *t, const char *name);

/** pid1_times_report() - print all stages and the total: from the kernel's "Run /init" to the last mark. */
void pid1_times_report(const struct pid1_times *t);

/**
 * pid1_times_before_ns() - ns from the kernel's "Run /init" to our first line, by one pass over /dev/kmsg records
 * @next: gives the next record into the buffer, NUL-terminated; returns its length, 0 at the end
 *
 * Return: ns, or UINT64_MAX if one of the two records is not there.
 */
uint64_t pid1_times_before_ns(size_t (*next)(void *arg, char *buf, size_t room), void *arg);

#endif
