/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/floor_versions.c - what is below the floor, how far to raise it, and what becomes of a boot (floor.h). No I/O */
#include "init/floor.h"

#include <stdio.h>

static const char *what_str(enum pid1_floor_what what)
{
	static const char *const text[] = { "root image", "layer policy", "IPE policy" };

	_Static_assert(ARRAY_SIZE(text) == PID1_FLOOR_WHAT_, "a name for each");
	return text[what];
}

void pid1_floor_str(const struct pid1_floor *f, char ret[static PID1_FLOOR_STR_BYTES])
{
	unsigned long long ipe = f->version[PID1_FLOOR_IPE_POLICY];

	(void)snprintf(ret, PID1_FLOOR_STR_BYTES, "root image %llu, layer policy %llu, IPE policy %llu.%llu.%llu",
		       (unsigned long long)f->version[PID1_FLOOR_ROOT], (unsigned long long)f->version[PID1_FLOOR_LAYER_POLICY],
		       ipe >> 32, ipe >> 16 & 0xffff, ipe & 0xffff); /* fits */
}

enum pid1_floor_what pid1_floor_below(const struct pid1_floor *floor, const struct pid1_floor *running)
{
	enum pid1_floor_what i = PID1_FLOOR_ROOT;

	while (i < PID1_FLOOR_WHAT_ && running->version[i] >= floor->version[i])
		i++;
	return i;
}

bool pid1_floor_raised(const struct pid1_floor *floor, const struct pid1_floor *running, struct pid1_floor *ret)
{
	bool higher = false;

	*ret = *floor;
	for (int i = 0; i < PID1_FLOOR_WHAT_; i++) {
		if (running->version[i] <= floor->version[i])
			continue;
		ret->version[i] = running->version[i];
		higher = true;
	}
	return higher;
}

/* A verdict that lets no boot go on, in words. */
static int refuse(enum pid1_floor_verdict verdict, struct err *e)
{
	switch (verdict) {
	case PID1_FLOOR_DELETED:
		return err_set(e, EPERM, "this machine had a floor, and its TPM, the same, has no index 0x%x now", PID1_FLOOR_INDEX);
	case PID1_FLOOR_CLEARED:
		return err_set(e, EPERM, "this machine had a floor, and its TPM was cleared or is another one");
	case PID1_FLOOR_NO_TPM:
		return err_set(e, EPERM, "this machine had a floor, and there is no TPM now");
	default:
		return err_set(e, EPERM, "index 0x%x, key 0x%x or an authorisation of this TPM are somebody else's", PID1_FLOOR_INDEX,
			       PID1_TPM_SRK);
	}
}

int pid1_floor_judge(const struct pid1_floor_found *found, const struct pid1_floor *running, bool marked,
		     struct pid1_floor_answer *ret)
{
	enum pid1_floor_what below;

	if (found->verdict == PID1_FLOOR_NO_TPM && !marked) {
		ret->code = CODE_FLOOR_UNREAD;
		return err_set(&ret->e, ENODEV, "there is no TPM");
	}
	ret->code = CODE_FLOOR_LOST;
	if (found->verdict != PID1_FLOOR_READ && found->verdict != PID1_FLOOR_NEW)
		return refuse(found->verdict, &ret->e);
	pid1_floor_str(&found->floor, ret->floor);
	ret->code = CODE_FLOOR;
	below = pid1_floor_below(&found->floor, running);
	if (below != PID1_FLOOR_WHAT_)
		return err_set(&ret->e, EPERM, "%s version %llu is below the floor, %llu", what_str(below),
			       (unsigned long long)running->version[below], (unsigned long long)found->floor.version[below]);
	return 0;
}
