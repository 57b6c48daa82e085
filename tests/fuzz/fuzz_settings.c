/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_settings.c - an engine's configuration as TOML and as JSON, each searched as the doctor does */
#include "policy/settings.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const patterns[] = {"plugins/*/containerd/runtimes/*/options/BinaryName", "a/**", "*/*/0"};
	struct err e = ERR_INIT;

	for (int json = 0; json < 2; json++) {
		cleanup_settings struct settings s = {0};
		int r = json ? settings_json((const char *)data, size, "fuzz", &s, &e)
			     : settings_toml((const char *)data, size, "fuzz", &s, &e);

		for (size_t i = 0; !r && i < ARRAY_SIZE(patterns); i++)
			(void)settings_get(&s, patterns[i]); /* the sanitizers judge */
	}
	return 0;
}
