/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/verity/test_lanes.c - each SHA-256 path, forced, against OpenSSL's plain digest of the whole message
 *
 * One test a path; of those that this CPU lacks it is only checked that they are refused, and they are reported as skipped.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* a context whose words can be looked at */
#include "tests/common/check.h"
#include "tests/verity/paths.h"

#include "common/hex.h"
#include "verity/lanes.h"

void test_wide_16(uint32_t (*state)[8], const uint8_t *const *p, size_t chunks, size_t ahead);
#define WIDE_LANES 16
#define WIDE_NAME  test_wide_16
#include "verity/lanes_wide.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_N   33 /* twice the widest path and one */
#define MAX_ALL (VERITY_LANES_MAX_BLOCK_BYTES + MAX_N * 64)

static const size_t salts[] = {0, 1, 32, 54, 55, 56, 63, 64, 65, 119, 120, 128, 255, 256};
static uint8_t salt[VERITY_LANES_MAX_SALT_BYTES];
static uint8_t *data; /* big enough for MAX_N whole blocks of 4096, or of overlapping bigger ones */
static size_t data_bytes;

static int setup(void **state)
{
	uint32_t x = 1;

	(void)state;
	data_bytes = 2 * VERITY_LANES_MAX_BLOCK_BYTES + MAX_N * 4096 + 64;
	data = malloc(data_bytes);
	if (!data)
		return -1;
	for (size_t i = 0; i < data_bytes; i++) {
		x = x * 1664525 + 1013904223;
		data[i] = (uint8_t)(x >> 24);
	}
	for (size_t i = 0; i < sizeof(salt); i++)
		salt[i] = (uint8_t)(255 - i * 3);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(data);
	return 0;
}

/* The digest by the definition: the message put together, one call. */
static void reference(const struct verity_lanes_params *p, const uint8_t *block, uint8_t *ret)
{
	static uint8_t message[VERITY_LANES_MAX_BLOCK_BYTES + VERITY_LANES_MAX_SALT_BYTES];
	size_t len = p->block_bytes + p->salt_bytes;

	memcpy(message + (p->version ? p->salt_bytes : 0), block, p->block_bytes);
	if (p->salt_bytes)
		memcpy(message + (p->version ? 0 : p->block_bytes), p->salt, p->salt_bytes);
	if (p->alg == HASH_SHA1)
		SHA1(message, len, ret);
	else if (p->alg == HASH_SHA512)
		SHA512(message, len, ret);
	else
		SHA256(message, len, ret);
}

/* @n blocks @stride apart from an odd address, into digests with a gap; the gap must stay as it was. */
static void check(const struct verity_lanes_params *p, size_t n, size_t stride, size_t misalign)
{
	static uint8_t want[MAX_N][80], have[MAX_N][80];
	struct err e = ERR_INIT;
	struct verity_lanes l;

	memset(want, 0xa5, sizeof(want));
	memset(have, 0xa5, sizeof(have));
	assert_true(misalign + (n - 1) * stride + p->block_bytes <= data_bytes);
	for (size_t i = 0; i < n; i++)
		reference(p, data + misalign + i * stride, want[i] + 1);
	assert_ok(verity_lanes_init(&l, p, &e), &e);
	verity_lanes_hash(&l, data + misalign, stride, n, have[0] + 1, sizeof(have[0]));
	if (memcmp(want, have, sizeof(have)) != 0)
		fail_msg("%s: version %u, salt of %zu, blocks of %zu: %zu blocks at +%zu differ from OpenSSL's digests",
			 verity_lanes_path_name(&l), p->version, p->salt_bytes, p->block_bytes, n, misalign);
}

/* Every block size, salt and version with a full and a partly filled group; every n on small blocks. */
static void check_path(const char *name, unsigned width)
{
	struct verity_lanes_params p = {.alg = HASH_SHA256, .salt = salt, .path = name};

	for (p.version = 0; p.version < 2; p.version++) {
		for (size_t s = 0; s < sizeof(salts) / sizeof(salts[0]); s++) {
			p.salt_bytes = salts[s];
			for (p.block_bytes = 512; p.block_bytes <= 65536; p.block_bytes *= 2) {
				check(&p, width + 1, p.block_bytes <= 4096 ? p.block_bytes : 1024, 0);
				check(&p, width + 1, p.block_bytes <= 4096 ? p.block_bytes : 1024, 1 + s);
			}
			p.block_bytes = 1024;
			for (size_t n = 1; n <= 2 * width + 1; n++)
				check(&p, n, 1024 + n, n % 17);
		}
	}
}

/* One test a path; @state is its description. */
static void forced_path_agrees_with_openssl(void **state)
{
	const struct verity_path_info *info = *state;
	struct verity_lanes_params p = {.alg = HASH_SHA256, .version = 1, .block_bytes = 4096, .path = info->name};
	struct err e = ERR_INIT;
	struct verity_lanes l;

	if (!info->has) {
		assert_refused(verity_lanes_init(&l, &p, &e), &e, info->width ? ENOTSUP : EINVAL, info->name);
		skip();
	}
	assert_true(2 * info->width + 1 <= MAX_N);
	check_path(info->name, info->width);
	assert_ok(verity_lanes_init(&l, &p, &e), &e);
	assert_string_equal(verity_lanes_path_name(&l), info->name);
}

static void sha1_and_sha512_agree_with_openssl(void **state)
{
	static const enum hash_alg algs[] = {HASH_SHA1, HASH_SHA512};

	(void)state;
	for (size_t a = 0; a < 2; a++) {
		struct verity_lanes_params p = {.alg = algs[a], .salt = salt};

		for (p.version = 0; p.version < 2; p.version++)
			for (size_t s = 0; s < sizeof(salts) / sizeof(salts[0]); s++)
				for (p.block_bytes = 512; p.block_bytes <= 65536; p.block_bytes *= 2) {
					p.salt_bytes = salts[s];
					check(&p, 3, p.block_bytes, 1);
				}
	}
}

/*
 * One block of zeros: its digest is the root hash that cryptsetup 2.6.1 gives:
 *   head -c 4096 /dev/zero >D; veritysetup format D H --salt=SALT --format=VERSION --hash=ALG
 */
static void one_block_is_veritysetups_root_hash(void **state)
{
	static const uint8_t known_salt[16] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
					       0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
	static const struct {
		enum hash_alg alg;
		unsigned version, salt_bytes;
		const char *root_hash;
	} known[] = {
		{HASH_SHA256, 0, 0, "ad7facb2586fc6e966c004d7d1d16b024f5805ff7cb47c7a85dabd8b48892ca7"},
		{HASH_SHA256, 1, 0, "ad7facb2586fc6e966c004d7d1d16b024f5805ff7cb47c7a85dabd8b48892ca7"},
		{HASH_SHA256, 0, 16, "d235bb631a4d7f700c913b233655a0fe082274e2e99afdf53b3cf59ae50e25cb"},
		{HASH_SHA256, 1, 16, "e94291cf06904788fbe748526d420f084508bbee6acadf1aee8b1afd071a7c56"},
		{HASH_SHA1, 0, 16, "b7016955d8853968cfef56640d07ecbefdca5bf7"},
		{HASH_SHA1, 1, 16, "db862795497250236cf85ed48ee0c988a2ba3136"},
		{HASH_SHA512, 0, 16, "a0a4ec48a1a10a005144b5d033d2dac8b0cfa2f0708e112755aa2adfee5f850bba33d26fdc7353361e4bdc3ed1df9e12"
				     "f764fd38555d3aa2e08e100be589340d"},
		{HASH_SHA512, 1, 16, "344bcdfaca14a0dd9becd52b3703519c24efc19b36bd1226aed33a0e4be67c748f6f3b0503b9b86c03ababb3d67e4d4b"
				     "0716a131371a7b5235710aaa77cc9c3f"},
	};
	static const uint8_t zeros[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct verity_lanes_params p = {.alg = known[i].alg, .version = known[i].version, .salt = known_salt,
						.salt_bytes = known[i].salt_bytes, .block_bytes = sizeof(zeros)};
		uint8_t want[HASH_MAX_BYTES], have[HASH_MAX_BYTES];
		struct err e = ERR_INIT;
		struct verity_lanes l;

		assert_ok(verity_lanes_init(&l, &p, &e), &e);
		assert_int_equal(l.digest_bytes, strlen(known[i].root_hash) / 2);
		assert_true(hex_decode(known[i].root_hash, want, l.digest_bytes));
		verity_lanes_hash(&l, zeros, sizeof(zeros), 1, have, l.digest_bytes);
		assert_memory_equal(have, want, l.digest_bytes);
	}
}

/* The AVX-512 source at its 16 lanes, compiled for any CPU: what is left untested where that is lacking is the
 * compiler's translation alone, and lanes.c checks that before its first use. */
static void sixteen_lanes_of_any_cpu_agree_with_openssl(void **state)
{
	uint32_t words[16][8];
	const uint8_t *p[16];

	(void)state;
	for (size_t chunks = 1; chunks < 5; chunks++) {
		for (unsigned i = 0; i < 16; i++) {
			SHA256_CTX ctx;

			SHA256_Init(&ctx);
			memcpy(words[i], ctx.h, sizeof(words[i]));
			p[i] = data + 1 + i * 333;
		}
		test_wide_16(words, p, chunks, 0);
		for (unsigned i = 0; i < 16; i++) {
			SHA256_CTX ctx;

			SHA256_Init(&ctx);
			SHA256_Update(&ctx, p[i], chunks * 64);
			assert_memory_equal(words[i], ctx.h, sizeof(words[i]));
		}
	}
}

static void the_best_path_is_taken_unless_the_environment_names_one(void **state)
{
	struct verity_lanes_params p = {.alg = HASH_SHA256, .version = 1, .block_bytes = 4096};
	struct verity_path_info info;
	struct err e = ERR_INIT;
	struct verity_lanes l;
	size_t i = 0;

	(void)state;
	assert_int_equal(unsetenv(VERITY_LANES_ENV), 0);
	while (verity_lanes_paths(i, &info) && !info.has)
		i++;
	assert_ok(verity_lanes_init(&l, &p, &e), &e);
	assert_string_equal(verity_lanes_path_name(&l), info.name);
	assert_int_equal(setenv(VERITY_LANES_ENV, "openssl", 1), 0);
	assert_ok(verity_lanes_init(&l, &p, &e), &e);
	assert_string_equal(verity_lanes_path_name(&l), "openssl");
	assert_int_equal(setenv(VERITY_LANES_ENV, "sha-ni", 1), 0);
	assert_refused(verity_lanes_init(&l, &p, &e), &e, EINVAL, "\"sha-ni\", wanted one of ");
	assert_int_equal(unsetenv(VERITY_LANES_ENV), 0);
}

static void parameters_out_of_bounds_are_refused(void **state)
{
	static const struct {
		struct verity_lanes_params p;
		int code;
		const char *part;
	} bad[] = {
		{{.alg = HASH_SHA256, .version = 2, .block_bytes = 4096}, EINVAL, "hash type 2"},
		{{.alg = HASH_SHA256, .version = 1, .block_bytes = 256}, EINVAL, "block size 256"},
		{{.alg = HASH_SHA256, .version = 1, .block_bytes = 0}, EINVAL, "block size 0"},
		{{.alg = HASH_SHA256, .version = 1, .block_bytes = 131072}, EINVAL, "block size 131072"},
		{{.alg = HASH_SHA256, .version = 1, .block_bytes = 4095}, EINVAL, "block size 4095"},
		{{.alg = HASH_SHA256, .version = 1, .block_bytes = 4096, .salt = salt, .salt_bytes = 257}, EINVAL, "salt of 257 bytes"},
		{{.alg = HASH_SHA384, .version = 1, .block_bytes = 4096}, ENOTSUP, "sha384"},
		{{.alg = HASH_NONE, .version = 1, .block_bytes = 4096}, ENOTSUP, "unknown"},
		{{.alg = HASH_SHA256, .version = 1, .block_bytes = 4096, .path = "mmx"}, EINVAL, "\"mmx\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct verity_lanes l = {.digest_bytes = 12345};
		struct err e = ERR_INIT;

		assert_refused(verity_lanes_init(&l, &bad[i].p, &e), &e, bad[i].code, bad[i].part);
		assert_int_equal(l.digest_bytes, 12345); /* not written on failure */
	}
}

/* Of every architecture, so that the number of tests is one: a path that this build does not have is skipped by name. */
static const char *const paths[] = {"shani", "avx512", "avx2", "armv8", "openssl"};

int main(void)
{
	static const struct CMUnitTest always[] = {
		cmocka_unit_test(sha1_and_sha512_agree_with_openssl),
		cmocka_unit_test(one_block_is_veritysetups_root_hash),
		cmocka_unit_test(sixteen_lanes_of_any_cpu_agree_with_openssl),
		cmocka_unit_test(the_best_path_is_taken_unless_the_environment_names_one),
		cmocka_unit_test(parameters_out_of_bounds_are_refused),
	};
	static struct verity_path_info info[ARRAY_SIZE(paths)];
	static char names[ARRAY_SIZE(paths)][64];
	struct CMUnitTest tests[ARRAY_SIZE(paths) + sizeof(always) / sizeof(always[0])] = {{0}};
	size_t n = 0;

	for (; n < ARRAY_SIZE(paths); n++) {
		info[n] = find_path(verity_lanes_paths, paths, ARRAY_SIZE(paths), n);
		(void)snprintf(names[n], sizeof(names[n]), "path_%s_agrees_with_openssl", info[n].name);
		tests[n] = (struct CMUnitTest){names[n], forced_path_agrees_with_openssl, NULL, NULL, &info[n]};
	}
	memcpy(tests + n, always, sizeof(always));
	return _cmocka_run_group_tests("lanes", tests, n + sizeof(always) / sizeof(always[0]), setup, teardown);
}
