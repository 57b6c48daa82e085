/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/attest/test_base64.c - base64url of every length, against OpenSSL's base64 */
#include "tests/common/check.h"

#include "attest/base64.h"

#include <openssl/evp.h>
#include <string.h>

enum { MAX_BYTES = 600 };

/* OpenSSL's has '+', '/' and padding. */
static size_t by_openssl(const uint8_t *data, size_t n, char ret[static MAX_BYTES * 2])
{
	int len = EVP_EncodeBlock((unsigned char *)ret, data, (int)n);

	while (len && ret[len - 1] == '=')
		len--;
	for (int i = 0; i < len; i++)
		ret[i] = ret[i] == '+' ? '-' : ret[i] == '/' ? '_' : ret[i];
	return (size_t)len;
}

static void every_length_is_what_openssl_makes_of_it(void **state)
{
	uint8_t data[MAX_BYTES];
	char wanted[MAX_BYTES * 2];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 167 + 13 + i / 256);
	for (size_t n = 0; n <= sizeof(data); n++) {
		cleanup_buf struct buf b = BUF_INIT;
		size_t len = by_openssl(data, n, wanted);

		buf_str(&b, "x"); /* it is appended */
		base64_put(&b, data, n);
		assert_int_equal(b.len, len + 1);
		assert_memory_equal(b.data + 1, wanted, len);
	}
}

/* RFC 4648 section 10 */
static void the_standards_own_vectors(void **state)
{
	static const char *const vectors[][2] = {{"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"}, {"foob", "Zm9vYg"},
						 {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		cleanup_buf struct buf b = BUF_INIT;

		base64_put(&b, vectors[i][0], strlen(vectors[i][0]));
		buf_u8(&b, 0);
		assert_string_equal((const char *)b.data, vectors[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length_is_what_openssl_makes_of_it),
		cmocka_unit_test(the_standards_own_vectors),
	};

	return cmocka_run_group_tests_name("attest/base64", tests, NULL, NULL);
}
