/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * common/cleanup.h - ownership that ends with the scope
 *
 * A variable declared cleanup_fd or cleanup_free owns what it holds; take_fd() and take_ptr() pass
 * ownership on. Cleanup keeps errno. Effects outside the process (mounts, dm devices, folders) are
 * never undone here: that is done explicitly, in reverse order, where they were made.
 */
#ifndef COMMON_CLEANUP_H
#define COMMON_CLEANUP_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_fd_fn(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd); /* nothing was written through it, or it was checked before */
	errno = saved;
}

static inline void cleanup_free_fn(void *p)
{
	int saved = errno;

	free(*(void **)p);
	errno = saved;
}

#define cleanup_fd __attribute__((cleanup(cleanup_fd_fn)))
#define cleanup_free __attribute__((cleanup(cleanup_free_fn)))

/** CLEANUP_DEFINE() - define cleanup_<name> for a type with a destructor: name, pointer type, free function. */
#define CLEANUP_DEFINE(name, type, fn) \
	static inline void cleanup_##name##_fn(type *p) \
	{ \
		int saved = errno; \
		if (*p) \
			fn(*p); \
		errno = saved; \
	}

/** take_fd() - give the descriptor away: returns it and leaves -1 behind. */
static inline int take_fd(int *fd)
{
	int r = *fd;

	*fd = -1;
	return r;
}

#define take_ptr(p) ({ __typeof__(p) take_tmp_ = (p); (p) = NULL; take_tmp_; })

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define WARN_UNUSED __attribute__((warn_unused_result))

#endif
