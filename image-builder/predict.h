/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/predict.h - which events a sound boot of an image leaves in PCR 0 to 15, before it ever booted
 *
 * Theory of operation
 *   One rule a PCR, as docs/formats/README.md "Reference values" has them. The firmware's and the kernel's events are
 *   known for one combination, named here: OVMF (edk2 2025.02) with owner keys and Secure Boot on, or, where that was asked
 *   for, off; systemd-boot 257 at the ESP's removable-media path, systemd-stub 257, Linux 6.12's EFI stub. PID 1's events come from
 *   common/measure.h, the same code that PID 1 extends with. docs/formats/pcrs.md holds the facts and how
 *   they were seen.
 *
 *   PCR 0, 1 and 5 are predicted for a machine that was described (image-builder/machine.h); of any other they are replayed
 *   and covered by the quote, and their contents are judged by nobody.
 *
 *   Without UEFI (profile `direct`) nothing of PCR 0 to 7 is predicted, 8 and 9 are not used, and PCR 11 begins with what
 *   PID 1 says of profile, command line and boot manifest.
 *
 * Spec: TCG PC Client Platform Firmware Profile 1.06 sections 3.3.4, 10; UAPI group, TPM PCR registry.
 */
#ifndef IMAGE_BUILDER_PREDICT_H
#define IMAGE_BUILDER_PREDICT_H

#include "common/measure.h"
#include "image-builder/efivar.h"

#include <stdbool.h>

#define PREDICT_PCRS           16
#define PREDICT_MAX_WHAT_BYTES 128

enum predict_rule {
	PREDICT_UNSET,
	PREDICT_UNJUDGED, /* @why says what is not judged */
	PREDICT_ZERO,
	PREDICT_IMA,      /* @event: files; @then: verity root digests (without label) */
	PREDICT_SEQUENCE, /* @event in this order, then any of @then */
};

/** struct predict_event - one digest and its label for people */
struct predict_event {
	uint8_t digest[HASH_SHA256_BYTES];
	char what[PREDICT_MAX_WHAT_BYTES];
};

/** struct predict_list - an owned list of events */
struct predict_list {
	struct predict_event *v;
	size_t n;
};

/** struct predict - the rules of PCR 0 to 15, bank sha256 */
struct predict {
	struct predict_pcr {
		enum predict_rule rule;
		const char *why;
		struct predict_list event, then;
		bool state_volume; /* PREDICT_SEQUENCE: then one event of a state volume, whose UUID is each machine's own */
	} pcr[PREDICT_PCRS];
};

/** struct predict_file - a file that is measured: @name for people, SHA-256 of its bytes */
struct predict_file {
	const char *name;
	uint8_t digest[HASH_SHA256_BYTES];
};

/**
 * struct predict_params - zero it, then set all
 * @pk, @kek, @db, @owner: what virt-fw-vars was given (one owner GUID for all three)
 * @machine:       the machine description's events of PCR 0 and 1; NULL: PCR 0, 1 and 5 are not judged
 * @gpt_event:     gpt_event_digest() of the disk; only with @machine
 * @secure_boot_off: the owner's keys are enrolled, and Secure Boot is switched off: for profile `audit` alone, `enforce`
 *                 does not boot there
 * @uki:           the UKI, signed or not; NULL: no UEFI (profile `direct`), then @cmdline and @boot_manifest stand in its place
 * @jit:           the profile is `enforce-jit`, which PID 1 measures
 * @loader:        systemd-boot, which starts the UKI, and the text of its loader.conf; only with @uki
 * @cmdline:       the kernel command line
 * @boot_manifest: SHA-256 of the initramfs's boot.conf
 * @state_volume:  PID 1 opens one, and says which (PCR 15)
 * @root_hash, @root_signer: of the root, and SHA-256 of the DER certificate that signed it
 * @policy_digest, @policy_version: layer policy document
 * @ipe_policy:    SHA-256 of /etc/holdfast/ipe.p7b
 * @engine:        SHA-256 of the engine's program file (argv[0])
 * @engine_config: files in the manifest's order
 * @engine_argv:   NULL-terminated
 * @container:     names in the policy: each may be admitted
 * @ima_file:      files that the kernel measures: modules (as loaded), the IPE policy is not among them
 * @tpm_is_late:   the TPM's driver is a module of the initramfs. The kernel's IMA looks for a TPM once, before any module:
 *                 it finds none and then extends nothing, for good. Its log is bound to nothing; PCR 10 stays zero
 * @verity_root:   root hashes of all volumes that may be opened: root and layers
 */
struct predict_params {
	X509 *pk, *kek, *db;
	struct gpt_uuid owner;
	const struct predict_list *machine;
	uint8_t gpt_event[HASH_SHA256_BYTES];
	bool secure_boot_off;
	const struct buf *uki, *loader;
	const char *loader_conf;
	bool jit;
	const char *cmdline;
	uint8_t boot_manifest[HASH_SHA256_BYTES];
	uint8_t root_hash[HASH_SHA256_BYTES], root_signer[HASH_SHA256_BYTES];
	uint8_t policy_digest[HASH_SHA256_BYTES];
	uint64_t policy_version;
	uint8_t ipe_policy[HASH_SHA256_BYTES], engine[HASH_SHA256_BYTES];
	const struct predict_file *engine_config;
	size_t n_engine_config;
	const char *const *engine_argv;
	const char *const *container;
	size_t n_containers;
	const struct predict_file *ima_file;
	size_t n_ima_files;
	bool tpm_is_late;
	bool state_volume;
	const uint8_t (*verity_root)[HASH_SHA256_BYTES];
	size_t n_verity_roots;
};

/** predict_make() - all rules. @ret: zeroed by the caller; released with predict_free() whatever is returned. */
int predict_make(const struct predict_params *p, struct predict *ret, struct err *e) WARN_UNUSED;

/** predict_boot() - PCR 7, 11 and 15 alone, of a UKI that need not be signed nor have its .pcrsig yet. @ret as above. */
int predict_boot(const struct predict_params *p, struct predict *ret, struct err *e) WARN_UNUSED;

/** predict_free() - release; accepts a zeroed one. */
void predict_free(struct predict *p);

#define cleanup_predict __attribute__((cleanup(predict_free)))

/** predict_list_free() - release one list; accepts a zeroed one. */
void predict_list_free(struct predict_list *l);

/** predict_add() - append one event, labelled "@kind: @what" or, without @what, "@kind". -ENOMEM. */
int predict_add(struct predict_list *l, const uint8_t digest[static HASH_SHA256_BYTES], const char *kind, const char *what,
		struct err *e) WARN_UNUSED;

/** predict_add_bytes() - likewise, by what is hashed. predict_add_separator() - the event that caps PCR 0 to 7. */
int predict_add_bytes(struct predict_list *l, const void *data, size_t len, const char *kind, const char *what,
		      struct err *e) WARN_UNUSED;
int predict_add_separator(struct predict_list *l, struct err *e) WARN_UNUSED;

/** predict_replay() - value of a PCR that was 0 after the events of @l. */
int predict_replay(const struct predict_list *l, uint8_t ret[static HASH_SHA256_BYTES], struct err *e) WARN_UNUSED;

/** predict_value() - value of @pcr (rule sequence or zero) after its sequence and nothing of @then. -EINVAL for other
 * rules. */
int predict_value(const struct predict *p, unsigned pcr, uint8_t ret[static HASH_SHA256_BYTES],
		  struct err *e) WARN_UNUSED;

#endif
