/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/fetch_apt.h - apt with a configuration of its own, for fetch.c
 *
 * All of apt's state is below the cache folder: apt.conf, sources.list, status, lists, archives. Of the machine's
 * configuration only how to reach a server is taken over (proxies, TLS, and whether it minds old Release files).
 */
#ifndef IMAGE_BUILDER_FETCH_APT_H
#define IMAGE_BUILDER_FETCH_APT_H

#include "common/hash.h"
#include "image-builder/fetch.h"

#include <limits.h>
#include <stdint.h>

#define FETCH_MAX_RESOLVED 1024

/** struct fetch_package - one package of the closure */
struct fetch_package {
	char name[96], version[96], arch[16];
	uint64_t bytes;
	uint8_t sha256[HASH_SHA256_BYTES];
	bool known; /* bytes and sha256 are set */
};

/** struct fetch_apt - zero it; @config goes into APT_CONFIG */
struct fetch_apt {
	char cache[PATH_MAX], archives[PATH_MAX], config[PATH_MAX + 16];
	struct fetch_package *package;
	size_t n;
};

/** fetch_apt_free() - release what it holds. */
void fetch_apt_free(struct fetch_apt *a);

#define cleanup_fetch_apt __attribute__((cleanup(fetch_apt_free)))

/** fetch_apt_configure() - write the configuration below p->cache. */
int fetch_apt_configure(struct fetch_apt *a, const struct fetch_params *p, struct err *e) WARN_UNUSED;

/** fetch_apt_update() - apt-get update. */
int fetch_apt_update(struct fetch_apt *a, struct err *e) WARN_UNUSED;

/** fetch_apt_resolve() - the closure with versions, sizes and hashes, sorted by name, into @a. -ECHILD says what apt said. */
int fetch_apt_resolve(struct fetch_apt *a, const struct fetch_params *p, struct err *e) WARN_UNUSED;

/** fetch_apt_download() - what is missing in @a->archives. */
int fetch_apt_download(struct fetch_apt *a, const struct fetch_params *p, struct err *e) WARN_UNUSED;

/** fetch_apt_file() - path of a package's file in the archive. */
int fetch_apt_file(const struct fetch_apt *a, const struct fetch_package *pkg, char ret[static PATH_MAX],
		   struct err *e) WARN_UNUSED;

/** fetch_apt_check() - is the file at @path the one that the signed index names? -EBADMSG names it if not. */
int fetch_apt_check(const struct fetch_package *pkg, const char *path, struct err *e) WARN_UNUSED;

/** fetch_apt_parse_show() - take sizes and hashes from `apt-cache show`. Every package of @a must be among them. */
int fetch_apt_parse_show(struct fetch_apt *a, char *text, struct err *e) WARN_UNUSED;

/** fetch_apt_parse_plan() - take names, versions, architectures from `apt-get --simulate install`. */
int fetch_apt_parse_plan(struct fetch_apt *a, char *text, struct err *e) WARN_UNUSED;

#endif
