/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/path_choice.c - which of several code paths is taken */
#include "verity/path_choice.h"

#include <string.h>

static int forced(const struct verity_path_family *f, const char *name, size_t *ret, struct err *e)
{
	const char *path;
	char names[128] = "";

	for (size_t i = 0; (path = f->name_of(i)) != NULL; i++) {
		size_t used = strlen(names);

		(void)snprintf(names + used, sizeof(names) - used, "%s%s", used ? ", " : "", path); /* fits, and is only told */
		if (strcmp(path, name) != 0)
			continue;
		if (f->verdicts[i] == VERITY_PATH_LACKING)
			return err_set(e, ENOTSUP, "%s path \"%s\": this CPU lacks its instructions", f->what, name);
		if (f->verdicts[i] != VERITY_PATH_GOOD)
			return err_set(e, EIO, "%s path \"%s\" does not agree with %s", f->what, name, f->peer);
		*ret = i;
		return 0;
	}
	return err_set(e, EINVAL, "no %s path is called \"%s\", wanted one of %s (%s)", f->what, name, names, f->env);
}

int verity_path_choose(const struct verity_path_family *f, const char *name, size_t *ret, struct err *e)
{
	if (!name)
		name = secure_getenv(f->env);
	if (name)
		return forced(f, name, ret, e);
	for (size_t i = 0; f->name_of(i); i++) {
		if (f->verdicts[i] == VERITY_PATH_GOOD) {
			*ret = i;
			return 0;
		}
	}
	return err_set(e, EIO, "no %s path agrees with %s", f->what, f->peer);
}
