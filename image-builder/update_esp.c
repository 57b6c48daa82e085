/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/update_esp.c - the UKIs on the ESP of a disk: which there are, and one in place of others */
#include "image-builder/update_esp.h"

#include "common/cmdline.h"
#include "common/file.h"
#include "common/proc.h"
#include "image-builder/folder.h"
#include "image-builder/pe.h"

#include <stdlib.h>
#include <string.h>

#define LIST_PREFIX    "::/" BOOT_COUNT_FOLDER "/"
#define MAX_LIST_BYTES 65536
#define MAX_TEXT_BYTES 4096

/* --- one UKI -------------------------------------------------------------------------------------------------------- */

/* A section as text with a NUL behind it. */
static int section_text(const struct pe *pe, const char *path, const char *name, char ret[static MAX_TEXT_BYTES], struct err *e)
{
	const struct pe_section *s = pe_find(pe, name);
	const uint8_t *data;
	size_t n;

	if (!s)
		return err_set(e, EBADMSG, "%s is no UKI of ours: it has no section %s", path, name);
	data = pe_content(pe, s, &n);
	if (n >= MAX_TEXT_BYTES || memchr(data, 0, n))
		return err_set(e, EBADMSG, "%s: section %s has %zu bytes, wanted text of at most %d", path, name, n, MAX_TEXT_BYTES - 1);
	memcpy(ret, data, n);
	ret[n] = '\0';
	return 0;
}

/* The value behind "\nKEY=" up to the line's end, as it stands. */
static bool value_of(const char *text, const char *key, char ret[static BOOT_COUNT_NAME_BYTES])
{
	const char *at = strstr(text, key);
	size_t n = at ? strcspn(at + strlen(key), "\n") : 0;

	if (!n || n >= BOOT_COUNT_NAME_BYTES)
		return false;
	memcpy(ret, at + strlen(key), n);
	ret[n] = '\0';
	return true;
}

int update_uki_load(const char *path, struct update_uki *ret, struct err *e)
{
	char text[MAX_TEXT_BYTES], version[BOOT_COUNT_NAME_BYTES];
	cleanup_buf struct buf bytes = BUF_INIT;
	struct cmdline cmdline;
	struct pe pe;
	int r = file_read(path, UPDATE_MAX_UKI_BYTES, &bytes, e);

	if (r)
		return r;
	if (pe_parse(bytes.data, bytes.len, path, &pe, e)) {
		e->code = EBADMSG; /* whatever is wrong with it */
		return -EBADMSG;
	}
	if (!pe.cert_bytes)
		return err_set(e, EBADMSG, "%s is not signed: no firmware of ours would start it", path);
	r = section_text(&pe, path, ".cmdline", text, e);
	if (!r && cmdline_parse(text, strlen(text), &cmdline, e))
		r = err_set(e, EBADMSG, "%s: its command line names no root hash and profile", path);
	if (r)
		return r;
	memcpy(ret->root_hash, cmdline.root_hash, HASH_SHA256_BYTES);
	r = section_text(&pe, path, ".osrel", text, e);
	if (r)
		return r;
	if (!value_of(text, "\nIMAGE_ID=", ret->name) || !value_of(text, "\nIMAGE_VERSION=", version) ||
	    strspn(version, "0123456789") != strlen(version) || strlen(version) > 19)
		return err_set(e, EBADMSG, "%s: its os-release names no IMAGE_ID and IMAGE_VERSION", path);
	ret->version = strtoull(version, NULL, 10);
	return 0;
}

/* --- mtools --------------------------------------------------------------------------------------------------------- */

/* One of mtools on the ESP: @argv with NULL for "disk@@at". What it prints goes to @out, if that is not NULL. */
static int run(const struct update_esp *esp, const char *argv[], struct buf *out, struct err *e)
{
	char epoch[48], where[PATH_MAX + 32];
	const char *env[] = { epoch, "TZ=UTC", "LC_ALL=C", "MTOOLSRC=/dev/null", NULL };
	cleanup_buf struct buf said = BUF_INIT;
	struct proc_params p = { .argv = argv, .env = env, .out = out ? out : &said, .out_max = MAX_LIST_BYTES, .quiet = 1 };

	if (snprintf(where, sizeof(where), "%s%s@@%llu", *esp->disk == '/' ? "" : "./", esp->disk, (unsigned long long)esp->at) >=
	    (int)sizeof(where))
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s...", esp->disk);
	(void)snprintf(epoch, sizeof(epoch), "SOURCE_DATE_EPOCH=%llu", (unsigned long long)esp->epoch); /* fits */
	argv[2] = where;
	return proc_run(&p, e);
}

int update_esp_put(const struct update_esp *esp, const char *source, const char *path, struct err *e)
{
	char from[PATH_MAX], to[BOOT_COUNT_NAME_BYTES + 32];
	const char *argv[] = { "mcopy", "-i", NULL, "-D", "o", from, to, NULL };
	int r = folder_absolute(source, from, e);

	(void)snprintf(to, sizeof(to), "::/%.180s", path); /* our own short paths */
	r = r ? r : run(esp, argv, NULL, e);
	return r ? err_context(e, "ESP file %s", path) : 0;
}

int update_esp_remove(const struct update_esp *esp, const char *path, struct err *e)
{
	char at[BOOT_COUNT_NAME_BYTES + 32];
	const char *argv[] = { "mdel", "-i", NULL, at, NULL };
	int r;

	(void)snprintf(at, sizeof(at), "::/%.180s", path); /* names were bounded when they were listed */
	r = run(esp, argv, NULL, e);
	return r ? err_context(e, "ESP file %s", path) : 0;
}

static int load_from_esp(const struct update_esp *esp, struct update_uki *uki, struct err *e)
{
	char at[BOOT_COUNT_NAME_BYTES + 32], to[PATH_MAX];
	const char *argv[] = { "mcopy", "-i", NULL, "-n", at, to, NULL };
	int r = folder_join(esp->work, "uki.efi", to, e);

	(void)snprintf(at, sizeof(at), LIST_PREFIX "%s", uki->file); /* fits */
	r = r ? r : run(esp, argv, NULL, e);
	r = r ? r : update_uki_load(to, uki, e);
	(void)unlink(to);
	return r ? err_context(e, "ESP file %s", uki->file) : 0;
}

/* A name that mtools would take for a pattern, or a shell for more than a name, is none of ours. */
static bool is_plain(const char *name)
{
	return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-") == strlen(name);
}

int update_esp_list(struct update_esp *esp, struct err *e)
{
	const char *argv[] = { "mdir", "-i", NULL, "-b", "::/" BOOT_COUNT_FOLDER, NULL };
	cleanup_buf struct buf text = BUF_INIT;
	char *save = NULL;
	int r = run(esp, argv, &text, e);

	buf_u8(&text, 0);
	if (!r && text.bad)
		r = err_set(e, ENOMEM, "no memory for a folder of the ESP");
	if (r)
		return err_context(e, "the ESP of %s", esp->disk);
	for (char *line = strtok_r((char *)text.data, "\n", &save); !r && line; line = strtok_r(NULL, "\n", &save)) {
		struct update_uki *uki = &esp->uki[esp->n];
		const char *name = line + strlen(LIST_PREFIX);

		if (strncmp(line, LIST_PREFIX, strlen(LIST_PREFIX)) != 0 || esp->n == UPDATE_MAX_UKIS || !is_plain(name) ||
		    strlen(name) >= sizeof(uki->file) || !boot_count_parse(name, &uki->count))
			return err_set(e, EBADMSG, "%s: \"%.80s\" on the ESP, wanted at most %d files " BOOT_COUNT_FOLDER "/NAME_VERSION[+N[-N]].efi",
				       esp->disk, line, UPDATE_MAX_UKIS);
		(void)snprintf(uki->file, sizeof(uki->file), "%s", name); /* checked */
		r = load_from_esp(esp, uki, e);
		esp->n++;
	}
	return r;
}
