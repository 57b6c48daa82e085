/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/replay.c - PCR values out of event logs */
#include "attest/replay.h"

#include "attest/tcg_log.h"
#include "common/cel.h"
#include "common/measure.h"

#include <string.h>

static const char *const source_text[] = {
	[REPLAY_FIRMWARE] = "firmware log",
	[REPLAY_OS] = "OS event log",
	[REPLAY_IMA] = "IMA log",
};
_Static_assert(ARRAY_SIZE(source_text) == REPLAY_IMA + 1, "each log has its name");

const char *replay_source_str(enum replay_source source)
{
	return (size_t)source < ARRAY_SIZE(source_text) ? source_text[source] : "unknown log";
}

int replay_init(enum hash_alg alg, struct replay *ret, struct err *e)
{
	if (!hash_can_compute(alg))
		return err_set(e, ENOTSUP, "bank %s cannot be replayed: no such hash here", hash_name(alg));
	memset(ret, 0, sizeof(*ret));
	ret->alg = alg;
	return 0;
}

void replay_extend(struct replay *r, uint32_t pcr, const uint8_t *digest)
{
	if (pcr >= REPLAY_PCRS)
		return;
	(void)hash_extend(r->alg, r->pcr[pcr], digest); /* replay_init() saw that it can be computed */
	r->count[pcr]++;
}

/* Locality is known, at the latest, with the event that is PCR 0's first measurement: tcg_log.h. */
void replay_set_locality(struct replay *r, const struct tcg_log *log)
{
	if (!r->count[0] && r->alg != HASH_NONE)
		r->pcr[0][hash_bytes(r->alg) - 1] = log->startup_locality;
}

int replay_firmware(struct replay *r, struct bytes bytes, replay_fn fn, void *ctx, struct err *e)
{
	struct tcg_event ev;
	struct tcg_log log;
	int bank, rc;

	rc = tcg_log_open(bytes.p, bytes.n, &log, e);
	if (rc)
		return rc;
	bank = tcg_log_bank(&log, r->alg);
	if (bank < 0)
		return err_set(e, EINVAL, "firmware log: its header does not name bank %s", hash_name(r->alg));
	while ((rc = tcg_log_next(&log, &ev, e)) == 1) {
		struct replay_event seen = {REPLAY_FIRMWARE, ev.index, ev.pcr,   ev.type,
					    ev.digest[bank], ev.data,  {NULL, 0}};

		replay_set_locality(r, &log);
		if (ev.no_action)
			continue;
		rc = fn ? fn(ctx, &seen, e) : 0;
		if (rc)
			return rc;
		replay_extend(r, ev.pcr, ev.digest[bank]);
	}
	if (rc)
		return rc;
	r->startup_locality = log.startup_locality;
	r->hcrtm = log.hcrtm;
	r->odd_no_action = log.odd_no_action;
	r->n_events = log.n_events;
	return 0;
}

static const uint8_t *cel_digest_of(const struct cel_record *rec, enum hash_alg alg)
{
	for (size_t i = 0; i < rec->n_digests; i++)
		if (rec->digest[i].alg == alg)
			return rec->digest[i].digest;
	return NULL;
}

int replay_os(struct replay *r, struct bytes bytes, replay_fn fn, void *ctx, struct err *e)
{
	struct reader rd = reader_init(bytes.p, bytes.n);
	struct cel_record rec;
	uint64_t n = 0;
	int rc;

	while ((rc = cel_next(&rd, n, &rec, e)) == 1) {
		const uint8_t *digest = cel_digest_of(&rec, r->alg);
		struct replay_event seen = {REPLAY_OS,
					    (size_t)n,
					    rec.pcr,
					    0,
					    digest,
					    {rec.data, rec.data_bytes},
					    {(const uint8_t *)rec.name, rec.name_bytes}};

		if (n == REPLAY_MAX_OS_RECORDS)
			return err_set(e, EINVAL, "OS event log: more than %d records", REPLAY_MAX_OS_RECORDS);
		if (!digest)
			return err_set(e, EINVAL, "OS event log: record %zu lacks bank %s", (size_t)n,
				       hash_name(r->alg));
		if (rec.pcr < MEASURE_PCR_PHASE || rec.pcr > MEASURE_PCR_IDENTITY)
			return err_set(
				e, EINVAL,
				"OS event log: record %zu names PCR %u, wanted %d to %d: others are not the OS's",
				(size_t)n, (unsigned)rec.pcr, MEASURE_PCR_PHASE, MEASURE_PCR_IDENTITY);
		rc = fn ? fn(ctx, &seen, e) : 0;
		if (rc)
			return rc;
		replay_extend(r, rec.pcr, digest);
		n++;
	}
	return rc;
}

void replay_pcr_digest(const struct replay *r, uint8_t ret[static HASH_SHA256_BYTES])
{
	uint8_t all[REPLAY_QUOTED_PCRS * HASH_SHA256_BYTES];

	for (size_t i = 0; i < REPLAY_QUOTED_PCRS; i++)
		memcpy(all + i * HASH_SHA256_BYTES, r->pcr[i], HASH_SHA256_BYTES);
	hash_sha256(all, sizeof(all), ret);
}
