/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/lastfail.c - the last failure, as it outlives the boot it ended: its bytes, and what a kernel's log says */
#include "init/lastfail.h"

#include "common/codes.h"
#include "common/hex.h"
#include "common/reader.h"

#include <stdio.h>
#include <string.h>

#define MAGIC   "HFLF"
#define VERSION 1

static void put16(uint8_t *at, unsigned v)
{
	at[0] = (uint8_t)v;
	at[1] = (uint8_t)(v >> 8);
}

static void put32(uint8_t *at, uint32_t v)
{
	put16(at, v & 0xffff);
	put16(at + 2, v >> 16);
}

/* A NUL stays behind it, and nothing but NULs. */
static void put_text(uint8_t *at, const char *text, size_t room)
{
	for (size_t i = 0; i < room - 1 && text[i]; i++)
		at[i] = text[i] < ' ' || text[i] > '~' ? '?' : (uint8_t)text[i];
}

void pid1_lastfail_encode(const struct pid1_lastfail *f, uint8_t ret[static LASTFAIL_FILE_BYTES])
{
	uint8_t *at = ret + 4;

	memset(ret, 0, LASTFAIL_FILE_BYTES);
	put32(ret, LASTFAIL_ATTRIBUTES);
	memcpy(at, MAGIC, 4);
	put16(at + 4, VERSION);
	put16(at + 6, LASTFAIL_BYTES);
	put16(at + 8, f->code);
	at[10] = (uint8_t)f->source;
	put32(at + 12, f->in_a_row);
	memcpy(at + 16, f->slot, sizeof(f->slot));
	put_text(at + 48, f->stage, sizeof(f->stage));
	put_text(at + 72, f->version, sizeof(f->version));
	put_text(at + 96, f->text, sizeof(f->text));
}

/* Printable ASCII, then NULs to the end, at least one. */
static int get_text(struct reader *r, const char *field, char *ret, size_t room, struct err *e)
{
	size_t at = reader_offset(r), n;

	reader_copy(r, ret, room);
	n = strnlen(ret, room);
	if (n == room)
		return err_set(e, EBADMSG, "%s at byte %zu has no end", field, at);
	for (size_t i = 0; i < room; i++)
		if (i < n ? ret[i] < ' ' || ret[i] > '~' : ret[i] != 0)
			return err_set(e, EBADMSG, "%s at byte %zu: byte %zu of it is 0x%02x, wanted %s", field, at, i,
				       (unsigned)(uint8_t)ret[i], i < n ? "printable ASCII" : "NUL");
	return 0;
}

/* Code, source and number must say one thing together. */
static int check_meaning(const struct pid1_lastfail *f, unsigned source, struct err *e)
{
	bool none = source == LASTFAIL_NONE;

	if (source > LASTFAIL_KERNEL)
		return err_set(e, EBADMSG, "source %u, wanted 0 to %d", source, LASTFAIL_KERNEL);
	if (none != (f->code == 0) || (!none && !f->in_a_row)) /* without a code it is how many there were */
		return err_set(e, EBADMSG, "source %u with code %u and %u failure(s): all or none may be 0", source, f->code,
			       f->in_a_row);
	if (f->code && !code_is_known(f->code))
		return err_set(e, EBADMSG, "code %u is none of ours", f->code);
	return 0;
}

int pid1_lastfail_parse(const void *bytes, size_t len, struct pid1_lastfail *ret, struct err *e)
{
	struct reader r = reader_init(bytes, len);
	struct pid1_lastfail f = { 0 };
	char magic[4];
	unsigned version, size, source, zero;
	uint32_t attributes;
	int rc;

	if (len != LASTFAIL_FILE_BYTES)
		return err_set(e, EBADMSG, "%zu bytes with the attributes, wanted %d", len, LASTFAIL_FILE_BYTES);
	attributes = reader_u32le(&r);
	if (attributes != LASTFAIL_ATTRIBUTES)
		return err_set(e, EBADMSG, "attributes 0x%x, wanted 0x%x", (unsigned)attributes, LASTFAIL_ATTRIBUTES);
	reader_copy(&r, magic, sizeof(magic));
	version = reader_u16le(&r);
	size = reader_u16le(&r);
	f.code = reader_u16le(&r);
	source = reader_u8(&r);
	zero = reader_u8(&r);
	f.in_a_row = reader_u32le(&r);
	reader_copy(&r, f.slot, sizeof(f.slot));
	if (memcmp(magic, MAGIC, sizeof(magic)) || version != VERSION || size != LASTFAIL_BYTES || zero)
		return err_set(e, EBADMSG, "no " MAGIC " record of version %d and %d bytes", VERSION, LASTFAIL_BYTES);
	rc = get_text(&r, "stage", f.stage, sizeof(f.stage), e);
	rc = rc ? rc : get_text(&r, "version", f.version, sizeof(f.version), e);
	rc = rc ? rc : get_text(&r, "text", f.text, sizeof(f.text), e);
	rc = rc ? rc : check_meaning(&f, source, e);
	if (rc)
		return rc;
	if (!reader_done(&r))
		return err_set(e, EBADMSG, "bytes are left behind the record");
	f.source = (enum pid1_lastfail_source)source;
	*ret = f;
	return 0;
}

/* --- a kernel's log ------------------------------------------------------------------------------------------------ */

#define OURS         "holdfast: "
#define VERITY       "device-mapper: verity: "
#define PANIC        "Kernel panic - not syncing: "
#define CORRUPTED    "dm-verity device corrupted"
#define IO_ERROR     "dm-verity device has I/O error"
#define BLOCK_ERROR  "I/O error, dev "
#define ROOT_HASH    OURS "command-line: root hash "
#define MAX_LOG_LINE 512

/* Does what is weightier have a higher number? A refusal is followed by nothing, a corruption by its own panic. */
static unsigned weight(unsigned code)
{
	if (code == CODE_CORRUPTION || code == CODE_IO_ERROR)
		return 3;
	return code == CODE_KERNEL_PANIC ? 1 : code != 0 ? 2 : 0;
}

static void say(struct pid1_lastfail *io, unsigned code, const char *text)
{
	if (weight(code) < weight(io->code))
		return;
	io->code = code;
	io->source = LASTFAIL_KERNEL;
	(void)snprintf(io->text, sizeof(io->text), "%s", text); /* cut is fine */
}

/* "holdfast: E19 <text>" or "holdfast: <stage>: <fact>". @us: when it was said */
static void our_line(const char *line, uint64_t us, struct pid1_lastfail *io)
{
	const char *rest = line + strlen(OURS), *colon = strstr(rest, ": ");
	unsigned code = 0;
	char blank;

	if (sscanf(rest, "E%2u%c", &code, &blank) == 2 && blank == ' ' && code_is_known(code)) {
		say(io, code, rest);
		return;
	}
	if (!strcmp(rest, "ready"))
		io->was_ready = true;
	if (!strncmp(line, ROOT_HASH, strlen(ROOT_HASH))) {
		char hex[2 * HASH_SHA256_BYTES + 1];

		(void)snprintf(hex, sizeof(hex), "%s", line + strlen(ROOT_HASH)); /* cut is what is wanted */
		if (!hex_decode(hex, io->slot, sizeof(io->slot)))
			memset(io->slot, 0, sizeof(io->slot));
	}
	if (us < io->stage_us || !colon || colon == rest || memchr(rest, ' ', (size_t)(colon - rest)))
		return;
	(void)snprintf(io->stage, sizeof(io->stage), "%.*s", (int)(colon - rest), rest); /* cut is fine */
	io->stage_us = us;
}

/* One line without what the kernel puts before it: "<level>[    1.234567] ". */
static void log_line(const char *line, char detail[static LASTFAIL_TEXT_BYTES], struct pid1_lastfail *io)
{
	unsigned long long seconds = 0, us = 0;
	const char *text = line, *at;

	if (*text == '<' && strchr(text, '>'))
		text = strchr(text, '>') + 1;
	if (*text == '[' && strstr(text, "] ")) {
		if (sscanf(text, "[%9llu.%6llu]", &seconds, &us) != 2)
			seconds = us = 0;
		text = strstr(text, "] ") + 2;
	}
	if (!strncmp(text, OURS, strlen(OURS)))
		our_line(text, seconds * 1000000 + us, io);
	else if (!strncmp(text, VERITY, strlen(VERITY)) || strstr(text, BLOCK_ERROR))
		(void)snprintf(detail, LASTFAIL_TEXT_BYTES, "%.*s", LASTFAIL_TEXT_BYTES - 1, text); /* cut is fine */
	else if (strstr(text, CORRUPTED))
		say(io, CODE_CORRUPTION, *detail ? detail : CORRUPTED); /* the line before it says which block */
	else if (strstr(text, IO_ERROR))
		say(io, CODE_IO_ERROR, *detail ? detail : IO_ERROR);
	else if ((at = strstr(text, PANIC)))
		say(io, CODE_KERNEL_PANIC, at);
}

void pid1_lastfail_read_log(const char *text, size_t len, struct pid1_lastfail *io)
{
	char line[MAX_LOG_LINE], detail[LASTFAIL_TEXT_BYTES] = "";
	size_t n = 0;

	for (size_t i = 0; i <= len; i++) {
		char c = i < len ? text[i] : '\n';

		if (c != '\n') {
			if (n < sizeof(line) - 1) /* what is longer says it at its beginning */
				line[n++] = c < ' ' || c > '~' ? '?' : c;
			continue;
		}
		line[n] = '\0';
		n = 0;
		log_line(line, detail, io);
	}
}

void pid1_lastfail_add(struct pid1_lastfail *f, const struct pid1_lastfail *old)
{
	static const uint8_t unknown[HASH_SHA256_BYTES];
	bool forgotten = !memcmp(f->slot, unknown, sizeof(unknown));

	f->in_a_row = 1;
	if (!old)
		return;
	if (forgotten)
		memcpy(f->slot, old->slot, sizeof(f->slot));
	if (f->was_ready || (forgotten && f->source == LASTFAIL_KERNEL && !old->code))
		return;
	if (!memcmp(f->slot, old->slot, sizeof(f->slot)))
		f->in_a_row = old->in_a_row + (old->in_a_row < UINT32_MAX);
}
