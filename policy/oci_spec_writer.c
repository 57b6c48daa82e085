/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/oci_spec_writer.c - JSON text, written in order into a buf */
#include "policy/oci_spec_writer.h"

#include <inttypes.h>
#include <string.h>

static void put_text(struct buf *out, const char *s)
{
	buf_u8(out, '"');
	for (; *s; s++) {
		uint8_t c = (uint8_t)*s;

		if (c == '"' || c == '\\') {
			buf_u8(out, '\\');
			buf_u8(out, c);
		} else if (c < 0x20) {
			buf_printf(out, "\\u%04x", c);
		} else {
			buf_u8(out, c);
		}
	}
	buf_u8(out, '"');
}

/* The comma, unless this is the first thing in what was opened, and the key. */
static void begin(struct buf *out, const char *key)
{
	if (out->len && !strchr("{[:", out->data[out->len - 1]))
		buf_u8(out, ',');
	if (!key)
		return;
	put_text(out, key);
	buf_u8(out, ':');
}

void oci_spec_open(struct buf *out, const char *key, char bracket)
{
	begin(out, key);
	buf_u8(out, (uint8_t)bracket);
}

void oci_spec_close(struct buf *out, char bracket)
{
	buf_u8(out, (uint8_t)bracket);
}

void oci_spec_put_str(struct buf *out, const char *key, const char *value)
{
	begin(out, key);
	put_text(out, value);
}

void oci_spec_put_bool(struct buf *out, const char *key, bool value)
{
	begin(out, key);
	buf_str(out, value ? "true" : "false");
}

void oci_spec_put_i64(struct buf *out, const char *key, int64_t value)
{
	begin(out, key);
	buf_printf(out, "%" PRId64, value);
}

void oci_spec_put_u64(struct buf *out, const char *key, uint64_t value)
{
	begin(out, key);
	buf_printf(out, "%" PRIu64, value);
}

void oci_spec_put_strv(struct buf *out, const char *key, const char *const *values)
{
	oci_spec_open(out, key, '[');
	for (; *values; values++)
		oci_spec_put_str(out, NULL, *values);
	oci_spec_close(out, ']');
}
