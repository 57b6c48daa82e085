/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/doctor_rules.h - shared by the doctor*.c files only: rules, and what they are held against */
#ifndef POLICY_DOCTOR_RULES_H
#define POLICY_DOCTOR_RULES_H

#include "policy/doctor.h"

/* What a rule forbids of a setting that its pattern fits. */
enum doctor_test {
	DOCTOR_ANY,      /* that it is there */
	DOCTOR_TRUE,     /* true */
	DOCTOR_FALSE,    /* false */
	DOCTOR_SET,      /* a string that is not "", a list that is not empty */
	DOCTOR_IS,       /* this value */
	DOCTOR_NOT,      /* any other value than this one */
	DOCTOR_BEGINS,   /* a string that begins so */
	DOCTOR_WRITABLE, /* a path that somebody could write to, or that is relative */
};

/** struct doctor_rule - ended by one without @pattern (settings_match()) */
struct doctor_rule {
	const char *pattern;
	enum doctor_test test;
	const char *value;
	const char *why;
};

/** struct doctor_doc - a file being examined */
struct doctor_doc {
	struct policy_doctor *d;
	const char *file;
	struct settings s;
};

/** doctor_say() - a finding. @item NULL: about the file. @found NULL: the item's value. */
void doctor_say(const struct doctor_doc *doc, const struct settings_item *item, const char *found, const char *why);

/** doctor_hold() - hold the document against a table. */
void doctor_hold(const struct doctor_doc *doc, const struct doctor_rule *rules);

/** doctor_is_writable() - could the engine's tree write there? Relative paths count. */
bool doctor_is_writable(const char *path);

/** doctor_in_root() - "<root><path>" into @ret; false if it does not fit. */
bool doctor_in_root(const struct policy_doctor *d, const char *path, char ret[static 4096]);

/* What the tables cannot say, and the tables. */
void doctor_containerd(const struct doctor_doc *doc);
void doctor_hosts(const struct doctor_doc *doc);
void doctor_containers_conf(const struct doctor_doc *doc);
void doctor_storage(const struct doctor_doc *doc);
void doctor_registries(const struct doctor_doc *doc);
void doctor_signatures(const struct doctor_doc *doc);
void doctor_dockerd(const struct doctor_doc *doc);

/** doctor_argv() - the engine's command line in the host manifest, if there is one. 0; -errno could not read. */
int doctor_argv(struct policy_doctor *d, struct err *e) WARN_UNUSED;

#endif
