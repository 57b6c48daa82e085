/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/boot_vars.c - the firmware's variable store with the owner's keys
 *
 * virt-fw-vars is Python, from the tree; it is run by the machine's own Python, whose compiled modules fit the
 * machine's libc. The tree's folder comes last in the path, for the pure modules that an older Debian lacks.
 */
#include "image-builder/boot.h"

#include "common/proc.h"
#include "image-builder/folder.h"
#include "image-builder/keys.h"

#include <stdio.h>
#include <unistd.h>

#define VIRT_FW_VARS \
	"import sys; sys.path.append(sys.argv.pop(1)); from virt.firmware.vars import main; sys.exit(main())"

struct paths {
	char modules[PATH_MAX], empty[PATH_MAX], pk[PATH_MAX], kek[PATH_MAX], db[PATH_MAX], tmp[PATH_MAX];
};

static int find_inputs(const struct boot_params *p, const char *path, struct paths *ret, struct err *e)
{
	char name[PATH_MAX];
	int r = folder_join(p->tree, "usr/lib/python3/dist-packages", ret->modules, e);

	if (!r)
		r = folder_join(p->tree, p->firmware_vars, ret->empty, e);
	if (!r)
		r = folder_join(p->keys, "PK.pem", ret->pk, e);
	if (!r)
		r = folder_join(p->keys, "KEK.pem", ret->kek, e);
	if (!r)
		r = folder_join(p->keys, "db.pem", ret->db, e);
	if (!r)
		r = snprintf(name, sizeof(name), "%s.tmp", path) < (int)sizeof(name) ? 0 : err_set(e, ENAMETOOLONG, "%s", path);
	if (!r)
		(void)snprintf(ret->tmp, sizeof(ret->tmp), "%s", name); /* same size */
	if (!r)
		r = folder_need(ret->empty, e);
	if (!r)
		r = folder_need(ret->pk, e);
	if (!r)
		r = folder_need(ret->kek, e);
	return r ? r : folder_need(ret->db, e);
}

int boot_vars_make(const struct boot_params *p, const char *path, struct err *e)
{
	struct paths at;
	const char *const argv[] = {
		"/usr/bin/python3", "-B", "-c", VIRT_FW_VARS, at.modules, "-i", at.empty, "-o", at.tmp,
		"--set-pk", KEYS_OWNER_GUID, at.pk, "--add-kek", KEYS_OWNER_GUID, at.kek, "--add-db", KEYS_OWNER_GUID, at.db,
		"--sb", NULL,
	};
	/* As an owner does it in the firmware's setup: the keys and dbx stay. --sb comes last in one call, so this is another. */
	const char *const off[] = { "/usr/bin/python3", "-B", "-c", VIRT_FW_VARS, at.modules, "--inplace", at.tmp, "--set-false",
				    "SecureBootEnable", NULL };
	const struct proc_params proc = { .argv = argv, .quiet = 1 }, proc_off = { .argv = off, .quiet = 1 };
	int r;

	if (access(path, R_OK) == 0)
		return 0;
	r = find_inputs(p, path, &at, e);
	if (!r)
		r = proc_run(&proc, e);
	if (!r && !p->secure_boot)
		r = proc_run(&proc_off, e);
	if (!r && rename(at.tmp, path) < 0)
		r = err_errno(e, "cannot rename %s to %s", at.tmp, path);
	if (r)
		(void)unlink(at.tmp); /* it may not be there; the first error is the one to tell */
	return r ? err_context(e, "the firmware's variable store could not be made") : 0;
}
