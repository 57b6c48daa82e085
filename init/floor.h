/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/floor.h - the rollback floor: the lowest versions that may run on this machine, kept by its TPM
 *
 * Theory of operation
 *   Every old image of the owner's is signed for ever. What keeps an old one with a known hole from being put back is one
 *   record in the TPM: the lowest version of root image, layer policy and IPE policy that may run. PID 1 refuses what is below
 *   it before anything that it did not verify has run, and raises it to what runs once the host was healthy for the
 *   board's time; never lowers it.
 *
 *   Two indices, both defined once under the owner's authorisation (the TPM's storage hierarchy):
 *     0x0180f10a  the secret: 32 random bytes. Read and written by policy alone: TPM2_PolicyAuthorize of the image
 *                 owner's PCR key (image-builder/pcrsig.h), which signed PCR 7 and 11 of this image's boot before `ready`.
 *     0x0180f10b  the floor. Read by the same policy; written only by whoever shows the authValue that follows from the
 *                 secret.
 *   After they are written the owner's authorisation itself is changed to another value that follows from the secret,
 *   and TPM2_Clear is disabled. So after `ready`, and under any other operating system, nobody can read the secret,
 *   lower or raise the floor, or delete and define the indices anew: that takes the owner's authorisation, which
 *   only the owner's signed images can learn, and only before anything else runs. What remains is clearing the
 *   TPM by its platform hierarchy, from the firmware's menu. That destroys the storage seed: the SRK is another one, whatever was sealed
 *   is gone, and it is recognised (below).
 *
 *   Why not less? Ordinary index and empty owner authorisation: root in the engine's context deletes it (platform-created
 *   indices cannot be deleted so, but no operating system has the platform's authorisation). A counter: it cannot go back even
 *   when deleted, but there are three numbers, and whoever may increment it may also end the host. A write by PCR policy:
 *   the host is healthy long after `ready`, in a state that hostile root shares. So the write is authorised in
 *   advance: before `ready` PID 1 reads the secret, opens an HMAC session, makes the one TPM2_NV_Write command that raises the floor to what
 *   runs now, and wipes the secret. It is only good for that record and is sent once (pid1_floor_raise()), without heap.
 *   TPMA_NV_NO_DA: a TPM in lockout (somebody tried passwords) serves both indices as ever.
 *
 *   The mark. When an index is not there, is the machine new, or did somebody take it away? The EFI variable HoldfastFloor holds the
 *   SRK's name since the floor was made. No variable: a new machine (or one without UEFI, which has no such witness), the
 *   floor is made, and that is said. Variable and the same SRK: the index was deleted. Another SRK, or none: the
 *   TPM was cleared or is another one. Neither is "floor 0": with `tpm = required` PID 1 refuses; the operator deletes
 *   the variable in the firmware to make it a new machine, which has no secrets any more. A variable that is gone while the floor
 *   is there is written again. Power cuts: every step is repeated until the variable, written last, says that all were done.
 *   Who holds the TPM's menu and the variable store can make any machine a new one: its attestation key is
 *   gone then too, and the verifier has reference values by version.
 *
 *   Boards. `tpm = required`: whatever cannot be read or recognised refuses. `tpm = optional`: it is told, measured
 *   (measure_floor_unchecked(), which no reference values hold, so that a verifier refuses) and the boot goes on unchecked; a version
 *   below a floor that could be read still refuses. Profile `audit` goes on likewise. A slow TPM is waited for,
 *   PID1_TPM_TIMEOUT_MS for each answer and PID1_FLOOR_WITHIN_MS for all: one that takes 10 s for each still serves. No TPM at all: with `required` no boot
 *   comes so far (E14); with `optional` as what cannot be read, or, with a mark, as what was taken away.
 *
 *   Where. All but the raise is the program holdfast-floor (init/floor_main.c), which PID 1 starts once from the verity
 *   root, before anything else runs, without capabilities, with the TPM as standard input: the initramfs does not carry it, and the
 *   secret and OpenSSL's heap end with it. PID 1 mounts the efivarfs for it, acts upon its answer, and has the command that raises.
 *
 * Layout of the record, big-endian: "HFFL", u32 format 1, u64 root, u64 layer policy, u64 IPE policy.
 *
 * Runs as: holdfast-floor, started by PID 1; pid1_floor_raise(): PID 1. Input: the TPM's answers, hostile; the
 * document of PCR policies, signed.
 * Spec: TPM 2.0 Library part 2, 13 (NV); part 3, 23.16 (PolicyAuthorize), 24.6 (ClearControl), 24.8 (HierarchyChangeAuth), 31 (NV).
 */
#ifndef INIT_FLOOR_H
#define INIT_FLOOR_H

#include "common/codes.h"
#include "init/tpm_policy.h"

#define PID1_FLOOR_SECRET_INDEX 0x0180f10au
#define PID1_FLOOR_INDEX        0x0180f10bu
#define PID1_FLOOR_RECORD_BYTES 32
#define PID1_FLOOR_WITHIN_MS    600000 /* for all commands of a boot, or of a new machine, at 10 s each */

enum pid1_floor_what { PID1_FLOOR_ROOT, PID1_FLOOR_LAYER_POLICY, PID1_FLOOR_IPE_POLICY, PID1_FLOOR_WHAT_ };

/** struct pid1_floor - the record */
struct pid1_floor {
	uint64_t version[PID1_FLOOR_WHAT_];
};

/** enum pid1_floor_verdict - what became of pid1_floor_open(); UNSET: it could not be told, see the sentence */
enum pid1_floor_verdict {
	PID1_FLOOR_UNSET,
	PID1_FLOOR_READ,    /* it stands there */
	PID1_FLOOR_NEW,     /* a new machine: made now, all 0 */
	PID1_FLOOR_DELETED, /* marked, the same TPM, and the index is gone or was never written since */
	PID1_FLOOR_CLEARED, /* marked, and the TPM is not the one that was marked */
	PID1_FLOOR_FOREIGN, /* index, SRK, owner's or lockout's authorisation are somebody else's */
	PID1_FLOOR_NO_TPM,  /* pid1_floor_open() was not called */
};

/**
 * struct pid1_floor_params - @tpm: fd and timeout set; @pcr_key, @policies (of PCR_POLICY_BOOT): init/tpm_policy.h
 * @mark: the SRK's name that was remembered; NULL: none was
 */
struct pid1_floor_params {
	struct tpm_io *tpm;
	const struct pid1_policy_key *pcr_key;
	const struct pcr_policies *policies;
	const uint8_t *mark;
};

/**
 * struct pid1_floor_found - @mark: to be remembered if pid1_floor_params.mark was NULL and @verdict is READ or NEW
 * @floor: valid with READ and NEW
 */
struct pid1_floor_found {
	enum pid1_floor_verdict verdict;
	struct pid1_floor floor;
	uint8_t mark[PID1_TPM_NAME_BYTES];
};

/**
 * pid1_floor_open() - read the floor; make it on a new machine
 *
 * Should: leave a new machine's TPM owned, with both indices written and TPM2_Clear disabled; be repeatable after a power cut at any
 * point. Must not: make anything when a mark is given.
 * Return: 0 with a verdict; -errno with PID1_FLOOR_UNSET if the TPM cannot be asked or obeys this boot not: -ETIMEDOUT, -EPERM (no
 * signed policy for the PCRs as they are), -EPROTO, ...
 */
int pid1_floor_open(const struct pid1_floor_params *p, struct pid1_floor_found *ret, struct err *e) WARN_UNUSED;

/**
 * pid1_floor_arm() - authorise now the one command that raises the floor to @to
 * @ret: to be sent by pid1_floor_raise(); its session stays open in the TPM
 */
int pid1_floor_arm(const struct pid1_floor_params *p, const struct pid1_floor *to, struct pid1_tpm_wire *ret, struct err *e) WARN_UNUSED;

/** pid1_floor_raise() - send it. No heap. -EPROTO with the TPM's response code if it refused. Once: a second time is -EINVAL. */
int pid1_floor_raise(struct tpm_io *t, struct pid1_tpm_wire *armed, struct err *e) WARN_UNUSED;

#define PID1_FLOOR_STR_BYTES 96

/**
 * pid1_floor_derive() - what follows from the TPM's secret for @label (1 to 32 characters): 32 bytes that only the owner's images know, on
 * this machine, before `ready`. The last is never 0.
 *
 * Return: 0; -ENOENT if the TPM has no floor of ours, and so no secret; other -errno as pid1_floor_open().
 */
int pid1_floor_derive(const struct pid1_floor_params *p, const char *label, uint8_t ret[static HASH_SHA256_BYTES],
		      struct err *e) WARN_UNUSED;

/**
 * struct pid1_floor_answer - what holdfast-floor writes to its standard output
 * @code:  CODE_NONE: the boot goes on; else the failure, with @e as its sentence
 * @made:  the machine was new
 * @floor, @to: for people: the floor that was found ("" if none was), and what it may be raised to
 * @armed: n 0: the floor need not be raised
 */
struct pid1_floor_answer {
	struct pid1_tpm_wire armed;
	struct err e;
	enum code code;
	bool made;
	char floor[PID1_FLOOR_STR_BYTES], to[PID1_FLOOR_STR_BYTES];
};

/**
 * pid1_floor_judge() - may @running run? Fills @ret->floor, @ret->code and @ret->e
 * @marked: there was a mark
 *
 * Return: 0 if it may; -errno with its code.
 */
int pid1_floor_judge(const struct pid1_floor_found *found, const struct pid1_floor *running, bool marked,
		     struct pid1_floor_answer *ret) WARN_UNUSED;

/** pid1_floor_below() - first of @running that is below @floor, or PID1_FLOOR_WHAT_ if none is. */
enum pid1_floor_what pid1_floor_below(const struct pid1_floor *floor, const struct pid1_floor *running);

/** pid1_floor_raised() - @floor raised to @running where that is higher. Return: does it differ from @floor? */
bool pid1_floor_raised(const struct pid1_floor *floor, const struct pid1_floor *running, struct pid1_floor *ret);

/** pid1_floor_str() - "root image 4, layer policy 3, IPE policy 0.1.2". */
void pid1_floor_str(const struct pid1_floor *f, char ret[static PID1_FLOOR_STR_BYTES]);

#endif
