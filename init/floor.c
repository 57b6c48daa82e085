/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/floor.c - the rollback floor: the lowest versions that may run on this machine, kept by its TPM */
#include "init/floor.h"

#include <string.h>
#include <sys/random.h>

enum {
	TPM_CC_CLEAR_CONTROL = 0x127,
	TPM_CC_HIERARCHY_CHANGE_AUTH = 0x129,
	TPM_CC_NV_DEFINE_SPACE = 0x12a,
	TPM_CC_NV_WRITE = 0x137,
	TPM_CC_NV_READ = 0x14e,
	TPM_CC_NV_READ_PUBLIC = 0x169,
	TPM_CC_GET_CAPABILITY = 0x17a,
	TPM_CAP_TPM_PROPERTIES = 6,
	TPM_PT_PERMANENT = 0x200,
	PERMANENT_OWNER_AUTH_SET = 1 << 0,
	PERMANENT_LOCKOUT_AUTH_SET = 1 << 2,
	PERMANENT_DISABLE_CLEAR = 1 << 8,
	TPM_RC_HANDLE = 0x8b, /* bits of a format-one code without its number of handle, parameter or session */
	TPM_RC_NV_DEFINED = 0x14c,
	TPM_RC_BAD_AUTH = 0xa2,
	NV_AUTHWRITE = 1 << 2,
	NV_POLICYWRITE = 1 << 3,
	NV_WRITEALL = 1 << 12,
	NV_POLICYREAD = 1 << 19,
	NV_NO_DA = 1 << 25,
	NV_WRITTEN = 1 << 29,
	NV_PUBLIC_BYTES = 14 + HASH_SHA256_BYTES,
	DIGEST = HASH_SHA256_BYTES,
};

static const uint8_t record_head[8] = { 'H', 'F', 'F', 'L', 0, 0, 0, 1 };

/* One NV index of ours: what it must be, and how it was found. */
struct index {
	struct pid1_tpm_entity nv; /* its name follows from @written */
	uint32_t attributes;
	bool defined, written;
};

/* The work of one call. @key is wiped at its end. */
struct work {
	const struct pid1_floor_params *p;
	struct tpm_io *tpm;
	struct pid1_tpm_srk srk;
	struct index secret, floor;
	uint8_t policy[DIGEST];
	uint8_t key[DIGEST];
};

static const struct pid1_tpm_entity owner = { .handle = PID1_TPM_RH_OWNER };

static bool code_is(const struct tpm_io *t, uint32_t code)
{
	return t->code & 0x80 ? (t->code & 0xbf) == code : t->code == code;
}

/* What follows from the secret. The TPM drops zeros at an authValue's end: there must be none. */
static void derive(const uint8_t key[static DIGEST], const char *label, uint8_t ret[static DIGEST])
{
	uint8_t b[DIGEST + 32] = { 0 };

	memcpy(b, key, DIGEST);
	memcpy(b + DIGEST, label, strlen(label));
	hash_sha256(b, sizeof(b), ret);
	ret[DIGEST - 1] |= 1;
	explicit_bzero(b, sizeof(b));
}

#define OWNER_LABEL "holdfast owner"
#define FLOOR_LABEL "holdfast floor"

/* --- indices ---------------------------------------------------------------------------------------------------------- */

/* TPMS_NV_PUBLIC of @x as it must be. */
static void put_public(const struct work *w, const struct index *x, bool written, struct pid1_tpm_cmd *c)
{
	pid1_tpm_put(c, x->nv.handle, 4);
	pid1_tpm_put(c, HASH_SHA256, 2);
	pid1_tpm_put(c, x->attributes | (written ? NV_WRITTEN : 0), 4);
	pid1_tpm_put_2b(c, w->policy, DIGEST);
	pid1_tpm_put(c, PID1_FLOOR_RECORD_BYTES, 2);
}

static void set_name(const struct work *w, struct index *x)
{
	struct pid1_tpm_cmd c = { .n = 0 }; /* only to put bytes in order */

	put_public(w, x, x->written, &c);
	pid1_tpm_name(c.param, c.n, x->nv.name);
}

/* -EEXIST: it is there and is not ours. */
static int find_index(struct work *w, struct index *x, struct err *e)
{
	struct pid1_tpm_cmd c = { .code = TPM_CC_NV_READ_PUBLIC, .on = { &x->nv }, .n_on = 1 };
	struct reader r;
	const uint8_t *public;
	size_t n;
	int rc = pid1_tpm_run(w->tpm, &c, &r, e);

	x->defined = x->written = false;
	if (rc == -EPROTO && code_is(w->tpm, TPM_RC_HANDLE))
		return 0;
	if (rc)
		return rc;
	public = pid1_tpm_2b(&r, r.left, &n);
	for (int written = 0; public && written < 2; written++) {
		struct pid1_tpm_cmd want = { .n = 0 };

		put_public(w, x, written, &want);
		if (n != want.n || memcmp(public, want.param, n))
			continue;
		x->defined = true;
		x->written = written;
		set_name(w, x);
		return 0;
	}
	return err_set(e, EEXIST, "the TPM's index 0x%x is not as this image's owner defines it", (unsigned)x->nv.handle);
}

static int find_indices(struct work *w, struct err *e)
{
	int r = find_index(w, &w->secret, e);

	return r ? r : find_index(w, &w->floor, e);
}

/* @x's content under the owner's signed policy. @hidden: encrypted on its way. */
static int read_index(struct work *w, struct index *x, bool hidden, uint8_t ret[static PID1_FLOOR_RECORD_BYTES], struct err *e)
{
	struct pid1_tpm_session s = { 0 };
	struct pid1_tpm_cmd c = { .code = TPM_CC_NV_READ, .on = { &x->nv, &x->nv }, .n_on = 2, .authorised = true, .session = &s,
				  .hidden = hidden };
	const uint8_t *data;
	struct reader r;
	size_t n;
	int rc = pid1_policy_begin(w->tpm, &w->srk, w->p->pcr_key, w->p->policies, &s, e);

	pid1_tpm_put(&c, PID1_FLOOR_RECORD_BYTES, 2);
	pid1_tpm_put(&c, 0, 2);
	rc = rc ? rc : pid1_tpm_run(w->tpm, &c, &r, e);
	pid1_tpm_end(w->tpm, &s);
	if (rc)
		return rc;
	data = pid1_tpm_2b(&r, PID1_FLOOR_RECORD_BYTES, &n);
	if (!reader_done(&r) || n != PID1_FLOOR_RECORD_BYTES)
		return err_set(e, EPROTO, "the TPM gave %zu bytes of index 0x%x, wanted %d", n, (unsigned)x->nv.handle,
			       PID1_FLOOR_RECORD_BYTES);
	memcpy(ret, data, n);
	explicit_bzero(w->tpm->resp, sizeof(w->tpm->resp));
	return 0;
}

/* A session ends here, whether it was begun or not: a zeroed one is no session. */
static int run_and_end(struct work *w, struct pid1_tpm_cmd *c, int begun, struct err *e)
{
	struct reader r;

	if (!begun)
		begun = pid1_tpm_run(w->tpm, c, &r, e);
	pid1_tpm_end(w->tpm, c->session);
	explicit_bzero(c->param, sizeof(c->param));
	return begun;
}

static int define_index(struct work *w, struct index *x, const uint8_t *value, struct err *e)
{
	struct pid1_tpm_session s = { 0 };
	struct pid1_tpm_cmd c = { .code = TPM_CC_NV_DEFINE_SPACE, .on = { &owner }, .n_on = 1, .authorised = true, .session = &s,
				  .hide = value };
	int r;

	pid1_tpm_put_2b(&c, value, value ? DIGEST : 0);
	pid1_tpm_put(&c, NV_PUBLIC_BYTES, 2);
	put_public(w, x, false, &c);
	r = run_and_end(w, &c, pid1_tpm_begin(w->tpm, &w->srk, false, &s, e), e);
	if (!r) {
		x->defined = true;
		set_name(w, x);
	}
	return r;
}

static void put_write(struct pid1_tpm_cmd *c, const uint8_t data[static PID1_FLOOR_RECORD_BYTES])
{
	pid1_tpm_put_2b(c, data, PID1_FLOOR_RECORD_BYTES);
	pid1_tpm_put(c, 0, 2);
}

static int write_secret(struct work *w, struct err *e)
{
	struct pid1_tpm_session s = { 0 };
	struct pid1_tpm_cmd c = { .code = TPM_CC_NV_WRITE, .on = { &w->secret.nv, &w->secret.nv }, .n_on = 2, .authorised = true,
				  .session = &s, .hide = true };
	int r;

	if (getrandom(w->key, DIGEST, 0) != DIGEST)
		return err_set(e, EIO, "no random bytes from the kernel");
	put_write(&c, w->key);
	r = run_and_end(w, &c, pid1_policy_begin(w->tpm, &w->srk, w->p->pcr_key, w->p->policies, &s, e), e);
	w->secret.written = true;
	set_name(w, &w->secret);
	return r;
}

static void put_record(const struct pid1_floor *f, uint8_t ret[static PID1_FLOOR_RECORD_BYTES])
{
	memcpy(ret, record_head, sizeof(record_head));
	for (int i = 0; i < 8 * PID1_FLOOR_WHAT_; i++)
		ret[8 + i] = (uint8_t)(f->version[i / 8] >> 8 * (7 - i % 8));
}

/* The command that writes @f, under @s; @value is the index's authValue. */
static void make_write(const struct work *w, const struct pid1_floor *f, struct pid1_tpm_session *s, const uint8_t *value,
		       struct pid1_tpm_cmd *ret)
{
	uint8_t record[PID1_FLOOR_RECORD_BYTES];

	*ret = (struct pid1_tpm_cmd){ .code = TPM_CC_NV_WRITE, .on = { &w->floor.nv, &w->floor.nv }, .n_on = 2,
				      .authorised = true, .session = s, .value = value };
	put_record(f, record);
	put_write(ret, record);
}

static int parse_record(const uint8_t record[static PID1_FLOOR_RECORD_BYTES], struct pid1_floor *ret, struct err *e)
{
	struct reader r = reader_init(record, PID1_FLOOR_RECORD_BYTES);
	const uint8_t *head = reader_bytes(&r, sizeof(record_head));

	if (memcmp(head, record_head, sizeof(record_head)))
		return err_set(e, EBADMSG, "the floor's record in the TPM is of no known format");
	for (int i = 0; i < PID1_FLOOR_WHAT_; i++)
		ret->version[i] = reader_u64be(&r);
	return 0;
}

/* --- a new machine ------------------------------------------------------------------------------------------------------ */

static int read_permanent(struct work *w, uint32_t *ret, struct err *e)
{
	struct pid1_tpm_cmd c = { .code = TPM_CC_GET_CAPABILITY };
	struct reader r;
	int rc;

	pid1_tpm_put(&c, TPM_CAP_TPM_PROPERTIES, 4);
	pid1_tpm_put(&c, TPM_PT_PERMANENT, 4);
	pid1_tpm_put(&c, 1, 4);
	rc = pid1_tpm_run(w->tpm, &c, &r, e);
	if (rc)
		return rc;
	(void)reader_u8(&r); /* moreData */
	if (reader_u32be(&r) != TPM_CAP_TPM_PROPERTIES || reader_u32be(&r) != 1 || reader_u32be(&r) != TPM_PT_PERMANENT)
		r.bad = true;
	*ret = reader_u32be(&r);
	return reader_done(&r) ? 0 : err_set(e, EPROTO, "the TPM's answer on its permanent attributes is malformed");
}

/* TPM2_Clear takes the owner's authorisation away: only the firmware may do it from now on. */
static int disable_clear(struct work *w, struct err *e)
{
	static const struct pid1_tpm_entity lockout = { .handle = PID1_TPM_RH_LOCKOUT };
	struct pid1_tpm_cmd c = { .code = TPM_CC_CLEAR_CONTROL, .on = { &lockout }, .n_on = 1, .authorised = true };
	struct reader r;

	pid1_tpm_put(&c, 1, 1);
	return pid1_tpm_run(w->tpm, &c, &r, e);
}

static int take_owner(struct work *w, struct err *e)
{
	struct pid1_tpm_session s = { 0 };
	uint8_t value[DIGEST];
	struct pid1_tpm_cmd c = { .code = TPM_CC_HIERARCHY_CHANGE_AUTH, .on = { &owner }, .n_on = 1, .authorised = true, .session = &s,
				  .new_value = value, .hide = true };
	int r;

	derive(w->key, OWNER_LABEL, value);
	pid1_tpm_put_2b(&c, value, sizeof(value));
	r = run_and_end(w, &c, pid1_tpm_begin(w->tpm, &w->srk, false, &s, e), e);
	explicit_bzero(value, sizeof(value));
	return r;
}

static int write_zeros(struct work *w, struct err *e)
{
	static const struct pid1_floor zeros;
	struct pid1_tpm_session s = { 0 };
	struct pid1_tpm_cmd c;
	uint8_t value[DIGEST];
	int r;

	derive(w->key, FLOOR_LABEL, value);
	make_write(w, &zeros, &s, value, &c);
	r = run_and_end(w, &c, pid1_tpm_begin(w->tpm, &w->srk, false, &s, e), e);
	explicit_bzero(value, sizeof(value));
	w->floor.written = true;
	set_name(w, &w->floor);
	return r;
}

/* Both indices: each step only if it was not done before. */
static int make_indices(struct work *w, struct err *e)
{
	uint8_t value[DIGEST];
	int r = w->secret.defined ? 0 : define_index(w, &w->secret, NULL, e);

	if (!r)
		r = w->secret.written ? read_index(w, &w->secret, true, w->key, e) : write_secret(w, e);
	derive(w->key, FLOOR_LABEL, value);
	if (!r && !w->floor.defined)
		r = define_index(w, &w->floor, value, e);
	explicit_bzero(value, sizeof(value));
	return r || w->floor.written ? r : write_zeros(w, e);
}

/* No mark: make what is not there. Where nothing is missing, only the permanent attributes are asked for. */
static int make_floor(struct work *w, bool *ret_made, struct err *e)
{
	uint32_t permanent = 0;
	int r = read_permanent(w, &permanent, e);

	*ret_made = !w->secret.written || !w->floor.written;
	if (r || (!*ret_made && permanent & PERMANENT_OWNER_AUTH_SET && permanent & PERMANENT_DISABLE_CLEAR))
		return r;
	if (*ret_made && permanent & PERMANENT_OWNER_AUTH_SET)
		return err_set(e, EACCES, "the TPM's owner authorisation is set, but not by us");
	if (permanent & PERMANENT_LOCKOUT_AUTH_SET && !(permanent & PERMANENT_DISABLE_CLEAR))
		return err_set(e, EACCES, "the TPM's lockout authorisation is set, and not by us: TPM2_Clear cannot be disabled");
	r = make_indices(w, e);
	if (!r && !(permanent & PERMANENT_DISABLE_CLEAR))
		r = disable_clear(w, e);
	return r || permanent & PERMANENT_OWNER_AUTH_SET ? r : take_owner(w, e);
}

/* --- what others call ----------------------------------------------------------------------------------------------------- */

static int begin(struct work *w, const struct pid1_floor_params *p, struct err *e)
{
	*w = (struct work){ .p = p,
			    .tpm = p->tpm,
			    .secret = { .nv.handle = PID1_FLOOR_SECRET_INDEX,
					.attributes = NV_POLICYWRITE | NV_POLICYREAD | NV_WRITEALL | NV_NO_DA },
			    .floor = { .nv.handle = PID1_FLOOR_INDEX,
				       .attributes = NV_AUTHWRITE | NV_POLICYREAD | NV_WRITEALL | NV_NO_DA } };
	memcpy(w->policy, p->pcr_key->authorized, DIGEST);
	return pid1_tpm_srk_read(p->tpm, &w->srk, e);
}

static int verdict(struct pid1_floor_found *ret, enum pid1_floor_verdict v)
{
	ret->verdict = v;
	return 0;
}

/* No SRK: a TPM that was never used, or was cleared. */
static int open_without_srk(struct work *w, struct pid1_floor_found *ret, struct err *e)
{
	int r;

	if (!code_is(w->tpm, TPM_RC_HANDLE))
		return -e->code;
	if (w->p->mark)
		return verdict(ret, PID1_FLOOR_CLEARED);
	r = pid1_tpm_srk_make(w->tpm, e);
	if (r == -EPROTO && code_is(w->tpm, TPM_RC_BAD_AUTH))
		return verdict(ret, PID1_FLOOR_FOREIGN);
	return r ? r : pid1_tpm_srk_read(w->tpm, &w->srk, e);
}

static int open_floor(struct work *w, struct pid1_floor_found *ret, struct err *e)
{
	uint8_t record[PID1_FLOOR_RECORD_BYTES];
	bool made = false;
	int r;

	if (w->p->mark && memcmp(w->p->mark, w->srk.key.name, PID1_TPM_NAME_BYTES))
		return verdict(ret, PID1_FLOOR_CLEARED);
	r = find_indices(w, e);
	if (r == -EEXIST)
		return verdict(ret, PID1_FLOOR_FOREIGN);
	if (r)
		return r;
	if (w->p->mark && (!w->secret.written || !w->floor.written))
		return verdict(ret, PID1_FLOOR_DELETED);
	if (!w->p->mark)
		r = make_floor(w, &made, e);
	if (r == -EACCES)
		return verdict(ret, PID1_FLOOR_FOREIGN);
	r = r ? r : read_index(w, &w->floor, false, record, e);
	r = r ? r : parse_record(record, &ret->floor, e);
	if (r)
		return r;
	memcpy(ret->mark, w->srk.key.name, PID1_TPM_NAME_BYTES);
	return verdict(ret, made ? PID1_FLOOR_NEW : PID1_FLOOR_READ);
}

int pid1_floor_open(const struct pid1_floor_params *p, struct pid1_floor_found *ret, struct err *e)
{
	struct work w;
	int r = begin(&w, p, e);

	*ret = (struct pid1_floor_found){ .verdict = PID1_FLOOR_UNSET };
	if (r)
		r = r == -EPROTO ? open_without_srk(&w, ret, e) : r;
	if (!r && ret->verdict == PID1_FLOOR_UNSET)
		r = open_floor(&w, ret, e);
	explicit_bzero(&w, sizeof(w));
	return r;
}

int pid1_floor_arm(const struct pid1_floor_params *p, const struct pid1_floor *to, struct pid1_tpm_wire *ret, struct err *e)
{
	struct pid1_tpm_session s = { 0 };
	struct pid1_tpm_cmd c;
	uint8_t value[DIGEST];
	struct work w;
	int r = begin(&w, p, e);

	r = r ? r : find_indices(&w, e);
	r = r ? r : read_index(&w, &w.secret, true, w.key, e);
	r = r ? r : pid1_tpm_begin(w.tpm, &w.srk, false, &s, e);
	if (!r) {
		derive(w.key, FLOOR_LABEL, value);
		make_write(&w, to, &s, value, &c);
		c.last = true;
		r = pid1_tpm_prepare(&c, ret, e);
		if (r)
			pid1_tpm_flush(w.tpm, s.handle);
	}
	explicit_bzero(value, sizeof(value));
	explicit_bzero(&s, sizeof(s)); /* it goes on in the TPM, for this one command */
	explicit_bzero(&w, sizeof(w));
	return r;
}

int pid1_floor_derive(const struct pid1_floor_params *p, const char *label, uint8_t ret[static DIGEST], struct err *e)
{
	struct work w;
	int r = begin(&w, p, e);

	r = r ? r : find_indices(&w, e);
	if (!r && !w.secret.written)
		r = err_set(e, ENOENT, "the TPM has no index 0x%x of ours, so no secret of this machine", PID1_FLOOR_SECRET_INDEX);
	r = r ? r : read_index(&w, &w.secret, true, w.key, e);
	if (!r)
		derive(w.key, label, ret);
	explicit_bzero(&w, sizeof(w));
	return r;
}
