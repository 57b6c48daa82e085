/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/cmd_open.c - `holdfast-verity open` */
#include "verity/cmd.h"

#include "common/file.h"
#include "common/pki.h"
#include "verity/cmd_fec.h"
#include "verity/open.h"

/* struct words - the flags of the command line */
struct words {
	int restart, panic, restart_on_error, panic_on_error, zero, once;
};

static unsigned options_of(const struct words *w)
{
	return (w->restart ? 1u << VERITY_OPTION_RESTART_ON_CORRUPTION : 0) |
	       (w->panic ? 1u << VERITY_OPTION_PANIC_ON_CORRUPTION : 0) |
	       (w->restart_on_error ? 1u << VERITY_OPTION_RESTART_ON_ERROR : 0) |
	       (w->panic_on_error ? 1u << VERITY_OPTION_PANIC_ON_ERROR : 0) |
	       (w->zero ? 1u << VERITY_OPTION_IGNORE_ZERO_BLOCKS : 0) |
	       (w->once ? 1u << VERITY_OPTION_CHECK_AT_MOST_ONCE : 0);
}

/* Combinations that the kernel does not have; false after a message. */
static bool words_fit(const char *verb, const struct words *w)
{
	if (!(w->restart && w->panic) && !(w->restart_on_error && w->panic_on_error))
		return true;
	(void)cli_usage(verb, "restart or panic, not both");
	return false;
}

static enum cli_exit run(const char *verb, struct verity_open_params *p, const char *sig_path)
{
	cleanup_buf struct buf sig = BUF_INIT;
	struct verity_open_result res;
	struct err e = ERR_INIT;
	int r = sig_path ? file_read(sig_path, PKI_MAX_SIGNATURE_BYTES, &sig, &e) : 0;

	if (r)
		return (enum cli_exit)cli_fail(CLI_COULD_NOT, verb, &e);
	p->base.signature = sig_path ? sig.data : NULL;
	p->base.signature_bytes = sig.len;
	r = verity_open(p, &res, &e);
	if (r)
		return (enum cli_exit)cli_fail(verity_is_signature_error(r) || r == -EBADMSG ? CLI_BAD : CLI_COULD_NOT, verb, &e);
	if (res.fec_doubtful)
		fprintf(stderr, "%s: %s does not look like the parity of this volume, so the kernel may be unable to correct "
				"anything; is the hash device as large as it was at format?\n", verb, p->fec_device);
	printf("%s\n", res.device.path);
	return CLI_PASSED;
}

int verity_cmd_open(int argc, char **argv)
{
	const char *offset = NULL, *sig_path = NULL;
	struct verity_cmd_fec fec = {0};
	struct verity_cmd_kind k = {0};
	struct words w = {0};
	int is_unsigned = 0;
	const struct cli_opt opts[] = {
		{"root-hash-signature", "FILE", "PKCS#7 of the root hash; the kernel checks it", &sig_path, NULL, 0},
		{"unsigned", NULL, "open without a signature", &is_unsigned, NULL, 0},
		{"hash-offset", "BYTES", "where the superblock stands (0)", &offset, NULL, 0},
		{"restart-on-corruption", NULL, "a bad block restarts the machine", &w.restart, NULL, 0},
		{"panic-on-corruption", NULL, "a bad block is a kernel panic", &w.panic, NULL, 0},
		{"restart-on-error", NULL, "a block that cannot be read restarts it (Linux 6.12)", &w.restart_on_error, NULL, 0},
		{"panic-on-error", NULL, "a block that cannot be read is a panic (Linux 6.12)", &w.panic_on_error, NULL, 0},
		{"ignore-zero-blocks", NULL, "blocks that must be zero are not read", &w.zero, NULL, 0},
		{"check-at-most-once", NULL, "check each block at its first reading only", &w.once, NULL, 0},
		VERITY_CMD_FEC_OPTS(fec),
		{"salt", "HEX|-", "with --no-superblock, as are these:", &k.salt, NULL, 0},
		VERITY_CMD_KIND_OPTS(k),
		{NULL, NULL, NULL, NULL, NULL, 0},
	};
	int n = cli_options(argc, argv, "DATA NAME HASH ROOTHASH", "activate a dm-verity device, read-only", opts);
	uint8_t root_hash[HASH_MAX_BYTES];
	struct verity_open_params p = {.base.root_hash = root_hash};
	struct verity_sb sb;
	enum cli_exit code;

	if (n < 0)
		return CLI_USAGE;
	if (n != 4 || !sig_path == !is_unsigned)
		return cli_usage(argv[0], "wanted DATA NAME HASH ROOTHASH and either --root-hash-signature or --unsigned");
	if (!verity_cmd_kind_fits(argv[0], &k))
		return CLI_USAGE;
	verity_sb_init(&sb);
	if (!verity_cmd_kind_parse(argv[0], &k, &sb) || !verity_cmd_offset(argv[0], offset, &p.base.hash_offset_bytes) ||
	    !verity_cmd_fec_parse(argv[0], &fec) || !words_fit(argv[0], &w))
		return CLI_USAGE;
	code = verity_cmd_any_root_hash(argv[0], argv[4], NULL, root_hash, &p.root_hash_bytes);
	if (code)
		return code;
	p.base.data_device = argv[1];
	p.base.name = argv[2];
	p.base.hash_device = argv[3];
	p.no_superblock = k.no_superblock ? &sb : NULL;
	p.options = options_of(&w);
	p.fec_device = fec.device;
	p.fec_roots = fec.roots;
	p.fec_offset_bytes = fec.offset_bytes;
	return run(argv[0], &p, sig_path);
}
