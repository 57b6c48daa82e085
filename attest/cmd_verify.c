/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/cmd_verify.c - holdfast-attest verify: ACCEPT or REFUSE, and why */
#include "attest/cmd.h"

#include "attest/appraise.h"
#include "common/cli.h"
#include "common/file.h"
#include "common/hex.h"

#include <stdio.h>
#include <string.h>

struct verify_options {
	const char *evidence, *nonce, *enrolment, *refvalues, *policy_cert;
	int json;
};

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
static int load(const struct verify_options *o, struct enrolment *enrolment, struct refvalues *rv, struct buf *evidence,
		struct err *e)
{
	cleanup_x509 X509 *cert = NULL;
	int rc;

	if ((rc = enrolment_load(o->enrolment, enrolment, e)) || (rc = pki_cert_load(o->policy_cert, &cert, e)))
		return rc;
	rc = file_read(o->evidence, 2 * EVIDENCE_MAX_BYTES, evidence, e); /* its own bound is evidence_parse()'s */
	if (rc)
		return rc;
	return refvalues_load(o->refvalues, cert, rv, e);
}

static int judge(const struct verify_options *o, const uint8_t *nonce, struct appraisal *a, struct err *e)
{
	cleanup_refvalues struct refvalues rv = { 0 };
	cleanup_buf struct buf evidence = BUF_INIT;
	struct enrolment enrolment;
	struct appraise_input in;
	int rc = load(o, &enrolment, &rv, &evidence, e);

	if (rc == -EBADMSG) {
		appraise_reason(a, "reference values: %s", e->msg);
		a->verdict = APPRAISE_REFUSE;
		return 0;
	}
	if (rc)
		return rc;
	in = (struct appraise_input){ { evidence.data, evidence.len }, nonce, &enrolment, &rv };
	return appraise(&in, a, e);
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
		{ .name = "enrolment", .arg = "FILE", .help = "the host's enrolment record", .value = &o.enrolment },
		{ .name = "refvalues",
		  .arg = "FILE",
		  .help = "reference values; FILE.p7s is their signature",
		  .value = &o.refvalues },
		{ .name = "policy-cert",
		  .arg = "FILE",
		  .help = "certificate that signs reference values",
		  .value = &o.policy_cert },
		{ .name = "json", .help = "one JSON object in place of text", .value = &o.json },
		{ .name = NULL },
	};
	cleanup_free struct appraisal *a = calloc(1, sizeof(*a));
	uint8_t nonce[EVIDENCE_NONCE_BYTES];
	struct err e = ERR_INIT;
	int n = cli_options(argc, argv, "", "Judge a host's evidence: ACCEPT (exit 0) or REFUSE (exit 1), and why.",
			    opts);

	if (n < 0)
		return CLI_USAGE;
	if (n || !o.evidence || !o.nonce || !o.enrolment || !o.refvalues || !o.policy_cert)
		return cli_usage(
			argv[0],
			"wanted --evidence, --nonce, --enrolment, --refvalues, --policy-cert and nothing else");
	if (!hex_decode(o.nonce, nonce, sizeof(nonce)))
		return cli_usage(argv[0], "the nonce is not %d lower-case hex digits", 2 * EVIDENCE_NONCE_BYTES);
	if (!a) {
		(void)err_set(&e, ENOMEM, "no memory for a verdict"); /* its code is not needed */
		return cli_fail(CLI_COULD_NOT, argv[0], &e);
	}
	if (judge(&o, nonce, a, &e) || report(a, o.json, &e))
		return cli_fail(CLI_COULD_NOT, argv[0], &e);
	return a->verdict == APPRAISE_ACCEPT ? CLI_PASSED : CLI_BAD;
}
