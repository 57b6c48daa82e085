/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_policy.c - the policy parser; what it accepts must be writable and mean the same again */
#include "policy/policy_write.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_policy struct policy *p = NULL;
	cleanup_policy struct policy *again = NULL;
	cleanup_buf struct buf one = BUF_INIT;
	cleanup_buf struct buf two = BUF_INIT;
	struct err e = ERR_INIT;

	if (policy_parse(data, size, "fuzz", &p, &e))
		return 0;
	if (policy_write(p, &one, &e) || policy_parse(one.data, one.len, "again", &again, &e) ||
	    policy_write(again, &two, &e) || !hash_equal(one.data, one.len, two.data, two.len))
		abort();
	return 0;
}
