/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/pcrsig.h - signed PCR policies: in which states of a boot the TPM shall obey this image
 *
 * Theory of operation
 *   What PID 1 keeps in the TPM (rollback floor, later the state's key, the agent's key) is bound to
 *   TPM2_PolicyAuthorize of the owner's PCR key (KEYS_PCR), never to values of PCRs: then an update needs no
 *   re-enrolment, it only has to carry policies for its own values, signed by the same key. A policy is
 *   TPM2_PolicyPCR, bank sha256, over PCR 11 (this UKI, sections and phase) and PCR 7 (Secure Boot on, the owner's
 *   keys): PCR 11 alone could be extended to any value by an operating system that was started with Secure Boot off.
 *   Without UEFI PCR 7 says nothing and is left out.
 *   There is one policy for each phase in which PID 1 has not let anybody else in: enter-initrd, leave-initrd, sysinit.
 *   None for `ready` and later: from there on the TPM gives nobody in that boot what PID 1 keeps there.
 *   The agent's TLS key has policies of its own, under another policyRef (common/pcr_policy.h): sysinit and ready.
 *   The state volume's key has one, under a third: leave-initrd, and PCR 15 as the initramfs leaves it (init/sealed.h).
 *
 *   The document is what systemd-measure writes and systemd-cryptsetup reads (tpm2-pcr-signature.json):
 *     {"sha256":[{"pcrs":[7,11],"pkfp":"<hex>","pol":"<hex>","sig":"<base64>"}, ...], "holdfast-channel":[...],"holdfast-state":[...]}
 *   pkfp: SHA-256 of the PKCS#1 RSAPublicKey; pol: the policy's digest; sig: RSASSA-PKCS1-v1_5, SHA-256, over pol's bytes
 *   (the policyRef of PolicyAuthorize is empty). It stands in the UKI's section .pcrsig, which is in no PCR 11, for it
 *   cannot sign itself; the stub makes it the initramfs's /.extra/tpm2-pcr-signature.json, by a cpio of known bytes
 *   that is in PCR 9. Same key and values, same bytes.
 *
 * Spec: TPM 2.0 Library part 3, sections 23.7 (PolicyPCR), 23.16 (PolicyAuthorize); systemd-measure(1), systemd-stub(7).
 */
#ifndef IMAGE_BUILDER_PCRSIG_H
#define IMAGE_BUILDER_PCRSIG_H

#include "common/buf.h"
#include "common/measure.h"
#include "image-builder/predict.h"

#include <openssl/evp.h>

#define PCRSIG_PHASES 3 /* MEASURE_ENTER_INITRD to MEASURE_SYSINIT */

/**
 * pcrsig_make() - the document for an image whose PCR 7 (if it has a sequence), 11 and 15 are predicted
 * @key: RSA, with its private part
 * @predicted: from predict_boot()
 */
int pcrsig_make(EVP_PKEY *key, const struct predict *predicted, struct buf *ret, struct err *e) WARN_UNUSED;

/**
 * pcrsig_cpio() - the archive that the stub (257) appends to the initramfs for a section of these bytes
 * @file: PCRSIG_FILE for .pcrsig, PCRSIG_OSREL_FILE for .osrel
 */
#define PCRSIG_FILE       "tpm2-pcr-signature.json"
#define PCRSIG_OSREL_FILE "os-release"
int pcrsig_cpio(const char *file, const uint8_t *data, size_t len, struct buf *ret, struct err *e) WARN_UNUSED;

#endif
