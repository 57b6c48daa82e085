/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/cmd_verify.c - holdfast-attest verify: ACCEPT or REFUSE, and why */
#include "attest/cmd.h"

#include "attest/ear.h"
#include "attest/judge_files.h"
#include "common/cli.h"
#include "common/file.h"
#include "common/hex.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct verify_options {
	const char *evidence, *nonce, *channel, *channel_cert, *enrolment, *refvalues, *ear, *ear_key;
	const char *crl[EK_REVOKED_MAX_FILES];
	struct judge_files wanted;
	int json;
};

/* The options that are bytes. */
struct verify_bytes {
	uint8_t nonce[EVIDENCE_NONCE_BYTES];
	uint8_t channel[HASH_SHA256_BYTES];
	struct channel_shown shown; /* with --channel-cert */
};

static void verify_bytes_free(struct verify_bytes *b)
{
	channel_shown_free(&b->shown);
}

static const char *verdict_str(enum appraise_verdict v)
{
	return v == APPRAISE_ACCEPT ? "ACCEPT" : "REFUSE";
}

static void print_lines(const char *prefix, const struct appraisal_lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		printf("%s%s\n", prefix, l->line[i]);
	if (l->dropped)
		printf("%sand %zu more\n", prefix, l->dropped);
}

/* Verdict first; then why not, where it is REFUSE; then what was established. */
static void print_text(const struct appraisal *a)
{
	printf("%s\n", verdict_str(a->verdict));
	print_lines("reason: ", &a->reasons);
	print_lines("", &a->facts);
}

static int add_lines(json_object *o, const char *key, const struct appraisal_lines *l)
{
	json_object *array = json_object_new_array();

	if (!array || json_object_object_add(o, key, array))
		return -ENOMEM;
	for (size_t i = 0; i < l->n; i++)
		if (json_object_array_add(array, json_object_new_string(l->line[i])))
			return -ENOMEM;
	return 0;
}

static int print_json(const struct appraisal *a, struct err *e)
{
	cleanup_json json_object *o = json_object_new_object();
	cleanup_buf struct buf text = BUF_INIT;
	int rc;

	if (!o || json_object_object_add(o, "verdict", json_object_new_string(verdict_str(a->verdict))) ||
	    add_lines(o, "reasons", &a->reasons) || add_lines(o, "facts", &a->facts))
		return err_set(e, ENOMEM, "no memory for the answer");
	rc = json_write(&text, o, e);
	if (rc)
		return rc;
	fwrite(text.data, 1, text.len, stdout);
	return 0;
}

/* Everything that is the verifier's own. -EBADMSG only for a bad signature of the reference values. */
static int load(const struct verify_options *o, struct enrolment *enrolment, struct judge_set *set, struct buf *evidence,
		struct err *e)
{
	int rc = enrolment_load(o->enrolment, enrolment, e);

	if (!rc)
		rc = file_read(o->evidence, 2 * EVIDENCE_MAX_BYTES, evidence, e); /* its own bound is evidence_parse()'s */
	if (rc)
		return rc == -EBADMSG ? -EINVAL : rc;
	return judge_files_load(&o->wanted, (int64_t)time(NULL), set, e);
}

static int write_ear(const struct verify_options *o, const struct ear_input *in, struct err *e)
{
	cleanup_ear_key struct ear_key key = { 0 };
	cleanup_buf struct buf claims = BUF_INIT, jwt = BUF_INIT;
	int rc;

	if ((rc = ear_key_load(o->ear_key, &key, e)) || (rc = ear_claims(in, &claims, e)) ||
	    (rc = ear_sign(&key, (struct bytes){ claims.data, claims.len }, &jwt, e)))
		return rc;
	return file_write(o->ear, jwt.data, jwt.len, 0644, e);
}

/* The same call as the service's; only the clocks of earlier quotes are missing, for there is no state here. */
static int judge_host(const struct verify_options *o, struct verify_bytes *b, struct judge_result *r,
		       struct err *e)
{
	struct judge_set set __attribute__((cleanup(judge_set_free))) = { 0 };
	cleanup_buf struct buf evidence = BUF_INIT;
	struct enrolment enrolment;
	int64_t now_s = (int64_t)time(NULL);
	int rc = load(o, &enrolment, &set, &evidence, e);

	if (rc == -EBADMSG) {
		appraise_reason(&r->appraisal, "reference values: %s", e->msg);
		r->appraisal.verdict = APPRAISE_REFUSE;
	} else if (!rc) {
		const struct judge_input in = { .evidence = { evidence.data, evidence.len },
						.nonce = b->nonce,
						.channel_key = o->channel_cert ? b->shown.key :
							       o->channel      ? b->channel :
										 NULL,
						.shown = o->channel_cert ? &b->shown : NULL,
						.enrolment = &enrolment,
						.now_ms = now_s * 1000 };

		rc = judge(&set, &in, r, e);
	}
	if (!o->ear || (rc && rc != -EBADMSG))
		return rc == -EBADMSG ? 0 : rc;
	return write_ear(o,
			 &(struct ear_input){ r, &enrolment, b->nonce, &set.fleet, now_s,
					      now_s + (int64_t)(set.fleet.n_rules ? set.fleet.result_seconds :
										    FLEET_DEFAULT_SECONDS) },
			 e);
}

static int report(const struct appraisal *a, bool json, struct err *e)
{
	int rc = 0;

	if (a->verdict == APPRAISE_UNSET)
		return err_set(e, EINVAL, "no verdict was reached");
	if (json)
		rc = print_json(a, e);
	else
		print_text(a);
	return rc;
}

int cmd_verify(int argc, char **argv)
{
	struct verify_options o = { 0 };
	const struct cli_opt opts[] = {
		{ .name = "evidence", .arg = "FILE", .help = "the host's evidence (CBOR)", .value = &o.evidence },
		{ .name = "nonce", .arg = "HEX", .help = "the 32 bytes it was asked with", .value = &o.nonce },
		{ .name = "channel",
		  .arg = "HEX",
		  .help = "SHA-256 of the host's TLS key, for evidence fetched over tls:",
		  .value = &o.channel },
		{ .name = "channel-cert",
		  .arg = "FILE",
		  .help = "that key's certificate with its proof (fetch --channel-cert)",
		  .value = &o.channel_cert },
		{ .name = "enrolment", .arg = "FILE", .help = "the host's enrolment record", .value = &o.enrolment },
		{ .name = "refvalues",
		  .arg = "FILE",
		  .help = "reference values; FILE.p7s is their signature",
		  .value = &o.refvalues },
		{ .name = "policy-cert",
		  .arg = "FILE",
		  .help = "certificate that signs reference values",
		  .value = &o.wanted.policy_cert },
		{ .name = "policy-set",
		  .arg = "FILE",
		  .help = "which of the sound hosts are wanted",
		  .value = &o.wanted.policy_set },
		{ .name = "ek-deny", .arg = "FILE", .help = "refuse EKs of these SHA-256, one a line", .value = &o.wanted.revoked.deny },
		{ .name = "ek-crl",
		  .arg = "FILE",
		  .help = "CRL of who certifies EKs; may be repeated",
		  .value = o.crl,
		  .count = &o.wanted.revoked.n_crls,
		  .max = EK_REVOKED_MAX_FILES },
		{ .name = "ek-roots", .arg = "PEM", .help = "who may sign --ek-crl", .value = &o.wanted.revoked.roots[0] },
		{ .name = "provider-roots",
		  .arg = "PEM",
		  .help = "the same, of providers of virtual machines",
		  .value = &o.wanted.revoked.roots[1] },
		{ .name = "ear", .arg = "FILE", .help = "write the result as a signed EAR (JWT, ES256)", .value = &o.ear },
		{ .name = "ear-key", .arg = "KEY", .help = "P-256 key that signs it (PEM, or a provider's URI)", .value = &o.ear_key },
		{ .name = "json", .help = "one JSON object in place of text", .value = &o.json },
		{ .name = NULL },
	};
	cleanup_free struct judge_result *r = calloc(1, sizeof(*r));
	struct verify_bytes b __attribute__((cleanup(verify_bytes_free))) = { 0 };
	struct err e = ERR_INIT;
	int n = cli_options(argc, argv, "", "Judge a host's evidence: ACCEPT (exit 0) or REFUSE (exit 1), and why.",
			    opts);

	if (n < 0)
		return CLI_USAGE;
	if (n || !o.evidence || !o.nonce || !o.enrolment || !o.refvalues || !o.wanted.policy_cert)
		return cli_usage(
			argv[0],
			"wanted --evidence, --nonce, --enrolment, --refvalues, --policy-cert, and no operand");
	if (!o.ear != !o.ear_key)
		return cli_usage(argv[0], "--ear and --ear-key are wanted together");
	if (o.channel && o.channel_cert)
		return cli_usage(argv[0], "--channel and --channel-cert are not wanted together");
	if (judge_files_wrong(&o.wanted))
		return cli_usage(argv[0], "%s", judge_files_wrong(&o.wanted));
	if (o.channel && !hex_decode(o.channel, b.channel, sizeof(b.channel)))
		return cli_usage(argv[0], "--channel is not %d lower-case hex digits", 2 * HASH_SHA256_BYTES);
	if (!hex_decode(o.nonce, b.nonce, sizeof(b.nonce)))
		return cli_usage(argv[0], "the nonce is not %d lower-case hex digits", 2 * EVIDENCE_NONCE_BYTES);
	if (!r) {
		(void)err_set(&e, ENOMEM, "no memory for a verdict"); /* its code is not needed */
		return cli_fail(CLI_COULD_NOT, argv[0], &e);
	}
	o.wanted.refvalues = &o.refvalues;
	o.wanted.n_refvalues = 1;
	o.wanted.revoked.crl = o.crl;
	if ((o.channel_cert && channel_shown_read(o.channel_cert, &b.shown, &e)) || judge_host(&o, &b, r, &e) || report(&r->appraisal, o.json, &e))
		return cli_fail(CLI_COULD_NOT, argv[0], &e);
	return r->appraisal.verdict == APPRAISE_ACCEPT ? CLI_PASSED : CLI_BAD;
}
