/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/cmd_fec.c - the options of error correction, and what checking it says */
#include "verity/cmd_fec.h"

#include "common/cleanup.h"
#include "verity/cmd.h"
#include "verity/format.h"
#include "verity/geometry.h"

#include <fcntl.h>
#include <stdio.h>

bool verity_cmd_fec_parse(const char *verb, struct verity_cmd_fec *fec)
{
	fec->roots = VERITY_FEC_MIN_ROOTS;
	if (!fec->device && (fec->roots_text || fec->offset_text)) {
		(void)cli_usage(verb, "--fec-roots and --fec-offset want --fec-device");
		return false;
	}
	if (fec->roots_text && !verity_fec_roots_parse(fec->roots_text, &fec->roots)) {
		(void)cli_usage(verb, "--fec-roots \"%.20s\", wanted %d to %d", fec->roots_text, VERITY_FEC_MIN_ROOTS,
				VERITY_FEC_MAX_ROOTS);
		return false;
	}
	fec->offset_bytes = 0;
	if (!verity_cmd_number(verb, "fec-offset", fec->offset_text, 0, VERITY_MAX_AT_BYTES, &fec->offset_bytes))
		return false;
	return true;
}

void verity_cmd_fec_describe(const struct verity_sb *sb, uint64_t tree_at_bytes, struct verity_fec *ret)
{
	ret->block_bytes = sb->data_block_bytes;
	ret->hash_block_bytes = sb->hash_block_bytes;
	ret->data_blocks = sb->data_blocks;
	ret->tree_blocks = verity_geometry_of(sb).tree_blocks;
	ret->hash_start_bytes = tree_at_bytes;
}

int verity_cmd_fec_write(void *arg, const struct verity_format_done *done, struct err *e)
{
	struct verity_cmd_fec *fec = arg;
	struct verity_fec f = {
		.roots = fec->roots, .data = done->data, .hash = done->hash, .threads = fec->threads, .say = verity_cmd_progress()};
	int r;

	verity_cmd_fec_describe(done->sb, done->tree_at_bytes, &f);
	r = verity_fec_write(&f, fec->device, fec->offset_bytes, e);
	fec->blocks = f.fec_blocks_written;
	return r;
}

int verity_cmd_fec_check(const struct verity_cmd_fec *fec, struct verity_fec *f, struct verity_fec_report *ret, struct err *e)
{
	cleanup_fd int fd = open(fec->device, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int r;

	if (fd < 0)
		return err_errno(e, "cannot open %s", fec->device);
	f->roots = fec->roots;
	f->parity = (struct verity_file){.fd = fd, .name = fec->device};
	f->parity_offset_bytes = fec->offset_bytes;
	r = verity_fec_cover(f, e);
	if (!r)
		r = verity_fec_check(f, ret, e);
	f->parity.fd = -1;
	return r;
}

void verity_cmd_fec_print(const struct verity_fec_report *report, unsigned roots, bool json)
{
	if (json) {
		printf("\"fec\":{\"roots\":%u,\"codewords\":%llu,\"correctable\":%llu,\"uncorrectable\":%llu,\"bytes\":%llu}",
		       roots, (unsigned long long)report->codewords, (unsigned long long)report->correctable,
		       (unsigned long long)report->uncorrectable, (unsigned long long)report->bytes);
		return;
	}
	if (!report->correctable && !report->uncorrectable) {
		printf("error correction: all %llu codewords are sound\n", (unsigned long long)report->codewords);
		return;
	}
	printf("error correction: of %llu codewords %llu are damaged (%llu bytes) and can be corrected, %llu cannot without the hash tree",
	       (unsigned long long)report->codewords, (unsigned long long)report->correctable,
	       (unsigned long long)report->bytes, (unsigned long long)report->uncorrectable);
	if (report->uncorrectable)
		printf(", the first in round %llu", (unsigned long long)report->first_round);
	printf("; `repair` makes a sound copy if it can\n");
}
