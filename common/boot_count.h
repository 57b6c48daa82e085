/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * common/boot_count.h - how often the boot loader may still try a UKI, which stands in the UKI's file name
 *
 * Theory of operation
 *   A UKI is EFI/Linux/<name>_<version>+LEFT-DONE.efi. systemd-boot takes one from LEFT before each try (and adds one to DONE), and
 *   sorts UKIs whose LEFT is 0 behind all others. A boot that came well puts LEFT back to BOOT_COUNT_TRIES (init/bless.h). So the
 *   counter is never taken away: a slot that ran well for a year and then goes bad is left after as many failures as a new one.
 *   The builder writes the first name, the host's blessing the later ones.
 *
 * Input: file names of an ESP, which anybody with the disk can write. Spec: UAPI group, Boot Loader Specification, "Boot Counting".
 */
#ifndef COMMON_BOOT_COUNT_H
#define COMMON_BOOT_COUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOOT_COUNT_TRIES      2 /* after as many failures the loader's next choice is the other slot */
#define BOOT_COUNT_FOLDER     "EFI/Linux"
#define BOOT_COUNT_NAME_BYTES 160

/**
 * struct boot_count - a UKI's file name, taken apart
 * @base:    "<name>_<version>"
 * @counted: there is a counter; @left, @done: it
 */
struct boot_count {
	char base[BOOT_COUNT_NAME_BYTES];
	bool counted;
	unsigned left, done;
};

/** boot_count_parse() - take a file name (without folder) apart. Return: false if it is none of a UKI. */
bool boot_count_parse(const char *file, struct boot_count *ret);

/** boot_count_base() - "<name>_<version>". boot_count_file() - "<base>+LEFT.efi" with all tries left. False: too long. */
bool boot_count_base(const char *name, uint64_t version, char ret[static BOOT_COUNT_NAME_BYTES]);
bool boot_count_file(const char *base, char ret[static BOOT_COUNT_NAME_BYTES]);

#endif
