/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/message.c - the agent's and the service's protocols: what one message says */
#include "attest/message.h"

#include "attest/cbor.h"
#include "attest/credential.h"
#include "attest/ek_cert.h"
#include "attest/ticket.h"
#include "common/reader.h"

#include <string.h>

#define MAX_PUBLIC_BYTES 1024
#define MAX_OP_BYTES     16

static const struct form {
	const char *op;
	enum message_side side;
	size_t n;
	struct {
		const char *key;
		size_t min, max;
		bool text;
	} field[MESSAGE_MAX_FIELDS];
} forms[] = {
	[MESSAGE_UNSET] = {.op = "unset"},
	[MESSAGE_IDENTIFY] = {"identify", MESSAGE_REQUEST, 0, {{0}}},
	[MESSAGE_ACTIVATE] = {"activate", MESSAGE_REQUEST, 2, {{"blob", 1, 256, false}, {"secret", 1, 1024, false}}},
	[MESSAGE_ASK_EVIDENCE] = {"evidence",
				  MESSAGE_REQUEST,
				  1,
				  {{"nonce", EVIDENCE_NONCE_BYTES, EVIDENCE_NONCE_BYTES, false}}},
	[MESSAGE_IDENTITY] = {"identity",
			      MESSAGE_ANSWER,
			      3,
			      {{"ek_public", 1, MAX_PUBLIC_BYTES, false},
			       {"ek_certificate", 0, EK_CERT_MAX_BYTES, false},
			       {"ak_public", 1, MAX_PUBLIC_BYTES, false}}},
	[MESSAGE_ACTIVATED] = {"activated", MESSAGE_ANSWER, 1, {{"credential", 1, 64, false}}},
	[MESSAGE_EVIDENCE] = {"evidence", MESSAGE_ANSWER, 1, {{"evidence", 1, EVIDENCE_MAX_BYTES, false}}},
	[MESSAGE_ENROL] = {"enrol",
			   MESSAGE_SERVICE_REQUEST,
			   3,
			   {{"ek_public", 1, MAX_PUBLIC_BYTES, false},
			    {"ek_certificate", 0, EK_CERT_MAX_BYTES, false},
			    {"ak_public", 1, MAX_PUBLIC_BYTES, false}}},
	[MESSAGE_ATTEST] = {"attest",
			    MESSAGE_SERVICE_REQUEST,
			    5,
			    {{"ticket", 1, TICKET_MAX_BYTES, false},
			     {"identity", HASH_SHA256_BYTES, HASH_SHA256_BYTES, false},
			     {"evidence", 1, EVIDENCE_MAX_BYTES, false},
			     {"token", 0, TICKET_MAX_BYTES, false},
			     {"credential", 0, CREDENTIAL_MAX_BYTES, false}}},
	[MESSAGE_TICKET] = {"ticket", MESSAGE_SERVICE_ANSWER, 1, {{"ticket", 1, TICKET_MAX_BYTES, false}}},
	[MESSAGE_CHALLENGE] = {"challenge",
			       MESSAGE_SERVICE_ANSWER,
			       4,
			       {{"blob", 1, 256, false},
				{"secret", 1, 1024, false},
				{"token", 1, TICKET_MAX_BYTES, false},
				{"ticket", 1, TICKET_MAX_BYTES, false}}},
	[MESSAGE_RESULT] = {"result",
			    MESSAGE_SERVICE_ANSWER,
			    3,
			    {{"verdict", 1, 16, true},
			     {"ear", 1, MESSAGE_MAX_EAR_BYTES, false},
			     {"ticket", 1, TICKET_MAX_BYTES, false}}},
	[MESSAGE_ERROR] = {"error", MESSAGE_ANSWER, 1, {{"message", 0, MESSAGE_MAX_TEXT_BYTES, true}}},
};
_Static_assert(ARRAY_SIZE(forms) == MESSAGE_KINDS_, "each kind has its form");

const char *message_kind_str(enum message_kind kind)
{
	return forms[(size_t)kind < ARRAY_SIZE(forms) ? kind : MESSAGE_UNSET].op;
}

int message_encode(const struct message *m, struct buf *out, struct err *e)
{
	const struct form *form = &forms[m->kind];
	char text[MESSAGE_MAX_TEXT_BYTES + 1];

	cbor_put_map(out, form->n + 1);
	cbor_put_text(out, "op");
	cbor_put_text(out, form->op);
	for (size_t i = 0; i < form->n; i++) {
		const struct bytes *v = &m->field[i];

		if (v->n < form->field[i].min || v->n > form->field[i].max)
			return err_set(e, EINVAL, "%s: %s has %zu bytes, wanted %zu to %zu", form->op,
				       form->field[i].key, v->n, form->field[i].min, form->field[i].max);
		cbor_put_text(out, form->field[i].key);
		if (form->field[i].text) {
			if (v->n)
				memcpy(text, v->p, v->n);
			text[v->n] = '\0';
			cbor_put_text(out, text);
		} else {
			cbor_put_bytes(out, v->p, v->n);
		}
	}
	return out->bad ? err_set(e, ENOMEM, "no memory for a message") : 0;
}

int message_error(const char *text, struct buf *out, struct err *e)
{
	struct message m = {.kind = MESSAGE_ERROR};
	char clean[MESSAGE_MAX_TEXT_BYTES];
	size_t n = 0;

	for (; text[n] && n < sizeof(clean); n++)
		clean[n] = text[n] >= 0x20 && text[n] <= 0x7e ? text[n] : '?';
	m.field[0] = (struct bytes){(const uint8_t *)clean, n};
	return message_encode(&m, out, e);
}

static const struct form *find(enum message_side side, const struct bytes *op)
{
	for (size_t i = MESSAGE_IDENTIFY; i < ARRAY_SIZE(forms); i++)
		if (forms[i].side == side && strlen(forms[i].op) == op->n && !memcmp(forms[i].op, op->p, op->n))
			return &forms[i];
	return NULL;
}

static int parse_fields(struct reader *r, const struct form *form, struct message *m, struct err *e)
{
	int rc;

	for (size_t i = 0; i < form->n; i++) {
		const char *key = form->field[i].key;

		rc = cbor_key(r, key, e);
		if (rc < 0)
			return rc;
		rc = form->field[i].text ? cbor_text(r, key, form->field[i].max, &m->field[i], e)
					 : cbor_bytes(r, key, form->field[i].max, &m->field[i], e);
		if (rc < 0)
			return rc;
		if (m->field[i].n < form->field[i].min)
			return err_set(e, EINVAL, "%s has %zu bytes, wanted at least %zu", key, m->field[i].n,
				       form->field[i].min);
	}
	return cbor_end(r, e);
}

int message_parse(enum message_side side, const void *data, size_t len, struct message *ret, struct err *e)
{
	struct reader r = reader_init(data, len);
	struct message m = {0};
	const struct form *form;
	struct bytes op;
	size_t n = 0;
	int rc;

	if ((rc = cbor_map_any(&r, MESSAGE_MAX_FIELDS + 1, &n, e)) < 0 || (rc = cbor_key(&r, "op", e)) < 0 ||
	    (rc = cbor_text(&r, "op", MAX_OP_BYTES, &op, e)) < 0)
		return err_context(e, "message");
	form = find(side, &op);
	if (!form)
		return err_set(e, EINVAL, "message: op \"%.*s\" is not one we know", (int)op.n, (const char *)op.p);
	if (n != form->n + 1)
		return err_set(e, EINVAL, "message \"%s\" has %zu members, wanted %zu", form->op, n, form->n + 1);
	m.kind = (enum message_kind)(form - forms);
	rc = parse_fields(&r, form, &m, e);
	if (rc < 0)
		return err_context(e, "message \"%s\"", form->op);
	*ret = m;
	return 0;
}
