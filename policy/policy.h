/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/policy.h - the signed layer policy: which containers may run, from which layers, with which privileges
 *
 * Theory of operation
 *   One JSON document and one detached PKCS#7 signature beside it. The signature is checked over the exact bytes
 *   before anything in them is believed; then the document is parsed whole, strictly, into this plain structure.
 *   Nothing outside this file reads the JSON. docs/formats/layer-policy.md is the format.
 *
 * Input: hostile until policy_load_verified() has checked the signature; parsed as hostile in any case.
 * Runs as: PID 1 (before its point of no return), the gate, the builder, the policy tool.
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "common/err.h"
#include "common/hash.h"
#include "common/measure.h"

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POLICY_MAX_BYTES (4 << 20)
#define POLICY_MAX_IMAGES 256
#define POLICY_MAX_LAYERS 128
#define POLICY_MAX_ARGS 256
#define POLICY_MAX_ARGVS 16
#define POLICY_MAX_ENV 256
#define POLICY_MAX_TMPFS 32
#define POLICY_MAX_CAPS 64
#define POLICY_MAX_CLASSES 32
#define POLICY_MAX_JIT 16 /* images with run.jit: each has a bit and a slot in the kernel (init/bpf_code.h) */
#define POLICY_MAX_REVOKED 512 /* the kernel takes a signed IPE policy of 65535 bytes at most: policy/ipe.c */
#define POLICY_MAX_VERSION 4294967295u

/* Where they stand in a root image. */
#define POLICY_PATH "/etc/holdfast/policy.json"
#define POLICY_SIG_PATH "/etc/holdfast/policy.json.p7s"
#define POLICY_CERT_PATH "/etc/holdfast/policy-cert.der"
#define POLICY_LAYER_DIR "/usr/lib/holdfast/layers"
/* Below the root of the cgroups: PID 1 makes jit/<image> for each image with run.jit, the gate puts its containers there. */
#define POLICY_JIT_GROUP "jit"

/** struct policy_layer - one layer, bottom first in its image's list */
struct policy_layer {
	uint8_t diff_id[HASH_SHA256_BYTES];   /* SHA-256 of the uncompressed layer tar */
	uint8_t root_hash[HASH_SHA256_BYTES]; /* dm-verity root hash of its EROFS */
	uint64_t data_bytes;		      /* size of the EROFS; the hash tree's superblock begins here */
};

enum policy_network { POLICY_NETWORK_UNSET, POLICY_NETWORK_NONE };
enum policy_seccomp { POLICY_SECCOMP_UNSET, POLICY_SECCOMP_DEFAULT };

/**
 * struct policy_run - what a container of this image may be run with; all of it is a ceiling
 * @argv:   the argument vectors allowed, each NULL-terminated, compared exactly
 * @env:    "K=V" strings allowed, compared exactly; nothing else may be set
 * @cwd:    working folder, absolute
 * @caps:   capability names ("CAP_NET_BIND_SERVICE"), bounding set of the container
 * @tmpfs:  absolute folders where a tmpfs (noexec, nosuid, nodev) is mounted; all else is read-only
 * @exec:   argument vectors allowed for exec into the running container; empty: exec is refused
 * @jit:    it may make executable memory of its own, on a host of the profile enforce-jit (init/bpf_lsm.h)
 */
struct policy_run {
	char ***argv;
	size_t n_argv;
	char ***exec;
	size_t n_exec;
	char **env;
	size_t n_env;
	char *cwd;
	uint32_t uid, gid;
	char **caps;
	size_t n_caps;
	char **tmpfs;
	size_t n_tmpfs;
	enum policy_network network;
	enum policy_seccomp seccomp;
	bool jit;
};

/** struct policy_image - one entry; @name is unique and valid by measure_name_is_valid() */
struct policy_image {
	char *name;
	char *class_name;
	uint8_t manifest[HASH_SHA256_BYTES];
	uint8_t config[HASH_SHA256_BYTES];
	struct policy_layer *layer;
	size_t n_layers;
	struct policy_run run;
};

/**
 * struct policy_class - who must be kept from whom; in a document that has any, each image's class is one of them
 * @first_id, @last_id: user and group numbers of its containers, both included; no number is in two classes
 * @apart:    classes that must not run while this one does; either of the two may say so
 */
struct policy_class {
	char *name;
	uint32_t first_id, last_id;
	char **apart;
	size_t n_apart;
};

/** struct policy - a parsed document; @digest is SHA-256 of its exact bytes */
struct policy {
	char *name;
	uint64_t version;
	uint8_t digest[HASH_SHA256_BYTES];
	struct policy_image *image;
	size_t n_images;
	struct policy_class *classes;
	size_t n_classes;
	uint8_t (*revoked)[HASH_SHA256_BYTES];
	size_t n_revoked;
};

/** policy_free() - release all; accepts NULL. */
void policy_free(struct policy *p);

static inline void cleanup_policy_fn(struct policy **p)
{
	policy_free(*p);
}
#define cleanup_policy __attribute__((cleanup(cleanup_policy_fn)))

/**
 * policy_parse() - strict parse of the document
 * @bytes: @len bytes, at most POLICY_MAX_BYTES
 * @name:  for messages
 * @ret:   owned
 *
 * Refuses: unknown or duplicate fields, trailing bytes, a revoked layer that is in use, two images of one name,
 * two entries whose layers are equal but sizes differ, paths with "..", and anything over a bound.
 * Return: 0 or -EINVAL with the place ("policy.json: images[2].run.args[0]: ...").
 */
int policy_parse(const void *bytes, size_t len, const char *name, struct policy **ret,
		 struct err *e) __attribute__((warn_unused_result));

/**
 * policy_load_verified() - read document, signature and certificate, check, then parse
 * @root: prefix of the three paths above ("" on the host)
 *
 * Return: 0; -EBADMSG if the signature is not by that certificate; -EINVAL malformed; other -errno unreadable.
 */
int policy_load_verified(const char *root, struct policy **ret, struct err *e) __attribute__((warn_unused_result));

/** policy_image_find() - entry by exact name, NULL if there is none. */
const struct policy_image *policy_image_find(const struct policy *p, const char *name);

/** policy_classes_are_apart() - must containers of these two classes not run at the same time? */
bool policy_classes_are_apart(const struct policy *p, const char *a, const char *b);

/** policy_layer_is_revoked() - true if the root hash is on the revocation list. */
bool policy_layer_is_revoked(const struct policy *p, const uint8_t root_hash[static HASH_SHA256_BYTES]);

#endif
