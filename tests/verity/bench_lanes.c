/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/verity/bench_lanes.c - GB of data a second of CPU time, for each path of this CPU, all in one run
 *
 *   bench_lanes [MIB [ROUNDS]]     32 MiB, best of 7 rounds
 *
 * SHA-256 of 4 KiB blocks with a salt of 32 bytes; beside the paths OpenSSL's pre-salted copied context. Whether that
 * one uses SHA-NI is OpenSSL's choice: OPENSSL_ia32cap=:~0x20000000 in the environment takes SHA-NI away from it.
 * Then Reed-Solomon encoding and decoding (nothing to correct; one 4 KiB block of each MiB bad) of data that are
 * interleaved as dm-verity does it.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "verity/lanes.h"
#include "verity/rs.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BLOCK     4096
#define MAX_PATHS 16

static uint8_t *data;
static size_t data_blocks;
static unsigned rounds;

static double cpu_seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void keep_best(double *best, double start)
{
	double took = cpu_seconds() - start;

	*best = took < *best ? took : *best;
}

/* --- SHA-256 ----------------------------------------------------------------------------------------------------- */

static void copied_context(const uint8_t *salt, size_t salt_bytes, uint8_t *digests)
{
	SHA256_CTX salted, ctx;

	SHA256_Init(&salted);
	SHA256_Update(&salted, salt, salt_bytes);
	for (size_t i = 0; i < data_blocks; i++) {
		ctx = salted;
		SHA256_Update(&ctx, data + i * BLOCK, BLOCK);
		SHA256_Final(digests + i * 32, &ctx);
	}
}

static int bench_lanes(void)
{
	uint8_t salt[32] = "a salt of thirty-two bytes.....";
	uint8_t *want = malloc(data_blocks * 32), *have = malloc(data_blocks * 32);
	double best[MAX_PATHS], best_openssl = 1e9;
	struct verity_lanes lanes[MAX_PATHS];
	struct verity_path_info info;
	int bad = !want || !have;
	unsigned paths = 0;

	for (size_t i = 0; verity_lanes_paths(i, &info) && paths < MAX_PATHS; i++) {
		struct verity_lanes_params p = {HASH_SHA256, 1, salt, sizeof(salt), BLOCK, info.name};
		struct err e = ERR_INIT;

		best[paths] = 1e9;
		if (verity_lanes_init(&lanes[paths], &p, &e))
			printf("SHA-256  %-8s skipped: %s\n", info.name, e.msg);
		else
			paths++;
	}
	for (unsigned round = 0; round < rounds && !bad; round++) {
		double start = cpu_seconds();

		copied_context(salt, sizeof(salt), want);
		keep_best(&best_openssl, start);
		for (unsigned i = 0; i < paths && !bad; i++) {
			start = cpu_seconds();
			verity_lanes_hash(&lanes[i], data, BLOCK, data_blocks, have, 32);
			keep_best(&best[i], start);
			bad = memcmp(want, have, data_blocks * 32) != 0;
			if (bad)
				fprintf(stderr, "bench_lanes: path %s differs from OpenSSL\n", verity_lanes_path_name(&lanes[i]));
		}
	}
	printf("SHA-256  copied context of OpenSSL %.2f GB/s\n", (double)data_blocks * BLOCK / best_openssl / 1e9);
	for (unsigned i = 0; i < paths && !bad; i++)
		printf("SHA-256  %-8s %.2f GB/s, %.2f times the copied context\n", verity_lanes_path_name(&lanes[i]),
		       (double)data_blocks * BLOCK / best[i] / 1e9, best_openssl / best[i]);
	free(want);
	free(have);
	return bad;
}

/* --- Reed-Solomon ------------------------------------------------------------------------------------------------ */

/* Row j of round i is block j * stride + i, as on a device of @stride rounds. */
static void rows_of(const struct verity_rs *rs, size_t stride, size_t i, uint8_t **rows)
{
	for (unsigned j = 0; j < rs->rows; j++)
		rows[j] = data + (j * stride + i) * BLOCK;
}

enum what { ENCODE, DECODE, REPAIR };

static int run_rs(const struct verity_rs *rs, enum what what, size_t stride, uint8_t *parity)
{
	uint8_t *rows[VERITY_RS_CODEWORD_BYTES];
	int bytes = 0;

	for (size_t i = 0; i < stride; i++) {
		struct verity_rs_words w = {rows, parity + i * BLOCK * rs->roots, BLOCK, NULL, 0};

		rows_of(rs, stride, i, rows);
		if (what == REPAIR)
			for (unsigned c = 0; c < BLOCK; c++)
				rows[i % rs->rows][c] ^= 0x5a;
		if (what == ENCODE)
			verity_rs_encode(rs, (const uint8_t *const *)rows, BLOCK, w.parity);
		else
			bytes += verity_rs_decode(rs, &w, NULL);
	}
	return bytes;
}

static int bench_rs_path(const char *name, unsigned roots)
{
	static const char *const names[] = {"encode", "decode, clean", "decode, 1 block of each row set bad"};
	double best[3] = {1e9, 1e9, 1e9};
	struct err e = ERR_INIT;
	struct verity_rs rs;
	size_t stride;
	uint8_t *parity;

	if (verity_rs_init(&rs, roots, name, &e)) {
		printf("RS %-2u    %-8s skipped: %s\n", roots, name, e.msg);
		return 0;
	}
	stride = data_blocks / rs.rows;
	parity = malloc(stride * BLOCK * roots);
	if (!parity || !stride)
		return 1;
	for (unsigned round = 0; round < rounds; round++) {
		for (enum what what = ENCODE; what <= REPAIR; what++) {
			double start = cpu_seconds();
			int bytes = run_rs(&rs, what, stride, parity);

			keep_best(&best[what], start);
			if (bytes != (what == REPAIR ? (int)(stride * BLOCK) : 0)) {
				fprintf(stderr, "bench_lanes: path %s corrected %d bytes\n", name, bytes);
				return 1;
			}
		}
	}
	printf("RS %-2u    %-8s", roots, name);
	for (enum what what = ENCODE; what <= REPAIR; what++)
		printf(" %s %.2f GB/s%s", names[what], (double)stride * rs.rows * BLOCK / best[what] / 1e9, what < REPAIR ? "," : "\n");
	free(parity);
	return 0;
}

int main(int argc, char **argv)
{
	static const unsigned roots[] = {2, 8, 24};
	struct verity_path_info info;
	int bad;

	data_blocks = (argc > 1 ? strtoul(argv[1], NULL, 10) : 32) * 1048576 / BLOCK;
	rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 7;
	data = aligned_alloc(BLOCK, data_blocks * BLOCK);
	if (!data)
		return 3;
	for (size_t i = 0; i < data_blocks * BLOCK; i++)
		data[i] = (uint8_t)(i * 2654435761u >> 13);
	bad = bench_lanes();
	for (size_t r = 0; r < sizeof(roots) / sizeof(roots[0]); r++)
		for (size_t i = 0; !bad && verity_rs_paths(i, &info); i++)
			if (argc <= 3 || strcmp(info.name, argv[3]) == 0)
				bad = bench_rs_path(info.name, roots[r]);
	free(data);
	return bad;
}
