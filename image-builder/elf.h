/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/elf.h - bounded reader of ELF64 files, and the closure of shared libraries in a tree
 *
 * Theory of operation
 *   elf_parse() reads what the loader reads: machine, interpreter, DT_NEEDED, DT_RUNPATH. elf_closure() starts from
 *   named files of a tree (extracted packages) and follows the needed names through usr/lib/<gnu arch>-linux-gnu,
 *   usr/lib and usr/lib64 of that tree, as ld.so there would. Nothing of the build machine is looked at: absolute links
 *   are resolved below the tree's root and never leave it.
 *
 * Input: packages checked by apt, parsed as hostile. Spec: System V gABI 4.1 chapters 4 and 5.
 */
#ifndef IMAGE_BUILDER_ELF_H
#define IMAGE_BUILDER_ELF_H

#include "common/cleanup.h"
#include "common/err.h"
#include "common/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_MAX_NEEDED     128
#define ELF_MAX_BYTES      (256u << 20)
#define ELF_MAX_CLOSURE    1024
#define ELF_MAX_PATH_BYTES 1024

#define ELF_MACHINE_X86_64 62
#define ELF_MACHINE_ARM64  183

/**
 * struct elf - what the loader wants to know; strings point into the parsed bytes
 * @type:    ET_REL 1, ET_EXEC 2, ET_DYN 3
 * @interp:  program interpreter, or NULL
 * @runpath: DT_RUNPATH or DT_RPATH, or NULL
 */
struct elf {
	uint16_t machine, type;
	const char *interp, *runpath, *soname;
	size_t n_needed;
	const char *needed[ELF_MAX_NEEDED];
};

/** elf_is() - do the bytes begin as an ELF file does? */
bool elf_is(const void *data, size_t len);

/** elf_parse() - read headers and dynamic section. @data must outlive @ret. Return: 0 or -EINVAL with offset and rule.
 */
int elf_parse(const void *data, size_t len, const char *name, struct elf *ret, struct err *e) WARN_UNUSED;

/** elf_section() - @ret: a reader over the bytes of the section of that name. Return: 0, -ENOENT if there is none, or
 * -EINVAL. */
int elf_section(const void *data, size_t len, const char *name, const char *section, struct reader *ret,
		struct err *e) WARN_UNUSED;

/** struct elf_files - an owned list of paths relative to the tree's root, sorted, each once */
struct elf_files {
	char **path;
	size_t n;
};

void elf_files_free(struct elf_files *f);
#define cleanup_elf_files __attribute__((cleanup(elf_files_free)))

/**
 * elf_closure() - libraries (and loader) that programs of a tree need
 * @root:   folder of the tree
 * @arch:   "x86_64" or "arm64": every file must be for it
 * @file:   @n paths relative to @root; a file that is no ELF is passed over
 * @ret:    zeroed by the caller. The libraries and the loader, where they are looked up; where that is a symbolic link,
 *          the link and what it names, hop by hop: copy each, links as links. Their folders' links are followed
 *          (usr/lib64, not lib64), so the copy needs lib -> usr/lib and lib64 -> usr/lib64. Without the @file paths
 * themselves
 *
 * A library that is not in the tree, a file of another architecture: -ENOENT, -EINVAL, naming who needs it.
 */
int elf_closure(const char *root, const char *arch, const char *const *file, size_t n, struct elf_files *ret,
		struct err *e) WARN_UNUSED;

/**
 * elf_resolve() - follow symbolic links of @path within the tree
 * @ret: path relative to @root of what it finally names; ELF_MAX_PATH_BYTES
 *
 * ".." at the root stays there. -ELOOP after 40 links, -ENOENT if nothing is there.
 */
int elf_resolve(const char *root, const char *path, char ret[static ELF_MAX_PATH_BYTES], struct err *e) WARN_UNUSED;

#endif
