/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/cel_json.c - our OS event log as CEL-JSON, for systemd's tools */
#include "attest/cel_json.h"

#include "attest/event_log.h"
#include "common/hex.h"

static json_object *digests_of(const struct cel_record *rec)
{
	json_object *array = json_object_new_array();
	bool ok = array;

	for (size_t i = 0; ok && i < rec->n_digests; i++) {
		const struct cel_digest *d = &rec->digest[i];
		json_object *o = json_object_new_object();

		ok = o && json_put(o, "hashAlg", json_object_new_string(hash_name(d->alg))) &&
		     json_put(o, "digest", json_hex(d->digest, hash_bytes(d->alg)));
		ok = json_push(array, o) && ok;
	}
	if (ok)
		return array;
	(void)json_object_put(array); /* accepts NULL */
	return NULL;
}

static json_object *content_of(const struct cel_record *rec)
{
	char name[CEL_MAX_NAME_BYTES], data[2 * CEL_MAX_DATA_BYTES + 1];
	json_object *o = json_object_new_object();

	for (size_t i = 0; i < rec->name_bytes; i++)
		name[i] = rec->name[i] >= ' ' && rec->name[i] <= '~' ? rec->name[i] : '?';
	hex_encode(rec->data, rec->data_bytes, data);
	if (o && json_put(o, "name", json_object_new_string_len(name, (int)rec->name_bytes)) &&
	    json_put(o, "data", json_object_new_string(data)))
		return o;
	(void)json_object_put(o); /* accepts NULL */
	return NULL;
}

static int put_record(struct buf *out, const struct cel_record *rec, struct err *e)
{
	cleanup_json json_object *o = json_object_new_object();

	if (!o || !json_put(o, "pcr", json_object_new_int64(rec->pcr)) ||
	    !json_put(o, "recnum", json_object_new_int64((int64_t)rec->recnum)) ||
	    !json_put(o, "digests", digests_of(rec)) ||
	    !json_put(o, "content_type", json_object_new_string(EVENT_LOG_CEL_HOLDFAST)) ||
	    !json_put(o, "content", content_of(rec)))
		return err_set(e, ENOMEM, "no memory for the log as JSON");
	buf_u8(out, EVENT_LOG_RS);
	return json_write(out, o, e); /* ends with LF */
}

int cel_json_export(struct bytes log, struct buf *out, struct err *e)
{
	struct reader r = reader_init(log.p, log.n);
	cleanup_buf struct buf text = BUF_INIT;
	struct cel_record rec;
	int rc;

	for (uint64_t n = 0; (rc = cel_next(&r, n, &rec, e)) == 1; n++) {
		rc = put_record(&text, &rec, e);
		if (rc)
			return rc;
		if (text.len > EVENT_LOG_MAX_JSON_BYTES)
			return err_set(e, EINVAL, "OS event log: record %llu ends beyond %d bytes of JSON, more than a log has",
				       (unsigned long long)n, EVENT_LOG_MAX_JSON_BYTES);
	}
	if (rc)
		return rc;
	buf_put(out, text.data, text.len);
	return text.bad || out->bad ? err_set(e, ENOMEM, "no memory for the log as JSON") : 0;
}
