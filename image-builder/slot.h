/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/slot.h - the two places of a disk where a root may stand: three partitions each
 *
 * A slot has no number that anything is set to: the PARTUUIDs of its root and hash tree are the halves of the root hash, so the
 * command line of a UKI finds its slot. The labels are for people, and for `holdfast-image update`.
 */
#ifndef IMAGE_BUILDER_SLOT_H
#define IMAGE_BUILDER_SLOT_H

#include "image-builder/gpt.h"

enum slot_part { SLOT_ROOT, SLOT_VERITY, SLOT_SIG, SLOT_PARTS };
#define SLOTS 2

/** slot_label() - label of part @part of slot @slot (0: A, 1: B). slot_type() - its partition type. */
const char *slot_label(unsigned slot, enum slot_part part);
enum gpt_type slot_type(enum slot_part part);

/** slot_uuids() - PARTUUIDs of a slot that holds the root with @root_hash. */
void slot_uuids(const uint8_t root_hash[static HASH_SHA256_BYTES], struct gpt_uuid ret[static SLOT_PARTS]);

/** slot_empty_uuids() - those of slot @slot while it holds nothing, on the disk that was made with @root_hash. */
void slot_empty_uuids(unsigned slot, const uint8_t root_hash[static HASH_SHA256_BYTES], struct gpt_uuid ret[static SLOT_PARTS]);

/**
 * slot_sizes() - bytes of a slot's partitions
 * @root_bytes: of the root that is there now; @wanted: of the partition, 0: a quarter more, for the images to come
 */
void slot_sizes(uint64_t root_bytes, uint64_t wanted, uint64_t ret[static SLOT_PARTS]);

#endif
