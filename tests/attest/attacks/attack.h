/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/attacks/attack.h - one attack on a host's evidence, judged beside its sound twin
 *
 * An attack acts at one of four places: on what is measured (before), on the log's events after the TPM has extended
 * them (lie), on the logs' bytes before they are quoted (edit), or on the sealed evidence under way (after). The host
 * itself controls the first three; the quote over the edited logs is a good one then. Each file beside this one is one
 * pitfall of TPM attestation, with the attacks on it; test_attacks.c runs them, and has each explained.
 */
#ifndef TESTS_ATTEST_ATTACK_H
#define TESTS_ATTEST_ATTACK_H

#include "tests/attest/world.h"

struct attack {
	const char *name;
	void (*before)(struct world *w);
	void (*lie)(struct world *w);
	void (*edit)(struct world *w);
	void (*after)(struct world *w);
	const char *reason;
	const char *words; /* what `explain` must say of it, if more than naming the PCR */
};

static struct appraisal judged; /* large */

static inline void show(const struct appraisal *a)
{
	for (size_t i = 0; i < a->reasons.n; i++)
		print_message("  reason: %s\n", a->reasons.line[i]);
}

static inline bool has_line(const struct appraisal_lines *l, const char *part)
{
	for (size_t i = 0; i < l->n; i++)
		if (strstr(l->line[i], part))
			return true;
	return false;
}


static inline void application_missing(struct world *w)
{
	w_remove(&w->firmware, w_find(&w->firmware, 4, "UKI"));
}

static inline void violation(struct world *w)
{
	w_measure(&w->os, measure_violation(61));
}

#endif
