/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/fuzz/fuzz_image_user.c - names of users, found in an image's files
 *
 * The input is cut at 0xff: the user, /etc/passwd, /etc/group, as texts. What is believed must be written as two numbers
 * that resolve to themselves, whatever the files say.
 */
#include "policy/image_user.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *one = memchr(data, 0xff, size);
	const uint8_t *two = one ? memchr(one + 1, 0xff, size - (size_t)(one + 1 - data)) : NULL;
	cleanup_buf struct buf passwd = BUF_INIT;
	cleanup_buf struct buf group = BUF_INIT;
	char user[256], numbers[64];
	uint32_t uid, gid, uid2, gid2;
	struct err e = ERR_INIT;

	if (!two || one - data >= (long)sizeof(user))
		return 0;
	memcpy(user, data, (size_t)(one - data));
	user[one - data] = '\0';
	buf_put(&passwd, one + 1, (size_t)(two - one - 1));
	buf_put(&group, two + 1, size - (size_t)(two + 1 - data));
	if (policy_user_resolve(user, &passwd, group.len ? &group : NULL, &uid, &gid, &e))
		return 0;
	(void)snprintf(numbers, sizeof(numbers), "%u:%u", uid, gid);
	if (policy_user_resolve(numbers, NULL, NULL, &uid2, &gid2, &e) || uid != uid2 || gid != gid2)
		abort();
	return 0;
}
