/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/image.h - one entry's memory, for the files that build a policy */
#ifndef POLICY_IMAGE_H
#define POLICY_IMAGE_H

#include "policy/policy.h"

/** policy_image_clear() - release what the entry owns, not the entry itself. */
void policy_image_clear(struct policy_image *i);

#endif
