/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/refvalues_write.h - the reference values document, from predicted rules
 *
 * Spec: docs/formats/README.md "Reference values". The same rules give the same bytes.
 */
#ifndef IMAGE_BUILDER_REFVALUES_WRITE_H
#define IMAGE_BUILDER_REFVALUES_WRITE_H

#include "common/buf.h"
#include "common/json.h"
#include "image-builder/predict.h"
#include "image-builder/spdx.h"

/** struct refvalues_image - what the values belong to */
struct refvalues_image {
	const char *name;
	uint64_t version;
	const char *arch;
	const char *profile;
	uint8_t root_hash[HASH_SHA256_BYTES];
	const char *command_line;	/* described for `explain`; NULL: not */
	uint64_t layer_policy_version; /* likewise; 0: not */
	const struct spdx_packages *packages; /* NULL: no SBOM; else @sbom is its digest */
	uint8_t sbom[HASH_SHA256_BYTES];
	uint8_t channel_policy[HASH_SHA256_BYTES]; /* authPolicy of the host's TLS key; zeros: nothing is said of it */
};

/** refvalues_write() - append the document to @ret. -EINVAL if a PCR has no rule. */
int refvalues_write(const struct refvalues_image *image, const struct predict *p, struct buf *ret,
		    struct err *e) WARN_UNUSED;

/** refvalues_list_json() - a new array of { digest, what }, or of @bare digests. NULL if memory is short. */
json_object *refvalues_list_json(const struct predict_list *l, bool bare);

#endif
