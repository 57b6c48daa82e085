/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/hosts.h - the enrolled hosts of a running verifier: in memory for reading, in attest/state.h for good
 *
 * Theory of operation
 *   All hosts are in memory with their AK decoded, which costs six times what verifying with it does. Every change goes
 *   to memory and into the open transaction of the state; hosts_commit() ends that, and only then may what depends on it
 *   be answered. Threads share one transaction: who commits, commits for all. If a commit fails, everybody whose batch
 *   began before it is told so at their own.
 *   A host counts as trusted only while its last result says so and is in force: no result, or an old one, is no trust.
 *
 * May be used by several threads. Memory: about 8 KiB a host, at most the bound given to hosts_open().
 */
#ifndef ATTEST_HOSTS_H
#define ATTEST_HOSTS_H

#include "attest/judge.h"

struct hosts;

/** struct hosts_entry - a copy of one host, taken at one moment; release with hosts_entry_free() */
struct hosts_entry {
	struct enrolment enrolment;
	struct quote_ak ak;
	struct judge_clock clock;
	enum appraise_verdict verdict;
};

/** struct hosts_verdict - one judgement to remember; @clock: NULL if the quote's clock must not be kept */
struct hosts_verdict {
	const uint8_t *identity;
	const struct judge_clock *clock;
	enum appraise_verdict verdict;
	int64_t expires_s;
	struct bytes ear;
};

/** hosts_open() - load the state at @path; at most @max hosts. */
int hosts_open(const char *path, size_t max, struct hosts **ret, struct err *e) WARN_UNUSED;

/** hosts_close() - commit what is open and close; accepts NULL. -errno if the commit failed. */
int hosts_close(struct hosts *h, struct err *e);

/** hosts_count() - how many are enrolled. hosts_trusted() - how many have an accepting result in force at @now_s. */
size_t hosts_count(struct hosts *h);
size_t hosts_trusted(struct hosts *h, int64_t now_s);

/** hosts_get() - copy one host. Return: false if it is not enrolled. */
bool hosts_get(struct hosts *h, const uint8_t identity[static HASH_SHA256_BYTES], struct hosts_entry *ret);
void hosts_entry_free(struct hosts_entry *en);
#define cleanup_hosts_entry __attribute__((cleanup(hosts_entry_free)))

/** hosts_enrol() - add or renew, durably. -ENOSPC over the bound; -EINVAL for an AK that is none. */
int hosts_enrol(struct hosts *h, const struct enrolment *rec, struct err *e) WARN_UNUSED;

/** hosts_judged() - note a verdict; of two clocks the later one is kept. Answer only after hosts_commit(). */
int hosts_judged(struct hosts *h, const struct hosts_verdict *v, struct err *e) WARN_UNUSED;

/** hosts_batch() - before the first hosts_judged() of a batch; its value goes to hosts_commit(). */
uint64_t hosts_batch(struct hosts *h);
int hosts_commit(struct hosts *h, uint64_t batch, struct err *e) WARN_UNUSED;

/** hosts_result() - append the host's result if one is in force at @now_s. Return: false if none is. */
bool hosts_result(struct hosts *h, const uint8_t identity[static HASH_SHA256_BYTES], int64_t now_s, struct buf *ret);

#endif
