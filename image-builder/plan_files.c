/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/plan_files.c - what every initramfs and every root holds (declared in plan.h) */
#include "common/agent_user.h"
#include "image-builder/folder.h"
#include "image-builder/plan.h"

#include <openssl/pem.h>
#include <string.h>

#define BOTTOM "usr/lib/holdfast/bottom"
#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)

/* What mounts need to be there on a read-only root. */
static const char *const root_folders[] = { "proc", "sys", "dev", "run", "tmp", "var", "sysroot", "etc/holdfast" };
static const char *const initramfs_folders[] = { "proc", "sys", "dev", "run", "sysroot" };

/* Below a container's own layers: mount points of whatever it mounts (policy/gate.h). */
static const char *const bottom_folders[] = { BOTTOM "/dev", BOTTOM "/proc",    BOTTOM "/sys", BOTTOM "/run",
					      BOTTOM "/tmp", BOTTOM "/var/tmp", BOTTOM "/etc" };
static const char *const bottom_files[] = { BOTTOM "/etc/hosts", BOTTOM "/etc/hostname", BOTTOM "/etc/resolv.conf",
					    BOTTOM "/run/.containerenv" };

static const char *const texts[][2] = {
	{ "etc/passwd", "root:x:0:0:root:/:/usr/sbin/nologin\n" AGENT_USER_NAME ":x:" TEXT(AGENT_USER_ID) ":" TEXT(AGENT_USER_ID) ":agent:/:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n" },
	{ "etc/group", "root:x:0:\ntty:x:5:\n" AGENT_USER_NAME ":x:" TEXT(AGENT_USER_ID) ":\nnogroup:x:65534:\n" },
	{ "etc/hosts", "127.0.0.1 localhost\n::1 localhost\n" },
	{ "etc/hostname", "holdfast\n" },
	{ "etc/resolv.conf", "" },
	{ "etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n" },
};

static int add_folders(struct fileset *f, const char *const *v, size_t n, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < n; i++)
		r = fileset_folder(f, v[i], 0755, e);
	return r;
}

static int add_program(const struct plan *plan, struct fileset *f, const char *name, const char *path, struct err *e)
{
	char source[PATH_MAX];
	int r = folder_join(plan->p->programs, name, source, e);

	r = r ? r : folder_need(source, e);
	return r ? r : fileset_program(f, path, source, e);
}

/* Those of [from, to), and the late ones. */
static int add_modules(const struct plan *plan, struct fileset *f, size_t from, size_t to, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < plan->module.n; i++) {
		const struct module *m = &plan->module.v[i];
		char path[PATH_MAX];

		if ((i < from || i >= to) && !plan_module_is_late(plan, i))
			continue;
		if (snprintf(path, sizeof(path), "usr/lib/modules/%s", m->path) >= (int)sizeof(path))
			return err_set(e, ENAMETOOLONG, "path of module %s is too long", m->name);
		r = fileset_data(f, path, 0644, &m->data, e);
	}
	return r;
}

/* Where the kernel has no key of the owner's, PID 1 checks signatures itself, with this. */
static int add_signer(const struct plan *plan, struct fileset *f, struct err *e)
{
	cleanup_buf struct buf der = BUF_INIT;
	unsigned char *bytes = NULL;
	int n, r;

	if (!board_is_direct(&plan->board))
		return 0;
	n = i2d_X509(plan->keys.cert[KEYS_DB], &bytes);
	if (n <= 0)
		return pki_openssl_error(e, EINVAL, "cannot encode the db certificate");
	buf_put(&der, bytes, (size_t)n);
	OPENSSL_free(bytes);
	if (der.bad)
		return err_set(e, ENOMEM, "no memory for the db certificate");
	r = fileset_folder(f, "etc/holdfast", 0755, e);
	return r ? r : fileset_data(f, "etc/holdfast/signer.der", 0644, &der, e);
}

/* By whom the states are named in which the TPM obeys: its public half, for PID 1 and for the agent. */
static int add_pcr_key(const struct plan *plan, struct fileset *f, struct err *e)
{
	BIO *bio = BIO_new(BIO_s_mem());
	cleanup_buf struct buf pem = BUF_INIT;
	char *bytes;
	long n;
	int r;

	if (!bio || PEM_write_bio_PUBKEY(bio, plan->keys.key[KEYS_PCR]) != 1) {
		BIO_free(bio);
		return pki_openssl_error(e, EINVAL, "cannot encode the PCR key");
	}
	n = BIO_get_mem_data(bio, &bytes);
	buf_put(&pem, bytes, (size_t)n);
	BIO_free(bio);
	if (pem.bad)
		return err_set(e, ENOMEM, "no memory for the PCR key");
	r = fileset_folder(f, "etc/holdfast", 0755, e);
	return r ? r : fileset_data(f, "etc/holdfast/pcr-key.pem", 0644, &pem, e);
}

int plan_initramfs_files(struct plan *plan, struct err *e)
{
	struct fileset *f = &plan->initramfs;
	int r = fileset_merged_usr(f, e);

	r = r ? r : add_folders(f, initramfs_folders, ARRAY_SIZE(initramfs_folders), e);
	r = r ? r : add_program(plan, f, board_is_direct(&plan->board) ? "holdfast-initramfs-direct" : "holdfast-initramfs", "init", e);
	r = r ? r : add_signer(plan, f, e);
	r = r ? r : add_pcr_key(plan, f, e);
	return r ? r : add_modules(plan, f, 0, plan->n_boot_modules, e);
}

/* "A B": cut into two of PATH_MAX each; board.c has checked that both are there. */
static int cut_pair(const char *pair, char a[static PATH_MAX], char b[static PATH_MAX], struct err *e)
{
	size_t n = strcspn(pair, " ");

	if (n >= PATH_MAX || !pair[n] || strlen(pair + n + 1) >= PATH_MAX)
		return err_set(e, EINVAL, "\"%.80s\": wanted two paths", pair);
	(void)snprintf(a, PATH_MAX, "%.*s", (int)n, pair); /* checked */
	(void)snprintf(b, PATH_MAX, "%s", pair + n + 1);   /* checked */
	return 0;
}

static int add_engine(struct plan *plan, struct err *e)
{
	const struct engine *g = &plan->engine;
	char a[PATH_MAX], b[PATH_MAX], source[PATH_MAX];
	int r = fileset_from_tree(&plan->root, g->program.v, g->program.n, e);

	r = r ? r : fileset_from_tree(&plan->root, g->library.v, g->library.n, e);
	r = r ? r : folder_join(plan->p->tree, g->runtime, source, e);
	r = r ? r : folder_need(source, e);
	r = r ? r : fileset_program(&plan->root, BOARD_RUNTIME_PATH, source, e);
	r = r ? r : fileset_chmod(&plan->root, BOARD_RUNTIME_PATH, 0644, e);
	for (size_t i = 0; !r && i < g->file.n; i++) {
		r = cut_pair(g->file.v[i], a, b, e);
		r = r ? r : folder_join(g->folder, a, source, e);
		r = r ? r : folder_need(source, e);
		r = r ? r : fileset_copy(&plan->root, b, 0644, source, e);
	}
	for (size_t i = 0; !r && i < g->link.n; i++) {
		r = cut_pair(g->link.v[i], a, b, e);
		r = r ? r : fileset_link(&plan->root, a, b, e);
	}
	return r;
}

static int add_bottom(struct fileset *f, struct err *e)
{
	int r = add_folders(f, bottom_folders, ARRAY_SIZE(bottom_folders), e);

	for (size_t i = 0; !r && i < ARRAY_SIZE(bottom_files); i++)
		r = fileset_text(f, bottom_files[i], "", e);
	return r ? r : fileset_link(f, BOTTOM "/etc/mtab", "/proc/mounts", e);
}

/* What makes and opens the sealed state. Without it nothing of this is in the root. */
static int add_state(struct plan *plan, struct fileset *f, struct err *e)
{
	static const char *const mkfs[] = { "usr/sbin/mkfs.ext4" };
	char source[PATH_MAX];
	int r;

	if (!strcmp(plan->board.state, "none"))
		return 0;
	r = add_program(plan, f, "holdfast-state", "usr/lib/holdfast/holdfast-state", e);
	r = r ? r : fileset_from_tree(f, mkfs, ARRAY_SIZE(mkfs), e);
	if (r || strcmp(plan->board.state_recovery, "escrow") != 0)
		return r;
	r = folder_join(plan->p->keys, "state-escrow.pem", source, e);
	r = r ? r : folder_need(source, e);
	return r ? r : fileset_copy(f, "etc/holdfast/state-escrow.pem", 0644, source, e);
}

void plan_os_release(const struct plan *plan, char ret[static PLAN_OS_RELEASE_BYTES])
{
	unsigned long long version = plan->p->version;

	(void)snprintf(ret, PLAN_OS_RELEASE_BYTES, "NAME=holdfast\nID=holdfast\nVERSION_ID=%llu\nIMAGE_ID=%s\nIMAGE_VERSION=%llu\n", version,
		       plan->p->name, version); /* name is bounded */
}

int plan_root_files(struct plan *plan, struct err *e)
{
	struct fileset *f = &plan->root;
	char release[PLAN_OS_RELEASE_BYTES];
	int r = fileset_merged_usr(f, e);

	r = r ? r : add_folders(f, root_folders, ARRAY_SIZE(root_folders), e);
	for (size_t i = 0; !r && i < ARRAY_SIZE(texts); i++)
		r = fileset_text(f, texts[i][0], texts[i][1], e);
	plan_os_release(plan, release);
	r = r ? r : fileset_text(f, "usr/lib/os-release", release, e);
	r = r ? r : fileset_link(f, "etc/os-release", "../usr/lib/os-release", e);
	r = r ? r : add_program(plan, f, "holdfast-init", "usr/lib/holdfast/holdfast-init", e);
	r = r ? r : add_program(plan, f, "holdfast-floor", "usr/lib/holdfast/holdfast-floor", e);
	r = r ? r : add_program(plan, f, "holdfast-layer", "usr/lib/holdfast/holdfast-layer", e);
	r = r ? r : add_state(plan, f, e);
	if (!board_is_direct(&plan->board)) /* there is no boot loader to tell */
		r = r ? r : add_program(plan, f, "holdfast-bless", "usr/lib/holdfast/holdfast-bless", e);
	r = r ? r : fileset_link(f, "usr/sbin/init", "../lib/holdfast/holdfast-init", e);
	r = r ? r : add_program(plan, f, "holdfast-runtime", "usr/bin/holdfast-runtime", e);
	r = r ? r : add_program(plan, f, "holdfast-attest", "usr/bin/holdfast-attest", e);
	r = r ? r : fileset_from_tree(f, plan->board.library.v, plan->board.library.n, e);
	r = r ? r : add_engine(plan, e);
	r = r ? r : add_bottom(f, e);
	r = r ? r : add_signer(plan, f, e);
	r = r ? r : add_pcr_key(plan, f, e);
	return r ? r : add_modules(plan, f, plan->n_boot_modules, plan->module.n, e);
}
