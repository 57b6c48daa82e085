/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_layer_request.c - what root in the engine's context may send holdfast-layer */
#include "policy/layer_service.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int opened(const char *pulled, const struct policy_layer *layer, struct err *e)
{
	(void)pulled;
	(void)layer;
	(void)e;
	abort(); /* the policy names none */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct policy nothing;
	const struct policy_layer_service s = {.policy = &nothing, .built_in = "/", .pulled = "/", .open = opened};
	char answer[POLICY_LAYER_MAX_ANSWER_BYTES + 1];
	size_t n = policy_layer_answer(&s, (const char *)data, size, answer, sizeof(answer));

	if (n > POLICY_LAYER_MAX_ANSWER_BYTES || (n >= 2 && answer[0] == 'o'))
		abort();
	return 0;
}
