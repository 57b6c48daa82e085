/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/policy/archive_make.h - an archive in the form of `docker save`, from a short text (tests/data/oci-archive)
 *
 * The text is cut at 0xff: manifest.json, the configuration (c.json), then lines "TPATH LINK" for further members of type
 * T ('0' file, its content "x"; '1' hard link, '2' symbolic link, '5' folder). A part that is empty is not in the archive.
 */
#ifndef TESTS_POLICY_ARCHIVE_MAKE_H
#define TESTS_POLICY_ARCHIVE_MAKE_H

#include "tests/policy/tar_make.h"

static inline void archive_put_text(struct buf *tar, const char *name, const char *text)
{
	if (*text)
		tar_put(tar, &(struct tar_entry){.name = name, .content = text});
}

static inline void archive_put_lines(struct buf *tar, char *text)
{
	for (char *save = NULL, *s = strtok_r(text, "\n", &save); s; s = strtok_r(NULL, "\n", &save)) {
		char *link = strchr(s, ' ');
		struct tar_entry t = {.name = s + 1, .type = s[0], .link = "", .content = s[0] == '0' ? "x" : NULL};

		if (link)
			*link = '\0';
		t.link = link ? link + 1 : "";
		if (strchr("0125", t.type) && strlen(t.name) <= 100 && strlen(t.link) <= 100)
			tar_put(tar, &t);
	}
}

/* @text is a NUL-terminated string, cut in place. Return: it has three parts. */
static inline int archive_make(char *text, struct buf *ret)
{
	char *part[3] = {text, NULL, NULL};
	size_t n = 1;

	for (char *s = text; *s && n < 3; s++)
		if (*s == '\xff') {
			*s = '\0';
			part[n++] = s + 1;
		}
	if (n < 3)
		return 0;
	archive_put_text(ret, "manifest.json", part[0]);
	archive_put_text(ret, "c.json", part[1]);
	archive_put_lines(ret, part[2]);
	tar_end(ret);
	return 1;
}

#endif
