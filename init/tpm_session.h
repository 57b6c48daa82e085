/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/tpm_session.h - TPM commands under salted sessions: what PID 1 does with the TPM besides measuring
 *
 * Theory of operation
 *   PID 1 has no tss2 (ESYS and its transports are twice its size, and allocate); what it needs are a dozen commands of fixed
 *   shape, so each is a struct pid1_tpm_cmd that its caller fills. Names, cpHash, HMACs and the first parameter's
 *   encryption (AES-128-CFB) are made here from it.
 *   Each session is salted with the storage root key at its persistent handle (0x81000001, P-256, as systemd and the TCG
 *   have it): who listens on the TPM's bus learns neither secrets nor authorisations, and who changes bytes there is
 *   noticed by the HMAC, in both directions. Whoever can exchange the SRK's public key on the bus from the first
 *   boot on is in the middle; its name is therefore remembered (init/floor.h) and compared.
 *   All of this is done before PID 1's point of no return: OpenSSL allocates. pid1_tpm_prepare() exists for the
 *   one command that must be sent after it.
 *
 * Input: the TPM's answers are hostile until their HMAC was checked; all go through the bounded reader.
 * Runs as: PID 1. Spec: TPM 2.0 Library part 1, sections 11.4.10 (KDFa, KDFe), 19 (sessions), 21 (encryption),
 * annex C.6.1 (ECDH); TCG TPM v2.0 Provisioning Guidance 7.5.1 (SRK).
 */
#ifndef INIT_TPM_SESSION_H
#define INIT_TPM_SESSION_H

#include "common/cleanup.h"
#include "common/hash.h"
#include "common/tpm_io.h"

#include <stdbool.h>

#define PID1_TPM_NAME_BYTES      34 /* TPM_ALG_SHA256 and a digest */
#define PID1_TPM_MAX_PARAM_BYTES 700
#define PID1_TPM_SRK             0x81000001u
#define PID1_TPM_RH_OWNER        0x40000001u
#define PID1_TPM_RH_NULL         0x40000007u
#define PID1_TPM_RH_LOCKOUT      0x4000000au

/** struct pid1_tpm_entity - a handle; its name too, if it is not a hierarchy or session */
struct pid1_tpm_entity {
	uint32_t handle;
	uint8_t name[PID1_TPM_NAME_BYTES];
};

/** struct pid1_tpm_srk - the storage root key and its public point */
struct pid1_tpm_srk {
	struct pid1_tpm_entity key;
	uint8_t x[32], y[32];
};

/** struct pid1_tpm_session - zero it, pid1_tpm_begin(), pid1_tpm_end() */
struct pid1_tpm_session {
	uint32_t handle;
	uint8_t key[HASH_SHA256_BYTES];
	uint8_t tpm_nonce[HASH_SHA256_BYTES], our_nonce[HASH_SHA256_BYTES];
};

/**
 * struct pid1_tpm_cmd - one command; zero it, then set
 * @code:        TPM_CC
 * @on, @n_on:   its handles
 * @authorised:  the first handle wants authorisation: by @session, or by the empty password if that is NULL
 * @value:       authValue (32 bytes) of the first handle, as far as @session needs it; NULL: empty
 * @new_value:   that which it has after this command, if the command changes it
 * @hide, @hidden: the first parameter of command or answer is encrypted (its TPM2B's content)
 * @last:        the TPM ends the session with this command
 * @gives_handle: the answer begins with a handle, left in @handle
 * @param, @n:   the parameters; pid1_tpm_put() and its kin
 */
struct pid1_tpm_cmd {
	uint32_t code;
	const struct pid1_tpm_entity *on[2];
	size_t n_on;
	bool authorised;
	struct pid1_tpm_session *session;
	const uint8_t *value, *new_value;
	bool hide, hidden, last;
	bool gives_handle;
	uint32_t handle;
	uint8_t param[PID1_TPM_MAX_PARAM_BYTES];
	size_t n;
	bool bad;
};

/** pid1_tpm_put() - an integer of @width bytes. _bytes(): as they are. _2b(): with their length before them. Too many: @c->bad. */
void pid1_tpm_put(struct pid1_tpm_cmd *c, uint64_t v, size_t width);
void pid1_tpm_put_bytes(struct pid1_tpm_cmd *c, const void *data, size_t n);
void pid1_tpm_put_2b(struct pid1_tpm_cmd *c, const void *data, size_t n);

/** struct pid1_tpm_wire - a command as it is sent; with n 0: none */
struct pid1_tpm_wire {
	uint8_t b[TPM_IO_MAX_BYTES];
	size_t n;
};

/** pid1_tpm_prepare() - the bytes of @c, authorised now, to be sent once and before its session is used for anything else. */
int pid1_tpm_prepare(struct pid1_tpm_cmd *c, struct pid1_tpm_wire *ret, struct err *e) WARN_UNUSED;

/**
 * pid1_tpm_run() - send @c; check the answer's HMAC if it has a session
 * @ret: the answer's parameters, decrypted; in @t's room
 *
 * Return: 0; -EPROTO with t->code set if the TPM refused, 0 if its answer is malformed; -EBADMSG: HMAC wrong; other -errno.
 */
int pid1_tpm_run(struct tpm_io *t, struct pid1_tpm_cmd *c, struct reader *ret, struct err *e) WARN_UNUSED;

/** pid1_tpm_srk_read() - the SRK. t->code is TPM_RC_HANDLE if there is none; -ENOTSUP if it is no P-256 storage key. */
int pid1_tpm_srk_read(struct tpm_io *t, struct pid1_tpm_srk *ret, struct err *e) WARN_UNUSED;

/** pid1_tpm_srk_make() - derive it from the owner's seed and make it persistent. The owner's authValue must be empty. */
int pid1_tpm_srk_make(struct tpm_io *t, struct err *e) WARN_UNUSED;

/** pid1_tpm_begin() - a session salted with @srk. @policy: a policy session, else HMAC. It stays until pid1_tpm_end(). */
int pid1_tpm_begin(struct tpm_io *t, const struct pid1_tpm_srk *srk, bool policy, struct pid1_tpm_session *ret,
		   struct err *e) WARN_UNUSED;

/** pid1_tpm_end() - flush it (errors do not matter: the TPM forgets it at the next reset) and wipe it. */
void pid1_tpm_end(struct tpm_io *t, struct pid1_tpm_session *s);

/** pid1_tpm_flush() - forget a transient object or session. */
void pid1_tpm_flush(struct tpm_io *t, uint32_t handle);

/** pid1_tpm_name() - SHA-256 name of an entity's public area. */
void pid1_tpm_name(const void *public, size_t n, uint8_t ret[static PID1_TPM_NAME_BYTES]);

/** pid1_tpm_2b() - a TPM2B of at most @max bytes, in place; *@ret_n is 0 and NULL if it is longer, and @r bad. */
const uint8_t *pid1_tpm_2b(struct reader *r, size_t max, size_t *ret_n);

#endif
