/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/cmd_common.c - what the verbs of holdfast-verity share: numbers, root hashes, kinds, progress */
#include "verity/cmd.h"

#include "common/file.h"
#include "common/hex.h"
#include "verity/digests.h"

#include <string.h>

bool verity_cmd_number(const char *verb, const char *option, const char *text, uint64_t least, uint64_t most,
		       uint64_t *ret)
{
	unsigned long long n;
	char *end = NULL;

	if (!text)
		return true;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || *text < '0' || *text > '9' || *end || n < least || n > most) {
		(void)cli_usage(verb, "--%s \"%.40s\", wanted a number from %llu to %llu", option, text,
				(unsigned long long)least, (unsigned long long)most);
		return false;
	}
	*ret = n;
	return true;
}

bool verity_cmd_offset(const char *verb, const char *text, uint64_t *ret)
{
	uint64_t n = 0;

	if (!verity_cmd_number(verb, "hash-offset", text, 0, VERITY_MAX_AT_BYTES, &n))
		return false;
	if (n % VERITY_SB_BYTES) {
		(void)cli_usage(verb, "offset \"%.40s\" is not a multiple of %d", text, VERITY_SB_BYTES);
		return false;
	}
	*ret = n;
	return true;
}

/* A block size that can be hashed. */
static bool parse_block(const char *verb, const char *option, const char *text, uint32_t *ret)
{
	uint64_t n = *ret;

	if (!verity_cmd_number(verb, option, text, VERITY_MIN_BLOCK_BYTES, VERITY_MAX_HASHED_BYTES, &n))
		return false;
	if (n & (n - 1)) {
		(void)cli_usage(verb, "--%s %llu is not a power of two", option, (unsigned long long)n);
		return false;
	}
	*ret = (uint32_t)n;
	return true;
}

/* Hex digits or "-" for none. */
static bool parse_salt(const char *verb, const char *text, struct verity_sb *sb)
{
	size_t digits = strlen(text);

	sb->salt_bytes = 0;
	if (!strcmp(text, "-"))
		return true;
	if (digits % 2 || digits > 2 * VERITY_MAX_SALT_BYTES || !hex_decode(text, sb->salt, digits / 2)) {
		(void)cli_usage(verb,
				"salt \"%.40s\" is not an even number of lower-case hex digits, 512 at most, or \"-\"",
				text);
		return false;
	}
	sb->salt_bytes = (uint16_t)(digits / 2);
	return true;
}

bool verity_cmd_kind_fits(const char *verb, const struct verity_cmd_kind *k)
{
	if (k->no_superblock ? k->data_blocks && k->salt
			     : !k->hash && !k->data_block && !k->hash_block && !k->data_blocks && !k->format && !k->salt)
		return true;
	(void)cli_usage(verb, "--no-superblock wants --data-blocks and --salt; without it the superblock says them");
	return false;
}

bool verity_cmd_kind_parse(const char *verb, const struct verity_cmd_kind *k, struct verity_sb *ret)
{
	uint64_t type = ret->hash_type;

	if (k->hash) {
		ret->alg = hash_by_name(k->hash);
		if (ret->alg != HASH_SHA256 && ret->alg != HASH_SHA512 && ret->alg != HASH_SHA1) {
			(void)cli_usage(verb, "--hash \"%.40s\", wanted sha256, sha512 or sha1", k->hash);
			return false;
		}
		(void)snprintf(ret->algorithm, sizeof(ret->algorithm), "%s", k->hash); /* fits: one of these */
	}
	if (!parse_block(verb, "data-block-size", k->data_block, &ret->data_block_bytes) ||
	    !parse_block(verb, "hash-block-size", k->hash_block, &ret->hash_block_bytes) ||
	    !verity_cmd_number(verb, "data-blocks", k->data_blocks, 1,
			       VERITY_MAX_DATA_BYTES / ret->data_block_bytes, &ret->data_blocks) ||
	    !verity_cmd_number(verb, "format", k->format, 0, 1, &type) || (k->salt && !parse_salt(verb, k->salt, ret)))
		return false;
	ret->hash_type = (uint32_t)type;
	if (k->uuid && !verity_uuid_parse(k->uuid, ret->uuid)) {
		(void)cli_usage(verb, "\"%.60s\" is not a UUID", k->uuid);
		return false;
	}
	return true;
}

bool verity_cmd_root_hash(const char *verb, const char *text, uint8_t ret[static HASH_SHA256_BYTES])
{
	if (hex_decode(text, ret, HASH_SHA256_BYTES))
		return true;
	(void)cli_usage(verb, "root hash \"%.80s\" is not 64 lower-case hex digits", text);
	return false;
}

enum cli_exit verity_cmd_any_root_hash(const char *verb, const char *text, const char *path,
				       uint8_t ret[static HASH_MAX_BYTES], size_t *ret_bytes)
{
	static const enum hash_alg algs[] = {HASH_SHA256, HASH_SHA512, HASH_SHA1};
	cleanup_buf struct buf file = BUF_INIT;
	struct err e = ERR_INIT;

	if (!text) {
		if (file_read(path, 2 * HASH_MAX_BYTES + 1, &file, &e))
			return cli_fail(CLI_COULD_NOT, verb, &e);
		text = (const char *)file.data;
		if (file.len && text[file.len - 1] == '\n')
			file.data[file.len - 1] = '\0';
	}
	for (size_t i = 0; i < ARRAY_SIZE(algs); i++)
		if (strlen(text) == 2 * hash_bytes(algs[i]) && hex_decode(text, ret, hash_bytes(algs[i]))) {
			*ret_bytes = hash_bytes(algs[i]);
			return CLI_PASSED;
		}
	return cli_usage(verb, "root hash \"%.140s\" is not 64, 128 or 40 lower-case hex digits", text);
}

bool verity_cmd_read_mode(const char *verb, const char *text, int *ret)
{
	static const char *const names[] = {
		[VERITY_READ_AUTO] = "auto", [VERITY_READ_PREAD] = "pread", [VERITY_READ_MAP] = "map", [VERITY_READ_DIRECT] = "direct"};

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (!text || !strcmp(names[i], text)) {
			*ret = (int)i;
			return true;
		}
	(void)cli_usage(verb, "--io \"%.20s\", wanted auto, pread, map or direct", text);
	return false;
}

static bool progress_shown;

static void print_progress(const char *line)
{
	fprintf(stderr, "\r%s\033[K", line);
	(void)fflush(stderr); /* it is only progress */
	progress_shown = true;
}

progress_fn *verity_cmd_progress(void)
{
	return isatty(STDERR_FILENO) ? print_progress : NULL;
}

void verity_cmd_progress_end(void)
{
	if (progress_shown)
		fprintf(stderr, "\r\033[K");
	progress_shown = false;
}
