/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/policy_refvalues.h - the part of a host's reference values that follows from its layer policy */
#ifndef POLICY_POLICY_REFVALUES_H
#define POLICY_POLICY_REFVALUES_H

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "policy/policy.h"

/**
 * policy_refvalues() - append a JSON document: `pcrs` with PCR 13's first events in `sequence`, containers in `then`, and
 * `describe`, each as docs/formats/README.md "Reference values" has them
 * @ipe: digest of the signed IPE policy, or NULL: its event is left out
 *
 * The engine's events, which stand between those and the separator, are the image's; the image builder knows them.
 */
int policy_refvalues(const struct policy *p, const uint8_t *ipe, struct buf *ret, struct err *e) WARN_UNUSED;

#endif
