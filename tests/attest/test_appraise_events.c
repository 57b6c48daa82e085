/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_appraise_events.c - each event of a sound host, changed in each way: no judged event can be spared
 *
 * The host measures the change, so the logs replay and the quote is good: only the rules are left to refuse. The twin of
 * every refusal is the same change where nothing is judged by content: PCR 0, 1 and 5 but for their separators, the
 * containers of PCR 13, and the files and tables of PCR 10, which may come in any number.
 */
#include "tests/attest/world.h"

static struct appraisal judged; /* large */

static bool is_unjudged(uint32_t pcr)
{
	return pcr == 0 || pcr == 1 || pcr == 5;
}

static bool is_judged(const struct event *ev)
{
	return !is_unjudged(ev->pcr) || ev->type == SEPARATOR;
}

static bool is_container(const struct event *ev)
{
	return ev->pcr == 13 && !strcmp(ev->what, "container");
}

static void expect(struct world *w, bool accept, const char *change, const struct event *ev)
{
	enum appraise_verdict got;

	world_seal(w);
	got = world_judge(w, &judged);
	if (got == APPRAISE_UNSET || (got == APPRAISE_ACCEPT) != accept)
		fail_msg("%s (PCR %u, %s): %s", change, (unsigned)ev->pcr, ev->what,
			 got == APPRAISE_ACCEPT ? "was accepted" : judged.reasons.line[0]);
	world_free(w);
}

static struct events *list_of(struct world *w, int os)
{
	return os ? &w->os : &w->firmware;
}

/* Call @fn for a fresh world and each event of firmware log and OS log. */
static void each(void (*fn)(struct world *w, struct events *l, size_t i))
{
	struct world *first = world_sound();

	for (int os = 0; os < 2; os++)
		for (size_t i = 0; i < list_of(first, os)->n; i++) {
			struct world *w = world_sound();

			fn(w, list_of(w, os), i);
		}
	world_free(first);
}

static void removed(struct world *w, struct events *l, size_t i)
{
	struct event ev = l->v[i];

	w_remove(l, i);
	expect(w, !is_judged(&ev) || is_container(&ev), "removed", &ev);
}

static void doubled(struct world *w, struct events *l, size_t i)
{
	struct event ev = l->v[i];

	w_insert(l, i, &ev);
	expect(w, !is_judged(&ev) || is_container(&ev), "doubled", &ev);
}

static void changed(struct world *w, struct events *l, size_t i)
{
	struct event ev = l->v[i];

	l->v[i].data[0] ^= 1;
	w_sha256(l->v[i].data, l->v[i].n, l->v[i].digest);
	expect(w, !is_judged(&ev), "changed", &ev);
}

/* Behind all others of its log: still in order for the last of its PCR. */
static void postponed(struct world *w, struct events *l, size_t i)
{
	struct event ev = l->v[i];
	bool last = true;

	for (size_t j = i + 1; j < l->n; j++)
		last &= l->v[j].pcr != ev.pcr;
	w_remove(l, i);
	w_insert(l, l->n, &ev);
	expect(w, last || is_unjudged(ev.pcr), "postponed", &ev);
}

static void moved(struct world *w, struct events *l, size_t i)
{
	struct event ev = l->v[i];
	bool os = l == &w->os;

	world_free(w);
	for (uint32_t to = os ? 11 : 0; to < 16; to++) {
		if (to == ev.pcr)
			continue;
		w = world_sound();
		list_of(w, os)->v[i].pcr = to;
		expect(w, !is_judged(&ev) && is_unjudged(to), "moved", &ev);
	}
}

static void no_judged_event_can_be_left_out(void **state)
{
	(void)state;
	each(removed);
}

static void no_judged_event_can_come_twice(void **state)
{
	(void)state;
	each(doubled);
}

static void no_judged_event_can_be_another(void **state)
{
	(void)state;
	each(changed);
}

static void no_judged_event_can_come_later(void **state)
{
	(void)state;
	each(postponed);
}

static void no_event_can_change_into_or_out_of_a_judged_pcr(void **state)
{
	(void)state;
	each(moved);
}

static void one_more_event_refuses_in_every_judged_pcr(void **state)
{
	(void)state;
	for (uint32_t pcr = 0; pcr < 16; pcr++) {
		struct world *w = world_sound();

		expect(w, is_unjudged(pcr), "one more of the firmware", w_text(&w->firmware, pcr, 0xd, "one more"));
		if (pcr < 11)
			continue;
		w = world_sound();
		expect(w, false, "one more of the OS", w_text(&w->os, pcr, 0, "one more"));
	}
}

/* The digests replay wherever a record is told; its text, which becomes a fact, counts in PID 1's own log only. */
static size_t told;

static void told_as_the_firmwares(struct world *w)
{
	struct event ev;

	for (size_t i = told; i < w->os.n; i++)
		if (w->os.v[i].pcr == w->os.v[told].pcr) {
			ev = w->os.v[i];
			ev.type = 0xd;
			w_insert(&w->firmware, w->firmware.n, &ev);
		}
	for (size_t i = w->os.n; i-- > told;)
		if (i != told && w->os.v[i].pcr == w->os.v[told].pcr)
			w_remove(&w->os, i);
	w_remove(&w->os, told);
}

static void pid1s_records_told_as_the_firmwares_refuse(void **state)
{
	static const struct {
		uint32_t pcr;
		const char *first;
		const char *reason;
	} cases[] = {
		{ 13, "layer-policy", "PCR 13: firmware log event 21: found" },
		{ 15, "root-hash", "PCR 15: firmware log event 21: found" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct world *w = world_sound();

		told = w_find(&w->os, cases[i].pcr, cases[i].first);
		world_seal_lying(w, told_as_the_firmwares, NULL);
		assert_int_equal(world_judge(w, &judged),
				 APPRAISE_REFUSE); /* was ACCEPT, with "layer policy: none measured" */
		assert_int_equal(judged.reasons.n, 1);
		assert_non_null(strstr(judged.reasons.line[0], cases[i].reason));
		assert_non_null(strstr(judged.reasons.line[0], "expected records of the OS event log only"));
		world_free(w);
	}
}

static void ima_entries_may_come_again_but_a_resumption_needs_its_table(void **state)
{
	struct world *first = world_sound();

	(void)state;
	for (size_t i = 1; i < first->ima.n; i++) {
		struct world *w = world_sound();
		struct event ev = w->ima.v[i];

		w_insert(&w->ima, w->ima.n, &ev);
		expect(w, true, "an IMA entry again", &ev);
		w = world_sound();
		w_remove(&w->ima, i);
		expect(w, i != 2, "without an IMA entry", &ev); /* 2 is the table load, 3 its resumption */
	}
	world_free(first);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_judged_event_can_be_left_out),
		cmocka_unit_test(no_judged_event_can_come_twice),
		cmocka_unit_test(no_judged_event_can_be_another),
		cmocka_unit_test(no_judged_event_can_come_later),
		cmocka_unit_test(no_event_can_change_into_or_out_of_a_judged_pcr),
		cmocka_unit_test(one_more_event_refuses_in_every_judged_pcr),
		cmocka_unit_test(pid1s_records_told_as_the_firmwares_refuse),
		cmocka_unit_test(ima_entries_may_come_again_but_a_resumption_needs_its_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
