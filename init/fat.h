/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/fat.h - give a file of a FAT file system another name, by its bytes, without mounting it
 *
 * Theory of operation
 *   One thing is ever written to an ESP by a running host: the counter in the name of a UKI. Mounted for it, the kernel would have to parse a
 *   file system that anybody with the disk could have made, by three modules that nothing else needs. Here the folder is read into
 *   memory within fixed bounds, and a rename changes the entries of the file's long name in place, which the new name must fit: one
 *   sector is written, two if the entries cross into the next. Nothing is allocated or freed on the disk, and neither the FAT, the short name
 *   nor the content is touched. A cut between two sectors leaves a file that is known by its short name, and that the loader
 *   still starts.
 *
 * Input: hostile (the ESP). Runs as: holdfast-bless, which has no capabilities.
 * Spec: Microsoft FAT specification (2005-08-30): BPB 3.1-3.3, FAT type 3.5, directories 6, long names 7; UEFI 2.10 section 13.3.
 */
#ifndef INIT_FAT_H
#define INIT_FAT_H

#include "common/cleanup.h"
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PID1_FAT_SECTOR_BYTES 512
#define PID1_FAT_MAX_SECTORS  256 /* of one folder: 4096 entries */
#define PID1_FAT_NAME_BYTES   256 /* 255 characters and a NUL */

/** struct pid1_fat - where its parts stand, in sectors; of pid1_fat_open() */
struct pid1_fat {
	int fd;
	bool is_32;
	uint32_t cluster_sectors, clusters;
	uint64_t table, table_entries;
	uint64_t root, root_sectors; /* FAT16: a place of its own */
	uint32_t root_cluster;       /* FAT32 */
	uint64_t data;
};

/** struct pid1_fat_folder - one folder in memory; @place: sector of the disk of each of its @sectors sectors */
struct pid1_fat_folder {
	uint8_t bytes[PID1_FAT_MAX_SECTORS * PID1_FAT_SECTOR_BYTES];
	uint64_t place[PID1_FAT_MAX_SECTORS];
	size_t sectors;
};

/** struct pid1_fat_file - one file: @first: its first entry (of 32 bytes) in the folder, @long_entries before that of its short name */
struct pid1_fat_file {
	char name[PID1_FAT_NAME_BYTES];
	bool folder;
	uint32_t cluster;
	size_t first, long_entries;
};

/** pid1_fat_open() - read the boot sector of @fd, which stays the caller's. -EBADMSG: no FAT16 or FAT32 of 512-byte sectors. */
int pid1_fat_open(int fd, struct pid1_fat *ret, struct err *e) WARN_UNUSED;

/** pid1_fat_read() - the folder @path ("EFI/Linux") into memory. -ENOENT names the part that is not there; -EBADMSG. */
int pid1_fat_read(const struct pid1_fat *fat, const char *path, struct pid1_fat_folder *ret, struct err *e) WARN_UNUSED;

/** pid1_fat_next() - the next file of a folder; *@at is 0 before the first. Names with other than ASCII are passed over. False: there is none. */
bool pid1_fat_next(const struct pid1_fat_folder *folder, size_t *at, struct pid1_fat_file *ret);

/**
 * pid1_fat_rename() - @file of @folder gets the name @name, synced
 *
 * Must not: write anything but the entries of the long name. Return: 0; -ENOSPC if @name needs more of them than there are; -errno.
 */
int pid1_fat_rename(const struct pid1_fat *fat, struct pid1_fat_folder *folder, const struct pid1_fat_file *file, const char *name,
		    struct err *e) WARN_UNUSED;

#endif
