/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/floor_versions.c - PID 1's own part of the floor: what is below, how far to raise, and to send that command (floor.h) */
#include "init/floor.h"

#include <string.h>

const char *pid1_floor_what_str(enum pid1_floor_what what)
{
	static const char *const text[] = { "root image", "layer policy", "IPE policy", "nothing" };

	return text[what];
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

int pid1_floor_raise(struct tpm_io *t, struct pid1_tpm_wire *armed, struct err *e)
{
	struct reader r;
	int rc;

	if (!armed->n)
		return err_set(e, EINVAL, "no command is armed");
	rc = tpm_io_transact(t, armed->b, armed->n, &r, e);
	explicit_bzero(armed, sizeof(*armed));
	if (!rc && t->code)
		rc = err_set(e, EPROTO, "the TPM refused to raise the floor with response code 0x%x", (unsigned)t->code);
	return rc;
}
