/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_deb_version.c - any three words: valid or not, and an order if they are: antisymmetric and transitive */
#include "common/cleanup.h"
#include "common/deb_version.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *text = malloc(size + 1);
	const char *w[3] = {"1", "1", "1"};
	char *rest = text, *word;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	for (size_t n = 0; n < 3 && (word = strsep(&rest, " \n")); n++) {
		(void)deb_name_is_valid(word);
		if (!deb_version_is_valid(word))
			return 0;
		w[n] = word;
	}
	for (size_t i = 0; i < 3; i++)
		if (deb_version_compare(w[i], w[i]) ||
		    (deb_version_compare(w[i], w[(i + 1) % 3]) < 0) != (deb_version_compare(w[(i + 1) % 3], w[i]) > 0))
			abort();
	if (deb_version_compare(w[0], w[1]) <= 0 && deb_version_compare(w[1], w[2]) <= 0 && deb_version_compare(w[0], w[2]) > 0)
		abort();
	return 0;
}
