/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* common/measure.c - what is measured, into which PCR, with which bytes: written once */
#define OPENSSL_SUPPRESS_DEPRECATED /* low-level SHA: no heap, see common/hash.h */
#include "common/measure.h"

#include "common/hex.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

static const char *const phase_words[] = { "enter-initrd", "leave-initrd", "sysinit", "ready", "shutdown" };
_Static_assert(sizeof(phase_words) / sizeof(phase_words[0]) == MEASURE_PHASES_, "one word a phase");

static struct measure_event event(uint32_t pcr, const char *name, const char *text)
{
	struct measure_event ev = { .pcr = pcr, .name = name };

	ev.data_bytes = strlen(text);
	memcpy(ev.data, text, ev.data_bytes);
	return ev;
}

/* "<name>:sha256:<hex>" and what follows it. */
static struct measure_event event_digest(uint32_t pcr, const char *name, const uint8_t *digest, const char *tail)
{
	char hex[2 * HASH_SHA256_BYTES + 1], text[MEASURE_MAX_DATA_BYTES];

	hex_encode(digest, HASH_SHA256_BYTES, hex);
	(void)snprintf(text, sizeof(text), "%s:sha256:%s%s", name, hex, tail); /* all parts are bounded above */
	return event(pcr, name, text);
}

struct measure_event measure_phase(enum measure_phase phase)
{
	return event(MEASURE_PCR_PHASE, "phase", phase_words[phase]);
}

struct measure_event measure_profile(const char *profile)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "profile:%s", profile); /* the longest has 11 characters */
	return event(MEASURE_PCR_PHASE, "profile", text);
}

struct measure_event measure_direct_cmdline(const char *text, size_t len)
{
	uint8_t digest[HASH_SHA256_BYTES];

	hash_sha256(text, len && text[len - 1] == '\n' ? len - 1 : len, digest);
	return event_digest(MEASURE_PCR_PHASE, "command-line", digest, "");
}

struct measure_event measure_direct_manifest(const uint8_t digest[static HASH_SHA256_BYTES])
{
	return event_digest(MEASURE_PCR_PHASE, "boot-manifest", digest, "");
}

struct measure_event measure_root_hash(const uint8_t root_hash[static HASH_SHA256_BYTES])
{
	return event_digest(MEASURE_PCR_IDENTITY, "root-hash", root_hash, "");
}

struct measure_event measure_root_signer(const uint8_t fingerprint[static HASH_SHA256_BYTES])
{
	return event_digest(MEASURE_PCR_IDENTITY, "root-signer", fingerprint, "");
}

struct measure_event measure_layer_policy(const uint8_t doc[static HASH_SHA256_BYTES], uint64_t version)
{
	char tail[40];

	(void)snprintf(tail, sizeof(tail), ":version:%llu", (unsigned long long)version); /* 20 digits at most */
	return event_digest(MEASURE_PCR_LAUNCH, "layer-policy", doc, tail);
}

struct measure_event measure_file(const char *what, const uint8_t digest[static HASH_SHA256_BYTES])
{
	return event_digest(MEASURE_PCR_LAUNCH, what, digest, "");
}

struct measure_event measure_argv(const char *const argv[])
{
	uint8_t digest[HASH_SHA256_BYTES];
	SHA256_CTX c;

	SHA256_Init(&c);
	for (size_t i = 0; argv[i]; i++)
		SHA256_Update(&c, argv[i], strlen(argv[i]) + 1);
	SHA256_Final(digest, &c);
	return event_digest(MEASURE_PCR_LAUNCH, "engine-argv", digest, "");
}

struct measure_event measure_separator(void)
{
	return event(MEASURE_PCR_LAUNCH, "separator", "separator");
}

struct measure_event measure_floor_unchecked(void)
{
	return event(MEASURE_PCR_IDENTITY, "floor", "floor:unchecked");
}

struct measure_event measure_state_volume(const char uuid[static MEASURE_UUID_BYTES])
{
	struct measure_event ev = event(MEASURE_PCR_IDENTITY, "state-volume", "state-volume:");

	ev.data_bytes = measure_uuid_is_valid(uuid) ? ev.data_bytes : 0;
	if (!ev.data_bytes)
		return ev;
	memcpy(ev.data + ev.data_bytes, uuid, MEASURE_UUID_BYTES - 1);
	ev.data_bytes += MEASURE_UUID_BYTES - 1;
	return ev;
}

bool measure_uuid_is_valid(const char *text)
{
	size_t n = 0;

	for (; n < MEASURE_UUID_BYTES - 1; n++) {
		bool dash = n == 8 || n == 13 || n == 18 || n == 23;

		if (!text[n] || (dash ? text[n] != '-' : !strchr("0123456789abcdef", text[n])))
			return false;
	}
	return !text[n];
}

struct measure_event measure_container(const char *name, const uint8_t policy[static HASH_SHA256_BYTES])
{
	struct measure_event ev = { .pcr = MEASURE_PCR_LAUNCH, .name = "container" };
	char hex[2 * HASH_SHA256_BYTES + 1];

	if (!measure_name_is_valid(name))
		return ev;
	hex_encode(policy, HASH_SHA256_BYTES, hex);
	ev.data_bytes = (size_t)snprintf(ev.data, sizeof(ev.data), "container:%s:policy:sha256:%s", name, hex);
	return ev;
}

struct measure_event measure_violation(unsigned code)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "violation:%u", code % 100); /* codes have two digits */
	return event(MEASURE_PCR_LAUNCH, "violation", text);
}

bool measure_name_is_valid(const char *name)
{
	size_t n = strlen(name);

	return n >= 1 && n <= MEASURE_MAX_NAME_BYTES && name[0] != '.' && name[0] != '_' && name[0] != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == n;
}
