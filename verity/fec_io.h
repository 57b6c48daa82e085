/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/fec_io.h - reading what error correction covers, and writing its parity (for fec.c, fec_write.c, repair.c)
 */
#ifndef VERITY_FEC_IO_H
#define VERITY_FEC_IO_H

#include "verity/fec.h"

#include <stddef.h>

/** verity_fec_same_file() - are these the same file or device? */
bool verity_fec_same_file(int a, int b);

/** verity_fec_read_message() - @n bytes of the covered run at @at: data, hash area, then zeros. */
int verity_fec_read_message(const struct verity_fec *f, uint64_t at, uint8_t *dst, size_t n, struct err *e) WARN_UNUSED;

#endif
