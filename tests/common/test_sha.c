/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/common/test_sha.c - SHA by our own code and by OpenSSL: the standard's answers, and each other's at every length and cut */
#include "tests/common/check.h"

#include "common/hash.h"
#include "common/hex.h"

/* Both implementations in one program: ours under names of their own. */
#define sha_begin         own_begin
#define sha_put           own_put
#define sha_end           own_end
#define sha_extend_sha256 own_extend
#include "common/sha_plain.c"
#undef sha_begin
#undef sha_put
#undef sha_end
#undef sha_extend_sha256
bool sha_begin(struct sha *s, enum hash_alg alg);

static const enum hash_alg algs[] = { HASH_SHA1, HASH_SHA256, HASH_SHA384, HASH_SHA512 };

/* FIPS 180-4's examples of "abc"; printf abc | sha1sum, sha256sum, sha384sum, sha512sum. */
static void abc_has_the_digest_of_the_standard(void **state)
{
	static const char *const want[] = {
		"a9993e364706816aba3e25717850c26c9cd0d89d",
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
		"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(algs); i++) {
		uint8_t digest[HASH_MAX_BYTES];
		char hex[2 * HASH_MAX_BYTES + 1];
		struct sha s;

		assert_true(own_begin(&s, algs[i]));
		own_put(&s, "abc", 3);
		own_end(&s, digest);
		hex_encode(digest, hash_bytes(algs[i]), hex);
		assert_string_equal(hex, want[i]);
	}
}

static void every_length_and_cut_gives_what_openssl_gives(void **state)
{
	static uint8_t data[600];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 37 + i / 256);
	for (size_t a = 0; a < ARRAY_SIZE(algs); a++)
		for (size_t len = 0; len <= sizeof(data); len++) {
			uint8_t want[HASH_MAX_BYTES], have[HASH_MAX_BYTES];
			struct sha s;

			assert_true(hash_once(algs[a], data, len, want));
			for (size_t cut = 0; cut <= len; cut += 1 + len / 5) {
				assert_true(own_begin(&s, algs[a]));
				own_put(&s, data, cut);
				own_put(&s, data + cut, len - cut);
				own_end(&s, have);
				assert_memory_equal(have, want, hash_bytes(algs[a]));
			}
		}
}

/* Sizes and pieces by a generator of its own, the same in each run. */
static void big_data_in_random_pieces_gives_what_openssl_gives(void **state)
{
	static uint8_t data[1 << 18];
	uint64_t seed = 0x9e3779b97f4a7c15;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++) {
		seed = seed * 6364136223846793005 + 1442695040888963407;
		data[i] = (uint8_t)(seed >> 56);
	}
	for (size_t run = 0; run < 64; run++) {
		enum hash_alg alg = algs[run % ARRAY_SIZE(algs)];
		uint8_t want[HASH_MAX_BYTES], have[HASH_MAX_BYTES];
		size_t len = (size_t)(seed >> 33) % (sizeof(data) + 1), at = 0;
		struct sha s;

		assert_true(hash_once(alg, data, len, want));
		assert_true(own_begin(&s, alg));
		while (at < len) {
			size_t n;

			seed = seed * 6364136223846793005 + 1442695040888963407;
			n = 1 + (size_t)(seed >> 33) % 9000;
			n = n < len - at ? n : len - at;
			own_put(&s, data + at, n);
			at += n;
		}
		own_end(&s, have);
		assert_memory_equal(have, want, hash_bytes(alg));
		seed = seed * 6364136223846793005 + 1442695040888963407;
	}
}

static void extending_and_unknown_algorithms_are_alike(void **state)
{
	uint8_t a[HASH_SHA256_BYTES] = { 1, 2, 3 }, b[HASH_SHA256_BYTES], digest[HASH_SHA256_BYTES] = { 9 };
	struct sha s;

	(void)state;
	memcpy(b, a, sizeof(b));
	assert_true(hash_extend(HASH_SHA256, a, digest));
	own_extend(b, digest);
	assert_memory_equal(a, b, sizeof(a));
	assert_false(own_begin(&s, HASH_SM3));
	assert_false(own_begin(&s, HASH_NONE));
	assert_false(sha_begin(&s, HASH_SM3));
	assert_false(sha_begin(&s, HASH_NONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(abc_has_the_digest_of_the_standard),
		cmocka_unit_test(every_length_and_cut_gives_what_openssl_gives),
		cmocka_unit_test(big_data_in_random_pieces_gives_what_openssl_gives),
		cmocka_unit_test(extending_and_unknown_algorithms_are_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
