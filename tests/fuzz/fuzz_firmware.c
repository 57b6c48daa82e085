/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/fuzz/fuzz_firmware.c - whatever volume, unpacked sections, loader commands or machine description come, all is read within them
 *
 * The volume is what stands first; what follows it is taken for what xz unpacked, which is as foreign.
 */
#include "image-builder/machine.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was handed out lies within what was given: hashing all of it would be seen by the sanitizer. */
static void use(const struct firmware *f)
{
	struct predict_list l = { 0 };
	struct err e = ERR_INIT;

	if (machine_code(f, NULL, &l, &e) || machine_boot_options(f->dxe.name, &l, &e) || l.n < 5)
		abort();
	predict_list_free(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct machine_description m = { 0 };
	struct firmware f = { 0 };
	struct machine_blob blob[8];
	struct err e = ERR_INIT;
	struct fv outer;
	size_t n;

	if (!machine_loader(data, size, blob, 8, &n, &e) && n > 8)
		abort();
	(void)!machine_parse(data, size, "fuzz", &m, &e); /* either way is fine */
	machine_free(&m);
	if (fv_parse(data, size, "fuzz", &outer, &e))
		return 0;
	buf_put(&f.unpacked, data + outer.len, size - outer.len);
	if (!firmware_find(&outer, &f, &e))
		use(&f);
	firmware_free(&f);
	return 0;
}
