/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/sealed_token.c - the LUKS2 token of the state volume: systemd-tpm2's keys, and one of our own */
#include "init/sealed_token.h"

#include "common/json.h"

#include <openssl/evp.h>
#include <string.h>

#define WHERE           "state volume's token"
#define TYPE            "systemd-tpm2"
#define MAX_PEM_BYTES   1600
#define B64_BYTES(n)    (((n) + 2) / 3 * 4)
#define MAC_KEY         "holdfast-mac"

static const char *const keys[] = { "type", "keyslots", "tpm2-blob", "tpm2-pcrs", "tpm2-pcr-bank", "tpm2-primary-alg", "tpm2-policy-hash",
				    "tpm2-pin", "tpm2_pubkey_pcrs", "tpm2_pubkey", MAC_KEY, NULL };

/* --- reading ------------------------------------------------------------------------------------------------------------ */

static int want_text(json_object *o, const char *key, const char *wanted, struct err *e)
{
	const char *found;
	int r = json_get_str(o, WHERE, key, 64, &found, e);

	if (!r && strcmp(found, wanted) != 0)
		r = err_set(e, EINVAL, WHERE ": %s is \"%s\", wanted \"%s\"", key, found, wanted);
	return r;
}

static int get_blob(json_object *o, struct pid1_sealed_token *ret, struct err *e)
{
	uint8_t b[PID1_SEALED_MAX_BLOB_BYTES + 3];
	const char *text;
	int n, r = json_get_str(o, WHERE, "tpm2-blob", B64_BYTES(PID1_SEALED_MAX_BLOB_BYTES), &text, e);

	if (r)
		return r;
	n = EVP_DecodeBlock(b, (const unsigned char *)text, (int)strlen(text)); /* counts padding as bytes */
	for (size_t i = strlen(text); n > 0 && i > 0 && text[i - 1] == '='; i--)
		n--;
	if (n <= 0 || n > PID1_SEALED_MAX_BLOB_BYTES)
		return err_set(e, EINVAL, WHERE ": tpm2-blob is not base64 of 1 to %d bytes", PID1_SEALED_MAX_BLOB_BYTES);
	memcpy(ret->blob, b, (size_t)n);
	ret->blob_bytes = (size_t)n;
	return 0;
}

static int get_pcrs(json_object *o, uint32_t *ret, struct err *e)
{
	json_object *list;
	int r = json_get(o, WHERE, "tpm2_pubkey_pcrs", json_type_array, &list, e);

	*ret = 0;
	for (size_t i = 0; !r && i < json_object_array_length(list); i++) {
		json_object *v = json_object_array_get_idx(list, i);
		int64_t n = json_object_is_type(v, json_type_int) ? json_object_get_int64(v) : -1;

		if (n < 0 || n > 23)
			return err_set(e, EINVAL, WHERE ": tpm2_pubkey_pcrs[%zu] is no number from 0 to 23", i);
		*ret |= 1u << n;
	}
	return r || *ret ? r : err_set(e, EINVAL, WHERE ": tpm2_pubkey_pcrs is empty");
}

/* What has one value only: keyslot 0, no literal PCRs, a value to be shown. */
static int check_fixed(json_object *o, struct err *e)
{
	json_object *slots, *pcrs, *pin;
	int r = want_text(o, "type", TYPE, e);

	r = r ? r : want_text(o, "tpm2-pcr-bank", "sha256", e);
	r = r ? r : want_text(o, "tpm2-primary-alg", "ecc", e);
	r = r ? r : json_get(o, WHERE, "keyslots", json_type_array, &slots, e);
	r = r ? r : json_get(o, WHERE, "tpm2-pcrs", json_type_array, &pcrs, e);
	r = r ? r : json_get(o, WHERE, "tpm2-pin", json_type_boolean, &pin, e);
	if (r)
		return r;
	if (json_object_array_length(slots) != 1 || !json_str(json_object_array_get_idx(slots, 0)) ||
	    strcmp(json_str(json_object_array_get_idx(slots, 0)), "0") != 0)
		return err_set(e, EINVAL, WHERE ": keyslots is not [\"0\"]");
	if (json_object_array_length(pcrs))
		return err_set(e, EINVAL, WHERE ": tpm2-pcrs is not empty");
	return json_object_get_boolean(pin) ? 0 : err_set(e, EINVAL, WHERE ": tpm2-pin is false");
}

int pid1_sealed_token_parse(const char *text, size_t bytes, struct pid1_sealed_token *ret, struct err *e)
{
	cleanup_json json_object *o = NULL;
	struct pid1_sealed_token t = { .blob_bytes = 0 };
	int r;

	if (bytes > PID1_SEALED_MAX_TOKEN_BYTES)
		return err_set(e, EINVAL, WHERE ": %zu bytes, wanted at most %d", bytes, PID1_SEALED_MAX_TOKEN_BYTES);
	r = json_parse(text, bytes, WHERE, &o, e);
	r = r ? r : json_check_keys(o, WHERE, keys, e);
	r = r ? r : check_fixed(o, e);
	r = r ? r : get_blob(o, &t, e);
	r = r ? r : get_pcrs(o, &t.pcrs, e);
	r = r ? r : json_get_hex(o, WHERE, "tpm2-policy-hash", t.policy, sizeof(t.policy), e);
	r = r ? r : json_get_hex(o, WHERE, MAC_KEY, t.mac, sizeof(t.mac), e);
	if (!r)
		*ret = t;
	return r;
}

/* --- writing ------------------------------------------------------------------------------------------------------------ */

static bool put_b64(json_object *o, const char *key, const void *data, size_t n)
{
	char text[B64_BYTES(MAX_PEM_BYTES) + 1];

	if (n > MAX_PEM_BYTES)
		return false;
	(void)EVP_EncodeBlock((unsigned char *)text, data, (int)n); /* cannot fail */
	return json_put(o, key, json_object_new_string(text));
}

static json_object *slot_list(void)
{
	cleanup_json json_object *list = json_object_new_array();

	return list && json_push(list, json_object_new_string("0")) ? take_ptr(list) : NULL;
}

static json_object *pcr_list(uint32_t pcrs)
{
	cleanup_json json_object *list = json_object_new_array();
	bool ok = list;

	for (int i = 0; ok && i < 24; i++)
		if (pcrs & 1u << i)
			ok = json_push(list, json_object_new_int(i));
	return ok ? take_ptr(list) : NULL;
}

int pid1_sealed_token_write(const struct pid1_sealed_token *t, const char *pem, struct buf *ret, struct err *e)
{
	cleanup_json json_object *o = json_object_new_object();

	if (!o || !json_put(o, "type", json_object_new_string(TYPE)) || !json_put(o, "keyslots", slot_list()) ||
	    !put_b64(o, "tpm2-blob", t->blob, t->blob_bytes) || !json_put(o, "tpm2-pcrs", pcr_list(0)) ||
	    !json_put(o, "tpm2-pcr-bank", json_object_new_string("sha256")) || !json_put(o, "tpm2-primary-alg", json_object_new_string("ecc")) ||
	    !json_put(o, "tpm2-policy-hash", json_hex(t->policy, HASH_SHA256_BYTES)) || !json_put(o, "tpm2-pin", json_object_new_boolean(true)) ||
	    !json_put(o, "tpm2_pubkey_pcrs", pcr_list(t->pcrs)) || !put_b64(o, "tpm2_pubkey", pem, strlen(pem)) ||
	    !json_put(o, MAC_KEY, json_hex(t->mac, HASH_SHA256_BYTES)))
		return err_set(e, ENOMEM, "no memory for the state volume's token, or the PCR key's file is larger than %d bytes", MAX_PEM_BYTES);
	return json_write(ret, o, e);
}
