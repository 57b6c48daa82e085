/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * common/deb_version.h - versions of Debian packages: are two words such, and which is the newer
 *
 * [epoch:]upstream[-revision]. Epochs are compared as numbers; upstream and revision by pieces: what is no digit by
 * letters before all else, with `~` before even the end, then digits as numbers of any length. A missing epoch is 0, a
 * missing revision is "0".
 *
 * Input: hostile. Spec: Debian Policy 5.6.12, deb-version(7). Linear in the length of both.
 */
#ifndef COMMON_DEB_VERSION_H
#define COMMON_DEB_VERSION_H

#include <stdbool.h>

#define DEB_VERSION_MAX_BYTES 128
#define DEB_NAME_MAX_BYTES    128

/** deb_version_is_valid() - is @v a version: epoch a number, upstream beginning with a digit, no other letters? */
bool deb_version_is_valid(const char *v);

/** deb_version_compare() - below 0 if @a is older than @b, 0 if none is, above 0 if newer; both must be valid. */
int deb_version_compare(const char *a, const char *b);

/** deb_name_is_valid() - is @name a package's name (Policy 5.6.7)? */
bool deb_name_is_valid(const char *name);

#endif
