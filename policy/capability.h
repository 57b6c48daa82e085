/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/capability.h - the capability names a policy may use
 *
 * Spec: Linux 6.12, include/uapi/linux/capability.h (CAP_LAST_CAP is 40).
 */
#ifndef POLICY_CAPABILITY_H
#define POLICY_CAPABILITY_H

/** policy_capability_number() - number of the exact name "CAP_..." as Linux 6.12 knows it, -1 if it does not. */
int policy_capability_number(const char *name);

#endif
