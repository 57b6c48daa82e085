/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/base64.h - base64url without padding, as JOSE wants it. Spec: RFC 4648 section 5, RFC 7515 section 2. */
#ifndef ATTEST_BASE64_H
#define ATTEST_BASE64_H

#include "common/buf.h"

/** base64_put() - append the text of @n bytes. */
void base64_put(struct buf *out, const void *data, size_t n);

#endif
