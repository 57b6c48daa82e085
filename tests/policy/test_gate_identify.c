/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/policy/test_gate_identify.c - an entry is recognised by the layers mounted below its root, and by nothing like them */
#include "tests/common/check.h"

#include "common/file.h"
#include "policy/gate.h"

#include <sys/stat.h>
#include <unistd.h>

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

#define LAYER(h)            "{\"diff_id\":\"" h "\",\"root_hash\":\"" h "\",\"data_bytes\":4096}"
#define IMAGE(name, layers) "{\"name\":\"" name "\",\"class\":\"default\",\"manifest\":\"" A "\",\"config\":\"" A "\",\"layers\":[" layers "],"      \
			    "\"run\":{\"args\":[[\"/x\"]],\"exec\":[],\"env\":[],\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0},\"capabilities\":[]," \
			    "\"tmpfs\":[],\"network\":\"none\",\"seccomp\":\"default\"}}"

static const char policy_text[] = "{\"holdfast\":\"layer-policy/1\",\"name\":\"test\",\"version\":1,\"images\":["
	IMAGE("base", LAYER(A)) "," IMAGE("app", LAYER(A) "," LAYER(B)) "," IMAGE("twin", LAYER(C)) "," IMAGE("twin-2", LAYER(C)) "],\"revoked\":[]}";

static char dir[] = "/tmp/holdfast-identify-XXXXXX";
static struct policy *policy;

static int setup(void **state)
{
	static const char *const hashes[] = { A, B, C };
	struct err e = ERR_INIT;
	char path[256], link[256];

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/elsewhere", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/layers", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof(path), "%s/layers/%s", dir, hashes[i]);
		assert_int_equal(mkdir(path, 0700), 0);
		(void)snprintf(link, sizeof(link), "%s/%c", dir, hashes[i][0]); /* as a store names it */
		assert_int_equal(symlink(path, link), 0);
	}
	return policy_parse(policy_text, sizeof(policy_text) - 1, "policy.json", &policy, &e);
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	policy_free(policy);
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

/* The entry's name for a mountinfo in which @D is the test's folder, "" if none is found. */
static const char *identify(const char *lines, const char *root)
{
	const struct policy_image *image;
	char text[4096] = "", file[256], layers[256];
	struct err e = ERR_INIT;
	size_t n = 0;

	for (const char *s = lines; *s; s++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, *s == '@' ? "%s" : "%.1s", *s == '@' ? dir : s);
	(void)snprintf(file, sizeof(file), "%s/mountinfo", dir);
	(void)snprintf(layers, sizeof(layers), "%s/layers", dir);
	assert_ok(file_write(file, text, n, 0600, &e), &e);
	image = gate_identify(file, layers, policy, root);
	return image ? image->name : "";
}

#define LINE(point, type, options) "41 30 0:35 / " point " rw,relatime - " type " x " options "\n"

static void layers_below_the_root_name_the_entry(void **state)
{
	static const struct {
		const char *lines, *want;
	} cases[] = {
		{ LINE("/m", "overlay", "rw,lowerdir=@/a,upperdir=/u,workdir=/w"), "base" },
		{ LINE("/m", "overlay", "rw,lowerdir=@/b:@/a,upperdir=/u,workdir=/w"), "app" },
		{ LINE("/m", "overlay", "rw,lowerdir+=@/b,lowerdir+=@/a,upperdir=/u,workdir=/w"), "app" },
		{ LINE("/other", "overlay", "rw,lowerdir=@/a") LINE("/m", "overlay", "rw,lowerdir=@/b:@/a"), "app" },
		/* another order, one too few, one too many, one that is none, one twice */
		{ LINE("/m", "overlay", "rw,lowerdir=@/a:@/b"), "" },
		{ LINE("/m", "overlay", "rw,lowerdir=@/b"), "" },
		{ LINE("/m", "overlay", "rw,lowerdir=@/c:@/b:@/a"), "" },
		{ LINE("/m", "overlay", "rw,lowerdir=@/elsewhere:@/a"), "" },
		{ LINE("/m", "overlay", "rw,lowerdir=@/absent:@/a"), "" },
		{ LINE("/m", "overlay", "rw,lowerdir=@/layers"), "" },
		{ LINE("/m", "overlay", "rw,lowerdir=@/a:@/a"), "" },
		/* two entries have them */
		{ LINE("/m", "overlay", "rw,lowerdir=@/c"), "" },
		/* something else was mounted over it, or beside it; or no overlay at all */
		{ LINE("/m", "overlay", "rw,lowerdir=@/a") LINE("/m", "tmpfs", "rw"), "" },
		{ LINE("/m", "tmpfs", "rw") LINE("/m", "overlay", "rw,lowerdir=@/a"), "base" },
		{ LINE("/mm", "overlay", "rw,lowerdir=@/a"), "" },
		{ LINE("/m", "tmpfs", "rw,lowerdir=@/a"), "" },
		{ "41 30 0:35 / /m\n", "" },
		{ "\n - \n41 - overlay\n", "" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (strcmp(identify(cases[i].lines, "/m"), cases[i].want))
			fail_msg("%s: \"%s\", wanted \"%s\"", cases[i].lines, identify(cases[i].lines, "/m"), cases[i].want);
}

static void without_a_list_of_mounts_nothing_is_named(void **state)
{
	(void)state;
	assert_null(gate_identify("/nonexistent/mountinfo", dir, policy, "/m"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layers_below_the_root_name_the_entry),
		cmocka_unit_test(without_a_list_of_mounts_nothing_is_named),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
