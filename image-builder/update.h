/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/update.h - a newer image into the other slot of a disk that is there
 *
 * Theory of operation
 *   The slot that stays is that of the UKI which the boot loader would start next: the highest version that has tries left. The other one,
 *   empty or not, becomes the new image's: root, hash tree, signature, their PARTUUIDs; and on the ESP its UKI with all its tries in
 *   place of whatever UKI belonged to that slot. The new image must have the same name and a higher version, or the loader would not choose it.
 *   The result is a whole new disk image under a temporary name, published by one rename: the old one is as it was until then. Equal inputs give
 *   equal bytes. Everything about the new image is checked before: its partitions by their own hash tree and the root hash of its UKI.
 *   What is not checked here is whose signatures these are: firmware and kernel do that, and holdfast-image has no keys of its own.
 *
 *   The partition table is measured (PCR 5), and depends on both slots. So reference values of a machine that was described hold for the disk that
 *   `build` made; update_refvalues() makes those of an image for a disk where it stands beside another.
 *
 * Input: the builder's own images; a disk that a host has run from, which is read as hostile.
 */
#ifndef IMAGE_BUILDER_UPDATE_H
#define IMAGE_BUILDER_UPDATE_H

#include "common/progress.h"
#include "image-builder/keys.h"

/**
 * struct update_params - zero it, then set all
 * @image: folder that `build` made; @disk: disk image to be updated; @out: where the result goes, may be @disk
 * @epoch: time stamp of what is new on the ESP
 */
struct update_params {
	const char *image, *disk, *out;
	uint64_t epoch;
	progress_fn *say;
};

/** update_run() - Return: 0; -EBADMSG or -EINVAL: image or disk are not what they must be, and nothing was written; -errno. */
int update_run(const struct update_params *p, struct err *e) WARN_UNUSED;

/**
 * update_refvalues() - the reference values of the image in folder @image for the disk @disk, as @out and @out.p7s
 * @keys: the policy key signs
 */
int update_refvalues(const char *image, const char *disk, const struct keys *keys, const char *out, struct err *e) WARN_UNUSED;

#endif
