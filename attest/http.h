/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/http.h - the little of HTTP/1.1 that a verifier and its hosts speak
 *
 * Theory of operation
 *   One method, one path, a body with a known length; everything that two parsers could read in two ways is refused, for
 *   a proxy in front may be the other parser: transfer codings, a second Content-Length, folded lines, bare CR or LF,
 *   white space before a colon, a missing or second Host, anything but HTTP/1.1. Paths are compared whole, so there is
 *   nothing to decode. Fields that we do not know are checked for their form and passed over.
 *   A head is parsed from the start each time more of it has come; it is at most HTTP_MAX_HEAD_BYTES, so that is cheap.
 *
 * Input: hostile, on both sides. Nothing is allocated. Spec: RFC 9112 sections 2.2, 3, 5, 6, 9.3; RFC 9110 section 8.6.
 */
#ifndef ATTEST_HTTP_H
#define ATTEST_HTTP_H

#include "common/buf.h"
#include "common/err.h"

#define HTTP_MAX_HEAD_BYTES 4096
#define HTTP_MAX_FIELDS     32
#define HTTP_MAX_PATH_BYTES 127
#define HTTP_MAX_TYPE_BYTES 63

enum http_method {
	HTTP_UNSET = 0,
	HTTP_GET,
	HTTP_POST,
};

/** struct http_request - @close: the peer wants the connection closed after the answer */
struct http_request {
	enum http_method method;
	char path[HTTP_MAX_PATH_BYTES + 1];
	size_t body_bytes;
	bool close;
};

/** struct http_response - @type: Content-Type, empty if there is none */
struct http_response {
	unsigned status;
	char type[HTTP_MAX_TYPE_BYTES + 1];
	size_t body_bytes;
	bool close;
};

/**
 * http_request_parse() - the head of a request at the start of @data
 * @max_body:   a larger Content-Length is refused
 * @ret_status: set on refusal: what to answer before closing (400, 405, 411, 413, 417, 431, 501, 505)
 *
 * Return: the head's length; 0 if it is not whole yet; -EINVAL with the sentence.
 */
int http_request_parse(const void *data, size_t len, size_t max_body, struct http_request *ret, unsigned *ret_status,
		       struct err *e) WARN_UNUSED;

/** http_response_parse() - the same for an answer, which must have a Content-Length. -EINVAL. */
int http_response_parse(const void *data, size_t len, size_t max_body, struct http_response *ret,
			struct err *e) WARN_UNUSED;

/** http_put_request() - append a request's head. @host: for the Host field. POST has a CBOR body of @body bytes. */
void http_put_request(struct buf *out, enum http_method method, const char *path, const char *host, size_t body);

/** http_put_response() - append an answer's head. */
void http_put_response(struct buf *out, const struct http_response *r);

#endif
