/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/fuzz/fuzz_verity_superblock.c - a superblock that parses encodes to the bytes it came from; what it describes has a
 * geometry without overflow; and what is small enough is built, verified, and found bad again after a change
 *
 * Input: a superblock, then data. The tree is built over the data that is there, if the superblock says as much.
 */
#include "verity/build.h"
#include "verity/verify.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_DATA 8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_geometry(const struct verity_sb *sb)
{
	struct verity_geometry g = verity_geometry_of(sb);
	uint64_t sum = 0;

	for (unsigned i = 0; i < g.n; i++)
		sum += g.blocks[i];
	if (sum != g.tree_blocks || (g.n && g.blocks[g.n - 1] != 1) || (!g.n && sb->data_blocks != 1) ||
	    verity_tree_bytes(sb) > VERITY_MAX_DATA_BYTES - verity_tree_offset(sb, 0))
		abort();
}

/* Over the bytes that came with it, in a file in memory: good, and bad after one bit. */
static void build_and_verify(const struct verity_sb *sb, const uint8_t *data, size_t size, int fd)
{
	struct verity_build_params b = {.sb = sb, .threads = 1};
	struct verity_verify_params v = {.threads = 1};
	struct verity_verify_result res;
	uint8_t root_hash[HASH_MAX_BYTES], first = (uint8_t)~data[0];
	struct err e = ERR_INIT;

	b.data = b.hash = v.data = v.hash = (struct verity_file){.fd = fd, .name = "fuzz"};
	b.hash_offset_bytes = v.hash_offset_bytes = verity_sb_data_bytes(sb);
	v.root_hash = root_hash;
	v.root_hash_bytes = hash_bytes(sb->alg);
	if (verity_io_write(&b.data, data, size, 0, &e) || verity_build(&b, root_hash, &e))
		abort();
	if (verity_verify(&v, &res, &e) || res.first.verdict != VERITY_VERDICT_GOOD)
		abort();
	if (verity_io_write(&b.data, &first, 1, 0, &e) || verity_verify(&v, &res, &e) ||
	    res.first.verdict != VERITY_VERDICT_BAD || res.first.level != VERITY_LEVEL_DATA)
		abort();
}

/* As somebody else's hash device: whatever it says, an answer comes. */
static void verify_as_it_is(const uint8_t *data, size_t size, int fd)
{
	struct verity_verify_params v = {.threads = 1, .root_hash = (const uint8_t[HASH_MAX_BYTES]){0}, .root_hash_bytes = 32};
	struct verity_verify_result res;
	struct err e = ERR_INIT;

	v.data = v.hash = (struct verity_file){.fd = fd, .name = "fuzz"};
	if (verity_io_write(&v.data, data, size, 0, &e))
		abort();
	if (!verity_verify(&v, &res, &e) && res.first.verdict != VERITY_VERDICT_BAD)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t again[VERITY_SB_BYTES];
	struct err e = ERR_INIT;
	struct verity_sb sb;
	int fd;

	if (verity_sb_parse(data, size, "fuzz", &sb, &e))
		return 0;
	verity_sb_encode(&sb, again);
	if (memcmp(again, data, sizeof(again)) || verity_sb_data_bytes(&sb) > VERITY_MAX_DATA_BYTES)
		abort();
	if (verity_sb_check_supported(&sb, "fuzz", &e)) {
		if (!verity_sb_check_chain(&sb, "fuzz", &e))
			abort(); /* the chain takes nothing that the library cannot hash */
		return 0;
	}
	check_geometry(&sb);
	fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0)
		return 0;
	verify_as_it_is(data, size, fd);
	if (ftruncate(fd, 0))
		abort();
	if (verity_sb_data_bytes(&sb) <= MAX_DATA && size - VERITY_SB_BYTES >= verity_sb_data_bytes(&sb))
		build_and_verify(&sb, data + VERITY_SB_BYTES, (size_t)verity_sb_data_bytes(&sb), fd);
	if (close(fd))
		abort();
	return 0;
}
