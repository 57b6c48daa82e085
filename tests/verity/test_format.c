/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/verity/test_format.c - files are formatted whole or not at all, and every flipped bit is found again
 *
 * Byte identity with veritysetup is shown by test_golden.c and against_veritysetup.
 */
#include "tests/common/check.h"

#include "common/file.h"
#include "verity/edge.h"
#include "verity/format.h"
#include "verity/verify.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

static const char *in_dir(const char *name)
{
	static char path[4][160];
	static unsigned next;
	char *p = path[next++ % 4];

	(void)snprintf(p, 160, "%s/%s", dir, name);
	return p;
}

/* sha256, 4096/4096, and a salt: without one the hash type makes no difference. */
static struct verity_format_params usual(void)
{
	struct verity_format_params p = {0};

	verity_sb_init(&p.sb);
	p.sb.salt_bytes = 3;
	memcpy(p.sb.salt, "abc", 3);
	return p;
}

/* A file of @bytes, each block different. */
static const char *make_data(const char *name, size_t bytes)
{
	const char *path = in_dir(name);
	uint8_t *data = malloc(bytes ? bytes : 1);
	struct err e = ERR_INIT;

	assert_non_null(data);
	for (size_t i = 0; i < bytes; i++)
		data[i] = (uint8_t)(i * 7 + i / 4096 * 13);
	assert_ok(file_write(path, data, bytes, 0600, &e), &e);
	free(data);
	return path;
}

static off_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : -1;
}

static enum verity_verdict verify(const char *data, const char *hash, uint64_t offset,
				  const uint8_t root_hash[static 32], struct verity_finding *f, struct err *e)
{
	cleanup_fd int data_fd = open(data, O_RDONLY | O_CLOEXEC), hash_fd = open(hash, O_RDONLY | O_CLOEXEC);

	*f = (struct verity_finding){.verdict = VERITY_VERDICT_UNSET};
	assert_true(data_fd >= 0 && hash_fd >= 0);
	return verity_verify_fd(data_fd, hash_fd, offset, root_hash, f, e) == 0 ? f->verdict : VERITY_VERDICT_UNSET;
}

static void appended_and_separate_trees_have_one_root_hash_and_verify(void **state)
{
	struct verity_format_params p = usual();
	struct verity_format_result apart, behind;
	struct verity_finding f;
	struct err e = ERR_INIT;

	(void)state;
	p.data_path = make_data("data", 130 * 4096);
	p.hash_path = in_dir("hash");
	assert_ok(verity_format(&p, &apart, &e), &e);
	assert_int_equal(size_of(p.hash_path), 4 * 4096);
	assert_int_equal(apart.hash_offset_bytes, 0);
	assert_int_equal(verify(p.data_path, p.hash_path, 0, apart.root_hash, &f, &e), VERITY_VERDICT_GOOD);
	p.hash_path = NULL;
	assert_ok(verity_format(&p, &behind, &e), &e);
	assert_int_equal(behind.hash_offset_bytes, 130 * 4096);
	assert_int_equal(size_of(p.data_path), 134 * 4096);
	assert_memory_equal(apart.root_hash, behind.root_hash, 32);
	assert_int_equal(verify(p.data_path, p.data_path, 130 * 4096, behind.root_hash, &f, &e), VERITY_VERDICT_GOOD);
	behind.root_hash[31] ^= 1;
	assert_int_equal(verify(p.data_path, p.data_path, 130 * 4096, behind.root_hash, &f, &e), VERITY_VERDICT_BAD);
	assert_int_equal(f.level, 1);
	assert_non_null(strstr(e.msg, "the root hash"));
}

static void refused_sizes_leave_nothing_behind(void **state)
{
	static const size_t sizes[] = {0, 1, 4095, 4097, 8191};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct verity_format_params p = usual();
		struct verity_format_result res;
		struct err e = ERR_INIT;

		p.data_path = make_data("odd", sizes[i]);
		p.hash_path = in_dir("odd-hash");
		assert_refused(verity_format(&p, &res, &e), &e, EINVAL, "wanted a multiple of 4096 and not 0");
		assert_int_equal(size_of(p.hash_path), -1);
		p.hash_path = NULL;
		assert_refused(verity_format(&p, &res, &e), &e, EINVAL, "wanted a multiple of 4096 and not 0");
		assert_int_equal(size_of(p.data_path), sizes[i]);
	}
}

static void wrong_places_are_refused(void **state)
{
	struct verity_format_params p = usual();
	struct verity_format_result res;
	struct err e = ERR_INIT;

	(void)state;
	p.data_path = in_dir("absent");
	p.hash_path = in_dir("hash");
	assert_refused(verity_format(&p, &res, &e), &e, ENOENT, "/absent");
	p.data_path = make_data("data2", 4096);
	p.hash_path = p.data_path;
	assert_refused(verity_format(&p, &res, &e), &e, EINVAL, "is the data itself");
	p.hash_path = "/dev/full";
	assert_refused(verity_format(&p, &res, &e), &e, EINVAL, "not a regular file or block device");
	p.data_path = "/dev/zero";
	assert_refused(verity_format(&p, &res, &e), &e, EINVAL, "/dev/zero is not a regular file");
	p.data_path = in_dir("data2");
	p.hash_path = in_dir("no-folder/hash");
	assert_refused(verity_format(&p, &res, &e), &e, ENOENT, "no-folder/hash");
	p.sb.salt_bytes = 257;
	assert_refused(verity_format(&p, &res, &e), &e, EINVAL, "at most 256 bytes");
}

/* With files limited to @limit bytes, format fails with EFBIG; the twin without the limit succeeds. */
static void format_under_limit(struct verity_format_params *p, rlim_t limit)
{
	struct rlimit old, now;
	struct verity_format_result res;
	struct err e = ERR_INIT;
	int r;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	now = (struct rlimit){.rlim_cur = limit, .rlim_max = old.rlim_max};
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
	r = verity_format(p, &res, &e);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_refused(r, &e, EFBIG, "cannot write");
}

static void a_file_that_cannot_grow_is_left_as_it_was(void **state)
{
	struct verity_format_params p = usual();
	struct verity_format_result res;
	struct err e = ERR_INIT;

	(void)state;
	p.data_path = make_data("full", 300 * 4096);
	format_under_limit(&p, 301 * 4096);
	assert_int_equal(size_of(p.data_path), 300 * 4096);
	p.hash_path = in_dir("full-hash");
	format_under_limit(&p, 4096);
	assert_int_equal(size_of(p.hash_path), -1);
	assert_ok(verity_format(&p, &res, &e), &e);
	p.hash_path = NULL;
	assert_ok(verity_format(&p, &res, &e), &e);
	assert_int_equal(size_of(p.data_path), 305 * 4096);
}

/* Flip bit @bit of @path, verify, flip it back. */
static enum verity_verdict verify_flipped(const char *path, uint64_t bit, uint64_t offset, const uint8_t *root_hash,
					  struct verity_finding *f)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct err e = ERR_INIT;
	enum verity_verdict v;
	uint8_t byte;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, (off_t)(bit / 8)), 1);
	byte ^= (uint8_t)(1 << bit % 8);
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)(bit / 8)), 1);
	v = verify(path, path, offset, root_hash, f, &e);
	byte ^= (uint8_t)(1 << bit % 8);
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)(bit / 8)), 1);
	assert_int_equal(close(fd), 0);
	return v;
}

static void every_flipped_bit_is_found_and_its_block_named(void **state)
{
	struct verity_format_params p = usual();
	struct verity_format_result res;
	struct verity_finding f;
	struct err e = ERR_INIT;
	uint64_t data_bits = 3 * 4096 * 8, sb_bits = data_bits + 4096 * 8, all_bits;

	(void)state;
	p.data_path = make_data("flip", 3 * 4096);
	assert_ok(verity_format(&p, &res, &e), &e);
	all_bits = (uint64_t)size_of(p.data_path) * 8;
	assert_int_equal(all_bits, sb_bits + 4096 * 8);
	for (uint64_t bit = 0; bit < all_bits; bit += bit < data_bits + 512 * 8 && bit >= data_bits ? 1 : 13) {
		bool is_uuid = bit >= data_bits + 16 * 8 && bit < data_bits + 32 * 8;
		enum verity_verdict v = verify_flipped(p.data_path, bit, 3 * 4096, res.root_hash, &f);

		if (is_uuid) /* the one thing nobody signs */
			assert_int_equal(v, VERITY_VERDICT_GOOD);
		else
			assert_int_not_equal(v, VERITY_VERDICT_GOOD);
		if (bit < data_bits) {
			assert_int_equal(v, VERITY_VERDICT_BAD);
			assert_int_equal(f.level, VERITY_LEVEL_DATA);
			assert_int_equal(f.block, bit / 8 / 4096);
			assert_int_equal(f.offset_bytes, bit / 8 / 4096 * 4096);
		} else if (bit >= sb_bits) {
			assert_int_equal(v, VERITY_VERDICT_BAD);
			assert_int_equal(f.level, 0);
			assert_int_equal(f.offset_bytes, 4 * 4096);
		}
	}
	assert_int_equal(verify(p.data_path, p.data_path, 3 * 4096, res.root_hash, &f, &e), VERITY_VERDICT_GOOD);
}

static void a_bad_tree_block_is_named_rather_than_the_data_below_it(void **state)
{
	struct verity_format_params p = usual();
	struct verity_format_result res;
	struct verity_finding f;
	struct err e = ERR_INIT;
	uint64_t tree = 301ull * 4096;

	(void)state;
	p.data_path = make_data("levels", 300 * 4096);
	assert_ok(verity_format(&p, &res, &e), &e);
	/* tree: level 1 (1 block), level 0 (3 blocks) */
	assert_int_equal(verify_flipped(p.data_path, tree * 8, 300 * 4096, res.root_hash, &f), VERITY_VERDICT_BAD);
	assert_int_equal(f.level, 1);
	assert_int_equal(verify_flipped(p.data_path, (tree + 3 * 4096) * 8, 300 * 4096, res.root_hash, &f),
			 VERITY_VERDICT_BAD);
	assert_int_equal(f.level, 0);
	assert_int_equal(f.block, 2);
	assert_int_equal(verify_flipped(p.data_path, 299ull * 4096 * 8, 300 * 4096, res.root_hash, &f),
			 VERITY_VERDICT_BAD);
	assert_int_equal(f.level, VERITY_LEVEL_DATA);
	assert_int_equal(f.block, 299);
}

/* verity_verify_edge() with the superblock of @path but @blocks data blocks. */
static int verify_edge(const char *path, uint64_t offset, uint64_t blocks, const uint8_t *root_hash, struct err *e)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct verity_sb sb;

	assert_true(fd >= 0);
	assert_ok(verity_sb_read(fd, offset, path, &sb, e), e);
	sb.data_blocks = blocks;
	return verity_verify_edge(fd, fd, offset, &sb, root_hash, e);
}

static void the_edge_of_the_tree_proves_the_size(void **state)
{
	static const uint64_t sizes[] = {1, 2, 128, 129, 300};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct verity_format_params p = usual();
		struct verity_format_result res;
		struct err e = ERR_INIT;
		uint64_t offset = sizes[i] * 4096;

		p.data_path = make_data("edge", sizes[i] * 4096);
		assert_ok(verity_format(&p, &res, &e), &e);
		for (uint64_t blocks = 1; blocks < 400; blocks++) {
			if (blocks == sizes[i])
				assert_ok(verify_edge(p.data_path, offset, blocks, res.root_hash, &e), &e);
			else
				assert_refused(verify_edge(p.data_path, offset, blocks, res.root_hash, &e), &e, EBADMSG,
					       "");
		}
		res.root_hash[0] ^= 1;
		assert_refused(verify_edge(p.data_path, offset, sizes[i], res.root_hash, &e), &e, EBADMSG, "root hash");
	}
}

static void data_that_ends_early_is_bad_and_not_an_io_error(void **state)
{
	struct verity_format_params p = usual();
	struct verity_format_result res;
	struct verity_finding f;
	struct err e = ERR_INIT;

	(void)state;
	p.data_path = make_data("short", 5 * 4096);
	p.hash_path = in_dir("short-hash");
	assert_ok(verity_format(&p, &res, &e), &e);
	assert_int_equal(truncate(p.data_path, 4 * 4096), 0);
	assert_int_equal(verify(p.data_path, p.hash_path, 0, res.root_hash, &f, &e), VERITY_VERDICT_BAD);
	assert_int_equal(f.level, VERITY_LEVEL_NONE);
	assert_non_null(strstr(e.msg, "too early"));
	assert_int_equal(verify(p.hash_path, p.data_path, 0, res.root_hash, &f, &e), VERITY_VERDICT_BAD);
	assert_non_null(strstr(e.msg, "no verity superblock"));
}

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/holdfast-format-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	static const char *const names[] = {"data", "hash",   "odd",  "data2", "full",      "full-hash",
					    "flip", "levels", "edge", "short", "short-hash"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		(void)unlink(in_dir(names[i]));
	return rmdir(dir); /* fails if anything else, such as a temporary file, was left */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appended_and_separate_trees_have_one_root_hash_and_verify),
		cmocka_unit_test(refused_sizes_leave_nothing_behind),
		cmocka_unit_test(wrong_places_are_refused),
		cmocka_unit_test(a_file_that_cannot_grow_is_left_as_it_was),
		cmocka_unit_test(every_flipped_bit_is_found_and_its_block_named),
		cmocka_unit_test(a_bad_tree_block_is_named_rather_than_the_data_below_it),
		cmocka_unit_test(the_edge_of_the_tree_proves_the_size),
		cmocka_unit_test(data_that_ends_early_is_bad_and_not_an_io_error),
	};

	return cmocka_run_group_tests_name("verity/format", tests, make_dir, remove_dir);
}
