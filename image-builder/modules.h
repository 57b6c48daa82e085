/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/modules.h - kernel modules of a package tree: load order and bytes
 *
 * Theory of operation
 *   Debian's kernel packages ship no modules.dep (depmod runs when they are installed, and ours are only extracted).
 *   It is not needed: each module names what it depends on in its own .modinfo (`depends=`, written by
 *   modpost from the same symbols). So names are looked up among the files below kernel/, the closure is walked
 *   depth first, and what comes out is an order in which insmod works. The bytes are the decompressed ones, with the
 * signature that kbuild appended: the builder writes these, PID 1 loads these, IMA measures these.
 *
 * Input: packages checked by apt, parsed as hostile. Runs as: the builder's user.
 */
#ifndef IMAGE_BUILDER_MODULES_H
#define IMAGE_BUILDER_MODULES_H

#include "common/buf.h"
#include "common/err.h"

#define MODULES_MAX       256
#define MODULES_MAX_BYTES (64u << 20)

/**
 * struct module - one module of the closure
 * @name: as in /proc/modules, with '_'
 * @path: below usr/lib/modules, uncompressed name: "6.12.1-amd64/kernel/drivers/md/dm-mod.ko"
 * @data: the bytes
 */
struct module {
	char *name;
	char *path;
	struct buf data;
};

/** struct modules - an owned list, in load order */
struct modules {
	struct module *v;
	size_t n;
};

void modules_free(struct modules *m);
#define cleanup_modules __attribute__((cleanup(modules_free)))

/**
 * modules_resolve() - closure of @n names, dependencies first, each once
 * @root:    folder of the tree
 * @release: folder below usr/lib/modules
 * @name:    '-' and '_' are the same; the order of names is kept as far as dependencies allow
 * @ret:     zeroed by the caller; released with modules_free() whatever is returned
 *
 * A name that is built into the kernel is passed over. -ENOENT names an unknown module and who wants it; -ELOOP a
 * cycle.
 */
int modules_resolve(const char *root, const char *release, const char *const *name, size_t n, struct modules *ret,
		    struct err *e) WARN_UNUSED;

/** modules_release() - the only folder below usr/lib/modules of the tree. -ENOENT if none, -EINVAL if several. */
int modules_release(const char *root, char **ret, struct err *e) WARN_UNUSED;

#endif
