/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/cmd_fec.h - the options of error correction, as format, verify, open and repair have them
 *
 *   struct verity_cmd_fec fec = {0};
 *   const struct cli_opt opts[] = {..., VERITY_CMD_FEC_OPTS(fec), ...};
 *   if (!verity_cmd_fec_parse(argv[0], &fec)) return CLI_USAGE;
 *   if (fec.device) ...
 *
 * What format does then stands in verity/fec.h. verify, when there is a verdict (whatever it is):
 *   struct verity_fec f = {...as in verity/fec.h...};
 *   r = verity_cmd_fec_check(&fec, &f, &report, &e);    0: was checked
 *   verity_cmd_fec_print(&report, f.roots, json);       a line; as JSON `"fec":{...}` without a comma around it
 * A volume whose codewords are damaged is bad (CLI_BAD), even if data and tree are good: the parity is not.
 */
#ifndef VERITY_CMD_FEC_H
#define VERITY_CMD_FEC_H

#include "common/cli.h"
#include "verity/fec.h"

/** struct verity_cmd_fec - the words of the command line; after verity_cmd_fec_parse() also @roots and @offset_bytes */
struct verity_cmd_fec {
	const char *device;
	const char *roots_text;
	const char *offset_text;
	unsigned roots;
	uint64_t offset_bytes;
};

/** VERITY_CMD_FEC_OPTS() - three rows of a table of options. */
#define VERITY_CMD_FEC_OPTS(fec) \
	{"fec-device", "FILE", "parity for error correction", &(fec).device, NULL, 0}, \
	{"fec-roots", "N", "parity bytes a codeword, 2 to 24 (2)", &(fec).roots_text, NULL, 0}, \
	{"fec-offset", "BYTES", "where the parity stands in FILE (0)", &(fec).offset_text, NULL, 0}

/** verity_cmd_fec_parse() - check the words; false after a message (return CLI_USAGE). Without a device the others are refused. */
bool verity_cmd_fec_parse(const char *verb, struct verity_cmd_fec *fec);

/**
 * verity_cmd_fec_check() - open the device, cover, verity_fec_check()
 * @f: data, hash and numbers set; parity, roots and hash_blocks are filled here (the descriptor is closed again)
 */
int verity_cmd_fec_check(const struct verity_cmd_fec *fec, struct verity_fec *f, struct verity_fec_report *ret,
			 struct err *e) WARN_UNUSED;

/** verity_cmd_fec_print() - one line of text, or the member "fec" of an object. */
void verity_cmd_fec_print(const struct verity_fec_report *report, unsigned roots, bool json);

#endif
