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

/* Old writers repeat the type in the mode's upper bits; they must say the same thing. */
static bool mode_fits(uint64_t mode, char type)
{
	static const struct {
		char type;
		uint32_t bits;
	} known[] = {{'0', 0100000}, {'1', 0100000}, {'2', 0120000}, {'3', 0020000}, {'4', 0060000},
		     {'5', 0040000}, {'6', 0010000}, {'S', 0100000}};

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
	if (posix && h->type == 'S')
		return err_set(e, EINVAL, "a sparse file of GNU's in a header of POSIX's has two meanings");
	/* GNU keeps times where POSIX keeps the prefix; other than digits there would be a name to some readers. */
	if (!posix && prefix[strspn(prefix, "01234567 ")])
		return err_set(e, EINVAL, "a GNU header with something in its prefix field has two meanings");
	(void)snprintf(h->name, sizeof(h->name), "%s%s%s", posix ? prefix : "", posix && prefix[0] ? "/" : "",
		       name); /* has room for both */
	return 0;
}

/* Device numbers are looked at for devices only: others leave anything there. */
static int device_number(const uint8_t *field, struct policy_tar_header *h, struct err *e)
{
	struct reader r = reader_init(field, 16);
	uint64_t major = 0, minor = 0;

	if (h->type != '3' && h->type != '4')
		return 0;
	if (!get_number(&r, 8, &major) || !get_number(&r, 8, &minor) || major > 4095 || minor > 1048575)
		return err_set(e, EINVAL, "its device number is malformed or out of range");
	h->major = (uint32_t)major;
	h->minor = (uint32_t)minor;
	return 0;
}

int policy_tar_header_parse(const uint8_t block[static POLICY_TAR_BLOCK], struct policy_tar_header *ret, struct err *e)
{
	struct reader r = reader_init(block, POLICY_TAR_BLOCK);
	struct policy_tar_header h = {0};
	uint64_t mode = 0, uid = 0, gid = 0, sum = 0;
	char name[101], prefix[156];
	const uint8_t *magic, *device;
	bool numbers;
	int err;

	copy_text(&r, 100, name);
	numbers = get_number(&r, 8, &mode) && get_number(&r, 8, &uid) && get_number(&r, 8, &gid) &&
		  get_number(&r, 12, &h.size) && get_number(&r, 12, &h.mtime) && get_number(&r, 8, &sum);
	h.type = (char)reader_u8(&r);
	copy_text(&r, 100, h.link);
	magic = reader_bytes(&r, 8);
	(void)reader_bytes(&r, 32 + 32); /* owner's names: not used */
	device = reader_bytes(&r, 16);
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
	h.uid = (uint32_t)uid;
	h.gid = (uint32_t)gid;
	err = join_prefix(&h, name, prefix, magic, e);
	err = err ? err : device_number(device, &h, e);
	if (!err)
		*ret = h;
	return err;
}

/* --- sparse files of old GNU ---------------------------------------------------------------------------------- */

static int put_region(struct buf *regions, uint64_t offset, uint64_t bytes, struct err *e)
{
	struct policy_tar_region region = {offset, bytes}, last = {0};
	size_t n = regions->len / sizeof(region);

	if (n == POLICY_TAR_MAX_REGIONS)
		return err_set(e, EINVAL, "a sparse file of more than %d regions", POLICY_TAR_MAX_REGIONS);
	if (n)
		memcpy(&last, regions->data + (n - 1) * sizeof(last), sizeof(last));
	if (offset > INT64_MAX || bytes > INT64_MAX - offset || offset < last.offset + last.bytes)
		return err_set(e, EINVAL, "a sparse file's regions overlap, or are not in order");
	buf_put(regions, &region, sizeof(region));
	return regions->bad ? err_set(e, ENOMEM, "no memory for a sparse file's regions") : 0;
}

int policy_tar_sparse_parse(const uint8_t block[static POLICY_TAR_BLOCK], bool first, struct buf *ret_regions,
			    bool *ret_more, uint64_t *ret_size, struct err *e)
{
	struct reader r = reader_init(block, POLICY_TAR_BLOCK);
	size_t n = first ? 4 : 21;
	uint64_t offset = 0, bytes = 0;

	if (first)
		(void)reader_bytes(&r, 386); /* was parsed */
	for (size_t i = 0; i < n; i++) {
		const uint8_t *at = r.p;
		int err;

		if (!get_number(&r, 12, &offset) || !get_number(&r, 12, &bytes))
			return err_set(e, EINVAL, "a sparse file's regions are not octal");
		if (!at[0]) /* unused from here on; the rest is still walked over */
			continue;
		err = put_region(ret_regions, offset, bytes, e);
		if (err)
			return err;
	}
	*ret_more = reader_u8(&r) != 0;
	if (first && !get_number(&r, 12, ret_size))
		return err_set(e, EINVAL, "a sparse file's size is not octal");
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

/* Is @name among the ones taken already? */
static bool has_xattr(const struct buf *xattrs, const char *name)
{
	struct reader r = reader_init(xattrs->data, xattrs->len);

	while (r.left) {
		const char *have = (const char *)r.p;

		(void)reader_bytes(&r, strlen(have) + 1); /* we wrote it */
		(void)reader_bytes(&r, reader_u32le(&r));
		if (!strcmp(have, name))
			return true;
	}
	return false;
}

static int take_xattr(struct policy_tar_ext *ext, const char *name, const char *value, size_t n, struct err *e)
{
	int r = check_xattr(name, e);

	if (r)
		return r;
	if (has_xattr(&ext->xattrs, name))
		return err_set(e, EINVAL, "extended attribute \"%.60s\" is said twice", name);
	buf_put(&ext->xattrs, name, strlen(name) + 1);
	buf_u32le(&ext->xattrs, (uint32_t)n);
	buf_put(&ext->xattrs, value, n);
	return ext->xattrs.bad ? err_set(e, ENOMEM, "no memory for extended attributes") : 0;
}

/* "[-]SECONDS[.FRACTION]"; the fraction is cut after nanoseconds. */
static bool get_time(const char *s, int64_t *ret, uint32_t *ret_nsec)
{
	bool minus = *s == '-';
	char whole[20];
	uint64_t v = 0;
	uint32_t nsec = 0;
	size_t n;

	s += minus;
	n = strspn(s, "0123456789");
	if (n >= sizeof(whole))
		return false;
	memcpy(whole, s, n);
	whole[n] = '\0';
	if (!get_decimal(whole, INT64_MAX, &v))
		return false;
	s += n;
	if (*s == '.') {
		size_t digits = strspn(++s, "0123456789");

		for (size_t i = 0; i < 9; i++)
			nsec = nsec * 10 + (i < digits ? (uint32_t)(s[i] - '0') : 0);
		s += digits;
	}
	*ret = minus ? -(int64_t)v - (nsec != 0) : (int64_t)v;
	*ret_nsec = minus && nsec ? 1000000000 - nsec : nsec;
	return *s == '\0';
}

/* struct number - a pax key whose value is a decimal number, and where it goes; said once */
struct number {
	const char *key;
	uint64_t max;
	bool *has;
	uint64_t *value;
};

/* Return: 1 taken, 0 none of them, -EINVAL. */
static int pax_number(const char *key, const char *value, struct policy_tar_ext *ext, struct err *e)
{
	uint64_t uid = 0, gid = 0;
	const struct number numbers[] = {
		{"size", INT64_MAX, &ext->has_size, &ext->size},
		{"uid", MAX_ID, &ext->has_uid, &uid},
		{"gid", MAX_ID, &ext->has_gid, &gid},
		{"GNU.sparse.realsize", INT64_MAX, &ext->has_real_size, &ext->real_size},
		{"GNU.sparse.major", 255, &ext->has_major, &ext->sparse_major},
		{"GNU.sparse.minor", 255, &ext->has_minor, &ext->sparse_minor},
	};
	size_t i = 0;

	while (i < ARRAY_SIZE(numbers) && strcmp(key, numbers[i].key))
		i++;
	if (i == ARRAY_SIZE(numbers))
		return 0;
	if (*numbers[i].has || !get_decimal(value, numbers[i].max, numbers[i].value))
		return err_set(e, EINVAL, "its pax %s \"%.20s\" is no number, out of range, or said twice", key, value);
	*numbers[i].has = true;
	if (numbers[i].value == &uid)
		ext->uid = (uint32_t)uid;
	if (numbers[i].value == &gid)
		ext->gid = (uint32_t)gid;
	return 1;
}

/* One record. Keys not named here (owner's names, other times, comments) say nothing about what the file system holds. */
static int pax_record(const char *key, const char *value, size_t value_len, struct policy_tar_ext *ext, struct err *e)
{
	static const char *const refused[] = {"GNU.sparse.", "SCHILY.realsize", "SCHILY.filetype", "hdrcharset",
					      "charset"};
	int r = pax_number(key, value, ext, e);

	if (r)
		return r < 0 ? r : 0;
	if (!strcmp(key, "path"))
		return set_path(ext->path, key, value, e);
	if (!strcmp(key, "linkpath"))
		return set_path(ext->link, key, value, e);
	if (!strcmp(key, "GNU.sparse.name"))
		return set_path(ext->sparse_path, key, value, e);
	if (!strcmp(key, "mtime")) {
		if (ext->has_mtime || !get_time(value, &ext->mtime, &ext->mtime_nsec))
			return err_set(e, EINVAL, "its pax mtime \"%.30s\" is no time, or said twice", value);
		ext->has_mtime = true;
		return 0;
	}
	if (starts_with(key, "SCHILY.xattr."))
		return take_xattr(ext, key + strlen("SCHILY.xattr."), value, value_len, e);
	if (starts_with(key, "LIBARCHIVE.xattr.")) /* stands beside SCHILY's, in another encoding */
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
	return pax_record(text, eq + 1, len - (size_t)(eq + 1 - text), ext, e);
}

void policy_tar_ext_clear(struct policy_tar_ext *ext)
{
	buf_free(&ext->xattrs);
	memset(ext, 0, sizeof(*ext));
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


int policy_tar_name_parse(const char *name, char ret[static PATH_MAX], bool *ret_slash, struct err *e)
{
	const char *s = name, *part;
	size_t n;

	if (name[0] == '/')
		return err_set(e, EINVAL, "\"%.80s\" is absolute", name);
	if (name[0] == '\0')
		return err_set(e, EINVAL, "it has no name");
	if (!strcmp(s, "."))
		s++;
	else if (!strncmp(s, "./", 2))
		s += 2;
	n = strlen(s);
	*ret_slash = n ? s[n - 1] == '/' : true;
	n -= n && *ret_slash;
	memcpy(ret, s, n);
	ret[n] = '\0';
	if (!n && !s[0])
		return 0;
	for (part = ret;; part++) {
		size_t len = strcspn(part, "/");

		if (len == 0 || (len == 1 && part[0] == '.') || (len == 2 && part[0] == '.' && part[1] == '.'))
			return err_set(e, EINVAL, "\"%.80s\" has a part that is empty, \".\" or \"..\"", name);
		if (len > NAME_MAX)
			return err_set(e, EINVAL, "\"%.80s...\" has a part longer than %d bytes", name, NAME_MAX);
		part += len;
		if (!*part)
			return 0;
	}
}

/* A decimal number of at most 18 digits and its line break. Return: 0, -EINVAL, or 1 if the bytes end within it. */
static int map_number(const char **s, const char *end, uint64_t *ret)
{
	const char *from = *s, *at = from;
	uint64_t v = 0;

	while (at < end && *at >= '0' && *at <= '9' && at - from < 18)
		v = v * 10 + (uint64_t)(*at++ - '0');
	if (at == end)
		return 1;
	if (at == from || *at != '\n')
		return -EINVAL;
	*s = at + 1;
	*ret = v;
	return 0;
}

int policy_tar_map_parse(const uint8_t *bytes, size_t len, struct buf *ret_regions, bool *ret_whole, struct err *e)
{
	const char *s = (const char *)bytes, *end = s + len;
	uint64_t n = 0, last_end = 0;
	int r = map_number(&s, end, &n);

	if (!r && n > POLICY_TAR_MAX_REGIONS)
		return err_set(e, EINVAL, "a sparse file of more than %d regions", POLICY_TAR_MAX_REGIONS);
	ret_regions->len = 0;
	for (uint64_t i = 0; !r && i < n; i++) {
		struct policy_tar_region region = {0};

		r = map_number(&s, end, &region.offset);
		r = r ? r : map_number(&s, end, &region.bytes);
		if (!r && region.offset < last_end)
			return err_set(e, EINVAL, "a sparse file's regions overlap, or are not in order");
		last_end = region.offset + region.bytes; /* of 18 digits each */
		if (!r)
			buf_put(ret_regions, &region, sizeof(region));
	}
	if (r < 0)
		return err_set(e, EINVAL, "a sparse file's map is no list of numbers");
	*ret_whole = r == 0;
	return 0;
}
