/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/layer_service.h - the layers that a host gets by pulling: who opens them, and how that is asked
 *
 * Theory of operation
 *   A layer of the policy whose image file is not in the root, only its signature, is one that the engine pulls. The gate
 *   converts it (policy/gate_pull.c), but nothing below the engine may give the device-mapper a table. holdfast-layer may: PID 1
 *   starts it when the policy has such layers, and all it does is to open them, one request at a time:
 *
 *     layer <64 hex>   ->   ok | refused <sentence>
 *
 *   So whoever is root in the engine's context can have it open volumes that the signed policy names and does not revoke, and
 *   only as verity_layer_open() does: read-only, with the signature that the kernel checks, strict. It reads
 *   nothing else that they wrote but a superblock and the edge of a tree (verity/activate.h), by our bounded reader; the tar, gzip and JSON of an
 *   image are the gate's. What they change in the file later the kernel notices block by block.
 *
 *   One request is answered before the next is read: opening takes a fraction of a second, and a second gate that wants the
 *   same layer finds it open. Only root is answered.
 *
 *   Started once, before the engine, and never again. The engine is root in the same mount namespace: it could put another file over the
 *   program, a library of it, the policy or its certificate, and make an end of the process. Whatever was started then in its name
 *   with this right could load a table that ignores corruption, and IPE would take any bytes for signed. So all that it needs by name is
 *   read before there is an engine; each request is served by a child of the process that was there then. Killed, it stays
 *   away until the next boot, and no more layers are opened (E78).
 *
 * Input: requests and files below POLICY_PULLED_DIR: hostile. The policy: checked by policy_load_verified().
 * Runs as: holdfast-layer, a child of PID 1; the gate asks.
 */
#ifndef POLICY_LAYER_SERVICE_H
#define POLICY_LAYER_SERVICE_H

#include "common/cleanup.h"
#include "common/err.h"
#include "policy/policy.h"

#include <sys/types.h>

#define POLICY_LAYER_PROGRAM           "/usr/lib/holdfast/holdfast-layer"
#define POLICY_LAYER_SOCKET            "/run/holdfast/layer.sock"
#define POLICY_PULLED_DIR              "/var/lib/holdfast/layers"
#define POLICY_LAYER_MAX_REQUEST_BYTES 80
#define POLICY_LAYER_SECONDS           100 /* that one request may take; less than the gate waits */
#define POLICY_LAYER_MAX_ANSWER_BYTES  255

/**
 * struct policy_layer_service - what requests are held to
 * @built_in: folder of the root with signatures, and the layers that are not pulled
 * @pulled:   folder with the others
 * @open:     opens @layer from @pulled
 * @owner:    the user who is answered
 */
struct policy_layer_service {
	const struct policy *policy;
	const char *built_in;
	const char *pulled;
	int (*open)(const char *pulled, const struct policy_layer *layer, struct err *e);
	uid_t owner;
};

/** policy_layer_open() - the @open of a host. The errors of verity_layer_open(). */
int policy_layer_open(const char *pulled, const struct policy_layer *layer, struct err *e) WARN_UNUSED;

/**
 * policy_layer_answer() - one request, @packet of @len bytes, into an answer of at most @room bytes
 *
 * Return: its length; the bytes are plain ASCII without line ends.
 */
size_t policy_layer_answer(const struct policy_layer_service *s, const char *packet, size_t len, char *ret, size_t room);

/** policy_layer_listen() - a SOCK_SEQPACKET socket at @path, mode 0600, in place of one that is there. */
int policy_layer_listen(const char *path, int *ret_fd, struct err *e) WARN_UNUSED;

/** policy_layer_serve_one() - wait for a client, let a child answer it, hang up. Return: 0; -errno if it could not even be waited for. */
int policy_layer_serve_one(const struct policy_layer_service *s, int listener, struct err *e) WARN_UNUSED;

#endif
