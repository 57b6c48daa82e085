/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/event_log.c - one walk over an event log of any format, with its replay */
#include "attest/event_log.h"

#include "common/hex.h"

#include <stdio.h>
#include <string.h>

/* CEL 5.1: types of the top level, and our content. */
enum {
	CEL_RECNUM = 0,
	CEL_PCR = 1,
	CEL_NV_INDEX = 2,
	CEL_DIGESTS = 3,
	CEL_HOLDFAST = 240,
};

static const char *const format_names[] = {
	[EVENT_LOG_UNSET] = "none",	  [EVENT_LOG_SHA1] = "sha1",	     [EVENT_LOG_AGILE] = "agile",
	[EVENT_LOG_CEL_TLV] = "cel-tlv", [EVENT_LOG_CEL_JSON] = "cel-json",
};
_Static_assert(ARRAY_SIZE(format_names) == EVENT_LOG_CEL_JSON + 1, "each format has its name");

const char *event_log_format_str(enum event_log_format format)
{
	return (size_t)format < ARRAY_SIZE(format_names) ? format_names[format] : "none";
}

int event_log_bank(const struct event_log *log, enum hash_alg alg)
{
	for (size_t i = 0; i < log->n_banks; i++)
		if (log->bank[i].alg == alg)
			return (int)i;
	return -1;
}

int event_log_strongest(const struct event_log *log)
{
	static const enum hash_alg order[] = {HASH_SHA256, HASH_SHA384, HASH_SHA512, HASH_SHA1};

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		int bank = event_log_bank(log, order[i]);

		if (bank >= 0 && log->can_replay[bank])
			return bank;
	}
	return -1;
}

static void set_label(struct event_log_event *ev, const char *text, size_t n)
{
	size_t i = 0;

	for (; i < n && i + 1 < sizeof(ev->label); i++)
		ev->label[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	ev->label[i] = '\0';
}

static int add_bank(struct event_log *log, uint16_t alg, uint16_t bytes, struct err *e)
{
	size_t at = log->n_banks;
	int rc;

	log->bank[at] = (struct tcg_bank){alg, bytes};
	log->can_replay[at] = hash_can_compute(alg);
	if (log->can_replay[at]) {
		rc = replay_init(alg, &log->replay[at], e);
		if (rc)
			return rc;
	}
	log->n_banks++;
	return 0;
}

/* --- CEL, TLV ------------------------------------------------------------------------------------------------------
 */

static struct reader take_tlv(struct reader *r, uint8_t *ret_type)
{
	uint32_t len;

	*ret_type = reader_u8(r);
	len = reader_u32be(r);
	return reader_sub(r, len);
}

/* A big-endian integer of 1 to @max bytes that fills @r. */
static uint64_t take_int(struct reader *r, size_t max)
{
	uint64_t v = 0;

	if (!r->left || r->left > max)
		r->bad = true;
	while (!r->bad && r->left)
		v = v << 8 | reader_u8(r);
	return v;
}

/* One digest of a record. The first record decides which banks there are. */
static int take_cel_digest(struct event_log *log, size_t index, uint16_t alg, struct bytes digest,
			   struct event_log_event *ev, struct err *e)
{
	int bank = event_log_bank(log, alg);

	if (!hash_bytes(alg) || digest.n != hash_bytes(alg))
		return err_set(e, EINVAL, "CEL: record %zu: digest of algorithm 0x%x with %zu bytes (CEL 4.2.3)", index,
			       (unsigned)alg, digest.n);
	if (bank < 0 && !index && log->n_banks < TCG_LOG_MAX_BANKS) {
		int rc = add_bank(log, alg, (uint16_t)digest.n, e);

		if (rc)
			return rc;
		bank = (int)log->n_banks - 1;
	}
	if (bank < 0 || ev->digest[bank])
		return err_set(e, EINVAL, "CEL: record %zu: a digest of bank %s %s", index, hash_name(alg),
			       bank < 0 ? "that the first record does not have" : "twice");
	ev->digest[bank] = digest.p;
	return 0;
}

static int check_banks(const struct event_log *log, const struct event_log_event *ev, struct err *e)
{
	for (size_t i = 0; i < log->n_banks; i++)
		if (!ev->digest[i])
			return err_set(e, EINVAL, "CEL: record %zu lacks the digest of bank %s", ev->index,
				       hash_name(log->bank[i].alg));
	if (!log->n_banks)
		return err_set(e, EINVAL, "CEL: record %zu has no digest", ev->index);
	return 0;
}

/* The digests of our events are those of their data. */
static int check_holdfast(const struct event_log *log, const struct event_log_event *ev, struct err *e)
{
	uint8_t h[HASH_MAX_BYTES];

	for (size_t i = 0; i < log->n_banks; i++)
		if (hash_once(log->bank[i].alg, ev->data.p, ev->data.n, h) &&
		    !hash_equal(h, log->bank[i].bytes, ev->digest[i], log->bank[i].bytes))
			return err_set(e, EINVAL, "CEL: record %zu: %s digest is not that of its data", ev->index,
				       hash_name(log->bank[i].alg));
	return 0;
}

/* Our content (common/cel.h): name, then the data that was hashed. */
static int take_holdfast(const struct event_log *log, struct reader c, struct event_log_event *ev, struct err *e)
{
	uint8_t name_type, data_type;
	struct reader name = take_tlv(&c, &name_type), data = take_tlv(&c, &data_type);

	if (!reader_done(&c) || name_type != 0 || data_type != 1)
		return err_set(e, EINVAL, "CEL: record %zu: its content is not one name and one data", ev->index);
	set_label(ev, (const char *)name.p, name.left);
	ev->data = (struct bytes){data.p, data.left};
	return check_holdfast(log, ev, e);
}

static int parse_tlv(struct event_log *log, struct event_log_event *ev, struct err *e)
{
	size_t at = reader_offset(&log->r);
	uint8_t t_num, t_pcr, t_digests, t_content;
	struct reader num = take_tlv(&log->r, &t_num), pcr = take_tlv(&log->r, &t_pcr);
	struct reader digests = take_tlv(&log->r, &t_digests), content = take_tlv(&log->r, &t_content);
	uint64_t number = take_int(&num, 8), index = take_int(&pcr, 4);
	int rc = 0;

	if (log->r.bad || num.bad || pcr.bad || t_num != CEL_RECNUM || (t_pcr != CEL_PCR && t_pcr != CEL_NV_INDEX) ||
	    t_digests != CEL_DIGESTS || t_content <= CEL_DIGESTS)
		return err_set(e, EINVAL,
			       "CEL: record at offset %zu is cut short or not number, PCR, digests, content (CEL 5.1)", at);
	if (number != ev->index)
		return err_set(e, EINVAL, "CEL: record at offset %zu has number %llu, wanted %zu", at,
			       (unsigned long long)number, ev->index);
	ev->no_action = t_pcr == CEL_NV_INDEX;
	ev->pcr = (uint32_t)index;
	while (!rc && digests.left) {
		uint8_t alg;
		struct reader d = take_tlv(&digests, &alg);

		if (digests.bad)
			return err_set(e, EINVAL, "CEL: record %zu: its digests are cut short", ev->index);
		rc = take_cel_digest(log, ev->index, alg, (struct bytes){d.p, d.left}, ev, e);
	}
	if (!rc)
		rc = check_banks(log, ev, e);
	if (rc)
		return rc;
	if (t_content == CEL_HOLDFAST)
		return take_holdfast(log, content, ev, e);
	(void)snprintf(ev->label, sizeof(ev->label), "content type %u", (unsigned)t_content); /* fits */
	ev->data = (struct bytes){content.p, content.left};
	return 0;
}

/* --- CEL, JSON -----------------------------------------------------------------------------------------------------
 */

static int parse_json_digests(struct event_log *log, json_object *array, struct event_log_event *ev, struct err *e)
{
	static const char *const keys[] = {"hashAlg", "digest", NULL};
	size_t n = json_object_array_length(array);
	char where[32];
	int rc;

	(void)snprintf(where, sizeof(where), "CEL: record %zu", ev->index); /* cut is fine: for messages */
	for (size_t i = 0; i < n; i++) {
		json_object *d = json_object_array_get_idx(array, i);
		const char *name, *hex;
		enum hash_alg alg;

		if ((rc = json_check_keys(d, where, keys, e)) ||
		    (rc = json_get_str(d, where, "hashAlg", 16, &name, e)) ||
		    (rc = json_get_str(d, where, "digest", 2 * HASH_MAX_BYTES, &hex, e)))
			return rc;
		alg = hash_by_name(!strcmp(name, "sm3") ? "sm3_256" : name);
		if (i >= TCG_LOG_MAX_BANKS || alg == HASH_NONE || !hex_decode(hex, log->digest[i], hash_bytes(alg)))
			return err_set(e, EINVAL, "%s: digest %zu of hash \"%s\" is not its size in lower-case hex", where,
				       i, alg == HASH_NONE ? "unknown" : name);
		rc = take_cel_digest(log, ev->index, (uint16_t)alg, (struct bytes){log->digest[i], hash_bytes(alg)}, ev,
				     e);
		if (rc)
			return rc;
	}
	return check_banks(log, ev, e);
}

/* Our content, as attest/cel_json.c writes it. */
static int parse_json_holdfast(struct event_log *log, json_object *o, struct event_log_event *ev, struct err *e)
{
	static const char *const keys[] = {"name", "data", NULL};
	const char *name, *hex;
	json_object *content;
	char where[48];
	size_t n;
	int rc;

	(void)snprintf(where, sizeof(where), "CEL: record %zu: content", ev->index); /* fits */
	if ((rc = json_get(o, where, "content", json_type_object, &content, e)) ||
	    (rc = json_check_keys(content, where, keys, e)) ||
	    (rc = json_get_str(content, where, "name", CEL_MAX_NAME_BYTES, &name, e)) ||
	    (rc = json_get_str(content, where, "data", 2 * CEL_MAX_DATA_BYTES, &hex, e)))
		return rc;
	n = strlen(hex) / 2;
	if (!hex_decode(hex, log->data, n))
		return err_set(e, EINVAL, "%s: \"data\" is not bytes in lower-case hex", where);
	set_label(ev, name, strlen(name));
	ev->data = (struct bytes){log->data, n};
	return check_holdfast(log, ev, e);
}

static int parse_record(struct event_log *log, json_object *o, struct event_log_event *ev, struct err *e)
{
	static const char *const keys[] = {"recnum", "pcr", "nv_index", "digests", "content_type", "content", NULL};
	char where[32];
	json_object *digests;
	uint64_t v = 0;
	const char *type;
	int rc;

	(void)snprintf(where, sizeof(where), "CEL: record %zu", ev->index); /* cut is fine: for messages */
	rc = json_check_keys(o, where, keys, e);
	if (!rc && json_object_object_get_ex(o, "recnum", NULL))
		rc = json_get_u64(o, where, "recnum", UINT32_MAX, &v, e);
	else
		v = ev->index; /* systemd gives none */
	if (rc)
		return rc;
	if (v != ev->index)
		return err_set(e, EINVAL, "%s has number %llu", where, (unsigned long long)v);
	ev->no_action = !json_object_object_get_ex(o, "pcr", NULL);
	rc = json_get_u64(o, where, ev->no_action ? "nv_index" : "pcr", UINT32_MAX, &v, e);
	ev->pcr = (uint32_t)v;
	if (!rc && !ev->no_action && json_object_object_get_ex(o, "nv_index", NULL))
		rc = err_set(e, EINVAL, "%s names a PCR and an NV index", where);
	if (rc || (rc = json_get(o, where, "digests", json_type_array, &digests, e)) ||
	    (rc = parse_json_digests(log, digests, ev, e)) ||
	    (rc = json_get_str(o, where, "content_type", 64, &type, e)))
		return rc;
	if (!strcmp(type, EVENT_LOG_CEL_HOLDFAST))
		return parse_json_holdfast(log, o, ev, e);
	set_label(ev, type, strlen(type));
	(void)json_object_object_get_ex(o, "content", &ev->content); /* absent: stays NULL */
	return 0;
}

static int parse_json(struct event_log *log, struct event_log_event *ev, struct err *e)
{
	size_t at = reader_offset(&log->r), n = 0;
	const uint8_t *end;
	char name[40];
	int rc;

	if (log->array)
		return parse_record(log, json_object_array_get_idx(log->array, ev->index), ev, e);
	if (reader_u8(&log->r) != EVENT_LOG_RS)
		return err_set(e, EINVAL, "CEL: offset %zu: a record does not begin with RS (RFC 7464)", at);
	end = memchr(log->r.p, EVENT_LOG_RS, log->r.left);
	n = end ? (size_t)(end - log->r.p) : log->r.left;
	if (!n || log->r.p[n - 1] != '\n')
		return err_set(e, EINVAL, "CEL: record %zu at offset %zu is cut short: no LF at its end (RFC 7464)",
			       ev->index, at);
	(void)json_object_put(log->record); /* drops our reference; accepts NULL */
	log->record = NULL;
	(void)snprintf(name, sizeof(name), "CEL: record %zu", ev->index); /* cut is fine: for messages */
	rc = json_parse(log->r.p, n, name, &log->record, e);
	(void)reader_bytes(&log->r, n);
	return rc ? rc : parse_record(log, log->record, ev, e);
}

static int open_json(struct event_log *log, struct bytes b, struct err *e)
{
	int rc;

	if (b.n > EVENT_LOG_MAX_JSON_BYTES)
		return err_set(e, EINVAL, "CEL: %zu bytes of JSON, wanted at most %d", b.n, EVENT_LOG_MAX_JSON_BYTES);
	log->format = EVENT_LOG_CEL_JSON;
	log->r = reader_init(b.p, b.n);
	if (b.p[0] == EVENT_LOG_RS)
		return 0;
	rc = json_parse(b.p, b.n, "CEL", &log->array, e);
	if (!rc && !json_object_is_type(log->array, json_type_array))
		rc = err_set(e, EINVAL, "CEL: the JSON is not an array of records");
	return rc;
}

/* --- any -----------------------------------------------------------------------------------------------------------
 */

/*
 * A CEL-TLV log begins with record number 0, in 1 to 8 bytes, and a PCR or NV index. Read as SHA-1 format, that would be
 * an event whose digest begins with zeros and 01 or 02, or an EV_NO_ACTION whose digest is not zero.
 */
static bool is_cel_tlv(struct bytes b)
{
	struct reader r = reader_init(b.p, b.n);
	uint8_t type, next;
	struct reader num = take_tlv(&r, &type);
	uint64_t number = take_int(&num, 8);

	next = reader_u8(&r);
	return !r.bad && !num.bad && type == CEL_RECNUM && !number && (next == CEL_PCR || next == CEL_NV_INDEX);
}

static int open_tcg(struct event_log *log, struct bytes b, struct err *e)
{
	int rc = tcg_log_open(b.p, b.n, &log->tcg, e);

	for (size_t i = 0; !rc && i < log->tcg.n_banks; i++)
		rc = add_bank(log, log->tcg.bank[i].alg, log->tcg.bank[i].bytes, e);
	log->format = log->tcg.agile ? EVENT_LOG_AGILE : EVENT_LOG_SHA1;
	return rc;
}

int event_log_open(struct bytes b, struct event_log *ret, struct err *e)
{
	memset(ret, 0, sizeof(*ret));
	if (!b.n || b.n > EVENT_LOG_MAX_BYTES)
		return err_set(e, EINVAL, "event log: has %zu bytes, wanted 1 to %d", b.n, EVENT_LOG_MAX_BYTES);
	if (b.p[0] == EVENT_LOG_RS || b.p[0] == '[')
		return open_json(ret, b, e);
	if (!is_cel_tlv(b))
		return open_tcg(ret, b, e);
	ret->format = EVENT_LOG_CEL_TLV;
	ret->r = reader_init(b.p, b.n);
	return 0;
}

/* Return: as event_log_next(). */
static int next_tcg(struct event_log *log, struct event_log_event *ret, struct err *e)
{
	struct tcg_event ev;
	const char *name;
	int rc = tcg_log_next(&log->tcg, &ev, e);

	if (rc != 1)
		return rc;
	ret->pcr = ev.pcr;
	ret->type = ev.type;
	ret->data = ev.data;
	ret->no_action = ev.no_action;
	ret->header = log->tcg.agile && !ev.index;
	memcpy(ret->digest, ev.digest, sizeof(ret->digest));
	name = tcg_event_type_str(ev.type);
	if (name)
		set_label(ret, name, strlen(name));
	else
		(void)snprintf(ret->label, sizeof(ret->label), "type 0x%08x", (unsigned)ev.type); /* fits */
	for (size_t i = 0; i < log->n_banks; i++)
		replay_set_locality(&log->replay[i], &log->tcg);
	return 1;
}

static bool at_end(const struct event_log *log)
{
	return log->array ? log->n_events == json_object_array_length(log->array) : reader_done(&log->r);
}

static int next_cel(struct event_log *log, struct event_log_event *ret, struct err *e)
{
	int rc;

	if (at_end(log))
		return 0;
	if (log->n_events == EVENT_LOG_MAX_RECORDS)
		return err_set(e, EINVAL, "CEL: more than %d records", EVENT_LOG_MAX_RECORDS);
	rc = log->format == EVENT_LOG_CEL_TLV ? parse_tlv(log, ret, e) : parse_json(log, ret, e);
	if (rc)
		return rc;
	if (!ret->no_action && ret->pcr >= REPLAY_PCRS)
		return err_set(e, EINVAL, "CEL: record %zu names PCR %u, wanted 0 to %d", ret->index, (unsigned)ret->pcr,
			       REPLAY_PCRS - 1);
	return 1;
}

int event_log_next(struct event_log *log, struct event_log_event *ret, struct err *e)
{
	bool tcg = log->format == EVENT_LOG_SHA1 || log->format == EVENT_LOG_AGILE;
	int rc;

	*ret = (struct event_log_event){.index = log->n_events};
	rc = tcg ? next_tcg(log, ret, e) : next_cel(log, ret, e);
	if (rc != 1)
		return rc;
	log->n_events++;
	for (size_t i = 0; i < log->n_banks && !ret->no_action && !log->no_replay; i++)
		if (log->can_replay[i])
			replay_extend(&log->replay[i], ret->pcr, ret->digest[i]);
	return 1;
}

void event_log_close(struct event_log *log)
{
	(void)json_object_put(log->record); /* drop our references; both accept NULL */
	(void)json_object_put(log->array);
	log->record = log->array = NULL;
}
