/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/cmd_dump.c - `holdfast-verity dump`, and how a superblock is printed */
#include "verity/cmd.h"

#include "common/hex.h"
#include "verity/geometry.h"

#include <fcntl.h>

void verity_cmd_json_text(const char *text)
{
	for (; *text; text++)
		putchar(*text < 0x20 || *text > 0x7e || *text == '"' || *text == '\\' ? '?' : *text);
}

static void print_json(const struct verity_cmd_shown *s, const char *uuid, const char *salt, const char *root_hash)
{
	const struct verity_sb *sb = s->sb;

	printf("{\"file\":\"");
	verity_cmd_json_text(s->name);
	printf("\",\"uuid\":\"%s\",\"hash_type\":%u,\"data_blocks\":%llu,\"data_block_size\":%u,\"hash_blocks\":%llu,"
	       "\"hash_block_size\":%u,\"algorithm\":\"%s\",\"salt\":\"%s\",\"hash_offset\":%llu",
	       uuid, sb->hash_type, (unsigned long long)sb->data_blocks, sb->data_block_bytes,
	       (unsigned long long)verity_geometry_of(sb).tree_blocks, sb->hash_block_bytes, sb->algorithm, salt,
	       (unsigned long long)s->at_bytes);
	if (s->no_superblock)
		printf(",\"superblock\":false");
	if (s->fec_roots)
		printf(",\"fec_roots\":%u,\"fec_blocks\":%llu", s->fec_roots, (unsigned long long)s->fec_blocks);
	if (s->root_hash)
		printf(",\"root_hash\":\"%s\"", root_hash);
	printf("}\n");
}

void verity_cmd_print(const struct verity_cmd_shown *s)
{
	char uuid[VERITY_UUID_STR_BYTES] = "", salt[2 * VERITY_MAX_SALT_BYTES + 1], root_hash[2 * HASH_MAX_BYTES + 1] = "";
	const struct verity_sb *sb = s->sb;
	uint64_t tree = verity_tree_bytes(sb);

	if (!s->no_superblock)
		verity_uuid_str(sb->uuid, uuid);
	hex_encode(sb->salt, sb->salt_bytes, salt);
	if (s->root_hash)
		hex_encode(s->root_hash, hash_bytes(sb->alg), root_hash);
	if (s->json) {
		print_json(s, uuid, salt, root_hash);
		return;
	}
	printf("VERITY header information for %s\n", s->name);
	printf("UUID:            \t%s\n", uuid);
	printf("Hash type:       \t%u\n", sb->hash_type);
	printf("Data blocks:     \t%llu\n", (unsigned long long)sb->data_blocks);
	printf("Data block size: \t%u\n", sb->data_block_bytes);
	printf("Hash blocks:     \t%llu\n", (unsigned long long)(tree / sb->hash_block_bytes));
	printf("Hash block size: \t%u\n", sb->hash_block_bytes);
	printf("Hash algorithm:  \t%s\n", sb->algorithm);
	if (s->fec_roots)
		printf("FEC RS roots:   \t%u\nFEC blocks:     \t%llu\n", s->fec_roots, (unsigned long long)s->fec_blocks);
	printf("Salt:            \t%s\n", sb->salt_bytes ? salt : "-");
	if (s->root_hash)
		printf("Root hash:      \t%s\n", root_hash);
	if (s->at_bytes)
		printf("Hash offset:     \t%llu\n", (unsigned long long)s->at_bytes);
	else
		printf("Hash device size: \t%llu [bytes]\n",
		       (unsigned long long)(s->no_superblock ? tree : verity_hash_bytes(sb)));
}

int verity_cmd_dump(int argc, char **argv)
{
	const char *offset_text = NULL;
	int json = 0;
	const struct cli_opt opts[] = {
		{"hash-offset", "BYTES", "where the superblock stands (0)", &offset_text, NULL, 0},
		{"json", NULL, "one line of JSON", &json, NULL, 0},
		{NULL, NULL, NULL, NULL, NULL, 0},
	};
	int n = cli_options(argc, argv, "HASH", "show the superblock of a hash file or device", opts);
	struct err e = ERR_INIT;
	cleanup_fd int fd = -1;
	struct verity_sb sb;
	uint64_t offset = 0;
	int r;

	if (n < 0)
		return CLI_USAGE;
	if (n != 1)
		return cli_usage(argv[0], "wanted one operand, HASH");
	if (!verity_cmd_offset(argv[0], offset_text, &offset))
		return CLI_USAGE;
	fd = open(argv[1], O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		(void)err_errno(&e, "cannot open %s", argv[1]);
		return cli_fail(CLI_COULD_NOT, argv[0], &e);
	}
	r = verity_sb_read(fd, offset, argv[1], &sb, &e);
	if (r)
		return cli_fail(r == -EINVAL || r == -ENODATA ? CLI_BAD : CLI_COULD_NOT, argv[0], &e);
	if (verity_sb_check_supported(&sb, argv[1], &e))
		return cli_fail(CLI_COULD_NOT, argv[0], &e);
	verity_cmd_print(&(struct verity_cmd_shown){.name = argv[1], .sb = &sb, .at_bytes = offset, .json = json});
	return CLI_PASSED;
}
