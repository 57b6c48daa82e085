/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/policy/test_gate_cni.c - the network that pods have: none, said in the words of CNI */
#include "tests/common/check.h"

#include "common/json.h"
#include "policy/gate.h"

static void an_added_network_is_answered_with_the_loopback_alone(void **state)
{
	cleanup_json json_object *o = NULL;
	json_object *v = NULL;
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(gate_cni("ADD", "eth0", "/run/containerd/io.containerd.grpc.v1.cri/netns/cni-0a1b", &out, &e), &e);
	assert_ok(json_parse(out.data, out.len, "answer", &o, &e), &e);
	assert_int_equal(json_pointer_get(o, "/interfaces/0/name", &v), 0);
	assert_string_equal(json_str(v), "eth0");
	assert_int_equal(json_pointer_get(o, "/ips/0/address", &v), 0);
	assert_string_equal(json_str(v), "127.0.0.1/8");
	assert_int_not_equal(json_pointer_get(o, "/ips/1", &v), 0);
	assert_int_not_equal(json_pointer_get(o, "/routes", &v), 0);
	buf_free(&out);
}

static void the_other_commands_do_nothing(void **state)
{
	static const char *const commands[] = { "DEL", "CHECK" };
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		assert_ok(gate_cni(commands[i], NULL, NULL, &out, &e), &e);
	assert_int_equal(out.len, 0);
	assert_ok(gate_cni("VERSION", NULL, NULL, &out, &e), &e);
	assert_non_null(memmem(out.data, out.len, "\"1.0.0\"", 7));
	buf_free(&out);
}

static void what_is_no_plain_request_is_refused(void **state)
{
	static const struct {
		const char *command, *ifname, *netns, *part;
	} bad[] = {
		{ NULL, "eth0", "/run/x", "CNI_COMMAND is \"\"" },
		{ "add", "eth0", "/run/x", "CNI_COMMAND is \"add\"" },
		{ "ADD", NULL, "/run/x", "CNI_IFNAME" },
		{ "ADD", "eth0", NULL, "CNI_NETNS" },
		{ "ADD", "", "/run/x", "CNI_IFNAME" },
		{ "ADD", "eth0\"},{\"", "/run/x", "CNI_IFNAME" },
		{ "ADD", "a-name-of-16-byte", "/run/x", "CNI_IFNAME" },
		{ "ADD", "eth0", "/run/x\n", "CNI_NETNS" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct buf out = BUF_INIT;
		struct err e = ERR_INIT;

		assert_refused(gate_cni(bad[i].command, bad[i].ifname, bad[i].netns, &out, &e), &e, EINVAL, bad[i].part);
		assert_int_equal(out.len, 0);
		buf_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_added_network_is_answered_with_the_loopback_alone),
		cmocka_unit_test(the_other_commands_do_nothing),
		cmocka_unit_test(what_is_no_plain_request_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
