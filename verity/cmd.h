/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/cmd.h - the verbs of holdfast-verity, and what they share */
#ifndef VERITY_CMD_H
#define VERITY_CMD_H

#include "common/cleanup.h"
#include "common/cli.h"
#include "common/hash.h"
#include "verity/superblock.h"

int verity_cmd_format(int argc, char **argv);
int verity_cmd_verify(int argc, char **argv);
int verity_cmd_dump(int argc, char **argv);
int verity_cmd_sign(int argc, char **argv);
int verity_cmd_check_signature(int argc, char **argv);
int verity_cmd_open(int argc, char **argv);
int verity_cmd_close(int argc, char **argv);

/** verity_cmd_print() - the fields of a superblock as veritysetup prints them, or one line of JSON. @root_hash may be
 * NULL. */
void verity_cmd_print(const char *name, const struct verity_sb *sb, const uint8_t *root_hash, uint64_t offset_bytes,
		      bool json);

/** verity_cmd_root_hash() - 64 lower-case hex digits from the command line; false after a message (return CLI_USAGE).
 */
bool verity_cmd_root_hash(const char *verb, const char *text, uint8_t ret[static HASH_SHA256_BYTES]);

/** verity_cmd_offset() - a multiple of 4096 in decimal; NULL gives 0; false after a message. */
bool verity_cmd_offset(const char *verb, const char *text, uint64_t *ret);

#endif
