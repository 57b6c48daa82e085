/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/verity/test_hash_tree.c - trees are bit-identical to veritysetup's, at every edge of the geometry
 *
 * Data: byte i of block b is b * 131 + (b >> 8) * 17 + (i mod 256) * 7, mod 256. The root hashes below are those of
 *   veritysetup format DATA HASH --salt=SALT --uuid=00000000-0000-0000-0000-000000000000   (cryptsetup 2.6.1)
 */
#include "tests/common/check.h"

#include "common/buf.h"
#include "common/file.h"
#include "common/hex.h"
#include "common/proc.h"
#include "verity/hash_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
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
static void build(const struct known *k, int fd, size_t piece, uint8_t root_hash[static HASH_SHA256_BYTES])
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
		uint8_t root_hash[HASH_SHA256_BYTES];

		build(&known[i], -1, 0, root_hash);
		hex_encode(root_hash, sizeof(root_hash), hex);
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
		uint8_t root_hash[HASH_SHA256_BYTES];

		build(&known[8], -1, pieces[i], root_hash);
		assert_memory_equal(root_hash, want, sizeof(want));
	}
}

/* A temporary file of the stream of @k. */
static void write_data(const struct known *k, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct err e = ERR_INIT;

	assert_true(fd >= 0);
	for (uint64_t b = 0; b < k->blocks; b++) {
		uint8_t block[VERITY_BLOCK_BYTES];

		fill(b, block);
		assert_ok(file_write_all(fd, block, sizeof(block), path, &e), &e);
	}
	assert_int_equal(close(fd), 0);
}

/* Superblock and tree as veritysetup writes them, compared byte for byte. Return: false if it is not installed. */
static bool compare_with_veritysetup(const struct known *k, const char *dir)
{
	char data[128], theirs[128], ours[128], salt[128];
	const char *const argv[] = {
		"veritysetup", "format", data, theirs, salt, "--uuid=00000000-0000-0000-0000-000000000000", NULL};
	const char *const env[] = {"PATH=/usr/sbin:/sbin:/usr/bin:/bin", NULL};
	cleanup_buf struct buf out = BUF_INIT, a = BUF_INIT, b = BUF_INIT;
	struct proc_params run = {.argv = argv, .env = env, .out = &out, .out_max = 65536, .quiet = 1};
	uint8_t root_hash[HASH_SHA256_BYTES], block[VERITY_BLOCK_BYTES] = {0};
	struct verity_sb sb = sb_of(k);
	struct err e = ERR_INIT;
	int fd, r;

	(void)snprintf(data, sizeof(data), "%s/data", dir);
	(void)snprintf(theirs, sizeof(theirs), "%s/theirs", dir);
	(void)snprintf(ours, sizeof(ours), "%s/ours", dir);
	(void)snprintf(salt, sizeof(salt), "--salt=%s", *k->salt ? k->salt : "-");
	write_data(k, data);
	r = proc_run(&run, &e);
	if (r == -ENOENT)
		return false;
	assert_ok(r, &e);
	fd = open(ours, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	verity_sb_encode(&sb, block);
	assert_ok(file_write_all(fd, block, sizeof(block), ours, &e), &e);
	build(k, fd, 0, root_hash);
	assert_int_equal(close(fd), 0);
	assert_ok(file_read(theirs, 1 << 24, &a, &e), &e);
	assert_ok(file_read(ours, 1 << 24, &b, &e), &e);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
	assert_int_equal(a.len, verity_hash_bytes(&sb));
	assert_true(unlink(data) == 0 && unlink(theirs) == 0 && unlink(ours) == 0);
	return true;
}

static void trees_are_bit_identical_to_veritysetups(void **state)
{
	char dir[] = "/tmp/holdfast-tree-XXXXXX";
	bool there = true;

	(void)state;
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; there && i < ARRAY_SIZE(known); i++)
		there = compare_with_veritysetup(&known[i], dir);
	if (!there) {
		char left[160];

		(void)snprintf(left, sizeof(left), "%s/data", dir);
		(void)unlink(left);
	}
	assert_int_equal(rmdir(dir), 0);
	if (!there) {
		print_message("SKIP: veritysetup is not installed (cryptsetup-bin); only the known root hashes were "
			      "compared\n");
		skip();
	}
}

static void too_little_and_too_much_data_is_refused(void **state)
{
	struct verity_sb sb;
	struct verity_tree_params p = {.sb = &sb, .fd = -1, .name = "tree", .tree_offset_bytes = VERITY_BLOCK_BYTES};
	uint8_t block[VERITY_BLOCK_BYTES] = {0}, root_hash[HASH_SHA256_BYTES];
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
	uint8_t block[VERITY_BLOCK_BYTES] = {0}, root_hash[HASH_SHA256_BYTES];
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
	assert_refused(verity_tree_finish(t, root_hash, &e), &e, ENOSPC, "cannot write the hash tree to /dev/full");
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
	sb.hash_block_bytes = 1024;
	assert_refused(verity_tree_begin(&p, &t, &e), &e, ENOTSUP, "1024 (hash)");
	assert_null(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_root_hashes_are_found),
		cmocka_unit_test(the_size_of_the_pieces_does_not_matter),
		cmocka_unit_test(trees_are_bit_identical_to_veritysetups),
		cmocka_unit_test(too_little_and_too_much_data_is_refused),
		cmocka_unit_test(a_full_disk_is_told),
		cmocka_unit_test(unsupported_superblocks_are_refused),
	};

	return cmocka_run_group_tests_name("verity/hash_tree", tests, NULL, NULL);
}
