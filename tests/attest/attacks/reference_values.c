/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/attest/attacks/reference_values.c - What only reference values know: policy, containers, root */
#include "tests/attest/attacks/attack.h"

static void policy_older(struct world *w)
{
	uint8_t d[32] = {7};
	struct measure_event m = measure_layer_policy(d, 2);
	struct event *ev = &w->os.v[w_find(&w->os, 13, "layer-policy")];

	memcpy(ev->data, m.data, m.data_bytes);
	ev->n = m.data_bytes;
	w_sha256(ev->data, ev->n, ev->digest);
}

static void other_container(struct world *w)
{
	uint8_t d[32] = {7};

	w_measure(&w->os, measure_container("other", d));
}

static void os_extends_pcr_4(struct world *w)
{
	w_text(&w->os, 4, 0, "UKI");
}

static void other_root(struct world *w)
{
	uint8_t root[32] = {1};
	struct measure_event m = measure_root_hash(root);
	struct event *ev = &w->os.v[w_find(&w->os, 15, "root-hash")];

	memcpy(ev->data, m.data, m.data_bytes);
	w_sha256(ev->data, ev->n, ev->digest);
}

static void refvalues_without_root_hash(struct world *w)
{
	char *p = strstr(w->refvalues, "\"root_hash\":\"");

	assert_non_null(p);
	p[13] = p[13] == '0' ? '1' : '0';
}

/* clang-format off */
static const struct attack reference_values[] = {
	{ "an older layer policy refuses", .before = policy_older, .reason = "PCR 13: OS event log event 5: found", .words = "the layer policy is version 2; version 3 is wanted" },
	{ "a measured violation refuses", .before = violation, .reason = "expected none but the listed events after its sequence", .words = "the gate refused a container: E" },
	{ "a container that is not listed refuses", .before = other_container, .reason = "PCR 13: OS event log event 11", .words = "a container was admitted that these reference values do not list" },
	{ "an OS record for the firmware's PCR 4 refuses", .before = os_extends_pcr_4, .reason = "names PCR 4, wanted 11 to 15" },
	{ "another root refuses", .before = other_root, .reason = "PCR 15: OS event log event 1: found", .words = "another root file system was opened" },
	{ "reference values whose root hash no PCR holds refuse", .after = refvalues_without_root_hash, .reason = "PCR 15's sequence lacks" },
};
/* clang-format on */
