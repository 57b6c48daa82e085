/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/explain.c - why a host was refused: expected and actual side by side */
#include "attest/explain.h"

#include "attest/explain_words.h"
#include "attest/rules.h"
#include "attest/tcg_log.h"
#include "common/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_SEEN = TCG_LOG_MAX_EVENTS + REPLAY_MAX_OS_RECORDS,
	MAX_CELLS = 1 << 18, /* of the alignment's table; beyond, what differs is told as one block */
};

static const struct {
	const char *name;
	const char *pcrs;
} links[] = {
	[EXPLAIN_LINK_QUOTE] = {"The TPM's signature", ""},
	[EXPLAIN_LINK_KEYS] = {"The host's keys: its TPM's EK, its TLS key", ""},
	[EXPLAIN_LINK_LOGS] = {"The event logs", ""},
	[EXPLAIN_LINK_FIRMWARE] = {"Firmware", "0-3, 5, 6"},
	[EXPLAIN_LINK_SECURE_BOOT] = {"Secure Boot and its keys", "7"},
	[EXPLAIN_LINK_UKI] = {"The UKI, checked by the firmware", "4"},
	[EXPLAIN_LINK_KERNEL] = {"Kernel command line and initramfs", "9"},
	[EXPLAIN_LINK_SECTIONS] = {"The UKI's sections, phases of the boot", "11"},
	[EXPLAIN_LINK_NOTHING_ADDED] = {"Nothing added from outside", "8, 12, 14"},
	[EXPLAIN_LINK_WITNESS] = {"The kernel's witness: modules, verity tables", "10"},
	[EXPLAIN_LINK_ROOT] = {"Root file system", "15"},
	[EXPLAIN_LINK_LAUNCH] = {"Layer policy, engine, containers", "13"},
	[EXPLAIN_LINK_WANTED] = {"Wanted by the fleet's policy set", ""},
};
_Static_assert(ARRAY_SIZE(links) == EXPLAIN_LINKS_, "each link has its name");

const char *explain_link_name(enum explain_link link)
{
	return link < EXPLAIN_LINKS_ ? links[link].name : "";
}

const char *explain_link_pcrs(enum explain_link link)
{
	return link < EXPLAIN_LINKS_ ? links[link].pcrs : "";
}

static enum explain_link link_of(int pcr)
{
	static const enum explain_link of[REPLAY_QUOTED_PCRS] = {
		[0] = EXPLAIN_LINK_FIRMWARE,	  [1] = EXPLAIN_LINK_FIRMWARE,	    [2] = EXPLAIN_LINK_FIRMWARE,
		[3] = EXPLAIN_LINK_FIRMWARE,	  [4] = EXPLAIN_LINK_UKI,	    [5] = EXPLAIN_LINK_FIRMWARE,
		[6] = EXPLAIN_LINK_FIRMWARE,	  [7] = EXPLAIN_LINK_SECURE_BOOT,   [8] = EXPLAIN_LINK_NOTHING_ADDED,
		[9] = EXPLAIN_LINK_KERNEL,	  [10] = EXPLAIN_LINK_WITNESS,	    [11] = EXPLAIN_LINK_SECTIONS,
		[12] = EXPLAIN_LINK_NOTHING_ADDED, [13] = EXPLAIN_LINK_LAUNCH,	    [14] = EXPLAIN_LINK_NOTHING_ADDED,
		[15] = EXPLAIN_LINK_ROOT,
	};

	return pcr < 0 || pcr >= REPLAY_QUOTED_PCRS ? EXPLAIN_LINK_LOGS : of[pcr];
}

/* --- what was measured ---------------------------------------------------------------------------------------------
 */

/* Events of all judged PCRs in the order of their logs; views into the evidence. */
struct seen {
	struct replay_event *v;
	uint8_t (*digest)[HASH_SHA256_BYTES]; /* copies: of an OS record it lives no longer than the callback */
	size_t n;
	struct rules *rules; /* fed in passing */
};

static int see(void *ctx, const struct replay_event *ev, struct err *e)
{
	struct seen *s = ctx;

	if (s->n < MAX_SEEN) {
		s->v[s->n] = *ev;
		memcpy(s->digest[s->n], ev->digest, HASH_SHA256_BYTES);
		s->v[s->n].digest = s->digest[s->n];
		s->n++;
	}
	return rules_step(s->rules, ev, e);
}

static struct explain_finding *new_finding(struct explanation *x, enum explain_link link, int pcr)
{
	struct explain_finding *f = x->n < EXPLAIN_MAX_FINDINGS ? &x->finding[x->n] : NULL;

	x->link[link] = EXPLAIN_BAD;
	if (!f) {
		x->dropped++;
		return NULL;
	}
	x->n++;
	memset(f, 0, sizeof(*f));
	f->link = link;
	f->pcr = pcr;
	return f;
}

static void add_line(struct explanation *x, enum explain_link link, int pcr, const char *line)
{
	struct explain_finding *f = new_finding(x, link, pcr);

	if (f)
		(void)snprintf(f->fact, sizeof(f->fact), "%s", line); /* cut is fine: for people */
}

/* --- alignment -----------------------------------------------------------------------------------------------------
 */

/* One PCR's events beside its sequence: indices of what is left of both after equal beginnings and ends. */
struct sides {
	const struct refvalues_rule *rule;
	const struct replay_event **found;
	size_t n_found;
};

static bool same(const struct refvalues_digest *want, const struct replay_event *found)
{
	return hash_equal(want->digest, HASH_SHA256_BYTES, found->digest, HASH_SHA256_BYTES);
}

static void tell(const struct explain_input *in, const struct sides *s, size_t want, size_t found, struct explanation *x)
{
	const struct explain_diff d = {want < s->rule->list.n ? &s->rule->list.item[want] : NULL,
				       found < s->n_found ? s->found[found] : NULL};
	int pcr = (int)(s->rule - in->rv->rule);
	struct explain_finding *f = new_finding(x, link_of(pcr), pcr);

	if (!f)
		return;
	if (d.found)
		(void)snprintf(f->place, sizeof(f->place), "%s event %zu", replay_source_str(d.found->source),
			       d.found->index); /* fits */
	else
		(void)snprintf(f->place, sizeof(f->place), "place %zu of its sequence", want); /* fits */
	explain_words(in, &d, f);
}

/*
 * Walk the table of longest common subsequences of want[w0..w1) and found[f0..f1). A step that leaves out one of each is
 * told as one event in place of another.
 */
static void tell_aligned(const struct explain_input *in, const struct sides *s, const size_t w[static 2],
			 const size_t f[static 2], const uint16_t *lcs, struct explanation *x)
{
	size_t cols = f[1] - f[0] + 1, i = w[0], j = f[0];

#define LCS(a, b) lcs[((a)-w[0]) * cols + ((b)-f[0])]
	while (i < w[1] || j < f[1]) {
		if (i < w[1] && j < f[1] && same(&s->rule->list.item[i], s->found[j])) {
			i++;
			j++;
		} else if (i < w[1] && j < f[1] && LCS(i + 1, j + 1) == LCS(i, j)) {
			tell(in, s, i++, j++, x);
		} else if (i == s->rule->list.n && refvalues_find(&s->rule->then, s->found[j]->digest)) {
			j++; /* the sequence is complete, and this may follow it */
		} else if (j == f[1] || (i < w[1] && LCS(i + 1, j) >= LCS(i, j + 1))) {
			tell(in, s, i++, s->n_found, x);
		} else {
			tell(in, s, s->rule->list.n, j++, x);
		}
	}
#undef LCS
}

static int align(const struct explain_input *in, const struct sides *s, const size_t w[static 2],
		 const size_t f[static 2], struct explanation *x, struct err *e)
{
	size_t rows = w[1] - w[0] + 1, cols = f[1] - f[0] + 1;
	cleanup_free uint16_t *lcs = NULL;

	if (rows > MAX_CELLS / cols) { /* so far apart that pairs would say nothing */
		tell(in, s, w[0] < w[1] ? w[0] : s->rule->list.n, f[0] < f[1] ? f[0] : s->n_found, x);
		return 0;
	}
	lcs = calloc(rows * cols, sizeof(*lcs));
	if (!lcs)
		return err_set(e, ENOMEM, "no memory to align the events");
	for (size_t i = rows - 1; i-- > 0;)
		for (size_t j = cols - 1; j-- > 0;) {
			uint16_t down = lcs[(i + 1) * cols + j], right = lcs[i * cols + j + 1];

			lcs[i * cols + j] = same(&s->rule->list.item[w[0] + i], s->found[f[0] + j])
						    ? (uint16_t)(lcs[(i + 1) * cols + j + 1] + 1)
						    : (down > right ? down : right);
		}
	tell_aligned(in, s, w, f, lcs, x);
	return 0;
}

static int explain_sequence(const struct explain_input *in, const struct sides *s, struct explanation *x, struct err *e)
{
	const struct refvalues_rule *rule = s->rule;
	size_t w[2] = {0, rule->list.n}, f[2] = {0, s->n_found};

	while (w[0] < w[1] && f[0] < f[1] && same(&rule->list.item[w[0]], s->found[f[0]])) {
		w[0]++;
		f[0]++;
	}
	while (f[1] > f[0] && refvalues_find(&rule->then, s->found[f[1] - 1]->digest))
		f[1]--; /* what may follow the sequence */
	while (w[0] < w[1] && f[0] < f[1] && same(&rule->list.item[w[1] - 1], s->found[f[1] - 1])) {
		w[1]--;
		f[1]--;
	}
	return w[0] < w[1] || f[0] < f[1] ? align(in, s, w, f, x, e) : 0;
}

static void explain_zero(const struct explain_input *in, const struct sides *s, struct explanation *x)
{
	for (size_t i = 0; i < s->n_found; i++)
		tell(in, s, s->rule->list.n, i, x);
}

static int explain_pcr(const struct explain_input *in, const struct seen *seen, unsigned pcr, struct explanation *x,
		       struct err *e)
{
	cleanup_free const struct replay_event **found = calloc(seen->n + 1, sizeof(struct replay_event *));
	struct sides s = {.rule = &in->rv->rule[pcr], .found = found};

	if (!found)
		return err_set(e, ENOMEM, "no memory to explain");
	for (size_t i = 0; i < seen->n; i++)
		if (seen->v[i].pcr == pcr)
			found[s.n_found++] = &seen->v[i];
	if (s.rule->kind == REFVALUES_SEQUENCE)
		return explain_sequence(in, &s, x, e);
	if (s.rule->kind == REFVALUES_ZERO)
		explain_zero(in, &s, x);
	return 0;
}

/* --- the whole -----------------------------------------------------------------------------------------------------
 */

static bool has_finding(const struct explanation *x, int pcr)
{
	for (size_t i = 0; i < x->n; i++)
		if (x->finding[i].pcr == pcr)
			return true;
	return false;
}

/* Is one line of reasons told by a finding: in its own words, or by one of its PCR? */
static bool is_told(const struct explanation *x, const char *line, int pcr)
{
	if (pcr >= 0 && has_finding(x, pcr) && !strstr(line, "separator"))
		return true;
	for (size_t i = 0; i < x->n; i++)
		if (!strncmp(x->finding[i].fact, line, EXPLAIN_MAX_TEXT - 1))
			return true;
	return !strncmp(line, "the logs replay,", 16) && x->link[EXPLAIN_LINK_LOGS] == EXPLAIN_BAD;
}

/* Of a reason that names no PCR: judge() begins with these words what is not about the logs. */
static enum explain_link link_of_words(const char *line)
{
	static const struct {
		const char *begin;
		enum explain_link link;
	} all[] = {
		{"EK:", EXPLAIN_LINK_KEYS},
		{"TLS key:", EXPLAIN_LINK_KEYS},
		{"policy set,", EXPLAIN_LINK_WANTED},
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (!strncmp(line, all[i].begin, strlen(all[i].begin)))
			return all[i].link;
	return EXPLAIN_LINK_LOGS;
}

/* What refuses and no finding covers: separators, IMA, the logs' form, keys, the reference values themselves. */
static void explain_rest(const struct appraisal *a, struct explanation *x)
{
	for (size_t i = 0; i < a->reasons.n; i++) {
		int pcr = -1, end = 0;

		(void)sscanf(a->reasons.line[i], "PCR %d:%n", &pcr, &end); /* end stays 0 without the colon */
		if (!end)
			pcr = -1;
		if (!is_told(x, a->reasons.line[i], pcr))
			add_line(x, pcr < 0 ? link_of_words(a->reasons.line[i]) : link_of(pcr), pcr, a->reasons.line[i]);
	}
}

/* The root that was opened: PID 1's record, whose digest is that of its text. */
static void find_root(const struct seen *seen, char ret[static 2 * HASH_SHA256_BYTES + 1])
{
	static const char word[] = "root-hash:sha256:";

	*ret = '\0';
	for (size_t i = 0; i < seen->n; i++) {
		const struct replay_event *ev = &seen->v[i];

		if (ev->source == REPLAY_OS && ev->pcr == MEASURE_PCR_IDENTITY &&
		    ev->data.n == strlen(word) + 2 * HASH_SHA256_BYTES && !memcmp(ev->data.p, word, strlen(word))) {
			memcpy(ret, ev->data.p + strlen(word), 2 * HASH_SHA256_BYTES);
			ret[2 * HASH_SHA256_BYTES] = '\0';
		}
	}
}

/* The logs, whoever signed them. -EINVAL for a malformed one. */
static int look_at_logs(struct explain_input *in, const struct evidence *ev, struct explanation *x, struct err *e)
{
	cleanup_free struct appraisal *a = calloc(1, sizeof(*a));
	cleanup_free struct rules *rules = calloc(1, sizeof(*rules)); /* fixed size, too large for the stack */
	struct seen seen = {.v = calloc(MAX_SEEN, sizeof(*seen.v)),
			    .digest = calloc(MAX_SEEN, sizeof(*seen.digest)),
			    .rules = rules};
	uint8_t digest[HASH_SHA256_BYTES];
	struct replay r;
	struct quote q;
	int rc = a && rules && seen.v && seen.digest ? 0 : err_set(e, ENOMEM, "no memory to explain");

	if (!rc)
		rc = rules_init(rules, in->rv, e);
	if (!rc && !(rc = replay_init(HASH_SHA256, &r, e)) && !(rc = replay_firmware(&r, ev->firmware_log, see, &seen, e)) &&
	    !(rc = replay_os(&r, ev->os_log, see, &seen, e)))
		rc = rules_ima(rules, &r, ev->ima_log, e);
	if (!rc)
		find_root(&seen, in->found_root);
	for (unsigned i = 0; !rc && i < REPLAY_QUOTED_PCRS; i++)
		rc = explain_pcr(in, &seen, i, x, e);
	if (!rc) {
		rules_finish(rules, a);
		explain_rest(a, x);
		replay_pcr_digest(&r, digest);
		rc = quote_parse(ev->attest, &q, e);
		if (!rc && !hash_equal(digest, sizeof(digest), q.pcr_digest, sizeof(q.pcr_digest)))
			add_line(x, EXPLAIN_LINK_LOGS, -1,
				 "the logs do not replay to the PCR values that the TPM signed: a log lacks events or was "
				 "edited, so what follows is only what the logs say");
	}
	if (rules)
		rules_free(rules);
	free(seen.v);
	free(seen.digest);
	return rc;
}

/* Is a bad signature, nonce or binding among the reasons? Those stand alone: judge() stops there. */
static int judge_quote(const struct explain_input *in, struct explanation *x, struct err *e)
{
	const struct judge_input one = {.evidence = in->evidence,
					.nonce = in->nonce,
					.enrolment = in->enrolment,
					.channel_key = in->channel_key,
					.shown = in->shown};
	const struct appraisal *a = &x->result.appraisal;
	int rc = judge(in->set, &one, &x->result, e);

	if (rc)
		return rc;
	x->judged = true;
	if (a->quoted) {
		x->link[EXPLAIN_LINK_QUOTE] = EXPLAIN_GOOD;
		return 0;
	}
	for (size_t i = 0; i < a->reasons.n; i++)
		add_line(x, EXPLAIN_LINK_QUOTE, -1, a->reasons.line[i]);
	return 0;
}

/* A host without a firmware log, of a platform that declares it: what fills its PCR 0 to 9 stands in no log. */
static bool has_no_log(const struct explanation *x)
{
	const struct platform *p = x->judged ? x->result.appraisal.platform : NULL;

	return p && p->no_firmware_log;
}

/* Was this link looked at at all? */
static bool is_judged(const struct explain_input *in, const struct explanation *x, enum explain_link link)
{
	if (link == EXPLAIN_LINK_KEYS)
		return !in->channel_key || !in->rv->has_channel_policy || in->shown;
	if (link == EXPLAIN_LINK_WANTED) /* asked of sound hosts only */
		return in->set->fleet.n_rules && x->result.appraisal.verdict == APPRAISE_ACCEPT;
	if (has_no_log(x) && link >= EXPLAIN_LINK_FIRMWARE && link <= EXPLAIN_LINK_KERNEL)
		return false;
	for (int i = 0; link == EXPLAIN_LINK_FIRMWARE && i < REPLAY_QUOTED_PCRS; i++)
		if (link_of(i) == link && in->rv->rule[i].kind == REFVALUES_UNJUDGED)
			return false;
	return true;
}

/* Green is only what was judged, found right, and proven. */
static void colour(const struct explain_input *in, struct explanation *x)
{
	x->proven = x->judged && x->result.appraisal.quoted && x->link[EXPLAIN_LINK_LOGS] != EXPLAIN_BAD;
	for (int i = EXPLAIN_LINK_QUOTE + 1; i < EXPLAIN_LINKS_; i++)
		if (x->link[i] != EXPLAIN_BAD)
			x->link[i] = x->proven && is_judged(in, x, (enum explain_link)i) ? EXPLAIN_GOOD : EXPLAIN_UNKNOWN;
}

int explain(const struct explain_input *given, struct explanation *ret, struct err *e)
{
	struct explain_input own = *given, *in = &own;
	struct evidence ev;
	int rc = 0;

	memset(ret, 0, sizeof(*ret));
	if (in->set->n != 1)
		return err_set(e, EINVAL, "%zu sets of reference values, wanted one to explain by", in->set->n);
	in->rv = &in->set->rv[0];
	if (in->enrolment && in->nonce)
		rc = judge_quote(in, ret, e);
	if (rc)
		return rc;
	rc = evidence_parse(in->evidence.p, in->evidence.n, &ev, e);
	if (!rc && !has_no_log(ret))
		rc = look_at_logs(in, &ev, ret, e);
	if (rc == -EINVAL || rc == -EBADMSG || rc == -E2BIG) {
		bool told = false;

		for (size_t i = 0; i < ret->n; i++)
			told = told || strstr(ret->finding[i].fact, e->msg);
		if (!told)
			add_line(ret, EXPLAIN_LINK_LOGS, -1, e->msg);
		ret->link[EXPLAIN_LINK_LOGS] = EXPLAIN_BAD;
		rc = 0;
	}
	if (rc)
		return rc;
	if (ret->result.appraisal.quoted)
		explain_rest(&ret->result.appraisal, ret);
	colour(in, ret);
	return 0;
}
