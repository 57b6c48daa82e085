/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/verity/test_verify.c - every flipped bit is found, of every kind of tree, and the blocks named are the bad ones */
#include "tests/common/check.h"

#include "verity/build.h"
#include "verity/verify.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FOUND 16

/* struct image - data, and the tree behind it, in one file in memory; @found: what verify --all told */
struct image {
	int fd;
	struct verity_sb sb;
	struct verity_geometry geo;
	uint64_t sb_at, tree_at, end;
	uint8_t root_hash[HASH_MAX_BYTES];
	struct verity_finding found[MAX_FOUND];
	size_t n_found;
};

static void make(struct image *im, uint32_t type, enum hash_alg alg, uint32_t block, uint64_t blocks)
{
	struct verity_build_params p = {.sb = &im->sb, .threads = 2};
	struct err e = ERR_INIT;

	*im = (struct image){.fd = memfd_create("image", MFD_CLOEXEC)};
	assert_true(im->fd >= 0);
	verity_sb_init(&im->sb);
	im->sb.hash_type = type;
	im->sb.alg = alg;
	memset(im->sb.algorithm, 0, sizeof(im->sb.algorithm));
	memcpy(im->sb.algorithm, hash_name(alg), strlen(hash_name(alg)));
	im->sb.data_block_bytes = im->sb.hash_block_bytes = block;
	im->sb.data_blocks = blocks;
	im->sb.salt_bytes = 5;
	memcpy(im->sb.salt, "salt5", 5);
	im->geo = verity_geometry_of(&im->sb);
	p.data = p.hash = (struct verity_file){.fd = im->fd, .name = "image"};
	for (uint64_t at = 0; at < blocks * block; at += 512) {
		uint8_t piece[512];

		for (size_t i = 0; i < sizeof(piece); i++)
			piece[i] = (uint8_t)(at / 512 * 37 + (at >> 17) + i);
		assert_ok(verity_io_write(&p.data, piece, sizeof(piece), at, &e), &e);
	}
	p.hash_offset_bytes = im->sb_at = blocks * block;
	assert_ok(verity_build_area(&p, &im->tree_at, &im->end, &e), &e);
	assert_ok(verity_build(&p, im->root_hash, &e), &e);
}

static void note(void *arg, const struct verity_finding *f)
{
	struct image *im = arg;

	if (im->n_found < MAX_FOUND)
		im->found[im->n_found] = *f;
	im->n_found++;
}

/* @ret->first.verdict stays UNSET if it could not be checked. */
static void verify(struct image *im, unsigned threads, bool all, struct verity_verify_result *ret, struct err *e)
{
	struct verity_verify_params p = {.hash_offset_bytes = im->sb_at,
					 .root_hash = im->root_hash,
					 .root_hash_bytes = im->geo.digest_bytes,
					 .threads = threads,
					 .all = all ? note : NULL,
					 .arg = im};

	*ret = (struct verity_verify_result){0};
	im->n_found = 0;
	p.data = p.hash = (struct verity_file){.fd = im->fd, .name = "image"};
	if (verity_verify(&p, ret, e))
		ret->first.verdict = VERITY_VERDICT_UNSET;
}

static void flip(const struct image *im, uint64_t bit)
{
	uint8_t byte;

	assert_int_equal(pread(im->fd, &byte, 1, (off_t)(bit / 8)), 1);
	byte ^= (uint8_t)(1 << bit % 8);
	assert_int_equal(pwrite(im->fd, &byte, 1, (off_t)(bit / 8)), 1);
}

/* The block that bit @bit is in, as verify should name it. */
static struct verity_finding block_of(const struct image *im, uint64_t bit)
{
	struct verity_finding f = {.verdict = VERITY_VERDICT_BAD, .level = VERITY_LEVEL_NONE};
	uint64_t at = bit / 8, block = im->sb.data_block_bytes;

	if (at < im->sb_at)
		return (struct verity_finding){VERITY_VERDICT_BAD, VERITY_LEVEL_DATA, at / block, at / block * block};
	for (unsigned i = 0; at >= im->tree_at && i < im->geo.n; i++) {
		uint64_t from = im->tree_at + im->geo.first[i] * block;

		if (at >= from && at < from + im->geo.blocks[i] * block)
			return (struct verity_finding){VERITY_VERDICT_BAD, (int)i, (at - from) / block, at / block * block};
	}
	return f;
}

static void assert_found(struct image *im, uint64_t bit, unsigned threads)
{
	bool is_uuid = bit / 8 >= im->sb_at + 16 && bit / 8 < im->sb_at + 32;
	struct verity_finding want = block_of(im, bit);
	struct verity_verify_result res;
	struct err e = ERR_INIT;

	flip(im, bit);
	verify(im, threads, false, &res, &e);
	flip(im, bit);
	if (is_uuid) { /* the one thing nobody signs */
		assert_int_equal(res.first.verdict, VERITY_VERDICT_GOOD);
		return;
	}
	if (res.first.verdict == VERITY_VERDICT_GOOD)
		fail_msg("bit %llu of byte %llu is not found", (unsigned long long)bit % 8, (unsigned long long)bit / 8);
	if (want.level == VERITY_LEVEL_NONE)
		return; /* in the superblock: bad, or of a kind that cannot be checked */
	if (res.first.verdict != VERITY_VERDICT_BAD || res.first.level != want.level || res.first.block != want.block ||
	    res.first.offset_bytes != want.offset_bytes)
		fail_msg("byte %llu: named level %d block %llu offset %llu (%s)", (unsigned long long)bit / 8, res.first.level,
			 (unsigned long long)res.first.block, (unsigned long long)res.first.offset_bytes, e.msg);
}

/* Data, superblock and tree, bit for bit: two levels of sha256 and of sha512. The rest is sampled. */
static void each_bit_of_small_images_is_found(void **state)
{
	static const struct {
		uint32_t type;
		enum hash_alg alg;
		uint64_t blocks, step;
	} kinds[] = {{1, HASH_SHA256, 17, 1}, {1, HASH_SHA512, 9, 1}, {0, HASH_SHA1, 17, 7}, {0, HASH_SHA512, 1, 3}, {1, HASH_SHA1, 2, 3}};

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct verity_verify_result res;
		struct err e = ERR_INIT;
		struct image im;

		make(&im, kinds[k].type, kinds[k].alg, 512, kinds[k].blocks);
		for (uint64_t bit = 0; bit < im.end * 8; bit += kinds[k].step)
			assert_found(&im, bit, 1);
		verify(&im, 1, false, &res, &e);
		assert_int_equal(res.first.verdict, VERITY_VERDICT_GOOD);
		assert_int_equal(close(im.fd), 0);
	}
}

static void bits_of_a_large_image_are_found_by_all_threads(void **state)
{
	struct image im;
	uint64_t x = 12345;

	(void)state;
	make(&im, 1, HASH_SHA256, 4096, 2200);
	for (unsigned i = 0; i < 120; i++) {
		uint64_t from = i % 3 == 0 ? im.tree_at : 0, n = i % 3 == 0 ? im.end - im.tree_at : im.sb_at;

		x = x * 6364136223846793005u + 1442695040888963407u;
		assert_found(&im, (from + (x >> 20) % n) * 8 + i % 8, i % 4 + 1);
	}
	assert_int_equal(close(im.fd), 0);
}

static void all_lists_every_bad_block_and_counts_what_is_below(void **state)
{
	static const uint64_t bad_data[] = {0, 3, 77, 127, 200, 299};
	struct verity_verify_result res;
	struct err e = ERR_INIT;
	struct image im;

	(void)state;
	make(&im, 1, HASH_SHA256, 4096, 300); /* level 1: one block; level 0: three */
	for (size_t i = 0; i < ARRAY_SIZE(bad_data); i++)
		flip(&im, (bad_data[i] * 4096 + 100) * 8);
	verify(&im, 2, true, &res, &e);
	assert_int_equal(im.n_found, ARRAY_SIZE(bad_data));
	assert_int_equal(res.bad_blocks, ARRAY_SIZE(bad_data));
	assert_int_equal(res.unjudged_blocks, 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad_data); i++) {
		assert_int_equal(im.found[i].level, VERITY_LEVEL_DATA);
		assert_int_equal(im.found[i].block, bad_data[i]);
	}
	flip(&im, (im.tree_at + (im.geo.first[0] + 1) * 4096 + 4095) * 8); /* over data blocks 128 to 255 */
	verify(&im, 3, true, &res, &e);
	assert_int_equal(im.n_found, 6);
	assert_int_equal(im.found[0].level, 0);
	assert_int_equal(im.found[0].block, 1);
	assert_int_equal(im.found[4].block, 127);
	assert_int_equal(im.found[5].block, 299);
	assert_int_equal(res.unjudged_blocks, 128);
	assert_int_equal(res.first.level, 0);
	assert_non_null(strstr(e.msg, "block 1 of level 0"));
	flip(&im, im.tree_at * 8); /* the top: nothing can be judged */
	verify(&im, 1, true, &res, &e);
	assert_int_equal(im.n_found, 1);
	assert_int_equal(im.found[0].level, 1);
	assert_int_equal(res.unjudged_blocks, 303);
	assert_false(res.cut);
	assert_int_equal(close(im.fd), 0);
}

static void a_list_that_is_too_long_is_cut_and_says_so(void **state)
{
	struct verity_verify_result res;
	struct err e = ERR_INIT;
	struct image im;

	(void)state;
	make(&im, 1, HASH_SHA256, 512, 2 * VERITY_MAX_BAD_RANGES + 10);
	for (uint64_t i = 0; i < im.sb.data_blocks; i += 2)
		flip(&im, i * 512 * 8);
	verify(&im, 2, true, &res, &e);
	assert_int_equal(res.first.verdict, VERITY_VERDICT_BAD);
	assert_true(res.cut);
	assert_true(res.bad_blocks <= VERITY_MAX_BAD_RANGES && res.bad_blocks > 1000);
	assert_int_equal(close(im.fd), 0);
}

/* Whatever else the superblock says of the size, the root hash does not go with it. */
static void the_number_of_blocks_is_held_to_the_tree(void **state)
{
	struct verity_verify_params p = {0};
	struct verity_verify_result res;
	struct verity_sb sb;
	struct image im;

	(void)state;
	make(&im, 1, HASH_SHA256, 512, 200);
	p.data = p.hash = (struct verity_file){.fd = im.fd, .name = "image"};
	p.no_superblock = &sb;
	p.hash_offset_bytes = im.tree_at;
	p.root_hash = im.root_hash;
	p.root_hash_bytes = 32;
	for (uint64_t n = 1; n < 300; n++) {
		struct err e = ERR_INIT;

		sb = im.sb;
		sb.data_blocks = n;
		assert_ok(verity_verify(&p, &res, &e), &e);
		assert_int_equal(res.first.verdict, n == 200 ? VERITY_VERDICT_GOOD : VERITY_VERDICT_BAD);
	}
	assert_int_equal(close(im.fd), 0);
}

static void what_cannot_be_checked_is_no_verdict(void **state)
{
	struct verity_verify_params p = {0};
	struct verity_verify_result res;
	uint8_t sb[VERITY_SB_BYTES];
	struct err e = ERR_INIT;
	struct image im;

	(void)state;
	make(&im, 1, HASH_SHA256, 4096, 3);
	p.data = p.hash = (struct verity_file){.fd = im.fd, .name = "image"};
	p.hash_offset_bytes = im.sb_at;
	p.root_hash = im.root_hash;
	p.root_hash_bytes = 20;
	assert_refused(verity_verify(&p, &res, &e), &e, EINVAL, "a root hash of 20 bytes was given, sha256 makes 32");
	memcpy(im.sb.algorithm, "sha384", 7);
	verity_sb_encode(&im.sb, sb);
	p.root_hash_bytes = 32;
	assert_int_equal(pwrite(im.fd, sb, sizeof(sb), (off_t)im.sb_at), sizeof(sb));
	assert_refused(verity_verify(&p, &res, &e), &e, ENOTSUP, "algorithm sha384");
	p.hash_offset_bytes = UINT64_MAX;
	assert_refused(verity_verify(&p, &res, &e), &e, EINVAL, "out of range");
	assert_int_equal(close(im.fd), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_bit_of_small_images_is_found),
		cmocka_unit_test(bits_of_a_large_image_are_found_by_all_threads),
		cmocka_unit_test(all_lists_every_bad_block_and_counts_what_is_below),
		cmocka_unit_test(a_list_that_is_too_long_is_cut_and_says_so),
		cmocka_unit_test(the_number_of_blocks_is_held_to_the_tree),
		cmocka_unit_test(what_cannot_be_checked_is_no_verdict),
	};

	return cmocka_run_group_tests_name("verity/verify", tests, NULL, NULL);
}
