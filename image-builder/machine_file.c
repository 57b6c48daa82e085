/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/machine_file.c - the machine description as a document (declared in machine.h) */
#include "image-builder/machine.h"

#include "common/json.h"
#include "image-builder/refvalues_write.h"

#include <string.h>

#define FORMAT "machine-description/1"

static const char *const pcr_key[] = { "0", "1" };

int machine_write(const struct machine_description *m, struct buf *ret, struct err *e)
{
	cleanup_json json_object *doc = json_object_new_object(), *pcrs = json_object_new_object();
	bool ok = doc && pcrs && json_put(doc, "holdfast", json_object_new_string(FORMAT)) &&
		  json_put(doc, "firmware", json_hex(m->firmware, HASH_SHA256_BYTES)) &&
		  json_put(doc, "options", json_object_new_string(m->options)) && json_put(doc, "qemu", json_object_new_string(m->qemu)) &&
		  json_put(doc, "recorded", json_object_new_boolean(m->recorded));

	for (size_t i = 0; ok && i < ARRAY_SIZE(pcr_key); i++)
		ok = json_put(pcrs, pcr_key[i], refvalues_list_json(&m->pcr[i], false));
	if (!ok || !json_put(doc, "pcrs", take_ptr(pcrs)))
		return err_set(e, ENOMEM, "no memory for the machine description");
	return json_write(ret, doc, e);
}

static int parse_event(json_object *o, const char *where, struct predict_list *ret, struct err *e)
{
	static const char *const keys[] = { "digest", "what", NULL };
	uint8_t digest[HASH_SHA256_BYTES];
	const char *what;
	int r = json_check_keys(o, where, keys, e);

	r = r ? r : json_get_hex(o, where, "digest", digest, sizeof(digest), e);
	r = r ? r : json_get_str(o, where, "what", PREDICT_MAX_WHAT_BYTES - 1, &what, e);
	return r ? r : predict_add(ret, digest, what, NULL, e);
}

static int parse_pcrs(json_object *doc, struct machine_description *ret, struct err *e)
{
	static const char *const keys[] = { "0", "1", NULL };
	json_object *pcrs, *list;
	int r = json_get(doc, "machine description", "pcrs", json_type_object, &pcrs, e);

	r = r ? r : json_check_keys(pcrs, "pcrs", keys, e);
	for (size_t i = 0; !r && i < ARRAY_SIZE(pcr_key); i++) {
		size_t n;

		r = json_get(pcrs, "pcrs", pcr_key[i], json_type_array, &list, e);
		n = r ? 0 : json_object_array_length(list);
		if (!r && (!n || n > MACHINE_MAX_EVENTS))
			r = err_set(e, EINVAL, "PCR %zu has %zu events, wanted 1 to %d", i, n, MACHINE_MAX_EVENTS);
		for (size_t k = 0; !r && k < n; k++)
			r = parse_event(json_object_array_get_idx(list, k), "event", &ret->pcr[i], e);
	}
	return r;
}

static int parse_members(json_object *doc, struct machine_description *ret, struct err *e)
{
	static const char *const keys[] = { "holdfast", "firmware", "options", "qemu", "recorded", "pcrs", NULL };
	static const char where[] = "machine description";
	const char *format, *options, *qemu;
	json_object *recorded;
	int r = json_check_keys(doc, where, keys, e);

	r = r ? r : json_get_str(doc, where, "holdfast", 64, &format, e);
	if (!r && strcmp(format, FORMAT))
		r = err_set(e, EINVAL, "\"holdfast\" is \"%s\", wanted \"" FORMAT "\"", format);
	r = r ? r : json_get_hex(doc, where, "firmware", ret->firmware, sizeof(ret->firmware), e);
	r = r ? r : json_get_str(doc, where, "options", sizeof(ret->options) - 1, &options, e);
	r = r ? r : json_get_str(doc, where, "qemu", sizeof(ret->qemu) - 1, &qemu, e);
	r = r ? r : json_get(doc, where, "recorded", json_type_boolean, &recorded, e);
	if (r)
		return r;
	memcpy(ret->options, options, strlen(options) + 1); /* bounded above */
	memcpy(ret->qemu, qemu, strlen(qemu) + 1);	       /* likewise */
	ret->recorded = json_object_get_boolean(recorded);
	return parse_pcrs(doc, ret, e);
}

int machine_parse(const void *text, size_t len, const char *name, struct machine_description *ret, struct err *e)
{
	cleanup_json json_object *doc = NULL;
	int r = json_parse(text, len, name, &doc, e);

	if (r)
		return r;
	r = parse_members(doc, ret, e);
	return r ? err_context(e, "%s", name) : 0;
}
