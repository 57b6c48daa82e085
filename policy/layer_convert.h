/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/layer_convert.h - a layer tar to a signed dm-verity EROFS, as it streams by: same tar, same bytes
 *
 * Theory of operation
 *   Pushed bytes go through the tar reader (policy/tar_read.h) into the EROFS writer (policy/erofs_write.h); nothing of
 *   the tar is kept. At the end the hash tree is appended (no salt, UUID zero), and the root hash is signed as the
 *   kernel checks it: detached PKCS#7 over its 64 hex digits. The result is two files named by the root hash, so a layer
 *   that two images share is one.
 *
 *   No other program and no setting of the machine takes part: the build machine that signs and the host that converts
 *   what an engine pulled get the same root hash. Kept of the tar: owners, modes, times, extended attributes, devices if
 *   they are allowed. OCI whiteouts become overlayfs's (character device 0:0, opaque xattr).
 *
 *   Several conversions may run at once, in threads of their own.
 *
 * Input: hostile tar. Runs as: build machine and host, unprivileged.
 */
#ifndef POLICY_LAYER_CONVERT_H
#define POLICY_LAYER_CONVERT_H

#include "common/cleanup.h"
#include "common/err.h"
#include "common/pki.h"
#include "policy/policy.h"

#include <stdbool.h>

#define POLICY_CONVERT_MAX_BYTES ((uint64_t)4 << 30)
#define POLICY_CONVERT_TEMPORARY ".convert-" /* how the name of the file without meaning begins */

/**
 * struct policy_convert_params - zero it, then set what is needed
 * @folder:    where the two files go; must be there
 * @by:        signs the root hash, unless @wanted is there
 * @wanted:    the root hash that must come out, of a layer that was signed before; its signature is copied from the folder @signed_in
 * @devices:   keep device nodes; else they are refused
 * @max_bytes: of a tar, and of its files with holes written out; 0: POLICY_CONVERT_MAX_BYTES
 */
struct policy_convert_params {
	const char *folder;
	struct pki_signer by;
	const uint8_t *wanted;
	const char *signed_in;
	bool devices;
	uint64_t max_bytes;
};

struct policy_convert;

/**
 * policy_convert_begin() - one layer
 * @p:    kept; must outlive it
 * @name: for messages; kept
 *
 * Should: make one file without meaning in the folder, which policy_convert_free() removes.
 */
int policy_convert_begin(const struct policy_convert_params *p, const char *name, struct policy_convert **ret,
			 struct err *e) WARN_UNUSED;

/** policy_convert_push() - the next bytes of the tar. @arg: the struct policy_convert. -EINVAL, -EFBIG: refused tar. */
int policy_convert_push(void *arg, const uint8_t *data, size_t n, struct err *e) WARN_UNUSED;

/**
 * policy_convert_end() - tree, signature, names. The caller has checked that the bytes pushed are those it wanted.
 * @ret: root_hash and data_bytes are set
 *
 * Should: publish <root hash>.p7s, then <root hash>.erofs, synced. Must not: leave anything else in the folder.
 * Return: 0; -EINVAL refused tar; -EBADMSG another root hash than @wanted; -errno.
 */
int policy_convert_end(struct policy_convert *c, struct policy_layer *ret, struct err *e) WARN_UNUSED;

/** policy_convert_free() - release; accepts NULL. What was not published is gone. */
void policy_convert_free(struct policy_convert *c);

CLEANUP_DEFINE(policy_convert, struct policy_convert *, policy_convert_free)
#define cleanup_policy_convert __attribute__((cleanup(cleanup_policy_convert_fn)))

#endif
