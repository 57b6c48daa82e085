/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* common/cmdline.c - what PID 1 and the gate take from the kernel command line */
#include "common/cmdline.h"

#include "common/hex.h"
#include "common/reader.h"

#include <stdbool.h>
#include <string.h>

/* One word of the command line; not NUL-terminated. */
struct word {
	const char *p;
	size_t n;
};

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* Next word, quotes included. Kernel: lib/cmdline.c, next_arg(). */
static bool next_word(struct reader *r, struct word *ret)
{
	bool quoted = false;

	while (r->left && is_blank(*r->p))
		(void)reader_u8(r);
	ret->p = (const char *)r->p;
	for (ret->n = 0; r->left && (quoted || !is_blank(*r->p)); ret->n++)
		if (reader_u8(r) == '"')
			quoted = !quoted;
	return ret->n > 0;
}

/* If @w is "<key><value>" copy the value, NUL-terminated, to @ret; a second time is refused. */
static int take(const struct word *w, const char *key, char *ret, size_t room, struct err *e)
{
	size_t k = strlen(key);

	if (w->n < k || memcmp(w->p, key, k) != 0)
		return 0;
	if (*ret)
		return err_set(e, EINVAL, "kernel command line: \"%s\" stands there twice", key);
	if (w->n == k || w->n - k >= room)
		return err_set(e, EINVAL,
			       "kernel command line: the value of \"%s\" has %zu characters, wanted 1 to %zu", key,
			       w->n - k, room - 1);
	memcpy(ret, w->p + k, w->n - k);
	ret[w->n - k] = '\0';
	return 0;
}

static const char *const words[] = { "unset", "enforce", "enforce-jit", "audit", "direct" };
_Static_assert(ARRAY_SIZE(words) == CMDLINE_PROFILES_, "one word a profile");

const char *cmdline_profile_str(enum cmdline_profile profile)
{
	return words[profile];
}

int cmdline_parse(const char *text, size_t len, struct cmdline *ret, struct err *e)
{
	char hash[2 * HASH_SHA256_BYTES + 1] = "", profile[16] = "";
	struct cmdline out = { 0 };
	struct reader r = reader_init(text, len);
	struct word w;

	while (next_word(&r, &w)) {
		int rc = take(&w, "roothash=", hash, sizeof(hash), e);

		if (!rc)
			rc = take(&w, "holdfast.profile=", profile, sizeof(profile), e);
		if (rc)
			return rc;
	}
	if (!*hash || !*profile)
		return err_set(e, EINVAL, "kernel command line: \"%s\" is missing",
			       *hash ? "holdfast.profile=" : "roothash=");
	if (!hex_decode(hash, out.root_hash, sizeof(out.root_hash)))
		return err_set(e, EINVAL, "kernel command line: roothash=%s, wanted 64 lower-case hex digits", hash);
	for (int i = CMDLINE_UNSET + 1; i < CMDLINE_PROFILES_; i++)
		if (!strcmp(profile, words[i]))
			out.profile = (enum cmdline_profile)i;
	if (!out.profile)
		return err_set(e, EINVAL, "kernel command line: holdfast.profile=%s, wanted enforce, enforce-jit, audit or direct",
			       profile);
	*ret = out;
	return 0;
}
