/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/vm/boot/idle.c - a static program of the C library that waits: what any PID 1 of it would cost (tests/bench-boot) */
#include <unistd.h>

int main(void)
{
	for (;;)
		(void)pause(); /* no handler: it does not come back */
}
