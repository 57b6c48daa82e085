/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/agent.c - the attester: answers a verifier's questions about this host */
#include "attest/agent.h"

#include "attest/message.h"
#include "attest/stream.h"
#include "attest/tpm.h"
#include "common/clock.h"
#include "common/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#define MESSAGE_MS 10000 /* for a message that has begun, and for an answer to be taken */
#define SETTLE_MS  20
#define MAX_TRIES  5

void attest_agent_close(struct attest_agent *a)
{
	attest_tpm_free(take_ptr(a->tpm));
}

static int need_tpm(struct attest_agent *a, struct err *e)
{
	return a->tpm ? 0 : attest_tpm_open(a->tcti, &a->tpm, e);
}

int attest_agent_tpm(struct attest_agent *a, struct attest_tpm **ret, struct err *e)
{
	int rc = need_tpm(a, e);

	if (!rc)
		*ret = a->tpm;
	return rc;
}

/* ---- evidence --------------------------------------------------------------------------------------------------- */

struct logs {
	struct buf firmware;
	struct buf os;
	struct buf ima;
};

static void logs_free(struct logs *l)
{
	buf_free(&l->firmware);
	buf_free(&l->os);
	buf_free(&l->ima);
}
#define cleanup_logs __attribute__((cleanup(logs_free)))

static int logs_read(const struct attest_agent *a, struct logs *ret, struct err *e)
{
	int rc = file_read(a->firmware_log, EVIDENCE_MAX_BYTES, &ret->firmware, e);

	if (rc == 0 || rc == -ENOENT) /* no UEFI, no log: it is the verifier who says whether that may be */
		rc = file_read(a->os_log, EVIDENCE_MAX_BYTES, &ret->os, e);
	if (rc < 0)
		return rc;
	rc = file_read(a->ima_log, EVIDENCE_MAX_BYTES, &ret->ima, e);
	return rc == -ENOENT ? 0 : rc;
}

static bool same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (!a->len || memcmp(a->data, b->data, a->len) == 0);
}

static bool logs_same(const struct logs *a, const struct logs *b)
{
	return same(&a->firmware, &b->firmware) && same(&a->os, &b->os) && same(&a->ima, &b->ima);
}

static void settle(void)
{
	const struct timespec t = {.tv_nsec = SETTLE_MS * 1000000L};

	(void)nanosleep(&t, NULL); /* cut short by a signal: then the verifier may refuse, and ask again */
}

/* One round: logs, quote, logs again. Return: 1 if @ret is evidence, 0 if a log grew meanwhile, -errno. */
static int evidence_round(struct attest_agent *a, const uint8_t *nonce, struct buf *ret, struct err *e)
{
	cleanup_logs struct logs before = {0}, after = {0};
	cleanup_buf struct buf attest = BUF_INIT, signature = BUF_INIT;
	struct evidence ev = {0};
	uint8_t binding[HASH_SHA256_BYTES];
	int rc = logs_read(a, &before, e);

	if (rc < 0)
		return rc;
	settle();
	ev.firmware_log = (struct bytes){before.firmware.data, before.firmware.len};
	ev.os_log = (struct bytes){before.os.data, before.os.len};
	ev.ima_log = (struct bytes){before.ima.data, before.ima.len};
	if (a->channel_key)
		evidence_channel_binding(nonce, a->channel_key, &ev, binding);
	else
		evidence_binding(nonce, &ev, binding);
	rc = attest_tpm_quote(a->tpm, binding, &attest, &signature, e);
	if (rc < 0)
		return rc;
	rc = logs_read(a, &after, e);
	if (rc < 0)
		return rc;
	if (!logs_same(&before, &after))
		return 0;
	ev.attest = (struct bytes){attest.data, attest.len};
	ev.signature = (struct bytes){signature.data, signature.len};
	rc = evidence_encode(&ev, ret, e);
	return rc < 0 ? rc : 1;
}

int attest_agent_evidence(struct attest_agent *a, const uint8_t *nonce, struct buf *ret, struct err *e)
{
	int rc = need_tpm(a, e);

	for (int i = 0; i < MAX_TRIES && rc == 0; i++)
		rc = evidence_round(a, nonce, ret, e);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(e, EAGAIN, "the logs grew during each of %d quotes", MAX_TRIES);
	a->given++;
	return 0;
}

static int answer_evidence(struct attest_agent *a, const struct message *request, struct buf *ret, struct err *e)
{
	cleanup_buf struct buf evidence = BUF_INIT;
	struct message m = {.kind = MESSAGE_EVIDENCE};
	int rc = attest_agent_evidence(a, request->field[0].p, &evidence, e);

	if (rc < 0)
		return rc;
	m.field[0] = (struct bytes){evidence.data, evidence.len};
	return message_encode(&m, ret, e);
}

void attest_agent_publish_count(const struct attest_agent *a)
{
	struct err ignored = ERR_INIT; /* whoever waits for the count gives up at its own deadline and says so */
	char text[24];
	int n = snprintf(text, sizeof(text), "%llu\n", (unsigned long long)a->given);

	if (a->count_path)
		(void)!file_write(a->count_path, text, (size_t)n, 0644, &ignored);
}

/* ---- the other answers ------------------------------------------------------------------------------------------ */

static int answer_identity(struct attest_agent *a, struct buf *ret, struct err *e)
{
	cleanup_buf struct buf ek = BUF_INIT, certificate = BUF_INIT, ak = BUF_INIT;
	struct message m = {.kind = MESSAGE_IDENTITY};
	int rc = attest_tpm_identity(a->tpm, &ek, &certificate, &ak, e);

	if (rc < 0)
		return rc;
	m.field[0] = (struct bytes){ek.data, ek.len};
	m.field[1] = (struct bytes){certificate.data, certificate.len};
	m.field[2] = (struct bytes){ak.data, ak.len};
	return message_encode(&m, ret, e);
}

static int answer_activation(struct attest_agent *a, const struct message *request, struct buf *ret, struct err *e)
{
	cleanup_buf struct buf credential = BUF_INIT;
	struct message m = {.kind = MESSAGE_ACTIVATED};
	int rc = attest_tpm_activate(a->tpm, &request->field[0], &request->field[1], &credential, e);

	if (rc < 0)
		return rc;
	m.field[0] = (struct bytes){credential.data, credential.len};
	return message_encode(&m, ret, e);
}

static int answer(struct attest_agent *a, const void *request, size_t len, struct buf *ret, struct err *e)
{
	struct message m;
	int rc = message_parse(MESSAGE_REQUEST, request, len, &m, e);

	if (rc < 0)
		return rc;
	rc = need_tpm(a, e);
	if (rc < 0)
		return rc;
	if (m.kind == MESSAGE_IDENTIFY)
		rc = answer_identity(a, ret, e);
	else if (m.kind == MESSAGE_ACTIVATE)
		rc = answer_activation(a, &m, ret, e);
	else
		rc = answer_evidence(a, &m, ret, e);
	if (rc == -EIO)
		attest_agent_close(a);
	return rc;
}

int attest_agent_answer(struct attest_agent *a, const void *request, size_t len, struct buf *ret, struct err *e)
{
	cleanup_buf struct buf good = BUF_INIT;
	struct err bad = ERR_INIT;

	if (answer(a, request, len, &good, e) == 0) {
		buf_put(ret, good.data, good.len);
		return ret->bad ? err_set(e, ENOMEM, "no memory for an answer") : 0;
	}
	return message_error(e->msg, ret, &bad);
}

/* ---- conversation ----------------------------------------------------------------------------------------------- */

/* The next question, unless the peer's turn is over. Its last answer was sent, however long that took. */
static int next_question(const struct attest_agent *a, struct stream s, int64_t since_ms, int idle_ms, struct buf *ret,
			 struct err *e)
{
	int64_t left = since_ms + a->talk_ms - clock_ms(CLOCK_MONOTONIC);

	if (a->talk_ms && left <= 0)
		return err_set(e, ETIMEDOUT, "receive: the peer has asked for %d s, which is its turn", a->talk_ms / 1000);
	if (a->talk_ms && (idle_ms < 0 || left < idle_ms))
		idle_ms = (int)left;
	return attest_stream_recv(s, idle_ms, MESSAGE_MS, ret, e);
}

int attest_agent_talk(struct attest_agent *a, struct stream s, int idle_ms, struct err *e)
{
	cleanup_buf struct buf request = BUF_INIT;
	int64_t since_ms = clock_ms(CLOCK_MONOTONIC);
	int rc;

	while ((rc = next_question(a, s, since_ms, idle_ms, &request, e)) == 0) {
		cleanup_buf struct buf reply = BUF_INIT;
		struct err why = ERR_INIT; /* said to the peer */
		uint64_t given = a->given;

		if (attest_agent_answer(a, request.data, request.len, &reply, &why) < 0)
			return err_set(e, ENOMEM, "no memory for an answer");
		rc = attest_stream_send(s, MESSAGE_MS, reply.data, reply.len, e);
		if (rc < 0)
			return rc;
		if (a->given != given)
			attest_agent_publish_count(a);
	}
	return rc;
}

/* The text of a port's "name" file, compared with @name. */
static bool port_is(const char *sysfs, const char *port, const char *name)
{
	char path[PATH_MAX];
	cleanup_buf struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT; /* a port may vanish between readdir and open */

	if (snprintf(path, sizeof(path), "%s/%s/name", sysfs, port) >= (int)sizeof(path) ||
	    file_read(path, AGENT_PORT_NAME_MAX_BYTES + 1, &text, &ignored) < 0)
		return false;
	if (text.len && text.data[text.len - 1] == '\n')
		text.len--;
	return text.len == strlen(name) && memcmp(text.data, name, text.len) == 0;
}

int attest_agent_port(const char *sysfs, const char *dev, const char *name, int *ret_fd, struct err *e)
{
	DIR *d = opendir(sysfs);
	struct dirent *entry;
	char path[PATH_MAX] = "";
	cleanup_fd int fd = -1;

	if (!d)
		return err_errno(e, "cannot open folder %s", sysfs);
	while (!*path && (entry = readdir(d)))
		if (entry->d_name[0] != '.' && port_is(sysfs, entry->d_name, name))
			(void)snprintf(path, sizeof(path), "%s/%s", dev,
				       entry->d_name); /* a cut name cannot be opened */
	(void)closedir(d);                             /* was only read */
	if (!*path)
		return err_set(e, ENOENT, "no port below %s has the name %s", sysfs, name);
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_errno(e, "cannot open %s", path);
	*ret_fd = take_fd(&fd);
	return 0;
}
