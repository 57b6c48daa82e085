/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/appraise.c - the judgement: evidence against enrolment and reference values */
#include "attest/appraise.h"

#include "attest/allowed.h"
#include "attest/implied.h"
#include "attest/platform.h"
#include "attest/quote.h"
#include "attest/rules.h"
#include "common/hex.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void add_line(struct appraisal_lines *l, const char *fmt, va_list ap)
{
	if (l->n == APPRAISAL_MAX_LINES) {
		l->dropped++;
		return;
	}
	(void)vsnprintf(l->line[l->n++], APPRAISAL_MAX_LINE_BYTES, fmt, ap); /* cut is fine: for people */
}

void appraise_reason(struct appraisal *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(&a->reasons, fmt, ap);
	va_end(ap);
}

void appraise_fact(struct appraisal *a, const char *fmt, ...)
{
	va_list ap;

	if (a->no_facts)
		return;
	va_start(ap, fmt);
	add_line(&a->facts, fmt, ap);
	va_end(ap);
}

/*
 * The hostile bytes are bad, or we could not look: the first is a reason, the second an error of ours.
 * Return: 0 after the reason was added, -errno else.
 */
static int bad_evidence(struct appraisal *a, const struct err *e)
{
	if (e->code != EINVAL && e->code != EBADMSG && e->code != E2BIG)
		return -e->code;
	appraise_reason(a, "%s", e->msg);
	return 0;
}

/* The signed place of the key: a primary of the endorsement hierarchy, or a child of the EK. */
static bool signer_is_enrolled(const struct appraise_input *in, const struct quote_ak *ak, const struct quote *q)
{
	const struct bytes ek = { in->enrolment->ek_public, in->enrolment->ek_public_bytes };
	uint8_t ek_name[QUOTE_NAME_BYTES];
	struct err none = ERR_INIT;

	if (quote_signer_is_endorsed(q, ak, NULL))
		return true;
	return !quote_name(ek, ek_name, &none) && quote_signer_is_endorsed(q, ak, ek_name);
}

/* Steps 1 and 2: who speaks, and about which logs. */
static int check_quote(const struct appraise_input *in, const struct evidence *ev, const struct quote_ak *ak,
		       struct quote *ret, struct err *e)
{
	uint8_t binding[HASH_SHA256_BYTES];
	int rc;

	if ((rc = quote_parse(ev->attest, ret, e)) || (rc = quote_verify(ak, ev->attest, ev->signature, e)))
		return rc;
	if (!signer_is_enrolled(in, ak, ret))
		return err_set(e, EBADMSG,
			       "quote: its qualified signer is not the enrolled AK in the endorsement hierarchy: a key of "
			       "the same public area, made elsewhere, for which nobody vouched (TPM 2.0 part 1, 16)");
	if (in->channel_key)
		evidence_channel_binding(in->nonce, in->channel_key, ev, binding);
	else
		evidence_binding(in->nonce, ev, binding);
	if (!hash_equal(ret->extra, sizeof(ret->extra), binding, sizeof(binding)))
		return err_set(e, EBADMSG,
			       "quote: its extraData is not the binding of our nonce%s and these logs: it is old, "
			       "another's, or a "
			       "log was exchanged",
			       in->channel_key ? ", this channel's TLS key" : "");
	return 0;
}

static void fact_quote(const struct appraise_input *in, const struct quote_ak *ak, const struct quote *q,
		       struct appraisal *a)
{
	char identity[2 * HASH_SHA256_BYTES + 1], name[2 * QUOTE_NAME_BYTES + 1];

	if (a->no_facts)
		return;
	hex_encode(in->enrolment->identity, HASH_SHA256_BYTES, identity);
	hex_encode(ak->name, sizeof(ak->name), name);
	appraise_fact(a, "host: %s", identity);
	appraise_fact(a, "EK: believed because %s",
		      in->enrolment->ek == ENROLMENT_EK_CERTIFICATE
			      ? "its certificate leads to a pinned manufacturer root"
		      : in->enrolment->ek == ENROLMENT_EK_PROVIDER
			      ? "its certificate leads to a provider of virtual machines: the TPM is as good as its hypervisor"
			      : "the operator pinned it (no manufacturer's certificate)");
	appraise_fact(a, "quote: good signature of AK %s over our nonce, %sthe three logs and sha256:0-15", name,
		      in->channel_key ? "this channel's TLS key, " : "");
	appraise_fact(a, "TPM: clock %llu ms%s, %u resets, %u restarts, firmware version 0x%016llx",
		      (unsigned long long)q->clock_ms,
		      q->safe ? "" : " (not safe: it may have run back after a power loss)", (unsigned)q->reset_count,
		      (unsigned)q->restart_count, (unsigned long long)q->firmware_version);
}

/* A host of a machine with UEFI that shows no firmware log. */
static bool lacks_log(const struct appraise_input *in, const struct evidence *ev)
{
	return !ev->firmware_log.n && !refvalues_is_direct(in->refvalues);
}

/* What a host lacks must be declared; : the platforms that do, NULL: it lacks nothing. */
static bool is_declared(const struct appraise_input *in, const struct evidence *ev, const struct platforms **ret,
			struct appraisal *a)
{
	const enum enrolment_ek ek = in->enrolment->ek;
	const bool absent = lacks_log(in, ev);

	*ret = NULL;
	if (!absent && ek != ENROLMENT_EK_PROVIDER)
		return true;
	*ret = in->platforms;
	for (size_t i = 0; in->platforms && i < in->platforms->n; i++)
		if (platform_fits(&in->platforms->item[i], ek, absent)) {
			a->platform = &in->platforms->item[i]; /* without a log: perhaps another, by its states */
			return true;
		}
	if (absent)
		appraise_reason(a, "firmware log: is empty, which only reference values of the profile direct allow, or a platform "
				"of the policy set that declares it for an EK of the kind %s", enrolment_ek_str(ek));
	else
		appraise_reason(a, "EK: a provider of virtual machines vouches for it and no maker of TPMs, which no platform of the "
				"policy set declares");
	return false;
}

/* Step 3, with the rules looking on. Nothing is judged here but that the logs are logs. */
static int replay_logs(const struct appraise_input *in, const struct evidence *ev, struct rules *rules, struct replay *r,
		       struct appraisal *a, struct err *e)
{
	const bool absent = lacks_log(in, ev);
	int rc = replay_init(HASH_SHA256, r, e);

	if (!rc && ev->firmware_log.n)
		rc = replay_firmware(r, ev->firmware_log, rules_step, rules, e);
	if (!rc && absent)
		rc = implied_events(rules, r, ev->os_log, e);
	if (!rc)
		rc = replay_os(r, ev->os_log, rules_step, rules, e);
	if (!rc && absent) {
		const struct implied_search s = {in->platforms, in->enrolment->ek, a->quote.pcr_digest, ev->ima_log};

		rc = implied_state(rules, r, &s, &a->platform, a, e);
	}
	if (!rc)
		rc = rules_ima(rules, r, ev->ima_log, e);
	return rc;
}

static void judge_replay(const struct replay *r, const struct quote *q, struct appraisal *a)
{
	uint8_t digest[HASH_SHA256_BYTES];
	char found[2 * HASH_SHA256_BYTES + 1], wanted[2 * HASH_SHA256_BYTES + 1];

	replay_pcr_digest(r, digest);
	if (!hash_equal(digest, sizeof(digest), q->pcr_digest, sizeof(q->pcr_digest))) {
		hex_encode(digest, sizeof(digest), found);
		hex_encode(q->pcr_digest, sizeof(q->pcr_digest), wanted);
		appraise_reason(a,
				"the logs replay, bank sha256, to PCR 0-15 with digest %s, the TPM signed %s: a log "
				"lacks events or was "
				"edited",
				found, wanted);
	}
	if (r->odd_no_action)
		appraise_reason(
			a,
			"firmware log: %zu EV_NO_ACTION events carry a digest, which no measurement can (PFP 10.4.5)",
			r->odd_no_action);
	if (!a->reasons.n && !r->n_events)
		appraise_fact(a, "logs: there is no firmware log");
	else if (!a->reasons.n)
		appraise_fact(a, "logs: %zu firmware events, startup locality %u%s", r->n_events,
			      (unsigned)r->startup_locality, r->hcrtm ? ", H-CRTM" : "");
}

/* Steps 3 and 4. */
static int check_logs(const struct appraise_input *in, const struct evidence *ev, const struct quote *q,
		      struct appraisal *a, struct err *e)
{
	struct rules *rules = malloc(sizeof(*rules)); /* fixed size, too large for the stack; 40 KiB that need no zeros */
	struct replay replay;
	int rc;

	if (!rules)
		return err_set(e, ENOMEM, "no memory to follow the reference values");
	rc = rules_init(rules, in->refvalues, e);
	if (rc)
		goto out;
	rc = replay_logs(in, ev, rules, &replay, a, e);
	if (rc) {
		rc = bad_evidence(a, e);
		goto out;
	}
	judge_replay(&replay, q, a);
	rules_finish(rules, a);
out:
	rules_free(rules);
	free(rules);
	return rc;
}

/* Were these PCR values accepted before, of a host that lacked as much? */
static bool was_allowed(const struct appraise_input *in, const struct platforms *lacking, const struct evidence *ev,
			struct appraisal *a)
{
	if (!in->allowed)
		return false;
	if (!lacking)
		return allowed_find(in->allowed, in->refvalues, NULL, a->quote.pcr_digest);
	for (size_t i = 0; i < lacking->n; i++)
		if (platform_fits(&lacking->item[i], in->enrolment->ek, lacks_log(in, ev)) &&
		    allowed_find(in->allowed, in->refvalues, &lacking->item[i], a->quote.pcr_digest)) {
			a->platform = &lacking->item[i];
			return true;
		}
	return false;
}

static void fact_platform(struct appraisal *a)
{
	if (a->platform)
		appraise_fact(a, "platform: %s%s", a->platform->name, a->platform->no_firmware_log ? ": no firmware log" : "");
}

/* Steps 3 and 4, or the knowledge that they were passed before by the very same PCR values. */
static int check_state(const struct appraise_input *in, const struct evidence *ev, struct appraisal *a, struct err *e)
{
	const struct platforms *lacking;
	const struct quote *q = &a->quote;
	char hex[2 * HASH_SHA256_BYTES + 1];
	int rc;

	if (!in->refvalues) {
		appraise_reason(a, "no reference values are known for this host's root hash");
		return 0;
	}
	if (!is_declared(in, ev, &lacking, a))
		return 0;
	a->fast = was_allowed(in, lacking, ev, a);
	if (a->fast) {
		hex_encode(q->pcr_digest, sizeof(q->pcr_digest), hex);
		appraise_fact(a, "PCR 0-15: digest %s, appraised in full and accepted before", hex);
		fact_platform(a);
		return 0;
	}
	rc = check_logs(in, ev, q, a, e);
	if (!rc && !a->reasons.n && in->allowed)
		allowed_add(in->allowed, in->refvalues, a->platform, q->pcr_digest);
	if (!rc && !a->reasons.n)
		fact_platform(a);
	return rc;
}

static void start(struct appraisal *a)
{
	a->verdict = APPRAISE_UNSET;
	a->quoted = a->fast = false;
	a->platform = NULL;
	a->quote = (struct quote){ 0 };
	a->reasons.n = a->reasons.dropped = 0; /* lines past n are never read: 128 KiB need no zeros */
	a->facts.n = a->facts.dropped = 0;
}

static int judge(const struct appraise_input *in, const struct quote_ak *ak, struct appraisal *a, struct err *e)
{
	struct evidence ev;
	int rc = evidence_parse(in->evidence.p, in->evidence.n, &ev, e);

	if (!rc)
		rc = check_quote(in, &ev, ak, &a->quote, e);
	if (rc)
		return bad_evidence(a, e);
	a->quoted = true;
	fact_quote(in, ak, &a->quote, a);
	return check_state(in, &ev, a, e);
}

int appraise(const struct appraise_input *in, struct appraisal *ret, struct err *e)
{
	cleanup_quote_ak struct quote_ak own = { 0 };
	int rc;

	start(ret);
	if (!in->ak) {
		rc = quote_ak_parse((struct bytes){ in->enrolment->ak_public, in->enrolment->ak_public_bytes }, &own,
				    e);
		if (rc)
			return err_context(e, "enrolment record");
	}
	rc = judge(in, in->ak ? in->ak : &own, ret, e);
	if (rc)
		return rc;
	ret->verdict = ret->reasons.n ? APPRAISE_REFUSE : APPRAISE_ACCEPT;
	return 0;
}
