/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* common/deb_version.c - versions of Debian packages: are two words such, and which is the newer */
#include "common/deb_version.h"

#include <stddef.h>
#include <string.h>

#define MAX_EPOCH_DIGITS 9 /* dpkg: an int */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A version in parts; views into its text. */
struct parts {
	const char *epoch, *upstream, *revision;
	size_t epoch_bytes, upstream_bytes, revision_bytes;
};

static struct parts split(const char *v)
{
	const char *colon = strchr(v, ':'), *dash = strrchr(v, '-'), *end = v + strlen(v);
	struct parts p = {.epoch = v, .epoch_bytes = colon ? (size_t)(colon - v) : 0};

	p.upstream = colon ? colon + 1 : v;
	if (dash && dash < p.upstream)
		dash = NULL;
	p.upstream_bytes = (size_t)((dash ? dash : end) - p.upstream);
	p.revision = dash ? dash + 1 : end;
	p.revision_bytes = (size_t)(end - p.revision);
	return p;
}

static bool all_of(const char *p, size_t n, const char *beside)
{
	for (size_t i = 0; i < n; i++)
		if (!is_digit(p[i]) && !is_letter(p[i]) && !strchr(beside, p[i]))
			return false;
	return true;
}

bool deb_version_is_valid(const char *v)
{
	const size_t n = strlen(v);
	struct parts p;

	if (!n || n > DEB_VERSION_MAX_BYTES)
		return false;
	p = split(v);
	if (p.epoch_bytes > MAX_EPOCH_DIGITS || (p.upstream != v && !p.epoch_bytes))
		return false;
	for (size_t i = 0; i < p.epoch_bytes; i++)
		if (!is_digit(p.epoch[i]))
			return false;
	if (!p.upstream_bytes || !is_digit(*p.upstream) || !all_of(p.upstream, p.upstream_bytes, ".+-~:"))
		return false;
	return all_of(p.revision, p.revision_bytes, ".+~") &&
	       (p.revision_bytes || p.upstream[p.upstream_bytes] == '\0');
}

/* Where a letter stands among others: `~`, the end (and digits, which end the piece), letters, the rest. */
static int order(const char *p, size_t n)
{
	if (!n || is_digit(*p))
		return 0;
	if (*p == '~')
		return -1;
	return is_letter(*p) ? *p : *p + 256;
}

static size_t digits(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && is_digit(p[i]))
		i++;
	return i;
}

/* Two numbers of any length. */
static int compare_numbers(const char *a, size_t n, const char *b, size_t m)
{
	while (n && *a == '0')
		a++, n--;
	while (m && *b == '0')
		b++, m--;
	if (n != m)
		return n < m ? -1 : 1;
	return n ? memcmp(a, b, n) : 0;
}

/* Upstream or revision, piece by piece. */
static int compare_words(const char *a, size_t n, const char *b, size_t m)
{
	while (n || m) {
		size_t i, j;
		int c;

		while ((n && !is_digit(*a)) || (m && !is_digit(*b))) {
			c = order(a, n) - order(b, m);
			if (c)
				return c;
			a++, n--; /* equal and not both ended: neither has */
			b++, m--;
		}
		i = digits(a, n);
		j = digits(b, m);
		c = compare_numbers(a, i, b, j);
		if (c)
			return c;
		a += i, n -= i;
		b += j, m -= j;
	}
	return 0;
}

int deb_version_compare(const char *a, const char *b)
{
	const struct parts x = split(a), y = split(b);
	int c = compare_numbers(x.epoch, x.epoch_bytes, y.epoch, y.epoch_bytes);

	if (!c)
		c = compare_words(x.upstream, x.upstream_bytes, y.upstream, y.upstream_bytes);
	return c ? c : compare_words(x.revision, x.revision_bytes, y.revision, y.revision_bytes);
}

bool deb_name_is_valid(const char *name)
{
	const size_t n = strlen(name);

	if (n < 2 || n > DEB_NAME_MAX_BYTES || !((*name >= 'a' && *name <= 'z') || is_digit(*name)))
		return false;
	for (size_t i = 1; i < n; i++)
		if (!(name[i] >= 'a' && name[i] <= 'z') && !is_digit(name[i]) && !strchr("+-.", name[i]))
			return false;
	return true;
}
