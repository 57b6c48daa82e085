/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/ima_log.c - the kernel's IMA log and what dm-ima writes into it */
#include "attest/ima_log.h"

#include "common/hex.h"

#include <string.h>

static const struct {
	const char *name;
	enum ima_template template;
	bool third; /* a third field: sig or buf */
} template_table[] = {
	{"ima-ng", IMA_TEMPLATE_NG, false},
	{"ima-sig", IMA_TEMPLATE_SIG, true},
	{"ima-buf", IMA_TEMPLATE_BUF, true},
};

static bool bytes_are(struct bytes b, const char *text)
{
	return b.n == strlen(text) && !memcmp(b.p, text, b.n);
}

static struct bytes take_field(struct reader *r)
{
	struct bytes b;

	b.n = reader_u32le(r);
	b.p = reader_bytes(r, b.n);
	if (!b.p)
		b.n = 0;
	return b;
}

/* d-ng: "<hash>:" NUL digest. */
static int parse_d_ng(struct bytes f, struct ima_entry *en, struct err *e)
{
	const uint8_t *nul = f.n ? memchr(f.p, 0, f.n) : NULL;
	char name[16] = {0};
	size_t n = nul ? (size_t)(nul - f.p) : 0;

	if (n < 2 || n > sizeof(name) || f.p[n - 1] != ':')
		return err_set(e, EINVAL,
			       "IMA log: entry %zu: its digest field does not begin with a hash name and a colon",
			       en->index);
	memcpy(name, f.p, n - 1);
	en->file_alg = hash_by_name(name);
	en->file = (struct bytes){nul + 1, f.n - n - 1};
	for (char *c = name; *c; c++) /* it may be shown on a terminal */
		if (*c < ' ' || *c > '~')
			*c = '?';
	if (en->file_alg == HASH_NONE || hash_bytes(en->file_alg) != en->file.n)
		return err_set(e, EINVAL, "IMA log: entry %zu: digest of %zu bytes of hash \"%s\"", en->index,
			       en->file.n, name);
	return 0;
}

static int parse_template_data(struct bytes data, bool third, struct ima_entry *en, struct err *e)
{
	struct reader r = reader_init(data.p, data.n);
	struct bytes digest = take_field(&r), name = take_field(&r), last = {NULL, 0};

	if (third)
		last = take_field(&r);
	if (!reader_done(&r))
		return err_set(e, EINVAL, "IMA log: entry %zu: its fields do not fill its %zu bytes of template data",
			       en->index, data.n);
	if (!name.n || name.n > IMA_LOG_MAX_NAME_BYTES || memchr(name.p, 0, name.n) != name.p + name.n - 1)
		return err_set(e, EINVAL, "IMA log: entry %zu: its name is not one string with its NUL", en->index);
	en->name = (struct bytes){name.p, name.n - 1};
	if (en->template == IMA_TEMPLATE_BUF)
		en->buf = last;
	return parse_d_ng(digest, en, e);
}

/* The two ways an entry reaches the bank. */
static int take_digest(const uint8_t *sha1, struct bytes data, struct ima_entry *en, struct err *e)
{
	uint8_t h[HASH_MAX_BYTES];

	en->violation = hash_is_zero(sha1, hash_bytes(HASH_SHA1));
	if (en->violation) {
		memset(en->extend, 0xff, sizeof(en->extend));
		return 0;
	}
	(void)hash_once(HASH_SHA1, data.p, data.n, h); /* SHA-1 is always there */
	if (!hash_equal(h, hash_bytes(HASH_SHA1), sha1, hash_bytes(HASH_SHA1)))
		return err_set(e, EINVAL, "IMA log: entry %zu: the recorded SHA-1 is not that of its template data",
			       en->index);
	hash_sha256(data.p, data.n, en->extend);
	return 0;
}

int ima_log_next(struct reader *r, size_t index, struct ima_entry *ret, struct err *e)
{
	struct ima_entry en = {.index = index};
	size_t at = reader_offset(r);
	struct bytes name, data;
	const uint8_t *sha1;
	uint32_t pcr;
	bool third = false;
	int rc;

	if (reader_done(r))
		return 0;
	pcr = reader_u32le(r);
	sha1 = reader_bytes(r, hash_bytes(HASH_SHA1));
	name = take_field(r);
	data = take_field(r);
	if (r->bad)
		return err_set(e, EINVAL, "IMA log: entry %zu at offset %zu is cut short", index, at);
	if (index >= IMA_LOG_MAX_ENTRIES)
		return err_set(e, EINVAL, "IMA log: more than %d entries", IMA_LOG_MAX_ENTRIES);
	if (pcr != IMA_LOG_PCR)
		return err_set(e, EINVAL, "IMA log: entry %zu measures into PCR %u, wanted %d", index, (unsigned)pcr,
			       IMA_LOG_PCR);
	for (size_t i = 0; i < ARRAY_SIZE(template_table); i++) {
		if (!bytes_are(name, template_table[i].name))
			continue;
		en.template = template_table[i].template;
		third = template_table[i].third;
	}
	if (en.template == IMA_TEMPLATE_UNSET)
		return err_set(e, EINVAL, "IMA log: entry %zu has a template other than ima-ng, ima-sig and ima-buf",
			       index);
	rc = take_digest(sha1, data, &en, e);
	if (!rc)
		rc = parse_template_data(data, third, &en, e);
	if (rc)
		return rc;
	*ret = en;
	return 1;
}

void ima_boot_aggregate(const struct replay *r, uint8_t ret[static HASH_SHA256_BYTES])
{
	uint8_t all[IMA_LOG_PCR * HASH_SHA256_BYTES];

	for (size_t i = 0; i < IMA_LOG_PCR; i++)
		memcpy(all + i * HASH_SHA256_BYTES, r->pcr[i], HASH_SHA256_BYTES);
	hash_sha256(all, sizeof(all), ret);
}

/* --- the text of device-mapper: take_*() cut the next part off @t and say whether it was there ---------------------
 */

static bool take_text(struct bytes *t, const char *text)
{
	size_t n = strlen(text);

	if (t->n < n || memcmp(t->p, text, n))
		return false;
	t->p += n;
	t->n -= n;
	return true;
}

/* One or more characters of @set. */
static bool take_set(struct bytes *t, const char *set)
{
	size_t n = 0;

	while (n < t->n && t->p[n] && strchr(set, t->p[n]))
		n++;
	t->p += n;
	t->n -= n;
	return n > 0;
}

/* A value in which the kernel put a backslash before each of \ ; = and comma; ends before the first bare comma. */
static bool take_escaped(struct bytes *t)
{
	size_t n = 0;

	while (n < t->n && !strchr(",;=", t->p[n]))
		n += t->p[n] == '\\' ? 2 : 1;
	if (n >= t->n || t->p[n] != ',')
		return false;
	t->p += n;
	t->n -= n;
	return true;
}

/* A value that may be empty and holds no separator. */
static void take_plain(struct bytes *t)
{
	while (t->n && !strchr(",;=", t->p[0])) {
		t->p++;
		t->n--;
	}
}

static bool take_sha256(struct bytes *t, uint8_t ret[static HASH_SHA256_BYTES])
{
	char hex[2 * HASH_SHA256_BYTES + 1];

	if (t->n < sizeof(hex) - 1)
		return false;
	memcpy(hex, t->p, sizeof(hex) - 1);
	hex[sizeof(hex) - 1] = '\0';
	t->p += sizeof(hex) - 1;
	t->n -= sizeof(hex) - 1;
	return hex_decode(hex, ret, HASH_SHA256_BYTES);
}

#define DIGITS "0123456789"

/* dm_version=4.48.0;name=NAME,uuid=UUID,major=N,minor=N,minor_count=N,num_targets=1; */
static bool take_device(struct bytes *t)
{
	return take_text(t, "dm_version=") && take_set(t, DIGITS ".") && take_text(t, ";name=") && take_escaped(t) &&
	       take_text(t, ",uuid=") && take_escaped(t) && take_text(t, ",major=") && take_set(t, DIGITS) &&
	       take_text(t, ",minor=") && take_set(t, DIGITS) && take_text(t, ",minor_count=") && take_set(t, DIGITS) &&
	       take_text(t, ",num_targets=1;");
}

/* target_index=0,...,target_name=verity,...,root_digest=HEX,salt=HEX|-,ignore_zero_blocks=n,check_at_most_once=n */
static bool take_verity(struct bytes *t, uint8_t root_digest[static HASH_SHA256_BYTES])
{
	return take_text(t, "target_index=0,target_begin=0,target_len=") && take_set(t, DIGITS) &&
	       take_text(t, ",target_name=verity,target_version=") && take_set(t, DIGITS ".") &&
	       take_text(t, ",hash_failed=V,verity_version=1,data_device_name=") && take_set(t, DIGITS ":") &&
	       take_text(t, ",hash_device_name=") && take_set(t, DIGITS ":") &&
	       take_text(t, ",verity_algorithm=sha256,root_digest=") && take_sha256(t, root_digest) &&
	       take_text(t, ",salt=") && take_set(t, DIGITS "abcdef-") &&
	       take_text(t, ",ignore_zero_blocks=n,check_at_most_once=n");
}

/* [,root_hash_sig_key_desc=TEXT][,verity_mode=...][,verity_error_mode=...]; and nothing more */
static bool take_verity_end(struct bytes *t)
{
	if (take_text(t, ",root_hash_sig_key_desc="))
		take_plain(t);
	if (take_text(t, ",verity_mode=") && !take_text(t, "restart_on_corruption") &&
	    !take_text(t, "panic_on_corruption"))
		return false;
	if (take_text(t, ",verity_error_mode=") && !take_text(t, "restart_on_error") && !take_text(t, "panic_on_error"))
		return false;
	return take_text(t, ";") && !t->n;
}

/*
 * The same for the state volume: its name, and a UUID as libcryptsetup makes it, so that nobody's else table is taken for it; then
 * target_index=0,...,target_name=crypt,... (STATUSTYPE_IMA in drivers/md/dm-crypt.c, as Linux 6.12 has it)
 */
static bool take_state(struct bytes *t)
{
	return take_text(t, "dm_version=") && take_set(t, DIGITS ".") && take_text(t, ";name=holdfast-state,uuid=CRYPT-LUKS2-") &&
	       take_set(t, DIGITS "abcdef") && take_text(t, "-holdfast-state,major=") && take_set(t, DIGITS) && take_text(t, ",minor=") &&
	       take_set(t, DIGITS) && take_text(t, ",minor_count=") && take_set(t, DIGITS) &&
	       take_text(t, ",num_targets=1;target_index=0,target_begin=0,target_len=") && take_set(t, DIGITS) &&
	       take_text(t, ",target_name=crypt,target_version=") && take_set(t, DIGITS ".") &&
	       take_text(t, ",allow_discards=n,same_cpu_crypt=n,high_priority=n,submit_from_crypt_cpus=n,no_read_workqueue=n,"
			    "no_write_workqueue=n,iv_large_sectors=n,sector_size=4096,cipher_string=aes-xts-plain64,key_size=64,key_parts=1,key_extra_size=0,"
			    "key_mac_size=0;") &&
	       !t->n;
}

static int parse_table(struct bytes text, size_t index, struct ima_dm_event *ret, struct err *e)
{
	struct bytes state = text;

	hash_sha256(text.p, text.n, ret->table_hash);
	if (take_state(&state)) {
		ret->kind = IMA_DM_STATE;
		return 0;
	}
	if (!take_device(&text))
		return err_set(e, EINVAL, "IMA log: entry %zu: a device-mapper table that is not one single target",
			       index);
	if (!take_verity(&text, ret->root_digest))
		return err_set(e, EINVAL,
			       "IMA log: entry %zu: a device-mapper table that is not strict dm-verity with sha256",
			       index);
	if (!take_verity_end(&text))
		return err_set(e, EINVAL,
			       "IMA log: entry %zu: a dm-verity table with options that weaken it or are not known",
			       index);
	ret->kind = IMA_DM_TABLE_LOAD;
	return 0;
}

static int parse_resume(struct bytes text, size_t index, struct ima_dm_event *ret, struct err *e)
{
	if (!take_device(&text) || !take_text(&text, "active_table_hash=sha256:") ||
	    !take_sha256(&text, ret->table_hash) || !take_text(&text, ";current_device_capacity=") ||
	    !take_set(&text, DIGITS) || !take_text(&text, ";") || text.n)
		return err_set(e, EINVAL,
			       "IMA log: entry %zu: a device-mapper device was resumed without a measured table",
			       index);
	ret->kind = IMA_DM_RESUME;
	return 0;
}

int ima_dm_parse(const struct ima_entry *en, struct ima_dm_event *ret, struct err *e)
{
	struct ima_dm_event ev = {IMA_DM_NOT, {0}, {0}};
	int rc = 0;

	if (en->template == IMA_TEMPLATE_BUF && bytes_are(en->name, "dm_table_load"))
		rc = parse_table(en->buf, en->index, &ev, e);
	else if (en->template == IMA_TEMPLATE_BUF && bytes_are(en->name, "dm_device_resume"))
		rc = parse_resume(en->buf, en->index, &ev, e);
	else if (en->template == IMA_TEMPLATE_BUF &&
		 (bytes_are(en->name, "dm_device_remove") || bytes_are(en->name, "dm_table_clear")))
		ev.kind = IMA_DM_GONE;
	else if (en->template == IMA_TEMPLATE_BUF && bytes_are(en->name, "dm_device_rename"))
		rc = err_set(e, EINVAL, "IMA log: entry %zu: a device-mapper device was renamed", en->index);
	if (rc)
		return rc;
	*ret = ev;
	return 0;
}
