/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/policy/policy_fixture.h - one policy for a whole test program; include it behind `policy_text`, its document */
#ifndef TESTS_POLICY_POLICY_FIXTURE_H
#define TESTS_POLICY_POLICY_FIXTURE_H

#include "policy/policy.h"

static struct policy *policy;

static int load_policy(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	return policy_parse(policy_text, sizeof(policy_text) - 1, "policy.json", &policy, &e);
}

static int free_policy(void **state)
{
	(void)state;
	policy_free(policy);
	return 0;
}

#endif
