/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/cmd_fec.h - the options of error correction, as format, verify, open and repair have them
 *
 *   struct verity_cmd_fec fec = {0};
 *   const struct cli_opt opts[] = {..., VERITY_CMD_FEC_OPTS(fec), ...};
 *   if (!verity_cmd_fec_parse(argv[0], &fec)) return CLI_USAGE;
 *   if (fec.device) ...
 *
 * format has verity_cmd_fec_write() called before its hash file gets a name. verify, when there is a verdict (whatever it is):
 *   struct verity_fec f = {.data = ..., .hash = ...};
 *   verity_cmd_fec_describe(&sb, tree_at_bytes, &f);
 *   r = verity_cmd_fec_check(&fec, &f, &report, &e);    0: was checked
 *   verity_cmd_fec_print(&report, f.roots, json);       a line; as JSON `"fec":{...}` without a comma around it
 * A volume whose codewords are damaged is bad (CLI_BAD), even if data and tree are good: the parity is not.
 */
#ifndef VERITY_CMD_FEC_H
#define VERITY_CMD_FEC_H

#include "common/cli.h"
#include "verity/fec.h"
#include "verity/superblock.h"

/** struct verity_cmd_fec - the words of the command line; after verity_cmd_fec_parse() also @roots and @offset_bytes;
 * @threads is the caller's, @blocks what verity_cmd_fec_write() wrote */
struct verity_cmd_fec {
	const char *device;
	const char *roots_text;
	const char *offset_text;
	unsigned roots;
	uint64_t offset_bytes;
	unsigned threads;
	uint64_t blocks;
};

struct verity_format_done;

/** VERITY_CMD_FEC_OPTS() - three rows of a table of options. */
#define VERITY_CMD_FEC_OPTS(fec) \
	{"fec-device", "FILE", "parity for error correction", &(fec).device, NULL, 0}, \
	{"fec-roots", "N", "parity bytes a codeword, 2 to 24 (2)", &(fec).roots_text, NULL, 0}, \
	{"fec-offset", "BYTES", "where the parity stands in FILE (0)", &(fec).offset_text, NULL, 0}

/** verity_cmd_fec_parse() - check the words; false after a message (return CLI_USAGE). Without a device the others are refused. */
bool verity_cmd_fec_parse(const char *verb, struct verity_cmd_fec *fec);

/** verity_cmd_fec_write() - the "then" of struct verity_format_params; @arg is a struct verity_cmd_fec. */
int verity_cmd_fec_write(void *arg, const struct verity_format_done *done, struct err *e) WARN_UNUSED;

/** verity_cmd_fec_describe() - the numbers of a volume, from its superblock. */
void verity_cmd_fec_describe(const struct verity_sb *sb, uint64_t tree_at_bytes, struct verity_fec *ret);

/**
 * verity_cmd_fec_check() - open the device, cover, verity_fec_check()
 * @f: data, hash and numbers set; parity, roots and hash_blocks are filled here (the descriptor is closed again)
 */
int verity_cmd_fec_check(const struct verity_cmd_fec *fec, struct verity_fec *f, struct verity_fec_report *ret,
			 struct err *e) WARN_UNUSED;

/** verity_cmd_fec_print() - one line of text, or the member "fec" of an object. */
void verity_cmd_fec_print(const struct verity_fec_report *report, unsigned roots, bool json);

#endif
