/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/explain_words.h - the cause of one difference, in words
 *
 * Input: hostile (events), authenticated (labels). Everything written is printable.
 */
#ifndef ATTEST_EXPLAIN_WORDS_H
#define ATTEST_EXPLAIN_WORDS_H

#include "attest/explain.h"

/**
 * struct explain_diff - one difference of a sequence
 * @want:  the expected event, or NULL: the found one is too many
 * @found: the event in its place, or NULL: the expected one is missing
 */
struct explain_diff {
	const struct refvalues_digest *want;
	const struct replay_event *found;
};

/** explain_words() - fill artefact, expected, found, fact and guess of @f, whose pcr and place are set. */
void explain_words(const struct explain_input *in, const struct explain_diff *d, struct explain_finding *f);

/** explain_texts_differ() - "the command line differs at byte 34: ..." for two texts that differ. */
void explain_texts_differ(const char *what, const char *wanted, const char *found, char ret[static EXPLAIN_MAX_TEXT]);

/** explain_event_text() - @ev's data as text if its digest is that of the data, else "". */
void explain_event_text(const struct replay_event *ev, char ret[static EXPLAIN_MAX_TEXT]);

#endif
