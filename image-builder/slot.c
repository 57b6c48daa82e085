/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/slot.c - the two places of a disk where a root may stand: three partitions each */
#include "image-builder/slot.h"

#include "verity/geometry.h"
#include "verity/sigrecord.h"

static const char *const labels[SLOTS][SLOT_PARTS] = {
	{ "root", "root-verity", "root-verity-sig" },
	{ "root-b", "root-verity-b", "root-verity-sig-b" },
};

const char *slot_label(unsigned slot, enum slot_part part)
{
	return labels[slot][part];
}

enum gpt_type slot_type(enum slot_part part)
{
	return part == SLOT_ROOT ? GPT_ROOT : part == SLOT_VERITY ? GPT_ROOT_VERITY : GPT_ROOT_VERITY_SIG;
}

void slot_uuids(const uint8_t root_hash[static HASH_SHA256_BYTES], struct gpt_uuid ret[static SLOT_PARTS])
{
	ret[SLOT_ROOT] = gpt_uuid_root(root_hash);
	ret[SLOT_VERITY] = gpt_uuid_verity(root_hash);
	ret[SLOT_SIG] = gpt_uuid_derived(labels[0][SLOT_SIG], root_hash); /* in either slot: verity/discover.h */
}

void slot_empty_uuids(unsigned slot, const uint8_t root_hash[static HASH_SHA256_BYTES], struct gpt_uuid ret[static SLOT_PARTS])
{
	for (int i = 0; i < SLOT_PARTS; i++)
		ret[i] = gpt_uuid_derived(labels[slot][i], root_hash);
}

static uint64_t whole(uint64_t bytes)
{
	return (bytes + GPT_ALIGN_BYTES - 1) / GPT_ALIGN_BYTES * GPT_ALIGN_BYTES;
}

void slot_sizes(uint64_t root_bytes, uint64_t wanted, uint64_t ret[static SLOT_PARTS])
{
	struct verity_sb sb;

	ret[SLOT_ROOT] = whole(wanted ? wanted : root_bytes + root_bytes / 4);
	verity_sb_init(&sb);
	sb.data_blocks = ret[SLOT_ROOT] / VERITY_BLOCK_BYTES;
	ret[SLOT_VERITY] = whole(verity_hash_bytes(&sb));
	ret[SLOT_SIG] = VERITY_SIGRECORD_PARTITION_BYTES; /* PID 1 reads all of it */
}
