/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* common/json.c - strict JSON: json-c for the tree, our own scan before it for the rules */
#include "common/json.h"

#include "common/hash.h"
#include "common/hex.h"

#include <string.h>

/* What the scan expects next. */
enum want { WANT_VALUE, WANT_VALUE_OR_END, WANT_KEY, WANT_KEY_OR_END, WANT_COMMA_OR_END, WANT_NOTHING };

struct key {
	size_t at;
	size_t len;
};

/*
 * struct scan - one walk over the text
 * @level: one entry an open object or array: its bracket and where its keys begin in @keys
 * @keys:  keys of all open objects, innermost last; popped with their object
 */
struct scan {
	const uint8_t *t;
	size_t len;
	size_t i;
	size_t depth;
	struct level {
		char open;
		size_t first_key;
	} level[JSON_MAX_DEPTH];
	struct key *keys;
	size_t n_keys;
};

static int scan_bad(const struct scan *s, const char *name, const char *wanted, struct err *e)
{
	if (s->i >= s->len)
		return err_set(e, EINVAL, "%s: ends at byte %zu, wanted %s", name, s->i, wanted);
	return err_set(e, EINVAL, "%s: found byte 0x%02x at offset %zu, wanted %s", name, s->t[s->i], s->i, wanted);
}

static void skip_space(struct scan *s)
{
	while (s->i < s->len && (s->t[s->i] == ' ' || s->t[s->i] == '\t' || s->t[s->i] == '\n' || s->t[s->i] == '\r'))
		s->i++;
}

/* Length of the well-formed UTF-8 sequence at @p (RFC 3629), 0 if there is none. */
static size_t utf8_len(const uint8_t *p, size_t left)
{
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;

	if (n == 0 || n > left)
		return 0;
	for (size_t k = 1; k < n; k++)
		if ((p[k] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
	    (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

static bool is_hex(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* One escape, s->i on the backslash. \u0000 is refused: every text here becomes a C string. */
static bool scan_escape(struct scan *s)
{
	const uint8_t *p = s->t + s->i;
	size_t left = s->len - s->i;

	if (left < 2)
		return false;
	if (p[1] != 'u') {
		s->i += 2;
		return p[1] && strchr("\"\\/bfnrt", p[1]);
	}
	if (left < 6 || !is_hex(p[2]) || !is_hex(p[3]) || !is_hex(p[4]) || !is_hex(p[5]) || !memcmp(p + 2, "0000", 4))
		return false;
	s->i += 6;
	return true;
}

/* A string with s->i on its opening quote. @plain refuses escapes (keys have one spelling). */
static bool scan_string(struct scan *s, bool plain, struct key *ret)
{
	size_t start = ++s->i;

	while (s->i < s->len && s->t[s->i] != '"') {
		if (s->t[s->i] == '\\') {
			if (plain || !scan_escape(s))
				return false;
		} else {
			size_t n = s->t[s->i] < 0x20 ? 0 : utf8_len(s->t + s->i, s->len - s->i);

			if (!n)
				return false;
			s->i += n;
		}
	}
	if (s->i >= s->len)
		return false;
	*ret = (struct key){ .at = start, .len = s->i - start };
	s->i++;
	return true;
}

static size_t digits(struct scan *s)
{
	size_t n = 0;

	while (s->i < s->len && s->t[s->i] >= '0' && s->t[s->i] <= '9') {
		s->i++;
		n++;
	}
	return n;
}

/* RFC 8259 section 6. Fractions and exponents are refused: no document of ours has them, and they lose bits. */
static bool scan_number(struct scan *s)
{
	bool zero;

	if (s->t[s->i] == '-')
		s->i++;
	zero = s->i < s->len && s->t[s->i] == '0';
	switch (digits(s)) {
	case 0:
		return false;
	case 1:
		break;
	default:
		if (zero)
			return false;
	}
	return s->i >= s->len || !strchr(".eE", s->t[s->i]) || !s->t[s->i];
}

static bool scan_word(struct scan *s, const char *word)
{
	size_t n = strlen(word);

	if (s->len - s->i < n || memcmp(s->t + s->i, word, n))
		return false;
	s->i += n;
	return true;
}

static bool push(struct scan *s, enum want *want)
{
	if (s->depth == JSON_MAX_DEPTH)
		return false;
	s->level[s->depth++] = (struct level){ .open = (char)s->t[s->i], .first_key = s->n_keys };
	*want = s->t[s->i] == '{' ? WANT_KEY_OR_END : WANT_VALUE_OR_END;
	s->i++;
	return true;
}

static void pop(struct scan *s, enum want *want)
{
	s->depth--;
	s->n_keys = s->level[s->depth].first_key;
	s->i++;
	*want = s->depth ? WANT_COMMA_OR_END : WANT_NOTHING;
}

static int scan_value(struct scan *s, const char *name, enum want *want, struct err *e)
{
	struct key ignored;
	size_t start = s->i;
	bool ok;

	if (s->i >= s->len)
		return scan_bad(s, name, "a value", e);
	switch (s->t[s->i]) {
	case '{':
	case '[':
		if (push(s, want))
			return 0;
		return err_set(e, EINVAL, "%s: nested deeper than %d levels at offset %zu", name, JSON_MAX_DEPTH, s->i);
	case '"':
		ok = scan_string(s, false, &ignored);
		break;
	case 't':
		ok = scan_word(s, "true");
		break;
	case 'f':
		ok = scan_word(s, "false");
		break;
	case 'n':
		ok = scan_word(s, "null");
		break;
	default:
		ok = scan_number(s);
	}
	if (!ok) {
		s->i = start;
		return scan_bad(s, name, "a well-formed value", e);
	}
	*want = s->depth ? WANT_COMMA_OR_END : WANT_NOTHING;
	return 0;
}

static int scan_key(struct scan *s, const char *name, struct err *e)
{
	size_t first = s->level[s->depth - 1].first_key;
	struct key k;

	if (s->i >= s->len || s->t[s->i] != '"' || !scan_string(s, true, &k) || k.len > JSON_MAX_KEY_BYTES)
		return scan_bad(s, name, "a key in quotes without escapes", e);
	for (size_t i = first; i < s->n_keys; i++)
		if (s->keys[i].len == k.len && !memcmp(s->t + s->keys[i].at, s->t + k.at, k.len))
			return err_set(e, EINVAL, "%s: key \"%.*s\" at offset %zu stands twice in one object", name,
				       (int)(k.len < 60 ? k.len : 60), (const char *)s->t + k.at, k.at);
	if (s->n_keys - first == JSON_MAX_KEYS)
		return err_set(e, EINVAL, "%s: more than %d keys in one object", name, JSON_MAX_KEYS);
	s->keys[s->n_keys++] = k;
	skip_space(s);
	if (s->i >= s->len || s->t[s->i] != ':')
		return scan_bad(s, name, "':'", e);
	s->i++;
	return 0;
}

/* After a value: a comma or the bracket that closes what is open. */
static int scan_next(struct scan *s, const char *name, enum want *want, struct err *e)
{
	char open = s->level[s->depth - 1].open;

	if (s->i < s->len && s->t[s->i] == ',') {
		s->i++;
		*want = open == '{' ? WANT_KEY : WANT_VALUE;
		return 0;
	}
	if (s->i < s->len && s->t[s->i] == (open == '{' ? '}' : ']')) {
		pop(s, want);
		return 0;
	}
	return scan_bad(s, name, "',' or the closing bracket", e);
}

static int scan_step(struct scan *s, const char *name, enum want *want, struct err *e)
{
	int r;

	if ((*want == WANT_KEY_OR_END && s->i < s->len && s->t[s->i] == '}') ||
	    (*want == WANT_VALUE_OR_END && s->i < s->len && s->t[s->i] == ']')) {
		pop(s, want);
		return 0;
	}
	if (*want == WANT_COMMA_OR_END)
		return scan_next(s, name, want, e);
	if (*want == WANT_VALUE || *want == WANT_VALUE_OR_END)
		return scan_value(s, name, want, e);
	r = scan_key(s, name, e);
	if (!r)
		*want = WANT_VALUE;
	return r;
}

static int scan(const void *text, size_t len, const char *name, struct err *e)
{
	cleanup_free struct key *keys = calloc((size_t)JSON_MAX_DEPTH * JSON_MAX_KEYS, sizeof(*keys));
	struct scan s = { .t = text, .len = len, .keys = keys };
	enum want want = WANT_VALUE;

	if (!keys)
		return err_set(e, ENOMEM, "no memory to read %s", name);
	while (want != WANT_NOTHING) {
		int r;

		skip_space(&s);
		r = scan_step(&s, name, &want, e);
		if (r)
			return r;
	}
	skip_space(&s);
	return s.i == len ? 0 : scan_bad(&s, name, "the end of the document", e);
}

int json_parse(const void *text, size_t len, const char *name, json_object **ret, struct err *e)
{
	struct json_tokener *tok;
	json_object *o;
	int r = len > INT32_MAX ? err_set(e, EFBIG, "%s: larger than 2 GiB", name) : scan(text, len, name, e);

	if (r)
		return r;
	tok = json_tokener_new_ex(JSON_MAX_DEPTH + 2);
	if (!tok)
		return err_set(e, ENOMEM, "no memory to read %s", name);
	o = json_tokener_parse_ex(tok, text, (int)len);
	/*
	 * Not JSON_TOKENER_STRICT: the scan above is stricter, and that flag's own rules differ between releases (json-c 0.18
	 * refuses every byte above 0x7f in a string, and integers beyond 64 bits, which json_get_u64() refuses by name).
	 * A bare number at the end of the text leaves the tokener waiting for more digits; no document of ours is one.
	 */
	if (!o)
		r = err_set(e, EINVAL, "%s: %s", name, json_tokener_error_desc(json_tokener_get_error(tok)));
	else
		*ret = o;
	json_tokener_free(tok);
	return r;
}

int json_check_keys(json_object *o, const char *where, const char *const keys[], struct err *e)
{
	if (!json_object_is_type(o, json_type_object))
		return err_set(e, EINVAL, "%s: wanted an object", where);
	json_object_object_foreach(o, key, value)
	{
		size_t k = 0;

		(void)value; /* only names are judged here */
		while (keys[k] && strcmp(keys[k], key))
			k++;
		if (!keys[k] && strncmp(key, "x-", 2))
			return err_set(e, EINVAL, "%s: unknown field \"%.60s\"", where, key);
	}
	return 0;
}

int json_get_opt(json_object *o, const char *where, const char *key, enum json_type type, json_object **ret, struct err *e)
{
	json_object *v = NULL;

	if (!json_object_is_type(o, json_type_object))
		return err_set(e, EINVAL, "%s: wanted an object", where);
	if (!json_object_object_get_ex(o, key, &v)) {
		*ret = NULL;
		return 0;
	}
	if (!json_object_is_type(v, type))
		return err_set(e, EINVAL, "%s: field \"%s\" is of type %s, wanted %s", where, key,
			       json_type_to_name(json_object_get_type(v)), json_type_to_name(type));
	*ret = v;
	return 0;
}

int json_get(json_object *o, const char *where, const char *key, enum json_type type, json_object **ret, struct err *e)
{
	json_object *v = NULL;
	int r = json_get_opt(o, where, key, type, &v, e);

	if (r)
		return r;
	if (!v)
		return err_set(e, EINVAL, "%s: field \"%s\" is missing", where, key);
	*ret = v;
	return 0;
}

const char *json_str(json_object *o)
{
	if (!json_object_is_type(o, json_type_string))
		return NULL;
	if (strlen(json_object_get_string(o)) != (size_t)json_object_get_string_len(o))
		return NULL;
	return json_object_get_string(o);
}

int json_get_str(json_object *o, const char *where, const char *key, size_t max, const char **ret, struct err *e)
{
	json_object *v = NULL;
	int r = json_get(o, where, key, json_type_string, &v, e);
	const char *s;

	if (r)
		return r;
	s = json_str(v);
	if (!s || strlen(s) > max)
		return err_set(e, EINVAL, "%s: field \"%s\" is longer than %zu bytes or holds a NUL", where, key, max);
	*ret = s;
	return 0;
}

int json_get_u64(json_object *o, const char *where, const char *key, uint64_t max, uint64_t *ret, struct err *e)
{
	json_object *v = NULL;
	int r = json_get(o, where, key, json_type_int, &v, e);
	int64_t n;

	if (r)
		return r;
	/* json-c clamps what does not fit: INT64_MAX itself is therefore never accepted. */
	n = json_object_get_int64(v);
	if (n < 0 || n == INT64_MAX || (uint64_t)n > max)
		return err_set(e, EINVAL, "%s: field \"%s\" is %s, wanted 0 to %llu", where, key, json_object_get_string(v),
			       (unsigned long long)max);
	*ret = (uint64_t)n;
	return 0;
}

int json_get_hex(json_object *o, const char *where, const char *key, uint8_t *ret, size_t n, struct err *e)
{
	const char *s;
	int r = json_get_str(o, where, key, 2 * n, &s, e);

	if (r)
		return r;
	if (!hex_decode(s, ret, n))
		return err_set(e, EINVAL, "%s: field \"%s\" is not %zu lower-case hex digits", where, key, 2 * n);
	return 0;
}

int json_write(struct buf *out, json_object *o, struct err *e)
{
	const char *s = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	if (s) {
		buf_str(out, s);
		buf_u8(out, '\n');
	}
	return s && !out->bad ? 0 : err_set(e, ENOMEM, "no memory to write JSON");
}

bool json_put(json_object *o, const char *key, json_object *value)
{
	if (value && json_object_object_add(o, key, value) == 0)
		return true;
	(void)json_object_put(value); /* drops our reference; accepts NULL */
	return false;
}

bool json_push(json_object *array, json_object *value)
{
	if (value && json_object_array_add(array, value) == 0)
		return true;
	(void)json_object_put(value); /* drops our reference; accepts NULL */
	return false;
}

json_object *json_hex(const uint8_t *bytes, size_t n)
{
	char hex[2 * HASH_MAX_BYTES + 1];

	if (n > HASH_MAX_BYTES)
		return NULL;
	hex_encode(bytes, n, hex);
	return json_object_new_string(hex);
}
