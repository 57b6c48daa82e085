/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/oci_spec.h - what an engine asks for, held against the policy; what the real runtime gets instead
 *
 * Theory of operation
 *   Bytes in, bytes out, no side effects: the gate does the rest. The engine's config.json is walked by tables that
 *   name every field of the specification; a field without a row refuses the container. A row says what happens to
 *   its field: it must be as the policy says, or be empty, or it passes as a checked number or word, or it is
 *   dropped. The output is written from the policy entry, our own templates and those few checked values: no text
 *   of the engine's gets through that was not understood. docs/formats/gate.md holds the same tables for people.
 *
 *   Which entry applies is found by hints that nobody vouches for (an annotation, the container's id). That is
 *   sound because the entry also names the layers that will be the container's root: who lies gets another
 *   container that the policy allows, with that container's limits.
 *
 * Input: hostile (config.json, process.json); the policy is authenticated.
 * Spec:  OCI Runtime Specification 1.2.0, config.md and config-linux.md.
 */
#ifndef POLICY_OCI_SPEC_H
#define POLICY_OCI_SPEC_H

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/codes.h"
#include "common/err.h"
#include "policy/policy.h"

#define OCI_SPEC_MAX_BYTES    (1 << 20)
#define OCI_SPEC_MAX_ID_BYTES 128

/**
 * struct oci_spec_input - one request
 * @bytes:  config.json or process.json, @len bytes
 * @name:   of the file, for messages
 * @id:     the container's id, valid by oci_spec_id_is_valid()
 * @policy: verified
 * @rootfs: absolute folder that the container's root will be (create only)
 * @identify: NULL, or the last hint: which entry is meant by what the engine mounted on its root.path
 */
struct oci_spec_input {
	const void *bytes;
	size_t len;
	const char *name;
	const char *id;
	const struct policy *policy;
	const char *rootfs;
	const struct policy_image *(*identify)(const struct policy *policy, const char *root);
};

/** oci_spec_id_is_valid() - 1 to 128 of [A-Za-z0-9._-], a letter, digit or '_' first: safe as a file name and operand.
 */
bool oci_spec_id_is_valid(const char *id);

/**
 * oci_spec_create() - check a config.json and write ours
 * @in:        the request
 * @ret_image: the entry that it was held against; borrowed from @in->policy
 * @ret_json:  an empty buf; the configuration for the real runtime
 * @code:      set on refusal: CODE_GATE_..., the reason's number
 *
 * Return: 0; -EPERM or -EINVAL refused, with the field's path in @e; -ENOMEM.
 */
int oci_spec_create(const struct oci_spec_input *in, const struct policy_image **ret_image, struct buf *ret_json,
		    enum code *code, struct err *e) WARN_UNUSED;

/**
 * oci_spec_exec() - check a process.json (exec into a running container) and write ours
 * @in:    the request; @in->rootfs is not used
 * @image: the entry that the container was created from
 *
 * The argument vectors are those of run.exec; an entry without any refuses every exec. As oci_spec_create() otherwise.
 */
int oci_spec_exec(const struct oci_spec_input *in, const struct policy_image *image, struct buf *ret_json,
		  enum code *code, struct err *e) WARN_UNUSED;

#endif
