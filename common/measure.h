/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * common/measure.h - what is measured, into which PCR, with which bytes: written once
 *
 * Theory of operation
 *   PID 1 extends with these functions, the builder predicts with them, and the verifier's reference
 *   values hold their digests. An event's digest in every bank is H(data), where data is the short ASCII
 *   text built here. Each text begins with a word that no other event's begins with, so one event can
 *   never be read as another; variable parts are fixed-length hex, checked names or decimal numbers.
 *   PCR 11 phases are the bare word, as systemd-pcrphase measures them.
 *
 *   PCR 11  phases            enter-initrd, leave-initrd, sysinit, ready, shutdown; before them, in the profile
 *                             `direct`: profile, command-line, boot-manifest; in the profile `enforce-jit`: profile
 *   PCR 13  launch chain      layer-policy, ipe-policy, engine, engine-config, engine-argv, then
 *                             separator, then one `container` for each one admitted, `violation` for each refused
 *   PCR 15  identity          root-hash, root-signer, state-volume; `floor:unchecked` if the rollback floor was not
 *
 * Spec: UAPI group, TPM PCR registry; ../shared design section 6.
 */
#ifndef COMMON_MEASURE_H
#define COMMON_MEASURE_H

#include "common/err.h"
#include "common/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEASURE_PCR_PHASE 11
#define MEASURE_PCR_LAUNCH 13
#define MEASURE_PCR_IDENTITY 15
#define MEASURE_UUID_BYTES 37 /* with its NUL */
#define MEASURE_MAX_DATA_BYTES 256
#define MEASURE_MAX_NAME_BYTES 64 /* of a container: [a-z0-9][a-z0-9._-]* */

enum measure_phase {
	MEASURE_ENTER_INITRD,
	MEASURE_LEAVE_INITRD,
	MEASURE_SYSINIT,
	MEASURE_READY,
	MEASURE_SHUTDOWN,
	MEASURE_PHASES_
};

/** struct measure_event - @name: label for people; @data: what is hashed; no NUL counted */
struct measure_event {
	uint32_t pcr;
	const char *name;
	char data[MEASURE_MAX_DATA_BYTES];
	size_t data_bytes;
};

/** measure_phase() - the word of a phase into PCR 11. */
struct measure_event measure_phase(enum measure_phase phase);

/**
 * measure_profile() - PCR 11 "profile:<profile>", before the phases, in the profiles `direct` and `enforce-jit` only.
 * @profile: cmdline_profile_str()
 */
struct measure_event measure_profile(const char *profile);

/**
 * measure_direct_cmdline(), _manifest() - PCR 11, behind the profile `direct`: what nobody below PID 1 has measured.
 * "command-line:sha256:<hex>", of /proc/cmdline without its newline; "boot-manifest:sha256:<hex>"
 */
struct measure_event measure_direct_cmdline(const char *text, size_t len);
struct measure_event measure_direct_manifest(const uint8_t digest[static HASH_SHA256_BYTES]);

/** measure_root_hash() - PCR 15 "root-hash:sha256:<hex>" of the activated root. */
struct measure_event measure_root_hash(const uint8_t root_hash[static HASH_SHA256_BYTES]);

/** measure_root_signer() - PCR 15 "root-signer:sha256:<hex>": SHA-256 of the signer's DER certificate. */
struct measure_event measure_root_signer(const uint8_t fingerprint[static HASH_SHA256_BYTES]);

/**
 * measure_floor_unchecked() - PCR 15 "floor:unchecked": the board or the profile let a host go on whose rollback floor could
 * not be checked. No reference values hold it.
 */
struct measure_event measure_floor_unchecked(void);

/**
 * measure_state_volume() - PCR 15 "state-volume:<UUID>": the state volume was unsealed and is this machine's; before it is mounted
 * @uuid: as measure_uuid_is_valid() has it; another gives an event with data_bytes 0
 */
struct measure_event measure_state_volume(const char uuid[static MEASURE_UUID_BYTES]);

/** measure_uuid_is_valid() - 36 characters, lower-case hex digits and four dashes in their places. */
bool measure_uuid_is_valid(const char *text);

/** measure_layer_policy() - PCR 13 "layer-policy:sha256:<hex>:version:<n>": digest of the signed document's bytes. */
struct measure_event measure_layer_policy(const uint8_t doc[static HASH_SHA256_BYTES], uint64_t version);

/** measure_file() - PCR 13 "<what>:sha256:<hex>" where @what is "ipe-policy", "engine" or "engine-config". */
struct measure_event measure_file(const char *what, const uint8_t digest[static HASH_SHA256_BYTES]);

/** measure_argv() - PCR 13 "engine-argv:sha256:<hex>": SHA-256 over the arguments, each with its NUL. No heap. */
struct measure_event measure_argv(const char *const argv[]);

/** measure_separator() - PCR 13 "separator": nothing after it was known at boot. */
struct measure_event measure_separator(void);

/**
 * measure_container() - PCR 13 "container:<name>:policy:sha256:<hex>": an entry of that policy was admitted
 * @name: checked with measure_name_is_valid() by the caller; an invalid one gives an event with data_bytes 0
 */
struct measure_event measure_container(const char *name, const uint8_t policy[static HASH_SHA256_BYTES]);

/** measure_violation() - PCR 13 "violation:<code>": a refusal by the gate, by its stable code (10 to 99). */
struct measure_event measure_violation(unsigned code);

/** measure_name_is_valid() - 1 to MEASURE_MAX_NAME_BYTES of [a-z0-9._-], a letter or digit first. */
bool measure_name_is_valid(const char *name);

#endif
