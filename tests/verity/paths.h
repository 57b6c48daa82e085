/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/verity/paths.h - a family's paths by a list of every architecture's names, so that the number of tests is the same on each */
#ifndef TESTS_VERITY_PATHS_H
#define TESTS_VERITY_PATHS_H

#include "verity/path_choice.h"

#include <stdlib.h>
#include <string.h>

/* The path @known[i]; it has no CPU if this build lacks it. Each path of the build must be among the @n that are known. */
static inline struct verity_path_info find_path(verity_path_fn *paths, const char *const *known, size_t n, size_t i)
{
	struct verity_path_info found = {.name = known[i]}, info;

	for (size_t p = 0; paths(p, &info); p++) {
		size_t k = 0;

		while (k < n && strcmp(known[k], info.name))
			k++;
		if (k == n)
			abort();
		if (k == i)
			found = info;
	}
	return found;
}

#endif
