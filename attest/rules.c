/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/rules.c - follow each PCR's rule while its log is replayed */
#include "attest/rules.h"

#include "attest/ima_log.h"
#include "attest/tcg_log.h"
#include "common/hex.h"
#include "common/measure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	FIRMWARE_PCRS = 8, /* PCR 0-7 get a separator */
	SECURE_BOOT_PCR = 7,
	MAX_LABEL = 80,
};

int rules_init(struct rules *r, const struct refvalues *rv, struct err *e)
{
	static const uint8_t data[RULES_SEPARATORS][4] = { { 0 }, { 0xff, 0xff, 0xff, 0xff }, { 1 } };

	r->rv = rv;
	r->no_firmware_log = false;
	r->held = 0;
	r->layer_policy[0] = '\0';
	r->n_files = r->n_tables = 0;
	for (size_t i = 0; i < REPLAY_QUOTED_PCRS; i++) {
		struct rules_pcr *p = &r->pcr[i];

		p->matched = p->separators = p->events = 0;
		p->then_seen = NULL; /* rules_free() may come before all are made */
		p->difference[0] = p->separator_difference[0] = '\0';
	}
	for (size_t i = 0; i < RULES_SEPARATORS; i++)
		hash_sha256(data[i], sizeof(data[i]), r->separator[i]);
	for (size_t i = 0; i < REPLAY_QUOTED_PCRS; i++) {
		r->pcr[i].then_seen = calloc(r->rv->rule[i].then.n + 1, sizeof(bool));
		if (!r->pcr[i].then_seen)
			return err_set(e, ENOMEM, "no memory to follow the reference values");
	}
	return 0;
}

void rules_free(struct rules *r)
{
	for (size_t i = 0; i < REPLAY_QUOTED_PCRS; i++) {
		free(r->pcr[i].then_seen);
		r->pcr[i].then_seen = NULL;
	}
}

/* Keep the first difference only. */
static void differ(char line[static APPRAISAL_MAX_LINE_BYTES], const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void differ(char line[static APPRAISAL_MAX_LINE_BYTES], const char *fmt, ...)
{
	va_list ap;

	if (*line)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, APPRAISAL_MAX_LINE_BYTES, fmt, ap); /* cut is fine: for people */
	va_end(ap);
}

/* What an event says of itself, made fit for a terminal. */
static void label_of(const struct replay_event *ev, char ret[static MAX_LABEL])
{
	const char *type = ev->source == REPLAY_FIRMWARE ? tcg_event_type_str(ev->type) : NULL;
	size_t n = 0;

	if (type) {
		(void)snprintf(ret, MAX_LABEL, "%s", type); /* all are short */
		return;
	}
	if (ev->source == REPLAY_FIRMWARE) {
		(void)snprintf(ret, MAX_LABEL, "type 0x%x", (unsigned)ev->type); /* is short */
		return;
	}
	for (; n < ev->name.n && n + 1 < MAX_LABEL; n++)
		ret[n] = ev->name.p[n] >= ' ' && ev->name.p[n] <= '~' ? (char)ev->name.p[n] : '?';
	ret[n] = '\0';
}

/* "PCR 4: firmware log event 17: found <digest> (<label>), <wanted>" */
static void differ_event(struct rules_pcr *p, const struct replay_event *ev, const struct refvalues_digest *wanted,
			 const char *else_wanted)
{
	char found[2 * HASH_SHA256_BYTES + 1], expected[2 * HASH_SHA256_BYTES + 1], label[MAX_LABEL];

	hex_encode(ev->digest, HASH_SHA256_BYTES, found);
	label_of(ev, label);
	if (!wanted) {
		differ(p->difference, "PCR %u: %s event %zu: found %s (%s), expected %s", (unsigned)ev->pcr,
		       replay_source_str(ev->source), ev->index, found, label, else_wanted);
		return;
	}
	hex_encode(wanted->digest, HASH_SHA256_BYTES, expected);
	differ(p->difference, "PCR %u: %s event %zu: found %s (%s), expected %s (%s)", (unsigned)ev->pcr,
	       replay_source_str(ev->source), ev->index, found, label, expected, wanted->what);
}

/* Digests in a log are no secret: most differ in their first byte already. */
static bool is_known(const uint8_t known[static HASH_SHA256_BYTES], const uint8_t *digest)
{
	return known[0] == digest[0] && hash_equal(known, HASH_SHA256_BYTES, digest, HASH_SHA256_BYTES);
}

/*
 * EV_EFI_VARIABLE_BOOT measures a variable's bare content, and a boot order of 0001, 0000 is the same four bytes as an
 * error separator: 01 00 00 00. Seen with OVMF and a bootindex. In PCR 1, under that type, it is a boot order; an error
 * separator told as one would still leave PCR 1 without its 00000000.
 */
static bool is_boot_order(const struct replay_event *ev)
{
	return ev->pcr == 1 && (ev->type == TCG_EV_EFI_VARIABLE_BOOT || ev->type == TCG_EV_EFI_VARIABLE_BOOT2);
}

static void watch_separator(const struct rules *r, struct rules_pcr *p, const struct replay_event *ev)
{
	bool zero = is_known(r->separator[0], ev->digest);
	bool other = is_known(r->separator[1], ev->digest) || (is_known(r->separator[2], ev->digest) && !is_boot_order(ev));

	if (ev->type != TCG_EV_SEPARATOR && !zero && !other)
		return;
	if (zero && ev->type == TCG_EV_SEPARATOR && ev->data.n == 4 && hash_is_zero(ev->data.p, 4))
		p->separators++;
	else
		differ(p->separator_difference,
		       "PCR %u: firmware log event %zu is a separator that is not 00000000 in digest, type and data: "
		       "the firmware "
		       "reports an error, or the log was edited (PFP 10.4.1)",
		       (unsigned)ev->pcr, ev->index);
}

static void keep_layer_policy(struct rules *r, const struct replay_event *ev)
{
	static const char word[] = "layer-policy:";

	if (ev->source != REPLAY_OS || ev->pcr != MEASURE_PCR_LAUNCH || ev->data.n < strlen(word) ||
	    ev->data.n >= sizeof(r->layer_policy) || memcmp(ev->data.p, word, strlen(word)))
		return;
	/* The digest is H(data) (common/cel.h) and is the one the reference values name: so is this text. */
	memcpy(r->layer_policy, ev->data.p, ev->data.n);
	r->layer_policy[ev->data.n] = '\0';
}

/* "state-volume:<UUID>" of the OS log; its digest is H(data) (common/cel.h), so a text that is so was what PID 1 extended. */
static bool keep_state_volume(struct rules *r, const struct replay_event *ev)
{
	char uuid[MEASURE_UUID_BYTES] = "";
	struct measure_event wanted;
	size_t n = sizeof(uuid) - 1;

	if (ev->source != REPLAY_OS || ev->data.n <= n)
		return false;
	memcpy(uuid, ev->data.p + ev->data.n - n, n);
	wanted = measure_state_volume(uuid);
	if (!wanted.data_bytes || ev->pcr != wanted.pcr || ev->data.n != wanted.data_bytes || memcmp(ev->data.p, wanted.data, ev->data.n))
		return false;
	memcpy(r->state_volume, uuid, sizeof(uuid));
	return true;
}

static void step_sequence(struct rules *r, struct rules_pcr *p, const struct refvalues_rule *rule,
			  const struct replay_event *ev)
{
	const struct refvalues_digest *d;

	if (p->matched < rule->list.n) {
		d = &rule->list.item[p->matched];
		if (!hash_equal(d->digest, HASH_SHA256_BYTES, ev->digest, HASH_SHA256_BYTES)) {
			differ_event(p, ev, d, NULL);
			return;
		}
		p->matched++;
		keep_layer_policy(r, ev);
		return;
	}
	d = refvalues_find(&rule->then, ev->digest);
	if (rule->state_volume && !*r->state_volume && keep_state_volume(r, ev))
		return;
	if (d)
		p->then_seen[d - rule->then.item] = true;
	else
		differ_event(p, ev, NULL,
			     rule->then.n ? "none but the listed events after its sequence"
					  : "no event after its sequence");
}

/*
 * PCRs that PID 1 alone extends. Its records replay to the same value when they are told as the firmware's, but then
 * their text is bound by no digest, and what becomes a fact would be missing.
 */
static bool is_pid1s(uint32_t pcr)
{
	return pcr == MEASURE_PCR_LAUNCH || pcr == MEASURE_PCR_IDENTITY;
}

static void step(struct rules *r, const struct replay_event *ev)
{
	const struct refvalues_rule *rule;
	struct rules_pcr *p;

	if (ev->pcr >= REPLAY_QUOTED_PCRS)
		return; /* not quoted: proven by nothing, judged by nobody */
	rule = &r->rv->rule[ev->pcr];
	p = &r->pcr[ev->pcr];
	p->events++;
	if (ev->source == REPLAY_FIRMWARE && ev->pcr < FIRMWARE_PCRS && !refvalues_is_direct(r->rv))
		watch_separator(r, p, ev);
	if (*p->difference)
		return;
	if (ev->source != REPLAY_OS && is_pid1s(ev->pcr)) {
		differ_event(p, ev, NULL, "records of the OS event log only");
		return;
	}
	switch (rule->kind) {
	case REFVALUES_UNJUDGED:
		break;
	case REFVALUES_ZERO:
		differ_event(p, ev, NULL, "no event: it must be at its reset value");
		break;
	case REFVALUES_SEQUENCE:
		step_sequence(r, p, rule, ev);
		break;
	case REFVALUES_IMA:
		differ_event(p, ev, NULL, "events of the IMA log only");
		break;
	case REFVALUES_UNSET:
		differ(p->difference, "PCR %u: has no rule", (unsigned)ev->pcr);
		break;
	}
}

int rules_step(void *rules, const struct replay_event *ev, struct err *e)
{
	(void)e; /* a difference is no error of the walk */
	step(rules, ev);
	return 0;
}

/* --- PCR 10 --------------------------------------------------------------------------------------------------------
 */

static void judge_boot_aggregate(struct rules_pcr *p, const struct ima_entry *en, const struct replay *replay)
{
	static const char name[] = "boot_aggregate";
	char found[2 * HASH_MAX_BYTES + 1], wanted[2 * HASH_SHA256_BYTES + 1];
	uint8_t aggregate[HASH_SHA256_BYTES];

	ima_boot_aggregate(replay, aggregate);
	if (en->template != IMA_TEMPLATE_BUF && en->name.n == strlen(name) && !memcmp(en->name.p, name, en->name.n) &&
	    en->file_alg == HASH_SHA256 && hash_equal(en->file.p, en->file.n, aggregate, sizeof(aggregate)))
		return;
	hex_encode(en->file.p, en->file.n, found);
	hex_encode(aggregate, sizeof(aggregate), wanted);
	differ(p->difference,
	       "PCR 10: IMA log entry 0: found %s:%s, expected boot_aggregate with sha256:%s, which is PCR 0-9 by "
	       "replay",
	       hash_name(en->file_alg), found, wanted);
}

static bool table_is_known(const struct rules *r, const uint8_t hash[static HASH_SHA256_BYTES])
{
	for (size_t i = 0; i < r->n_tables; i++)
		if (hash_equal(r->table[i], HASH_SHA256_BYTES, hash, HASH_SHA256_BYTES))
			return true;
	return false;
}

/* Device-mapper's entries: a listed table, the resumption of one, or something that went away. */
static void judge_dm(struct rules *r, struct rules_pcr *p, const struct ima_entry *en, const struct ima_dm_event *dm)
{
	char hex[2 * HASH_SHA256_BYTES + 1];

	if (dm->kind == IMA_DM_STATE && (!r->rv->rule[MEASURE_PCR_IDENTITY].state_volume || r->n_state_tables++)) {
		differ(p->difference, "PCR 10: IMA log entry %zu: a table of the state volume, and %s", en->index,
		       r->n_state_tables ? "not the first" : "the reference values want none");
	} else if (dm->kind == IMA_DM_TABLE_LOAD && !refvalues_find(&r->rv->rule[IMA_LOG_PCR].then, dm->root_digest)) {
		hex_encode(dm->root_digest, HASH_SHA256_BYTES, hex);
		differ(p->difference,
		       "PCR 10: IMA log entry %zu: a dm-verity table with root digest %s, which is not listed",
		       en->index, hex);
	} else if (dm->kind != IMA_DM_RESUME && dm->kind != IMA_DM_GONE && r->n_tables == RULES_MAX_TABLES) {
		differ(p->difference, "PCR 10: IMA log entry %zu: more than %d dm-verity tables", en->index,
		       RULES_MAX_TABLES);
	} else if (dm->kind == IMA_DM_TABLE_LOAD || dm->kind == IMA_DM_STATE) {
		memcpy(r->table[r->n_tables++], dm->table_hash, HASH_SHA256_BYTES);
	} else if (dm->kind == IMA_DM_RESUME && !table_is_known(r, dm->table_hash)) {
		hex_encode(dm->table_hash, HASH_SHA256_BYTES, hex);
		differ(p->difference,
		       "PCR 10: IMA log entry %zu: a device with table %s was resumed, which was not seen being loaded",
		       en->index, hex);
	}
}

static void judge_file(struct rules *r, struct rules_pcr *p, const struct ima_entry *en)
{
	const struct replay_event as_event = { .source = REPLAY_IMA, .name = en->name };
	char hex[2 * HASH_MAX_BYTES + 1], label[MAX_LABEL];

	if (en->template != IMA_TEMPLATE_BUF && en->file_alg == HASH_SHA256 &&
	    refvalues_find(&r->rv->rule[IMA_LOG_PCR].list, en->file.p)) {
		r->n_files++;
		return;
	}
	hex_encode(en->file.p, en->file.n, hex);
	label_of(&as_event, label);
	differ(p->difference, "PCR 10: IMA log entry %zu: found %s:%s (%s), expected a listed file or dm-verity table",
	       en->index, hash_name(en->file_alg), hex, label);
}

static void judge_ima(struct rules *r, const struct ima_entry *en, const struct replay *replay)
{
	struct rules_pcr *p = &r->pcr[IMA_LOG_PCR];
	struct ima_dm_event dm;
	struct err why = ERR_INIT;

	p->events++;
	if (*p->difference)
		return;
	if (en->violation)
		differ(p->difference,
		       "PCR 10: IMA log entry %zu is a violation: a file was changed while it was measured", en->index);
	else if (en->index == 0)
		judge_boot_aggregate(p, en, replay);
	else if (ima_dm_parse(en, &dm, &why))
		differ(p->difference, "PCR 10: %s", why.msg);
	else if (dm.kind != IMA_DM_NOT)
		judge_dm(r, p, en, &dm);
	else
		judge_file(r, p, en);
}

int rules_ima(struct rules *r, struct replay *replay, struct bytes log, struct err *e)
{
	struct reader rd = reader_init(log.p, log.n);
	struct ima_entry en;
	size_t n = 0;
	int rc;

	while ((rc = ima_log_next(&rd, n, &en, e)) == 1) {
		const struct replay_event ev = { REPLAY_IMA, n++, IMA_LOG_PCR, 0, en.extend, { NULL, 0 }, en.name };

		if (r->rv->rule[IMA_LOG_PCR].kind == REFVALUES_ZERO)
			continue; /* extended nothing: proven by nothing, judged by nobody */
		if (r->rv->rule[IMA_LOG_PCR].kind == REFVALUES_IMA)
			judge_ima(r, &en, replay);
		else
			step(r, &ev);
		replay_extend(replay, IMA_LOG_PCR, en.extend);
	}
	return rc;
}

/* --- the end -------------------------------------------------------------------------------------------------------
 */

static void finish_pcr(const struct rules *r, size_t i, struct appraisal *a)
{
	const struct refvalues_rule *rule = &r->rv->rule[i];
	const struct rules_pcr *p = &r->pcr[i];
	char hex[2 * HASH_SHA256_BYTES + 1];

	if (*p->difference) {
		appraise_reason(a, "%s", p->difference);
	} else if (rule->kind == REFVALUES_UNSET) {
		appraise_reason(a, "PCR %zu: has no rule", i);
	} else if (rule->kind == REFVALUES_SEQUENCE && p->matched < rule->list.n) {
		hex_encode(rule->list.item[p->matched].digest, HASH_SHA256_BYTES, hex);
		appraise_reason(a, "PCR %zu: ends after %zu events, expected %s (%s)", i, p->matched, hex,
				rule->list.item[p->matched].what);
	} else if (rule->state_volume && !*r->state_volume) {
		appraise_reason(a, "PCR %zu: ends after its sequence, expected one event state-volume:<UUID>", i);
	} else if (rule->kind == REFVALUES_IMA && !p->events) {
		appraise_reason(a, "PCR %zu: the IMA log is empty, expected boot_aggregate first", i);
	}
	if (i >= FIRMWARE_PCRS || refvalues_is_direct(r->rv) || r->no_firmware_log)
		return; /* without a log a separator is part of the sequence or of the listed value */
	if (*p->separator_difference)
		appraise_reason(a, "%s", p->separator_difference);
	if (p->separators != 1)
		appraise_reason(a, "PCR %zu: has %zu separators of 00000000, expected exactly one (PFP 10.4.1)", i,
				p->separators);
}

/* Digest of the variable SecureBoot as the firmware measures it: UEFI_VARIABLE_DATA (PFP 10.3.1). */
static void secure_boot_digest(uint8_t value, uint8_t ret[static HASH_SHA256_BYTES])
{
	uint8_t data[] = { 0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa, 0x0d, 0x00,
			   0xe0, 0x98, 0x03, 0x2b, 0x8c, /* owner */
			   10,   0,    0,    0,    0,    0,    0,    0,    1,    0,    0,
			   0,    0,    0,    0,    0, /* lengths */
			   'S',  0,    'e',  0,    'c',  0,    'u',  0,    'r',  0,    'e',
			   0,    'B',  0,    'o',  0,    'o',  0,    't',  0,    value };

	hash_sha256(data, sizeof(data), ret);
}

static void fact_secure_boot(const struct rules *r, struct appraisal *a)
{
	const struct refvalues_rule *rule = &r->rv->rule[SECURE_BOOT_PCR];
	uint8_t on[HASH_SHA256_BYTES], off[HASH_SHA256_BYTES];
	const char *state = refvalues_is_direct(r->rv) ? "none: the machine has no UEFI"
						       : "not proven: PCR 7 is not judged or does not name it";

	secure_boot_digest(1, on);
	secure_boot_digest(0, off);
	if (r->held & 1u << SECURE_BOOT_PCR)
		state = "not shown: PCR 7 holds a listed value";
	else if (rule->kind == REFVALUES_SEQUENCE && refvalues_find(&rule->list, off))
		state = "OFF, as the reference values allow (PCR 7)";
	else if (rule->kind == REFVALUES_SEQUENCE && refvalues_find(&rule->list, on))
		state = "on, with exactly the expected keys (PCR 7)";
	appraise_fact(a, "secure boot: %s", state);
}

/* The image's root hash is what PCR 15's sequence says, or the reference values contradict themselves. */
static void judge_root_hash(const struct rules *r, struct appraisal *a)
{
	const struct refvalues_rule *rule = &r->rv->rule[MEASURE_PCR_IDENTITY];
	struct measure_event ev = measure_root_hash(r->rv->root_hash);
	uint8_t digest[HASH_SHA256_BYTES];

	hash_sha256(ev.data, ev.data_bytes, digest);
	if (rule->kind != REFVALUES_SEQUENCE || !refvalues_find(&rule->list, digest))
		appraise_reason(a, "reference values: PCR 15's sequence lacks the event of the image's root hash");
}

/* The profile that the reference values name is the one that PCR 11's sequence holds, or they contradict themselves. */
static void judge_profile(const struct rules *r, struct appraisal *a)
{
	static const char *const measured[] = { "direct", "enforce-jit" };
	const struct refvalues_rule *rule = &r->rv->rule[MEASURE_PCR_PHASE];
	bool sequence = rule->kind == REFVALUES_SEQUENCE;

	for (size_t i = 0; i < ARRAY_SIZE(measured); i++) {
		struct measure_event ev = measure_profile(measured[i]);
		bool is_it = !strcmp(r->rv->profile, measured[i]), found, ok;
		uint8_t digest[HASH_SHA256_BYTES];

		hash_sha256(ev.data, ev.data_bytes, digest);
		found = refvalues_find(&rule->list, digest);
		ok = sequence && found;
		if (!i) /* what is below PID 1 measured nothing that could stand before it */
			ok = sequence && rule->list.n && hash_equal(rule->list.item[0].digest, HASH_SHA256_BYTES, digest, sizeof(digest));
		if (is_it && !ok)
			appraise_reason(a, "reference values: profile %s, but PCR 11's sequence does not %s its event", measured[i],
					i ? "have" : "begin with");
		if (!is_it && (found || refvalues_find(&rule->then, digest)))
			appraise_reason(a, "reference values: profile %s, but PCR 11 has the event of the profile %s", r->rv->profile,
					measured[i]);
	}
}

/* What follows from the profile for whoever reads the verdict. */
static const char *profile_words(const char *profile)
{
	static const struct {
		const char *profile, *words;
	} all[] = {
		{ "audit", " (permissive: nothing is stopped)" },
		{ "enforce-jit", " (containers of which the layer policy says so may make executable memory; for all else as enforce)" },
		{ "direct", " (no UEFI: kernel, initramfs and command line are reported by PID 1 itself; nothing below "
			    "vouches for them)" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (!strcmp(profile, all[i].profile))
			return all[i].words;
	return "";
}

static void add_facts(const struct rules *r, struct appraisal *a)
{
	const struct refvalues_rule *launch = &r->rv->rule[MEASURE_PCR_LAUNCH];
	char root[2 * HASH_SHA256_BYTES + 1];

	hex_encode(r->rv->root_hash, HASH_SHA256_BYTES, root);
	appraise_fact(a, "image: %s version %llu, %s", r->rv->name, (unsigned long long)r->rv->version, r->rv->arch);
	appraise_fact(a, "profile: %s%s", r->rv->profile, profile_words(r->rv->profile));
	appraise_fact(a, "root hash: %s (PCR 15)", root);
	fact_secure_boot(r, a);
	if (*r->state_volume)
		appraise_fact(a, "state volume: %s", r->state_volume);
	appraise_fact(a, "layer policy: %s", *r->layer_policy ? r->layer_policy : "none measured");
	for (size_t i = 0; launch->kind == REFVALUES_SEQUENCE && i < launch->then.n; i++)
		if (r->pcr[MEASURE_PCR_LAUNCH].then_seen[i])
			appraise_fact(a, "seen since boot: %s", launch->then.item[i].what);
	if (r->rv->rule[IMA_LOG_PCR].kind == REFVALUES_IMA)
		appraise_fact(a, "kernel's witness: dm-verity tables %zu, files %zu, all listed (PCR 10)", r->n_tables,
			      r->n_files);
	else if (r->rv->rule[IMA_LOG_PCR].kind == REFVALUES_ZERO)
		appraise_fact(a, "kernel's witness: none: its IMA began before it had a TPM, its log is not judged (PCR 10)");
	for (size_t i = 0; i < REPLAY_QUOTED_PCRS; i++)
		if (r->held & 1u << i)
			appraise_fact(a, "PCR %zu: holds a value that the platform lists; what made it nobody shows", i);
		else if (r->rv->rule[i].kind == REFVALUES_UNJUDGED)
			appraise_fact(a, "PCR %zu: replayed, not judged: %s", i, r->rv->rule[i].reason);
}

void rules_finish(const struct rules *r, struct appraisal *a)
{
	for (size_t i = 0; i < REPLAY_QUOTED_PCRS; i++)
		finish_pcr(r, i, a);
	judge_root_hash(r, a);
	judge_profile(r, a);
	if (!a->reasons.n)
		add_facts(r, a);
}
