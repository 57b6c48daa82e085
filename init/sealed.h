/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/sealed.h - the sealed state: one encrypted volume that only this machine, booted from a signed image, can open
 *
 * Theory of operation
 *   The partition with the label holdfast-state is made a LUKS2 volume on the first boot and opened on later ones. Its key S, 32 random
 *   bytes (keyslot 0 takes their base64, as systemd has it), is sealed to the TPM as an object under the SRK. Who wants it must show three things:
 *     1. TPM2_PolicyAuthorize: a policy signed by the image owner's PCR key over PCR 7, 11 and 15, with a policyRef of its own, so that
 *        what the floor or the agent may use does not do (common/pcr_policy.h). The builder signs exactly one for an
 *        image: this UKI under these Secure Boot keys, phase leave-initrd, PCR 15 holding this image's root-hash and root-signer and nothing
 *        else (image-builder/pcrsig.h). An update carries its own policy, signed by the same key: it unseals without
 *        re-enrolment, and an image without such a signature never does.
 *     2. TPM2_PolicyAuthValue: an authValue that follows from the machine's secret (init/floor.h: 32 bytes in TPM NV that only the
 *        owner's images read, before `ready`) and from the volume's UUID.
 *     3. The SRK of this TPM: the object loads under no other.
 *
 *   Against swapped volumes. Sealing is free for all: whoever holds the disk can, under another operating system, seal a key of
 *   his choice under the same policy, copy the UUID, and bring a volume whose content he wrote. No value of a PCR tells it
 *   from ours, for PCRs say what booted, not who made a volume. What he lacks is the machine's secret. So the authValue above
 *   refuses his object in the TPM itself, and a MAC under another value that follows from the secret stands in the token:
 *   over UUID, cipher, integrity, sizes, place and the volume key. Whoever puts a genuine token before another volume
 *   key, or makes the header say "no cipher", is caught there, before the device is activated.
 *
 *   Order, and what PCR 15 does. Before: root-hash and root-signer are extended in the initramfs; the rollback floor was checked, and
 *   if that had to be let pass, `floor:unchecked` in PCR 15 makes the policy unsatisfiable: no state for such a host. Then holdfast-state
 *   unseals, proves and activates. After: PID 1 writes the record `state-volume:<UUID>`, extends PCR 15 with it, and only then mounts. From that
 *   extension on the policy holds for nobody: in one boot one volume is opened, and what was opened is in the evidence. `sysinit` and
 *   `ready` in PCR 11 close it once more, if no volume was measured. The UUID is not in the signed policy's PCR 15, for it is each
 *   machine's own and the policy is the image's; it binds through the authValue.
 *
 *   First boot. A partition is overwritten only if it is blank (its first PID1_SEALED_HEADER_BYTES and its last MiB hold zeros alone) or bears
 *   our mark of an unfinished creation with a MAC under the machine's secret. Anything else is refused and left alone. Steps:
 *     a. block 0 becomes the mark, and is synced;
 *     b. the LUKS2 header is made in a file in memory, with keyslots and token; all of it but block 0 goes to the partition, and is synced;
 *     c. the volume is activated with the header in memory, ext4 is made in it, and synced; the recovery key is told;
 *     d. block 0 becomes the header's own, and is synced.
 *   Up to d the next boot finds the mark and starts over, and says so; from d on it finds a volume. If the write of d is torn, the
 *   first sector decides: the mark's means start over, LUKS's means a volume whose second header is whole, and libcryptsetup
 *   mends the first. A key that was told for a creation that did not finish opens nothing.
 *
 *   What remains. An attacker with the disk can destroy it, make it blank again, or put back an old copy of this same volume: the first two
 *   are another UUID in PCR 15, which a verifier compares, the last is not seen (what must not go back stands in the floor). The
 *   recovery key opens the volume anywhere: that is what it is for.
 *
 * Runs as: holdfast-state, root, started by PID 1 with the TPM as standard input, before anything unverified runs; the secrets and
 * libcryptsetup's heap end with it. Input: the partition, hostile (LUKS2 metadata by libcryptsetup, the token by
 * init/sealed_token.c); the TPM's answers, hostile. Format: docs/formats/state.md.
 * Spec: LUKS2 on-disk format 1.1.1; TPM 2.0 Library part 3, 12.1 (Create), 12.7 (Unseal), 23.16, 23.17; systemd's tpm2 token.
 */
#ifndef INIT_SEALED_H
#define INIT_SEALED_H

#include "common/err.h"
#include "common/hash.h"
#include "common/measure.h"

#include <stdbool.h>
#include <stdint.h>

#define PID1_SEALED_LABEL        "holdfast-state" /* of the partition, the mapping and the file system */
#define PID1_SEALED_MAPPING      "/dev/mapper/" PID1_SEALED_LABEL
#define PID1_SEALED_MOUNT        "/var/lib/holdfast"
#define PID1_SEALED_HEADER_BYTES (4u << 20)
#define PID1_SEALED_KEY_BYTES    32
#define PID1_SEALED_FOUND_BYTES  80

enum pid1_sealed_fs {
	PID1_SEALED_FS_CLOSED,  /* in order */
	PID1_SEALED_FS_JOURNAL, /* not: mounting will replay its journal */
	PID1_SEALED_FS_ERRORS,  /* the kernel found errors in it */
	PID1_SEALED_FS_NONE,    /* there is none */
	PID1_SEALED_FS_
};

/**
 * struct pid1_sealed_answer - what holdfast-state writes to its standard output
 * @code: a failure code, 0: the volume is active as PID1_SEALED_MAPPING
 * @e:    what went wrong
 * @made:  now, for the first time; @again: an unfinished creation was found and begun anew
 * @fs:    how the file system of one that was opened was left
 * @found: the same for people
 */
struct pid1_sealed_answer {
	uint32_t code;
	struct err e;
	bool made, again;
	enum pid1_sealed_fs fs;
	char uuid[MEASURE_UUID_BYTES];
	char found[PID1_SEALED_FOUND_BYTES];
};

#endif
