/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/sbom.h - the packages that an image was made from, as its reference values list them
 *
 * The builder writes an SPDX document beside the image and, into the signed reference values, its digest and each
 * package's name and version: `"sbom": {"sha256": "<hex>", "packages": {"libc6": "2.41-12", ...}}`, names ascending by
 * byte, each once. So a policy set can ask for versions without a second file that somebody would have to check.
 * The list is that of the package tree which the image was taken from: all that is in the image is on it, and what is on
 * it need not be in the image.
 *
 * Input: authenticated with the reference values, and parsed as strictly as any. Spec: docs/formats/README.md.
 */
#ifndef ATTEST_SBOM_H
#define ATTEST_SBOM_H

#include "common/hash.h"
#include "common/json.h"

#include <stdbool.h>

#define SBOM_MAX_PACKAGES 8192

/** struct sbom - @known: there is one; @package is owned, its strings are borrowed from the document */
struct sbom {
	bool known;
	uint8_t digest[HASH_SHA256_BYTES];
	size_t n;
	struct sbom_package {
		const char *name, *version;
	} *package;
};

/** sbom_parse() - member `sbom` of @doc, which may be absent. -EINVAL with the package and what is wrong with it. */
int sbom_parse(json_object *doc, const char *where, struct sbom *ret, struct err *e) WARN_UNUSED;

/** sbom_version() - the version of package @name, NULL if it is not listed. */
const char *sbom_version(const struct sbom *s, const char *name);

/** sbom_free() - release what @s owns; accepts a zeroed one. */
void sbom_free(struct sbom *s);

#endif
