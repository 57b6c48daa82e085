/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/policy/test_tar_check.c - which tars may become a layer; each refusal beside the entry that is allowed */
#include "tests/common/check.h"
#include "tests/policy/tar_make.h"

#include "common/file.h"
#include "common/proc.h"
#include "policy/tar_check.h"

#include <sys/mman.h>

static int check(const struct buf *tar, struct policy_tar_facts *facts, struct err *e)
{
	cleanup_fd int fd = memfd_create("layer", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_ok(file_write_all(fd, tar->data, tar->len, "memfd", e), e);
	return policy_tar_check(fd, "layer.tar", facts, e);
}

static void accepted(struct buf *tar, uint64_t members)
{
	struct policy_tar_facts facts = {0};
	struct err e = ERR_INIT;

	assert_ok(check(tar, &facts, &e), &e);
	assert_int_equal(facts.members, members);
	buf_free(&facts.folders);
}

static void refused(struct buf *tar, const char *part)
{
	struct policy_tar_facts facts = {0};
	struct err e = ERR_INIT;

	assert_refused(check(tar, &facts, &e), &e, EINVAL, part);
	assert_non_null(strstr(e.msg, "layer.tar: "));
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
		{{.name = "a", .type = 'S'}, "type 0x53 is not known"},
		{{.name = "a", .type = 'V'}, "type 0x56 is not known"},
		{{.name = "a", .patch_at = 156, .patch = 0}, "type 0x"},
		{{.name = "a", .size = "99999999999"}, "is not octal"},
		{{.name = "a", .size = "77777777777"}, "says it has 8589934591 bytes, the archive has"},
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
		{{.name = "a/", .type = '5'}, {.name = "a/", .type = '5'}, "twice"},
		{{.name = "a/", .type = '5'}, {.name = "a/b"}, NULL},
		{{.name = "a"}, {.name = "a/b"}, "\"a\" above it is no folder"},
		{{.name = "a", .type = '2', .link = "/etc"}, {.name = "a/passwd"}, "\"a\" above it is no folder"},
		{{.name = "a"}, {.name = "b", .type = '1', .link = "a"}, NULL},
		{{.name = "a", .type = '5'}, {.name = "b", .type = '1', .link = "a"}, "no earlier file"},
		{{.name = "a/b"}, {.name = "c", .type = '1', .link = "a"}, "no earlier file"},
		{{.name = ".wh.a"}, {.name = "b", .type = '1', .link = "a"}, "no earlier file"},
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
		{'x', "size=5\n", "says it has 5 bytes, the archive has"},
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
		if (cases[i].part && strstr(cases[i].part, "says it has 5"))
			tar.len -= 512; /* so that the lie does not fit */
		else
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
	struct policy_tar_facts facts = {0};
	struct err e = ERR_INIT;

	(void)state;
	for (int i = 0; i < 7; i++) {
		cleanup_buf struct buf tar = BUF_INIT;

		tar_put(&tar, &file);
		switch (i) {
		case 0: /* one zero block is enough; padding to a record is fine */
			buf_zero(&tar, i ? 512 : 10240);
			assert_ok(check(&tar, &facts, &e), &e);
			buf_free(&facts.folders);
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
		case 3: /* mkfs.erofs skips a block by its first byte alone */
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
			refused(&tar, "says it has 1 bytes, the archive has 0 left");
		}
	}
}

/* The headers for unnamed folders, put in front, give an archive that names them all; GNU tar reads them alike. */
static void unnamed_folders_are_made_up_in_order(void **state)
{
	static const char list[] = "drwxr-xr-x 0/0 ./\ndrwxr-xr-x 0/0 ./b/\ndrwxr-xr-x 0/0 ./b/c/\n-rw-r--r-- 0/0 a\n"
				   "-rw-r--r-- 0/0 b/c/d\ndrw-r--r-- 0/0 e/\n-rw-r--r-- 0/0 e/f\n";
	const char *const argv[] = {"sh", "-c", "tar --numeric-owner -tvf - | awk '{print $1, $2, $6}'", NULL};
	static const struct tar_entry entries[] = {
		{.name = "a"}, {.name = "b/c/d"}, {.name = "e/", .type = '5'}, {.name = "e/f"}};
	cleanup_buf struct buf tar = BUF_INIT;
	cleanup_buf struct buf out = BUF_INIT;
	struct proc_params p = {.argv = argv, .out = &out, .out_max = 4096, .quiet = 1};
	struct policy_tar_facts facts = {0}, again = {0};
	cleanup_fd int fd = memfd_create("whole", MFD_CLOEXEC);
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		tar_put(&tar, &entries[i]);
	tar_end(&tar);
	assert_ok(check(&tar, &facts, &e), &e);
	assert_int_equal(facts.folders.len, 3 * 512);
	assert_ok(file_write_all(fd, facts.folders.data, facts.folders.len, "memfd", &e), &e);
	assert_ok(file_write_all(fd, tar.data, tar.len, "memfd", &e), &e);
	assert_ok(policy_tar_check(fd, "whole", &again, &e), &e);
	assert_int_equal(again.folders.len, 0);
	assert_int_equal(again.members, facts.members + 3);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	p.stdin_fd = fd;
	assert_ok(proc_run(&p, &e), &e);
	buf_u8(&out, 0);
	assert_string_equal((char *)out.data, list);
	buf_free(&facts.folders);
}

static void a_long_unnamed_folder_gets_a_long_name(void **state)
{
	char prefix[120];
	struct tar_entry entry = {.name = "file", .prefix = prefix};
	cleanup_buf struct buf tar = BUF_INIT;
	struct policy_tar_facts facts = {0}, again = {0};
	struct err e = ERR_INIT;

	(void)state;
	memset(prefix, 'd', sizeof(prefix));
	prefix[sizeof(prefix) - 1] = '\0';
	tar_put(&tar, &entry);
	tar_end(&tar);
	assert_ok(check(&tar, &facts, &e), &e);
	assert_int_equal(facts.folders.len, 4 * 512); /* the top; long name: header, content; the folder */
	buf_put(&facts.folders, tar.data, tar.len);
	assert_ok(check(&facts.folders, &again, &e), &e);
	assert_int_equal(again.folders.len, 0);
	buf_free(&facts.folders);
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
		struct policy_tar_facts facts = {0};
		struct err e = ERR_INIT;

		(void)snprintf(command, sizeof(command), "tar --format=%s -cf - policy common tests/policy",
			       formats[i]);
		assert_ok(proc_run(&p, &e), &e);
		assert_ok(check(&tar, &facts, &e), &e);
		assert_true(facts.members > 30);
		buf_free(&facts.folders);
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
	} cases[] = {
		{"good-pax", 8, NULL},
		{"good-gnu-long-names", 8, NULL},
		{"good-ustar", 3, NULL},
		{"bad-dotdot", 0, "\"../b/f\" has a part"},
		{"bad-v7", 0, "magic is neither POSIX's nor GNU's"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_buf struct buf tar = BUF_INIT;
		struct err e = ERR_INIT;
		char path[128];

		(void)snprintf(path, sizeof(path), "tests/data/tar/%s.tar", cases[i].name);
		assert_ok(file_read(path, 1 << 20, &tar, &e), &e);
		if (cases[i].part)
			refused(&tar, cases[i].part);
		else
			accepted(&tar, cases[i].members);
	}
}

static void what_is_no_file_is_refused(void **state)
{
	struct policy_tar_facts facts = {0};
	struct err e = ERR_INIT;
	int pipes[2];

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	assert_refused(policy_tar_check(pipes[0], "pipe", &facts, &e), &e, EINVAL, "pipe: is no regular file");
	(void)close(pipes[0]);
	(void)close(pipes[1]);
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
		cmocka_unit_test(unnamed_folders_are_made_up_in_order),
		cmocka_unit_test(a_long_unnamed_folder_gets_a_long_name),
		cmocka_unit_test(real_tars_are_accepted),
		cmocka_unit_test(stored_tars_are_judged_by_their_names),
		cmocka_unit_test(what_is_no_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
