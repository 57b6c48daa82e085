/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/cmd_class.c - holdfast-policy class: declare a class */
#include "policy/cmd.h"

#include "common/cleanup.h"
#include "common/cli.h"
#include "policy/policy_edit.h"
#include "policy/policy_write.h"

#include <stdlib.h>
#include <string.h>

/* "FIRST-LAST" */
static bool ids_of(const char *s, uint32_t *ret_first, uint32_t *ret_last)
{
	char *end = NULL;
	unsigned long first = *s >= '0' && *s <= '9' ? strtoul(s, &end, 10) : 0, last;

	if (!end || *end != '-' || end[1] < '0' || end[1] > '9')
		return false;
	last = strtoul(end + 1, &end, 10);
	if (*end || first >= UINT32_MAX || last >= UINT32_MAX)
		return false;
	*ret_first = (uint32_t)first;
	*ret_last = (uint32_t)last;
	return true;
}

int policy_cmd_class(int argc, char **argv)
{
	const char *path = NULL, *ids = NULL, *apart[POLICY_MAX_CLASSES + 1] = {NULL};
	size_t n_apart = 0;
	const struct cli_opt opts[] = {
		{"policy", "FILE", "policy to add it to (its version is raised by one)", &path, NULL, 0},
		{"ids", "FIRST-LAST", "user and group numbers that are its own", &ids, NULL, 0},
		{"apart", "CLASS", "never at the same time as this one", apart, &n_apart, POLICY_MAX_CLASSES},
		{0},
	};
	int n = cli_options(argc, argv, "NAME", "declare a class, before the images that are of it", opts);
	cleanup_policy struct policy *p = NULL;
	struct policy_class c = {0};
	struct err e = ERR_INIT;
	int r;

	if (n < 0)
		return CLI_USAGE;
	if (n != 1 || !path || !ids || !ids_of(ids, &c.first_id, &c.last_id))
		return cli_usage(argv[0], "wants --policy, --ids FIRST-LAST and one NAME");
	c.name = argv[1];
	c.apart = (char **)(uintptr_t)apart; /* copied */
	c.n_apart = n_apart;
	r = policy_load_unverified(path, &p, &e);
	r = r ? r : policy_add_class(p, &c, &e);
	r = r ? r : policy_save(p, path, &e);
	if (r)
		return policy_cmd_exit(argv[0], r, &e);
	printf("%s is now version %llu; sign it next\n", path, (unsigned long long)p->version);
	return CLI_PASSED;
}
