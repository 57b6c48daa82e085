/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/write.h - carry out a plan: layers, policy, root, initramfs, UKI, disk, reference values
 *
 * Theory of operation
 *   Everything is made in a temporary folder beside the result, which is published by one rename, or removed. The order
 *   is that of the chain, from its far end: the layers give the policy, the policy goes into the root, the root
 *   gives the root hash, the root hash goes into the command line, the command line into the UKI. What is measured
 *   on the way is collected for the prediction. Equal inputs give equal bytes.
 *
 *   OUT/ holds: disk.img, uki.efi, loader.efi (both signed), policy.json(.p7s), policy-cert.der, pcr-signature.json, refvalues.json(.p7s), packages.list, sbom.spdx.json. Of a board
 *   without UEFI, in place of these two: kernel, initramfs, cmdline (one line, without a newline).
 */
#ifndef IMAGE_BUILDER_WRITE_H
#define IMAGE_BUILDER_WRITE_H

#include "image-builder/plan.h"
#include "image-builder/spdx.h"

#define WRITE_CMDLINE_BYTES 2048

/** struct write_sizes - bytes, for the summary */
struct write_sizes {
	uint64_t root_raw, root, verity, initramfs, uki, disk;
};

/**
 * write_run() - make the image
 * @plan: root and initramfs get their last files
 */
int write_run(struct plan *plan, struct write_sizes *ret, struct err *e) WARN_UNUSED;

/** struct write - one run: the folders, and what later steps need of earlier ones; for the files of write_*.c */
struct write {
	struct plan *plan;
	char out[PATH_MAX], work[PATH_MAX], layers[PATH_MAX];
	struct policy *policy;
	uint8_t root_hash[HASH_SHA256_BYTES], root_signer[HASH_SHA256_BYTES];
	uint8_t ipe[HASH_SHA256_BYTES];
	struct buf uki, loader;
	char cmdline[WRITE_CMDLINE_BYTES];
	uint8_t boot_conf[HASH_SHA256_BYTES];
	struct spdx_packages packages; /* none: the tree was not made by fetch.c */
	uint8_t sbom[HASH_SHA256_BYTES];
	struct write_sizes sizes;
};

/** write_policy() - layers, policy document and signature, IPE policy, archives; all added to the root's files. */
int write_policy(struct write *w, struct err *e) WARN_UNUSED;

/** write_root() - EROFS, hash tree and signature record into the work folder. */
int write_root(struct write *w, struct err *e) WARN_UNUSED;

/** write_uki() - initramfs, UKI, signed; without UEFI the three files that are started. */
int write_uki(struct write *w, struct err *e) WARN_UNUSED;

/** write_disk() - ESP (with UEFI) and GPT. */
int write_disk(struct write *w, struct err *e) WARN_UNUSED;

/** write_refvalues() - prediction, signed. */
int write_refvalues(struct write *w, struct err *e) WARN_UNUSED;

/** write_signed() - @data as OUT/<name> and its detached signature by @key as OUT/<name>.p7s. */
int write_signed(const struct write *w, const char *name, const struct buf *data, enum keys_name key,
		 struct err *e) WARN_UNUSED;

#endif
