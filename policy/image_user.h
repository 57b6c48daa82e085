/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/image_user.h - the numbers of a user that an image names by words
 *
 * Theory of operation
 *   An image says "nginx", "nginx:www", "1000:nginx". What these mean stands in the image's own /etc/passwd and
 *   /etc/group, which whoever runs the container must not be asked about: they are read when the entry is made, from
 *   the layers that are being signed, and the policy holds numbers. A name that stands there twice with different
 *   numbers is refused: two programs would take different ones.
 *
 *   The container gets the one group; supplementary groups of /etc/group are not given (docs/formats/gate.md).
 *
 * Input: hostile. Runs as: build machine.
 * Spec: OCI image specification 1.1, config.md "User"; passwd(5), group(5).
 */
#ifndef POLICY_IMAGE_USER_H
#define POLICY_IMAGE_USER_H

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/err.h"

#include <stdbool.h>
#include <stdint.h>

#define POLICY_USER_MAX_FILE_BYTES (1 << 20)
#define POLICY_USER_MAX_NAME_BYTES 64

/** policy_user_needs() - which of the two files must be looked at for @user. */
void policy_user_needs(const char *user, bool *ret_passwd, bool *ret_group);

/**
 * policy_user_resolve() - numbers of @user
 * @user:   "", U or U:G; each a number or a name
 * @passwd: the image's file, NULL if it has none; likewise @group
 *
 * "" is 0:0, "0" too. A user without a group gets that of its line in @passwd.
 * Return: 0; -EINVAL not of that form, not found, ambiguous, or a line that is none (with its number); nothing is
 * written then.
 */
int policy_user_resolve(const char *user, const struct buf *passwd, const struct buf *group, uint32_t *ret_uid,
			uint32_t *ret_gid, struct err *e) WARN_UNUSED;

#endif
