/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/allowed.h - the fast path: PCR digests that were accepted in full before
 *
 * Theory of operation
 *   A quote signs one digest over PCR 0 to 15. Two quotes with the same digest are of hosts in the same state, so what
 *   was appraised in full and accepted once, against the same reference values, need not be replayed again. Nothing
 *   else is left out: the same AK, signature, selection, nonce, channel and log binding are checked, and after it the
 *   same policy set and clocks. Entries are only made by a full ACCEPT. A table lives with the reference values it was
 *   learned from, so a reload forgets it.
 *
 *   A fixed number of places: sets of four, chosen by the digest's first bytes; the oldest of a set gives way. Whoever
 *   could fill it must be accepted first, and gains that others are replayed again. May be used by several threads.
 */
#ifndef ATTEST_ALLOWED_H
#define ATTEST_ALLOWED_H

#include "common/err.h"
#include "common/hash.h"

#include <stdbool.h>

struct allowed;
struct refvalues;
struct platform;

/** allowed_new() - an empty table of about 256 KiB, or NULL. allowed_free() accepts NULL. */
struct allowed *allowed_new(void);
void allowed_free(struct allowed *t);

/** allowed_find() - was @digest accepted in full against @rv, of a host that lacked what @platform (or NULL) says? */
bool allowed_find(struct allowed *t, const struct refvalues *rv, const struct platform *platform,
		  const uint8_t digest[static HASH_SHA256_BYTES]);

/** allowed_add() - @digest was so accepted. */
void allowed_add(struct allowed *t, const struct refvalues *rv, const struct platform *platform,
		  const uint8_t digest[static HASH_SHA256_BYTES]);

#endif
