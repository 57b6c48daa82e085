/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/fetch.h - packages of Debian 13, downloaded and checked by apt, extracted without being installed
 *
 * Theory of operation
 *   The guest is Debian 13 whatever Debian the build machine is. apt is given a configuration of its own, below the
 *   cache folder: sources made from the machine's mirror with the suite's name changed, an empty status file (so that the
 *   whole closure is resolved), its own lists and archive. apt does what it is for: signatures by the archive keyring,
 *   hashes, resolution, download. Then every package file is hashed again against the signed index, because
 *   apt takes a file that lies in its archive by size alone, and unpacked by dpkg-deb into a fresh folder that becomes
 *   the tree in one rename. No maintainer script runs, nothing needs root.
 *
 *   In the tree /usr is merged before anything is unpacked, and absolute links are made relative afterwards, so that it
 *   can be read from outside. `.holdfast-packages` in it lists name, version and SHA-256 of each package: if
 *   apt resolves to the same list again, there is nothing to do, and within a day of the last look not even apt is asked.
 *
 * Runs as: the builder's user, root or not. Spec: apt.conf(5), sources.list(5), apt-get(8), dpkg-deb(1).
 */
#ifndef IMAGE_BUILDER_FETCH_H
#define IMAGE_BUILDER_FETCH_H

#include "common/cleanup.h"
#include "common/err.h"
#include "common/progress.h"

#include <stdbool.h>
#include <stddef.h>

#define FETCH_SUITE        "trixie"
#define FETCH_LIST         ".holdfast-packages"
#define FETCH_MAX_PACKAGES 128
#define FETCH_KEYRING      "/usr/share/keyrings/debian-archive-keyring.gpg"

/**
 * struct fetch_params - zero it, then set what is needed
 * @arch:     Debian's name: "amd64" or "arm64"
 * @cache:    folder kept between runs
 * @out:      the tree; replaced only if it is an earlier one
 * @package:  @n_packages names
 * @mirror:   archive URI; NULL: the machine's
 * @security: its security archive; NULL: the machine's
 * @sysroot:  the tree is for a compiler: documentation is not looked for, development files are wanted (they are anyway);
 *            keeps it apart from a guest tree of the same list
 * @offline:  neither lists nor packages are downloaded
 * @refresh:  ask apt even if the last look is younger than a day
 */
struct fetch_params {
	const char *arch, *cache, *out;
	const char *const *package;
	size_t n_packages;
	const char *mirror, *security;
	bool sysroot, offline, refresh;
	progress_fn *say;
};

/** fetch_run() - bring @out up to date. Return: 0; -ENOENT, -EINVAL, -EBADMSG (a damaged package, named) or -ECHILD. */
int fetch_run(const struct fetch_params *p, struct err *e) WARN_UNUSED;

#define FETCH_URI_BYTES 512

/** struct fetch_mirrors - two archive URIs, "" if not known */
struct fetch_mirrors {
	char main[FETCH_URI_BYTES];
	char security[FETCH_URI_BYTES];
};

/**
 * fetch_mirrors_of_machine() - what the machine's own apt uses, whichever format its sources are in
 * @apt_option: NULL-terminated arguments put before the command ("-o", "Dir::Etc::SourceList=..."), for tests; or NULL
 *
 * apt itself parses its configuration (`apt-get indextargets`). Return: 0; -ENOENT if no Debian archive is among them.
 */
int fetch_mirrors_of_machine(const char *const *apt_option, struct fetch_mirrors *ret, struct err *e) WARN_UNUSED;

#endif
