/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/cmd_verify.c - `holdfast-verity verify` */
#include "verity/cmd.h"

#include "common/interrupt.h"
#include "verity/cmd_fec.h"
#include "verity/geometry.h"
#include "verity/verify.h"

#include <fcntl.h>

/* struct listing - bad blocks as they are told, @n so far; with @fec what the parity says */
struct listing {
	bool json;
	uint64_t n;
	struct verity_cmd_fec *fec;
	struct verity_fec_report parity;
};

static void list_bad(void *arg, const struct verity_finding *f)
{
	struct listing *l = arg;
	unsigned long long block = f->block, at = f->offset_bytes;

	verity_cmd_progress_end();
	if (l->json)
		printf("%s{\"level\":%d,\"block\":%llu,\"offset\":%llu}", l->n ? "," : "", f->level, block, at);
	else if (f->level == VERITY_LEVEL_DATA)
		printf("bad: data block %llu, offset %llu\n", block, at);
	else
		printf("bad: hash tree, level %d, block %llu, offset %llu\n", f->level, block, at);
	l->n++;
}

static int open_read(const char *path, const char *what, struct verity_file *ret, struct err *e)
{
	*ret = (struct verity_file){.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), .name = what};
	return ret->fd < 0 ? err_errno(e, "cannot open %s", path) : 0;
}

/* What the parity says of the codewords. Return: 0, or -errno. */
static int check_fec(const struct verity_verify_params *p, const struct verity_sb *sb, struct verity_cmd_fec *fec,
		     struct verity_fec_report *ret, struct err *e)
{
	struct verity_fec f = {.data = p->data, .hash = p->hash, .threads = p->threads, .say = p->say};

	verity_cmd_fec_describe(sb, p->no_superblock ? p->hash_offset_bytes : verity_tree_offset(sb, p->hash_offset_bytes), &f);
	return verity_cmd_fec_check(fec, &f, ret, e);
}

static enum cli_exit report(const char *verb, const char *name, const struct verity_verify_result *res,
			    const struct listing *l, const struct err *e)
{
	bool good = res->first.verdict == VERITY_VERDICT_GOOD;
	struct err damaged = ERR_INIT;

	if (l->json) {
		printf("],\"verdict\":\"%s\",\"bad_blocks\":%llu,\"unjudged_blocks\":%llu,\"cut\":%s,\"message\":\"",
		       good ? "good" : "bad", (unsigned long long)res->bad_blocks,
		       (unsigned long long)res->unjudged_blocks, res->cut ? "true" : "false");
		verity_cmd_json_text(good ? "" : e->msg);
		printf("\"");
		if (l->fec->device) {
			putchar(',');
			verity_cmd_fec_print(&l->parity, l->fec->roots, true);
		}
		printf("}\n");
	} else if (good) {
		printf("%s: every block fits the root hash\n", name);
	} else if (l->n) {
		printf("%llu bad blocks; %llu below bad blocks of the tree cannot be judged%s\n",
		       (unsigned long long)res->bad_blocks, (unsigned long long)res->unjudged_blocks,
		       res->cut ? "; there are more, the list ends here" : "");
	}
	if (!l->json && l->fec->device)
		verity_cmd_fec_print(&l->parity, l->fec->roots, false);
	if (!good)
		return (enum cli_exit)cli_fail(CLI_BAD, verb, e);
	if (!l->parity.correctable && !l->parity.uncorrectable)
		return CLI_PASSED;
	(void)err_set(&damaged, EBADMSG, "every block fits the root hash, but the parity in %.100s does not: make it anew",
		      l->fec->device);
	return (enum cli_exit)cli_fail(CLI_BAD, verb, &damaged);
}

/* With both files open. */
static enum cli_exit verify_files(const char *verb, const char *name, struct verity_verify_params *p, int all,
				  struct listing *l)
{
	struct verity_verify_result res;
	struct err why = ERR_INIT;
	struct err e = ERR_INIT;
	int r = interrupt_catch(&e);

	if (all)
		p->all = list_bad;
	p->arg = l;
	p->say = verity_cmd_progress();
	if (l->json)
		printf("{\"bad\":[");
	r = r ? r : verity_verify(p, &res, &e);
	if (!r && l->fec->device && res.sb.data_blocks)
		r = check_fec(p, &res.sb, l->fec, &l->parity, &why);
	if (r && why.code && res.first.verdict == VERITY_VERDICT_GOOD)
		e = why; /* a bad volume is bad, whatever its parity */
	else if (why.code) {
		fprintf(stderr, "%s: the parity was not checked: %s\n", verb, why.msg);
		l->fec->device = NULL;
		r = 0;
	}
	verity_cmd_progress_end();
	if (r && l->json)
		printf("],\"verdict\":\"none\"}\n");
	if (r)
		return (enum cli_exit)cli_fail(CLI_COULD_NOT, verb, &e);
	return report(verb, name, &res, l, &e);
}

int verity_cmd_verify(int argc, char **argv)
{
	const char *offset = NULL, *threads_text = NULL, *io = NULL, *root_hash_path = NULL;
	struct verity_cmd_fec fec = {0};
	struct listing l = {.fec = &fec};
	struct verity_cmd_kind k = {0};
	int all = 0, json = 0, mode = 0;
	const struct cli_opt opts[] = {
		{"hash-offset", "BYTES", "where the superblock stands in HASH, or in DATA if HASH is not given (0)",
		 &offset, NULL, 0},
		{"root-hash-file", "FILE", "where the root hash is, if it is not an operand", &root_hash_path, NULL, 0},
		{"all", NULL, "list every bad block, not only the first", &all, NULL, 0},
		VERITY_CMD_FEC_OPTS(fec),
		{"threads", "N", "1 to 64 (one for each processor)", &threads_text, NULL, 0},
		{"io", "HOW", "auto, pread, map or direct: how DATA is read (auto)", &io, NULL, 0},
		{"json", NULL, "one line of JSON", &json, NULL, 0},
		{"salt", "HEX|-", "with --no-superblock, as are these:", &k.salt, NULL, 0},
		VERITY_CMD_KIND_OPTS(k),
		{NULL, NULL, NULL, NULL, NULL, 0},
	};
	int n = cli_options(argc, argv, "DATA [HASH] ROOTHASH",
			    "check everything, from the root hash down; names the first bad block", opts);
	cleanup_fd int data_fd = -1, hash_fd = -1;
	struct verity_verify_params p = {0};
	uint8_t root_hash[HASH_MAX_BYTES];
	struct err e = ERR_INIT;
	uint64_t threads = 0;
	struct verity_sb sb;
	enum cli_exit code;
	int files;

	if (n < 0)
		return CLI_USAGE;
	files = root_hash_path ? n : n - 1;
	if (files != 2 && !(files == 1 && offset))
		return cli_usage(argv[0], "wanted DATA HASH ROOTHASH, or --hash-offset N DATA ROOTHASH");
	if (!verity_cmd_kind_fits(argv[0], &k))
		return CLI_USAGE;
	verity_sb_init(&sb);
	if (!verity_cmd_kind_parse(argv[0], &k, &sb) || !verity_cmd_offset(argv[0], offset, &p.hash_offset_bytes) ||
	    !verity_cmd_number(argv[0], "threads", threads_text, 1, VERITY_MAX_THREADS, &threads) ||
	    !verity_cmd_read_mode(argv[0], io, &mode) || !verity_cmd_fec_parse(argv[0], &fec))
		return CLI_USAGE;
	code = verity_cmd_any_root_hash(argv[0], root_hash_path ? NULL : argv[n], root_hash_path, root_hash,
					&p.root_hash_bytes);
	if (code)
		return code;
	p.root_hash = root_hash;
	p.no_superblock = k.no_superblock ? &sb : NULL;
	p.threads = (unsigned)threads;
	p.mode = (enum verity_read_mode)mode;
	if (open_read(argv[1], "the data", &p.data, &e))
		return cli_fail(CLI_COULD_NOT, argv[0], &e);
	data_fd = p.data.fd;
	if (open_read(argv[files], "the hash tree", &p.hash, &e))
		return cli_fail(CLI_COULD_NOT, argv[0], &e);
	hash_fd = p.hash.fd;
	l.json = json;
	return verify_files(argv[0], argv[1], &p, all, &l);
}
