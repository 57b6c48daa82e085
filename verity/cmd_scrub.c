/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/cmd_scrub.c - `holdfast-verity scrub` */
#include "verity/cmd.h"

#include "common/interrupt.h"
#include "verity/scrub.h"
#include "verity/status.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* struct listing - blocks as they are told; @n so far */
struct listing {
	bool json;
	uint64_t n;
	uint32_t block_bytes;
};

static void list_block(void *arg, enum verity_scrub_outcome outcome, uint64_t block)
{
	struct listing *l = arg;
	const char *what = outcome == VERITY_SCRUB_BAD ? "bad" : "repaired";
	unsigned long long number = block, at = block * l->block_bytes;

	verity_cmd_progress_end();
	if (l->json)
		printf("%s{\"outcome\":\"%s\",\"block\":%llu,\"offset\":%llu}", l->n ? "," : "", what, number, at);
	else
		printf("%s: data block %llu, offset %llu\n", what, number, at);
	l->n++;
}

/* A device for O_DIRECT by its number. */
static int open_by_number(dev_t dev, const char *what, struct verity_file *ret, struct err *e)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/dev/block/%u:%u", major(dev), minor(dev)); /* fits */
	*ret = (struct verity_file){.name = what, .fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC)};
	if (ret->fd < 0 && errno == ENOENT) {
		/* Without udev there are no such links: a node of our own, gone again at once. */
		(void)snprintf(path, sizeof(path), "/dev/.holdfast-scrub-%d", (int)getpid()); /* fits */
		if (mknod(path, S_IFBLK | 0400, dev) < 0)
			return err_errno(e, "cannot make a node for device %u:%u", major(dev), minor(dev));
		ret->fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
		(void)unlink(path); /* the descriptor stays */
	}
	return ret->fd < 0 ? err_errno(e, "cannot open %s, device %u:%u", what, major(dev), minor(dev)) : 0;
}

static bool is_set(const struct verity_status *s, enum verity_option o)
{
	return s->options & (1u << o);
}

/* Options under which reading a device through does not check it. */
static int check_worth(const struct verity_status *s, struct err *e)
{
	if (is_set(s, VERITY_OPTION_CHECK_AT_MOST_ONCE))
		return err_set(e, ENOTSUP, "%.100s has check_at_most_once: the kernel does not check again what it has read", s->name);
	if (is_set(s, VERITY_OPTION_IGNORE_CORRUPTION))
		return err_set(e, ENOTSUP, "%.100s has ignore_corruption: the kernel delivers bad blocks too", s->name);
	return 0;
}

/* @before, @after: what the kernel says before and after the reading. */
static enum cli_exit report(const char *verb, const struct listing *l, const struct verity_scrub_result *res,
			    const struct verity_status *before, const struct verity_status *after)
{
	unsigned long long bad = res->bad, repaired = res->repaired, blocks = after->data_blocks;
	bool is_bad = bad || after->is_corrupt;
	struct err e = ERR_INIT;

	if (l->json) {
		printf("],\"blocks\":%llu,\"bad_blocks\":%llu,\"repaired_blocks\":", blocks, bad);
		printf(after->fec_roots ? "%llu" : "null", repaired);
		printf(",\"kernel_corrected\":");
		printf(after->has_counter ? "%llu" : "null", (unsigned long long)(after->corrected - before->corrected));
		printf(",\"status\":\"%s\",\"verdict\":\"%s\"}\n", after->is_corrupt ? "corrupted" : "verified",
		       is_bad ? "bad" : repaired ? "repaired" : "good");
	} else {
		printf("%s: %llu blocks read, %llu bad", after->name, blocks, bad);
		if (after->fec_roots)
			printf(", %llu repaired as they were read", repaired);
		if (after->has_counter)
			printf(" (the kernel counts %llu)", (unsigned long long)(after->corrected - before->corrected));
		printf("; the kernel's status is %s\n", after->is_corrupt ? "corrupted" : "verified");
	}
	if (!is_bad)
		return CLI_PASSED;
	if (bad)
		(void)err_set(&e, EBADMSG, "%.100s: the kernel does not deliver %llu of %llu blocks", after->name, bad, blocks);
	else
		(void)err_set(&e, EBADMSG, "%.100s: every block was delivered now, but the kernel has met a bad one since activation",
			      after->name);
	return (enum cli_exit)cli_fail(CLI_BAD, verb, &e);
}

static enum cli_exit run(const char *verb, const char *name, uint64_t rate, bool json)
{
	cleanup_fd int device_fd = -1, data_fd = -1;
	struct verity_scrub_params p = {.rate = rate, .note = list_block, .say = verity_cmd_progress(), .data.fd = -1};
	struct verity_scrub_result res = {0};
	struct verity_status before, after;
	struct listing l = {.json = json};
	struct err e = ERR_INIT;
	int r = verity_status_get(name, &before, &e);

	if (!r)
		r = check_worth(&before, &e);
	if (!r)
		r = open_by_number(before.dev, name, &p.device, &e);
	if (!r) {
		device_fd = p.device.fd;
		if (before.fec_roots)
			r = open_by_number(before.data_dev, "the data device", &p.data, &e);
	}
	data_fd = p.data.fd;
	if (!r)
		r = interrupt_catch(&e);
	if (r)
		return (enum cli_exit)cli_fail(CLI_COULD_NOT, verb, &e);
	p.block_bytes = l.block_bytes = before.data_block_bytes;
	p.blocks = before.data_blocks;
	p.ignore_zeros = is_set(&before, VERITY_OPTION_IGNORE_ZERO_BLOCKS);
	p.arg = &l;
	if (json)
		printf("{\"found\":[");
	r = verity_scrub(&p, &res, &e);
	if (!r)
		r = verity_status_get(name, &after, &e);
	if (!r && (after.dev != before.dev || after.data_blocks != before.data_blocks ||
		   !hash_equal(after.root_hash, after.root_hash_bytes, before.root_hash, before.root_hash_bytes)))
		r = err_set(&e, ESTALE, "%s became another device while it was read", name);
	verity_cmd_progress_end();
	if (r && json)
		printf("],\"verdict\":\"none\"}\n");
	return r ? (enum cli_exit)cli_fail(CLI_COULD_NOT, verb, &e) : report(verb, &l, &res, &before, &after);
}

int verity_cmd_scrub(int argc, char **argv)
{
	const char *rate_text = NULL;
	int json = 0;
	const struct cli_opt opts[] = {
		{"rate", "BYTES", "read at most so much a second (as fast as it goes)", &rate_text, NULL, 0},
		{"json", NULL, "one line of JSON", &json, NULL, 0},
		{NULL, NULL, NULL, NULL, NULL, 0},
	};
	int n = cli_options(argc, argv, "NAME", "read a live dm-verity device through; names bad and repaired blocks", opts);
	const char *mapper = "/dev/mapper/";
	uint64_t rate = 0;

	if (n < 0)
		return CLI_USAGE;
	if (n != 1)
		return cli_usage(argv[0], "wanted one operand, NAME");
	if (!verity_cmd_number(argv[0], "rate", rate_text, 1, INT64_MAX, &rate))
		return CLI_USAGE;
	return run(argv[0], argv[1] + (strncmp(argv[1], mapper, strlen(mapper)) ? 0 : strlen(mapper)), rate, json);
}
