/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/refvalues.h - reference values: what each PCR of a sound host may hold
 *
 * Theory of operation
 *   The signature is checked first, over the exact bytes, with the policy certificate as the anchor; only then is the
 * document parsed. Each of PCR 0 to 15 has exactly one rule. There is no default: a PCR without a rule refuses the
 * document.
 *
 * Input: hostile until its signature is checked, and parsed as strictly after it. Spec: docs/formats/README.md
 * "Reference values".
 */
#ifndef ATTEST_REFVALUES_H
#define ATTEST_REFVALUES_H

#include "attest/replay.h"
#include "attest/sbom.h"
#include "common/json.h"
#include "common/pki.h"

#include <stdbool.h>

#define REFVALUES_MAX_BYTES      (1 << 20)
#define REFVALUES_MAX_EVENTS     4096 /* in one list */
#define REFVALUES_MAX_TEXT_BYTES 256
#define REFVALUES_MAX_COMMAND_LINE 4096

enum refvalues_kind {
	REFVALUES_UNSET = 0,
	REFVALUES_UNJUDGED, /* must replay */
	REFVALUES_ZERO,     /* no event, reset value */
	REFVALUES_SEQUENCE, /* exactly these, then any of those */
	REFVALUES_IMA,      /* boot aggregate, then only listed files and dm-verity tables */
};

/** struct refvalues_digest - one digest and its label for people (NULL where the format has none) */
struct refvalues_digest {
	uint8_t digest[HASH_SHA256_BYTES];
	const char *what;
};

/** struct refvalues_list - an owned array */
struct refvalues_list {
	struct refvalues_digest *item;
	size_t n;
};

/**
 * struct refvalues_rule - the rule of one PCR
 * @reason:       REFVALUES_UNJUDGED: why
 * @list:         REFVALUES_SEQUENCE: the sequence; REFVALUES_IMA: files
 * @state_volume: REFVALUES_SEQUENCE: behind it exactly one event of measure_state_volume(), of any UUID; PCR 15 only
 * @then:         REFVALUES_SEQUENCE: what may follow, in any order; REFVALUES_IMA: root digests of dm-verity tables
 */
struct refvalues_rule {
	enum refvalues_kind kind;
	const char *reason;
	struct refvalues_list list;
	struct refvalues_list then;
	bool state_volume;
};

/** struct refvalues - the document; strings are borrowed from @tree, which it owns. What `describe` holds judges nothing */
struct refvalues {
	const char *name;
	uint64_t version;
	const char *arch;
	const char *profile;
	uint8_t root_hash[HASH_SHA256_BYTES];
	const char *command_line;      /* describe: NULL if it is not there */
	uint64_t layer_policy_version; /* describe: 0 likewise */
	struct sbom sbom;
	bool has_channel_policy;
	uint8_t channel_policy[HASH_SHA256_BYTES]; /* what a TLS key of such a host must be held by: attest/channel.h */
	struct refvalues_rule rule[REPLAY_QUOTED_PCRS];
	json_object *tree;
};

/** refvalues_parse() - a document whose signature was checked. -EINVAL with the rule. Release with refvalues_free(). */
int refvalues_parse(const void *text, size_t len, const char *name, struct refvalues *ret, struct err *e) WARN_UNUSED;

/**
 * refvalues_load() - read @path and @path.p7s, check the signature with @cert, then parse
 *
 * Return: 0, -EBADMSG if the signature was checked and is bad, other -errno if that could not be checked or the
 * signed document is malformed.
 */
int refvalues_load(const char *path, X509 *cert, struct refvalues *ret, struct err *e) WARN_UNUSED;

/** refvalues_is_direct() - are they of a machine without UEFI, whose firmware vouches for nothing (profile `direct`)? */
bool refvalues_is_direct(const struct refvalues *rv);

/** refvalues_find() - the item of @list with this digest, or NULL. */
const struct refvalues_digest *refvalues_find(const struct refvalues_list *list,
					      const uint8_t digest[static HASH_SHA256_BYTES]);

/** refvalues_free() - release what @rv owns; accepts a zeroed one. */
void refvalues_free(struct refvalues *rv);
#define cleanup_refvalues __attribute__((cleanup(refvalues_free)))

#endif
