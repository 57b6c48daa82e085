/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/attest/test_limit.c - who is one client, and how often one may ask */
#include "tests/common/check.h"

#include "attest/limit.h"

#include <arpa/inet.h>
#include <linux/vm_sockets.h>
#include <string.h>

static uint64_t v4(const char *text)
{
	struct sockaddr_storage s = {0};
	struct sockaddr_in *a = (struct sockaddr_in *)&s;

	a->sin_family = AF_INET;
	assert_int_equal(inet_pton(AF_INET, text, &a->sin_addr), 1);
	return limit_client(&s);
}

static uint64_t v6(const char *text)
{
	struct sockaddr_storage s = {0};
	struct sockaddr_in6 *a = (struct sockaddr_in6 *)&s;

	a->sin6_family = AF_INET6;
	assert_int_equal(inet_pton(AF_INET6, text, &a->sin6_addr), 1);
	return limit_client(&s);
}

static uint64_t vsock(unsigned cid)
{
	struct sockaddr_storage s = {0};
	struct sockaddr_vm *a = (struct sockaddr_vm *)&s;

	a->svm_family = AF_VSOCK;
	a->svm_cid = cid;
	return limit_client(&s);
}

static void a_client_is_an_address_or_a_network_of_ipv6(void **state)
{
	(void)state;
	assert_true(v4("192.0.2.1") == v4("192.0.2.1"));
	assert_true(v4("192.0.2.1") != v4("192.0.2.2"));
	assert_true(v6("2001:db8::1") == v6("2001:db8::2"));
	assert_true(v6("2001:db8::1") != v6("2001:db8:0:1::1"));
	assert_true(vsock(3) == vsock(3));
	assert_true(vsock(3) != vsock(4));
	assert_true(vsock(3) != v4("0.0.0.3"));
	/* A listener at [::] sees IPv4 so. */
	assert_true(v6("::ffff:192.0.2.1") == v4("192.0.2.1"));
	assert_true(v6("::ffff:192.0.2.1") != v6("::ffff:192.0.2.2"));
}

static void one_that_asks_too_often_takes_nothing_from_another(void **state)
{
	struct limit *l = limit_new(10, 3);
	const uint64_t loud = v6("::ffff:192.0.2.1"), other = v6("::ffff:192.0.2.2");

	(void)state;
	assert_non_null(l);
	for (int i = 0; i < 3; i++)
		assert_true(limit_take(l, loud, 1000));
	for (int i = 0; i < 100; i++)
		assert_false(limit_take(l, loud, 1000));
	assert_true(limit_take(l, other, 1000));
	assert_false(limit_take(l, loud, 1099)); /* one in 100 ms */
	assert_true(limit_take(l, loud, 1100));
	assert_false(limit_take(l, loud, 1100));
	for (int i = 0; i < 3; i++)
		assert_true(limit_take(l, loud, 100000)); /* never more than the burst */
	assert_false(limit_take(l, loud, 100000));
	limit_free(l);
}

static void a_rate_of_none_is_no_limit(void **state)
{
	struct limit *l = limit_new(0, 1);

	(void)state;
	assert_non_null(l);
	for (int i = 0; i < 1000; i++)
		assert_true(limit_take(l, 1, 1));
	limit_free(l);
}

/* The table is of fixed size: what is pushed out begins anew, and nobody is refused because others are many. */
static void many_clients_push_out_the_oldest_only(void **state)
{
	struct limit *l = limit_new(1, 1);

	(void)state;
	assert_non_null(l);
	for (uint64_t i = 1; i < 100000; i++)
		assert_true(limit_take(l, i, (int64_t)i / 100 + 1));
	assert_false(limit_take(l, 99999, 1000)); /* the last is still known */
	limit_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_is_an_address_or_a_network_of_ipv6),
		cmocka_unit_test(one_that_asks_too_often_takes_nothing_from_another),
		cmocka_unit_test(a_rate_of_none_is_no_limit),
		cmocka_unit_test(many_clients_push_out_the_oldest_only),
	};

	return cmocka_run_group_tests_name("attest/limit", tests, NULL, NULL);
}
