/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/image_user.c - the numbers of a user that an image names by words */
#include "policy/image_user.h"

#include "common/hash.h"

#include <stdio.h>
#include <string.h>

#define PASSWD_FIELDS 7
#define GROUP_FIELDS  4
#define NO_ID         UINT32_MAX /* (uid_t)-1 means "no change" to the kernel */

/* struct file - one of the two: its name, how many fields a line has */
struct file {
	const char *name;
	size_t fields;
};

static const struct file passwd_file = {"/etc/passwd", PASSWD_FIELDS};
static const struct file group_file = {"/etc/group", GROUP_FIELDS};

/* struct span - bytes of somebody else's text */
struct span {
	const char *s;
	size_t n;
};

static bool same(struct span a, const char *b)
{
	return a.n == strlen(b) && !memcmp(a.s, b, a.n);
}

static bool is_number(const char *s)
{
	return *s >= '0' && *s <= '9';
}

/* Decimal digits only, below (uid_t)-1. */
static bool number_of(struct span s, uint32_t *ret)
{
	uint64_t v = 0;

	if (s.n == 0 || s.n > 10)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.s[i] < '0' || s.s[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(s.s[i] - '0');
	}
	if (v >= NO_ID)
		return false;
	*ret = (uint32_t)v;
	return true;
}

/* Cut @line at ':'. Return: it has exactly @want fields. */
static bool cut(struct span line, size_t want, struct span *ret)
{
	size_t n = 0;

	for (;;) {
		const char *colon = memchr(line.s, ':', line.n);
		size_t len = colon ? (size_t)(colon - line.s) : line.n;

		if (n == want)
			return false;
		ret[n++] = (struct span){line.s, len};
		if (!colon)
			return n == want;
		line.s += len + 1;
		line.n -= len + 1;
	}
}

/* struct found - what a search came to: the line's third field, and in passwd its fourth */
struct found {
	bool any;
	uint32_t id, group;
};

/* struct query - what is looked for: @name, or the number @id if it is NULL */
struct query {
	const struct file *file;
	const char *name;
	uint32_t id;
};

static int take_line(const struct query *q, struct span line, size_t number, struct found *ret, struct err *e)
{
	const struct file *f = q->file;
	struct span field[PASSWD_FIELDS];
	struct found here = {.any = true};

	if (!cut(line, f->fields, field) || field[0].n == 0 || !number_of(field[2], &here.id) ||
	    (f == &passwd_file && !number_of(field[3], &here.group)))
		return err_set(e, EINVAL, "%s of the image: line %zu is not %zu fields with numbers in their places",
			       f->name, number, f->fields);
	if (q->name ? !same(field[0], q->name) : here.id != q->id)
		return 0;
	if (ret->any && (ret->id != here.id || ret->group != here.group))
		return err_set(e, EINVAL, "%s of the image: line %zu says of %s what an earlier line says otherwise",
			       f->name, number, q->name ? q->name : "this number");
	*ret = here;
	return 0;
}

static int search(const struct query *q, const struct buf *b, struct found *ret, struct err *e)
{
	const char *s = b ? (const char *)b->data : NULL, *end = b && b->len ? s + b->len : s;
	int r = 0;

	if (b && b->len > POLICY_USER_MAX_FILE_BYTES)
		return err_set(e, EINVAL, "%s of the image has %zu bytes, wanted at most %d", q->file->name, b->len,
			       POLICY_USER_MAX_FILE_BYTES);
	if (b && b->len && memchr(b->data, '\0', b->len))
		return err_set(e, EINVAL, "%s of the image holds a NUL byte", q->file->name);
	for (size_t number = 1; !r && s < end; number++) {
		const char *newline = memchr(s, '\n', (size_t)(end - s));
		struct span line = {s, (size_t)((newline ? newline : end) - s)};

		if (line.n) /* empty ones are common at the end */
			r = take_line(q, line, number, ret, e);
		s = newline ? newline + 1 : end;
	}
	return r;
}

/* A name must be in @b. */
static int need(const struct file *f, const struct buf *b, const char *user, const char *name, struct found *ret,
		struct err *e)
{
	const struct query q = {f, name, 0};
	int r = search(&q, b, ret, e);

	if (r || ret->any)
		return r;
	return err_set(e, EINVAL, "user \"%.60s\": %s of the image %s \"%.60s\"; give it as UID:GID", user, f->name,
		       b ? "does not name" : "is missing, which would name", name);
}

/* "U:G" or "U" into two texts; @ret_group "" if there is none. */
static int split(const char *user, char ret_user[static POLICY_USER_MAX_NAME_BYTES + 1],
		 char ret_group[static POLICY_USER_MAX_NAME_BYTES + 1], struct err *e)
{
	size_t n = strcspn(user, ":");
	const char *group = user[n] ? user + n + 1 : "";

	if (n == 0 || n > POLICY_USER_MAX_NAME_BYTES || strlen(group) > POLICY_USER_MAX_NAME_BYTES ||
	    strchr(group, ':') || (user[n] && !*group))
		return err_set(e, EINVAL, "user \"%.60s\" is neither U nor U:G, each a number or a name", user);
	memcpy(ret_user, user, n);
	ret_user[n] = '\0';
	memcpy(ret_group, group, strlen(group) + 1);
	return 0;
}

static int number(const char *user, const char *s, uint32_t *ret, struct err *e)
{
	if (number_of((struct span){s, strlen(s)}, ret))
		return 0;
	return err_set(e, EINVAL, "user \"%.60s\": \"%.60s\" is no number below 4294967295, and no name begins with a digit",
		       user, s);
}

void policy_user_needs(const char *user, bool *ret_passwd, bool *ret_group)
{
	const char *group = strchr(user, ':');

	*ret_group = group && !is_number(group + 1);
	*ret_passwd = *user && (!is_number(user) || (!group && strcmp(user, "0") != 0));
}

/* The number of a user, and the group that is its own. */
static int resolve_user(const char *user, const char *name, bool wants_group, const struct buf *passwd,
			struct found *ret, struct err *e)
{
	struct query q = {.file = &passwd_file};
	int r;

	if (!is_number(name))
		return need(&passwd_file, passwd, user, name, ret, e);
	r = number(user, name, &ret->id, e);
	if (r || !wants_group || ret->id == 0)
		return r;
	q.id = ret->id;
	r = search(&q, passwd, ret, e);
	if (r || ret->any)
		return r;
	return err_set(e, EINVAL, "user \"%.60s\" has no group, and /etc/passwd of the image %s; give it as UID:GID", user,
		       passwd ? "does not name one" : "is missing, which would name one");
}

int policy_user_resolve(const char *user, const struct buf *passwd, const struct buf *group, uint32_t *ret_uid,
			uint32_t *ret_gid, struct err *e)
{
	char name[POLICY_USER_MAX_NAME_BYTES + 1] = "0", group_name[POLICY_USER_MAX_NAME_BYTES + 1] = "";
	struct found u = {0}, g = {0};
	int r = *user ? split(user, name, group_name, e) : 0;

	r = r ? r : resolve_user(user, name, !group_name[0], passwd, &u, e);
	if (r)
		return r;
	g.id = u.group;
	if (is_number(group_name))
		r = number(user, group_name, &g.id, e);
	else if (group_name[0])
		r = need(&group_file, group, user, group_name, &g, e);
	if (r)
		return r;
	*ret_uid = u.id;
	*ret_gid = g.id;
	return 0;
}
