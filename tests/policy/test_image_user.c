/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/policy/test_image_user.c - names of users to numbers, by the image's own files */
#include "tests/policy/owner.h"

#include "policy/image_user.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "\n"
			     "nginx:x:101:102:nginx user,,,:/nonexistent:/bin/false\n"
			     "twin:x:7:8::/:\n"
			     "twin:x:7:8:again:/:\n"
			     "torn:x:9:9::/:\n"
			     "torn:x:9:10::/:\n"
			     "last:x:4294967294:55::/:"; /* without a newline */
static const char group[] = "root:x:0:\nwww:x:33:nginx,last\ntorn:x:1:\ntorn:x:2:\n";

static struct buf text(const char *s)
{
	return (struct buf){.data = (uint8_t *)(uintptr_t)s, .len = strlen(s)};
}

static void names_become_the_numbers_of_the_image(void **state)
{
	static const struct {
		const char *user;
		uint32_t uid, gid;
	} good[] = {
		{"", 0, 0},	       {"0", 0, 0},	       {"nginx", 101, 102},      {"nginx:www", 101, 33},
		{"1000:www", 1000, 33}, {"1000:1001", 1000, 1001}, {"101", 101, 102},    {"nginx:7", 101, 7},
		{"twin", 7, 8},	       {"last", 4294967294u, 55}, {"root:root", 0, 0},
	};
	const struct buf p = text(passwd), g = text(group);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		uint32_t uid = 1, gid = 1;
		struct err e = ERR_INIT;

		assert_ok(policy_user_resolve(good[i].user, &p, &g, &uid, &gid, &e), &e);
		assert_int_equal(uid, good[i].uid);
		assert_int_equal(gid, good[i].gid);
	}
}

static void what_is_not_clear_is_refused(void **state)
{
	static const struct {
		const char *user, *passwd, *group, *part;
	} bad[] = {
		{"nobody", passwd, group, "/etc/passwd of the image does not name \"nobody\"; give it as UID:GID"},
		{"nginx", NULL, group, "/etc/passwd of the image is missing"},
		{"nginx:wheel", passwd, group, "/etc/group of the image does not name \"wheel\""},
		{"1:www", passwd, NULL, "/etc/group of the image is missing"},
		{"33", NULL, NULL, "user \"33\" has no group, and /etc/passwd of the image is missing"},
		{"33", passwd, NULL, "user \"33\" has no group, and /etc/passwd of the image does not"},
		{"torn", passwd, group, "line 7 says of torn what an earlier line says otherwise"},
		{"9", passwd, group, "line 7 says of this number what an earlier line says otherwise"},
		{"1:torn", passwd, group, "/etc/group of the image: line 4 says of torn"},
		{":www", passwd, group, "is neither U nor U:G"},
		{"nginx:", passwd, group, "is neither U nor U:G"},
		{"1:2:3", passwd, group, "is neither U nor U:G"},
		{"-1:0", passwd, group, "does not name \"-1\""},
		{"1:4294967295", passwd, group, "is no number below 4294967295"},
		{"4294967296:0", passwd, group, "is no number below 4294967295"},
		{"1x:0", passwd, group, "no name begins with a digit"},
		{"nginx", "nginx:x:101:102:::/bin/sh:\n", group, "line 1 is not 7 fields"},
		{"nginx", "a:x:1\nnginx:x:101:102:::\n", group, "line 1 is not 7 fields"},
		{"nginx", "nginx:x:101:102:::\n+::::::\n", group, "line 2 is not 7 fields with numbers"},
		{"nginx", "nginx:x:-1:102:::\n", group, "line 1 is not 7 fields with numbers"},
		{"nginx", "nginx:x:1:4294967295:::\n", group, "line 1 is not 7 fields with numbers"},
		{":", "::0:0:::\n", group, "is neither U nor U:G"},
		{"1:www", passwd, "www:x:33\n", "line 1 is not 4 fields"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const struct buf p = text(bad[i].passwd ? bad[i].passwd : ""), g = text(bad[i].group ? bad[i].group : "");
		uint32_t uid = 77, gid = 78;
		struct err e = ERR_INIT;

		assert_refused(policy_user_resolve(bad[i].user, bad[i].passwd ? &p : NULL, bad[i].group ? &g : NULL, &uid,
						   &gid, &e),
			       &e, EINVAL, bad[i].part);
		assert_int_equal(uid, 77);
		assert_int_equal(gid, 78);
	}
}

static void bytes_that_are_no_text_are_refused(void **state)
{
	static const char nul[] = "nginx:x:1:2:::\n\0nginx:x:0:0:::\n";
	struct buf p = {.data = (uint8_t *)(uintptr_t)nul, .len = sizeof(nul) - 1};
	cleanup_buf struct buf big = BUF_INIT;
	uint32_t uid, gid;
	struct err e = ERR_INIT;

	(void)state;
	assert_refused(policy_user_resolve("nginx", &p, NULL, &uid, &gid, &e), &e, EINVAL, "holds a NUL byte");
	while (big.len <= POLICY_USER_MAX_FILE_BYTES)
		buf_put(&big, passwd, 30); /* root's line */
	assert_refused(policy_user_resolve("root", &big, NULL, &uid, &gid, &e), &e, EINVAL, "wanted at most 1048576");
	big.len = 30 * (POLICY_USER_MAX_FILE_BYTES / 30);
	assert_ok(policy_user_resolve("root", &big, NULL, &uid, &gid, &e), &e);
}

static void files_are_asked_for_only_when_needed(void **state)
{
	static const struct {
		const char *user;
		bool passwd, group;
	} want[] = {
		{"", false, false},	 {"0", false, false},	{"1:2", false, false}, {"1", true, false},
		{"nginx", true, false}, {"1:www", false, true}, {"a:b", true, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		bool p = !want[i].passwd, g = !want[i].group;

		policy_user_needs(want[i].user, &p, &g);
		assert_int_equal(p, want[i].passwd);
		assert_int_equal(g, want[i].group);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_become_the_numbers_of_the_image),
		cmocka_unit_test(what_is_not_clear_is_refused),
		cmocka_unit_test(bytes_that_are_no_text_are_refused),
		cmocka_unit_test(files_are_asked_for_only_when_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
