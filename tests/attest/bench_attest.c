/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/bench_attest.c - how many evidences a second one core judges, in process, for each kind of AK
 *
 * A host of tests/attest/world.h with a firmware log of 36 events (a UKI of seven sections), its OS and IMA logs, and a
 * software key as AK. As in the service nobody is shown the facts, so none are written. "full" is appraise() with the AK decoded once, then every event's data hashed and compared, which
 * a verdict does not need. "fast" is appraise() with the PCR digest accepted before. Time is CPU time of this process,
 * best of two rounds; `tests/attest/bench` runs it several times and puts `openssl speed` of the same run beside it.
 *
 *   bench_attest [NAME]     (that rate alone, for a profiler)
 *
 * Prints "NAME RATE" lines: evidences a second; then the number of hash operations and bytes of one full judgement.
 */
#include "tests/attest/world.h"

#include "attest/allowed.h"
#include "attest/log_check.h"

#include <time.h>

enum { FIRMWARE_EVENTS = 36, ROUNDS = 2, ROUND_MS = 250 };

static struct appraisal judged; /* large */
static const char *only; /* NULL: all */

static double cpu_s(void)
{
	struct timespec t;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A sound host, sealed with @key; its firmware log has 35 events behind the header. */
static struct world *make(EVP_PKEY *key)
{
	struct world *w = world_sound();
	struct buf pub = BUF_INIT;

	while (w->firmware.n < FIRMWARE_EVENTS - 1) {
		char text[64];

		(void)snprintf(text, sizeof(text), "section %zu of the UKI, measured by the stub", w->firmware.n);
		w_text(&w->firmware, 11, 0xd, text);
	}
	w_ima_sound(w);
	w_refvalues(w);
	w->key = key;
	w_public(key, 0x00050472, &pub);
	memcpy(w->enrolment.ak_public, pub.data, pub.len);
	w->enrolment.ak_public_bytes = pub.len;
	buf_free(&pub);
	world_seal(w);
	return w;
}

/* Every data digest of the firmware log, beyond what a verdict needs. */
static size_t check_data(const struct world *w)
{
	struct err e = ERR_INIT;
	struct tcg_event ev;
	struct tcg_log log;
	uint8_t h[32];
	size_t n = 0;

	assert_ok(tcg_log_open(w->firmware_log.data, w->firmware_log.len, &log, &e), &e);
	while (tcg_log_next(&log, &ev, &e) == 1) {
		hash_sha256(ev.data.p, ev.data.n, h);
		n += !ev.no_action && hash_equal(h, sizeof(h), ev.digest[0], sizeof(h));
	}
	return n;
}

static void rate(const char *what, const struct world *w, const struct quote_ak *ak, const struct refvalues *rv, struct allowed *allowed)
{
	struct appraise_input in = {.evidence = {w->evidence.data, w->evidence.len},
				    .nonce = w->nonce,
				    .enrolment = &w->enrolment,
				    .refvalues = rv,
				    .ak = ak,
				    .allowed = allowed};
	struct err e = ERR_INIT;
	double best = 0;

	if (only && strcmp(only, what))
		return;
	for (int round = 0; round < ROUNDS; round++) {
		double start = cpu_s(), now = start;
		size_t n = 0;

		judged.no_facts = true;
		do {
			assert_ok(appraise(&in, &judged, &e), &e);
			assert_int_equal(judged.verdict, APPRAISE_ACCEPT);
			assert_true(!allowed || judged.fast || !round);
			if (!allowed)
				assert_int_equal(check_data(w), FIRMWARE_EVENTS - 1);
			if (++n % 16)
				continue; /* asking for the time is not judging */
			now = cpu_s();
		} while (now - start < (only ? 8 : 1) * ROUND_MS / 1e3);
		if ((double)n / (now - start) > best)
			best = (double)n / (now - start);
	}
	printf("%s %.0f\n", what, best);
}

static void bench(const char *name, EVP_PKEY *key)
{
	struct world *w = make(key);
	cleanup_quote_ak struct quote_ak ak = {0};
	struct refvalues rv = {0};
	struct allowed *allowed = allowed_new();
	char what[64];
	struct err e = ERR_INIT;

	assert_non_null(allowed);
	assert_ok(refvalues_parse(w->refvalues, strlen(w->refvalues), "r", &rv, &e), &e);
	assert_ok(quote_ak_parse((struct bytes){w->enrolment.ak_public, w->enrolment.ak_public_bytes}, &ak, &e), &e);
	(void)snprintf(what, sizeof(what), "full-%s", name); /* these fit */
	rate(what, w, &ak, &rv, NULL);
	(void)snprintf(what, sizeof(what), "full-%s-ak-not-cached", name);
	rate(what, w, NULL, &rv, NULL);
	(void)snprintf(what, sizeof(what), "fast-%s", name);
	rate(what, w, &ak, &rv, allowed);
	if (!only && !strcmp(name, "rsa2048"))
		printf("logs-bytes %zu\nima-bytes %zu\nevents %zu\nima-events %zu\n",
		       w->firmware_log.len + w->os_log.len + w->ima_log.len, w->ima_log.len, w->firmware.n + w->os.n,
		       w->ima.n);
	allowed_free(allowed);
	refvalues_free(&rv);
	world_free(w);
}

int main(int argc, char **argv)
{
	EVP_PKEY *rsa = EVP_RSA_gen(2048), *ec = EVP_EC_gen("P-256");

	only = argc > 1 ? argv[1] : NULL;

	bench("rsa2048", rsa);
	bench("p256", ec);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec);
	return 0;
}
