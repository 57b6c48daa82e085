/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/agent_channel.h - the agent's TLS identity by a key in the TPM: policy, key, proof and certificate together
 *
 * Each handshake asks the TPM for one signature, through the agent's own connection to it; a TPM that went away and came back
 * has the same key. Runs as: the agent's user.
 */
#ifndef ATTEST_AGENT_CHANNEL_H
#define ATTEST_AGENT_CHANNEL_H

#include "attest/agent.h"
#include "attest/tls.h"
#include "attest/tpm_channel.h"
#include "attest/tpm_key.h"

/** struct agent_channel - zero it; must not move once it is open, for OpenSSL's key points into it */
struct agent_channel {
	struct attest_agent *agent;
	struct tpm_channel_policy policy;
	struct tpm_key key;
	struct tls_identity id;
};

/**
 * agent_channel_open() - make the identity, and bind @a's evidence to it
 * @pcr_key, @pcr_signature: files, PCR_POLICY_KEY and PCR_POLICY_PATH on a host
 *
 * The certificate is self-signed by the key, so in a state that nobody signed this fails at once: -EACCES. -ENOENT: the host was
 * not built for it; -EIO: the TPM.
 */
int agent_channel_open(struct agent_channel *c, struct attest_agent *a, const char *pcr_key, const char *pcr_signature,
		       struct err *e) WARN_UNUSED;

/** agent_channel_close() - release, also one that could not be opened. */
void agent_channel_close(struct agent_channel *c);
#define cleanup_agent_channel __attribute__((cleanup(agent_channel_close)))

#endif
