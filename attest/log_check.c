/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/log_check.c - what must be true of every firmware log, whatever machine wrote it */
#include "attest/log_check.h"

#include "attest/event_decode.h"
#include "common/hex.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Data whose digest has a meaning under any type: three separators (PFP 10.4.1), then five actions (10.4.4). */
enum { SEPARATOR_ZERO, SEPARATOR_ONES, SEPARATOR_ERROR, ACTION_FIRST, ACTION_BOOTED = 6 };
static const struct bytes known_data[] = {
	{(const uint8_t *)"\0\0\0", 4},
	{(const uint8_t *)"\xff\xff\xff\xff", 4},
	{(const uint8_t *)"\1\0\0", 4},
	{(const uint8_t *)"Calling EFI Application from Boot Option", 40},
	{(const uint8_t *)"Returning from EFI Application from Boot Option", 47},
	{(const uint8_t *)"Exit Boot Services Invocation", 29},
	{(const uint8_t *)"Exit Boot Services Returned with Success", 40},
	{(const uint8_t *)"Exit Boot Services Returned with Failure", 40},
};
_Static_assert(ARRAY_SIZE(known_data) == LOG_CHECK_KNOWN, "one digest each");

static void say(struct appraisal_lines *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct appraisal_lines *l, const char *fmt, ...)
{
	va_list ap;

	if (l->n == APPRAISAL_MAX_LINES) {
		l->dropped++;
		return;
	}
	va_start(ap, fmt);
	(void)vsnprintf(l->line[l->n++], APPRAISAL_MAX_LINE_BYTES, fmt, ap); /* cut is fine: for people */
	va_end(ap);
}

static bool is_tcg(const struct event_log *log)
{
	return log->format == EVENT_LOG_SHA1 || log->format == EVENT_LOG_AGILE;
}

static void make_ready(struct log_check *c, const struct event_log *log)
{
	for (size_t k = 0; k < LOG_CHECK_KNOWN; k++)
		for (size_t i = 0; i < log->n_banks; i++)
			(void)hash_once(log->bank[i].alg, known_data[k].p, known_data[k].n, c->known[k][i]); /* SM3 stays 0 */
	c->ready = true;
}

/* In how many of the banks that we can compute is the digest H(@data)? @ret_of: of how many. */
static size_t banks_that_match(const struct event_log *log, const struct event_log_event *ev, struct bytes data,
			       size_t *ret_of)
{
	uint8_t h[HASH_MAX_BYTES];
	size_t n = 0;

	*ret_of = 0;
	for (size_t i = 0; i < log->n_banks; i++) {
		if (!hash_once(log->bank[i].alg, data.p, data.n, h))
			continue;
		++*ret_of;
		n += hash_equal(h, log->bank[i].bytes, ev->digest[i], log->bank[i].bytes);
	}
	return n;
}

/* In how many banks is the digest that of known_data[@which]? */
static size_t banks_of_known(const struct log_check *c, const struct event_log *log, const struct event_log_event *ev,
			     size_t which)
{
	size_t n = 0;

	for (size_t i = 0; i < log->n_banks; i++)
		n += log->can_replay[i] && hash_equal(c->known[which][i], log->bank[i].bytes, ev->digest[i],
						      log->bank[i].bytes);
	return n;
}

/* --- separators ----------------------------------------------------------------------------------------------------
 */

/* A boot order of two entries can be the bytes of an error separator: attest/rules.c has the story. */
static bool is_boot_order(const struct event_log_event *ev)
{
	return ev->pcr == 1 && (ev->type == TCG_EV_EFI_VARIABLE_BOOT || ev->type == TCG_EV_EFI_VARIABLE_BOOT2);
}

/* Seen on a sound machine (Lenovo, FIT type 0x2d): content of the CRTM that is 00000000. It cannot replace the separator. */
static bool is_empty_crtm_part(const struct event_log_event *ev)
{
	return ev->pcr == 0 && ev->type == TCG_EV_S_CRTM_CONTENTS;
}

static void watch_separator(struct log_check *c, const struct event_log *log, const struct event_log_event *ev)
{
	size_t all = 0, zero = banks_of_known(c, log, ev, SEPARATOR_ZERO);
	bool odd = banks_of_known(c, log, ev, SEPARATOR_ONES) > 0 ||
		   (banks_of_known(c, log, ev, SEPARATOR_ERROR) > 0 && !is_boot_order(ev));

	for (size_t i = 0; i < log->n_banks; i++)
		all += log->can_replay[i];
	if (ev->type != TCG_EV_SEPARATOR && !zero && !odd)
		return;
	if (is_empty_crtm_part(ev) && !c->pcr[0].separators) {
		say(&c->notes, "event %zu, PCR 0: a part of the CRTM that is four zero bytes, as a separator is", ev->index);
		return;
	}
	if (zero == all && ev->type == TCG_EV_SEPARATOR && ev->data.n == 4 && hash_is_zero(ev->data.p, 4))
		c->pcr[ev->pcr].separators++;
	else if (ev->type != TCG_EV_SEPARATOR)
		say(&c->bad, "event %zu, PCR %u: has the digest of a separator and the type %s: it was retyped (PFP 10.4.1)",
		    ev->index, (unsigned)ev->pcr, ev->label);
	else
		say(&c->bad,
		    "event %zu, PCR %u: a separator that is not 00000000 in digest and data: the firmware reports an "
		    "error, or the log was edited (PFP 10.4.1)",
		    ev->index, (unsigned)ev->pcr);
}

/* --- data against digest -------------------------------------------------------------------------------------------
 */

/*
 * Types whose digest is H(data) by PFP 10.4, and is so in every log of a real machine that we have seen. Firmware
 * images, applications, tables and tags log a description of what was hashed, EV_IPL and EV_COMPACT_HASH anything.
 */
static bool data_is_hashed(uint32_t type)
{
	switch (type) {
	case TCG_EV_ACTION:
	case TCG_EV_EFI_ACTION:
	case TCG_EV_EFI_VARIABLE_DRIVER_CONFIG:
	case TCG_EV_EFI_VARIABLE_BOOT:
	case TCG_EV_EFI_VARIABLE_BOOT2:
	case TCG_EV_EFI_VARIABLE_AUTHORITY:
	case TCG_EV_EFI_GPT_EVENT:
	case TCG_EV_EFI_GPT_EVENT2:
		return true;
	default:
		return false;
	}
}

/* EV_EFI_VARIABLE_BOOT hashes the whole structure by 1.22 of the EFI specification, the bare value by later firmware. */
static bool value_alone_may_be_hashed(uint32_t type)
{
	return type == TCG_EV_EFI_VARIABLE_BOOT || type == TCG_EV_EFI_VARIABLE_BOOT2;
}

static void watch_data(struct log_check *c, const struct event_log *log, const struct event_log_event *ev)
{
	struct event_variable v;
	size_t of;

	if (!data_is_hashed(ev->type) || banks_that_match(log, ev, ev->data, &of) == of)
		return;
	if (value_alone_may_be_hashed(ev->type) && event_variable_parse(ev->data, &v) &&
	    banks_that_match(log, ev, v.data, &of) == of)
		return;
	if (ev->type == TCG_EV_EFI_VARIABLE_AUTHORITY && !event_variable_parse(ev->data, &v)) { /* old shims */
		say(&c->notes, "event %zu, PCR %u: an authority whose data is no variable: it tells nothing", ev->index,
		    (unsigned)ev->pcr);
		return;
	}
	say(&c->bad, "event %zu, PCR %u: its digest is not that of its data, as it is for %s: the data was edited (PFP 10.4)",
	    ev->index, (unsigned)ev->pcr, ev->label);
}

/*
 * What a digest itself says that it is, under a type that says otherwise: an action of PFP 10.4.4 that is no action, a
 * variable in PCR 7 that is no variable. A rule that goes by type would pass over it.
 */
static void watch_type(struct log_check *c, const struct event_log *log, const struct event_log_event *ev)
{
	struct event_variable v;
	size_t of;
	bool is_var = ev->type == TCG_EV_EFI_VARIABLE_DRIVER_CONFIG || ev->type == TCG_EV_EFI_VARIABLE_AUTHORITY ||
		      ev->type == TCG_EV_EFI_VARIABLE_BOOT || ev->type == TCG_EV_EFI_VARIABLE_BOOT2;

	for (size_t i = ACTION_FIRST; ev->type != TCG_EV_EFI_ACTION && i < LOG_CHECK_KNOWN; i++)
		if (banks_of_known(c, log, ev, i))
			say(&c->bad, "event %zu, PCR %u: has the digest of the action \"%s\" and the type %s: it was retyped",
			    ev->index, (unsigned)ev->pcr, (const char *)known_data[i].p, ev->label);
	if (ev->pcr == 7 && !is_var && event_variable_parse(ev->data, &v) &&
	    banks_that_match(log, ev, ev->data, &of) == of)
		say(&c->bad, "event %zu, PCR 7: is a variable by data and digest and has the type %s: it was retyped",
		    ev->index, ev->label);
}

/* --- the walk ------------------------------------------------------------------------------------------------------
 */

static void watch_end(struct log_check *c, const struct event_log *log, const struct event_log_event *ev)
{
	if (c->booted && !(ev->pcr == 5 && ev->type == TCG_EV_EFI_ACTION))
		say(&c->bad, "event %zu, PCR %u: %s was appended after ExitBootServices had returned, which closes PCR 0-7",
		    ev->index, (unsigned)ev->pcr, ev->label);
	if (ev->pcr == 5 && banks_of_known(c, log, ev, ACTION_BOOTED))
		c->booted = true;
}

/* One for PCR 0xffffffff cannot pass for a measurement, and Windows ends its logs with such a one. */
static void watch_no_action(struct log_check *c, const struct event_log *log, const struct event_log_event *ev)
{
	if (ev->header)
		return;
	for (size_t i = 0; i < log->n_banks; i++)
		if (!hash_is_zero(ev->digest[i], log->bank[i].bytes)) {
			say(ev->pcr >= REPLAY_PCRS ? &c->notes : &c->bad, "event %zu: EV_NO_ACTION with a digest, which no measurement has (PFP 10.4.5)",
			    ev->index);
			return;
		}
}

/* systemd gives the measured words of a phase and of the machine id as content.string; of other events it describes. */
static void watch_systemd(struct log_check *c, const struct event_log *log, const struct event_log_event *ev)
{
	json_object *type = NULL, *text = NULL;
	const char *kind, *word;
	size_t of;

	if (!ev->content || !json_object_is_type(ev->content, json_type_object))
		return;
	(void)json_object_object_get_ex(ev->content, "eventType", &type); /* absent: stays NULL */
	(void)json_object_object_get_ex(ev->content, "string", &text);
	kind = type ? json_str(type) : NULL;
	word = text ? json_str(text) : NULL;
	if (!kind || !word || (strcmp(kind, "phase") && strcmp(kind, "machine-id")))
		return;
	if (banks_that_match(log, ev, (struct bytes){(const uint8_t *)word, strlen(word)}, &of) != of)
		say(&c->bad, "record %zu, PCR %u: its digest is not that of the %s that it names", ev->index,
		    (unsigned)ev->pcr, kind);
}

void log_check_event(struct log_check *c, const struct event_log *log, const struct event_log_event *ev)
{
	if (ev->no_action) {
		if (is_tcg(log))
			watch_no_action(c, log, ev);
		return;
	}
	c->pcr[ev->pcr].events++;
	if (!is_tcg(log)) {
		watch_systemd(c, log, ev);
		return;
	}
	if (!c->ready)
		make_ready(c, log);
	if (ev->pcr < LOG_CHECK_FIRMWARE_PCRS) {
		watch_separator(c, log, ev);
		watch_type(c, log, ev);
		watch_end(c, log, ev);
	}
	watch_data(c, log, ev);
}

void log_check_end(struct log_check *c, const struct event_log *log)
{
	if (!is_tcg(log))
		return;
	for (unsigned i = 0; i < LOG_CHECK_FIRMWARE_PCRS; i++)
		if (c->pcr[i].separators != 1)
			say(&c->bad, "PCR %u: has %zu separators of 00000000, wanted exactly one (PFP 10.4.1)", i,
			    c->pcr[i].separators);
	if (!c->booted)
		say(&c->notes, "the log does not say that ExitBootServices returned: events after it cannot be told");
}

/* --- against a TPM's values ----------------------------------------------------------------------------------------
 */

/* TPM 2.0 part 1, 17: zero; the dynamic ones all ones until a dynamic launch. */
static bool is_reset(uint32_t pcr, const uint8_t *value, size_t n)
{
	static const uint8_t ones[HASH_MAX_BYTES] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	return hash_is_zero(value, n) || (pcr >= 17 && pcr <= 22 && !memcmp(value, ones, n));
}

static void check_value(struct log_check *c, const struct event_log *log, const struct pcr_value *v)
{
	int bank = event_log_bank(log, v->alg);
	char found[2 * HASH_MAX_BYTES + 1], replayed[2 * HASH_MAX_BYTES + 1];
	size_t n = hash_bytes(v->alg);

	if (bank < 0 || !log->can_replay[bank]) {
		say(&c->bad, "%s:%u: %s", hash_name(v->alg), (unsigned)v->pcr,
		    bank < 0 ? "the log has no such bank: it says nothing of this value (CVE-2021-42299)"
			     : "a bank that cannot be computed here");
		return;
	}
	hex_encode(v->digest, n, found);
	if (!c->pcr[v->pcr].events) {
		if (is_tcg(log) && v->pcr < LOG_CHECK_FIRMWARE_PCRS)
			say(&c->bad, "%s:%u: the log has no event of it, and firmware always has", hash_name(v->alg),
			    (unsigned)v->pcr);
		else if (!is_reset(v->pcr, v->digest, n))
			say(&c->bad, "%s:%u: is %s, and the log has no event of it: wanted its reset value",
			    hash_name(v->alg), (unsigned)v->pcr, found);
		return;
	}
	if (hash_equal(log->replay[bank].pcr[v->pcr], n, v->digest, n))
		return;
	hex_encode(log->replay[bank].pcr[v->pcr], n, replayed);
	say(&c->bad, "%s:%u: is %s, the log replays to %s", hash_name(v->alg), (unsigned)v->pcr, found, replayed);
}

void log_check_pcrs(struct log_check *c, const struct event_log *log, const struct pcr_values *v, enum hash_alg only)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++) {
		if (only != HASH_NONE && v->v[i].alg != only)
			continue;
		check_value(c, log, &v->v[i]);
		n++;
	}
	if (!n)
		say(&c->bad, "no value of bank %s was given to compare with", hash_name(only));
	for (size_t i = 0; i < v->n; i++)
		if (v->v[i].alg != HASH_SHA1)
			return;
	if (event_log_strongest(log) >= 0 && log->bank[event_log_strongest(log)].alg != HASH_SHA1)
		say(&c->notes, "only values of bank sha1 were given, and the log has a stronger one");
}
