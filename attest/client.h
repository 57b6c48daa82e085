/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/client.h - the verifier's questions: who are you, prove it, show me
 *
 * Theory of operation
 *   Enrolment answers one question for good: which key is this host's attestation key, and why is that believed. One
 *   run does it all over one connection, in this order:
 *     1. ask for the public areas of EK and AK and for the EK certificate;
 *     2. hold both public areas to their templates: nothing about a key is taken from the host's word;
 *     3. believe the EK: its certificate chains to a pinned root, or its digest is the one the operator gave. There
 *     is no trust on first use;
 *     4. encrypt a fresh secret to the EK for the AK's Name, which we compute (attest/credential.h);
 *     5. compare what comes back, in constant time.
 *   Only then is there a record.
 *
 * Input: hostile (answers). Spec: docs/formats/evidence.md; TPM 2.0 Library part 1, section 24.
 */
#ifndef ATTEST_CLIENT_H
#define ATTEST_CLIENT_H

#include "attest/enrolment.h"
#include "attest/evidence.h"
#include "attest/stream.h"

#define CLIENT_DEFAULT_SECONDS 30
#define CLIENT_MAX_SECONDS     3600

struct ek_revoked;

/**
 * struct client_params - zero it, then set
 * @timeout_ms: for each answer
 * @ek_roots:   PEM file of pinned roots, or NULL
 * @ek_sha256:  digest of the EK's TPMT_PUBLIC given by the operator, or NULL. Exactly one of the three is set.
 * @provider_roots: PEM file of providers of virtual machines, or NULL
 * @revoked:    what is not believed any more, or NULL; @now_s for its CRLs
 */
struct client_params {
	int timeout_ms;
	const char *ek_roots;
	const char *provider_roots;
	const struct ek_revoked *revoked;
	int64_t now_s;
	const uint8_t *ek_sha256;
};

/**
 * struct client_connection - @stream to ask over; with TLS, @channel_key is the digest of the host's key
 *
 * Zero it, set @fd to -1; release with client_connection_close().
 */
struct client_connection {
	struct stream stream;
	int fd;
	bool has_key;
	uint8_t channel_key[HASH_SHA256_BYTES];
};

/**
 * attest_client_connect() - connect to "unix:PATH", "tls:HOST:PORT" or "tls:vsock:CID:PORT"
 *
 * Over TLS the host's certificate is not believed: evidence that is asked for must be bound to @ret->channel_key.
 * -EINVAL for another scheme.
 */
int attest_client_connect(const char *where, int timeout_ms, struct client_connection *ret, struct err *e) WARN_UNUSED;
void client_connection_close(struct client_connection *c);
#define cleanup_client_connection __attribute__((cleanup(client_connection_close)))

/**
 * attest_client_enrol() - the five steps above
 *
 * Return: 0 with a complete record; -EBADMSG checked and bad; other -errno could not check.
 */
int attest_client_enrol(struct stream s, const struct client_params *p, struct enrolment *ret, struct err *e) WARN_UNUSED;

/**
 * attest_client_evidence() - ask for evidence over @nonce
 * @c:   a connection; over TLS the evidence must be bound to its key
 * @ret: appended: the evidence, not judged. Evidence whose quote is over another nonce is passed over: it was meant for
 * somebody who asked before us and gave up.
 *
 * Return: 0; -EREMOTEIO with the agent's words if it could not; another -errno.
 */
int attest_client_evidence(const struct client_connection *c, int timeout_ms, const uint8_t nonce[static EVIDENCE_NONCE_BYTES], struct buf *ret,
			   struct err *e) WARN_UNUSED;

#endif
