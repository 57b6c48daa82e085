/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/manifest.c - the two manifests of PID 1: what to do in the initramfs, and what on the host */
#include "init/manifest.h"

#include "common/hex.h"

#include <string.h>

/* Cut the first word off @s: it is terminated in place, what follows it is returned ("" at the end). */
static char *cut_word(char *s)
{
	char *end = s + strcspn(s, " \t");

	if (!*end)
		return end;
	*end++ = '\0';
	return end + strspn(end, " \t");
}

static bool path_is_clean(const char *p)
{
	for (const char *s = p; s; s = strchr(s, '/')) {
		s += *s == '/';
		if (!strcmp(s, "..") || !strncmp(s, "../", 3))
			return false;
	}
	return *p && strlen(p) < 200;
}

/* conf_next() gives the values of the text we own, which we may cut further. */
static char *next_value(const struct conf *c, const char *key, size_t *pos)
{
	return (char *)conf_next(c, key, pos);
}

static int parse_modules(const struct conf *c, struct pid1_module *ret, size_t *ret_n, struct err *e)
{
	size_t pos = 0, n = 0;
	char *v;

	while ((v = next_value(c, "module", &pos))) {
		struct pid1_module m = { 0 };

		m.late = *v == '+';
		v += m.late;
		m.optional = *v == '-';
		m.path = v + m.optional;
		m.params = cut_word(v);
		if (*m.path == '/' || !path_is_clean(m.path))
			return err_set(e, EINVAL, "%s: module \"%.80s\": wanted a path below /usr/lib/modules", c->name,
				       m.path);
		if (n == PID1_MAX_MODULES)
			return err_set(e, E2BIG, "%s: more than %d modules", c->name, PID1_MAX_MODULES);
		ret[n++] = m;
	}
	*ret_n = n;
	return 0;
}

static int parse_argv(const struct conf *c, const char *key, char *v, struct pid1_argv *ret, struct err *e)
{
	size_t n = 0;

	while (*v) {
		if (n == PID1_MAX_ARGS)
			return err_set(e, E2BIG, "%s: %s has more than %d words", c->name, key, PID1_MAX_ARGS);
		ret->arg[n++] = v;
		v = cut_word(v);
	}
	ret->arg[n] = NULL;
	if (!n || ret->arg[0][0] != '/')
		return err_set(e, EINVAL, "%s: %s: the program must be an absolute path", c->name, key);
	return 0;
}

/* One of @words; its index is the value. @fallback (an index) if absent, -1: it must be there. */
static int parse_choice(const struct conf *c, const char *key, const char *const words[], int fallback, int *ret,
			struct err *e)
{
	const char *v;
	int r = fallback < 0 ? conf_need(c, key, &v, e) : conf_get(c, key, words[fallback], &v, e);

	if (r)
		return r;
	for (int i = 0; words[i]; i++) {
		if (strcmp(words[i], v))
			continue;
		*ret = i;
		return 0;
	}
	return err_set(e, EINVAL, "%s: %s = \"%.40s\": wanted %s or %s", c->name, key, v, words[0], words[1]);
}

static int parse_on_failure(const struct conf *c, enum pid1_action *ret, struct err *e)
{
	static const char *const words[] = { "poweroff", "reboot", "halt", NULL };
	int v, r = parse_choice(c, "on_failure", words, PID1_POWEROFF, &v, e);

	if (!r)
		*ret = (enum pid1_action)v;
	return r;
}

static int parse_digest(const struct conf *c, const char *key, uint8_t ret[static HASH_SHA256_BYTES], struct err *e)
{
	const char *v;
	int r = conf_need(c, key, &v, e);

	if (!r && !hex_decode(v, ret, HASH_SHA256_BYTES))
		r = err_set(e, EINVAL, "%s: %s = \"%.80s\": wanted 64 lower-case hex digits", c->name, key, v);
	return r;
}

int pid1_boot_manifest_parse(struct pid1_boot_manifest *ret, size_t len, struct err *e)
{
	static const char *const keys[] = { "module",           "root.signer",   "tpm",        "deadline.tpm_ms",
					    "deadline.disk_ms", "on_corruption", "on_failure", NULL };
	static const char *const corruption[] = { "panic", "restart", NULL };
	static const char *const tpm[] = { "required", "optional", NULL };
	static struct conf c; /* 6 KiB: not on the stack of PID 1 */
	int r = conf_parse(ret->text, len, "/etc/holdfast/boot.conf", &c, e), v;

	if (!r)
		r = conf_check(&c, keys, e);
	if (!r)
		r = parse_on_failure(&c, &ret->on_failure, e); /* first: it rules all later failures */
	if (!r)
		r = parse_modules(&c, ret->module, &ret->n_modules, e);
	if (!r)
		r = parse_digest(&c, "root.signer", ret->root_signer, e);
	if (!r)
		r = parse_choice(&c, "tpm", tpm, 0, &v, e);
	if (!r) {
		ret->tpm_required = v == 0;
		r = parse_choice(&c, "on_corruption", corruption, 0, &v, e);
	}
	if (!r) {
		ret->on_corruption = v == 0 ? VERITY_CORRUPTION_PANIC : VERITY_CORRUPTION_RESTART;
		r = conf_u64(&c, "deadline.tpm_ms", 10000, PID1_MAX_DEADLINE_MS, &ret->tpm_ms, e);
	}
	if (!r)
		r = conf_u64(&c, "deadline.disk_ms", 30000, PID1_MAX_DEADLINE_MS, &ret->disk_ms, e);
	return r;
}

static int parse_engine(const struct conf *c, struct pid1_host_manifest *ret, struct err *e)
{
	const char *v;
	size_t pos = 0;
	int r = conf_need(c, "engine.argv", &v, e);

	if (!r)
		r = parse_argv(c, "engine.argv", (char *)v, &ret->engine, e);
	if (!r)
		r = parse_digest(c, "engine.sha256", ret->engine_sha256, e);
	if (!r)
		r = conf_need(c, "engine.ready", &ret->engine_ready, e);
	if (!r)
		r = conf_u64(c, "engine.ready_ms", 60000, PID1_MAX_DEADLINE_MS, &ret->ready_ms, e);
	while (!r && (v = conf_next(c, "engine.config", &pos))) {
		if (*v != '/')
			r = err_set(e, EINVAL, "%s: engine.config = \"%.80s\": wanted an absolute path", c->name, v);
		else if (ret->n_engine_configs == PID1_MAX_CONFIG_FILES)
			r = err_set(e, E2BIG, "%s: more than %d engine.config files", c->name, PID1_MAX_CONFIG_FILES);
		else
			ret->engine_config[ret->n_engine_configs++] = v;
	}
	return r;
}

static int parse_tasks(const struct conf *c, struct pid1_host_manifest *ret, struct err *e)
{
	size_t pos = 0;
	char *v;
	int r = 0;

	while (!r && (v = next_value(c, "task", &pos))) {
		if (ret->n_tasks == PID1_MAX_TASKS)
			return err_set(e, E2BIG, "%s: more than %d tasks", c->name, PID1_MAX_TASKS);
		r = parse_argv(c, "task", v, &ret->task[ret->n_tasks++], e);
	}
	return r;
}

int pid1_host_manifest_parse(struct pid1_host_manifest *ret, size_t len, struct err *e)
{
	static const char *const keys[] = { "module",          "engine.argv", "engine.config", "engine.ready",
					    "engine.ready_ms", "agent.argv",  "task",          "on_tasks_done",
					    "on_failure",      "watchdog",    "watchdog_ms",   "version",
					    "floor.healthy_ms", "state.argv",  "engine.sha256", NULL };
	static const char *const done[] = { "stay", "poweroff", NULL };
	static struct conf c; /* as above */
	const char *agent, *state;
	int r = conf_parse(ret->text, len, "/etc/holdfast/host.conf", &c, e), v;

	if (!r)
		r = conf_check(&c, keys, e);
	if (!r)
		r = parse_on_failure(&c, &ret->on_failure, e);
	if (!r)
		r = parse_modules(&c, ret->module, &ret->n_modules, e);
	if (!r)
		r = parse_engine(&c, ret, e);
	if (!r)
		r = conf_u64(&c, "version", 0, INT64_MAX, &ret->version, e);
	if (!r)
		r = conf_u64(&c, "floor.healthy_ms", 60000, PID1_MAX_DEADLINE_MS, &ret->healthy_ms, e);
	if (!r)
		r = conf_get(&c, "state.argv", NULL, &state, e);
	if (!r && state)
		r = parse_argv(&c, "state.argv", (char *)state, &ret->state, e);
	if (!r)
		r = conf_get(&c, "agent.argv", NULL, &agent, e);
	if (!r)
		r = conf_get(&c, "watchdog", NULL, &ret->watchdog, e);
	if (!r)
		r = conf_u64(&c, "watchdog_ms", 60000, PID1_MAX_DEADLINE_MS, &ret->watchdog_ms, e);
	if (!r && ret->watchdog && (*ret->watchdog != '/' || ret->watchdog_ms < PID1_MIN_WATCHDOG_MS))
		r = err_set(e, EINVAL, "%s: watchdog = \"%.80s\", watchdog_ms = %llu: wanted an absolute path and at least %d", c.name,
			    ret->watchdog, (unsigned long long)ret->watchdog_ms, PID1_MIN_WATCHDOG_MS);
	if (!r && agent)
		r = parse_argv(&c, "agent.argv", (char *)agent, &ret->agent, e);
	if (!r)
		r = parse_tasks(&c, ret, e);
	if (!r)
		r = parse_choice(&c, "on_tasks_done", done, 0, &v, e);
	if (!r)
		ret->poweroff_when_done = v == 1;
	return r;
}
