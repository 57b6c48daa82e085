/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/policy_refvalues.c - the part of a host's reference values that follows from its layer policy */
#include "policy/policy_refvalues.h"

#include "common/cleanup.h"
#include "common/hex.h"
#include "common/measure.h"

/* Names are [a-z0-9._-], digests hex, versions numbers: nothing here needs escaping. */
static void put_event(struct buf *b, const struct measure_event *m, const char *detail, bool first)
{
	uint8_t digest[HASH_SHA256_BYTES];
	char hex[2 * HASH_SHA256_BYTES + 1];

	hash_sha256(m->data, m->data_bytes, digest);
	hex_encode(digest, sizeof(digest), hex);
	buf_printf(b, "%s{\"digest\":\"%s\",\"what\":\"%s%s%s\"}", first ? "" : ",", hex, m->name, detail ? ": " : "",
		   detail ? detail : "");
}

int policy_refvalues(const struct policy *p, const uint8_t *ipe, struct buf *ret, struct err *e)
{
	struct measure_event m = measure_layer_policy(p->digest, p->version);

	buf_str(ret, "{\"pcrs\":{\"13\":{\"sequence\":[");
	put_event(ret, &m, NULL, true);
	if (ipe) {
		m = measure_file("ipe-policy", ipe);
		put_event(ret, &m, NULL, false);
	}
	buf_str(ret, "],\"then\":[");
	for (size_t i = 0; i < p->n_images; i++) {
		m = measure_container(p->image[i].name, p->digest);
		put_event(ret, &m, p->image[i].name, i == 0);
	}
	buf_printf(ret, "]}},\"describe\":{\"layer_policy_version\":%llu}}\n", (unsigned long long)p->version);
	return ret->bad ? err_set(e, ENOMEM, "no memory for reference values") : 0;
}
