/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/fetch_apt.c - apt with a configuration of its own */
#include "image-builder/fetch_apt.h"

#include "common/file.h"
#include "common/hex.h"
#include "common/proc.h"
#include "image-builder/folder.h"

#include <string.h>
#include <sys/stat.h>

#define MAX_OUTPUT_BYTES    (16u << 20)
#define MAX_MACHINE_OPTIONS 16
#define SAY_EVERY           20

void fetch_apt_free(struct fetch_apt *a)
{
	free(a->package);
	a->package = NULL;
	a->n = 0;
}

/* Standard output of an apt program as NUL-terminated text. @config: value of APT_CONFIG, or NULL. */
static int apt_output(const char *const argv[], const char *config, struct buf *ret, struct err *e)
{
	char setting[PATH_MAX + 32];
	const char *const env[] = { "LC_ALL=C.UTF-8", config ? setting : NULL, NULL };
	struct proc_params run = { .argv = argv, .env = env, .out = ret, .out_max = MAX_OUTPUT_BYTES, .quiet = 1 };
	int r;

	(void)snprintf(setting, sizeof(setting), "APT_CONFIG=%s", config ? config : ""); /* fits: a path and 11 bytes */
	r = proc_run(&run, e);
	buf_u8(ret, 0);
	if (!r && ret->bad)
		r = err_set(e, ENOMEM, "no memory for the output of %s", argv[0]);
	return r;
}

/* Names of Debian's releases as they stand in sources, without "-security" and the like. */
static bool is_release(const char *name, size_t len)
{
	static const char *const releases[] = { "bullseye",     "bookworm",  "trixie", "forky",   "duke",    "sid",
						"oldoldstable", "oldstable", "stable", "testing", "unstable" };

	for (size_t i = 0; i < ARRAY_SIZE(releases); i++)
		if (strlen(releases[i]) == len && !strncmp(releases[i], name, len))
			return true;
	return false;
}

static bool keep_uri(char dest[static FETCH_URI_BYTES], const char *uri)
{
	if (!*dest && strlen(uri) < FETCH_URI_BYTES)
		(void)snprintf(dest, FETCH_URI_BYTES, "%s", uri); /* checked */
	return *dest;
}

int fetch_mirrors_of_machine(const char *const *apt_option, struct fetch_mirrors *ret, struct err *e)
{
	const char *argv[MAX_MACHINE_OPTIONS + 7] = { "apt-get" };
	cleanup_buf struct buf out = BUF_INIT;
	struct fetch_mirrors m = { .main = "" };
	char *save = NULL;
	size_t n = 1;
	int r;

	for (; apt_option && *apt_option && n < MAX_MACHINE_OPTIONS; apt_option++)
		argv[n++] = *apt_option;
	argv[n++] = "indextargets";
	argv[n++] = "--no-release-info"; /* else sources whose lists were never downloaded are passed over */
	argv[n++] = "--format";
	argv[n++] = "$(COMPONENT) $(RELEASE) $(REPO_URI)";
	argv[n++] = "Created-By: Packages";
	r = apt_output(argv, NULL, &out, e);
	if (r)
		return err_context(e, "cannot read the machine's package sources");
	for (char *line = strtok_r((char *)out.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *release = strchr(line, ' '), *uri = release ? strchr(release + 1, ' ') : NULL, *dash;

		if (!uri)
			continue;
		*release++ = '\0';
		*uri++ = '\0';
		dash = strchr(release, '-');
		if (strcmp(line, "main") || !is_release(release, dash ? (size_t)(dash - release) : strlen(release)))
			continue;
		if (!dash)
			(void)keep_uri(m.main, uri);
		else if (!strcmp(dash, "-security"))
			(void)keep_uri(m.security, uri);
	}
	if (!*m.main)
		return err_set(e, ENOENT,
			       "no Debian archive is among this machine's apt sources; give one with --mirror");
	*ret = m;
	return 0;
}

/* How to reach a server is the machine's business; all else is ours. */
static int machine_settings(struct buf *conf, struct err *e)
{
	static const char *const argv[] = { "apt-config",          "dump",
					    "Acquire::http",       "Acquire::https",
					    "Acquire::Retries",    "Acquire::Check-Valid-Until",
					    "Acquire::Check-Date", NULL };
	static const char *const wanted[] = { "Acquire::http", "Acquire::Retries", "Acquire::Check-" };
	cleanup_buf struct buf out = BUF_INIT;
	char *save = NULL;
	int r = apt_output(argv, NULL, &out, e);

	if (r)
		return r;
	for (char *line = strtok_r((char *)out.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
			if (!strncmp(line, wanted[i], strlen(wanted[i])))
				buf_printf(conf, "%s\n", line);
	return 0;
}

static int write_text(const struct fetch_apt *a, const char *name, struct buf *text, struct err *e)
{
	char path[PATH_MAX];
	int r = folder_join(a->cache, name, path, e);

	if (!r && text->bad)
		r = err_set(e, ENOMEM, "no memory for %s", path);
	return r ? r : file_write(path, text->data, text->len, 0644, e);
}

static int write_config(struct fetch_apt *a, const struct fetch_params *p, struct err *e)
{
	cleanup_buf struct buf conf = BUF_INIT;
	int r = machine_settings(&conf, e);

	buf_printf(&conf, "Dir::Etc::Parts \"/dev/null\";\nDir::Etc::Main \"/dev/null\";\n");
	buf_printf(&conf, "Dir::Etc::SourceList \"%s/sources.list\";\nDir::Etc::SourceParts \"/dev/null\";\n",
		   a->cache);
	buf_printf(&conf, "Dir::Etc::Preferences \"/dev/null\";\nDir::Etc::PreferencesParts \"/dev/null\";\n");
	buf_printf(&conf, "Dir::State \"%s/state\";\nDir::State::Lists \"%s/lists\";\n", a->cache, a->cache);
	buf_printf(&conf, "Dir::State::status \"%s/state/status\";\nDir::Cache \"%s\";\n", a->cache, a->cache);
	buf_printf(&conf, "Dir::Log \"%s/state\";\nDpkg::Use-Pty \"false\";\n", a->cache);
	buf_printf(&conf, "APT::Architecture \"%s\";\nAPT::Architectures:: \"%s\";\n", p->arch, p->arch);
	buf_printf(&conf, "APT::Install-Recommends \"false\";\nAPT::Get::Assume-Yes \"true\";\nAPT::Get::List-Cleanup "
			  "\"true\";\n");
	buf_printf(&conf, "Acquire::Languages \"none\";\nDebug::NoLocking \"true\";\n");
	if (geteuid() == 0)
		buf_printf(&conf, "APT::Sandbox::User \"root\";\n");
	return r ? r : write_text(a, "apt.conf", &conf, e);
}

static int write_sources(struct fetch_apt *a, const struct fetch_params *p, struct err *e)
{
	struct fetch_mirrors m = { .main = "" };
	cleanup_buf struct buf text = BUF_INIT;
	int r = p->mirror ? 0 : fetch_mirrors_of_machine(NULL, &m, e);

	if (r)
		return r;
	if (p->mirror && strlen(p->mirror) < FETCH_URI_BYTES)
		(void)snprintf(m.main, sizeof(m.main), "%s", p->mirror); /* checked */
	if (p->security && strlen(p->security) < FETCH_URI_BYTES)
		(void)snprintf(m.security, sizeof(m.security), "%s", p->security); /* checked */
	if (!*m.main || strpbrk(m.main, " \t\n") || strpbrk(m.security, " \t\n"))
		return err_set(e, EINVAL, "the archive's URI is empty, too long, or holds blanks");
	buf_printf(&text, "deb [signed-by=%s] %s %s main\n", FETCH_KEYRING, m.main, FETCH_SUITE);
	buf_printf(&text, "deb [signed-by=%s] %s %s-updates main\n", FETCH_KEYRING, m.main, FETCH_SUITE);
	if (*m.security)
		buf_printf(&text, "deb [signed-by=%s] %s %s-security main\n", FETCH_KEYRING, m.security, FETCH_SUITE);
	return write_text(a, "sources.list", &text, e);
}

int fetch_apt_configure(struct fetch_apt *a, const struct fetch_params *p, struct err *e)
{
	static const char *const folders[] = { "state", "lists/partial", "archives/partial" };
	char path[PATH_MAX];
	int r = folder_absolute(p->cache, a->cache, e);

	if (!r && strpbrk(a->cache, "\";\n"))
		r = err_set(e, EINVAL, "%s: apt cannot be given a path with '\"', ';' or a newline", a->cache);
	for (size_t i = 0; !r && i < ARRAY_SIZE(folders); i++) {
		r = folder_join(a->cache, folders[i], path, e);
		r = r ? r : file_mkdirs(path, e);
	}
	r = r ? r : folder_join(a->cache, "archives", a->archives, e);
	r = r ? r : folder_join(a->cache, "state/status", path, e);
	r = r ? r : file_write(path, "", 0, 0644, e);
	(void)snprintf(a->config, sizeof(a->config), "%s/apt.conf", a->cache); /* has room */
	r = r ? r : write_config(a, p, e);
	return r ? r : write_sources(a, p, e);
}

int fetch_apt_update(struct fetch_apt *a, struct err *e)
{
	static const char *const argv[] = { "apt-get", "-q", "--error-on=any", "update", NULL };
	cleanup_buf struct buf out = BUF_INIT;
	int r = apt_output(argv, a->config, &out, e);

	return r ? err_context(e, "cannot bring the package lists up to date") : 0;
}

static struct fetch_package *add_package(struct fetch_apt *a, struct err *e)
{
	struct fetch_package *v;

	if (a->n == FETCH_MAX_RESOLVED) {
		(void)err_set(e, E2BIG, "the packages need more than %d others", FETCH_MAX_RESOLVED); /* told by NULL */
		return NULL;
	}
	v = realloc(a->package, (a->n + 1) * sizeof(*v));
	if (!v) {
		(void)err_set(e, ENOMEM, "no memory for the list of packages"); /* told by NULL */
		return NULL;
	}
	a->package = v;
	v += a->n++;
	*v = (struct fetch_package){ .known = false };
	return v;
}

/* "Inst NAME (VERSION ORIGIN... [ARCH]) [...]" */
int fetch_apt_parse_plan(struct fetch_apt *a, char *text, struct err *e)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct fetch_package *pkg;
		char *bracket = strrchr(line, ')');

		if (strncmp(line, "Inst ", 5))
			continue;
		while (bracket && bracket > line && *bracket != '[')
			bracket--;
		pkg = add_package(a, e);
		if (!pkg)
			return -e->code;
		if (!bracket || sscanf(line, "Inst %95s (%95s", pkg->name, pkg->version) != 2 ||
		    sscanf(bracket, "[%15[a-z0-9]]", pkg->arch) != 1)
			return err_set(e, EINVAL, "apt's plan has a line that is not understood: \"%.120s\"", line);
		pkg->name[strcspn(pkg->name, ":")] = '\0';
	}
	return a->n ? 0 : err_set(e, EINVAL, "apt's plan names no package");
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct fetch_package *)a)->name, ((const struct fetch_package *)b)->name);
}

/* One stanza of `apt-cache show` has ended: is it one of ours? */
static void take_stanza(struct fetch_apt *a, const struct fetch_package *key)
{
	struct fetch_package *pkg = bsearch(key, a->package, a->n, sizeof(*key), by_name);

	if (pkg && !pkg->known && !strcmp(pkg->version, key->version) && key->known) {
		pkg->bytes = key->bytes;
		memcpy(pkg->sha256, key->sha256, sizeof(pkg->sha256));
		pkg->known = true;
	}
}

int fetch_apt_parse_show(struct fetch_apt *a, char *text, struct err *e)
{
	struct fetch_package key = { .known = false };
	char *next;

	qsort(a->package, a->n, sizeof(*a->package), by_name);
	for (char *line = text; line; line = next) {
		char hex[2 * HASH_SHA256_BYTES + 1];

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (!*line) {
			take_stanza(a, &key);
			key = (struct fetch_package){ .known = false };
		}
		(void)sscanf(line, "Package: %95s", key.name);    /* a line is one of these four or none */
		(void)sscanf(line, "Version: %95s", key.version); /* likewise */
		(void)sscanf(line, "Size: %20lu", &key.bytes);    /* likewise */
		if (sscanf(line, "SHA256: %64[0-9a-f]", hex) == 1)
			key.known = hex_decode(hex, key.sha256, sizeof(key.sha256));
	}
	take_stanza(a, &key);
	for (size_t i = 0; i < a->n; i++)
		if (!a->package[i].known)
			return err_set(e, EINVAL, "apt's index has no SHA-256 of %s %s", a->package[i].name,
				       a->package[i].version);
	return 0;
}

/* argv of an apt program with the request's packages behind @fixed. */
static int package_argv(const struct fetch_params *p, const char *const fixed[], const char **ret, size_t max,
			struct err *e)
{
	size_t n = 0;

	for (; fixed[n]; n++)
		ret[n] = fixed[n];
	for (size_t i = 0; i < p->n_packages; i++) {
		const char *name = p->package[i];
		size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789+-.");

		if (!*name || name[len] || name[0] == '-' || (len && (name[len - 1] == '-' || name[len - 1] == '+')))
			if (strcmp(name, "g++")) /* for apt, a sign at the end is an order to remove or install */
				return err_set(e, EINVAL, "\"%.60s\" is no package name", name);
		if (n + 1 >= max)
			return err_set(e, E2BIG, "more than %zu packages", max);
		ret[n++] = name;
	}
	ret[n] = NULL;
	return 0;
}

static int ask_hashes(struct fetch_apt *a, struct err *e)
{
	cleanup_free const char **argv = calloc(a->n + 3, sizeof(*argv));
	cleanup_free char(*spec)[200] = calloc(a->n, sizeof(*spec));
	cleanup_buf struct buf out = BUF_INIT;
	int r;

	if (!argv || !spec)
		return err_set(e, ENOMEM, "no memory for the list of packages");
	argv[0] = "apt-cache";
	argv[1] = "show";
	for (size_t i = 0; i < a->n; i++) {
		(void)snprintf(spec[i], sizeof(spec[i]), "%s=%s", a->package[i].name,
			       a->package[i].version); /* 95 + 95 + 2 */
		argv[i + 2] = spec[i];
	}
	r = apt_output(argv, a->config, &out, e);
	return r ? r : fetch_apt_parse_show(a, (char *)out.data, e);
}

int fetch_apt_resolve(struct fetch_apt *a, const struct fetch_params *p, struct err *e)
{
	static const char *const fixed[] = { "apt-get", "-q", "--simulate", "install", NULL };
	const char *argv[FETCH_MAX_PACKAGES + 8];
	cleanup_buf struct buf out = BUF_INIT;
	int r = package_argv(p, fixed, argv, ARRAY_SIZE(argv), e);

	r = r ? r : apt_output(argv, a->config, &out, e);
	r = r ? r : fetch_apt_parse_plan(a, (char *)out.data, e);
	return r ? r : ask_hashes(a, e);
}

int fetch_apt_file(const struct fetch_apt *a, const struct fetch_package *pkg, char ret[static PATH_MAX], struct err *e)
{
	char name[256], version[3 * sizeof(pkg->version)];
	size_t n = 0;

	for (const char *s = pkg->version; *s; s++) { /* apt writes "1:2.3" as "1%3a2.3" */
		if (*s == ':')
			n += (size_t)snprintf(version + n, sizeof(version) - n, "%%3a");
		else
			version[n++] = *s;
	}
	version[n] = '\0';
	if (snprintf(name, sizeof(name), "%s_%s_%s.deb", pkg->name, version, pkg->arch) >= (int)sizeof(name))
		return err_set(e, ENAMETOOLONG, "the file name of package %s is too long", pkg->name);
	return folder_join(a->archives, name, ret, e);
}

int fetch_apt_check(const struct fetch_package *pkg, const char *path, struct err *e)
{
	uint8_t digest[HASH_SHA256_BYTES];
	char have[2 * HASH_SHA256_BYTES + 1], want[2 * HASH_SHA256_BYTES + 1];
	int r = hash_sha256_file(path, digest, e);

	if (r || hash_equal(digest, sizeof(digest), pkg->sha256, sizeof(pkg->sha256)))
		return r;
	hex_encode(digest, sizeof(digest), have);
	hex_encode(pkg->sha256, sizeof(pkg->sha256), want);
	return err_set(e, EBADMSG, "package file %s is damaged: SHA-256 %.16s..., the index says %.16s...; remove it",
		       path, have, want);
}

/* struct counter - lines "Get:" of apt-get seen so far */
struct counter {
	progress_fn *say;
	size_t got, wanted;
	bool at_line_start;
};

static int count_lines(void *arg, const uint8_t *data, size_t n, struct err *e)
{
	struct counter *c = arg;

	(void)e;
	for (size_t i = 0; i < n; i++) {
		if (c->at_line_start && data[i] == 'G' && ++c->got % SAY_EVERY == 0)
			progress_say(c->say, "downloaded %zu of %zu packages", c->got, c->wanted);
		c->at_line_start = data[i] == '\n';
	}
	return 0;
}

int fetch_apt_download(struct fetch_apt *a, const struct fetch_params *p, struct err *e)
{
	static const char *const fixed[] = { "apt-get", "-q", "--download-only", "install", NULL };
	const char *argv[FETCH_MAX_PACKAGES + 8];
	char setting[PATH_MAX + 32], path[PATH_MAX];
	const char *const env[] = { "LC_ALL=C.UTF-8", setting, NULL };
	struct counter count = { .say = p->say, .at_line_start = true };
	struct proc_params run = { .argv = argv, .env = env, .quiet = 1, .sink = count_lines, .sink_arg = &count };
	uint64_t bytes = 0;
	struct stat st;
	int r = package_argv(p, fixed, argv, ARRAY_SIZE(argv), e);

	for (size_t i = 0; !r && i < a->n; i++) {
		r = fetch_apt_file(a, &a->package[i], path, e);
		if (!r && (stat(path, &st) < 0 || (uint64_t)st.st_size != a->package[i].bytes)) {
			count.wanted++;
			bytes += a->package[i].bytes;
		}
	}
	if (r || !count.wanted)
		return r;
	if (p->offline)
		return err_set(e, ENOENT, "%zu packages are not in %s, and --offline forbids to download them",
			       count.wanted, a->archives);
	progress_say(p->say, "downloading %zu packages, %.1f MB", count.wanted, (double)bytes / 1e6);
	(void)snprintf(setting, sizeof(setting), "APT_CONFIG=%s", a->config); /* fits */
	r = proc_run(&run, e);
	return r ? err_context(e, "cannot download the packages") : 0;
}
