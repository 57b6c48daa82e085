/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/update_esp.h - the UKIs on the ESP of a disk: which there are, and one in place of others
 *
 * By mtools, at the partition's place within the disk image. Input: hostile names and UKIs.
 */
#ifndef IMAGE_BUILDER_UPDATE_ESP_H
#define IMAGE_BUILDER_UPDATE_ESP_H

#include "common/boot_count.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/hash.h"

#include <limits.h>

#define UPDATE_MAX_UKIS      8
#define UPDATE_MAX_UKI_BYTES (512u << 20)

/** struct update_uki - what a UKI says of itself: @name and @version of its os-release, @root_hash of its command line */
struct update_uki {
	char file[BOOT_COUNT_NAME_BYTES];
	struct boot_count count;
	char name[BOOT_COUNT_NAME_BYTES];
	uint64_t version;
	uint8_t root_hash[HASH_SHA256_BYTES];
};

/** struct update_esp - an ESP within @disk at byte @at; @work: folder for temporary files; @epoch: of new files */
struct update_esp {
	const char *disk, *work;
	uint64_t at, epoch;
	struct update_uki uki[UPDATE_MAX_UKIS];
	size_t n;
};

/** update_uki_load() - read the UKI @path. -EBADMSG: it is none, is not signed, or lacks a section. @file and @count stay untouched. */
int update_uki_load(const char *path, struct update_uki *ret, struct err *e) WARN_UNUSED;

/** update_esp_list() - all UKIs into @esp->uki. */
int update_esp_list(struct update_esp *esp, struct err *e) WARN_UNUSED;

/** update_esp_put() - @source becomes the file @path of the ESP, in place of any. update_esp_remove() - delete @path. */
int update_esp_put(const struct update_esp *esp, const char *source, const char *path, struct err *e) WARN_UNUSED;
int update_esp_remove(const struct update_esp *esp, const char *path, struct err *e) WARN_UNUSED;

#endif
