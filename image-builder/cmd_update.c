/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/cmd_update.c - `holdfast-image update`: a newer image into the other slot of a disk image */
#include "common/cli.h"
#include "common/interrupt.h"
#include "image-builder/cmd.h"
#include "image-builder/epoch.h"
#include "image-builder/update.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define MAX_VALUES 4

/* "IMAGE-DIR=FILE": the image's reference values for the disk that was just made. */
static int write_values(const char *spec, const char *disk, const struct keys *keys, struct err *e)
{
	const char *eq = strchr(spec, '=');
	char image[PATH_MAX];

	(void)snprintf(image, sizeof(image), "%.*s", (int)(eq - spec), spec); /* main has looked */
	return update_refvalues(image, disk, keys, eq + 1, e);
}

static int update(struct update_params *p, const char *keys_folder, const char *const *values, size_t n)
{
	cleanup_keys struct keys keys = { 0 };
	struct err e = ERR_INIT;
	int r = interrupt_catch(&e);

	r = r ? r : epoch_get(&p->epoch, &e);
	r = r || !n ? r : keys_load(keys_folder, &keys, &e);
	r = r ? r : update_run(p, &e);
	for (size_t i = 0; !r && i < n; i++)
		r = write_values(values[i], p->out, &keys, &e);
	return r ? cli_fail(r == -EBADMSG || r == -EINVAL ? CLI_BAD : CLI_COULD_NOT, "update", &e) : CLI_PASSED;
}

int cmd_update(int argc, char **argv)
{
	struct update_params p = { .say = cmd_progress };
	const char *keys = NULL, *values[MAX_VALUES];
	size_t n_values = 0;
	const struct cli_opt opts[] = {
		{ .name = "image", .arg = "DIR", .help = "the newer image, by build", .value = &p.image },
		{ .name = "disk", .arg = "FILE", .help = "the disk image to update", .value = &p.disk },
		{ .name = "out", .arg = "FILE", .help = "where the result goes; may be the same", .value = &p.out },
		{ "refvalues", "DIR=FILE", "reference values of the image in DIR for this disk; needs --keys", values, &n_values, MAX_VALUES },
		{ .name = "keys", .arg = "DIR", .help = "owner keys: policy signs reference values", .value = &keys },
		{ 0 },
	};
	int n = cli_options(argc, argv, "", "put a newer image into the other slot of a disk image", opts);

	if (n < 0)
		return CLI_USAGE;
	if (n > 0)
		return cli_usage("update", "operand \"%s\" is not wanted", argv[1]);
	if (!p.image || !p.disk || !p.out)
		return cli_usage("update", "--image, --disk and --out are needed");
	if (n_values && !keys)
		return cli_usage("update", "--refvalues needs --keys");
	for (size_t i = 0; i < n_values; i++)
		if (!strchr(values[i], '=') || strchr(values[i], '=') == values[i] || strlen(values[i]) >= PATH_MAX || !strchr(values[i], '=')[1])
			return cli_usage("update", "--refvalues \"%.100s\": wanted DIR=FILE", values[i]);
	cmd_progress_verb("update");
	return update(&p, keys, values, n_values);
}
