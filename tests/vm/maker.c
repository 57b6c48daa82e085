/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/vm/maker.c - makes code in every way, and runs it: in an image that may, in one that may not, and where it does not belong
 *
 *   maker [NAME]   with a NAME it says what was allowed; the exit status is the number of ways that were not, or 99
 *
 * A way counts only if the code that was made then ran. One that must fail everywhere, for a JIT too, comes last: a file's page.
 * Runs as: anybody, in a guest.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE 4096
#define ANSWER 42
#define FILE_GAVE 99

/* int f(void) { return 42; } */
#if defined(__x86_64__)
static const unsigned char code[] = { 0xb8, ANSWER, 0, 0, 0, 0xc3 };
#else
static const unsigned char code[] = { 0x40, 0x05, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6 };
#endif

static int runs(void *p)
{
	int (*f)(void);

	__builtin___clear_cache((char *)p, (char *)p + sizeof(code));
	memcpy(&f, &p, sizeof(f));
	return f() == ANSWER;
}

static void *page(int prot)
{
	void *p = mmap(NULL, SIZE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Written first, executable then: V8, and whoever keeps to write xor execute. */
static int written_then_executable(void)
{
	void *p = page(PROT_READ | PROT_WRITE);

	if (!p)
		return 0;
	memcpy(p, code, sizeof(code));
	return mprotect(p, SIZE, PROT_READ | PROT_EXEC) == 0 && runs(p);
}

static int both_at_once(void)
{
	void *p = page(PROT_READ | PROT_WRITE | PROT_EXEC);

	if (!p)
		return 0;
	memcpy(p, code, sizeof(code));
	return runs(p);
}

static int executable_then_both(void)
{
	void *p = page(PROT_READ | PROT_EXEC);

	if (!p || mprotect(p, SIZE, PROT_READ | PROT_WRITE | PROT_EXEC))
		return 0;
	memcpy(p, code, sizeof(code));
	return runs(p);
}

/* What is anonymous is not a file's page: a private copy of one is nobody's to execute. */
static int page_of_a_file(const char *self)
{
	FILE *f = fopen(self, "r");
	char *p = f ? mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fileno(f), 0) : MAP_FAILED;

	if (p == MAP_FAILED)
		return 1;
	p[0] ^= 1;
	return mprotect(p, SIZE, PROT_READ | PROT_EXEC) == 0 ||
	       mmap(NULL, SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE, fileno(f), 0) != MAP_FAILED;
}

int main(int argc, char **argv)
{
	static const struct {
		int (*way)(void);
		const char *name;
	} ways[] = { { written_then_executable, "written, then executable" },
		     { both_at_once, "writable and executable" },
		     { executable_then_both, "executable, then writable too" } };
	int refused = 0;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		int ran;

		errno = 0;
		ran = ways[i].way();
		refused += !ran;
		if (argc > 1)
			printf("maker %s: %s: %s\n", argv[1], ways[i].name, ran ? "allowed" : strerror(errno));
	}
	if (page_of_a_file("/proc/self/exe"))
		refused = FILE_GAVE;
	if (argc > 1)
		printf("maker %s: page of a file, changed: %s\n", argv[1], refused == FILE_GAVE ? "NOT REFUSED" : "refused");
	return refused;
}
