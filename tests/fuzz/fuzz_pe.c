/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_pe.c - whatever pe_parse() accepts can be hashed, sliced and walked without leaving the buffer */
#include "image-builder/authenticode.h"
#include "image-builder/pe.h"
#include "image-builder/uki.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t digest[HASH_SHA256_BYTES], one[HASH_SHA256_BYTES];
	const struct pe_section *s;
	struct err e = ERR_INIT;
	struct pe pe;

	if (pe_parse(data, size, "fuzz", &pe, &e))
		return 0;
	for (size_t i = 0; (s = uki_measured(&pe, i)); i++) {
		size_t n;
		const uint8_t *p = pe_content(&pe, s, &n);

		hash_sha256(p, n, one);
	}
	(void)pe_checksum(data, size, pe.checksum_offset);  /* reads it all */
	(void)!authenticode_digest(data, size, digest, &e); /* either way is fine */
	return 0;
}
