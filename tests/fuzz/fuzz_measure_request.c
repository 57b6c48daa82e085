/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_measure_request.c - any packet is a request or refused; what is taken fits an event */
#include "init/measure_socket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pid1_request req;
	struct err e = ERR_INIT;

	if (pid1_request_parse((const char *)data, size, &req, &e))
		return 0;
	if (req.violation && measure_violation(req.violation).data_bytes != 12)
		__builtin_trap();
	if (!req.violation && !measure_container(req.name, req.policy).data_bytes)
		__builtin_trap();
	return 0;
}
