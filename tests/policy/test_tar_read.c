/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/policy/test_tar_read.c - which tars may become a layer; each refusal beside the entry that is allowed */
#include "tests/common/check.h"
#include "tests/policy/tar_make.h"

#include "common/file.h"
#include "common/proc.h"
#include "policy/tar_read.h"

#define MAX_BYTES ((uint64_t)64 << 20)

/* struct seen - what the sink was told, as text: "5 /755", "0 a 644 1", content in brackets */
struct seen {
	struct buf text;
	uint32_t ids;
};

static int on_member(void *arg, const struct policy_tar_member *m, uint32_t *ret_id, struct err *e)
{
	struct seen *s = arg;

	(void)e;
	if (m->type != POLICY_TAR_OPAQUE && !m->id)
		*ret_id = ++s->ids;
	buf_printf(&s->text, "%s%c %u>%u %s %o %u:%u %lld.%u", m->id ? "again " : "", m->type, m->parent, *ret_id, m->name,
		   m->mode, m->uid, m->gid, (long long)m->mtime, m->mtime_nsec);
	if (m->type == POLICY_TAR_LINK)
		buf_printf(&s->text, " =%u", m->target);
	if (m->type == POLICY_TAR_SYMLINK)
		buf_printf(&s->text, " ->%s", m->link);
	if (m->type == POLICY_TAR_CHAR || m->type == POLICY_TAR_BLOCKDEV)
		buf_printf(&s->text, " %u,%u", m->major, m->minor);
	for (size_t i = 0; i < m->xattrs->len; i++)
		buf_printf(&s->text, i ? "%c" : " {%c", m->xattrs->data[i] >= ' ' ? m->xattrs->data[i] : '.');
	buf_str(&s->text, m->xattrs->len ? "}\n" : "\n");
	return 0;
}

static int on_content(void *arg, const uint8_t *data, uint64_t n, struct err *e)
{
	struct seen *s = arg;

	(void)e;
	if (data)
		buf_printf(&s->text, "[%.*s]\n", (int)n, (const char *)data);
	else
		buf_printf(&s->text, "[%llu zeros]\n", (unsigned long long)n);
	return 0;
}

/* Push it in pieces of @piece bytes. */
static int read_tar(const struct buf *tar, size_t piece, struct policy_tar_params *p, uint64_t *members, struct err *e)
{
	cleanup_policy_tar struct policy_tar *t = NULL;
	int r;

	p->name = "layer.tar";
	p->max_bytes = p->max_bytes ? p->max_bytes : MAX_BYTES;
	assert_ok(policy_tar_begin(p, &t, e), e);
	for (size_t at = 0; at < tar->len; at += piece) {
		r = policy_tar_push(t, tar->data + at, tar->len - at < piece ? tar->len - at : piece, e);
		if (r)
			return r;
	}
	return policy_tar_end(t, members, e);
}

/* However it is cut, the verdict is the same. */
static const size_t pieces[] = {1, 511, 512, 513, 65536};

static void accepted(struct buf *tar, uint64_t members)
{
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		struct policy_tar_params p = {0};
		struct err e = ERR_INIT;
		uint64_t have = 0;

		assert_ok(read_tar(tar, pieces[i], &p, &have, &e), &e);
		assert_int_equal(have, members);
	}
}

static void refused_by(struct buf *tar, int code, const char *part)
{
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		struct policy_tar_params p = {0};
		struct err e = ERR_INIT;

		assert_refused(read_tar(tar, pieces[i], &p, NULL, &e), &e, code, part);
		assert_non_null(strstr(e.msg, "layer.tar: "));
	}
}

static void refused(struct buf *tar, const char *part)
{
	refused_by(tar, EINVAL, part);
}

/* What the sink is told of @tar. */
static void told(struct buf *tar, const char *text)
{
	struct seen s = {0};
	struct policy_tar_params p = {.sink = {.member = on_member, .content = on_content, .arg = &s}, .devices = true};
	struct err e = ERR_INIT;

	assert_ok(read_tar(tar, 65536, &p, NULL, &e), &e);
	buf_u8(&s.text, 0);
	assert_string_equal((char *)s.text.data, text);
	buf_free(&s.text);
}

/* A folder, a file in it, a symlink out (which is content, not a way), hard link, FIFO, whiteouts. */
static void an_honest_layer_is_accepted(void **state)
{
	static const struct tar_entry entries[] = {
		{.name = "./", .type = '5', .mode = "0000755"},
		{.name = "./a/", .type = '5', .mode = "0040755"},
		{.name = "./a/file", .content = "text", .mode = "0104755"},
		{.name = "a/hard", .type = '1', .link = "./a/file"},
		{.name = "a/soft", .type = '2', .link = "../../etc/passwd"},
		{.name = "a/fifo", .type = '6'},
		{.name = "a/.wh.gone"},
		{.name = "b/.wh..wh..opq"},
		{.name = "c", .prefix = "deep/er"},
		{.name = "gnu", .gnu = 1, .content = "x"},
		{.name = "a..b"},
		{.name = "..."},
	};
	cleanup_buf struct buf tar = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		tar_put(&tar, &entries[i]);
	tar_end(&tar);
	accepted(&tar, ARRAY_SIZE(entries));
}

static void single_members_are_refused_by_name_and_rule(void **state)
{
	static const struct {
		struct tar_entry entry;
		const char *part;
	} bad[] = {
		{{.name = "/etc/passwd"}, "member \"/etc/passwd\" at offset 0: \"/etc/passwd\" is absolute"},
		{{.name = "../evil"}, "member \"../evil\" at offset 0: \"../evil\" has a part that is empty"},
		{{.name = "a/../../evil"}, "has a part that is empty, \".\" or \"..\""},
		{{.name = "a/.."}, "has a part"},
		{{.name = "a/./b"}, "has a part"},
		{{.name = "a//b"}, "has a part"},
		{{.name = ".//b"}, "has a part"},
		{{.name = "a//", .type = '5'}, "has a part"},
		{{.name = "evil", .prefix = "a/.."}, "has a part"},
		{{.name = "evil", .prefix = "/etc"}, "is absolute"},
		{{.name = "a/"}, "its name ends with '/'"},
		{{.name = "./"}, "its name ends with '/'"},
		{{.name = "."}, "its name ends with '/'"},
		{{.name = "a", .bad_sum = 1}, "checksum is"},
		{{.name = "a", .type = '3'}, "it is a device"},
		{{.name = "a", .type = '4'}, "it is a device"},
		{{.name = "a", .type = '7'}, "type 0x37 is not known"},
		{{.name = "a", .type = 'S'}, "has two meanings"},
		{{.name = "a", .type = 'S', .gnu = 1, .content = "x"}, "regions have 0 bytes, its content 1"},
		{{.name = "a", .type = 'V'}, "type 0x56 is not known"},
		{{.name = "a", .patch_at = 156, .patch = 0}, "type 0x"},
		{{.name = "a", .size = "99999999999"}, "is not octal"},
		{{.name = "a", .size = "00000001001"}, "ends at byte 1536 without an end-of-archive block, behind or in member a"},
		{{.name = "a", .size = "\377\377\377\377\377\377\377\377\377\377\377\377"}, "is not octal"},
		{{.name = "a", .size = "\200\001\001\001\001\001\001\001\001\001\001\001"}, "is not octal"},
		{{.name = "a", .mode = "0120644"}, "mode 120644 does not fit type '0'"},
		{{.name = "a", .mode = "0020644"}, "does not fit type"},
		{{.name = "a", .mode = "x"}, "is not octal"},
		{{.name = "a", .patch_at = 257, .patch = 'U'}, "magic is neither"},
		{{.name = "a", .patch_at = 263, .patch = 'x'}, "magic is neither"},
		{{.name = "a", .gnu = 1, .prefix = "b"}, "two meanings"},
		{{.name = "a", .type = '1', .link = "/etc/passwd"}, "hard link: \"/etc/passwd\" is absolute"},
		{{.name = "a", .type = '1', .link = "../x"}, "hard link: \"../x\" has a part"},
		{{.name = "a", .type = '1', .link = "other"}, "which is no earlier file of this layer"},
		{{.name = "a", .type = '1', .link = "a"}, "which is no earlier file of this layer"},
		{{.name = "a", .type = '1'}, "hard link: it has no name"},
		{{.name = "a", .type = '2'}, "symbolic link to nothing"},
		{{.name = "a", .type = '2', .link = "b", .content = "x"}, "type '2' with 1 bytes of content"},
		{{.name = "a", .type = '5', .content = "x"}, "type '5' with 1 bytes of content"},
		{{.name = ".wh..wh..opq"}, "an opaque top folder is not supported"},
		{{.name = "a/.wh."}, "no whiteout that OCI knows"},
		{{.name = "a/.wh..wh.plnk"}, "no whiteout that OCI knows"},
		{{.name = "a/.wh.."}, "no whiteout that OCI knows"},
		{{.name = "a/.wh..."}, "no whiteout that OCI knows"},
		{{.name = ".wh.x/y"}, "a folder's name begins with \".wh.\""},
		{{.name = "a/.wh.x", .content = "x"}, "a whiteout must be an empty file"},
		{{.name = "a/.wh.x", .type = '5'}, "a whiteout must be an empty file"},
		{{.name = "a/.wh.x", .type = '2', .link = "y"}, "a whiteout must be an empty file"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cleanup_buf struct buf tar = BUF_INIT;

		tar_put(&tar, &bad[i].entry);
		tar_end(&tar);
		refused(&tar, bad[i].part);
	}
}

static void pairs_that_have_two_meanings_are_refused(void **state)
{
	static const struct {
		struct tar_entry one, two;
		const char *part; /* NULL: allowed */
	} pairs[] = {
		{{.name = "a"}, {.name = "b"}, NULL},
		{{.name = "a"}, {.name = "a"}, "\"a\" at offset 512: the same path stands in this layer twice"},
		{{.name = "a"}, {.name = "./a"}, "twice"},
		{{.name = "a/b"}, {.name = "a/", .type = '5'}, NULL},
		{{.name = "a/b"}, {.name = "a"}, "twice"},
		{{.name = "a/", .type = '5'}, {.name = "a/", .type = '5'}, NULL}, /* the last word counts */
		{{.name = "a"}, {.name = "a/", .type = '5'}, "twice"},
		{{.name = "a/", .type = '5'}, {.name = "a", .type = '2', .link = "/etc"}, "twice"},
		{{.name = "a/", .type = '5'}, {.name = "a/b"}, NULL},
		{{.name = "a"}, {.name = "a/b"}, "\"a\" above it is no folder"},
		{{.name = "a", .type = '2', .link = "/etc"}, {.name = "a/passwd"}, "\"a\" above it is no folder"},
		{{.name = "a"}, {.name = "b", .type = '1', .link = "a"}, NULL},
		{{.name = "a", .type = '5'}, {.name = "b", .type = '1', .link = "a"}, "no earlier file"},
		{{.name = "a/b"}, {.name = "c", .type = '1', .link = "a"}, "no earlier file"},
		{{.name = ".wh.a"}, {.name = "b", .type = '1', .link = "a"}, "no earlier file"},
		{{.name = "a/.wh..wh..opq"}, {.name = "b", .type = '1', .link = "a/.wh..wh..opq"}, "no earlier file"},
		{{.name = ".wh.a"}, {.name = "a"}, "twice"},
		{{.name = ".wh.a"}, {.name = "a/b"}, "\"a\" above it is no folder"},
		{{.name = "a"}, {.name = ".wh.a"}, "twice"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		cleanup_buf struct buf tar = BUF_INIT;

		tar_put(&tar, &pairs[i].one);
		tar_put(&tar, &pairs[i].two);
		tar_end(&tar);
		if (pairs[i].part)
			refused(&tar, pairs[i].part);
		else
			accepted(&tar, 2);
	}
}

static void pax_records_are_applied_or_refused(void **state)
{
	static const struct {
		char type;
		const char *records;
		const char *part; /* NULL: allowed */
	} cases[] = {
		{'x', "mtime=1.5\npath=long/name\nuid=1000\n", NULL},
		{'x', "SCHILY.xattr.security.capability=abc\n", NULL},
		{'x', "SCHILY.xattr.user.note=1\n", NULL},
		{'g', "comment=0123456789\n", NULL},
		{'x', "path=/etc/passwd\n", "is absolute"},
		{'x', "path=a/../b\n", "has a part"},
		{'x', "path=\n", "wanted 1 to"},
		{'x', "path=a\npath=b\n", "said twice"},
		{'x', "size=5\n", "says it has 5 bytes"},
		{'x', "mtime=1e9\n", "is no time"},
		{'x', "mtime=1\nmtime=2\n", "said twice"},
		{'x', "uid=1\nuid=2\n", "said twice"},
		{'x', "SCHILY.xattr.user.a=1\nSCHILY.xattr.user.a=2\n", "\"user.a\" is said twice"},
		{'x', "size=-1\n", "is no number"},
		{'x', "size=0x1\n", "is no number"},
		{'x', "size=0\nsize=0\n", "said twice"},
		{'x', "uid=-1\n", "out of range"},
		{'x', "gid=4294967296\n", "out of range"},
		{'x', "SCHILY.xattr.trusted.overlay.opaque=y\n", "\"trusted.overlay.opaque\" is not accepted"},
		{'x', "LIBARCHIVE.xattr.trusted.overlay.redirect=eA==\n", "is not accepted"},
		{'x', "LIBARCHIVE.xattr.%74rusted.x=eA==\n", "is not accepted"},
		{'x', "SCHILY.xattr.user.overlay.opaque=y\n", "is not accepted"},
		{'x', "GNU.sparse.map=0,1\n", "changes what the member means"},
		{'x', "GNU.sparse.major=0\nGNU.sparse.minor=1\n", "not those of version 1.0"},
		{'x', "GNU.sparse.realsize=1\n", "not those of version 1.0"},
		{'x', "GNU.sparse.name=b\n", "not those of version 1.0"},
		{'x', "hdrcharset=BINARY\n", "changes what the member means"},
		{'x', "=x\n", "has no key"},
		{'g', "path=evil\n", "global pax key \"path\""},
		{'g', "size=1\n", "global pax key \"size\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_buf struct buf tar = BUF_INIT;

		tar_pax(&tar, cases[i].type, cases[i].records);
		tar_put(&tar, &(struct tar_entry){.name = "member"});
		buf_zero(&tar, 512);
		if (cases[i].part && strstr(cases[i].part, "says it has 5")) {
			refused(&tar, "without an end-of-archive block"); /* the lie swallows what should be the end */
			continue;
		}
		tar_end(&tar);
		if (cases[i].part)
			refused(&tar, cases[i].part);
		else
			accepted(&tar, 1);
	}
}

static void malformed_extension_headers_are_refused(void **state)
{
	static const struct {
		struct tar_entry one, two;
		const char *part; /* NULL: allowed */
	} cases[] = {
		{{.type = 'L', .name = "L", .content = "a/long/name"}, {.name = "m"}, NULL},
		{{.type = 'K', .name = "K", .content = "to"}, {.name = "m", .type = '2'}, NULL},
		{{.type = 'L', .name = "L", .content = "/etc/x"}, {.name = "m"}, "is absolute"},
		{{.type = 'L', .name = "L", .content = "../x"}, {.name = "m"}, "has a part"},
		{{.type = 'L', .name = "L"}, {.name = "m"}, "has 0 bytes"},
		{{.type = 'K', .name = "K", .content = "gone"}, {.name = "m", .type = '1'}, "no earlier file"},
		{{.type = 'L', .name = "L", .content = "a"}, {.name = "L", .type = 'L', .content = "b"}, "said twice"},
		{{.type = 'x', .name = "x", .content = "12 path=abc"}, {.name = "m"}, "malformed at byte 0"},
		{{.type = 'x', .name = "x", .content = "99 path=abc\n"}, {.name = "m"}, "malformed at byte 0"},
		{{.type = 'x', .name = "x", .content = "11path=abc\n"}, {.name = "m"}, "malformed at byte 0"},
		{{.type = 'x', .name = "x", .content = "0 a=b\n"}, {.name = "m"}, "malformed at byte 0"},
		{{.type = 'x', .name = "x", .content = "6 a=b\nx"}, {.name = "m"}, "malformed at byte 6"},
		{{.type = 'x', .name = "x", .content = "7 a_bc\n"}, {.name = "m"}, "has no key"},
		{{.type = 'x', .name = "x", .content = "6 a=b\n"},
		 {.type = 'x', .name = "x", .content = "6 a=b\n"},
		 "stands behind a pax header"},
		{{.type = 'x', .name = "x", .content = "9 size=5\n"},
		 {.type = 'L', .name = "L", .content = "abcde"},
		 "stands behind a pax header"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_buf struct buf tar = BUF_INIT;

		tar_put(&tar, &cases[i].one);
		tar_put(&tar, &cases[i].two);
		tar_end(&tar);
		if (cases[i].part)
			refused(&tar, cases[i].part);
		else
			accepted(&tar, 1);
	}
}

static void the_end_must_be_one(void **state)
{
	static const struct tar_entry file = {.name = "a", .content = "x"};

	(void)state;
	for (int i = 0; i < 7; i++) {
		cleanup_buf struct buf tar = BUF_INIT;

		tar_put(&tar, &file);
		switch (i) {
		case 0: /* one zero block is enough; padding to a record is fine */
			buf_zero(&tar, 10240);
			accepted(&tar, 1);
			break;
		case 1:
			refused(&tar, "ends at byte 1024 without an end-of-archive block");
			break;
		case 2: /* an archive in the padding of another: whom would you believe? */
			tar_end(&tar);
			tar_put(&tar, &file);
			tar_end(&tar);
			refused(&tar, "bytes stand behind the end");
			break;
		case 3: /* some readers skip a block by its first byte alone */
			buf_zero(&tar, 1);
			buf_put(&tar, "hidden", 6);
			buf_zero(&tar, 505 + 512);
			refused(&tar, "bytes stand behind the end");
			break;
		case 4:
			buf_zero(&tar, 100);
			refused(&tar, "without an end-of-archive block");
			break;
		case 5:
			tar_pax(&tar, 'x', "path=b\n");
			tar_end(&tar);
			refused(&tar, "stands before the end, not before a member");
			break;
		default:
			tar.len = 700;
			refused(&tar, "ends at byte 700 without an end-of-archive block");
			tar.len = 512;
			refused(&tar, "ends at byte 512 without an end-of-archive block");
		}
	}
}

/* Unnamed folders are told before what is in them, once; named late or again, they are told again. */
static void the_sink_is_told_parents_first(void **state)
{
	static const struct tar_entry entries[] = {
		{.name = "a", .content = "text"},
		{.name = "b/c/d", .mode = "0000600"},
		{.name = "b/", .type = '5', .mode = "0000700"},
		{.name = "e/", .type = '5'},
		{.name = "e/", .type = '5', .mode = "0000711"},
		{.name = "e/link", .type = '1', .link = "./b/c/d"},
		{.name = "e/soft", .type = '2', .link = "../../x"},
		{.name = "b/c/.wh.gone"},
		{.name = "b/c/.wh..wh..opq"},
		{.name = "e/fifo", .type = '6'},
	};
	cleanup_buf struct buf tar = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		tar_put(&tar, &entries[i]);
	tar_end(&tar);
	told(&tar, "5 0>1  755 0:0 0.0\n0 1>2 a 644 0:0 1000.0\n[text]\n5 1>3 b 755 0:0 0.0\n5 3>4 c 755 0:0 0.0\n"
		   "0 4>5 d 600 0:0 1000.0\nagain 5 1>3 b 700 0:0 1000.0\n5 1>6 e 644 0:0 1000.0\n"
		   "again 5 1>6 e 711 0:0 1000.0\n1 6>7 link 644 0:0 1000.0 =5\n2 6>8 soft 644 0:0 1000.0 ->../../x\n"
		   "w 4>9 gone 644 0:0 1000.0\no 4>0 .wh..wh..opq 644 0:0 1000.0\n6 6>10 fifo 644 0:0 1000.0\n");
}

static void pax_says_more_than_the_header(void **state)
{
	cleanup_buf struct buf tar = BUF_INIT;

	(void)state;
	tar_pax(&tar, 'x', "path=n\nuid=70000\ngid=4294967294\nmtime=-1.25\nSCHILY.xattr.user.k=v\n");
	tar_put(&tar, &(struct tar_entry){.name = "cut"});
	tar_pax(&tar, 'x', "mtime=12.1234567891\n");
	tar_put(&tar, &(struct tar_entry){.name = "m"});
	tar_end(&tar);
	told(&tar, "5 0>1  755 0:0 0.0\n0 1>2 n 644 70000:4294967294 -2.750000000 {user.k.....v}\n"
		   "0 1>3 m 644 0:0 12.123456789\n");
}

/* A device is refused unless it is asked for; the one that would be a whiteout always is. */
static void devices_must_be_asked_for(void **state)
{
	struct policy_tar_params p = {.devices = true};
	cleanup_buf struct buf tar = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	tar_put(&tar, &(struct tar_entry){.name = "null", .type = '3', .patch_at = 329, .patch = '1'});
	tar_end(&tar);
	refused(&tar, "member \"null\" at offset 0: it is a device; layers hold none");
	told(&tar, "5 0>1  755 0:0 0.0\n3 1>2 null 644 0:0 1000.0 1,0\n");
	tar.len = 0;
	tar_put(&tar, &(struct tar_entry){.name = "null", .type = '3'});
	tar_end(&tar);
	assert_refused(read_tar(&tar, 512, &p, NULL, &e), &e, EINVAL, "device 0:0 is how overlayfs hides a file");
}

/* Sizes: one file, all files, holes, and the archive itself have one bound. */
static void bombs_are_refused(void **state)
{
	cleanup_buf struct buf tar = BUF_INIT;
	struct policy_tar_params p = {.max_bytes = 4096};
	struct err e = ERR_INIT;

	(void)state;
	tar_put(&tar, &(struct tar_entry){.name = "a", .size = "77777777777"});
	refused_by(&tar, EFBIG, "member \"a\" at offset 0: says it has 8589934591 bytes, at most 67108864 are accepted");
	tar.len = 0;
	tar_pax(&tar, 'x', "size=9223372036854775807\n");
	tar_put(&tar, &(struct tar_entry){.name = "a"});
	refused(&tar, "pax size"); /* of 19 digits */
	tar.len = 0;
	tar_pax(&tar, 'x', "GNU.sparse.major=1\nGNU.sparse.minor=0\nGNU.sparse.name=s\nGNU.sparse.realsize=999999999999\n");
	tar_put(&tar, &(struct tar_entry){.name = "x", .content = "1\n0\n0\n", .size = "00000001000"});
	refused_by(&tar, EFBIG, "with its 999999999999 bytes the files have more than the 67108864");
	tar.len = 0;
	tar_put(&tar, &(struct tar_entry){.name = "a"});
	buf_zero(&tar, 8192);
	assert_refused(read_tar(&tar, 512, &p, NULL, &e), &e, EFBIG, "unpacks to more bytes than the 4096");
	tar.len = 2048;
	assert_ok(read_tar(&tar, 512, &p, NULL, &e), &e);
}

/* $ truncate -s 1M s; printf x | dd of=s bs=1 seek=8192 conv=notrunc; tar -S --format=gnu|posix: GNU tar's own bytes. */
static void sparse_files_have_their_holes(void **state)
{
	static const char *const formats[] = {"gnu", "posix"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		char command[300];
		const char *const argv[] = {"sh", "-c", command, NULL};
		cleanup_buf struct buf tar = BUF_INIT;
		struct proc_params p = {.argv = argv, .out = &tar, .out_max = 1 << 20, .quiet = 1};
		struct seen s = {0};
		struct policy_tar_params q = {.sink = {.member = on_member, .content = on_content, .arg = &s}};
		struct err e = ERR_INIT;
		uint64_t members = 0;
		char *at;

		(void)snprintf(command, sizeof(command),
			       "d=$(mktemp -d) && cd $d && truncate -s 1M s && printf xy | dd of=s bs=1 seek=8192 conv=notrunc "
			       "2>/dev/null && truncate -s 4096 hole && truncate -s 64K hole && tar -S --format=%s -cf - s hole; "
			       "rm -r $d",
			       formats[i]);
		assert_ok(proc_run(&p, &e), &e);
		assert_ok(read_tar(&tar, 700, &q, &members, &e), &e);
		assert_int_equal(members, 2);
		buf_u8(&s.text, 0);
		at = strstr((char *)s.text.data, "[8192 zeros]\n[xy");
		assert_non_null(at);
		assert_non_null(strstr(at, "zeros]\n0 1>3 hole "));
		assert_non_null(strstr(at, "[65536 zeros]\n"));
		buf_free(&s.text);
	}
}

static void sparse_maps_must_fit(void **state)
{
	static const struct {
		const char *map, *size, *part; /* NULL: allowed */
	} cases[] = {
		{"1\n0\n3\n", "00000001003", NULL},
		{"1\n5\n3\n", "00000001003", NULL},
		{"2\n0\n1\n4\n2\n", "00000001003", NULL},
		{"1\n0\n4\n", "00000001003", "regions have 4 bytes, its content 3"},
		{"1\n9\n3\n", "00000001003", "has a region behind its end"},
		{"1\n999999999999999999\n3\n", "00000001003", "has a region behind its end"},
		{"2\n4\n2\n0\n1\n", "00000001003", "overlap, or are not in order"},
		{"2\n0\n2\n1\n1\n", "00000001003", "overlap, or are not in order"},
		{"1\n0\nx\n", "00000001003", "is no list of numbers"},
		{"\n", "00000001003", "is no list of numbers"},
		{"8193\n0\n", "00000001003", "more than 8192 regions"},
		{"1\n0\n3", "00000001003", "is no list of numbers"},
		{"1\n0\n3\n", "00000000003", "map is longer than its content"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_buf struct buf tar = BUF_INIT;

		tar_pax(&tar, 'x', "GNU.sparse.major=1\nGNU.sparse.minor=0\nGNU.sparse.name=s\nGNU.sparse.realsize=10\n");
		tar_put(&tar, &(struct tar_entry){.name = "x", .content = cases[i].map, .size = cases[i].size});
		buf_str(&tar, "abc");
		buf_pad(&tar, 512);
		tar_end(&tar);
		if (cases[i].part)
			refused(&tar, cases[i].part);
		else
			accepted(&tar, 1);
	}
}

/* What GNU tar writes in both of its formats is accepted. */
static void real_tars_are_accepted(void **state)
{
	static const char *const formats[] = {"gnu", "posix", "ustar"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		char command[200];
		const char *const argv[] = {"sh", "-c", command, NULL};
		cleanup_buf struct buf tar = BUF_INIT;
		struct proc_params p = {.argv = argv, .out = &tar, .out_max = 64 << 20, .quiet = 1};
		struct policy_tar_params q = {0};
		struct err e = ERR_INIT;
		uint64_t members = 0;

		(void)snprintf(command, sizeof(command), "tar --format=%s -cf - policy common tests/policy",
			       formats[i]);
		assert_ok(proc_run(&p, &e), &e);
		assert_ok(read_tar(&tar, 65536, &q, &members, &e), &e);
		assert_true(members > 30);
	}
}

/* $ tar --format=posix|gnu|ustar|v7; the tree has a hard link, a symlink, a whiteout and names of more than 100 bytes.
 */
static void stored_tars_are_judged_by_their_names(void **state)
{
	static const struct {
		const char *name;
		uint64_t members;
		const char *part; /* NULL: good */
		int code; /* 0: EINVAL */
	} cases[] = {
		{"good-pax", 8, NULL, 0},
		{"good-gnu-long-names", 8, NULL, 0},
		{"good-ustar", 3, NULL, 0},
		{"good-folder-twice", 4, NULL, 0},
		{"bad-dotdot", 0, "\"../b/f\" has a part", 0},
		{"bad-v7", 0, "magic is neither POSIX's nor GNU's", 0},
		{"bad-absolute", 0, "\"/etc/passwd\" is absolute", 0},
		{"bad-through-symlink", 0, "\"etc\" above it is no folder in this layer", 0},
		{"bad-hard-link-outside", 0, "hard link: \"../../etc/shadow\" has a part", 0},
		{"bad-hard-link-to-nothing", 0, "\"etc/shadow\", which is no earlier file of this layer", 0},
		{"bad-huge-size", 0, "says it has 8589934591 bytes, at most", EFBIG},
		{"bad-size-past-the-end", 0, "ends at byte 1536 without an end-of-archive block", 0},
		{"bad-sparse-bomb", 0, "with its 1099511627776 bytes the files have more than", EFBIG},
		{"bad-checksum", 0, "the header's checksum is", 0},
		{"bad-device", 0, "\"dev/sda\" at offset 0: it is a device", 0},
		{"bad-file-twice", 0, "\"./bin/su\" at offset 512: the same path stands in this layer twice", 0},
		{"bad-overlay-xattr", 0, "\"trusted.overlay.redirect\" is not accepted", 0},
		{"bad-whiteout-as-device", 0, "it is a device", 0},
		{"bad-second-archive", 0, "bytes stand behind the end", 0},
		{"bad-no-end", 0, "without an end-of-archive block", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_buf struct buf tar = BUF_INIT;
		struct err e = ERR_INIT;
		char path[128];

		(void)snprintf(path, sizeof(path), "tests/data/tar/%s.tar", cases[i].name);
		assert_ok(file_read(path, 1 << 20, &tar, &e), &e);
		if (cases[i].part)
			refused_by(&tar, cases[i].code ? cases[i].code : EINVAL, cases[i].part);
		else
			accepted(&tar, cases[i].members);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_honest_layer_is_accepted),
		cmocka_unit_test(single_members_are_refused_by_name_and_rule),
		cmocka_unit_test(pairs_that_have_two_meanings_are_refused),
		cmocka_unit_test(pax_records_are_applied_or_refused),
		cmocka_unit_test(malformed_extension_headers_are_refused),
		cmocka_unit_test(the_end_must_be_one),
		cmocka_unit_test(the_sink_is_told_parents_first),
		cmocka_unit_test(pax_says_more_than_the_header),
		cmocka_unit_test(devices_must_be_asked_for),
		cmocka_unit_test(bombs_are_refused),
		cmocka_unit_test(sparse_files_have_their_holes),
		cmocka_unit_test(sparse_maps_must_fit),
		cmocka_unit_test(real_tars_are_accepted),
		cmocka_unit_test(stored_tars_are_judged_by_their_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
