/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_oci_spec.c - any config.json or process.json is refused with a code, or becomes a well-formed one of
 * ours */
#include "common/json.h"
#include "policy/oci_spec.h"

#include <stdlib.h>
#include <string.h>

#define HASH_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char policy_text[] =
	"{\"holdfast\":\"layer-policy/"
	"1\",\"name\":\"test\",\"version\":1,\"images\":[{\"name\":\"hello\",\"class\":\"default\","
	"\"manifest\":\"" HASH_A "\",\"config\":\"" HASH_A "\","
	"\"layers\":[{\"diff_id\":\"" HASH_A "\",\"root_hash\":\"" HASH_A "\",\"data_bytes\":4096}],"
	"\"run\":{\"args\":[[\"/bin/busybox\",\"echo\",\"hello\"],[\"/bin/busybox\",\"sh\"]],\"exec\":[[\"/bin/"
	"busybox\",\"id\"]],"
	"\"env\":[\"PATH=/bin\",\"LANG=C\"],\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0},"
	"\"capabilities\":[\"CAP_NET_BIND_SERVICE\"],\"tmpfs\":[\"/"
	"tmp\"],\"network\":\"none\",\"seccomp\":\"default\"}}],"
	"\"revoked\":[]}";

/* What passed must parse, and nothing privileged may be in it whatever was asked. */
static void check_output(const struct buf *out)
{
	cleanup_json json_object *o = NULL;
	struct err e = ERR_INIT;
	/* with the punctuation around them, for a host name may hold the words */
	static const char *const never[] = {
		"[\"CAP_SYS_ADMIN\"", ",\"CAP_SYS_ADMIN\"", "\"hooks\":",
		"\"annotations\":",   "\"type\":\"bind\"",  "LD_PRELOAD=",
	};

	if (json_parse(out->data, out->len, "out", &o, &e))
		abort();
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		if (memmem(out->data, out->len, never[i], strlen(never[i])))
			abort();
	if (!memmem(out->data, out->len, "\"noNewPrivileges\":true", 22))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct policy *policy;
	const struct policy_image *image = NULL;
	cleanup_buf struct buf config = BUF_INIT, process = BUF_INIT;
	struct oci_spec_input in = {.bytes = data, .len = size, .name = "fuzz", .id = "hello", .rootfs = "/r"};
	enum code code = CODE_NONE;
	struct err e = ERR_INIT;

	if (!policy && policy_parse(policy_text, sizeof(policy_text) - 1, "policy", &policy, &e))
		abort();
	in.policy = policy;
	if (oci_spec_create(&in, &image, &config, &code, &e) == 0)
		check_output(&config);
	else if (code == CODE_NONE)
		abort();
	if (oci_spec_exec(&in, &policy->image[0], &process, &code, &e) == 0)
		check_output(&process);
	return 0;
}
