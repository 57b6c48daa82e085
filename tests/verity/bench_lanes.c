/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/verity/bench_lanes.c - GB of data a second of CPU time, for each path of this CPU, all in one run
 *
 *   bench_lanes [MIB [ROUNDS]]     32 MiB, best of 7 rounds
 *
 * SHA-256 of 4 KiB blocks with a salt of 32 bytes; beside the paths OpenSSL's pre-salted copied context. Whether that
 * one uses SHA-NI is OpenSSL's choice: OPENSSL_ia32cap=:~0x20000000 in the environment takes SHA-NI away from it.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "verity/lanes.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BLOCK     4096
#define MAX_PATHS 16

static double cpu_seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void copied_context(const uint8_t *salt, size_t salt_bytes, const uint8_t *data, size_t n, uint8_t *digests)
{
	SHA256_CTX salted, ctx;

	SHA256_Init(&salted);
	SHA256_Update(&salted, salt, salt_bytes);
	for (size_t i = 0; i < n; i++) {
		ctx = salted;
		SHA256_Update(&ctx, data + i * BLOCK, BLOCK);
		SHA256_Final(digests + i * 32, &ctx);
	}
}

int main(int argc, char **argv)
{
	size_t n = (argc > 1 ? strtoul(argv[1], NULL, 10) : 32) * 1048576 / BLOCK;
	unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 7, paths = 0;
	uint8_t salt[32] = "a salt of thirty-two bytes.....";
	uint8_t *data = aligned_alloc(BLOCK, n * BLOCK), *want = malloc(n * 32), *have = malloc(n * 32);
	double best[MAX_PATHS + 1];
	struct verity_lanes lanes[MAX_PATHS];

	if (!data || !want || !have || !n)
		return 3;
	for (size_t i = 0; i < n * BLOCK; i++)
		data[i] = (uint8_t)(i * 2654435761u >> 13);
	for (struct verity_lanes_path_info info; verity_lanes_paths(paths, &info) && paths < MAX_PATHS; paths++) {
		struct verity_lanes_params p = {HASH_SHA256, 1, salt, sizeof(salt), BLOCK, info.name};
		struct err e = ERR_INIT;

		best[paths] = 1e9;
		lanes[paths].path = NULL;
		if (verity_lanes_init(&lanes[paths], &p, &e))
			printf("%-16s skipped: %s\n", info.name, e.msg);
	}
	best[paths] = 1e9;
	for (unsigned round = 0; round < rounds; round++) {
		for (unsigned i = 0; i <= paths; i++) {
			double start = cpu_seconds(), took;

			if (i == paths)
				copied_context(salt, sizeof(salt), data, n, want);
			else if (lanes[i].path)
				verity_lanes_hash(&lanes[i], data, BLOCK, n, have, 32);
			else
				continue;
			took = cpu_seconds() - start;
			best[i] = took < best[i] ? took : best[i];
			if (i < paths && round && memcmp(want, have, n * 32) != 0) {
				fprintf(stderr, "bench_lanes: digests of path %s differ from OpenSSL's\n", verity_lanes_path_name(&lanes[i]));
				return 1;
			}
		}
	}
	printf("%-16s %.2f GB/s\n", "copied context", (double)n * BLOCK / best[paths] / 1e9);
	for (unsigned i = 0; i < paths; i++)
		if (lanes[i].path)
			printf("%-16s %.2f GB/s, %.2f times the copied context\n", verity_lanes_path_name(&lanes[i]),
			       (double)n * BLOCK / best[i] / 1e9, best[paths] / best[i]);
	free(data);
	free(want);
	free(have);
	return 0;
}
