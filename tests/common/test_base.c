/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/common/test_base.c - the small pieces everything else stands on: err, reader, buf, hex, hash, file, proc, codes */
#include "tests/common/check.h"

#include "common/buf.h"
#include "common/codes.h"
#include "common/file.h"
#include "common/hash.h"
#include "common/hex.h"
#include "common/proc.h"
#include "common/reader.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

static void errors_carry_code_and_sentence(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(err_set(&e, EINVAL, "found %d", 3), -EINVAL);
	assert_string_equal(e.msg, "found 3");
	assert_int_equal(err_context(&e, "x.conf"), -EINVAL);
	assert_string_equal(e.msg, "x.conf: found 3");
	errno = ENOENT;
	assert_int_equal(err_errno(&e, "cannot open %s", "y"), -ENOENT);
	assert_string_equal(e.msg, "cannot open y: No such file or directory");
	errno = 0;
	assert_int_equal(err_errno(&e, "lost"), -EIO);
}

static void a_reader_never_goes_past_the_end(void **state)
{
	static const uint8_t b[] = { 1, 2, 3, 4, 5 };
	struct reader r = reader_init(b, sizeof(b)), s;

	(void)state;
	assert_int_equal(reader_u16le(&r), 0x0201);
	assert_int_equal(reader_u16be(&r), 0x0304);
	assert_int_equal(reader_offset(&r), 4);
	assert_int_equal(reader_u32le(&r), 0);
	assert_true(r.bad);
	assert_int_equal(reader_u8(&r), 0); /* sticky, though one byte was left */
	assert_false(reader_done(&r));
	r = reader_init(b, sizeof(b));
	s = reader_sub(&r, 2);
	assert_int_equal(reader_u8(&s), 1);
	assert_int_equal(reader_u16be(&s), 0);
	assert_true(s.bad);
	assert_false(r.bad);
	assert_null(reader_bytes(&r, SIZE_MAX));
	assert_true(r.bad);
	r = reader_init(NULL, 0);
	assert_true(reader_done(&r));
}

static void buffers_grow_and_keep_byte_order(void **state)
{
	cleanup_buf struct buf b = BUF_INIT;

	(void)state;
	buf_u32be(&b, 0x01020304);
	buf_u16le(&b, 0x0605);
	buf_utf16(&b, "A");
	buf_pad(&b, 16);
	buf_printf(&b, "%s-%d", "x", 7);
	assert_int_equal(b.len, 19);
	assert_memory_equal(b.data, "\1\2\3\4\5\6A\0\0\0\0\0\0\0\0\0x-7", 19);
	for (int i = 0; i < 1000; i++)
		buf_str(&b, "0123456789");
	assert_int_equal(b.len, 10019);
	assert_false(b.bad);
}

static void hex_has_one_spelling(void **state)
{
	uint8_t out[2] = { 9, 9 };
	char text[5];

	(void)state;
	assert_true(hex_decode("00fe", out, 2));
	hex_encode(out, 2, text);
	assert_string_equal(text, "00fe");
	assert_false(hex_decode("00FE", out, 2));
	assert_false(hex_decode("00f", out, 2));
	assert_false(hex_decode("00fe0", out, 2));
	assert_false(hex_decode("0g00", out, 2));
	assert_int_equal(out[1], 0xfe);
}

static void digests_are_those_of_sha256sum_and_kin(void **state)
{
	/* printf abc | sha1sum; sha256sum; sha384sum; sha512sum (first 8 bytes of each) */
	static const struct {
		enum hash_alg alg;
		const char *hex;
	} known[] = {
		{ HASH_SHA1, "a9993e364706816a" }, { HASH_SHA256, "ba7816bf8f01cfea" },
		{ HASH_SHA384, "cb00753f45a35e8b" }, { HASH_SHA512, "ddaf35a193617aba" },
	};
	uint8_t d[HASH_MAX_BYTES], pcr[32] = { 0 };
	char hex[65];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		assert_true(hash_once(known[i].alg, "abc", 3, d));
		hex_encode(d, 8, hex);
		assert_string_equal(hex, known[i].hex);
	}
	assert_false(hash_once(HASH_SM3, "abc", 3, d));
	assert_int_equal(hash_bytes(0x999), 0);
	/* (head -c32 /dev/zero; head -c32 /dev/zero) | sha256sum */
	assert_true(hash_extend(HASH_SHA256, pcr, (uint8_t[32]){ 0 }));
	hex_encode(pcr, 32, hex);
	assert_string_equal(hex, "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b");
	assert_false(hash_equal("ab", 2, "a", 1));
	assert_true(hash_equal("ab", 2, "ab", 2));
	assert_false(hash_equal("ab", 2, "ac", 2));
}

static size_t entries(const char *dir)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		(void)closedir(d);
	return n;
}

static void files_are_published_whole_or_not_at_all(void **state)
{
	char dir[] = "/tmp/holdfast-test-XXXXXX", path[128], deep[128];
	cleanup_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/a", dir);
	assert_ok(file_write(path, "hello", 5, 0644, &e), &e);
	assert_ok(file_read(path, 5, &b, &e), &e);
	assert_string_equal((char *)b.data, "hello");
	buf_free(&b);
	assert_refused(file_read(path, 4, &b, &e), &e, EFBIG, "larger than 4 bytes");
	assert_int_equal(entries(dir), 3);
	(void)snprintf(deep, sizeof(deep), "%s/no/such", dir);
	assert_refused(file_write(deep, "x", 1, 0644, &e), &e, ENOENT, "cannot create");
	/* A folder stands where the file should go: rename fails, and no temporary file may stay. */
	(void)snprintf(deep, sizeof(deep), "%s/d/e", dir);
	assert_ok(file_mkdirs(deep, &e), &e);
	(void)snprintf(deep, sizeof(deep), "%s/d", dir);
	assert_true(file_write(deep, "x", 1, 0644, &e) < 0);
	assert_int_equal(entries(dir), 4);
	assert_int_equal(unlink(path), 0);
	(void)snprintf(path, sizeof(path), "rm -r %s", dir);
	assert_int_equal(system(path), 0);
}

static void a_full_disk_is_an_error(void **state)
{
	cleanup_fd int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct err e = ERR_INIT;

	(void)state;
	assert_true(fd >= 0);
	assert_refused(file_write_all(fd, "x", 1, "/dev/full", &e), &e, ENOSPC, "cannot write /dev/full");
}

static void programs_that_fail_say_why(void **state)
{
	const char *const good[] = { "sh", "-c", "echo $X; echo no >&2", NULL };
	const char *const bad[] = { "sh", "-c", "echo first >&2; echo the reason >&2; exit 3", NULL };
	const char *const none[] = { "holdfast-no-such-program", NULL };
	const char *const env[] = { "X=42", NULL };
	cleanup_buf struct buf out = BUF_INIT;
	struct proc_params p = { .argv = good, .env = env, .out = &out, .out_max = 10, .quiet = 1 };
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(proc_run(&p, &e), &e);
	assert_memory_equal(out.data, "42\n", 3);
	p.argv = bad;
	assert_refused(proc_run(&p, &e), &e, ECHILD, "sh failed with status 3: the reason");
	p.argv = none;
	assert_refused(proc_run(&p, &e), &e, ENOENT, "is not installed");
	p.argv = good;
	p.out_max = 1;
	assert_refused(proc_run(&p, &e), &e, EFBIG, "more than 1 bytes");
}

static void every_code_is_unique_and_explained(void **state)
{
	const struct code_info *t = code_table();

	(void)state;
	for (size_t i = 0; t[i].code; i++) {
		assert_in_range(t[i].code, 10, 99);
		assert_true(t[i].text && t[i].cause && t[i].action);
		assert_ptr_equal(code_info(t[i].code), &t[i]);
		assert_string_equal(code_text(t[i].code), t[i].text);
		for (size_t k = 0; k < i; k++)
			assert_true(t[k].code < t[i].code);
	}
	assert_int_equal(code_info(9)->code, CODE_INTERNAL);
	assert_string_equal(code_text(9), code_info(CODE_INTERNAL)->text);
	assert_false(code_is_known(CODE_NONE) || code_is_known(9) || code_is_known(99) || code_is_known(100));
	assert_true(code_is_known(CODE_CONSOLE) && code_is_known(CODE_INTERNAL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_carry_code_and_sentence),
		cmocka_unit_test(a_reader_never_goes_past_the_end),
		cmocka_unit_test(buffers_grow_and_keep_byte_order),
		cmocka_unit_test(hex_has_one_spelling),
		cmocka_unit_test(digests_are_those_of_sha256sum_and_kin),
		cmocka_unit_test(files_are_published_whole_or_not_at_all),
		cmocka_unit_test(a_full_disk_is_an_error),
		cmocka_unit_test(programs_that_fail_say_why),
		cmocka_unit_test(every_code_is_unique_and_explained),
	};

	return cmocka_run_group_tests_name("common", tests, NULL, NULL);
}
