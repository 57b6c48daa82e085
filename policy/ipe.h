/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/ipe.h - the IPE policy that belongs to a layer policy
 *
 * Theory of operation
 *   IPE judges by rules of one operation, in order, first match wins, then the default. What is derived:
 *
 *     everything         denied unless a rule below allows it; also operations that a newer kernel may add
 *     revoked layers     denied by root hash first, signed or not
 *     EXECUTE            allowed from a dm-verity device whose root hash the kernel found signed; for the profile
 *                        enforce-jit: allowed, for BPF-LSM judges (init/bpf_lsm.h). To IPE anonymous memory is a file
 *                        without a signature: it can be allowed only with all of these
 *     KMODULE, FIRMWARE  denied: modules, and what firmware they want, are loaded before this policy is active;
 *                        then kernel.modules_disabled=1
 *     KEXEC_*            denied
 *     POLICY, X509_CERT  denied: IMA's policy is written once, before
 *
 *   Nowhere boot_verified: files that are later written into the initramfs's file system would count as such.
 *   The version grows with the document's, so that the kernel itself refuses to go back (ESTALE).
 *
 * Spec: Linux 6.12, Documentation/admin-guide/LSM/ipe.rst; security/ipe/policy_parser.c for the grammar.
 */
#ifndef POLICY_IPE_H
#define POLICY_IPE_H

#include "common/buf.h"
#include "common/err.h"
#include "common/pki.h"
#include "policy/policy.h"

#define POLICY_IPE_NAME "holdfast" /* below /sys/kernel/security/ipe/policies */

/** enum policy_ipe_for - who holds execution: IPE itself, or (profile enforce-jit) BPF-LSM programs of PID 1 */
enum policy_ipe_for { POLICY_IPE_ENFORCE, POLICY_IPE_ENFORCE_JIT };

/** policy_ipe_text() - append the plain text. The same document gives the same bytes. Return: 0 or -ENOMEM. */
int policy_ipe_text(const struct policy *p, enum policy_ipe_for profile, struct buf *ret, struct err *e) WARN_UNUSED;

/**
 * policy_ipe_signed() - append what is written to /sys/kernel/security/ipe/new_policy: PKCS#7 with the text inside
 * @by: its certificate must be in the kernel's .platform keyring (UEFI db) or a built-in one
 *
 * Return: 0, -ENOMEM, -EINVAL for a key that is not the certificate's, -EFBIG past the 65535 bytes the kernel takes.
 */
int policy_ipe_signed(const struct policy *p, enum policy_ipe_for profile, const struct pki_signer *by, struct buf *ret,
		      struct err *e) WARN_UNUSED;

#endif
