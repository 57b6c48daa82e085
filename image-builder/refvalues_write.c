/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/refvalues_write.c - the reference values document, from predicted rules */
#include "image-builder/refvalues_write.h"

#include "common/json.h"

#include <string.h>

json_object *refvalues_list_json(const struct predict_list *l, bool bare)
{
	cleanup_json json_object *array = json_object_new_array();
	bool ok = array;

	for (size_t i = 0; i < l->n && ok; i++) {
		cleanup_json json_object *o = bare ? json_hex(l->v[i].digest, HASH_SHA256_BYTES) : json_object_new_object();

		ok = o && (bare || (json_put(o, "digest", json_hex(l->v[i].digest, HASH_SHA256_BYTES)) &&
				    json_put(o, "what", json_object_new_string(l->v[i].what))));
		ok = ok && json_push(array, take_ptr(o));
	}
	return ok ? take_ptr(array) : NULL;
}

static bool put_ima(json_object *rule, const struct predict_pcr *p)
{
	cleanup_json json_object *ima = json_object_new_object();

	return ima && json_put(ima, "files", refvalues_list_json(&p->event, false)) &&
	       json_put(ima, "verity_root_digests", refvalues_list_json(&p->then, true)) && json_put(rule, "ima", take_ptr(ima));
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
		ok = ok && json_put(rule, "unjudged", json_object_new_string(p->why));
		break;
	case PREDICT_ZERO:
		ok = ok && json_put(rule, "zero", json_object_new_boolean(1));
		break;
	case PREDICT_IMA:
		ok = ok && put_ima(rule, p);
		break;
	case PREDICT_SEQUENCE:
		ok = ok && json_put(rule, "sequence", refvalues_list_json(&p->event, false));
		if (p->then.n)
			ok = ok && json_put(rule, "then", refvalues_list_json(&p->then, false));
		if (p->state_volume)
			ok = ok && json_put(rule, "state_volume", json_object_new_boolean(1));
		break;
	}
	(void)snprintf(key, sizeof(key), "%u", number); /* fits */
	if (!ok || !json_put(pcrs, key, take_ptr(rule)))
		return err_set(e, ENOMEM, "no memory for reference values");
	return 0;
}

static bool put_image(json_object *doc, const struct refvalues_image *i)
{
	cleanup_json json_object *image = json_object_new_object();

	return image && json_put(image, "name", json_object_new_string(i->name)) &&
	       json_put(image, "version", json_object_new_int64((int64_t)i->version)) &&
	       json_put(image, "arch", json_object_new_string(i->arch)) &&
	       json_put(image, "profile", json_object_new_string(i->profile)) &&
	       json_put(image, "root_hash", json_hex(i->root_hash, HASH_SHA256_BYTES)) && json_put(doc, "image", take_ptr(image));
}

/* What the TLS key of such a host must be held by (docs/formats/pcr-signature.md). */
static bool put_channel(json_object *doc, const struct refvalues_image *i)
{
	static const uint8_t none[HASH_SHA256_BYTES];

	return !memcmp(i->channel_policy, none, sizeof(none)) || json_put(doc, "channel_policy", json_hex(i->channel_policy, HASH_SHA256_BYTES));
}

/* What digests were made from: a verifier explains by it and never judges by it. */
static bool put_describe(json_object *doc, const struct refvalues_image *i)
{
	cleanup_json json_object *o = json_object_new_object();

	if (!i->command_line && !i->layer_policy_version)
		return true;
	return o && (!i->command_line || json_put(o, "command_line", json_object_new_string(i->command_line))) &&
	       (!i->layer_policy_version ||
		json_put(o, "layer_policy_version", json_object_new_int64((int64_t)i->layer_policy_version))) &&
	       json_put(doc, "describe", take_ptr(o));
}

/* Names ascend, as attest/sbom.h wants them. */
static bool put_sbom(json_object *doc, const struct refvalues_image *i)
{
	cleanup_json json_object *o = json_object_new_object(), *list = json_object_new_object();
	bool ok = o && list && json_put(o, "sha256", json_hex(i->sbom, HASH_SHA256_BYTES));

	if (!i->packages)
		return true;
	for (size_t n = 0; ok && n < i->packages->n; n++)
		ok = json_put(list, i->packages->package[n].name, json_object_new_string(i->packages->package[n].version));
	return ok && json_put(o, "packages", take_ptr(list)) && json_put(doc, "sbom", take_ptr(o));
}

int refvalues_write(const struct refvalues_image *image, const struct predict *p, struct buf *ret, struct err *e)
{
	cleanup_json json_object *doc = json_object_new_object(), *pcrs = json_object_new_object();

	if (image->version > INT64_MAX)
		return err_set(e, EINVAL, "image version %llu is too large for JSON",
			       (unsigned long long)image->version);
	if (!doc || !pcrs || !json_put(doc, "holdfast", json_object_new_string("reference-values/1")) ||
	    !put_image(doc, image) || !json_put(doc, "bank", json_object_new_string("sha256")))
		return err_set(e, ENOMEM, "no memory for reference values");
	for (unsigned i = 0; i < PREDICT_PCRS; i++) {
		int r = put_pcr(pcrs, i, &p->pcr[i], e);

		if (r)
			return r;
	}
	if (!json_put(doc, "pcrs", take_ptr(pcrs)) || !put_channel(doc, image) || !put_describe(doc, image) || !put_sbom(doc, image))
		return err_set(e, ENOMEM, "no memory for reference values");
	return json_write(ret, doc, e);
}
