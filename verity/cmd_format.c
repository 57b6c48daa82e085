/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/cmd_format.c - `holdfast-verity format` */
#include "verity/cmd.h"

#include "common/hex.h"
#include "common/interrupt.h"
#include "verity/format.h"

#include <string.h>

/* Hex digits or "-" for none. */
static bool parse_salt(const char *verb, const char *text, uint8_t salt[static VERITY_MAX_SALT_BYTES],
		       size_t *ret_bytes)
{
	size_t digits = strlen(text);

	*ret_bytes = 0;
	if (!strcmp(text, "-"))
		return true;
	if (digits % 2 || digits > 2 * VERITY_MAX_SALT_BYTES || !hex_decode(text, salt, digits / 2)) {
		(void)cli_usage(verb,
				"salt \"%.40s\" is not an even number of lower-case hex digits, 512 at most, or \"-\"",
				text);
		return false;
	}
	*ret_bytes = digits / 2;
	return true;
}

int verity_cmd_format(int argc, char **argv)
{
	const char *salt_text = "-", *uuid_text = "00000000-0000-0000-0000-000000000000";
	int append = 0, json = 0;
	const struct cli_opt opts[] = {
		{"append", NULL, "write behind the data, in DATA itself", &append, NULL, 0},
		{"salt", "HEX|-", "salt, or - for none (-)", &salt_text, NULL, 0},
		{"uuid", "UUID", "of the superblock (all zeros)", &uuid_text, NULL, 0},
		{"json", NULL, "one line of JSON", &json, NULL, 0},
		{NULL, NULL, NULL, NULL, NULL, 0},
	};
	int n = cli_options(argc, argv, "DATA HASH | --append DATA",
			    "make superblock and hash tree; prints the root hash. Equal inputs give equal bytes", opts);
	struct verity_format_params p = {0};
	struct verity_format_result res;
	uint8_t salt[VERITY_MAX_SALT_BYTES];
	struct err e = ERR_INIT;

	if (n < 0)
		return CLI_USAGE;
	if (n != (append ? 1 : 2))
		return cli_usage(argv[0],
				 append ? "--append wants one operand, DATA" : "wanted two operands, DATA and HASH");
	if (!parse_salt(argv[0], salt_text, salt, &p.salt_bytes))
		return CLI_USAGE;
	if (!verity_uuid_parse(uuid_text, p.uuid))
		return cli_usage(argv[0], "\"%.60s\" is not a UUID", uuid_text);
	p.data_path = argv[1];
	p.hash_path = append ? NULL : argv[2];
	p.salt = salt;
	if (interrupt_catch(&e) || verity_format(&p, &res, &e))
		return cli_fail(CLI_COULD_NOT, argv[0], &e);
	verity_cmd_print(append ? argv[1] : argv[2], &res.sb, res.root_hash, res.hash_offset_bytes, json);
	return CLI_PASSED;
}
