/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/cmd.h - the verbs of holdfast-verity, and what they share */
#ifndef VERITY_CMD_H
#define VERITY_CMD_H

#include "common/cleanup.h"
#include "common/cli.h"
#include "common/hash.h"
#include "common/progress.h"
#include "verity/superblock.h"

int verity_cmd_format(int argc, char **argv);
int verity_cmd_verify(int argc, char **argv);
int verity_cmd_dump(int argc, char **argv);
int verity_cmd_sign(int argc, char **argv);
int verity_cmd_check_signature(int argc, char **argv);
int verity_cmd_open(int argc, char **argv);
int verity_cmd_close(int argc, char **argv);
int verity_cmd_status(int argc, char **argv);
int verity_cmd_scrub(int argc, char **argv);
int verity_cmd_repair(int argc, char **argv);

/** struct verity_cmd_kind - the options that say what a superblock would; zero it, then give its members to cli_options() */
struct verity_cmd_kind {
	const char *hash, *data_block, *hash_block, *data_blocks, *format, *salt, *uuid;
	int no_superblock;
};

/* Rows of an option table; @k is a struct verity_cmd_kind. */
#define VERITY_CMD_KIND_OPTS(k)                                                                                        \
	{"hash", "ALG", "sha256, sha512 or sha1 (sha256)", &(k).hash, NULL, 0},                                        \
	{"data-block-size", "BYTES", "512 to 65536 (4096)", &(k).data_block, NULL, 0},                                 \
	{"hash-block-size", "BYTES", "512 to 65536 (4096)", &(k).hash_block, NULL, 0},                                 \
	{"data-blocks", "N", "blocks of DATA (all of it)", &(k).data_blocks, NULL, 0},                                 \
	{"format", "0|1", "salt behind (0, Chromium OS) or before the block (1)", &(k).format, NULL, 0},               \
	{"no-superblock", NULL, "the tree alone: keep these options, who opens it needs them", &(k).no_superblock,     \
	 NULL, 0}

/**
 * verity_cmd_kind_fits() - does somebody who reads a volume say what it is exactly if no superblock says it? False after a
 * message (CLI_USAGE).
 */
bool verity_cmd_kind_fits(const char *verb, const struct verity_cmd_kind *k);

/** verity_cmd_kind_parse() - into @ret, which has verity_sb_init()'s values before; false after a message (CLI_USAGE). */
bool verity_cmd_kind_parse(const char *verb, const struct verity_cmd_kind *k, struct verity_sb *ret);

/**
 * struct verity_cmd_shown - a superblock to print
 * @name:      file of the hash area
 * @root_hash: NULL, or hash_bytes() of it
 * @at_bytes:  of the superblock in that file
 * @fec_roots: 0: no error correction; @fec_blocks of parity
 */
struct verity_cmd_shown {
	const char *name;
	const struct verity_sb *sb;
	const uint8_t *root_hash;
	uint64_t at_bytes;
	unsigned fec_roots;
	uint64_t fec_blocks;
	bool no_superblock;
	bool json;
};

/** verity_cmd_print() - the fields as veritysetup prints them, or one line of JSON. */
void verity_cmd_print(const struct verity_cmd_shown *s);

/** verity_cmd_json_text() - a file name or sentence as the inside of a JSON string; what is not plain ASCII becomes '?'. */
void verity_cmd_json_text(const char *text);

/** verity_cmd_root_hash() - 64 lower-case hex digits from the command line; false after a message (return CLI_USAGE).
 */
bool verity_cmd_root_hash(const char *verb, const char *text, uint8_t ret[static HASH_SHA256_BYTES]);

/**
 * verity_cmd_any_root_hash() - a root hash of any algorithm, from an operand or a file
 * @text:      digits, or NULL: from the file
 * @path:      --root-hash-file, or NULL
 * @ret_bytes: 20, 32 or 64
 *
 * Return: CLI_PASSED, or what to return after the message.
 */
enum cli_exit verity_cmd_any_root_hash(const char *verb, const char *text, const char *path,
				       uint8_t ret[static HASH_MAX_BYTES], size_t *ret_bytes);

/** verity_cmd_offset() - a multiple of 512 in decimal; NULL gives 0; false after a message. */
bool verity_cmd_offset(const char *verb, const char *text, uint64_t *ret);

/** verity_cmd_number() - decimal, @least to @most; NULL leaves @ret alone; false after a message. */
bool verity_cmd_number(const char *verb, const char *option, const char *text, uint64_t least, uint64_t most,
		       uint64_t *ret);

/** verity_cmd_read_mode() - --io auto, pread, map or direct as an enum verity_read_mode; NULL is auto; false after a message. */
bool verity_cmd_read_mode(const char *verb, const char *text, int *ret);

/** verity_cmd_progress() - who prints progress: NULL if standard error is no terminal. verity_cmd_progress_end() wipes it. */
progress_fn *verity_cmd_progress(void);
void verity_cmd_progress_end(void);

#endif
