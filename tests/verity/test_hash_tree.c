/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/verity/test_hash_tree.c - trees made of a stream of data, whole or in pieces; test_golden has the other kinds
 *
 * Data: byte i of block b is b * 131 + (b >> 8) * 17 + (i mod 256) * 7, mod 256. The root hashes below are those of
 *   veritysetup format DATA HASH --salt=SALT --uuid=00000000-0000-0000-0000-000000000000   (cryptsetup 2.6.1)
 */
#include "tests/common/check.h"

#include "common/hex.h"
#include "verity/hash_tree.h"

#include <fcntl.h>
#include <unistd.h>

#define SALT "00112233445566778899aabbccddeeff"

static const struct known {
	uint64_t blocks;
	const char *salt;
	const char *root_hash;
} known[] = {
	{1, "", "d010f6d76d0eb4dce5d5b5b34014a8a157ec4380a66c24d7d455a9bf652db14a"},
	{1, SALT, "304843b8bf230449cc87ec7d1dc2a19397ef701a6acad3e5f7aa697068cb9e5a"},
	{2, "", "52662b1d203cdacfce8ff00277f42de8bc8de01d4dc0c518fd91cbd56911f7a9"},
	{2, SALT, "598642692ba90b362ede766865bbfc4a6e88498ecd415e8eb15c2bf0dfb3aa57"},
	{127, "", "cb3f6535a0f69b9a93f351cc6729e98b3484ec484d033ca12c20f3e859bf0d20"},
	{127, SALT, "885457c26c68d8c54408c90b214c49347fea1d6585da67478ec3b950bf37bdf9"},
	{128, "", "06d2696fb41a82028181138eb0ce5df43baecc06fb59e6fda0192294b0707905"},
	{128, SALT, "25ecac38cbf95790d72d0044cf1d9d627125b93fdde05839e942d5666cb4196a"},
	{129, "", "0284d8b865f35cbb762e25d90dee927c3741abe663648dba21ff48731d0ee2ed"},
	{129, SALT, "46743888ec7d9e03f3fdd67508d01948f169f13d6ebdf15d671bd71c8814ddbd"},
	{16384, "", "2c4ad9a20dee30bb4870cbed7a96752d99dec7e8c0e6bd6953a06d9e6c938cfa"},
	{16384, SALT, "95a86d812a4bf4b902a43abe8adee46e8b767d7cd0e6dd8677330081b093b037"},
	{16385, "", "597758b0d7093eea7cda7329d00e1c92c61816f5b859c05c03201d371732022b"},
	{16385, SALT, "45786d4b1ddb7a8fd8400a0a01fe6a905c67c075f33359b2787c8d773dcb1124"},
};

static void fill(uint64_t b, uint8_t block[static VERITY_BLOCK_BYTES])
{
	for (size_t i = 0; i < VERITY_BLOCK_BYTES; i++)
		block[i] = (uint8_t)(b * 131 + (b >> 8) * 17 + (i & 255) * 7);
}

static struct verity_sb sb_of(const struct known *k)
{
	struct verity_sb sb;

	verity_sb_init(&sb);
	sb.data_blocks = k->blocks;
	sb.salt_bytes = (uint16_t)(strlen(k->salt) / 2);
	assert_true(hex_decode(k->salt, sb.salt, sb.salt_bytes));
	return sb;
}

/* The whole stream of @k, given in pieces of @piece bytes (0: a block each). @fd as in verity_tree_params. */
static void build(const struct known *k, int fd, size_t piece, uint8_t root_hash[static HASH_MAX_BYTES])
{
	cleanup_verity_tree struct verity_tree *t = NULL;
	struct verity_sb sb = sb_of(k);
	struct verity_tree_params p = {.sb = &sb, .fd = fd, .name = "tree", .tree_offset_bytes = VERITY_BLOCK_BYTES};
	struct err e = ERR_INIT;

	assert_ok(verity_tree_begin(&p, &t, &e), &e);
	for (uint64_t b = 0; b < k->blocks; b++) {
		uint8_t block[VERITY_BLOCK_BYTES];
		size_t step = piece ? piece : sizeof(block);

		fill(b, block);
		for (size_t at = 0; at < sizeof(block); at += step) {
			size_t n = sizeof(block) - at < step ? sizeof(block) - at : step;

			assert_ok(verity_tree_update(t, block + at, n, &e), &e);
		}
	}
	assert_ok(verity_tree_finish(t, root_hash, &e), &e);
}

static void known_root_hashes_are_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		char hex[2 * HASH_SHA256_BYTES + 1];
		uint8_t root_hash[HASH_MAX_BYTES];

		build(&known[i], -1, 0, root_hash);
		hex_encode(root_hash, HASH_SHA256_BYTES, hex);
		assert_string_equal(hex, known[i].root_hash);
	}
}

static void the_size_of_the_pieces_does_not_matter(void **state)
{
	static const size_t pieces[] = {1, 3, 511, 4095};
	uint8_t want[HASH_SHA256_BYTES];

	(void)state;
	assert_true(hex_decode(known[8].root_hash, want, sizeof(want)));
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		uint8_t root_hash[HASH_MAX_BYTES];

		build(&known[8], -1, pieces[i], root_hash);
		assert_memory_equal(root_hash, want, sizeof(want));
	}
}

static void too_little_and_too_much_data_is_refused(void **state)
{
	struct verity_sb sb;
	struct verity_tree_params p = {.sb = &sb, .fd = -1, .name = "tree", .tree_offset_bytes = VERITY_BLOCK_BYTES};
	uint8_t block[VERITY_BLOCK_BYTES] = {0}, root_hash[HASH_MAX_BYTES];
	struct verity_tree *t = NULL;
	struct err e = ERR_INIT;

	(void)state;
	verity_sb_init(&sb);
	assert_refused(verity_tree_begin(&p, &t, &e), &e, EINVAL, "over 0 blocks");
	sb.data_blocks = UINT64_MAX;
	assert_refused(verity_tree_begin(&p, &t, &e), &e, EINVAL, "hash tree over");
	sb.data_blocks = 2;
	assert_ok(verity_tree_begin(&p, &t, &e), &e);
	assert_ok(verity_tree_update(t, block, sizeof(block), &e), &e);
	assert_refused(verity_tree_finish(t, root_hash, &e), &e, EINVAL, "wanted 2 blocks");
	assert_ok(verity_tree_update(t, block, 100, &e), &e);
	assert_refused(verity_tree_finish(t, root_hash, &e), &e, EINVAL, "1 blocks and 100 bytes");
	assert_ok(verity_tree_update(t, block, sizeof(block) - 100, &e), &e);
	assert_refused(verity_tree_update(t, block, sizeof(block), &e), &e, EFBIG, "more data than the 2 blocks");
	verity_tree_free(t);
}

static void a_full_disk_is_told(void **state)
{
	struct verity_sb sb;
	struct verity_tree_params p = {.sb = &sb, .name = "/dev/full", .tree_offset_bytes = VERITY_BLOCK_BYTES};
	uint8_t block[VERITY_BLOCK_BYTES] = {0}, root_hash[HASH_MAX_BYTES];
	cleanup_verity_tree struct verity_tree *t = NULL;
	cleanup_fd int fd = open("/dev/full", O_RDWR | O_CLOEXEC);
	struct err e = ERR_INIT;

	(void)state;
	assert_true(fd >= 0);
	p.fd = fd;
	verity_sb_init(&sb);
	sb.data_blocks = 2;
	assert_ok(verity_tree_begin(&p, &t, &e), &e);
	assert_ok(verity_tree_update(t, block, sizeof(block), &e), &e);
	assert_ok(verity_tree_update(t, block, sizeof(block), &e), &e);
	assert_refused(verity_tree_finish(t, root_hash, &e), &e, ENOSPC, "cannot write to /dev/full");
}

static void unsupported_superblocks_are_refused(void **state)
{
	struct verity_sb sb;
	struct verity_tree_params p = {.sb = &sb, .fd = -1, .name = "tree", .tree_offset_bytes = VERITY_BLOCK_BYTES};
	struct verity_tree *t = NULL;
	struct err e = ERR_INIT;

	(void)state;
	verity_sb_init(&sb);
	sb.data_blocks = 1;
	sb.hash_block_bytes = 131072;
	assert_refused(verity_tree_begin(&p, &t, &e), &e, ENOTSUP, "131072 (hash)");
	assert_null(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_root_hashes_are_found),
		cmocka_unit_test(the_size_of_the_pieces_does_not_matter),
		cmocka_unit_test(too_little_and_too_much_data_is_refused),
		cmocka_unit_test(a_full_disk_is_told),
		cmocka_unit_test(unsupported_superblocks_are_refused),
	};

	return cmocka_run_group_tests_name("verity/hash_tree", tests, NULL, NULL);
}
