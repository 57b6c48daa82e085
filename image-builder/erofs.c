/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/erofs.c - a folder to a compressed EROFS image, and its dm-verity tree */
#include "image-builder/erofs.h"

#include "common/proc.h"
#include "verity/format.h"

#include <string.h>
#include <sys/stat.h>

#define MAX_OUTPUT_BYTES 65536

int erofs_make(const struct erofs_params *p, uint64_t *ret_bytes, struct err *e)
{
	const char *const *m = p->mkfs->argv;
	char time[32], compression[64];
	const char *const argv[] = { m[0],         m[1],      m[2],
				     m[3],         "--quiet", "-b4096",
				     "--all-root", time,      "-U00000000-0000-0000-0000-000000000000",
				     "-x-1",       "-C65536", compression,
				     p->image,     p->folder, NULL };
	struct buf out = BUF_INIT;
	struct proc_params run = { .argv = argv, .quiet = 1, .out = &out, .out_max = MAX_OUTPUT_BYTES };
	struct stat st;
	int r;

	(void)snprintf(time, sizeof(time), "-T%llu", (unsigned long long)p->epoch); /* fits */
	(void)snprintf(compression, sizeof(compression), "%s%s",
		       p->compression ? "-z" : "-Enoinline_data", /* fits, or is refused */
		       p->compression ? p->compression : "");
	r = proc_run(&run, e);
	buf_free(&out); /* it is told to be quiet */
	if (r)
		return err_context(e, "the root's file system could not be made");
	if (stat(p->image, &st) < 0)
		return err_errno(e, "cannot look at %s", p->image);
	if (st.st_size <= 0 || st.st_size % VERITY_BLOCK_BYTES)
		return err_set(e, EIO, "mkfs.erofs made an image of %lld bytes, wanted a multiple of %d",
			       (long long)st.st_size, VERITY_BLOCK_BYTES);
	*ret_bytes = (uint64_t)st.st_size;
	return 0;
}

int erofs_hash(const char *image, const char *hash, uint8_t ret_root_hash[static HASH_SHA256_BYTES], struct err *e)
{
	struct verity_format_params p = { .data_path = image, .hash_path = hash };
	struct verity_format_result result;
	int r;

	verity_sb_init(&p.sb);
	r = verity_format(&p, &result, e);
	if (!r)
		memcpy(ret_root_hash, result.root_hash, HASH_SHA256_BYTES);
	return r;
}
