/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/refvalues_write.c - the reference values document, from predicted rules */
#include "image-builder/refvalues_write.h"

#include "common/hex.h"
#include "common/json.h"

#include <string.h>

/*
 * json-c reports a failed allocation as NULL or by a return value. Each helper below takes ownership of @value and is
 * false when anything failed, so that a document is either whole or not written.
 */
static bool put(json_object *o, const char *key, json_object *value)
{
	if (value && json_object_object_add(o, key, value) == 0)
		return true;
	(void)json_object_put(value); /* drops our reference; accepts NULL */
	return false;
}

static bool push(json_object *array, json_object *value)
{
	if (value && json_object_array_add(array, value) == 0)
		return true;
	(void)json_object_put(value); /* drops our reference; accepts NULL */
	return false;
}

static json_object *hex_string(const uint8_t digest[static HASH_SHA256_BYTES])
{
	char hex[2 * HASH_SHA256_BYTES + 1];

	hex_encode(digest, HASH_SHA256_BYTES, hex);
	return json_object_new_string(hex);
}

/* Array of { digest, what }, or of bare digests. NULL if memory is short. */
static json_object *event_array(const struct predict_list *l, bool bare)
{
	cleanup_json json_object *array = json_object_new_array();
	bool ok = array;

	for (size_t i = 0; i < l->n && ok; i++) {
		cleanup_json json_object *o = bare ? hex_string(l->v[i].digest) : json_object_new_object();

		ok = o && (bare || (put(o, "digest", hex_string(l->v[i].digest)) &&
				    put(o, "what", json_object_new_string(l->v[i].what))));
		ok = ok && push(array, take_ptr(o));
	}
	return ok ? take_ptr(array) : NULL;
}

static bool put_ima(json_object *rule, const struct predict_pcr *p)
{
	cleanup_json json_object *ima = json_object_new_object();

	return ima && put(ima, "files", event_array(&p->event, false)) &&
	       put(ima, "verity_root_digests", event_array(&p->then, true)) && put(rule, "ima", take_ptr(ima));
}

static int put_pcr(json_object *pcrs, unsigned number, const struct predict_pcr *p, struct err *e)
{
	cleanup_json json_object *rule = json_object_new_object();
	char key[16];
	bool ok = rule;

	switch (p->rule) {
	case PREDICT_UNSET:
		return err_set(e, EINVAL, "PCR %u has no rule", number);
	case PREDICT_UNJUDGED:
		ok = ok && put(rule, "unjudged", json_object_new_string(p->why));
		break;
	case PREDICT_ZERO:
		ok = ok && put(rule, "zero", json_object_new_boolean(1));
		break;
	case PREDICT_IMA:
		ok = ok && put_ima(rule, p);
		break;
	case PREDICT_SEQUENCE:
		ok = ok && put(rule, "sequence", event_array(&p->event, false));
		if (p->then.n)
			ok = ok && put(rule, "then", event_array(&p->then, false));
		break;
	}
	(void)snprintf(key, sizeof(key), "%u", number); /* fits */
	if (!ok || !put(pcrs, key, take_ptr(rule)))
		return err_set(e, ENOMEM, "no memory for reference values");
	return 0;
}

static bool put_image(json_object *doc, const struct refvalues_image *i)
{
	cleanup_json json_object *image = json_object_new_object();

	return image && put(image, "name", json_object_new_string(i->name)) &&
	       put(image, "version", json_object_new_int64((int64_t)i->version)) &&
	       put(image, "arch", json_object_new_string(i->arch)) &&
	       put(image, "profile", json_object_new_string(i->profile)) &&
	       put(image, "root_hash", hex_string(i->root_hash)) && put(doc, "image", take_ptr(image));
}

/* What the TLS key of such a host must be held by (docs/formats/pcr-signature.md). */
static bool put_channel(json_object *doc, const struct refvalues_image *i)
{
	static const uint8_t none[HASH_SHA256_BYTES];

	return !memcmp(i->channel_policy, none, sizeof(none)) || put(doc, "channel_policy", hex_string(i->channel_policy));
}

/* What digests were made from: a verifier explains by it and never judges by it. */
static bool put_describe(json_object *doc, const struct refvalues_image *i)
{
	cleanup_json json_object *o = json_object_new_object();

	if (!i->command_line && !i->layer_policy_version)
		return true;
	return o && (!i->command_line || put(o, "command_line", json_object_new_string(i->command_line))) &&
	       (!i->layer_policy_version ||
		put(o, "layer_policy_version", json_object_new_int64((int64_t)i->layer_policy_version))) &&
	       put(doc, "describe", take_ptr(o));
}

/* Names ascend, as attest/sbom.h wants them. */
static bool put_sbom(json_object *doc, const struct refvalues_image *i)
{
	cleanup_json json_object *o = json_object_new_object(), *list = json_object_new_object();
	bool ok = o && list && put(o, "sha256", hex_string(i->sbom));

	if (!i->packages)
		return true;
	for (size_t n = 0; ok && n < i->packages->n; n++)
		ok = put(list, i->packages->package[n].name, json_object_new_string(i->packages->package[n].version));
	return ok && put(o, "packages", take_ptr(list)) && put(doc, "sbom", take_ptr(o));
}

int refvalues_write(const struct refvalues_image *image, const struct predict *p, struct buf *ret, struct err *e)
{
	cleanup_json json_object *doc = json_object_new_object(), *pcrs = json_object_new_object();

	if (image->version > INT64_MAX)
		return err_set(e, EINVAL, "image version %llu is too large for JSON",
			       (unsigned long long)image->version);
	if (!doc || !pcrs || !put(doc, "holdfast", json_object_new_string("reference-values/1")) ||
	    !put_image(doc, image) || !put(doc, "bank", json_object_new_string("sha256")))
		return err_set(e, ENOMEM, "no memory for reference values");
	for (unsigned i = 0; i < PREDICT_PCRS; i++) {
		int r = put_pcr(pcrs, i, &p->pcr[i], e);

		if (r)
			return r;
	}
	if (!put(doc, "pcrs", take_ptr(pcrs)) || !put_channel(doc, image) || !put_describe(doc, image) || !put_sbom(doc, image))
		return err_set(e, ENOMEM, "no memory for reference values");
	return json_write(ret, doc, e);
}
