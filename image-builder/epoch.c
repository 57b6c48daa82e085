/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/epoch.c - the one time that everything in an image has */
#include "image-builder/epoch.h"

#include "image-builder/esp.h"

#include <string.h>

int epoch_get(uint64_t *ret, struct err *e)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	uint64_t n;

	if (!text) {
		*ret = EPOCH_DEFAULT;
		return 0;
	}
	n = strlen(text) <= 10 && *text && !text[strspn(text, "0123456789")] ? strtoull(text, NULL, 10) : 0;
	if (n < ESP_MIN_EPOCH || n > EPOCH_MAX)
		return err_set(e, EINVAL, "SOURCE_DATE_EPOCH is \"%.40s\", wanted seconds from %u to %llu", text,
			       ESP_MIN_EPOCH, (unsigned long long)EPOCH_MAX);
	*ret = n;
	return 0;
}
