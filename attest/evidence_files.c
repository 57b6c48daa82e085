/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/evidence_files.c - evidence taken apart into files, for other programs and for people who look by hand */
#include "attest/evidence_files.h"

#include "attest/ima_log.h"
#include "attest/quote.h"
#include "attest/replay.h"
#include "common/file.h"
#include "common/hex.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *const replay_text[] = {
	[EVIDENCE_REPLAY_UNSET] = "unset",
	[EVIDENCE_REPLAY_SAME] = "the logs replay to the PCR digest in the quote",
	[EVIDENCE_REPLAY_SAME_WITHOUT_IMA] = "the logs replay to the PCR digest in the quote, if the IMA log extended nothing",
	[EVIDENCE_REPLAY_OTHER] = "the logs do not replay to the PCR digest in the quote: `explain` says where",
	[EVIDENCE_REPLAY_MALFORMED] = "a log or the quote is malformed, so pcrs was not written: `log` and `quote-check` say where",
};
_Static_assert(ARRAY_SIZE(replay_text) == EVIDENCE_REPLAY_MALFORMED + 1, "each has its sentence");

const char *evidence_replay_str(enum evidence_replay r)
{
	return replay_text[(size_t)r < ARRAY_SIZE(replay_text) ? r : EVIDENCE_REPLAY_UNSET];
}

static int put(const char *dir, const char *name, struct bytes b, struct err *e)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return err_set(e, ENAMETOOLONG, "the name %.64s... is too long", dir);
	return file_write(path, b.p, b.n, 0644, e);
}

static int put_if_there(const char *dir, const char *name, struct bytes b, struct err *e)
{
	return b.n ? put(dir, name, b, e) : 0;
}

static int put_extra(const struct evidence_files_input *in, const struct evidence *ev, const char *dir, struct err *e)
{
	char text[2 * HASH_SHA256_BYTES + 2];
	uint8_t extra[HASH_SHA256_BYTES];

	if (in->channel_key)
		evidence_channel_binding(in->nonce, in->channel_key, ev, extra);
	else
		evidence_binding(in->nonce, ev, extra);
	hex_encode(extra, sizeof(extra), text);
	text[sizeof(text) - 2] = '\n';
	return put(dir, "extra-data", (struct bytes){(const uint8_t *)text, sizeof(text) - 1}, e);
}

/* What the logs replay to. -EINVAL if one is malformed. */
static int replay(const struct evidence *ev, bool with_ima, struct replay *r, struct err *e)
{
	struct reader rd = reader_init(ev->ima_log.p, ev->ima_log.n);
	struct ima_entry en;
	size_t n = 0;
	int rc = replay_init(HASH_SHA256, r, e);

	if (!rc && ev->firmware_log.n)
		rc = replay_firmware(r, ev->firmware_log, NULL, NULL, e);
	if (!rc)
		rc = replay_os(r, ev->os_log, NULL, NULL, e);
	while (!rc && with_ima && (rc = ima_log_next(&rd, n++, &en, e)) == 1) {
		replay_extend(r, IMA_LOG_PCR, en.extend);
		rc = 0;
	}
	return rc;
}

static bool is_quoted(const struct replay *r, const struct quote *q)
{
	uint8_t digest[HASH_SHA256_BYTES];

	replay_pcr_digest(r, digest);
	return hash_equal(digest, sizeof(digest), q->pcr_digest, sizeof(q->pcr_digest));
}

static int put_pcrs(const struct evidence *ev, const char *dir, enum evidence_replay *ret, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct err malformed = ERR_INIT; /* the programs that read the file say it better */
	struct replay with, without, *r = &with;
	struct quote q;

	*ret = EVIDENCE_REPLAY_MALFORMED;
	if (quote_parse(ev->attest, &q, &malformed) || replay(ev, true, &with, &malformed) ||
	    replay(ev, false, &without, &malformed))
		return 0;
	*ret = is_quoted(&with, &q) ? EVIDENCE_REPLAY_SAME : EVIDENCE_REPLAY_OTHER;
	if (*ret == EVIDENCE_REPLAY_OTHER && is_quoted(&without, &q)) {
		*ret = EVIDENCE_REPLAY_SAME_WITHOUT_IMA;
		r = &without;
	}
	for (size_t i = 0; i < REPLAY_QUOTED_PCRS; i++) {
		char hex[2 * HASH_SHA256_BYTES + 1];

		hex_encode(r->pcr[i], HASH_SHA256_BYTES, hex);
		buf_printf(&text, "sha256 %zu %s\n", i, hex);
	}
	return text.bad ? err_set(e, ENOMEM, "no memory for PCR values") : put(dir, "pcrs", (struct bytes){text.data, text.len}, e);
}

static int put_ak(const struct enrolment *rec, const char *dir, struct err *e)
{
	const struct bytes pub = {rec->ak_public, rec->ak_public_bytes};
	cleanup_quote_ak struct quote_ak ak = {0};
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long n = 0;
	int rc = quote_ak_parse(pub, &ak, e);

	if (!rc && (!bio || PEM_write_bio_PUBKEY(bio, ak.key) != 1 || (n = BIO_get_mem_data(bio, &text)) <= 0))
		rc = pki_openssl_error(e, ENOMEM, "cannot write the AK as PEM");
	if (!rc)
		rc = put(dir, "ak.pub", pub, e);
	if (!rc)
		rc = put(dir, "ak.pem", (struct bytes){(const uint8_t *)text, (size_t)n}, e);
	BIO_free(bio);
	return rc;
}

int evidence_files_write(const struct evidence_files_input *in, const char *dir, enum evidence_replay *ret, struct err *e)
{
	struct evidence ev;
	int rc = evidence_parse(in->evidence.p, in->evidence.n, &ev, e);

	if (rc)
		return rc;
	if (mkdir(dir, 0755))
		return err_errno(e, "cannot make the folder %s, which must be a new one", dir);
	if ((rc = put_if_there(dir, "firmware.log", ev.firmware_log, e)) || (rc = put(dir, "os.log", ev.os_log, e)) ||
	    (rc = put_if_there(dir, "ima.log", ev.ima_log, e)) || (rc = put(dir, "quote", ev.attest, e)) ||
	    (rc = put(dir, "signature", ev.signature, e)) || (rc = put_extra(in, &ev, dir, e)) ||
	    (rc = put_pcrs(&ev, dir, ret, e)))
		return rc;
	return in->ak ? put_ak(in->ak, dir, e) : 0;
}
