/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/tar_header.c - one 512-byte tar header, and the extension records that may stand before one */
#include "policy/tar_header.h"

#include "common/reader.h"

#include <string.h>

#define MAX_ID 4294967294u

/* A field that is NUL-terminated unless it is full. What is behind the first NUL is not looked at. */
static void copy_text(struct reader *r, size_t n, char *ret)
{
	const uint8_t *p = reader_bytes(r, n);
	size_t len = p ? strnlen((const char *)p, n) : 0;

	if (p)
		memcpy(ret, p, len);
	ret[len] = '\0';
}

/* Octal digits, blanks before and NUL or blank behind; or GNU's base-256 with bit 7 of the first byte set. */
static bool get_number(struct reader *r, size_t n, uint64_t *ret)
{
	const uint8_t *p = reader_bytes(r, n);
	uint64_t v = 0;
	size_t i = 0;

	if (!p)
		return false;
	if (p[0] & 0x80) {
		if (p[0] != 0x80) /* negative, or more than 88 bits */
			return false;
		for (i = 1; i < n; i++) {
			if (v >> 55)
				return false;
			v = v << 8 | p[i];
		}
		*ret = v;
		return true;
	}
	while (i < n && p[i] == ' ')
		i++;
	for (; i < n && p[i] >= '0' && p[i] <= '7'; i++)
		v = v << 3 | (uint64_t)(p[i] - '0'); /* 12 digits at most */
	for (; i < n; i++)
		if (p[i] != ' ' && p[i] != '\0')
			return false;
	*ret = v;
	return true;
}

/* Sum of all bytes, the checksum field itself taken as blanks. */
static uint64_t checksum(const uint8_t block[static POLICY_TAR_BLOCK])
{
	uint64_t sum = 0;

	for (size_t i = 0; i < POLICY_TAR_BLOCK; i++)
		sum += i >= 148 && i < 156 ? ' ' : block[i];
	return sum;
}

/* Old writers repeat the type in the mode's upper bits; mkfs.erofs ORs them in, so they must say the same thing. */
static bool mode_fits(uint64_t mode, char type)
{
	static const struct {
		char type;
		uint32_t bits;
	} known[] = {{'0', 0100000}, {'1', 0100000}, {'2', 0120000}, {'5', 0040000}, {'6', 0010000}};

	if (mode <= 07777)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].type == type)
			return (mode & ~(uint64_t)07777) == known[i].bits;
	return false;
}

static int join_prefix(struct policy_tar_header *h, const char *name, const char *prefix, const uint8_t *magic,
		       struct err *e)
{
	bool posix = !memcmp(magic, "ustar\00000", 8);

	if (!posix && memcmp(magic, "ustar  \0", 8))
		return err_set(e, EINVAL, "the header's magic is neither POSIX's nor GNU's");
	if (!posix && prefix[0])
		return err_set(e, EINVAL, "a GNU header with something in its prefix field has two meanings");
	(void)snprintf(h->name, sizeof(h->name), "%s%s%s", prefix, prefix[0] ? "/" : "", name); /* has room for both */
	return 0;
}

int policy_tar_header_parse(const uint8_t block[static POLICY_TAR_BLOCK], struct policy_tar_header *ret, struct err *e)
{
	struct reader r = reader_init(block, POLICY_TAR_BLOCK);
	struct policy_tar_header h = {0};
	uint64_t mode = 0, uid = 0, gid = 0, mtime = 0, sum = 0;
	char name[101], prefix[156];
	const uint8_t *magic;
	bool numbers;

	copy_text(&r, 100, name);
	numbers = get_number(&r, 8, &mode) && get_number(&r, 8, &uid) && get_number(&r, 8, &gid) &&
		  get_number(&r, 12, &h.size) && get_number(&r, 12, &mtime) && get_number(&r, 8, &sum);
	h.type = (char)reader_u8(&r);
	copy_text(&r, 100, h.link);
	magic = reader_bytes(&r, 8);
	(void)reader_bytes(&r, 32 + 32 + 8 + 8); /* owner's names, device number: not used */
	copy_text(&r, 155, prefix);
	if (r.bad || !numbers)
		return err_set(e, EINVAL, "a number field of the header is not octal");
	if (sum != checksum(block))
		return err_set(e, EINVAL, "the header's checksum is %llu, its bytes give %llu", (unsigned long long)sum,
			       (unsigned long long)checksum(block));
	if (!mode_fits(mode, h.type))
		return err_set(e, EINVAL, "mode %llo does not fit type '%c'", (unsigned long long)mode, h.type);
	if (uid > MAX_ID || gid > MAX_ID)
		return err_set(e, EINVAL, "owner %llu:%llu is out of range", (unsigned long long)uid,
			       (unsigned long long)gid);
	h.mode = (uint32_t)(mode & 07777);
	if (join_prefix(&h, name, prefix, magic, e))
		return -EINVAL;
	*ret = h;
	return 0;
}

/* --- pax records ---------------------------------------------------------------------------------------------- */

static bool starts_with(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

static bool get_decimal(const char *s, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;
	size_t n = strspn(s, "0123456789");

	if (n == 0 || n > 18 || s[n])
		return false;
	for (size_t i = 0; i < n; i++)
		v = v * 10 + (uint64_t)(s[i] - '0');
	*ret = v;
	return v <= max;
}

static int set_path(char *dst, const char *key, const char *value, struct err *e)
{
	if (dst[0])
		return err_set(e, EINVAL, "its %s is said twice", key);
	if (!value[0] || strlen(value) >= PATH_MAX)
		return err_set(e, EINVAL, "its pax %s has %zu bytes, wanted 1 to %d", key, strlen(value), PATH_MAX - 1);
	memcpy(dst, value, strlen(value) + 1);
	return 0;
}

/* Attributes that overlayfs acts on must come from the conversion alone; a name in URL encoding could hide one. */
static int check_xattr(const char *name, struct err *e)
{
	if (starts_with(name, "trusted.") || strchr(name, '%') || starts_with(name, "user.overlay."))
		return err_set(e, EINVAL, "extended attribute \"%.60s\" is not accepted in a layer", name);
	return 0;
}

/* One record. Keys not named here have no meaning to mkfs.erofs either: it ignores them. */
static int pax_record(const char *key, const char *value, struct policy_tar_ext *ext, struct err *e)
{
	static const char *const refused[] = {"GNU.sparse.", "SCHILY.realsize", "SCHILY.filetype", "hdrcharset",
					      "charset"};
	uint64_t ignored;

	if (!strcmp(key, "path"))
		return set_path(ext->path, key, value, e);
	if (!strcmp(key, "linkpath"))
		return set_path(ext->link, key, value, e);
	if (!strcmp(key, "size")) {
		if (ext->has_size || !get_decimal(value, INT64_MAX, &ext->size))
			return err_set(e, EINVAL, "its pax size \"%.20s\" is no number, or said twice", value);
		ext->has_size = true;
		return 0;
	}
	if (!strcmp(key, "uid") || !strcmp(key, "gid"))
		return get_decimal(value, MAX_ID, &ignored)
			       ? 0
			       : err_set(e, EINVAL, "its pax %s \"%.20s\" is out of range", key, value);
	if (starts_with(key, "SCHILY.xattr."))
		return check_xattr(key + strlen("SCHILY.xattr."), e);
	if (starts_with(key, "LIBARCHIVE.xattr."))
		return check_xattr(key + strlen("LIBARCHIVE.xattr."), e);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (starts_with(key, refused[i]))
			return err_set(e, EINVAL, "pax key \"%.60s\" changes what the member means; not supported",
				       key);
	return 0;
}

/* "LEN " in front of a record. Return: the record's whole length, 0 if malformed; *@ret_digits bytes were used. */
static size_t record_length(const uint8_t *p, size_t left, size_t *ret_digits)
{
	size_t v = 0, i = 0;

	while (i < left && i < 6 && p[i] >= '0' && p[i] <= '9')
		v = v * 10 + (size_t)(p[i++] - '0');
	if (i == 0 || i >= left || p[i] != ' ' || v > left || v < i + 4)
		return 0;
	*ret_digits = i + 1;
	return v;
}

static int split_record(char *text, size_t len, bool global, struct policy_tar_ext *ext, struct err *e)
{
	char *eq = memchr(text, '=', len);
	bool binary = len > 7 && (!memcmp(text, "SCHILY.", 7) || (len > 11 && !memcmp(text, "LIBARCHIVE.", 11)));

	if (!eq || eq == text || memchr(text, '\0', (size_t)(eq - text)))
		return err_set(e, EINVAL, "a pax record has no key");
	/* Only values of extended attributes may hold a NUL. */
	if (!binary && memchr(eq, '\0', len - (size_t)(eq - text)))
		return err_set(e, EINVAL, "a pax value holds a NUL");
	*eq = '\0';
	if (global)
		return !strcmp(text, "comment")
			       ? 0
			       : err_set(e, EINVAL,
					 "global pax key \"%.60s\" would hold for all that follows; not supported",
					 text);
	return pax_record(text, eq + 1, ext, e);
}

int policy_tar_pax_parse(const uint8_t *bytes, size_t len, bool global, struct policy_tar_ext *ext, struct err *e)
{
	struct reader r = reader_init(bytes, len);

	if (!global && ext->seen_pax)
		return err_set(e, EINVAL, "two pax headers stand before one member");
	while (r.left) {
		size_t digits = 0, n = record_length(r.p, r.left, &digits);
		cleanup_free char *text = NULL;
		const uint8_t *p;
		int ret;

		if (n == 0 || r.p[n - 1] != '\n')
			return err_set(e, EINVAL, "a pax record is malformed at byte %zu of its header",
				       reader_offset(&r));
		(void)reader_bytes(&r, digits); /* checked to be there */
		p = reader_bytes(&r, n - digits);
		text = malloc(n - digits);
		if (!p || !text)
			return err_set(e, ENOMEM, "no memory for a pax record");
		memcpy(text, p, n - digits);
		text[n - digits - 1] = '\0'; /* the newline */
		ret = split_record(text, n - digits - 1, global, ext, e);
		if (ret)
			return ret;
	}
	if (!global)
		ext->seen_pax = true;
	return 0;
}

int policy_tar_long_parse(const uint8_t *bytes, size_t len, char *ret, struct err *e)
{
	size_t n = strnlen((const char *)bytes, len);

	if (ret[0])
		return err_set(e, EINVAL, "its name or link is said twice");
	if (n == 0 || n >= PATH_MAX || len - n > 1)
		return err_set(e, EINVAL, "a GNU long name of %zu bytes is malformed", len);
	memcpy(ret, bytes, n);
	ret[n] = '\0';
	return 0;
}

/* --- writing -------------------------------------------------------------------------------------------------- */

/* A GNU header; @name is cut to the field, which is what GNU tar does beside a long name. */
static void put_header(struct buf *b, const char *name, char type, unsigned mode, unsigned size)
{
	uint8_t block[POLICY_TAR_BLOCK] = {0};
	char *text = (char *)block;
	size_t n = strlen(name);

	memcpy(text, name, n < 100 ? n : 100);
	(void)snprintf(text + 100, 8, "%07o", mode);
	(void)snprintf(text + 108, 8, "%07o", 0);
	(void)snprintf(text + 116, 8, "%07o", 0);
	(void)snprintf(text + 124, 12, "%011o", size);
	(void)snprintf(text + 136, 12, "%011o", 0);
	text[156] = type;
	memcpy(text + 257, "ustar  ", 8);
	(void)snprintf(text + 148, 8, "%06o", (unsigned)checksum(block));
	text[155] = ' ';
	buf_put(b, block, sizeof(block));
}

void policy_tar_folder_write(struct buf *b, const char *path)
{
	char name[PATH_MAX + 4];
	size_t n;

	(void)snprintf(name, sizeof(name), "./%s%s", path, path[0] ? "/" : ""); /* @path is shorter than PATH_MAX */
	n = strlen(name);
	if (n > 100) {
		put_header(b, "././@LongLink", 'L', 0644, (unsigned)n + 1);
		buf_put(b, name, n + 1);
		buf_pad(b, POLICY_TAR_BLOCK);
	}
	put_header(b, name, '5', 0755, 0);
}
