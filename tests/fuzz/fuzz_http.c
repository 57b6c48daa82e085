/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_http.c - heads of requests and answers: bounds hold, and a head means the same wherever it is cut */
#include "attest/http.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_request r, again;
	struct http_response a;
	struct err e = ERR_INIT;
	unsigned status = 0;
	int n = http_request_parse(data, size, 1000, &r, &status, &e);

	if (n > 0) {
		if ((size_t)n > size || n > HTTP_MAX_HEAD_BYTES || r.body_bytes > 1000 || r.path[0] != '/' ||
		    r.method == HTTP_UNSET || (r.method == HTTP_GET && r.body_bytes))
			abort();
		/* without what follows it is the same; with one byte less it is not whole */
		if (http_request_parse(data, (size_t)n, 1000, &again, &status, &e) != n ||
		    again.body_bytes != r.body_bytes || strcmp(again.path, r.path) ||
		    http_request_parse(data, (size_t)n - 1, 1000, &again, &status, &e) != 0)
			abort();
	} else if (n < 0 && (status < 400 || status > 505)) {
		abort();
	}
	n = http_response_parse(data, size, 1000, &a, &e);
	if (n > 0 && ((size_t)n > size || a.body_bytes > 1000 || a.status > 999))
		abort();
	return 0;
}
