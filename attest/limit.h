/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/limit.h - how often one client may ask: token buckets in a table of fixed size
 *
 * A client is an IPv4 address (told as IPv6 too), the first 64 bits of an IPv6 address, or a vsock CID. The table has sets of four places,
 * chosen by a keyed hash, so that nobody can choose whose place they take; the least recently seen gives way. A client
 * that was pushed out begins with a full bucket: the bound on memory is kept, the bound on rate is then the table's.
 * May be used by several threads.
 */
#ifndef ATTEST_LIMIT_H
#define ATTEST_LIMIT_H

#include "common/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct limit;

/** limit_new() - @per_second requests, and bursts of @burst. 0 a second: no limit. NULL without memory. */
struct limit *limit_new(unsigned per_second, unsigned burst);
void limit_free(struct limit *l);

/** limit_client() - a number for the client at @from: equal for what counts as one client. */
uint64_t limit_client(const struct sockaddr_storage *from);

/** limit_take() - may @client ask once more at @now_ms? */
bool limit_take(struct limit *l, uint64_t client, int64_t now_ms);

#endif
