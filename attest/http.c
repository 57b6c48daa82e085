/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/http.c - the little of HTTP/1.1 that a verifier and its hosts speak */
#include "attest/http.h"

#include <string.h>
#include <strings.h>

/* One line or value inside the head. */
struct text {
	const char *p;
	size_t n;
};

/* What the fields that we know said. */
struct fields {
	size_t n;
	bool has_length, has_host, has_type, has_coding, close, expect;
	size_t length;
	struct text type;
};

struct parse {
	unsigned status; /* of a refusal */
	struct err *e;
};

static int refuse(struct parse *p, unsigned status, const char *why)
{
	p->status = status;
	return err_set(p->e, EINVAL, "HTTP: %s", why);
}

static bool is_token(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is(struct text t, const char *word)
{
	return t.n == strlen(word) && !strncasecmp(t.p, word, t.n);
}

/* Cut one line off. The head is known to end in CR LF CR LF; a CR or LF elsewhere is refused. */
static bool take_line(struct text *rest, struct text *ret)
{
	const char *end = memmem(rest->p, rest->n, "\r\n", 2);

	if (!end)
		return false;
	*ret = (struct text){rest->p, (size_t)(end - rest->p)};
	rest->n -= ret->n + 2;
	rest->p = end + 2;
	return !memchr(ret->p, '\r', ret->n) && !memchr(ret->p, '\n', ret->n);
}

static struct text trim(struct text t)
{
	while (t.n && (*t.p == ' ' || *t.p == '\t'))
		t = (struct text){t.p + 1, t.n - 1};
	while (t.n && (t.p[t.n - 1] == ' ' || t.p[t.n - 1] == '\t'))
		t.n--;
	return t;
}

static int take_length(struct parse *p, struct text v, size_t max, struct fields *f)
{
	if (f->has_length)
		return refuse(p, 400, "a second Content-Length (RFC 9112 section 6.3)");
	if (!v.n || v.n > 10)
		return refuse(p, v.n ? 413 : 400, "Content-Length is no number of at most ten digits");
	f->has_length = true;
	f->length = 0;
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return refuse(p, 400, "Content-Length is no number");
		f->length = 10 * f->length + (size_t)(v.p[i] - '0');
	}
	if (f->length > max)
		return refuse(p, 413, "the body is larger than is accepted");
	return 0;
}

static int take_value(struct parse *p, struct text name, struct text v, size_t max, struct fields *f)
{
	if (is(name, "content-length"))
		return take_length(p, v, max, f);
	if (is(name, "host")) {
		if (f->has_host || !v.n)
			return refuse(p, 400, "a second or empty Host (RFC 9112 section 3.2)");
		f->has_host = true;
	}
	if (is(name, "content-type")) {
		if (f->has_type || v.n > HTTP_MAX_TYPE_BYTES)
			return refuse(p, 400, "a second or overlong Content-Type");
		f->has_type = true;
		f->type = v;
	}
	f->has_coding |= is(name, "transfer-encoding");
	f->expect |= is(name, "expect");
	f->close |= is(name, "connection") && is(v, "close");
	return 0;
}

static int take_field(struct parse *p, struct text line, size_t max, struct fields *f)
{
	const char *colon = memchr(line.p, ':', line.n);
	struct text name = {line.p, colon ? (size_t)(colon - line.p) : 0}, value;

	if (++f->n > HTTP_MAX_FIELDS)
		return refuse(p, 431, "more fields than are accepted");
	if (!name.n)
		return refuse(p, 400, "a line is no field (folded lines are refused, RFC 9112 section 5.2)");
	for (size_t i = 0; i < name.n; i++)
		if (!is_token(name.p[i]))
			return refuse(p, 400, "a field's name has a byte that no token has (RFC 9112 section 5.1)");
	value = trim((struct text){colon + 1, line.n - name.n - 1});
	for (size_t i = 0; i < value.n; i++)
		if (((unsigned char)value.p[i] < 0x20 && value.p[i] != '\t') || (unsigned char)value.p[i] > 0x7e)
			return refuse(p, 400, "a field's value has a byte that is not printable ASCII");
	return take_value(p, name, value, max, f);
}

/* The whole head: its first line to @ret_first, the fields to @f. Return: its length, 0 if more is wanted, -EINVAL. */
static int take_head(struct parse *p, struct text all, size_t max, struct text *ret_first, struct fields *f)
{
	size_t look = all.n < HTTP_MAX_HEAD_BYTES ? all.n : HTTP_MAX_HEAD_BYTES;
	const char *end = look ? memmem(all.p, look, "\r\n\r\n", 4) : NULL;
	struct text rest, line;
	int rc;

	if (!end)
		return all.n >= HTTP_MAX_HEAD_BYTES ? refuse(p, 431, "the head is larger than 4096 bytes") : 0;
	rest = (struct text){all.p, (size_t)(end - all.p) + 2};
	if (memchr(all.p, '\0', rest.n))
		return refuse(p, 400, "a NUL byte in the head");
	if (!take_line(&rest, ret_first))
		return refuse(p, 400, "a bare CR or LF (RFC 9112 section 2.2)");
	while (rest.n) {
		if (!take_line(&rest, &line))
			return refuse(p, 400, "a bare CR or LF (RFC 9112 section 2.2)");
		rc = take_field(p, line, max, f);
		if (rc)
			return rc;
	}
	if (f->has_coding)
		return refuse(p, 501, "transfer codings are not accepted");
	return (int)(end - all.p) + 4;
}

/* METHOD SP path SP HTTP/1.1 */
static int take_request_line(struct parse *p, struct text line, struct http_request *ret)
{
	const char *a = memchr(line.p, ' ', line.n), *b = a ? memchr(a + 1, ' ', line.n - (size_t)(a + 1 - line.p)) : NULL;
	struct text method, path, version;

	if (!b)
		return refuse(p, 400, "the request line is not method, path and version (RFC 9112 section 3)");
	method = (struct text){line.p, (size_t)(a - line.p)};
	path = (struct text){a + 1, (size_t)(b - a) - 1};
	version = (struct text){b + 1, line.n - (size_t)(b + 1 - line.p)};
	if (version.n != 8 || memcmp(version.p, "HTTP/1.1", 8))
		return refuse(p, 505, "the version is not HTTP/1.1");
	if (path.n < 1 || path.n > HTTP_MAX_PATH_BYTES || path.p[0] != '/')
		return refuse(p, 400, "the path does not begin with / or is too long");
	for (size_t i = 0; i < path.n; i++)
		if (path.p[i] < 0x21 || path.p[i] > 0x7e)
			return refuse(p, 400, "the path has a byte that is not printable ASCII");
	if (method.n == 3 && !memcmp(method.p, "GET", 3))
		ret->method = HTTP_GET;
	else if (method.n == 4 && !memcmp(method.p, "POST", 4))
		ret->method = HTTP_POST;
	else
		return refuse(p, 405, "the method is neither GET nor POST");
	memcpy(ret->path, path.p, path.n);
	ret->path[path.n] = '\0';
	return 0;
}

int http_request_parse(const void *data, size_t len, size_t max_body, struct http_request *ret, unsigned *ret_status,
		       struct err *e)
{
	struct parse p = {400, e};
	struct http_request r = {0};
	struct fields f = {0};
	struct text first;
	int n = take_head(&p, (struct text){data, len}, max_body, &first, &f), rc = n;

	if (n > 0)
		rc = take_request_line(&p, first, &r);
	if (n > 0 && !rc && !f.has_host)
		rc = refuse(&p, 400, "there is no Host (RFC 9112 section 3.2)");
	if (n > 0 && !rc && f.expect)
		rc = refuse(&p, 417, "Expect is not accepted");
	if (n > 0 && !rc && r.method == HTTP_GET && f.length)
		rc = refuse(&p, 400, "a GET with a body");
	if (n > 0 && !rc && r.method == HTTP_POST && !f.has_length)
		rc = refuse(&p, 411, "a POST without Content-Length");
	if (rc < 0) {
		*ret_status = p.status;
		return rc;
	}
	r.body_bytes = f.length;
	r.close = f.close;
	*ret = r;
	return n;
}

/* HTTP/1.1 SP 3 digits SP reason */
static int take_status_line(struct parse *p, struct text line, struct http_response *ret)
{
	if (line.n < 13 || memcmp(line.p, "HTTP/1.1 ", 9) || line.p[12] != ' ')
		return refuse(p, 400, "the status line is not HTTP/1.1 with three digits (RFC 9112 section 4)");
	for (int i = 9; i < 12; i++) {
		if (line.p[i] < '0' || line.p[i] > '9')
			return refuse(p, 400, "the status is no number");
		ret->status = 10 * ret->status + (unsigned)(line.p[i] - '0');
	}
	return 0;
}

int http_response_parse(const void *data, size_t len, size_t max_body, struct http_response *ret, struct err *e)
{
	struct parse p = {400, e};
	struct http_response r = {0};
	struct fields f = {0};
	struct text first;
	int n = take_head(&p, (struct text){data, len}, max_body, &first, &f), rc;

	if (n <= 0)
		return n;
	rc = take_status_line(&p, first, &r);
	if (!rc && !f.has_length)
		rc = refuse(&p, 411, "an answer without Content-Length");
	if (rc)
		return rc;
	if (f.type.n)
		memcpy(r.type, f.type.p, f.type.n);
	r.body_bytes = f.length;
	r.close = f.close;
	*ret = r;
	return n;
}

void http_put_request(struct buf *out, enum http_method method, const char *path, const char *host, size_t body)
{
	if (method == HTTP_POST)
		buf_printf(out,
			   "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/cbor\r\nContent-Length: %zu\r\n\r\n",
			   path, host, body);
	else
		buf_printf(out, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host);
}

static const char *reason(unsigned status)
{
	static const struct {
		unsigned status;
		const char *reason;
	} reasons[] = {{200, "OK"},
		       {400, "Bad Request"},
		       {403, "Forbidden"},
		       {404, "Not Found"},
		       {405, "Method Not Allowed"},
		       {409, "Conflict"},
		       {411, "Length Required"},
		       {413, "Content Too Large"},
		       {417, "Expectation Failed"},
		       {429, "Too Many Requests"},
		       {431, "Request Header Fields Too Large"},
		       {501, "Not Implemented"},
		       {503, "Service Unavailable"},
		       {505, "HTTP Version Not Supported"}};

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Status";
}

void http_put_response(struct buf *out, const struct http_response *r)
{
	buf_printf(out, "HTTP/1.1 %u %s\r\nContent-Length: %zu\r\n", r->status, reason(r->status), r->body_bytes);
	if (*r->type)
		buf_printf(out, "Content-Type: %s\r\n", r->type);
	if (r->status == 429 || r->status == 503)
		buf_str(out, "Retry-After: 1\r\n");
	buf_str(out, r->close ? "Connection: close\r\n\r\n" : "\r\n");
}
