/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/policy/tar_make.h - tars written field by field, right or wrong on purpose */
#ifndef TESTS_POLICY_TAR_MAKE_H
#define TESTS_POLICY_TAR_MAKE_H

#include "common/buf.h"

#include <stdio.h>
#include <string.h>

/*
 * struct tar_entry - zero is a plain choice: a regular empty file, mode 0644
 * @content: its text; @size (as octal digits) lies about it if set
 * @patch:   "offset" and a byte to put there after all else, the checksum made to fit unless @bad_sum
 */
struct tar_entry {
	const char *name;
	char type; /* 0: '0' */
	const char *content;
	const char *link;
	const char *size;
	const char *mode;
	const char *prefix;
	int gnu;
	int bad_sum;
	int patch_at;
	char patch;
};

static inline void tar_put(struct buf *b, const struct tar_entry *t)
{
	char h[512] = {0};
	size_t n = t->content ? strlen(t->content) : 0;
	unsigned sum = 0;

	(void)strncpy(h, t->name ? t->name : "", 100);
	(void)strcpy(h + 100, t->mode ? t->mode : "0000644");
	(void)strcpy(h + 108, "0000000");
	(void)strcpy(h + 116, "0000000");
	if (t->size)
		(void)strncpy(h + 124, t->size, 12);
	else
		(void)sprintf(h + 124, "%011o", (unsigned)n);
	(void)strcpy(h + 136, "00000001750");
	h[156] = t->type ? t->type : '0';
	(void)strncpy(h + 157, t->link ? t->link : "", 100);
	memcpy(h + 257, t->gnu ? "ustar  \0" : "ustar\00000", 8);
	(void)strncpy(h + 345, t->prefix ? t->prefix : "", 155);
	if (t->patch_at)
		h[t->patch_at] = t->patch;
	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		sum += (unsigned char)h[i];
	(void)sprintf(h + 148, "%06o", sum + (t->bad_sum ? 1 : 0));
	buf_put(b, h, 512);
	if (n) {
		buf_put(b, t->content, n);
		buf_pad(b, 512);
	}
}

static inline void tar_end(struct buf *b)
{
	buf_zero(b, 1024);
}

/* One pax header before the next member; @records is "key=value\n" without the length. Several lines, several records.
 */
static inline void tar_pax(struct buf *b, char type, const char *records)
{
	char text[4096] = "";

	for (const char *s = records; *s; s = strchr(s, '\n') + 1) {
		size_t body = (size_t)(strchr(s, '\n') + 1 - s), len = body + 2;

		for (int again = 0; again < 3; again++) /* the length counts itself */
			len = body + 1 + (size_t)snprintf(NULL, 0, "%zu", len);
		(void)sprintf(text + strlen(text), "%zu %.*s", len, (int)body, s);
	}
	tar_put(b, &(struct tar_entry){.name = "PaxHeaders/x", .type = type, .content = text});
}

#endif
