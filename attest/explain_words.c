/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/explain_words.c - the cause of one difference, in words */
#include "attest/explain_words.h"

#include "attest/event_decode.h"
#include "attest/tcg_log.h"
#include "attest/uefi_text.h"
#include "common/codes.h"
#include "common/hex.h"
#include "common/measure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AROUND = 24, PCR_COMMAND_LINE_GIVEN = 12 };

static void say(char ret[static EXPLAIN_MAX_TEXT], const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(char ret[static EXPLAIN_MAX_TEXT], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(ret, EXPLAIN_MAX_TEXT, fmt, ap); /* cut is fine: for people */
	va_end(ap);
}

void explain_event_text(const struct replay_event *ev, char ret[static EXPLAIN_MAX_TEXT])
{
	uint8_t h[HASH_SHA256_BYTES];

	*ret = '\0';
	if (!ev->data.n)
		return;
	hash_sha256(ev->data.p, ev->data.n, h);
	if (hash_equal(h, sizeof(h), ev->digest, sizeof(h)))
		uefi_text_any(ev->data, ret);
}
_Static_assert(EXPLAIN_MAX_TEXT >= UEFI_TEXT_MAX_BYTES, "a text fits");

void explain_texts_differ(const char *what, const char *wanted, const char *found, char ret[static EXPLAIN_MAX_TEXT])
{
	size_t at = 0, from;

	while (wanted[at] && wanted[at] == found[at])
		at++;
	if (!wanted[at] && !found[at]) {
		say(ret, "%s is the expected one", what);
		return;
	}
	from = at < AROUND ? 0 : at - AROUND;
	say(ret, "%s differs at byte %zu: found \"%s%.*s\"%s, expected \"%s%.*s\"%s", what, at, from ? "..." : "", 2 * AROUND,
	    found + from, found[at] ? "" : " and no more", from ? "..." : "", 2 * AROUND, wanted + from,
	    wanted[at] ? "" : " and no more");
}

/* --- what a digest is known to be ----------------------------------------------------------------------------------
 */

struct known {
	const struct refvalues *rv;
	const char *what;
};

static struct known look_up(const struct explain_input *in, int pcr, const uint8_t *digest)
{
	for (size_t i = 0; pcr >= 0 && pcr < REPLAY_QUOTED_PCRS && i <= in->n_known; i++) {
		const struct refvalues *rv = i ? &in->known[i - 1] : in->rv;
		const struct refvalues_rule *rule = &rv->rule[pcr];
		const struct refvalues_digest *d;

		if (rule->kind != REFVALUES_SEQUENCE)
			continue;
		d = refvalues_find(&rule->list, digest);
		if (!d)
			d = refvalues_find(&rule->then, digest);
		if (d)
			return (struct known){rv, d->what ? d->what : ""};
	}
	return (struct known){NULL, NULL};
}

static bool has(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* Digest of a command line as the kernel's stub measures it: UTF-16LE with its NUL. */
static void command_line_digest(const char *text, uint8_t ret[static HASH_SHA256_BYTES])
{
	uint8_t utf16[2 * (REFVALUES_MAX_COMMAND_LINE + 1)];
	size_t n = 0;

	do {
		utf16[n++] = (uint8_t)*text;
		utf16[n++] = 0;
	} while (*text++ && n < sizeof(utf16));
	hash_sha256(utf16, n, ret);
}

/* --- artefacts -----------------------------------------------------------------------------------------------------
 */

static void image_words(const struct explain_input *in, const struct replay_event *ev, const char *what,
			struct explain_finding *f)
{
	struct known k = look_up(in, f->pcr, ev->digest);
	json_object *path = NULL, *o;
	struct event_budget budget = EVENT_BUDGET_INIT;

	if (k.rv && k.rv != in->rv) {
		say(f->fact, "%s is that of %.40s version %llu; version %llu of %.40s is wanted", what, k.rv->name,
		    (unsigned long long)k.rv->version, (unsigned long long)in->rv->version, in->rv->name);
		return;
	}
	say(f->fact, "%s is another than the expected one, and no reference values that were given know it", what);
	if (ev->source != REPLAY_FIRMWARE)
		return;
	o = event_decode(ev->type, ev->data, &budget);
	if (o && json_object_object_get_ex(o, "path", &path))
		say(f->guess, "the log says that it was loaded from %.200s", json_object_get_string(path));
	else
		say(f->guess, "an older or newer image, or a program that is not of the owner");
	(void)json_object_put(o); /* accepts NULL */
}

/* Is @digest that of the command line as the kernel measures it, or as the section .cmdline holds it? */
static bool is_command_line(const char *text, const uint8_t *digest)
{
	uint8_t kernel[HASH_SHA256_BYTES], section[HASH_SHA256_BYTES];

	command_line_digest(text, kernel);
	hash_sha256(text, strlen(text), section);
	return hash_equal(kernel, sizeof(kernel), digest, sizeof(kernel)) ||
	       hash_equal(section, sizeof(section), digest, sizeof(section));
}

/* The profiles of a machine with UEFI. */
static const char *const profiles[] = {"enforce", "audit", "enforce-jit"};

/* @text with another profile. False if it names none, or the line gets too long. */
static bool other_profile(const char *text, const char *profile, char *ret, size_t max)
{
	const char *at = strstr(text, "holdfast.profile=");

	if (!at)
		return false;
	at += strlen("holdfast.profile=");
	return (size_t)snprintf(ret, max, "%.*s%s%s", (int)(at - text), text, profile, at + strcspn(at, " ")) < max;
}

static bool other_root(const char *text, const char *root, char *ret, size_t max)
{
	const char *at = strstr(text, "roothash=");

	if (!at || !*root)
		return false;
	at += strlen("roothash=");
	return (size_t)snprintf(ret, max, "%.*s%s%s", (int)(at - text), text, root, at + strcspn(at, " ")) < max;
}

/*
 * Command lines of our hosts differ in few ways: the root that was opened (PCR 15 says which), and the profile. One of
 * these that has the digest is the command line.
 */
static bool derive_command_line(const struct explain_input *in, const uint8_t *digest, char *ret, size_t max)
{
	char root[REFVALUES_MAX_COMMAND_LINE + 128], text[REFVALUES_MAX_COMMAND_LINE + 256];
	const char *from[] = {in->rv->command_line, NULL};

	if (other_root(in->rv->command_line, in->found_root, root, sizeof(root)))
		from[1] = root;
	for (size_t i = 0; i < ARRAY_SIZE(from) && from[i]; i++) {
		if (is_command_line(from[i], digest))
			return (size_t)snprintf(ret, max, "%s", from[i]) < max;
		for (size_t k = 0; k < ARRAY_SIZE(profiles); k++)
			if (other_profile(from[i], profiles[k], text, sizeof(text)) && is_command_line(text, digest))
				return (size_t)snprintf(ret, max, "%s", text) < max;
	}
	return false;
}

static void command_line_words(const struct explain_input *in, const struct replay_event *ev, struct explain_finding *f)
{
	const char *wanted = in->rv->command_line;
	char text[EXPLAIN_MAX_TEXT], line[REFVALUES_MAX_COMMAND_LINE + 256];
	struct known k = look_up(in, f->pcr, ev->digest);

	explain_event_text(ev, text);
	if (wanted && (*text || derive_command_line(in, ev->digest, line, sizeof(line)))) {
		explain_texts_differ("the command line", wanted, *text ? text : line, f->fact);
		return;
	}
	for (size_t i = 0; wanted && i < in->n_known; i++) {
		if (!in->known[i].command_line)
			continue;
		if (!is_command_line(in->known[i].command_line, ev->digest))
			continue;
		explain_texts_differ("the command line", wanted, in->known[i].command_line, text);
		say(f->fact, "%.360s; it is that of %.40s version %llu", text, in->known[i].name,
		    (unsigned long long)in->known[i].version);
		return;
	}
	if (*text)
		say(f->fact, "the command line is another: \"%.300s\"", text);
	else if (k.rv && k.rv != in->rv)
		image_words(in, ev, "the command line", f);
	else
		say(f->fact, "the command line is another; the log holds only its digest");
	if (!*text)
		say(f->guess, "somebody started the kernel with other arguments, or another image was booted");
}

/* "2 certificates (/CN=a, /CN=b), 3 hashes" of a decoded variable or authority. */
static void count_signatures(json_object *list, unsigned *certs, unsigned *hashes, char subjects[static EXPLAIN_MAX_TEXT])
{
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n; i++) {
		json_object *sig = json_object_array_get_idx(list, i), *subject = NULL;
		size_t used = strlen(subjects);

		*hashes += json_object_object_get_ex(sig, "hash", NULL);
		*certs += json_object_object_get_ex(sig, "certificate_sha256", NULL);
		if (json_object_object_get_ex(sig, "subject", &subject))
			(void)snprintf(subjects + used, EXPLAIN_MAX_TEXT - used, "%s%.80s", used ? ", " : "",
				       json_object_get_string(subject)); /* cut is fine: for people */
	}
}

static void variable_summary(const struct replay_event *ev, char ret[static EXPLAIN_MAX_TEXT])
{
	struct event_budget budget = EVENT_BUDGET_INIT;
	json_object *o = event_decode(ev->type, ev->data, &budget), *lists = NULL, *value = NULL;
	char subjects[EXPLAIN_MAX_TEXT] = "";
	unsigned certs = 0, hashes = 0;

	if (o && json_object_object_get_ex(o, "lists", &lists)) {
		for (size_t i = 0; i < json_object_array_length(lists); i++)
			if (json_object_object_get_ex(json_object_array_get_idx(lists, i), "signatures", &value))
				count_signatures(value, &certs, &hashes, subjects);
		say(ret, "%u certificates%s%.280s%s, %u hashes", certs, *subjects ? " (" : "", subjects, *subjects ? ")" : "",
		    hashes);
	} else if (o && json_object_object_get_ex(o, "subject", &value)) {
		say(ret, "the certificate %.200s", json_object_get_string(value));
	} else if (o && json_object_object_get_ex(o, "value", &value)) {
		say(ret, "%.200s", json_object_get_string(value));
	} else {
		say(ret, "%zu bytes", ev->data.n);
	}
	(void)json_object_put(o); /* accepts NULL */
}

static void variable_words(const struct replay_event *ev, const char *name, struct explain_finding *f)
{
	static const char *const off = "115aa827dbccfb44d216ad9ecfda56bdea620b860a94bed5b7a27bba1c4d02d8";
	uint8_t h[HASH_SHA256_BYTES], want[HASH_SHA256_BYTES];
	struct event_variable v;
	char found[UEFI_TEXT_MAX_BYTES], summary[EXPLAIN_MAX_TEXT];

	if (!strcmp(name, "SecureBoot") && hex_decode(off, want, sizeof(want)) &&
	    hash_equal(want, sizeof(want), ev->digest, sizeof(want))) {
		say(f->fact, "Secure Boot is off");
		return;
	}
	hash_sha256(ev->data.p, ev->data.n, h);
	if (!ev->data.n || !event_variable_parse(ev->data, &v) || !hash_equal(h, sizeof(h), ev->digest, sizeof(h))) {
		say(f->fact, "the firmware variable %.60s holds something else", name);
		say(f->guess, "keys were enrolled or removed in the firmware's setup");
		return;
	}
	uefi_text_utf16(v.name, found);
	if (strcmp(found, name)) {
		say(f->fact, "the firmware variable %.60s stands where %.60s is expected", found, name);
		return;
	}
	variable_summary(ev, summary);
	if (ev->type == TCG_EV_EFI_VARIABLE_AUTHORITY)
		say(f->fact, "the image was allowed by something else in %.60s: %.340s", name, summary);
	else
		say(f->fact, "the firmware variable %.60s holds something else: %.340s", name, summary);
}

/* Records of PID 1: their text is what was hashed (replay_os() saw to it). */
static void record_words(const struct explain_input *in, const struct replay_event *ev, struct explain_finding *f)
{
	char text[EXPLAIN_MAX_TEXT];
	const char *version;

	uefi_text_ascii(ev->data, text);
	if (begins(text, "violation:")) {
		unsigned code = (unsigned)strtoul(text + strlen("violation:"), NULL, 10);

		say(f->fact, "the gate refused a container: E%u, %s", code, code_info(code)->text);
		if (strcmp(code_info(code)->cause, "see the sentence")) /* the table's word for no cause of its own */
			say(f->guess, "%s", code_info(code)->cause);
	} else if (begins(text, "container:") && look_up(in, f->pcr, ev->digest).rv == in->rv) {
		say(f->fact, "a container was admitted before the launch chain was closed: %.300s", text);
	} else if (begins(text, "container:")) {
		say(f->fact, "a container was admitted that these reference values do not list: %.300s", text);
		say(f->guess, "the host runs by another layer policy than these values were made for");
	} else if (begins(text, "layer-policy:")) {
		version = strstr(text, ":version:");
		say(f->fact, "the layer policy is another: version %.20s%s", version ? version + 9 : "unknown",
		    in->rv->layer_policy_version ? "" : " was found");
		if (in->rv->layer_policy_version)
			say(f->fact, "the layer policy is version %.20s; version %llu is wanted",
			    version ? version + 9 : "unknown", (unsigned long long)in->rv->layer_policy_version);
	} else if (!strcmp(text, "shutdown")) {
		say(f->fact, "the host is shutting down");
	} else if (begins(text, "root-hash:")) {
		say(f->fact, "another root file system was opened: %.100s", text + strlen("root-hash:"));
	} else if (*f->artefact) {
		say(f->fact, "the record of %.60s is another: \"%.300s\"", f->artefact, text);
	} else {
		say(f->fact, "found the record \"%.300s\"", text);
	}
}

/* PCR 0, 1 and 5: firmware, machine, disk. Their events say little of themselves; which of them differs says where to look. */
static void machine_words(const struct explain_input *in, const struct replay_event *ev, const char *artefact,
			  struct explain_finding *f)
{
	struct known k = look_up(in, f->pcr, ev->digest);

	if (k.rv && k.rv != in->rv)
		say(f->fact, "the %.80s is that of %.40s version %llu; version %llu of %.40s is wanted", artefact, k.rv->name,
		    (unsigned long long)k.rv->version, (unsigned long long)in->rv->version, in->rv->name);
	else
		say(f->fact, "the %.80s is another than the expected one", artefact);
	if (has(artefact, "PEI volume"))
		say(f->guess, "the firmware was replaced, or the machine has other memory or another processor than was described");
	else if (f->pcr == 0)
		say(f->guess, "the firmware was replaced or updated");
	else if (has(artefact, "ACPI"))
		say(f->guess, "the machine has other memory, processors or devices than was described, or another version of QEMU");
	else if (f->pcr == 1)
		say(f->guess, "the firmware's boot options were changed, or the disk stands at another place");
	else
		say(f->guess, "the disk was partitioned anew, or is that of another image");
}

/* The label without the event's type: "EV_EVENT_TAG: kernel command line" is about the kernel command line. */
static const char *artefact_of(const char *what)
{
	const char *colon = begins(what, "EV_") ? strstr(what, ": ") : NULL;

	return colon ? colon + 2 : what;
}

static void replaced_words(const struct explain_input *in, const struct explain_diff *d, const char *artefact,
			   struct explain_finding *f)
{
	char what[200];

	if (has(d->want->what, "EV_SEPARATOR") || !strcmp(artefact, "separator"))
		say(f->fact, "a separator is expected here, and something else was measured");
	else if (has(artefact, "command line") || !strcmp(artefact, ".cmdline"))
		command_line_words(in, d->found, f);
	else if (f->pcr == 0 || f->pcr == 1 || f->pcr == 5)
		machine_words(in, d->found, artefact, f);
	else if (has(artefact, "UKI"))
		image_words(in, d->found, "the UKI", f);
	else if (has(d->want->what, "VARIABLE") || !strcmp(artefact, "SecureBoot") || !strcmp(artefact, "db"))
		variable_words(d->found, artefact, f);
	else if (d->found->source == REPLAY_OS)
		record_words(in, d->found, f);
	else {
		(void)snprintf(what, sizeof(what), "%s%.80s", *artefact == '.' ? "the UKI's section " : "the ", artefact);
		image_words(in, d->found, what, f);
	}
}

static void missing_words(const struct explain_diff *d, const char *artefact, struct explain_finding *f)
{
	if (begins(artefact, "layer-policy"))
		say(f->fact, "one layer policy event is missing");
	else
		say(f->fact, "the event of %.100s is missing", artefact);
	if (begins(d->want->what, "layer-policy") || begins(d->want->what, "engine") || begins(d->want->what, "ipe-policy"))
		say(f->guess, "the boot did not come that far");
}

static void extra_words(const struct explain_input *in, const struct replay_event *ev, struct explain_finding *f)
{
	struct known k = look_up(in, f->pcr, ev->digest);
	char text[EXPLAIN_MAX_TEXT], line[EXPLAIN_MAX_TEXT];

	explain_event_text(ev, text);
	if (ev->source == REPLAY_OS && ev->pcr != PCR_COMMAND_LINE_GIVEN) {
		record_words(in, ev, f);
	} else if (f->pcr == PCR_COMMAND_LINE_GIVEN && *text && in->rv->command_line) {
		explain_texts_differ("the command line", in->rv->command_line, text, line);
		say(f->fact, "a command line was given from outside the UKI; %.400s", line);
	} else if (k.rv) {
		say(f->fact, "one event too many: another %.100s", k.what);
	} else if (*text) {
		say(f->fact, "one event too many: \"%.300s\"", text);
	} else {
		say(f->fact, "one event too many, which no reference values know");
	}
}

static void digest_words(const uint8_t *digest, const char *what, char ret[static EXPLAIN_MAX_TEXT])
{
	char hex[2 * HASH_SHA256_BYTES + 1];

	hex_encode(digest, HASH_SHA256_BYTES, hex);
	say(ret, "%s%s%.200s%s", hex, what && *what ? " (" : "", what ? what : "", what && *what ? ")" : "");
}

void explain_words(const struct explain_input *in, const struct explain_diff *d, struct explain_finding *f)
{
	const char *artefact = d->want && d->want->what ? artefact_of(d->want->what) : "";
	struct known k = {NULL, NULL};
	const char *type = NULL;

	if (d->found) {
		type = d->found->source == REPLAY_FIRMWARE ? tcg_event_type_str(d->found->type) : NULL;
		k = look_up(in, f->pcr, d->found->digest);
		digest_words(d->found->digest, k.what && *k.what ? k.what : type, f->found);
	}
	if (d->want) {
		digest_words(d->want->digest, d->want->what, f->expected);
		(void)snprintf(f->artefact, sizeof(f->artefact), "%.150s", artefact); /* cut is fine: a label */
	} else {
		(void)snprintf(f->artefact, sizeof(f->artefact), "%.150s", k.what ? artefact_of(k.what) : type ? type : "");
	}
	if (d->want && d->found)
		replaced_words(in, d, artefact, f);
	else if (d->want)
		missing_words(d, artefact, f);
	else if (d->found)
		extra_words(in, d->found, f);
}
