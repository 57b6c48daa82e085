/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/event_decode.c - what a firmware event says of itself, for people */
#include "attest/event_decode.h"

#include "attest/tcg_log.h"
#include "attest/uefi_text.h"
#include "common/hex.h"
#include "common/pki.h"

#include <stdio.h>
#include <string.h>

enum {
	MAX_BLOB_HEX = 64,
	GPT_HEADER_BYTES = 92,
	GPT_ENTRY_BYTES = 128,
	LIST_HEADER_BYTES = 28,
	TAG_LOAD_OPTIONS = 0x8f3b22ed, /* Linux, drivers/firmware/efi/libstub/efistub.h */
	TAG_INITRD = 0x8f3b22ec,
};

static void put(json_object *o, const char *key, json_object *v)
{
	if (!o || !v || json_object_object_add(o, key, v))
		(void)json_object_put(v); /* what memory is short for is not shown; accepts NULL */
}

static void put_str(json_object *o, const char *key, const char *text)
{
	put(o, key, json_object_new_string(text));
}

static void put_hex(json_object *o, const char *key, struct bytes b)
{
	char hex[2 * MAX_BLOB_HEX + 1];

	hex_encode(b.p, b.n < MAX_BLOB_HEX ? b.n : MAX_BLOB_HEX, hex);
	put_str(o, key, hex);
}

static void put_u64(json_object *o, const char *key, uint64_t v)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "0x%llx", (unsigned long long)v); /* fits */
	put_str(o, key, text);
}

static void put_count(json_object *o, const char *key, size_t v)
{
	put(o, key, json_object_new_int64((int64_t)v));
}

static void put_guid(json_object *o, const char *key, const uint8_t *guid)
{
	char text[UEFI_TEXT_MAX_BYTES];

	uefi_text_guid(guid, text);
	put_str(o, key, text);
}

static void malformed(json_object *o, const char *why)
{
	put_str(o, "malformed", why);
}

static struct bytes rest(struct reader *r)
{
	struct bytes b = {r->p, r->left};

	(void)reader_bytes(r, r->left);
	return b;
}

static struct bytes take(struct reader *r, uint64_t n)
{
	struct bytes b = {NULL, 0};

	if (n > r->left)
		r->bad = true;
	else
		b = (struct bytes){reader_bytes(r, (size_t)n), (size_t)n};
	return b;
}

/* Text where it is some, else how much there is. */
static void put_text(json_object *o, const char *key, struct bytes b)
{
	char text[UEFI_TEXT_MAX_BYTES];

	uefi_text_any(b, text);
	if (*text)
		put_str(o, key, text);
	else if (b.n && b.n <= MAX_BLOB_HEX)
		put_hex(o, "bytes", b);
	else
		put_count(o, "bytes_count", b.n);
}

static bool spend(struct event_budget *b, json_object *o)
{
	if (b->items) {
		b->items--;
		return true;
	}
	put_str(o, "not_shown", "this log has more to decode than is shown");
	return false;
}

/* --- signature lists -----------------------------------------------------------------------------------------------
 */

static void put_certificate(json_object *o, struct bytes der, struct event_budget *budget)
{
	uint8_t h[HASH_SHA256_BYTES];
	const unsigned char *p = der.p;
	cleanup_x509 X509 *cert = NULL;
	char *line;

	hash_sha256(der.p, der.n, h);
	put_hex(o, "certificate_sha256", (struct bytes){h, sizeof(h)});
	if (!budget->certs || der.n > PKI_MAX_CERT_BYTES)
		return;
	budget->certs--;
	cert = d2i_X509(NULL, &p, (long)der.n);
	line = cert ? X509_NAME_oneline(X509_get_subject_name(cert), NULL, 0) : NULL;
	if (line) {
		char text[UEFI_TEXT_MAX_BYTES];

		uefi_text_ascii((struct bytes){(const uint8_t *)line, strlen(line)}, text);
		put_str(o, "subject", text);
	} else {
		malformed(o, "no X.509 certificate");
	}
	OPENSSL_free(line);
}

/* EFI_SIGNATURE_DATA: owner, then a certificate or a hash. */
static void put_signature(json_object *o, struct bytes b, struct event_budget *budget)
{
	if (b.n < UEFI_GUID_BYTES) {
		malformed(o, "a signature is shorter than its owner");
		return;
	}
	put_guid(o, "owner", b.p);
	b.p += UEFI_GUID_BYTES;
	b.n -= UEFI_GUID_BYTES;
	if (b.n > HASH_MAX_BYTES && b.p[0] == 0x30) /* a DER SEQUENCE */
		put_certificate(o, b, budget);
	else
		put_hex(o, "hash", b);
}

static void put_lists(json_object *o, struct bytes data, struct event_budget *budget)
{
	json_object *lists = json_object_new_array();
	struct reader r = reader_init(data.p, data.n);

	while (r.left && spend(budget, o)) {
		json_object *list = json_object_new_object(), *items;
		const uint8_t *type = reader_bytes(&r, UEFI_GUID_BYTES);
		uint32_t bytes = reader_u32le(&r), header = reader_u32le(&r), each = reader_u32le(&r);
		struct reader body;

		if (json_object_array_add(lists, list))
			(void)json_object_put(list); /* no memory: it is not shown */
		if (r.bad || bytes < LIST_HEADER_BYTES || each < UEFI_GUID_BYTES || r.left < bytes - LIST_HEADER_BYTES) {
			malformed(o, "a signature list does not fit (UEFI 32.4.1)");
			break;
		}
		body = reader_sub(&r, bytes - LIST_HEADER_BYTES);
		items = json_object_new_array();
		put_guid(list, "type", type);
		put(list, "signatures", items);
		(void)reader_bytes(&body, header);
		if (body.bad || body.left % each)
			malformed(list, "its signatures do not fill it (UEFI 32.4.1)");
		while (body.left >= each && spend(budget, o)) {
			json_object *item = json_object_new_object();
			struct bytes sig = take(&body, each);

			put_signature(item, sig, budget);
			if (json_object_array_add(items, item))
				(void)json_object_put(item); /* no memory: it is not shown */
		}
	}
	put(o, "lists", lists);
}

/* --- variables -----------------------------------------------------------------------------------------------------
 */

bool event_variable_parse(struct bytes data, struct event_variable *ret)
{
	struct reader r = reader_init(data.p, data.n);
	uint64_t name_chars, data_bytes;

	ret->vendor = reader_bytes(&r, UEFI_GUID_BYTES);
	name_chars = reader_u64le(&r);
	data_bytes = reader_u64le(&r);
	if (name_chars > data.n)
		return false;
	ret->name = take(&r, 2 * name_chars);
	ret->data = take(&r, data_bytes);
	return reader_done(&r);
}

bool event_is_variable(const struct event_variable *v, const char *name)
{
	size_t n = strlen(name);

	if (v->name.n != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (v->name.p[2 * i] != (uint8_t)name[i] || v->name.p[2 * i + 1])
			return false;
	return true;
}

static void put_boot_order(json_object *o, struct bytes data, struct event_budget *budget)
{
	json_object *list = json_object_new_array();
	struct reader r = reader_init(data.p, data.n);

	while (r.left >= 2 && spend(budget, o)) {
		json_object *item;
		char name[16];

		(void)snprintf(name, sizeof(name), "Boot%04X", (unsigned)reader_u16le(&r)); /* fits */
		item = json_object_new_string(name);
		if (json_object_array_add(list, item))
			(void)json_object_put(item); /* no memory: it is not shown */
	}
	put(o, "order", list);
}

/* EFI_LOAD_OPTION: u32 attributes, u16 length of the path, description, path, optional data. */
static void put_load_option(json_object *o, struct bytes data)
{
	struct reader r = reader_init(data.p, data.n);
	char text[UEFI_TEXT_MAX_BYTES];
	uint32_t attributes = reader_u32le(&r);
	uint16_t path_bytes = reader_u16le(&r);
	struct bytes description = {r.p, r.left};

	while (!r.bad && reader_u16le(&r))
		;
	if (r.bad || r.left < path_bytes) {
		malformed(o, "no load option (UEFI 3.1.3)");
		return;
	}
	put_u64(o, "attributes", attributes);
	uefi_text_utf16(description, text);
	put_str(o, "description", text);
	uefi_text_path(take(&r, path_bytes), text);
	put_str(o, "path", text);
	if (r.left)
		put_text(o, "optional_data", rest(&r));
}

static bool is_boot_number(const char *name)
{
	return !strncmp(name, "Boot", 4) && strlen(name) == 8 && strspn(name + 4, "0123456789ABCDEFabcdef") == 4;
}

static void put_variable_data(json_object *o, const char *name, struct bytes data, struct event_budget *budget)
{
	static const char *const lists[] = {"PK", "KEK", "db", "dbx", "dbt", "dbr", "MokList", "MokListX", "PKDefault",
					    "KEKDefault", "dbDefault", "dbxDefault"};
	static const char *const flags[] = {"SecureBoot", "SetupMode", "AuditMode", "DeployedMode", "VendorKeys"};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		if (!strcmp(lists[i], name)) {
			put_lists(o, data, budget);
			return;
		}
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (!strcmp(flags[i], name) && data.n <= 1) {
			put_str(o, "value", !data.n ? "absent" : data.p[0] == 1 ? "on" : data.p[0] ? "odd" : "off");
			return;
		}
	if (!strcmp(name, "BootOrder"))
		put_boot_order(o, data, budget);
	else if (is_boot_number(name))
		put_load_option(o, data);
	else
		put_text(o, "value", data);
}

static void put_variable(json_object *o, uint32_t type, struct bytes data, struct event_budget *budget)
{
	char name[UEFI_TEXT_MAX_BYTES];
	struct event_variable v;

	if (!event_variable_parse(data, &v)) {
		malformed(o, "not exactly one UEFI_VARIABLE_DATA (PFP 10.3.1)");
		return;
	}
	uefi_text_utf16(v.name, name);
	put_str(o, "variable", name);
	put_guid(o, "vendor", v.vendor);
	if (type == TCG_EV_EFI_VARIABLE_AUTHORITY && v.data.n > UEFI_GUID_BYTES + 4)
		put_signature(o, v.data, budget);
	else
		put_variable_data(o, name, v.data, budget);
}

/* --- images, partitions, tables ------------------------------------------------------------------------------------
 */

static void put_image(json_object *o, struct bytes data)
{
	struct reader r = reader_init(data.p, data.n);
	uint64_t at = reader_u64le(&r), bytes = reader_u64le(&r), link = reader_u64le(&r), n = reader_u64le(&r);
	char text[UEFI_TEXT_MAX_BYTES];
	struct bytes path = take(&r, n);

	if (r.bad) {
		malformed(o, "no UEFI_IMAGE_LOAD_EVENT (PFP 10.2.3)");
		return;
	}
	if (r.left) /* shim logs its structure with padding */
		put_count(o, "bytes_behind", r.left);
	put_u64(o, "location", at);
	put_count(o, "image_bytes", (size_t)bytes);
	put_u64(o, "link_address", link);
	uefi_text_path(path, text);
	put_str(o, "path", text);
}

static void put_gpt(json_object *o, struct bytes data, struct event_budget *budget)
{
	struct reader r = reader_init(data.p, data.n);
	const uint8_t *header = reader_bytes(&r, GPT_HEADER_BYTES);
	uint64_t n = reader_u64le(&r);
	json_object *list;

	if (r.bad || memcmp(header, "EFI PART", 8) || r.left % GPT_ENTRY_BYTES || n != r.left / GPT_ENTRY_BYTES) {
		malformed(o, "no UEFI_GPT_DATA (PFP 10.2.6)");
		return;
	}
	put_guid(o, "disk", header + 56);
	list = json_object_new_array();
	while (r.left && spend(budget, o)) {
		const uint8_t *type = reader_bytes(&r, UEFI_GUID_BYTES), *id = reader_bytes(&r, UEFI_GUID_BYTES);
		uint64_t first = reader_u64le(&r), last = reader_u64le(&r);
		json_object *part = json_object_new_object();
		char name[UEFI_TEXT_MAX_BYTES];

		(void)reader_u64le(&r); /* attributes */
		uefi_text_utf16(take(&r, 72), name);
		put_str(part, "name", name);
		put_guid(part, "type", type);
		put_guid(part, "id", id);
		put_count(part, "first", (size_t)first);
		put_count(part, "last", (size_t)last);
		if (json_object_array_add(list, part))
			(void)json_object_put(part); /* no memory: it is not shown */
	}
	put(o, "partitions", list);
}

static struct bytes take_description(struct reader *r)
{
	return take(r, reader_u8(r));
}

static void put_blob(json_object *o, struct bytes data, bool described)
{
	struct reader r = reader_init(data.p, data.n);
	uint64_t base, bytes;

	if (described)
		put_text(o, "description", take_description(&r));
	base = reader_u64le(&r);
	bytes = reader_u64le(&r);
	if (!reader_done(&r)) {
		malformed(o, "no UEFI_PLATFORM_FIRMWARE_BLOB (PFP 10.2.5)");
		return;
	}
	put_u64(o, "base", base);
	put_u64(o, "length", bytes);
}

static void put_tables(json_object *o, struct bytes data, bool described, struct event_budget *budget)
{
	struct reader r = reader_init(data.p, data.n);
	json_object *list;
	uint64_t n;

	if (described)
		put_text(o, "description", take_description(&r));
	n = reader_u64le(&r);
	if (r.bad || r.left % 24 || n != r.left / 24) {
		malformed(o, "no UEFI_HANDOFF_TABLE_POINTERS (PFP 10.2.4)");
		return;
	}
	list = json_object_new_array();
	while (r.left && spend(budget, o)) {
		char text[UEFI_TEXT_MAX_BYTES];
		json_object *item;

		uefi_text_guid(reader_bytes(&r, UEFI_GUID_BYTES), text);
		(void)reader_u64le(&r); /* where it lies */
		item = json_object_new_string(text);
		if (json_object_array_add(list, item))
			(void)json_object_put(item); /* no memory: it is not shown */
	}
	put(o, "tables", list);
}

/* --- the rest ------------------------------------------------------------------------------------------------------
 */

static void put_separator(json_object *o, struct bytes data)
{
	static const uint8_t error[4] = {1, 0, 0, 0}, ones[4] = {0xff, 0xff, 0xff, 0xff};

	if (data.n == 4 && hash_is_zero(data.p, 4))
		put_str(o, "separator", "00000000");
	else if (data.n == 4 && (!memcmp(data.p, error, 4) || !memcmp(data.p, ones, 4)))
		put_str(o, "separator", "error: the firmware says that a measurement failed");
	else
		put_text(o, "separator", data);
}

/* PCClientTaggedEvent: u32 id, u32 size, data. */
static void put_tagged(json_object *o, struct bytes data)
{
	struct reader r = reader_init(data.p, data.n);
	uint32_t id = reader_u32le(&r), n = reader_u32le(&r);
	struct bytes value = take(&r, n);

	if (!reader_done(&r)) {
		put_text(o, "text", data);
		return;
	}
	put_u64(o, "tag", id);
	if (id == TAG_LOAD_OPTIONS)
		put_str(o, "of", "Linux EFI stub: load options (the command line)");
	else if (id == TAG_INITRD)
		put_str(o, "of", "Linux EFI stub: initrd");
	put_text(o, "text", value);
}

static void put_spec_id(json_object *o, struct bytes data)
{
	struct reader r = reader_init(data.p, data.n);
	uint8_t minor, major, errata;
	char text[32];

	(void)reader_bytes(&r, 16 + 4); /* signature, platform class */
	minor = reader_u8(&r);
	major = reader_u8(&r);
	errata = reader_u8(&r);
	(void)snprintf(text, sizeof(text), "%u.%u errata %u", (unsigned)major, (unsigned)minor, (unsigned)errata);
	put_str(o, "specification", text);
}

static void put_no_action(json_object *o, struct bytes data)
{
	char name[17] = {0};

	memcpy(name, data.p, data.n < 16 ? data.n : 16);
	if (!strcmp(name, "StartupLocality") && data.n == 17) {
		put_count(o, "startup_locality", data.p[16]);
	} else if (!strcmp(name, "Spec ID Event03") && data.n > 24) {
		put_spec_id(o, data);
	} else if (!strncmp(name, "SP800-155 Event", 15) && data.n >= 36) {
		put_str(o, "signature", "SP800-155 Event");
		put_guid(o, "reference_manifest", data.p + 20);
	} else {
		put_text(o, "text", data);
	}
}

static void decode(json_object *o, uint32_t type, struct bytes data, struct event_budget *budget)
{
	switch (type) {
	case TCG_EV_NO_ACTION:
		put_no_action(o, data);
		break;
	case TCG_EV_SEPARATOR:
		put_separator(o, data);
		break;
	case TCG_EV_EVENT_TAG:
		put_tagged(o, data);
		break;
	case TCG_EV_EFI_VARIABLE_DRIVER_CONFIG:
	case TCG_EV_EFI_VARIABLE_BOOT:
	case TCG_EV_EFI_VARIABLE_BOOT2:
	case TCG_EV_EFI_VARIABLE_AUTHORITY:
		put_variable(o, type, data, budget);
		break;
	case TCG_EV_EFI_BOOT_SERVICES_APPLICATION:
	case TCG_EV_EFI_BOOT_SERVICES_DRIVER:
	case TCG_EV_EFI_RUNTIME_SERVICES_DRIVER:
		put_image(o, data);
		break;
	case TCG_EV_EFI_GPT_EVENT:
	case TCG_EV_EFI_GPT_EVENT2:
		put_gpt(o, data, budget);
		break;
	case TCG_EV_EFI_PLATFORM_FIRMWARE_BLOB:
	case TCG_EV_EFI_PLATFORM_FIRMWARE_BLOB2:
		put_blob(o, data, type == TCG_EV_EFI_PLATFORM_FIRMWARE_BLOB2);
		break;
	case TCG_EV_EFI_HANDOFF_TABLES:
	case TCG_EV_EFI_HANDOFF_TABLES2:
		put_tables(o, data, type == TCG_EV_EFI_HANDOFF_TABLES2, budget);
		break;
	default:
		put_text(o, "text", data);
	}
}

json_object *event_decode(uint32_t type, struct bytes data, struct event_budget *budget)
{
	json_object *o = json_object_new_object();

	if (o && data.n)
		decode(o, type, data, budget);
	return o;
}
