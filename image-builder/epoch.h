/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/epoch.h - the one time that everything in an image has */
#ifndef IMAGE_BUILDER_EPOCH_H
#define IMAGE_BUILDER_EPOCH_H

#include "common/cleanup.h"
#include "common/err.h"

#include <stdint.h>

#define EPOCH_DEFAULT 1735689600 /* 2025-01-01 */
#define EPOCH_MAX     4102444799 /* the end of 2099: FAT knows no later year */

/**
 * epoch_get() - SOURCE_DATE_EPOCH, or EPOCH_DEFAULT without it
 *
 * Return: 0, or -EINVAL if it is no number from 1980 to 2099. Spec: reproducible-builds.org, SOURCE_DATE_EPOCH 1.1.
 */
int epoch_get(uint64_t *ret, struct err *e) WARN_UNUSED;

#endif
