/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_refvalues.c - any bytes are reference values with sixteen rules, an enrolment record, or refused */
#include "attest/enrolment.h"
#include "attest/refvalues.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_refvalues struct refvalues rv = {0};
	struct enrolment rec;
	struct err e = ERR_INIT;

	if (!refvalues_parse(data, size, "input", &rv, &e))
		for (size_t i = 0; i < REPLAY_QUOTED_PCRS; i++)
			if (rv.rule[i].kind == REFVALUES_UNSET)
				abort();
	if (!enrolment_parse(data, size, "input", &rec, &e) && rec.ek == ENROLMENT_EK_UNSET)
		abort();
	return 0;
}
