/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/refvalues.c - reference values: what each PCR of a sound host may hold */
#include "attest/refvalues.h"

#include "common/file.h"
#include "common/hex.h"

#include <stdio.h>
#include <string.h>

/* One list of @o: an array of {"digest","what"}, or of bare digests where @bare. */
static int parse_list(json_object *o, const char *where, const char *key, bool bare, struct refvalues_list *ret,
		      struct err *e)
{
	static const char *const keys[] = {"digest", "what", NULL};
	json_object *array;
	char at[64];
	size_t n;
	int rc = json_get_opt(o, where, key, json_type_array, &array, e);

	if (rc || !array)
		return rc;
	n = json_object_array_length(array);
	if (n > REFVALUES_MAX_EVENTS)
		return err_set(e, EINVAL, "%s: %s has %zu entries, wanted at most %d", where, key, n,
			       REFVALUES_MAX_EVENTS);
	ret->item = calloc(n ? n : 1, sizeof(*ret->item));
	if (!ret->item)
		return err_set(e, ENOMEM, "no memory for the reference values");
	for (ret->n = 0; ret->n < n; ret->n++) {
		struct refvalues_digest *d = &ret->item[ret->n];
		json_object *entry = json_object_array_get_idx(array, ret->n);
		const char *hex = bare ? json_str(entry) : NULL;

		(void)snprintf(at, sizeof(at), "%.32s %.16s[%zu]", where, key, ret->n); /* cut is fine: for messages */
		if (bare && (!hex || !hex_decode(hex, d->digest, sizeof(d->digest))))
			return err_set(e, EINVAL, "%s: is not 64 lower-case hex digits", at);
		if (bare)
			continue;
		if ((rc = json_check_keys(entry, at, keys, e)) ||
		    (rc = json_get_hex(entry, at, "digest", d->digest, sizeof(d->digest), e)) ||
		    (rc = json_get_str(entry, at, "what", REFVALUES_MAX_TEXT_BYTES, &d->what, e)))
			return rc;
	}
	return 0;
}

static int parse_ima(json_object *o, const char *where, struct refvalues_rule *rule, struct err *e)
{
	static const char *const keys[] = {"files", "verity_root_digests", NULL};
	json_object *ima;
	int rc;

	if ((rc = json_get(o, where, "ima", json_type_object, &ima, e)) ||
	    (rc = json_check_keys(ima, where, keys, e)) ||
	    (rc = parse_list(ima, where, "files", false, &rule->list, e)) ||
	    (rc = parse_list(ima, where, "verity_root_digests", true, &rule->then, e)))
		return rc;
	if (!rule->list.item || !rule->then.item)
		return err_set(e, EINVAL, "%s: ima lacks files or verity_root_digests", where);
	return 0;
}

/* `state_volume` stands beside a sequence and is true, or is not there. */
static int parse_state_volume(json_object *o, const char *where, struct refvalues_rule *rule, struct err *e)
{
	json_object *value;
	int rc = json_get_opt(o, where, "state_volume", json_type_boolean, &value, e);

	rule->state_volume = !rc && value;
	if (!rc && value && (!json_object_get_boolean(value) || rule->kind != REFVALUES_SEQUENCE))
		rc = err_set(e, EINVAL, "%s: state_volume is false or stands without sequence", where);
	return rc;
}

/* Exactly one of the four rules must stand in @o; `then` only beside `sequence`. */
static int parse_rule(json_object *o, const char *where, struct refvalues_rule *rule, struct err *e)
{
	static const char *const keys[] = {"unjudged", "zero", "sequence", "then", "state_volume", "ima", NULL};
	static const struct {
		const char *key;
		enum refvalues_kind kind;
	} kinds[] = {
		{"unjudged", REFVALUES_UNJUDGED},
		{"zero", REFVALUES_ZERO},
		{"sequence", REFVALUES_SEQUENCE},
		{"ima", REFVALUES_IMA},
	};
	json_object *value;
	size_t found = 0;
	int rc = json_check_keys(o, where, keys, e);

	if (rc)
		return rc;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (json_object_object_get_ex(o, kinds[i].key, NULL)) {
			rule->kind = kinds[i].kind;
			found++;
		}
	if (found != 1)
		return err_set(e, EINVAL, "%s: has %zu rules, wanted exactly one of unjudged, zero, sequence, ima",
			       where, found);
	if (rule->kind != REFVALUES_SEQUENCE && json_object_object_get_ex(o, "then", NULL))
		return err_set(e, EINVAL, "%s: then stands without sequence", where);
	rc = parse_state_volume(o, where, rule, e);
	if (rc)
		return rc;
	switch (rule->kind) {
	case REFVALUES_UNJUDGED:
		return json_get_str(o, where, "unjudged", REFVALUES_MAX_TEXT_BYTES, &rule->reason, e);
	case REFVALUES_ZERO:
		rc = json_get(o, where, "zero", json_type_boolean, &value, e);
		if (!rc && !json_object_get_boolean(value))
			rc = err_set(e, EINVAL, "%s: zero is false, wanted true", where);
		return rc;
	case REFVALUES_IMA:
		return parse_ima(o, where, rule, e);
	case REFVALUES_SEQUENCE:
	case REFVALUES_UNSET:
		break;
	}
	rc = parse_list(o, where, "sequence", false, &rule->list, e);
	if (!rc)
		rc = parse_list(o, where, "then", false, &rule->then, e);
	if (!rc && !rule->list.item)
		rc = err_set(e, EINVAL, "%s: sequence is not a list", where);
	return rc;
}

static int parse_pcrs(json_object *pcrs, const char *name, struct refvalues *rv, struct err *e)
{
	size_t n = 0;

	json_object_object_foreach (pcrs, key, rule) {
		(void)key;
		(void)rule;
		n++;
	}
	for (size_t i = 0; i < REPLAY_QUOTED_PCRS; i++) {
		char where[32], number[8];
		json_object *o;
		int rc;

		(void)snprintf(number, sizeof(number), "%zu", i);
		(void)snprintf(where, sizeof(where), "PCR %zu", i);
		rc = json_get(pcrs, "pcrs", number, json_type_object, &o, e);
		if (!rc)
			rc = parse_rule(o, where, &rv->rule[i], e);
		if (rc)
			return err_context(e, "%s", name);
		if (rv->rule[i].kind == REFVALUES_IMA && i != 10)
			return err_set(e, EINVAL, "%s: %s has the rule ima, which is PCR 10's", name, where);
	}
	if (n != REPLAY_QUOTED_PCRS)
		return err_set(e, EINVAL, "%s: pcrs has %zu entries, wanted exactly 0 to 15", name, n);
	return 0;
}

static int parse_image(json_object *o, const char *name, struct refvalues *rv, struct err *e)
{
	static const char *const keys[] = {"name", "version", "arch", "profile", "root_hash", NULL};
	json_object *image;
	int rc;

	if ((rc = json_get(o, name, "image", json_type_object, &image, e)) ||
	    (rc = json_check_keys(image, "image", keys, e)) ||
	    (rc = json_get_str(image, "image", "name", REFVALUES_MAX_TEXT_BYTES, &rv->name, e)) ||
	    (rc = json_get_u64(image, "image", "version", UINT32_MAX, &rv->version, e)) ||
	    (rc = json_get_str(image, "image", "arch", 32, &rv->arch, e)) ||
	    (rc = json_get_str(image, "image", "profile", 32, &rv->profile, e)))
		return rc;
	return json_get_hex(image, "image", "root_hash", rv->root_hash, sizeof(rv->root_hash), e);
}

/* What digests were made from, where that is short: for `explain`, never for a verdict. */
static int parse_describe(json_object *doc, const char *name, struct refvalues *rv, struct err *e)
{
	static const char *const keys[] = {"command_line", "layer_policy_version", NULL};
	json_object *o;
	int rc = json_get_opt(doc, name, "describe", json_type_object, &o, e);

	if (rc || !o)
		return rc;
	if ((rc = json_check_keys(o, "describe", keys, e)) ||
	    (json_object_object_get_ex(o, "command_line", NULL) &&
	     (rc = json_get_str(o, "describe", "command_line", REFVALUES_MAX_COMMAND_LINE, &rv->command_line, e))))
		return rc;
	if (json_object_object_get_ex(o, "layer_policy_version", NULL))
		rc = json_get_u64(o, "describe", "layer_policy_version", INT64_MAX, &rv->layer_policy_version, e);
	return rc;
}

static int parse_document(const char *name, struct refvalues *rv, struct err *e)
{
	static const char *const keys[] = {"holdfast", "image", "bank", "pcrs", "describe", "sbom", "channel_policy", NULL};
	const char *kind, *bank;
	json_object *pcrs;
	int rc;

	if ((rc = json_check_keys(rv->tree, name, keys, e)) ||
	    (rc = json_get_str(rv->tree, name, "holdfast", 64, &kind, e)) ||
	    (rc = json_get_str(rv->tree, name, "bank", 16, &bank, e)))
		return rc;
	if (strcmp(kind, "reference-values/1"))
		return err_set(e, EINVAL, "%s: holdfast is \"%s\", wanted \"reference-values/1\"", name, kind);
	if (strcmp(bank, "sha256"))
		return err_set(e, EINVAL, "%s: bank is \"%s\", wanted \"sha256\"", name, bank);
	if ((rc = parse_image(rv->tree, name, rv, e)) || (rc = parse_describe(rv->tree, name, rv, e)) ||
	    (rc = sbom_parse(rv->tree, name, &rv->sbom, e)) ||
	    (rc = json_get(rv->tree, name, "pcrs", json_type_object, &pcrs, e)))
		return rc;
	rv->has_channel_policy = json_object_object_get_ex(rv->tree, "channel_policy", NULL);
	if (rv->has_channel_policy &&
	    (rc = json_get_hex(rv->tree, name, "channel_policy", rv->channel_policy, sizeof(rv->channel_policy), e)))
		return rc;
	return parse_pcrs(pcrs, name, rv, e);
}

int refvalues_parse(const void *text, size_t len, const char *name, struct refvalues *ret, struct err *e)
{
	cleanup_refvalues struct refvalues rv = {0};
	int rc;

	if (len > REFVALUES_MAX_BYTES)
		return err_set(e, E2BIG, "%s has %zu bytes, wanted at most %d", name, len, REFVALUES_MAX_BYTES);
	rc = json_parse(text, len, name, &rv.tree, e);
	if (!rc)
		rc = parse_document(name, &rv, e);
	if (rc)
		return rc;
	*ret = rv;
	rv = (struct refvalues){0}; /* owned by the caller now */
	return 0;
}

int refvalues_load(const char *path, X509 *cert, struct refvalues *ret, struct err *e)
{
	cleanup_buf struct buf doc = BUF_INIT, sig = BUF_INIT;
	char sig_path[4096];
	int rc;

	if (snprintf(sig_path, sizeof(sig_path), "%s.p7s", path) >= (int)sizeof(sig_path))
		return err_set(e, ENAMETOOLONG, "the name %.64s... is too long", path);
	if ((rc = file_read(path, REFVALUES_MAX_BYTES, &doc, e)) ||
	    (rc = file_read(sig_path, PKI_MAX_SIGNATURE_BYTES, &sig, e)))
		return rc;
	rc = pki_verify_detached(cert, doc.data, doc.len, sig.data, sig.len, e);
	if (rc)
		return err_context(e, "%s", sig_path);
	return refvalues_parse(doc.data, doc.len, path, ret, e);
}

bool refvalues_is_direct(const struct refvalues *rv)
{
	return !strcmp(rv->profile, "direct");
}

const struct refvalues_digest *refvalues_find(const struct refvalues_list *list,
					      const uint8_t digest[static HASH_SHA256_BYTES])
{
	for (size_t i = 0; i < list->n; i++)
		if (hash_equal(list->item[i].digest, HASH_SHA256_BYTES, digest, HASH_SHA256_BYTES))
			return &list->item[i];
	return NULL;
}

void refvalues_free(struct refvalues *rv)
{
	for (size_t i = 0; i < ARRAY_SIZE(rv->rule); i++) {
		free(rv->rule[i].list.item);
		free(rv->rule[i].then.item);
	}
	sbom_free(&rv->sbom);
	if (rv->tree)
		(void)json_object_put(rv->tree); /* drops our reference */
	*rv = (struct refvalues){0};
}
