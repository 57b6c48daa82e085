/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/superblock.c - the 512 bytes that veritysetup writes in front of a hash tree */
#include "verity/superblock.h"

#include "common/buf.h"
#include "common/hex.h"
#include "common/reader.h"

#include <string.h>

#define SB_VERSION         1

static const uint8_t sb_magic[8] = {'v', 'e', 'r', 'i', 't', 'y', 0, 0};

void verity_sb_init(struct verity_sb *ret)
{
	*ret = (struct verity_sb){
		.hash_type = 1,
		.algorithm = "sha256",
		.alg = HASH_SHA256,
		.data_block_bytes = VERITY_BLOCK_BYTES,
		.hash_block_bytes = VERITY_BLOCK_BYTES,
	};
}

/* A NUL-padded name of the kernel's crypto API: lower-case letters, digits, '-' and '_'. */
static bool algorithm_is_clean(const char raw[static VERITY_MAX_ALGORITHM_BYTES + 1])
{
	size_t n = strnlen(raw, VERITY_MAX_ALGORITHM_BYTES + 1);

	if (n == 0 || n > VERITY_MAX_ALGORITHM_BYTES)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-_", raw[i]))
			return false;
	return hash_is_zero(raw + n, VERITY_MAX_ALGORITHM_BYTES + 1 - n);
}

static bool block_size_is_valid(uint32_t n)
{
	return n >= VERITY_MIN_BLOCK_BYTES && n <= VERITY_MAX_BLOCK_BYTES && (n & (n - 1)) == 0;
}

/* The values, once the structure was read; each message names the field's offset. */
static int check_values(const struct verity_sb *sb, uint32_t version, const char *name, struct err *e)
{
	if (version != SB_VERSION)
		return err_set(e, EINVAL, "%s: superblock version %u at offset 8, wanted %d", name, version,
			       SB_VERSION);
	if (sb->hash_type > 1)
		return err_set(e, EINVAL, "%s: hash type %u at offset 12, wanted 0 or 1", name, sb->hash_type);
	if (!algorithm_is_clean(sb->algorithm))
		return err_set(e, EINVAL, "%s: algorithm at offset 32 is no NUL-padded name", name);
	if (!block_size_is_valid(sb->data_block_bytes))
		return err_set(e, EINVAL, "%s: data block size %u at offset 64, wanted a power of two from %d to %d",
			       name, sb->data_block_bytes, VERITY_MIN_BLOCK_BYTES, VERITY_MAX_BLOCK_BYTES);
	if (!block_size_is_valid(sb->hash_block_bytes))
		return err_set(e, EINVAL, "%s: hash block size %u at offset 68, wanted a power of two from %d to %d",
			       name, sb->hash_block_bytes, VERITY_MIN_BLOCK_BYTES, VERITY_MAX_BLOCK_BYTES);
	if (sb->data_blocks == 0)
		return err_set(e, EINVAL, "%s: no data blocks (offset 72)", name);
	if (sb->data_blocks > VERITY_MAX_DATA_BYTES / sb->data_block_bytes)
		return err_set(e, EINVAL, "%s: %llu data blocks (offset 72) are more than a file can have", name,
			       (unsigned long long)sb->data_blocks);
	return 0;
}

int verity_sb_parse(const void *bytes, size_t len, const char *name, struct verity_sb *ret, struct err *e)
{
	struct reader r = reader_init(bytes, len);
	const uint8_t *magic = reader_bytes(&r, sizeof(sb_magic)), *pad1, *pad2;
	struct verity_sb sb = {0};
	uint32_t version;
	int rc;

	if (len < VERITY_SB_BYTES)
		return err_set(e, EINVAL, "%s: %zu bytes where a superblock of %d should be", name, len,
			       VERITY_SB_BYTES);
	if (memcmp(magic, sb_magic, sizeof(sb_magic)))
		return err_set(e, ENODATA, "%s: no verity superblock (magic at offset 0)", name);
	version = reader_u32le(&r);
	sb.hash_type = reader_u32le(&r);
	reader_copy(&r, sb.uuid, sizeof(sb.uuid));
	reader_copy(&r, sb.algorithm, sizeof(sb.algorithm));
	sb.data_block_bytes = reader_u32le(&r);
	sb.hash_block_bytes = reader_u32le(&r);
	sb.data_blocks = reader_u64le(&r);
	sb.salt_bytes = reader_u16le(&r);
	pad1 = reader_bytes(&r, 6);
	reader_copy(&r, sb.salt, sizeof(sb.salt));
	pad2 = reader_bytes(&r, 168);
	if (r.bad)
		return err_set(e, EINVAL, "%s: superblock ends early", name);
	if (sb.salt_bytes > VERITY_MAX_SALT_BYTES)
		return err_set(e, EINVAL, "%s: salt of %u bytes at offset 80, at most %d are possible", name,
			       sb.salt_bytes, VERITY_MAX_SALT_BYTES);
	if (!hash_is_zero(pad1, 6) || !hash_is_zero(pad2, 168) ||
	    !hash_is_zero(sb.salt + sb.salt_bytes, VERITY_MAX_SALT_BYTES - sb.salt_bytes))
		return err_set(e, EINVAL,
			       "%s: padding of the superblock (offsets 82, 344, or behind the salt) is not zero", name);
	rc = check_values(&sb, version, name, e);
	if (rc)
		return rc;
	sb.alg = hash_by_name(sb.algorithm);
	*ret = sb;
	return 0;
}


int verity_sb_check_supported(const struct verity_sb *sb, const char *name, struct err *e)
{
	if (sb->alg != HASH_SHA256 && sb->alg != HASH_SHA512 && sb->alg != HASH_SHA1)
		return err_set(e, ENOTSUP, "%s: algorithm %s is not supported, only sha256, sha512 and sha1", name,
			       sb->algorithm);
	if (sb->data_block_bytes > VERITY_MAX_HASHED_BYTES || sb->hash_block_bytes > VERITY_MAX_HASHED_BYTES)
		return err_set(e, ENOTSUP, "%s: block sizes %u (data) and %u (hash) are not supported, at most %d", name,
			       sb->data_block_bytes, sb->hash_block_bytes, VERITY_MAX_HASHED_BYTES);
	return 0;
}

int verity_sb_check_chain(const struct verity_sb *sb, const char *name, struct err *e)
{
	if (sb->hash_type != 1)
		return err_set(e, ENOTSUP, "%s: hash type %u, the chain of trust takes only 1", name, sb->hash_type);
	if (sb->alg != HASH_SHA256)
		return err_set(e, ENOTSUP, "%s: algorithm %s, the chain of trust takes only sha256", name, sb->algorithm);
	if (sb->data_block_bytes != VERITY_BLOCK_BYTES || sb->hash_block_bytes != VERITY_BLOCK_BYTES)
		return err_set(e, ENOTSUP, "%s: block sizes %u (data) and %u (hash), the chain of trust takes only %d",
			       name, sb->data_block_bytes, sb->hash_block_bytes, VERITY_BLOCK_BYTES);
	return 0;
}

/* Little-endian store at an offset of the fixed layout. */
static void put_le(uint8_t *at, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		at[i] = (uint8_t)(v >> (8 * i));
}

void verity_sb_encode(const struct verity_sb *sb, uint8_t ret[static VERITY_SB_BYTES])
{
	memset(ret, 0, VERITY_SB_BYTES);
	memcpy(ret, sb_magic, sizeof(sb_magic));
	put_le(ret + 8, SB_VERSION, 4);
	put_le(ret + 12, sb->hash_type, 4);
	memcpy(ret + 16, sb->uuid, sizeof(sb->uuid));
	memcpy(ret + 32, sb->algorithm, strnlen(sb->algorithm, VERITY_MAX_ALGORITHM_BYTES));
	put_le(ret + 64, sb->data_block_bytes, 4);
	put_le(ret + 68, sb->hash_block_bytes, 4);
	put_le(ret + 72, sb->data_blocks, 8);
	put_le(ret + 80, sb->salt_bytes, 2);
	memcpy(ret + 88, sb->salt, sb->salt_bytes <= VERITY_MAX_SALT_BYTES ? sb->salt_bytes : VERITY_MAX_SALT_BYTES);
}

int verity_sb_read(int fd, uint64_t offset_bytes, const char *name, struct verity_sb *ret, struct err *e)
{
	uint8_t bytes[VERITY_SB_BYTES];
	struct verity_sb sb;
	ssize_t n;
	int r;

	if (offset_bytes > (uint64_t)INT64_MAX - VERITY_SB_BYTES)
		return err_set(e, EINVAL, "%s: offset %llu is out of range", name, (unsigned long long)offset_bytes);
	do
		n = pread(fd, bytes, sizeof(bytes), (off_t)offset_bytes);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno(e, "cannot read the superblock of %s at offset %llu", name,
				 (unsigned long long)offset_bytes);
	if ((size_t)n < sizeof(bytes))
		return err_set(e, ENODATA, "%s: ends before a superblock at offset %llu", name,
			       (unsigned long long)offset_bytes);
	r = verity_sb_parse(bytes, sizeof(bytes), name, &sb, e);
	if (!r)
		*ret = sb;
	return r;
}

uint64_t verity_sb_data_bytes(const struct verity_sb *sb)
{
	return sb->data_blocks * sb->data_block_bytes;
}

void verity_uuid_str(const uint8_t uuid[static VERITY_UUID_BYTES], char ret[static VERITY_UUID_STR_BYTES])
{
	char hex[2 * VERITY_UUID_BYTES + 1];

	hex_encode(uuid, VERITY_UUID_BYTES, hex);
	(void)snprintf(ret, VERITY_UUID_STR_BYTES, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
		       hex + 20); /* the length is fixed */
}

bool verity_uuid_parse(const char *str, uint8_t ret[static VERITY_UUID_BYTES])
{
	char hex[2 * VERITY_UUID_BYTES + 1];
	size_t n = 0;

	if (strlen(str) != VERITY_UUID_STR_BYTES - 1)
		return false;
	for (size_t i = 0; i < VERITY_UUID_STR_BYTES - 1; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash != (str[i] == '-'))
			return false;
		if (!dash)
			hex[n++] = str[i] >= 'A' && str[i] <= 'F' ? (char)(str[i] - 'A' + 'a') : str[i];
	}
	hex[n] = '\0';
	return hex_decode(hex, ret, VERITY_UUID_BYTES);
}
