/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/lastfail.h - the last failure, as it outlives the boot it ended
 *
 * Theory of operation
 *   A boot can end in two ways that it has to account for afterwards. Either PID 1 refuses: then it writes its code into
 *   the EFI variable HoldfastLastFailure before it ends the machine (on the host into the kernel's log alone). Or the kernel ends it, by a panic or, where the board says
 *   `on_corruption = restart`, by a restart out of dm-verity, and PID 1 gets no word in. For those the kernel's log is
 *   the witness: efi_pstore, loaded before the root is opened, keeps its end in the firmware's variables, and
 *   printk's always_kmsg_dump makes it do so for restarts and power-offs too. PID 1 sets that switch as soon as there is a
 *   pstore and takes it back only in an orderly shutdown. So a good boot writes nothing, a power cut leaves nothing (it is
 *   no failure of a slot), and whatever else ended the machine left its log, with PID 1's own lines in it.
 *
 *   The initramfs of the next boot finds that log, reads code, slot and stage out of it, adds it to the variable
 *   (`in_a_row` counts failures of one slot with no good boot between), and deletes it. The host reads the variable
 *   before it locks modules, sets it to "none": code 0, this slot's root hash and the count, and unloads efivarfs, for whoever is
 *   root there could mount it as well. When it is ready it tells the failure once. So a refusal after that is told by the
 *   kernel's log alone. The count goes on only if that log does not say that the host was ready; a boot that
 *   left no log takes it back to 0.
 *
 *   A slot is its root hash: command line, partitions and signature are all found by it.
 *
 *   The I/O is init/stage_lastfail.c's. The efivarfs is mounted only while PID 1 reads or writes, its module loaded in the initramfs only then ('+' in the
 *   boot manifest). Nothing here can make a boot fail: what cannot be read or written is told, and the boot goes on.
 *
 * Layout of the variable (little-endian; docs/formats/last-failure.md), behind the four bytes of attributes that efivarfs puts first:
 *     0  magic "HFLF"    8  code         12  in_a_row     48  stage[24]    96  text[160]
 *     4  version 1      10  source       16  slot[32]     72  version[24]  256 the end
 *     6  size 256       11  zero
 *
 * Input: hostile. Whoever was root on the host, or holds the disk and the firmware, can write variables and kernel log
 * lines. So it is parsed strictly and believed in nothing but reports.
 * Spec: UEFI 2.10, 8.2 (variables); Linux, Documentation/filesystems/efivarfs.rst, Documentation/ABI/testing/pstore,
 * kernel/printk (kmsg_dump since 3.10, restarts only with always_kmsg_dump).
 */
#ifndef INIT_LASTFAIL_H
#define INIT_LASTFAIL_H

#include "common/cleanup.h"
#include "common/err.h"
#include "common/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LASTFAIL_VARIABLE      "HoldfastLastFailure-9158ed57-6df6-4ddb-926e-46d7650470b9"
#define LASTFAIL_BYTES         256
#define LASTFAIL_FILE_BYTES    (4 + LASTFAIL_BYTES) /* with efivarfs's attributes */
#define LASTFAIL_ATTRIBUTES    7u /* EFI_VARIABLE_NON_VOLATILE, _BOOTSERVICE_ACCESS, _RUNTIME_ACCESS */
#define LASTFAIL_STAGE_BYTES   24
#define LASTFAIL_VERSION_BYTES 24
#define LASTFAIL_TEXT_BYTES    160

/* Who says so. */
enum pid1_lastfail_source {
	LASTFAIL_NONE = 0,   /* no failure since the last one was told; code is 0 */
	LASTFAIL_PID1 = 1,   /* PID 1, before it ended the machine */
	LASTFAIL_KERNEL = 2, /* the kernel's log that was found after it */
};

/**
 * struct pid1_lastfail - one failure, or none
 * @code:     common/codes.h; 0: none
 * @in_a_row: failures of this slot since it last ran well; at least 1 with a code; without, how many there were when the last was told
 * @slot:     root hash; zeros: not known
 * @stage:    of PID 1 ("" if not known); @version: of holdfast-init, @text: the sentence. Printable ASCII
 * @stage_us: when the log said so, microseconds since that boot began; not stored
 * @was_ready: the log says that the host was ready before it failed; not stored
 */
struct pid1_lastfail {
	unsigned code;
	enum pid1_lastfail_source source;
	uint32_t in_a_row;
	uint8_t slot[HASH_SHA256_BYTES];
	char stage[LASTFAIL_STAGE_BYTES];
	uint64_t stage_us;
	bool was_ready;
	char version[LASTFAIL_VERSION_BYTES];
	char text[LASTFAIL_TEXT_BYTES];
};

/** pid1_lastfail_encode() - the file that efivarfs takes, attributes first. Texts are cut, made printable and padded. */
void pid1_lastfail_encode(const struct pid1_lastfail *f, uint8_t ret[static LASTFAIL_FILE_BYTES]);

/** pid1_lastfail_parse() - the inverse, strict. 0, or -EBADMSG with what was found and what was wanted. */
int pid1_lastfail_parse(const void *bytes, size_t len, struct pid1_lastfail *ret, struct err *e) WARN_UNUSED;

/**
 * pid1_lastfail_read_log() - what one piece of a kernel's log says of the end of that boot
 * @text: @len bytes as pstore gives them; @io: what other pieces said (zeroed at first); the weightier statement stays
 *
 * In order of weight: dm-verity met corruption or an I/O error; PID 1 refused; the kernel panicked. Slot and the last stage are
 * taken from PID 1's own lines; pieces may come in any order. A log that says none of these leaves code 0. Never fails.
 */
void pid1_lastfail_read_log(const char *text, size_t len, struct pid1_lastfail *io);

/**
 * pid1_lastfail_add() - the failure that is to be stored, after @old (NULL: nothing was stored)
 *
 * Sets @f's in_a_row, and its slot if that is not known: a boot whose log no longer holds it ran long, and that slot is @old's. After a
 * boot that was ready, or told of @old and ran long, a count begins anew.
 */
void pid1_lastfail_add(struct pid1_lastfail *f, const struct pid1_lastfail *old);

#endif
