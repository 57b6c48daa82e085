/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/main.c - holdfast-verity: make, check, sign and open dm-verity volumes, on-disk compatible with veritysetup */
#include "verity/cmd.h"

static const struct cli_command commands[] = {
	{"format", verity_cmd_format, "make superblock and hash tree for a file or device"},
	{"verify", verity_cmd_verify, "check data and hash tree against a root hash"},
	{"dump", verity_cmd_dump, "show a superblock"},
	{"sign", verity_cmd_sign, "sign a root hash as the kernel wants it"},
	{"check-signature", verity_cmd_check_signature, "check such a signature against a certificate"},
	{"open", verity_cmd_open, "activate a device (root)"},
	{"close", verity_cmd_close, "remove a device (root)"},
	{"status", verity_cmd_status, "what the kernel says of a device (root)"},
	{"scrub", verity_cmd_scrub, "read a live device through, name bad and repaired blocks (root)"},
	{"repair", verity_cmd_repair, "make a sound copy of a damaged volume by its parity"},
	{NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
	return cli_main(argc, argv, "holdfast-verity", "dm-verity volumes: format, verify, sign, open", commands);
}
