/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/uefi_only.c - what init/stage_direct.c is, in the initramfs of machines with UEFI: a refusal
 *
 * There the kernel judges root hash signatures, so their initramfs carries nothing to judge them by: no certificate, and no
 * OpenSSL, which was two thirds of it. A command line that asks for `direct` all the same is refused before this (E17,
 * init/stage_trust.c) where there is UEFI; where there is none, here.
 */
#include "init/pid1.h"

int pid1_direct_begin(struct pid1 *p, struct err *e)
{
	(void)p;
	return err_set(e, ENOTSUP, "this initramfs was built for machines with UEFI: it has nothing to judge signatures by");
}

int pid1_direct_measure(struct pid1 *p, struct err *e)
{
	return pid1_direct_begin(p, e);
}
