/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/cmd_verify.c - `holdfast-verity verify` */
#include "verity/cmd.h"

#include "verity/verify.h"

#include <fcntl.h>

int verity_cmd_verify(int argc, char **argv)
{
	const char *offset_text = NULL;
	const struct cli_opt opts[] = {
		{"hash-offset", "BYTES", "where the superblock stands in HASH, or in DATA if HASH is not given (0)",
		 &offset_text, NULL, 0},
		{NULL, NULL, NULL, NULL, NULL, 0},
	};
	int n = cli_options(argc, argv, "DATA [HASH] ROOTHASH",
			    "check everything, from the root hash down; names the first bad block", opts);
	struct verity_finding found = {.verdict = VERITY_VERDICT_UNSET};
	cleanup_fd int data_fd = -1, hash_fd = -1;
	uint8_t root_hash[HASH_SHA256_BYTES];
	const char *hash_path;
	struct err e = ERR_INIT;
	uint64_t offset = 0;

	if (n < 0)
		return CLI_USAGE;
	if (n != 3 && !(n == 2 && offset_text))
		return cli_usage(argv[0], "wanted DATA HASH ROOTHASH, or --hash-offset N DATA ROOTHASH");
	if (!verity_cmd_root_hash(argv[0], argv[n], root_hash) || !verity_cmd_offset(argv[0], offset_text, &offset))
		return CLI_USAGE;
	hash_path = n == 3 ? argv[2] : argv[1];
	data_fd = open(argv[1], O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (data_fd < 0) {
		(void)err_errno(&e, "cannot open %s", argv[1]);
		return cli_fail(CLI_COULD_NOT, argv[0], &e);
	}
	hash_fd = open(hash_path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (hash_fd < 0) {
		(void)err_errno(&e, "cannot open %s", hash_path);
		return cli_fail(CLI_COULD_NOT, argv[0], &e);
	}
	if (verity_verify_fd(data_fd, hash_fd, offset, root_hash, &found, &e))
		return cli_fail(CLI_COULD_NOT, argv[0], &e);
	if (found.verdict != VERITY_VERDICT_GOOD)
		return cli_fail(CLI_BAD, argv[0], &e);
	printf("%s: every block fits the root hash\n", argv[1]);
	return CLI_PASSED;
}
