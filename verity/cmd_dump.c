/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/cmd_dump.c - `holdfast-verity dump`, and how a superblock is printed */
#include "verity/cmd.h"

#include "common/hex.h"
#include "verity/hash_tree.h"

#include <fcntl.h>
#include <string.h>

/* A file name as a JSON string: what needs an escape, or is not ASCII, becomes '?' (it is only a label). */
static void print_json_name(const char *name)
{
	for (; *name; name++)
		putchar(*name < 0x20 || *name > 0x7e || *name == '"' || *name == '\\' ? '?' : *name);
}

void verity_cmd_print(const char *name, const struct verity_sb *sb, const uint8_t *root_hash, uint64_t offset_bytes,
		      bool json)
{
	char uuid[VERITY_UUID_STR_BYTES], salt[2 * VERITY_MAX_SALT_BYTES + 1], hex[2 * HASH_SHA256_BYTES + 1] = "";
	unsigned long long hash_blocks = verity_tree_bytes(sb) / VERITY_BLOCK_BYTES;

	verity_uuid_str(sb->uuid, uuid);
	hex_encode(sb->salt, sb->salt_bytes, salt);
	if (root_hash)
		hex_encode(root_hash, HASH_SHA256_BYTES, hex);
	if (json) {
		printf("{\"file\":\"");
		print_json_name(name);
		printf("\",\"uuid\":\"%s\",\"hash_type\":%u,\"data_blocks\":%llu,\"data_block_size\":%u,\"hash_"
		       "blocks\":%llu,"
		       "\"hash_block_size\":%u,\"algorithm\":\"%s\",\"salt\":\"%s\",\"hash_offset\":%llu",
		       uuid, sb->hash_type, (unsigned long long)sb->data_blocks, sb->data_block_bytes, hash_blocks,
		       sb->hash_block_bytes, sb->algorithm, salt, (unsigned long long)offset_bytes);
		printf(root_hash ? ",\"root_hash\":\"%s\"}\n" : "}\n", hex);
		return;
	}
	printf("VERITY header information for %s\n", name);
	printf("UUID:            \t%s\n", uuid);
	printf("Hash type:       \t%u\n", sb->hash_type);
	printf("Data blocks:     \t%llu\n", (unsigned long long)sb->data_blocks);
	printf("Data block size: \t%u\n", sb->data_block_bytes);
	printf("Hash blocks:     \t%llu\n", hash_blocks);
	printf("Hash block size: \t%u\n", sb->hash_block_bytes);
	printf("Hash algorithm:  \t%s\n", sb->algorithm);
	printf("Salt:            \t%s\n", sb->salt_bytes ? salt : "-");
	if (root_hash)
		printf("Root hash:      \t%s\n", hex);
	if (offset_bytes)
		printf("Hash offset:     \t%llu\n", (unsigned long long)offset_bytes);
}

bool verity_cmd_root_hash(const char *verb, const char *text, uint8_t ret[static HASH_SHA256_BYTES])
{
	if (hex_decode(text, ret, HASH_SHA256_BYTES))
		return true;
	(void)cli_usage(verb, "root hash \"%.80s\" is not 64 lower-case hex digits", text);
	return false;
}

bool verity_cmd_offset(const char *verb, const char *text, uint64_t *ret)
{
	unsigned long long n = 0;
	char *end = NULL;

	if (text) {
		errno = 0;
		n = strtoull(text, &end, 10);
		if (errno || *text < '0' || *text > '9' || *end || n % VERITY_BLOCK_BYTES ||
		    n > VERITY_MAX_DATA_BYTES / 2) {
			(void)cli_usage(verb, "offset \"%.40s\" is not a multiple of %d", text, VERITY_BLOCK_BYTES);
			return false;
		}
	}
	*ret = n;
	return true;
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
	verity_cmd_print(argv[1], &sb, NULL, offset, json);
	return CLI_PASSED;
}
