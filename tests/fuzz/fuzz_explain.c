/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/fuzz/fuzz_explain.c - any bytes as evidence are explained, and the page that comes out holds no markup of theirs
 *
 * The reference values are tests/data/refvalues/good-demo.json's, read from the folder the fuzzer is started in.
 */
#include "attest/explain.h"
#include "common/file.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void load(struct refvalues *rv)
{
	cleanup_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	if (file_read("tests/data/refvalues/good-demo.json", 1 << 20, &b, &e) ||
	    refvalues_parse(b.data, b.len, "r", rv, &e))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct explanation x; /* large */
	static struct refvalues rv;
	cleanup_buf struct buf page = BUF_INIT;
	struct err e = ERR_INIT;
	struct explain_input in = {.evidence = {data, size}, .set = &(struct judge_set){.n = 1, .rv = &rv}};

	if (!rv.tree)
		load(&rv);
	if (explain(&in, &x, &e))
		return 0;
	if (x.proven || x.judged)
		abort(); /* nobody said who may sign */
	if (explain_html(&x, &rv, &page, &e))
		abort();
	buf_u8(&page, 0);
	if (strlen((const char *)page.data) + 1 != page.len || strstr((const char *)page.data, "<script"))
		abort();
	return 0;
}
