/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/boot_verdict.c - what a console line means for the boot */
#include "image-builder/boot.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *text;
	enum code code;
	bool ends;
} signs[] = {
	{ "Access Denied", CODE_FIRMWARE_REFUSED, true },
	{ "Security Violation", CODE_FIRMWARE_REFUSED, true },
	{ "No bootable option or device was found", CODE_FIRMWARE_REFUSED, true },
	{ "dm-verity device corrupted", CODE_CORRUPTION, false },
	{ "dm-verity device has I/O error", CODE_IO_ERROR, false },
	{ "Kernel panic - not syncing", CODE_KERNEL_PANIC, false },
};

static void note(struct boot_verdict *v, enum code code, const char *line)
{
	/* The kernel's panic follows the corruption that caused it: the cause is what is told. */
	if (code == CODE_KERNEL_PANIC && v->code != CODE_NONE)
		return;
	v->code = code;
	(void)snprintf(v->sentence, sizeof(v->sentence), "%s", line); /* cut is fine */
}

/* The text behind carriage returns and control sequences that firmware puts in front of a line. */
static const char *skip_control(const char *line)
{
	for (;;) {
		if (*line == '\r') {
			line++;
		} else if (line[0] == '\033' && line[1] == '[') {
			line += 2;
			while (*line && !isalpha((unsigned char)*line))
				line++;
			line += *line != '\0';
		} else {
			return line;
		}
	}
}

bool boot_verdict_line(struct boot_verdict *v, const char *line, const char *until)
{
	const char *text = skip_control(line);
	bool ours = !strncmp(text, "holdfast: ", 10), ends = false; /* which may quote the boot before */
	unsigned code;

	if (!strncmp(text, "holdfast: ready", 15))
		v->ready = true;
	if (!strncmp(text, "holdfast: shutdown: done", 24))
		v->done = true;
	if (sscanf(text, "holdfast: E%2u ", &code) == 1 && code >= 10 && code <= 99)
		note(v, code, text);
	for (size_t i = 0; !ours && i < ARRAY_SIZE(signs); i++)
		if (strstr(text, signs[i].text)) {
			note(v, signs[i].code, text);
			ends |= signs[i].ends;
			break;
		}
	if (until && strstr(text, until)) {
		v->until = true;
		ends = true;
	}
	return ends;
}
