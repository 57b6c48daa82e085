/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/agent.h - the attester: answers a verifier's questions about this host
 *
 * Theory of operation
 *   The agent decides nothing and knows no secret but what its TPM keeps; a lie of its own changes nothing that a
 *   verifier believes. So it is written to survive whoever asks: one message at a time, bounded, with a deadline, and
 *   any failure becomes an error answer.
 *
 *   The quote signs the digests of the logs, so the logs must be the ones that explain it. They are read, the quote is
 *   made, and they are read again: if one has grown meanwhile, it is all done once more, a bounded number of times. The
 *   other race is a record that was written and not yet extended: PID 1 writes first. SETTLE_MS between reading and
 *   quoting outlasts that, since the extension follows the write at once.
 *
 *   The TPM is opened, and its two keys made, with the first question; any failure closes it, which makes the kernel's
 *   resource manager forget all that was ours, and the next question opens it anew.
 *
 * Input: hostile (questions), the kernel's and PID 1's (logs). Runs as: the agent's user, a child of PID 1.
 * Spec: docs/formats/evidence.md.
 */
#ifndef ATTEST_AGENT_H
#define ATTEST_AGENT_H

#include "attest/stream.h"
#include "common/agent_user.h"
#include "common/buf.h"
#include "common/err.h"

#define AGENT_FIRMWARE_LOG        "/sys/kernel/security/tpm0/binary_bios_measurements"
#define AGENT_IMA_LOG             "/sys/kernel/security/ima/binary_runtime_measurements"
#define AGENT_COUNT_PATH          AGENT_RUN_DIR "/evidence-count"
#define AGENT_PORT_NAME_MAX_BYTES 64

struct attest_tpm;

/**
 * struct attest_agent - zero it, then set the paths
 * @tcti:         attest_tpm_open()'s; ATTEST_TPM_DEFAULT in the guest
 * @firmware_log: TCG event log
 * @os_log:       CEL_PATH in the guest
 * @ima_log:      may be missing on a kernel without IMA: then it is empty
 * @count_path:   where the number of evidences sent is published, for `holdfast-attest wait`; NULL: nowhere
 * @channel_key:  digest of our TLS key if the questions come over TLS: evidence is then bound to it; NULL: they do not
 * @talk_ms:      how long one peer may go on asking while others may be waiting; 0: for ever (nobody else is)
 * @given:        that number
 * @tpm:          open between questions; NULL at first
 */
struct attest_agent {
	const char *tcti;
	const char *firmware_log;
	const char *os_log;
	const char *ima_log;
	const char *count_path;
	const uint8_t *channel_key; /* HASH_SHA256_BYTES */
	int talk_ms;
	uint64_t given;
	struct attest_tpm *tpm;
};

/** attest_agent_close() - close the TPM. */
void attest_agent_close(struct attest_agent *a);

/**
 * attest_agent_answer() - the answer to one message
 * @ret: appended: an answer, an error answer if anything failed
 * @e:   the reason of an error answer, for the log (code 0 if there was none)
 *
 * Return: 0 if there is an answer, -ENOMEM if not even that.
 */
int attest_agent_answer(struct attest_agent *a, const void *request, size_t len, struct buf *ret,
			struct err *e) WARN_UNUSED;

/** attest_agent_tpm() - the open TPM, which the agent keeps. After -EIO of anything: attest_agent_close(). */
int attest_agent_tpm(struct attest_agent *a, struct attest_tpm **ret, struct err *e) WARN_UNUSED;

/** attest_agent_evidence() - append evidence over @nonce, bound to @a->channel_key if that is set. -EAGAIN: logs grew. */
int attest_agent_evidence(struct attest_agent *a, const uint8_t *nonce, struct buf *ret, struct err *e) WARN_UNUSED;

/** attest_agent_publish_count() - write how often evidence was handed out to @a->count_path. */
void attest_agent_publish_count(const struct attest_agent *a);

/**
 * attest_agent_talk() - answer what comes over @s until the peer goes or breaks the protocol
 * @idle_ms: longest silence between two messages, or STREAM_FOREVER; @a->talk_ms bounds the whole
 *
 * Return: -EPIPE when the peer has gone between two messages, another -errno with its reason; never 0.
 */
int attest_agent_talk(struct attest_agent *a, struct stream s, int idle_ms, struct err *e) WARN_UNUSED;

/**
 * attest_agent_port() - open the virtio port of that name
 * @sysfs: folder with one folder a port, each with a file "name": /sys/class/virtio-ports
 * @dev:   where its device node is: /dev
 *
 * Return: 0 with *@ret_fd non-blocking; -ENOENT while there is none (yet); another -errno.
 */
int attest_agent_port(const char *sysfs, const char *dev, const char *name, int *ret_fd, struct err *e) WARN_UNUSED;

#endif
