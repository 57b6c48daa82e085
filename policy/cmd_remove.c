/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/cmd_remove.c - holdfast-policy remove and revoke: take something out */
#include "policy/cmd.h"

#include "common/cli.h"
#include "common/hex.h"
#include "policy/policy_edit.h"
#include "policy/policy_write.h"

#include <string.h>

static int finish(const char *verb, const struct policy *p, const char *path, int r, struct err *e)
{
	r = r ? r : policy_save(p, path, e);
	if (r)
		return r == -ENOENT ? cli_fail(CLI_BAD, verb, e) : policy_cmd_exit(verb, r, e);
	printf("%s is now version %llu; sign it next\n", path, (unsigned long long)p->version);
	return CLI_PASSED;
}

int policy_cmd_remove(int argc, char **argv)
{
	const char *path = NULL;
	const struct cli_opt opts[] = {
		{"policy", "FILE", "policy to take it from (its version is raised by one)", &path, NULL, 0},
		{0},
	};
	int n = cli_options(argc, argv, "NAME", "take an image's entry out; its layers stay signed (see revoke)", opts);
	cleanup_policy struct policy *p = NULL;
	struct err e = ERR_INIT;
	int r;

	if (n < 0)
		return CLI_USAGE;
	if (n != 1 || !path)
		return cli_usage(argv[0], "wants --policy and one NAME");
	r = policy_load_unverified(path, &p, &e);
	if (r)
		return policy_cmd_exit(argv[0], r, &e);
	return finish(argv[0], p, path, policy_remove_image(p, argv[1], &e), &e);
}

/* The entry and its layers, but those that another image has too. */
static int revoke_image(struct policy *p, const char *name, struct err *e)
{
	const struct policy_image *i = policy_image_find(p, name);
	uint8_t hash[POLICY_MAX_LAYERS][HASH_SHA256_BYTES];
	size_t n = i ? i->n_layers : 0, gone = 0;
	int r;

	for (size_t k = 0; k < n; k++)
		memcpy(hash[k], i->layer[k].root_hash, HASH_SHA256_BYTES);
	r = policy_remove_image(p, name, e);
	for (size_t k = 0; !r && k < n; k++) {
		char hex[2 * HASH_SHA256_BYTES + 1];

		r = policy_revoke(p, hash[k], e);
		gone += !r;
		hex_encode(hash[k], HASH_SHA256_BYTES, hex);
		if (r == -EEXIST || r == -EINVAL) { /* it stays: another image's, or revoked before */
			printf("not revoked: %s\n", e->msg);
			r = 0;
		} else if (!r) {
			printf("revoked layer %s\n", hex);
		}
	}
	if (!r && !gone)
		r = err_set(e, EINVAL, "no layer of \"%.64s\" is its own: nothing to revoke", name);
	return r;
}

static int revoke_one(struct policy *p, const char *what, bool image, struct err *e)
{
	uint8_t hash[HASH_SHA256_BYTES];

	if (image)
		return revoke_image(p, what, e);
	if (strlen(what) != 2 * sizeof(hash) || !hex_decode(what, hash, sizeof(hash)))
		return err_set(e, EINVAL, "\"%.80s\" is no root hash: wanted 64 lower-case hex digits", what);
	return policy_revoke(p, hash, e);
}

int policy_cmd_revoke(int argc, char **argv)
{
	const char *path = NULL;
	int image = 0;
	const struct cli_opt opts[] = {
		{"policy", "FILE", "policy to write it into (its version is raised)", &path, NULL, 0},
		{"image", NULL, "operands are images: remove their entries, revoke the layers that no other image has",
		 &image, NULL, 0},
		{0},
	};
	int n = cli_options(argc, argv, "ROOT-HASH...", "forbid layers for ever: gate and kernel refuse them", opts);
	cleanup_policy struct policy *p = NULL;
	struct err e = ERR_INIT;
	int r;

	if (n < 0)
		return CLI_USAGE;
	if (n < 1 || !path)
		return cli_usage(argv[0], "wants --policy and at least one ROOT-HASH (or --image and a NAME)");
	r = policy_load_unverified(path, &p, &e);
	if (r)
		return policy_cmd_exit(argv[0], r, &e);
	for (int i = 1; !r && i <= n; i++)
		r = revoke_one(p, argv[i], image, &e);
	return finish(argv[0], p, path, r, &e);
}
