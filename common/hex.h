/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* common/hex.h - bytes to lower-case hex digits and back, strictly */
#ifndef COMMON_HEX_H
#define COMMON_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** hex_encode() - write 2 * @n lower-case digits and a NUL to @ret_str (2 * @n + 1 bytes). */
void hex_encode(const uint8_t *bytes, size_t n, char *ret_str);

/**
 * hex_decode() - read exactly 2 * @n lower-case digits
 * @str: NUL-terminated; anything but exactly 2 * @n of 0-9a-f is refused
 * @ret_bytes: @n bytes, untouched on refusal
 *
 * Lower case only: what is compared as text elsewhere must have one spelling.
 * Return: true if @str was so.
 */
bool hex_decode(const char *str, uint8_t *ret_bytes, size_t n);

#endif
