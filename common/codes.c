/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* common/codes.c - the stable failure codes: one number for each way the chain can refuse */
#include "common/codes.h"

#include <stddef.h>

#define ROW(code, text, cause, action) { code, text, cause, action },
static const struct code_info table[] = {
#include "common/codes_rows.h"
	{ CODE_NONE, NULL, NULL, NULL },
};

const struct code_info *code_table(void)
{
	return table;
}

const struct code_info *code_info(unsigned code)
{
	const struct code_info *c = table;

	while (c->code != CODE_INTERNAL && c->code != code)
		c++;
	return c;
}
