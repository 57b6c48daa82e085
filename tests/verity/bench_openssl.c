/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/verity/bench_openssl.c - OpenSSL's SHA-256 over the 4 KiB blocks of a file, with a pre-salted context copied for each
 *
 *   bench_openssl FILE     the level-0 digests alone: no tree, nothing is written. The file is mapped, 4 MiB at a time.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK  4096
#define WINDOW (4 << 20)

int main(int argc, char **argv)
{
	static const uint8_t salt[32] = {1, 2, 3};
	uint8_t digest[SHA256_DIGEST_LENGTH], all = 0;
	SHA256_CTX salted, ctx;
	struct stat st;
	int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;

	if (fd < 0 || fstat(fd, &st) < 0)
		return 3;
	SHA256_Init(&salted);
	SHA256_Update(&salted, salt, sizeof(salt));
	for (off_t at = 0; at + BLOCK <= st.st_size; at += WINDOW) {
		size_t n = st.st_size - at < WINDOW ? (size_t)(st.st_size - at) : WINDOW;
		uint8_t *p = mmap(NULL, n, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, at);

		if (p == MAP_FAILED)
			return 3;
		for (size_t i = 0; i + BLOCK <= n; i += BLOCK) {
			ctx = salted;
			SHA256_Update(&ctx, p + i, BLOCK);
			SHA256_Final(digest, &ctx);
			all ^= digest[0];
		}
		(void)munmap(p, n); /* only read */
	}
	printf("%u\n", all); /* so that nothing is left out */
	return 0;
}
