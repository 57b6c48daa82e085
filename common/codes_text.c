/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* common/codes_text.c - what happened, in words: all that PID 1 and the gate say of a failure code */
#include "common/codes.h"

#include <stddef.h>

static const struct {
	enum code code;
	const char *text;
} texts[] = {
#define ROW(code, text, cause, action) { code, text },
#include "common/codes_rows.h"
};

const char *code_text(unsigned code)
{
	size_t i = 0;

	while (texts[i].code != CODE_INTERNAL && texts[i].code != code)
		i++;
	return texts[i].text;
}

bool code_is_known(unsigned code)
{
	return code == CODE_INTERNAL || (code != CODE_NONE && code_text(code) != code_text(CODE_INTERNAL));
}
