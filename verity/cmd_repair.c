/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/cmd_repair.c - `holdfast-verity repair` */
#include "verity/cmd.h"

#include "common/interrupt.h"
#include "verity/cmd_fec.h"
#include "verity/geometry.h"
#include "verity/repair.h"

#include <fcntl.h>

/* struct files - what is read: closed at the end of the scope */
struct files {
	int data, hash, parity;
};

/* struct listing - blocks as they are told; @n so far */
struct listing {
	bool json;
	uint64_t n;
};

static const char *const outcome_names[] = {[VERITY_REPAIR_UNREADABLE] = "unreadable",
					    [VERITY_REPAIR_REPAIRED] = "repaired",
					    [VERITY_REPAIR_UNCORRECTABLE] = "uncorrectable"};

static void list_block(void *arg, const struct verity_repair_block *b)
{
	struct listing *l = arg;
	unsigned long long block = b->block, at = b->offset_bytes;

	verity_cmd_progress_end();
	if (l->json) {
		printf("%s{\"outcome\":\"%s\",\"file\":\"", l->n ? "," : "", outcome_names[b->outcome]);
		verity_cmd_json_text(b->file);
		printf("\",\"offset\":%llu", at);
		if (b->outcome != VERITY_REPAIR_UNREADABLE)
			printf(",\"level\":%d,\"block\":%llu", b->level, block);
		putchar('}');
	} else if (b->outcome == VERITY_REPAIR_UNREADABLE) {
		printf("unreadable: %s, offset %llu\n", b->file, at);
	} else if (b->level == VERITY_REPAIR_LEVEL_DATA) {
		printf("%s: data block %llu, offset %llu of %s\n", outcome_names[b->outcome], block, at, b->file);
	} else {
		printf("%s: hash tree, level %d, block %llu, offset %llu of %s\n", outcome_names[b->outcome], b->level, block,
		       at, b->file);
	}
	l->n++;
}

static enum cli_exit finish(const char *verb, const struct verity_repair_params *p,
			    const struct verity_repair_result *res, int r, const struct err *e)
{
	bool json = ((struct listing *)p->arg)->json;
	unsigned long long repaired = res->repaired, unreadable = res->unreadable, left = res->uncorrectable;

	if (json) {
		printf("],\"repaired\":%llu,\"unreadable\":%llu,\"uncorrectable\":%llu,\"verdict\":\"%s\",\"message\":\"",
		       repaired, unreadable, left, !r ? "sound" : r == -EBADMSG ? "bad" : "none");
		verity_cmd_json_text(r ? e->msg : "");
		printf("\"}\n");
	} else if (!r) {
		printf("%s: sound, every block fits the root hash; %llu blocks repaired, %llu could not be read\n",
		       p->out_data, repaired, unreadable);
	}
	if (!r)
		return CLI_PASSED;
	return (enum cli_exit)cli_fail(r == -EBADMSG ? CLI_BAD : CLI_COULD_NOT, verb, e);
}

/* Numbers of the volume: from its superblock, or from options. */
static int describe(const struct verity_repair_params *p, struct verity_fec *f, struct verity_sb *sb, struct err *e)
{
	int r = p->no_superblock ? 0 : verity_sb_read(f->hash.fd, p->hash_offset_bytes, f->hash.name, sb, e);

	if (r == -EINVAL || r == -ENODATA) {
		(void)err_context(e, "error correction does not cover the superblock, so it must be sound");
		return -EBADMSG;
	}
	if (!r)
		r = verity_sb_check_supported(sb, f->hash.name, e);
	if (r)
		return r;
	verity_cmd_fec_describe(sb, p->no_superblock ? p->hash_offset_bytes : verity_tree_offset(sb, p->hash_offset_bytes), f);
	return verity_fec_cover(f, e);
}

static int open_read(const char *path, struct verity_file *ret, int *ret_fd, struct err *e)
{
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	*ret = (struct verity_file){.fd = *ret_fd, .name = path};
	return *ret_fd < 0 ? err_errno(e, "cannot open %s", path) : 0;
}

static void close_files(struct files *f)
{
	cleanup_fd_fn(&f->data);
	cleanup_fd_fn(&f->hash);
	cleanup_fd_fn(&f->parity);
}

/* What was named on the command line, opened and repaired. */
static enum cli_exit run(const char *verb, struct verity_repair_params *p, struct verity_fec *f, struct verity_sb *sb)
{
	struct files fds __attribute__((cleanup(close_files))) = {-1, -1, -1};
	struct verity_repair_result res = {0};
	struct err e = ERR_INIT;
	int r = open_read(f->data.name, &f->data, &fds.data, &e);

	if (!r)
		r = open_read(f->hash.name, &f->hash, &fds.hash, &e);
	if (!r)
		r = open_read(f->parity.name, &f->parity, &fds.parity, &e);
	if (!r)
		r = describe(p, f, sb, &e);
	if (!r)
		r = interrupt_catch(&e);
	p->fec = f;
	p->sb = sb;
	p->note = list_block;
	p->say = verity_cmd_progress();
	if (((struct listing *)p->arg)->json)
		printf("{\"blocks\":[");
	if (!r)
		r = verity_repair(p, &res, &e);
	verity_cmd_progress_end();
	return finish(verb, p, &res, r, &e);
}

int verity_cmd_repair(int argc, char **argv)
{
	const char *offset = NULL, *out_data = NULL, *out_hash = NULL;
	struct verity_cmd_fec fec = {0};
	struct verity_cmd_kind k = {0};
	struct listing l = {0};
	int json = 0;
	const struct cli_opt opts[] = {
		{"out-data", "FILE", "the sound copy of DATA; must not be there yet", &out_data, NULL, 0},
		{"out-hash", "FILE", "the sound copy of HASH, if that is a file of its own", &out_hash, NULL, 0},
		VERITY_CMD_FEC_OPTS(fec),
		{"hash-offset", "BYTES", "where the superblock stands in HASH, or in DATA if HASH is not given (0)",
		 &offset, NULL, 0},
		{"json", NULL, "one line of JSON", &json, NULL, 0},
		{"salt", "HEX|-", "with --no-superblock, as are these:", &k.salt, NULL, 0},
		VERITY_CMD_KIND_OPTS(k),
		{NULL, NULL, NULL, NULL, NULL, 0},
	};
	int n = cli_options(argc, argv, "DATA [HASH] ROOTHASH",
			    "make a sound copy of a damaged volume, proved by its root hash", opts);
	uint8_t root_hash[HASH_MAX_BYTES];
	struct verity_repair_params p = {.root_hash = root_hash, .arg = &l};
	struct verity_fec f = {0};
	size_t root_hash_bytes = 0;
	struct verity_sb sb;
	enum cli_exit code;

	if (n < 0)
		return CLI_USAGE;
	if (n != 3 && !(n == 2 && offset))
		return cli_usage(argv[0], "wanted DATA HASH ROOTHASH, or --hash-offset N DATA ROOTHASH");
	if (!fec.device || !out_data)
		return cli_usage(argv[0], "wanted --fec-device and --out-data");
	if (!verity_cmd_kind_fits(argv[0], &k))
		return CLI_USAGE;
	verity_sb_init(&sb);
	if (!verity_cmd_kind_parse(argv[0], &k, &sb) || !verity_cmd_offset(argv[0], offset, &p.hash_offset_bytes) ||
	    !verity_cmd_fec_parse(argv[0], &fec))
		return CLI_USAGE;
	code = verity_cmd_any_root_hash(argv[0], argv[n], NULL, root_hash, &root_hash_bytes);
	if (code)
		return code;
	l.json = json;
	f.data.name = argv[1];
	f.hash.name = argv[n - 1];
	f.parity.name = fec.device;
	f.roots = fec.roots;
	f.parity_offset_bytes = fec.offset_bytes;
	p.root_hash_bytes = root_hash_bytes;
	p.no_superblock = k.no_superblock;
	p.out_data = out_data;
	p.out_hash = out_hash;
	return run(argv[0], &p, &f, &sb);
}
