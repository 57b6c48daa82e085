/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* common/codes_text.c - what happened, in words: all that PID 1 and the gate say of a failure code */
#include "common/codes.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* No pointers: each would take 16 bytes more of PID 1's file, and be relocated at its start. */
static const uint8_t codes[] = {
#define ROW(code, text, cause, action) code,
#include "common/codes_rows.h"
};
static const char texts[] =
#define ROW(code, text, cause, action) text "\0"
#include "common/codes_rows.h"
	;

const char *code_text(unsigned code)
{
	const char *text = texts;

	for (size_t i = 0; codes[i] != CODE_INTERNAL && codes[i] != code; i++)
		text += strlen(text) + 1;
	return text;
}

bool code_is_known(unsigned code)
{
	return code == CODE_INTERNAL || (code != CODE_NONE && code_text(code) != code_text(CODE_INTERNAL));
}
