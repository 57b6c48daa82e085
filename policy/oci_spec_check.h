/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/oci_spec_check.h - shared by the oci_spec*.c files only: the walk by tables and what it collects
 */
#ifndef POLICY_OCI_SPEC_CHECK_H
#define POLICY_OCI_SPEC_CHECK_H

#include "common/json.h"
#include "policy/oci_spec.h"

#define OCI_SPEC_MAX_PATH_BYTES 160  /* of a field's path in a message; longer ones are cut */
#define OCI_SPEC_MAX_ITEMS      4096 /* in one array */
#define OCI_SPEC_RLIMITS        16

enum oci_namespace { OCI_NS_PID, OCI_NS_NETWORK, OCI_NS_IPC, OCI_NS_UTS, OCI_NS_MOUNT, OCI_NS_CGROUP, OCI_NS_COUNT_ };

enum oci_number {
	OCI_MEMORY_LIMIT,
	OCI_MEMORY_RESERVATION,
	OCI_MEMORY_SWAP,
	OCI_CPU_SHARES,
	OCI_CPU_QUOTA,
	OCI_CPU_BURST,
	OCI_CPU_PERIOD,
	OCI_PIDS_LIMIT,
	OCI_NUMBER_COUNT_
};

/**
 * struct oci_want - what of the request is passed on, each part checked
 * @argv:         the policy's vector that the request is equal to
 * @rlimit:       in the order of oci_spec_rlimit_name(); clamped
 * @number:       limits of linux.resources
 * @cgroups_path: the engine's; of an image with run.jit @own_group, /jit/<image>/<id>; in a policy with classes
 *                @own_group, /class.<class>/<id>
 * @cpus, @mems:  cpuset lists, of digits, ',' and '-' only
 * Strings are borrowed from the parsed tree or from the policy.
 */
struct oci_want {
	char *const *argv;
	const char *cwd;
	uint64_t uid, gid;
	bool terminal;
	uint64_t console_width, console_height;
	bool has_oom_score_adj;
	int64_t oom_score_adj;
	struct {
		bool set;
		uint64_t soft, hard;
	} rlimit[OCI_SPEC_RLIMITS];
	const char *hostname;
	const char *cgroups_path;
	char own_group[MEASURE_MAX_NAME_BYTES + OCI_SPEC_MAX_ID_BYTES + 16];
	struct {
		bool set;
		int64_t value;
	} number[OCI_NUMBER_COUNT_];
	const char *cpus, *mems;
	unsigned namespaces; /* bits by enum oci_namespace */
	bool cgroup_mount;
};

/* What Kubernetes' interface (CRI) says that the container is: a pod's sandbox, or a container in one. */
enum oci_cri { OCI_CRI_NONE, OCI_CRI_SANDBOX, OCI_CRI_CONTAINER };

/** struct oci_check - one walk: the request, the entry, the verdict, what was collected */
struct oci_check {
	const struct oci_spec_input *in;
	const struct policy_image *image;
	bool is_exec;
	enum oci_cri cri;
	struct oci_want want;
	enum code code;
	struct err *e;
};

typedef int oci_check_fn(struct oci_check *c, json_object *v, const char *where);

/**
 * struct oci_field - one row of a table, ended by a row without @key
 * @type:   what the value must be; json_type_null: anything
 * @refuse: CODE_NONE: the field may stand there; else it must be empty or the request is refused with this code
 * @check:  looks at the value; NULL: the value is dropped unseen
 */
struct oci_field {
	const char *key;
	enum json_type type;
	enum code refuse;
	oci_check_fn *check;
};

/** oci_spec_refuse() - the verdict: store code and sentence. Return: -EPERM. */
int oci_spec_refuse(struct oci_check *c, enum code code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/** oci_spec_object() - hold object @o to a table. A null value is an absent one (Go writes nil so). */
int oci_spec_object(struct oci_check *c, json_object *o, const char *where, const struct oci_field *fields) WARN_UNUSED;

/** oci_spec_array() - call @each on every item, which must be of @type, with "where[i]". */
int oci_spec_array(struct oci_check *c, json_object *a, const char *where, enum json_type type,
		   oci_check_fn *each) WARN_UNUSED;

/** oci_spec_strings() - a check function: an array of strings, dropped. oci_spec_map() - an object of strings, dropped.
 */
oci_check_fn oci_spec_strings, oci_spec_map;

/** oci_spec_chars() - true if @s is 1 to @max bytes, all of them in @chars. NULL is false. */
bool oci_spec_chars(const char *s, const char *chars, size_t max);

/* The parts; each a check function for its object or array. */
oci_check_fn oci_spec_process, oci_spec_mounts, oci_spec_linux, oci_spec_annotations;

/** oci_spec_process_done() - what must hold once the whole process object was seen. */
int oci_spec_process_done(struct oci_check *c) WARN_UNUSED;

/** oci_spec_linux_done() - the same for linux: the six namespaces, a cgroup that is not PID 1's own. */
int oci_spec_linux_done(struct oci_check *c) WARN_UNUSED;

/** oci_spec_find_image() - the entry that hints in the tree @config or the id name; refuses CODE_GATE_NO_ENTRY. */
int oci_spec_find_image(struct oci_check *c, json_object *config) WARN_UNUSED;

/** oci_spec_rlimit_name() - "RLIMIT_..." of an index below OCI_SPEC_RLIMITS, else NULL. */
const char *oci_spec_rlimit_name(size_t i);

/** oci_spec_write_config() - the whole output for create. oci_spec_write_process() - the process object alone. */
void oci_spec_write_config(const struct oci_check *c, struct buf *out);
void oci_spec_write_process(const struct oci_check *c, struct buf *out);

#endif
