/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/btf.h - the kernel's own description of its types: ids by name, offsets of members
 *
 * Theory of operation
 *   /sys/kernel/btf/vmlinux describes every type and function of the running kernel; /sys/kernel/btf/<module> goes on
 *   where it ends: its ids and its strings are counted on from those of vmlinux. What init/bpf_lsm.c must know
 *   of the kernel's structures is asked here on the machine it runs on, never guessed at build time.
 *
 *   Parsing walks all types once, checks that every record lies inside and names strings inside, and remembers where each
 *   begins; finding and asking for members use that index. Nothing is copied: the bytes must outlive the structure.
 *
 *     header: u16 magic eb9f, u8 version 1, u8 flags, u32 hdr_len, type_off, type_len, str_off, str_len
 *     type:   u32 name_off, info (vlen 0-15, kind 24-28, kind_flag 31), size or type; then what its kind and vlen say
 *
 * Input: the kernel's, so as trusted as the kernel; parsed as if it were hostile all the same. Little-endian, as both of
 * our architectures are.
 * Spec: Linux 6.12, Documentation/bpf/btf.rst; include/uapi/linux/btf.h.
 */
#ifndef INIT_BTF_H
#define INIT_BTF_H

#include "common/cleanup.h"
#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

#define PID1_BTF_MAX_BYTES (24u << 20) /* Debian's vmlinux has 4 to 6 MB */
#define PID1_BTF_MAX_TYPES (1u << 20)
#define PID1_BTF_MAX_DEPTH 8 /* of unnamed structs and unions within each other */

/* Kinds that can be asked for. */
enum pid1_btf_kind {
	PID1_BTF_STRUCT = 4,
	PID1_BTF_FUNC = 12,
};

/**
 * struct pid1_btf - a description: set the first four, the others are pid1_btf_parse()'s
 * @name:     for messages
 * @base:     what it goes on from (a module's: vmlinux's), or NULL
 * @at, @room: the caller's room for that many offsets
 * @types, @strings: borrowed
 * @first:    id of its first type; @n: how many it has; @at then has the offset of each in @types
 */
struct pid1_btf {
	const char *name;
	const struct pid1_btf *base;
	uint32_t *at;
	size_t room;
	const uint8_t *types;
	size_t types_len;
	const char *strings;
	size_t strings_len;
	uint32_t first;
	uint32_t n;
};

/**
 * pid1_btf_parse() - read and check a description
 * @b:     its first four members set; not to be used if this fails
 * @bytes: @len bytes, which must outlive @b
 *
 * Return: 0; -EBADMSG with what was found and where; -E2BIG if there are more types than room. One pass, no memory.
 */
int pid1_btf_parse(struct pid1_btf *b, const void *bytes, size_t len, struct err *e) WARN_UNUSED;

/** pid1_btf_find() - id of the type @name of @kind in @b itself (not its base). 0: there is none. */
uint32_t pid1_btf_find(const struct pid1_btf *b, const char *name, enum pid1_btf_kind kind);

/**
 * pid1_btf_offset() - offset in bytes of @member in struct @type, also one of an unnamed struct or union within it
 *
 * Return: 0; -ENOENT if @b has no such struct or it no such member; -EBADMSG for a bit field.
 */
int pid1_btf_offset(const struct pid1_btf *b, const char *type, const char *member, uint32_t *ret,
		    struct err *e) WARN_UNUSED;

#endif
