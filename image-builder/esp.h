/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/esp.h - the EFI system partition's FAT image, by mkfs.vfat and mtools
 *
 * Theory of operation
 *   `mkfs.vfat --invariant` with a fixed volume ID, then mmd and mcopy with SOURCE_DATE_EPOCH: no root, no loop
 *   device, and the same files give the same bytes. FAT32, as UEFI wants for a fixed disk's ESP; FAT16 below 33 MiB,
 *   where FAT32 has too few clusters to be one.
 *
 * Spec: UEFI 2.10 section 13.3 (FAT), 3.5.1.1 (removable media paths).
 */
#ifndef IMAGE_BUILDER_ESP_H
#define IMAGE_BUILDER_ESP_H

#include "common/cleanup.h"
#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

#define ESP_MAX_FILES 64
#define ESP_MIN_EPOCH 315532800 /* 1980-01-01, the first day FAT knows */

/** struct esp_file - @path below the ESP's root ("EFI/BOOT/BOOTX64.EFI"), @source on this machine */
struct esp_file {
	const char *path, *source;
};

/**
 * struct esp_params - zero it, then set all
 * @path:       image to make or replace
 * @size_bytes: a multiple of 1 MiB, at least 16 MiB (with fewer clusters it would be no FAT16)
 * @volume_id:  any number but 0; derive it from the root hash
 * @epoch:      time stamp of all files, at least ESP_MIN_EPOCH
 */
struct esp_params {
	const char *path;
	uint64_t size_bytes;
	uint32_t volume_id;
	uint64_t epoch;
	const struct esp_file *file;
	size_t n_files;
};

/** esp_write() - make the image. -ENOENT names a tool that is not installed; -ECHILD what a tool said. */
int esp_write(const struct esp_params *p, struct err *e) WARN_UNUSED;

/** esp_boot_path() - removable-media path of @arch: "EFI/BOOT/BOOTX64.EFI" or "EFI/BOOT/BOOTAA64.EFI"; NULL if unknown.
 */
const char *esp_boot_path(const char *arch);

#endif
