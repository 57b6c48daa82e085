/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_ticket.c - nothing that we did not seal opens, and everything that we sealed does, until it is changed */
#include "attest/ticket.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ticket_box *box;
	cleanup_buf struct buf sealed = BUF_INIT, opened = BUF_INIT;
	struct err e = ERR_INIT;
	struct bytes t;

	if (!box && !(box = ticket_box_new(1000)))
		abort();
	for (int kind = TICKET_CHALLENGE; kind <= TICKET_ENROLMENT; kind++)
		if (!ticket_open(box, (enum ticket_kind)kind, 0, (struct bytes){data, size}, &opened, &e))
			abort();
	if (ticket_seal(box, TICKET_ENROLMENT, 0, (struct bytes){data, size}, &sealed, &e))
		return 0; /* too large */
	t = (struct bytes){sealed.data, sealed.len};
	if (ticket_open(box, TICKET_ENROLMENT, 0, t, &opened, &e) || opened.len != size ||
	    (size && memcmp(opened.data, data, size)))
		abort();
	if (size) {
		sealed.data[data[0] % sealed.len] ^= 1;
		if (!ticket_open(box, TICKET_ENROLMENT, 0, t, &opened, &e))
			abort();
	}
	return 0;
}
