/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/cmd_format.c - `holdfast-verity format` */
#include "verity/cmd.h"

#include "common/file.h"
#include "common/hex.h"
#include "common/interrupt.h"
#include "verity/cmd_fec.h"
#include "verity/format.h"

#include <string.h>
#include <sys/random.h>

#define DEFAULT_SALT_BYTES 32 /* as veritysetup */

static int random_bytes(void *dst, size_t n, struct err *e)
{
	return getrandom(dst, n, 0) == (ssize_t)n ? 0 : err_errno(e, "no random bytes to be had");
}

/* What was not given is random, as with veritysetup: 32 bytes of salt, a UUID of version 4. */
static int fill_random(const struct verity_cmd_kind *k, struct verity_sb *sb, struct err *e)
{
	int r = 0;

	if (!k->salt) {
		sb->salt_bytes = DEFAULT_SALT_BYTES;
		r = random_bytes(sb->salt, DEFAULT_SALT_BYTES, e);
	}
	if (!r && !k->uuid && !k->no_superblock) {
		r = random_bytes(sb->uuid, sizeof(sb->uuid), e);
		sb->uuid[6] = (uint8_t)((sb->uuid[6] & 0x0f) | 0x40);
		sb->uuid[8] = (uint8_t)((sb->uuid[8] & 0x3f) | 0x80);
	}
	return r;
}

/* The digits alone, without a newline: what veritysetup writes, and what is signed. */
static int write_root_hash(const char *path, const struct verity_format_result *res, struct err *e)
{
	char hex[2 * HASH_MAX_BYTES + 1];

	if (!path)
		return 0;
	hex_encode(res->root_hash, hash_bytes(res->sb.alg), hex);
	return file_write(path, hex, strlen(hex), 0644, e);
}

static int run(struct verity_format_params *p, const struct verity_cmd_kind *k, const char *root_hash_path,
	       struct verity_format_result *res, struct err *e)
{
	int r = fill_random(k, &p->sb, e);

	r = r ? r : interrupt_catch(e);
	p->say = verity_cmd_progress();
	r = r ? r : verity_format(p, res, e);
	verity_cmd_progress_end();
	return r ? r : write_root_hash(root_hash_path, res, e);
}

int verity_cmd_format(int argc, char **argv)
{
	const char *offset = NULL, *threads_text = NULL, *io = NULL, *root_hash_path = NULL;
	struct verity_cmd_fec fec = {0};
	struct verity_cmd_kind k = {0};
	int append = 0, json = 0, mode = 0;
	const struct cli_opt opts[] = {
		{"append", NULL, "write behind the data, in DATA itself", &append, NULL, 0},
		{"hash-offset", "BYTES", "where in HASH the superblock goes (0); HASH may be DATA", &offset, NULL, 0},
		{"salt", "HEX|-", "salt, or - for none (32 random bytes)", &k.salt, NULL, 0},
		{"uuid", "UUID", "of the superblock (random)", &k.uuid, NULL, 0},
		VERITY_CMD_KIND_OPTS(k),
		VERITY_CMD_FEC_OPTS(fec),
		{"root-hash-file", "FILE", "write the root hash there too", &root_hash_path, NULL, 0},
		{"threads", "N", "1 to 64 (one for each processor)", &threads_text, NULL, 0},
		{"io", "HOW", "auto, pread, map or direct: how DATA is read (auto)", &io, NULL, 0},
		{"json", NULL, "one line of JSON", &json, NULL, 0},
		{NULL, NULL, NULL, NULL, NULL, 0},
	};
	int n = cli_options(argc, argv, "DATA HASH | --append DATA",
			    "make superblock and hash tree; prints the root hash", opts);
	struct verity_format_params p = {0};
	struct verity_format_result res;
	struct err e = ERR_INIT;
	uint64_t threads = 0;

	if (n < 0)
		return CLI_USAGE;
	if (n != (append ? 1 : 2) || (append && offset))
		return cli_usage(argv[0], append ? "--append wants one operand, DATA, and no --hash-offset" :
						   "wanted two operands, DATA and HASH");
	verity_sb_init(&p.sb);
	if (!verity_cmd_kind_parse(argv[0], &k, &p.sb) ||
	    !verity_cmd_offset(argv[0], offset, &p.hash_offset_bytes) ||
	    !verity_cmd_number(argv[0], "threads", threads_text, 1, VERITY_MAX_THREADS, &threads) ||
	    !verity_cmd_read_mode(argv[0], io, &mode) || !verity_cmd_fec_parse(argv[0], &fec))
		return CLI_USAGE;
	p.data_path = argv[1];
	p.hash_path = append ? NULL : argv[2];
	p.no_superblock = k.no_superblock;
	p.threads = (unsigned)threads;
	p.mode = (enum verity_read_mode)mode;
	if (fec.device) {
		fec.threads = p.threads;
		p.then = verity_cmd_fec_write;
		p.then_arg = &fec;
	}
	if (run(&p, &k, root_hash_path, &res, &e))
		return cli_fail(CLI_COULD_NOT, argv[0], &e);
	verity_cmd_print(&(struct verity_cmd_shown){.name = append ? argv[1] : argv[2],
						    .sb = &res.sb,
						    .root_hash = res.root_hash,
						    .at_bytes = res.hash_offset_bytes,
						    .fec_roots = fec.device ? fec.roots : 0,
						    .fec_blocks = fec.blocks,
						    .no_superblock = k.no_superblock,
						    .json = json});
	return CLI_PASSED;
}
