/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/doctor_argv.c - what PID 1 starts the engine with: words that say over its configuration file what was not examined
 *
 * An option is accepted if it has a row, and a value that the row has; all else is a finding, since engines grow options.
 * A program that is none of the three is not judged. Tasks are not either: they are clients, and what a client can ask for
 * is the gate's matter.
 *
 * Spec: containerd 1.7 and 2.1 `containerd --help` (one dash or two); dockerd(8); podman(1), podman-system-service(1).
 */
#include "policy/doctor_rules.h"

#include "common/conf.h"
#include "common/file.h"

#include <stdlib.h>
#include <string.h>

#define HOST_CONF "/etc/holdfast/host.conf"

/* struct option - @names: words; @flag: no value, or one behind '='; @values: words that the value may be or, ending in '*',
 * begin with; NULL: any */
struct option {
	const char *names;
	bool flag;
	const char *values;
};

/* struct engine - @words: what may stand there beside options, in this order; '*' at the end of one: begins with */
struct engine {
	const char *name;
	struct option options[12];
	const char *words[4];
};

static const struct engine engines[] = {
	{"containerd",
	 {{"config c", false, "/etc/containerd/config.toml"}, {"log-level l", false, NULL}},
	 {NULL}},
	{"dockerd",
	 {{"config-file", false, "/etc/docker/daemon.json"},
	  {"log-level l", false, NULL},
	  {"log-format", false, NULL},
	  {"containerd", false, "/run/containerd/containerd.sock"},
	  {"host H", false, "unix://* fd://*"},
	  {"pidfile p", false, NULL},
	  {"bridge b", false, NULL},
	  {"exec-opt", false, "native.cgroupdriver=cgroupfs"},
	  {"iptables ip6tables ip-forward ip-masq userland-proxy", true, NULL}},
	 {NULL}},
	{"podman",
	 {{"log-level", false, NULL}, {"time t", false, NULL}},
	 {"system", "service", "unix://*"}},
};

/* Is @text (of @n bytes) one of the words of @list? A word that ends in '*' is a beginning. */
static bool fits(const char *text, size_t n, const char *list)
{
	for (const char *s = list; *s; s += strcspn(s, " "), s += *s == ' ') {
		size_t len = strcspn(s, " ");
		bool open = s[len - 1] == '*';

		len -= open;
		if ((open ? n >= len : n == len) && !strncmp(s, text, len))
			return true;
	}
	return false;
}

/* struct words - a vector cut at blanks; @at: the next */
struct words {
	char *word[CONF_MAX_LINE_BYTES / 2];
	size_t n, at;
};

/* One option, dashes taken off; its value may be the next word. Return: why it must not be there, NULL if it may. */
static const char *judge_option(const struct engine *g, const char *s, struct words *w)
{
	size_t n = strcspn(s, "=");
	const char *value = s[n] ? s + n + 1 : NULL;

	for (const struct option *o = g->options; o < g->options + ARRAY_SIZE(g->options) && o->names; o++) {
		if (!n || !fits(s, n, o->names))
			continue;
		if (o->flag)
			return NULL;
		if (!value && w->at < w->n)
			value = w->word[w->at++];
		if (!value || (o->values && !fits(value, strlen(value), o->values)))
			return "the value is not the one that was examined: the engine would obey something else";
		return NULL;
	}
	return "it says over the configuration file what was not examined: write it into that file";
}

static void judge(const struct doctor_doc *doc, const struct settings_item *item, const struct engine *g, struct words *w)
{
	size_t word = 0;

	for (w->at = 1; w->at < w->n;) {
		const char *s = w->word[w->at++], *why;

		if (s[0] == '-' && s[1]) {
			why = judge_option(g, s + 1 + (s[1] == '-'), w);
		} else {
			why = word < ARRAY_SIZE(g->words) && g->words[word] && fits(s, strlen(s), g->words[word])
				      ? NULL
				      : "another command than the engine's own";
			word++;
		}
		if (why)
			doctor_say(doc, item, s, why);
	}
	if (word < ARRAY_SIZE(g->words) && g->words[word])
		doctor_say(doc, item, g->words[word], "this word is missing: another command than the engine's own");
}

static void judge_vector(const struct doctor_doc *doc, const char *argv, unsigned line)
{
	struct settings_item item = {.path = (char *)(uintptr_t)"engine.argv", .text = (char *)(uintptr_t)argv, .line = line};
	char text[CONF_MAX_LINE_BYTES], *save = NULL;
	const char *base;
	static struct words w; /* the doctor examines one root in its life */

	w.n = 0;
	(void)snprintf(text, sizeof(text), "%s", argv); /* a line is not longer */
	for (char *s = strtok_r(text, " \t", &save); s; s = strtok_r(NULL, " \t", &save))
		w.word[w.n++] = s; /* there is room for a word every other byte */
	if (!w.n)
		return; /* PID 1 refuses that by itself */
	base = strrchr(w.word[0], '/') ? strrchr(w.word[0], '/') + 1 : w.word[0];
	for (size_t i = 0; i < ARRAY_SIZE(engines); i++)
		if (!strcmp(engines[i].name, base))
			judge(doc, &item, &engines[i], &w);
}

int doctor_argv(struct policy_doctor *d, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct doctor_doc doc = {.d = d};
	struct err bad = ERR_INIT;
	static struct conf c;
	char at[4096];
	int r;

	if (!doctor_in_root(d, HOST_CONF, at))
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s", d->root);
	doc.file = at;
	if (access(at, F_OK) < 0)
		return 0;
	r = file_read(at, SETTINGS_MAX_BYTES, &text, e);
	if (r)
		return r;
	d->files++;
	r = conf_parse((char *)text.data, text.len, at, &c, &bad);
	if (r)
		doctor_say(&doc, NULL, bad.msg, "what cannot be read here may be read there, with another meaning");
	for (size_t i = 0; !r && i < c.n; i++)
		if (!strcmp(c.line[i].key, "engine.argv"))
			judge_vector(&doc, c.line[i].value, c.line[i].number);
	return 0;
}
