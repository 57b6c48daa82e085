/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/policy_class.h - what a document with classes must hold, for policy/policy_parse.c */
#ifndef POLICY_POLICY_CLASS_H
#define POLICY_POLICY_CLASS_H

#include "common/cleanup.h"
#include "common/err.h"
#include "policy/policy.h"

/**
 * policy_classes_check() - names, ranges and images of a document that has classes
 *
 * Each name once; ranges that are none or overlap; `apart` of itself or of nobody; an image of no declared class, with a
 * user or group outside its class's range, or with a capability by which it could take another number.
 * Return: 0 or -EINVAL with the place.
 */
int policy_classes_check(const struct policy *p, const char *name, struct err *e) WARN_UNUSED;

#endif
