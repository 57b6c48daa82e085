/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/sys_retry.h - RETRY(): a system call as the seam gives it, EINTR retried, -errno returned; for sys*.c alone */
#ifndef INIT_SYS_RETRY_H
#define INIT_SYS_RETRY_H

#include <errno.h>

#define RETRY(call)                                                                                                    \
	({                                                                                                             \
		__typeof__(call) r_;                                                                                   \
		do                                                                                                     \
			r_ = (call);                                                                                   \
		while (r_ < 0 && errno == EINTR);                                                                      \
		r_ < 0 ? (__typeof__(r_))-errno : r_;                                                                  \
	})

#endif
