/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/stage_modules.c - kernel modules, by the list that the builder resolved
 *
 * The manifest names files in load order, closure included, uncompressed: so there is nothing to resolve here, and
 * no libkmod. The kernel judges each signature (lockdown) and measures each file (IMA). That dm-verity holds to
 * `require_signatures` is read back: it is what makes an unsigned root impossible, whoever asks for it later.
 */
#include "init/pid1.h"

#include "init/io.h"
#include "init/log.h"
#include "init/sys.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define REQUIRE_SIGNATURES "/sys/module/dm_verity/parameters/require_signatures"

static int load_one(const struct pid1_module *m)
{
	char path[256];
	int fd, r;

	(void)snprintf(path, sizeof(path), "/usr/lib/modules/%s", m->path); /* the manifest's parser bounds it */
	fd = sys_open(path, O_RDONLY, 0);
	if (fd < 0)
		return fd;
	r = sys_module_load(fd, m->params);
	sys_close(fd);
	return r == -EEXIST ? 0 : r; /* it is there already, built in or by the kernel's own request */
}

int pid1_modules_load(const struct pid1_module *m, size_t n, const char *stage, struct err *e)
{
	size_t loaded = 0, refused = 0;

	for (size_t i = 0; i < n; i++) {
		int r = m[i].late ? 0 : load_one(&m[i]);

		if (r && !m[i].optional)
			return pid1_err(e, r, "%s", m[i].path);
		if (r)
			refused++; /* acceleration that this machine has not */
		else
			loaded += !m[i].late;
	}
	pid1_log(stage, "%zu loaded, %zu optional ones not", loaded, refused);
	return 0;
}

void pid1_modules_load_late(const struct pid1 *p)
{
	for (size_t i = 0; i < p->boot.n_modules; i++) {
		const struct pid1_module *m = &p->boot.module[i];
		int r = m->late ? load_one(m) : 0;

		if (r)
			pid1_log(p->stage, "module %s: %s", m->path, err_text(-r));
	}
}

int pid1_stage_boot_modules(struct pid1 *p, struct err *e)
{
	char text[8];
	size_t len;
	int r = pid1_modules_load(p->boot.module, p->boot.n_modules, p->stage, e);

	if (r || pid1_is_direct(p)) /* there the kernel has no key to judge by: PID 1 does (verity/trust.h) */
		return r;
	p->code = CODE_VERITY_UNGUARDED;
	r = pid1_read(REQUIRE_SIGNATURES, text, sizeof(text), &len, e);
	if (!r && text[0] != 'Y')
		r = err_set(e, EPERM, "dm-verity was loaded without require_signatures=1");
	return r;
}

int pid1_stage_host_modules(struct pid1 *p, struct err *e)
{
	int r = pid1_modules_load(p->host.module, p->host.n_modules, p->stage, e);

	if (r)
		return r;
	pid1_lastfail_take(p);
	/* Root on the host could mount it too, and give the next boot's kernel a key (MokListRT): it does not stay. */
	r = sys_module_unload("efivarfs");
	if (r && r != -ENOENT) /* it was not loaded */
		return pid1_err(e, r, "cannot unload efivarfs");
	return pid1_set("/proc/sys/kernel/modules_disabled", "1", e); /* cannot be set back before a reboot */
}
