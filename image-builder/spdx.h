/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/spdx.h - the bill of materials of an image: its packages, as SPDX
 *
 * What is listed is what the package tree was made of (fetch.h, FETCH_LIST), which is more than what ends up in the image:
 * the relationship is GENERATED_FROM. Equal inputs give equal bytes; the time is SOURCE_DATE_EPOCH.
 *
 * Input: the tree's list, ours. Spec: SPDX 2.3, JSON; purl type deb.
 */
#ifndef IMAGE_BUILDER_SPDX_H
#define IMAGE_BUILDER_SPDX_H

#include "common/buf.h"
#include "common/err.h"
#include "common/hash.h"

#define SPDX_MAX_PACKAGES 8192

/** struct spdx_packages - ascending by name, each once; strings are views into @text. Release with spdx_packages_free(). */
struct spdx_packages {
	struct buf text;
	size_t n;
	struct spdx_package {
		const char *name, *version, *sha256;
	} *package;
};

/** spdx_packages_parse() - the list of a tree; @text is taken in any case. -EINVAL with the line and what is wrong with it. */
int spdx_packages_parse(struct buf *text, const char *name, struct spdx_packages *ret, struct err *e) WARN_UNUSED;

/** spdx_packages_free() - release what @p owns; accepts a zeroed one. */
void spdx_packages_free(struct spdx_packages *p);
#define cleanup_spdx_packages __attribute__((cleanup(spdx_packages_free)))

/** struct spdx_image - what the document is about; @created: seconds since 1970 */
struct spdx_image {
	const char *name;
	uint64_t version;
	const char *arch;
	uint8_t root_hash[HASH_SHA256_BYTES];
	uint64_t created;
};

/** spdx_write() - append the document, one line of JSON. */
int spdx_write(const struct spdx_image *image, const struct spdx_packages *p, struct buf *ret, struct err *e) WARN_UNUSED;

#endif
