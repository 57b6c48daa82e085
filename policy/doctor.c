/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/doctor.c - does an engine's configuration turn verification off, or go around the gate? */
#include "policy/doctor.h"

#include "common/file.h"
#include "policy/doctor_rules.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

_Static_assert(PATH_MAX == 4096, "doctor_rules.h says it in numbers");

bool doctor_is_writable(const char *path)
{
	static const char *const places[] = {"/var", "/run", "/tmp", "/dev", "/home", "/mnt", "/media", "/proc"};

	if (!path[0])
		return false;
	if (path[0] != '/' || strstr(path, "/../") || strstr(path, "//"))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		size_t n = strlen(places[i]);

		if (!strncmp(path, places[i], n) && (path[n] == '/' || !path[n]))
			return true;
	}
	return false;
}

bool doctor_in_root(const struct policy_doctor *d, const char *path, char ret[static PATH_MAX])
{
	return snprintf(ret, PATH_MAX, "%s%s", d->root, path) < PATH_MAX;
}

void doctor_say(const struct doctor_doc *doc, const struct settings_item *item, const char *found, const char *why)
{
	char where[SETTINGS_MAX_PATH] = "";
	struct policy_doctor_finding f = {.file = doc->file, .where = where, .found = found ? found : "", .why = why};

	for (size_t i = 0; item && item->path[i]; i++)
		where[i] = item->path[i] == SETTINGS_SEP ? '.' : item->path[i]; /* as long as the path, and it was zero */
	if (item) {
		where[strlen(item->path)] = '\0';
		f.line = item->line;
		f.found = found ? found : item->text;
	}
	doc->d->findings++;
	doc->d->fn(doc->d->arg, &f);
}

/* Is @text one of the words of @list? */
static bool is_word(const char *text, const char *list)
{
	size_t n = strlen(text);

	for (const char *s = list; *s; s += strcspn(s, " "), s += *s == ' ')
		if (strcspn(s, " ") == n && !strncmp(s, text, n))
			return true;
	return false;
}

static bool is_broken(const struct doctor_doc *doc, const struct doctor_rule *r, const struct settings_item *i)
{
	size_t from = 0, n = strlen(i->path);

	switch (r->test) {
	case DOCTOR_ANY:
		return true;
	case DOCTOR_TRUE:
		return !strcmp(i->text, "true");
	case DOCTOR_FALSE:
		return !strcmp(i->text, "false");
	case DOCTOR_SET:
		for (from = 0; i->kind == SETTINGS_LIST && from < doc->s.n; from++)
			if (!strncmp(doc->s.item[from].path, i->path, n) && doc->s.item[from].path[n] == SETTINGS_SEP)
				return true;
		return i->kind != SETTINGS_LIST && i->text[0];
	case DOCTOR_IS:
		return !strcmp(i->text, r->value);
	case DOCTOR_NOT:
		return !is_word(i->text, r->value);
	case DOCTOR_BEGINS:
		return !strncmp(i->text, r->value, strlen(r->value));
	case DOCTOR_WRITABLE:
		return doctor_is_writable(i->text) && !(r->value && is_word(i->text, r->value));
	}
	return true;
}

void doctor_hold(const struct doctor_doc *doc, const struct doctor_rule *rules)
{
	for (const struct doctor_rule *r = rules; r->pattern; r++) {
		const struct settings_item *i;
		size_t from = 0;

		while ((i = settings_find(&doc->s, r->pattern, &from)))
			if (is_broken(doc, r, i))
				doctor_say(doc, i, NULL, r->why);
	}
}

/* --- files ---------------------------------------------------------------------------------------------------- */

/* struct kind - what files of a kind are */
static const struct kind {
	enum policy_doctor_kind kind;
	const char *name; /* by which a file alone is known */
	bool json;
	void (*examine)(const struct doctor_doc *doc);
} kinds[] = {
	{POLICY_DOCTOR_CONTAINERD, "config.toml", false, doctor_containerd},
	{POLICY_DOCTOR_HOSTS, "hosts.toml", false, doctor_hosts},
	{POLICY_DOCTOR_CONTAINERS_CONF, "containers.conf", false, doctor_containers_conf},
	{POLICY_DOCTOR_STORAGE, "storage.conf", false, doctor_storage},
	{POLICY_DOCTOR_REGISTRIES, "registries.conf", false, doctor_registries},
	{POLICY_DOCTOR_SIGNATURES, "policy.json", true, doctor_signatures},
	{POLICY_DOCTOR_DOCKERD, "daemon.json", true, doctor_dockerd},
};

static const struct kind *find_kind(const char *path, enum policy_doctor_kind kind)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kind ? kinds[i].kind == kind : !strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

/* On the host: a file of the verified root stands on a file system that the kernel lets nobody write to. */
static void check_place(const struct doctor_doc *doc)
{
	struct statvfs v;
	struct stat st;

	if (!doc->d->live)
		return;
	if (statvfs(doc->file, &v) < 0 || !(v.f_flag & ST_RDONLY))
		doctor_say(doc, NULL, "a file system that can be written to", "this file could be changed after it was examined");
	if (lstat(doc->file, &st) == 0 && S_ISLNK(st.st_mode))
		doctor_say(doc, NULL, "a symbolic link", "it could be pointed elsewhere after it was examined");
}

int policy_doctor_file(struct policy_doctor *d, const char *path, enum policy_doctor_kind kind, struct err *e)
{
	const struct kind *k = find_kind(path, kind);
	struct doctor_doc doc = {.d = d, .file = path};
	cleanup_buf struct buf text = BUF_INIT;
	struct err bad = ERR_INIT;
	int r;

	if (!k)
		return err_set(e, EINVAL,
			       "%s: wanted config.toml, hosts.toml, containers.conf, storage.conf, registries.conf, policy.json or daemon.json",
			       path);
	r = file_read(path, SETTINGS_MAX_BYTES, &text, e);
	if (r)
		return r;
	d->files++;
	buf_u8(&text, 0);
	if (text.bad)
		return err_set(e, ENOMEM, "no memory for %s", path);
	r = k->json ? settings_json((char *)text.data, text.len - 1, path, &doc.s, &bad)
		    : settings_toml((char *)text.data, text.len - 1, path, &doc.s, &bad);
	check_place(&doc);
	if (r == -ENOMEM)
		*e = bad;
	else if (r)
		doctor_say(&doc, NULL, bad.msg, "what cannot be read here may be read there, with another meaning");
	else
		k->examine(&doc);
	settings_free(&doc.s);
	return r == -ENOMEM ? r : 0;
}

/* --- a whole root --------------------------------------------------------------------------------------------- */

static int file_if_there(struct policy_doctor *d, const char *path, enum policy_doctor_kind kind, struct err *e)
{
	char at[PATH_MAX];

	if (!doctor_in_root(d, path, at))
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s", path);
	return access(at, F_OK) < 0 ? 0 : policy_doctor_file(d, at, kind, e);
}

/* Drop-in files are read over the file they belong to, so none may be there: a rule that a whole must keep ("the runtime
 * in use is the gate") is not one that its pieces keep. */
static int no_drop_ins(struct policy_doctor *d, const char *path, struct err *e)
{
	char at[PATH_MAX];
	struct doctor_doc doc = {.d = d, .file = at};
	DIR *dir;

	if (!doctor_in_root(d, path, at))
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s", path);
	dir = opendir(at);
	for (struct dirent *f; dir && (f = readdir(dir));)
		if (f->d_name[0] != '.')
			doctor_say(&doc, NULL, f->d_name, "drop-in files change what the examined file says: write it into that one");
	if (dir && d->live) {
		struct statvfs v;

		if (fstatvfs(dirfd(dir), &v) < 0 || !(v.f_flag & ST_RDONLY))
			doctor_say(&doc, NULL, "a folder that can be written to", "drop-in files could appear after this");
	}
	if (dir)
		(void)closedir(dir);
	return 0;
}

/* hosts.toml of every registry */
static int each_host(struct policy_doctor *d, const char *path, struct err *e)
{
	char at[PATH_MAX];
	DIR *dir;
	int r = 0;

	if (!doctor_in_root(d, path, at))
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s", path);
	dir = opendir(at);
	for (struct dirent *f; !r && dir && (f = readdir(dir));) {
		char file[PATH_MAX];

		if (f->d_name[0] == '.' || snprintf(file, sizeof(file), "%s/%s/hosts.toml", path, f->d_name) >= PATH_MAX)
			continue;
		r = file_if_there(d, file, POLICY_DOCTOR_HOSTS, e);
	}
	if (dir)
		(void)closedir(dir);
	return r;
}

int policy_doctor_root(struct policy_doctor *d, struct err *e)
{
	static const struct {
		const char *path;
		enum policy_doctor_kind kind;
	} files[] = {
		{"/etc/containerd/config.toml", POLICY_DOCTOR_CONTAINERD},
		{"/usr/share/containers/containers.conf", POLICY_DOCTOR_CONTAINERS_CONF},
		{"/etc/containers/containers.conf", POLICY_DOCTOR_CONTAINERS_CONF},
		{"/usr/share/containers/storage.conf", POLICY_DOCTOR_STORAGE},
		{"/etc/containers/storage.conf", POLICY_DOCTOR_STORAGE},
		{"/etc/containers/registries.conf", POLICY_DOCTOR_REGISTRIES},
		{"/etc/containers/policy.json", POLICY_DOCTOR_SIGNATURES},
		{"/etc/docker/daemon.json", POLICY_DOCTOR_DOCKERD},
	};
	static const char *const drop_ins[] = {
		"/etc/containers/containers.conf.d", "/usr/share/containers/containers.conf.d",
		"/etc/containers/registries.conf.d", "/.config/containers",
		("/root" "/.config/containers"),	      "/etc/containerd/conf.d",
		"/etc/nri/conf.d",		      "/opt/nri/plugins",
		"/etc/containers/oci/hooks.d",	      "/usr/share/containers/oci/hooks.d",
		"/etc/cdi",
	};
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(files); i++)
		r = file_if_there(d, files[i].path, files[i].kind, e);
	for (size_t i = 0; !r && i < ARRAY_SIZE(drop_ins); i++)
		r = no_drop_ins(d, drop_ins[i], e);
	r = r ? r : each_host(d, "/etc/containerd/certs.d", e);
	r = r ? r : each_host(d, "/etc/docker/certs.d", e);
	return r ? r : doctor_argv(d, e);
}
