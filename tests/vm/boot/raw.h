/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/vm/boot/raw.h - system calls without a C library, for programs of a few KB
 *
 * What the floor of a boot's cost is made of: nothing but what the kernel is asked. A call returns what the kernel returns,
 * -errno on failure. The program is raw_main(); it must not return.
 */
#ifndef TESTS_VM_BOOT_RAW_H
#define TESTS_VM_BOOT_RAW_H

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

_Noreturn void raw_main(void);

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n xor %ebp, %ebp\n and $-16, %rsp\n call raw_main\n");

static inline long raw_call(long n, long a, long b, long c, long d, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = f;
	long ret;

	__asm__ volatile("syscall" : "=a"(ret) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
	return ret;
}
#else
__asm__(".globl _start\n_start:\n mov x29, #0\n bl raw_main\n");

static inline long raw_call(long n, long a, long b, long c, long d, long f)
{
	register long x8 __asm__("x8") = n;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = f;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
	return x0;
}
#endif

#define RAW(n, a, b, c, d, f) raw_call(SYS_##n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(f))

/* The compiler calls these whether there is a C library or not. */
void *memset(void *to, int byte, size_t n);
void *memset(void *to, int byte, size_t n)
{
	for (volatile char *p = to; n--; p++)
		*p = (char)byte;
	return to;
}

static inline size_t raw_len(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

static inline int raw_open(const char *path, int flags)
{
	return (int)RAW(openat, -100 /* AT_FDCWD */, path, flags, 0, 0);
}

/* A whole small file, NUL behind it. Return: its bytes, or -errno. */
static inline long raw_read(const char *path, char *ret, size_t room)
{
	int fd = raw_open(path, 0);
	long n, len = 0;

	if (fd < 0)
		return fd;
	while ((n = RAW(read, fd, ret + len, (long)room - 1 - len, 0, 0)) > 0)
		len += n;
	ret[len] = '\0';
	(void)RAW(close, fd, 0, 0, 0, 0);
	return n < 0 ? n : len;
}

#endif
