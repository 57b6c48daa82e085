/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/verity/test_geometry.c - levels and offsets of every kind of tree, up to the largest data there can be */
#include "tests/common/check.h"

#include "verity/build.h"
#include "verity/verify.h"

#include <sys/mman.h>
#include <unistd.h>

static struct verity_sb kind(uint32_t type, enum hash_alg alg, uint32_t data_block, uint32_t hash_block)
{
	struct verity_sb sb;

	verity_sb_init(&sb);
	sb.hash_type = type;
	sb.alg = alg;
	sb.data_block_bytes = data_block;
	sb.hash_block_bytes = hash_block;
	return sb;
}

/* The rules of the format once more, by 128-bit arithmetic. */
static void assert_geometry(const struct verity_sb *sb)
{
	struct verity_geometry g = verity_geometry_of(sb);
	unsigned __int128 below = sb->data_blocks, sum = 0, end;

	assert_true(g.per_block >= 8 && (g.per_block & (g.per_block - 1)) == 0);
	assert_true(g.per_block * g.digest_bytes <= g.hash_block_bytes && 2 * g.per_block * g.digest_bytes > g.hash_block_bytes);
	assert_true(g.per_block * g.stride_bytes <= g.hash_block_bytes && g.stride_bytes >= g.digest_bytes);
	for (unsigned i = 0; i < g.n; i++) {
		unsigned __int128 want = (below + g.per_block - 1) / g.per_block;

		assert_true(g.blocks[i] == want);
		sum += want;
		below = want;
	}
	assert_true(below == 1 && g.tree_blocks == sum && g.n <= VERITY_MAX_LEVELS);
	for (unsigned i = 0; i < g.n; i++) {
		assert_true(g.first[i] + g.blocks[i] <= g.tree_blocks);
		assert_true(i + 1 == g.n ? g.first[i] == 0 : g.first[i] == g.first[i + 1] + g.blocks[i + 1]);
	}
	end = (unsigned __int128)verity_tree_offset(sb, VERITY_MAX_AT_BYTES / 512 * 512) + sum * g.hash_block_bytes;
	assert_true(end <= (unsigned __int128)INT64_MAX); /* so no offset can overflow off_t */
	assert_true(verity_tree_bytes(sb) == sum * g.hash_block_bytes);
}

static void every_kind_up_to_the_largest_data(void **state)
{
	static const enum hash_alg algs[] = {HASH_SHA256, HASH_SHA512, HASH_SHA1};

	(void)state;
	for (unsigned kinds = 0; kinds < 2 * ARRAY_SIZE(algs); kinds++)
		for (uint32_t d = 512; d <= 65536; d *= 2)
			for (uint32_t h = 512; h <= 65536; h *= 2) {
				struct verity_sb sb = kind(kinds % 2, algs[kinds / 2], d, h);
				uint64_t most = VERITY_MAX_DATA_BYTES / d;

				for (uint64_t n = 1; n < most / 2; n = n * 2 + 1)
					for (int by = -1; by <= 1; by++) {
						sb.data_blocks = n + (uint64_t)by ? n + (uint64_t)by : 1;
						assert_geometry(&sb);
					}
				sb.data_blocks = most;
				assert_geometry(&sb);
			}
}

/* A sparse file in memory can be as large as a file can: the tree stands at its far end. */
static void a_tree_at_the_far_end_of_a_file(void **state)
{
	static const uint64_t offsets[] = {4096, 1ull << 32, (1ull << 40) + 512, VERITY_MAX_AT_BYTES / 4096 * 4096};
	uint8_t block[4096], root_hash[HASH_MAX_BYTES], first[HASH_MAX_BYTES] = {0};
	cleanup_fd int data_fd = memfd_create("data", MFD_CLOEXEC);
	struct verity_file data = {.fd = data_fd, .name = "data"};
	struct verity_sb sb = kind(1, HASH_SHA256, 4096, 4096);
	struct err e = ERR_INIT;

	(void)state;
	assert_true(data_fd >= 0);
	sb.data_blocks = 300;
	for (unsigned i = 0; i < 300; i++) {
		memset(block, (int)i, sizeof(block));
		assert_ok(verity_io_write(&data, block, sizeof(block), i * 4096ull, &e), &e);
	}
	for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
		cleanup_fd int hash_fd = memfd_create("hash", MFD_CLOEXEC);
		struct verity_build_params p = {
			.sb = &sb, .data = data, .hash = {.fd = hash_fd, .name = "hash"}, .hash_offset_bytes = offsets[i]};
		struct verity_finding found;

		assert_ok(verity_build(&p, root_hash, &e), &e);
		assert_true(i == 0 || !memcmp(root_hash, first, 32));
		memcpy(first, root_hash, 32);
		assert_ok(verity_verify_fd(data_fd, hash_fd, offsets[i], root_hash, &found, &e), &e);
		assert_int_equal(found.verdict, VERITY_VERDICT_GOOD);
	}
}

static void hash_areas_at_impossible_places_are_refused(void **state)
{
	struct verity_sb sb = kind(1, HASH_SHA256, 4096, 4096);
	struct verity_build_params p = {.sb = &sb, .data = {.fd = 3, .name = "data"}, .hash = {.fd = 4, .name = "hash"}};
	uint64_t at = 0, end = 0;
	struct err e = ERR_INIT;

	(void)state;
	assert_refused(verity_build_area(&p, &at, &end, &e), &e, EINVAL, "over 0 blocks");
	sb.data_blocks = VERITY_MAX_DATA_BYTES / 4096 + 1;
	assert_refused(verity_build_area(&p, &at, &end, &e), &e, EINVAL, "cannot make a hash tree over");
	sb.data_blocks = 128;
	assert_ok(verity_build_area(&p, &at, &end, &e), &e);
	assert_true(at == 4096 && end == 8192);
	p.hash_offset_bytes = 100;
	assert_refused(verity_build_area(&p, &at, &end, &e), &e, EINVAL, "offset 100, wanted a multiple of 512");
	p.hash_offset_bytes = VERITY_MAX_DATA_BYTES / 512 * 512;
	assert_refused(verity_build_area(&p, &at, &end, &e), &e, EINVAL, "cannot begin at offset");
	p.no_superblock = true;
	p.hash_offset_bytes = 512;
	assert_refused(verity_build_area(&p, &at, &end, &e), &e, EINVAL, "wanted a multiple of 4096");
	p.no_superblock = false;
	p.data.fd = p.hash.fd;
	p.hash_offset_bytes = 128 * 4096 - 512;
	assert_refused(verity_build_area(&p, &at, &end, &e), &e, EINVAL, "begins within the 524288 bytes of data");
	p.hash_offset_bytes = 128 * 4096;
	assert_ok(verity_build_area(&p, &at, &end, &e), &e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_up_to_the_largest_data),
		cmocka_unit_test(a_tree_at_the_far_end_of_a_file),
		cmocka_unit_test(hash_areas_at_impossible_places_are_refused),
	};

	return cmocka_run_group_tests_name("verity/geometry", tests, NULL, NULL);
}
