/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/verity/test_golden.c - every kind of tree, by every way of building it, is veritysetup's
 *
 * Known answers: tests/data/verity-tree/golden.txt, made by `tests/verity/against_veritysetup golden`; a row is hash type,
 * algorithm, data and hash block size, salt (5a*200: that byte 200 times), data blocks, and the SHA-256 of veritysetup's hash file followed by the digits
 * of its root hash. Data: AES-128-CTR of zeros, key and IV zero. Needs no veritysetup, so it also runs for arm64.
 */
#include "tests/common/check.h"

#include "common/buf.h"
#include "common/file.h"
#include "common/hex.h"
#include "verity/build.h"
#include "verity/hash_tree.h"
#include "verity/verify.h"

#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <unistd.h>

#define GOLDEN     "tests/data/verity-tree/golden.txt"
#define DATA_BYTES (2 * 1024 * 1024)
#define MAX_FILE   (1 << 20)

static uint8_t *stream;
static struct verity_file data, hash;

/* struct row - one line of the table */
struct row {
	struct verity_sb sb;
	uint8_t sum[HASH_SHA256_BYTES];
};

static bool parse_row(const char *line, struct row *ret)
{
	char alg[16], salt[2 * VERITY_MAX_SALT_BYTES + 1], sum[2 * HASH_SHA256_BYTES + 1];
	struct row r = {0};

	verity_sb_init(&r.sb);
	if (sscanf(line, "%u %15s %u %u %512s %" SCNu64 " %64s", &r.sb.hash_type, alg, &r.sb.data_block_bytes,
		   &r.sb.hash_block_bytes, salt, &r.sb.data_blocks, sum) != 7)
		return false;
	(void)snprintf(r.sb.algorithm, sizeof(r.sb.algorithm), "%s", alg);
	r.sb.alg = hash_by_name(alg);
	assert_true(hex_decode(sum, r.sum, sizeof(r.sum)));
	if (!strcmp(salt, "5a*200")) {
		r.sb.salt_bytes = 200;
		memset(r.sb.salt, 0x5a, 200);
	} else if (strcmp(salt, "-")) {
		r.sb.salt_bytes = (uint16_t)(strlen(salt) / 2);
		assert_true(hex_decode(salt, r.sb.salt, r.sb.salt_bytes));
	}
	assert_true(verity_uuid_parse("12345678-9abc-def0-1122-334455667788", r.sb.uuid));
	*ret = r;
	return true;
}

/* SHA-256 of the hash file and the digits of the root hash. */
static void sum_up(const struct row *row, const uint8_t *root_hash, uint8_t ret[static HASH_SHA256_BYTES])
{
	size_t n = (size_t)lseek(hash.fd, 0, SEEK_END), digits = 2 * hash_bytes(row->sb.alg);
	cleanup_free uint8_t *all = malloc(n + digits + 1);
	struct err e = ERR_INIT;

	assert_non_null(all);
	assert_ok(verity_io_read(&hash, all, n, 0, &e), &e);
	hex_encode(root_hash, digits / 2, (char *)all + n);
	hash_sha256(all, n + digits, ret);
}

static void assert_golden(const struct row *row, const uint8_t *root_hash, const char *how)
{
	uint8_t sum[HASH_SHA256_BYTES];

	sum_up(row, root_hash, sum);
	if (memcmp(sum, row->sum, sizeof(sum)))
		fail_msg("type %u %s %u/%u, salt of %u, %lu blocks, %s: not veritysetup's bytes", row->sb.hash_type,
			 row->sb.algorithm, row->sb.data_block_bytes, row->sb.hash_block_bytes, row->sb.salt_bytes,
			 (unsigned long)row->sb.data_blocks, how);
}

static void build_streamed(const struct row *row, size_t piece)
{
	struct verity_tree_params p = {.sb = &row->sb, .fd = hash.fd, .name = "hash"};
	cleanup_verity_tree struct verity_tree *t = NULL;
	uint8_t root_hash[HASH_MAX_BYTES], sb[VERITY_BLOCK_BYTES] = {0};
	size_t bytes = (size_t)verity_sb_data_bytes(&row->sb);
	struct err e = ERR_INIT;

	assert_int_equal(ftruncate(hash.fd, 0), 0);
	p.tree_offset_bytes = verity_tree_offset(&row->sb, 0);
	assert_ok(verity_tree_begin(&p, &t, &e), &e);
	for (size_t at = 0; at < bytes; at += piece)
		assert_ok(verity_tree_update(t, stream + at, bytes - at < piece ? bytes - at : piece, &e), &e);
	assert_ok(verity_tree_finish(t, root_hash, &e), &e);
	verity_sb_encode(&row->sb, sb);
	/* A superblock's block is a hash block, but 4096 bytes at most. */
	assert_ok(verity_io_write(&hash, sb, row->sb.hash_block_bytes < 4096 ? row->sb.hash_block_bytes : 4096, 0, &e), &e);
	assert_golden(row, root_hash, "streamed");
}

static void build_by_threads(const struct row *row, unsigned threads, enum verity_read_mode mode)
{
	struct verity_build_params p = {
		.sb = &row->sb, .data = data, .hash = hash, .threads = threads, .mode = mode, .is_new = true};
	struct verity_verify_params v = {.data = data, .hash = hash, .threads = threads, .mode = mode};
	struct verity_verify_result found;
	uint8_t root_hash[HASH_MAX_BYTES];
	struct err e = ERR_INIT;

	assert_int_equal(ftruncate(hash.fd, 0), 0);
	assert_ok(verity_build(&p, root_hash, &e), &e);
	assert_golden(row, root_hash, "by threads");
	v.root_hash = root_hash;
	v.root_hash_bytes = hash_bytes(row->sb.alg);
	assert_ok(verity_verify(&v, &found, &e), &e);
	if (found.first.verdict != VERITY_VERDICT_GOOD)
		fail_msg("%s", e.msg);
	root_hash[v.root_hash_bytes - 1] ^= 1;
	assert_ok(verity_verify(&v, &found, &e), &e);
	assert_int_equal(found.first.verdict, VERITY_VERDICT_BAD);
}

/* Each row of the table to @fn. */
static void each_row(void (*fn)(const struct row *row, size_t i))
{
	cleanup_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	size_t n = 0;
	char *rest, *line;

	assert_ok(file_read(GOLDEN, MAX_FILE, &b, &e), &e);
	for (line = strtok_r((char *)b.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		struct row row;

		assert_true(parse_row(line, &row));
		fn(&row, n++);
	}
	assert_true(n > 400);
}

static void stream_row(const struct row *row, size_t i)
{
	static const size_t pieces[] = {65536, 511, 4096, 1 << 20, 100000};

	build_streamed(row, pieces[i % ARRAY_SIZE(pieces)]);
}

static void trees_built_while_the_data_streams_by_are_veritysetups(void **state)
{
	(void)state;
	each_row(stream_row);
}

static void thread_row(const struct row *row, size_t i)
{
	static const enum verity_read_mode modes[] = {VERITY_READ_AUTO, VERITY_READ_PREAD, VERITY_READ_MAP, VERITY_READ_DIRECT};

	build_by_threads(row, (unsigned)(i % 3 + 1), modes[i % ARRAY_SIZE(modes)]);
}

static void trees_built_by_threads_are_veritysetups(void **state)
{
	(void)state;
	each_row(thread_row);
}

static int open_temporary(const char *name, struct verity_file *ret)
{
	char path[] = "./holdfast-golden-XXXXXX"; /* not in /tmp, which may be a tmpfs: O_DIRECT is wanted */

	*ret = (struct verity_file){.fd = mkostemp(path, O_CLOEXEC), .name = name};
	return ret->fd < 0 || unlink(path) ? -1 : 0;
}

static int setup(void **state)
{
	static const uint8_t zeros[16];
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	struct err e = ERR_INIT;
	int n = 0;

	(void)state;
	stream = calloc(1, DATA_BYTES);
	if (!c || !stream || EVP_EncryptInit_ex(c, EVP_aes_128_ctr(), NULL, zeros, zeros) != 1 ||
	    EVP_EncryptUpdate(c, stream, &n, stream, DATA_BYTES) != 1)
		return -1;
	EVP_CIPHER_CTX_free(c);
	return open_temporary("data", &data) || open_temporary("hash", &hash) ||
			       verity_io_write(&data, stream, DATA_BYTES, 0, &e) ?
		       -1 :
		       0;
}

static int teardown(void **state)
{
	(void)state;
	free(stream);
	return close(data.fd) | close(hash.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trees_built_while_the_data_streams_by_are_veritysetups),
		cmocka_unit_test(trees_built_by_threads_are_veritysetups),
	};

	return cmocka_run_group_tests_name("verity/golden", tests, setup, teardown);
}
