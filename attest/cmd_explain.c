/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/cmd_explain.c - holdfast-attest explain: which event differs, of which artefact, and why */
#include "attest/cmd.h"

#include "attest/explain.h"
#include "attest/judge_files.h"
#include "common/cli.h"
#include "common/file.h"
#include "common/hex.h"
#include "common/json.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct explain_options {
	const char *evidence, *nonce, *channel, *channel_cert, *enrolment, *refvalues, *html;
	const char *known[EXPLAIN_MAX_KNOWN], *crl[EK_REVOKED_MAX_FILES];
	struct judge_files wanted;
	size_t n_known;
	int json;
};

/* A run's own memory; large. */
struct explain_run {
	struct explain_options o;
	struct buf evidence;
	struct enrolment enrolment;
	uint8_t nonce[EVIDENCE_NONCE_BYTES], channel[HASH_SHA256_BYTES];
	struct channel_shown shown; /* with --channel-cert */
	struct judge_set set;
	struct refvalues known[EXPLAIN_MAX_KNOWN];
	struct explanation x;
};

static const char *verdict_str(const struct explanation *x)
{
	if (!x->judged)
		return "NOT JUDGED";
	return x->result.appraisal.verdict == APPRAISE_ACCEPT ? "ACCEPT" : "REFUSE";
}

static void print_row(const char *name, const char *text)
{
	if (*text)
		printf("    %-9s %s\n", name, text);
}

static void print_text(const struct explain_run *run)
{
	static const char *const state[] = {"?", "ok", "BAD"};
	const struct explanation *x = &run->x;

	printf("%s: %zu difference%s from %s version %llu\n", verdict_str(x), x->n + x->dropped,
	       x->n + x->dropped == 1 ? "" : "s", run->set.rv->name, (unsigned long long)run->set.rv->version);
	if (!x->proven)
		printf("nothing below is proven by the TPM: it is only what the logs say\n");
	for (int i = 0; i < EXPLAIN_LINKS_; i++)
		printf("  %-3s %s%s%s\n", state[x->link[i]], explain_link_name((enum explain_link)i),
		       *explain_link_pcrs((enum explain_link)i) ? ", PCR " : "", explain_link_pcrs((enum explain_link)i));
	for (size_t i = 0; i < x->n; i++) {
		const struct explain_finding *f = &x->finding[i];

		if (f->pcr >= 0)
			printf("PCR %d, %s\n", f->pcr, *f->place ? f->place : "as a whole");
		else
			printf("%s\n", explain_link_name(f->link));
		print_row("artefact", f->artefact);
		print_row(x->proven || f->pcr < 0 ? "fact" : "log says", f->fact);
		print_row("likely", f->guess);
		print_row("expected", f->expected);
		print_row("found", f->found);
	}
	if (x->dropped)
		printf("and %zu more\n", x->dropped);
}

static bool put_str(json_object *o, const char *key, const char *text)
{
	return !*text || json_put(o, key, json_object_new_string(text));
}

static bool put_links(json_object *o, const struct explanation *x)
{
	static const char *const state[] = {"unknown", "good", "bad"};
	json_object *a = json_object_new_array();
	bool ok = a;

	for (int i = 0; ok && i < EXPLAIN_LINKS_; i++) {
		json_object *l = json_object_new_object();

		ok = l && json_put(l, "name", json_object_new_string(explain_link_name((enum explain_link)i))) &&
		     put_str(l, "pcrs", explain_link_pcrs((enum explain_link)i)) &&
		     json_put(l, "state", json_object_new_string(state[x->link[i]]));
		ok = json_push(a, l) && ok;
	}
	return json_put(o, "links", a) && ok;
}

static bool put_findings(json_object *o, const struct explanation *x)
{
	json_object *a = json_object_new_array();
	bool ok = a;

	for (size_t i = 0; ok && i < x->n; i++) {
		const struct explain_finding *f = &x->finding[i];
		json_object *l = json_object_new_object();

		ok = l && (f->pcr < 0 || json_put(l, "pcr", json_object_new_int(f->pcr))) && put_str(l, "place", f->place) &&
		     put_str(l, "link", explain_link_name(f->link)) && put_str(l, "artefact", f->artefact) &&
		     put_str(l, "expected", f->expected) && put_str(l, "found", f->found) && put_str(l, "fact", f->fact) &&
		     put_str(l, "guess", f->guess) &&
		     json_put(l, "proven", json_object_new_boolean(x->proven || f->pcr < 0));
		ok = json_push(a, l) && ok;
	}
	return json_put(o, "findings", a) && ok;
}

static int print_json(const struct explain_run *run, struct err *e)
{
	cleanup_json json_object *o = json_object_new_object();
	cleanup_buf struct buf text = BUF_INIT;
	const struct explanation *x = &run->x;
	int rc;

	if (!o || !json_put(o, "verdict", json_object_new_string(verdict_str(x))) ||
	    !json_put(o, "proven", json_object_new_boolean(x->proven)) ||
	    !json_put(o, "image", json_object_new_string(run->set.rv->name)) ||
	    !json_put(o, "version", json_object_new_int64((int64_t)run->set.rv->version)) || !put_links(o, x) ||
	    !put_findings(o, x) || !json_put(o, "dropped", json_object_new_int64((int64_t)x->dropped)))
		return err_set(e, ENOMEM, "no memory for the answer");
	rc = json_write(&text, o, e);
	if (!rc)
		fwrite(text.data, 1, text.len, stdout);
	return rc;
}

static int load(struct explain_run *run, struct err *e)
{
	cleanup_x509 X509 *cert = NULL;
	int rc = pki_cert_load(run->o.wanted.policy_cert, &cert, e);

	if (rc || (rc = file_read(run->o.evidence, 2 * EVIDENCE_MAX_BYTES, &run->evidence, e)) ||
	    (rc = judge_files_load(&run->o.wanted, (int64_t)time(NULL), &run->set, e)) ||
	    (run->o.channel_cert && (rc = channel_shown_read(run->o.channel_cert, &run->shown, e))) ||
	    (run->o.enrolment && (rc = enrolment_load(run->o.enrolment, &run->enrolment, e))))
		return rc;
	for (size_t i = 0; i < run->o.n_known; i++)
		if ((rc = refvalues_load(run->o.known[i], cert, &run->known[i], e)))
			return rc;
	return 0;
}

static int write_page(const struct explain_run *run, struct err *e)
{
	cleanup_buf struct buf page = BUF_INIT;
	int rc = explain_html(&run->x, run->set.rv, &page, e);

	return rc ? rc : file_write(run->o.html, page.data, page.len, 0644, e);
}

static int run_explain(struct explain_run *run)
{
	const struct explain_options *o = &run->o;
	struct err e = ERR_INIT;
	int rc = load(run, &e);

	if (!rc) {
		const struct explain_input in = {.evidence = {run->evidence.data, run->evidence.len},
						 .nonce = o->nonce ? run->nonce : NULL,
						 .enrolment = o->enrolment ? &run->enrolment : NULL,
						 .channel_key = o->channel_cert ? run->shown.key :
								o->channel      ? run->channel :
										  NULL,
						 .shown = o->channel_cert ? &run->shown : NULL,
						 .set = &run->set,
						 .known = run->known,
						 .n_known = o->n_known};

		rc = explain(&in, &run->x, &e);
	}
	if (!rc && o->html)
		rc = write_page(run, &e);
	if (!rc && o->json)
		rc = print_json(run, &e);
	if (rc)
		return cli_fail(CLI_COULD_NOT, "explain", &e);
	if (!o->json)
		print_text(run);
	return run->x.n ? CLI_BAD : CLI_PASSED;
}

static void run_free(struct explain_run *run)
{
	if (!run)
		return;
	buf_free(&run->evidence);
	judge_set_free(&run->set);
	channel_shown_free(&run->shown);
	for (size_t i = 0; i < EXPLAIN_MAX_KNOWN; i++)
		refvalues_free(&run->known[i]);
	free(run);
}

/* False after a message. */
static bool parse_words(struct explain_run *run, const char *verb)
{
	const struct explain_options *o = &run->o;
	const struct judge_files *w = &o->wanted;

	if (!o->evidence || !o->refvalues || !w->policy_cert)
		(void)cli_usage(verb, "wanted --evidence, --refvalues, --policy-cert, and no operand");
	else if (!o->nonce != !o->enrolment)
		(void)cli_usage(verb, "--nonce and --enrolment are wanted together");
	else if (!o->nonce && (w->policy_set || w->revoked.deny || w->revoked.n_crls))
		(void)cli_usage(verb, "--policy-set, --ek-deny and --ek-crl are asked about a proven host: wanted --nonce and --enrolment");
	else if (judge_files_wrong(w))
		(void)cli_usage(verb, "%s", judge_files_wrong(w));
	else if (o->channel && o->channel_cert)
		(void)cli_usage(verb, "--channel and --channel-cert are not wanted together");
	else if (o->nonce && !hex_decode(o->nonce, run->nonce, sizeof(run->nonce)))
		(void)cli_usage(verb, "the nonce is not %d lower-case hex digits", 2 * EVIDENCE_NONCE_BYTES);
	else if (o->channel && !hex_decode(o->channel, run->channel, sizeof(run->channel)))
		(void)cli_usage(verb, "--channel is not %d lower-case hex digits", 2 * HASH_SHA256_BYTES);
	else
		return true;
	return false;
}

int cmd_explain(int argc, char **argv)
{
	struct explain_run *run = calloc(1, sizeof(*run));
	struct explain_options none = {0}, *o = run ? &run->o : &none;
	const struct cli_opt opts[] = {
		{.name = "evidence", .arg = "FILE", .help = "the host's evidence, accepted or refused", .value = &o->evidence},
		{.name = "nonce", .arg = "HEX", .help = "the 32 bytes it was asked with", .value = &o->nonce},
		{.name = "enrolment", .arg = "FILE", .help = "the host's enrolment record", .value = &o->enrolment},
		{.name = "channel", .arg = "HEX", .help = "as for verify", .value = &o->channel},
		{.name = "channel-cert", .arg = "FILE", .help = "as for verify", .value = &o->channel_cert},
		{.name = "refvalues", .arg = "FILE", .help = "what it should be; FILE.p7s is the signature", .value = &o->refvalues},
		{.name = "known",
		 .arg = "FILE",
		 .help = "reference values of another version, to recognise it by",
		 .value = o->known,
		 .count = &o->n_known,
		 .max = EXPLAIN_MAX_KNOWN},
		{.name = "policy-cert", .arg = "FILE", .help = "certificate that signs reference values", .value = &o->wanted.policy_cert},
		{.name = "policy-set", .arg = "FILE", .help = "which of the sound hosts are wanted", .value = &o->wanted.policy_set},
		{.name = "ek-deny", .arg = "FILE", .help = "refuse EKs of these SHA-256, one a line", .value = &o->wanted.revoked.deny},
		{.name = "ek-crl",
		 .arg = "FILE",
		 .help = "CRL of who certifies EKs; may be repeated",
		 .value = o->crl,
		 .count = &o->wanted.revoked.n_crls,
		 .max = EK_REVOKED_MAX_FILES},
		{.name = "ek-roots", .arg = "PEM", .help = "who may sign --ek-crl", .value = &o->wanted.revoked.roots[0]},
		{.name = "provider-roots",
		 .arg = "PEM",
		 .help = "the same, of providers of virtual machines",
		 .value = &o->wanted.revoked.roots[1]},
		{.name = "html", .arg = "FILE", .help = "write a page that draws the chain", .value = &o->html},
		{.name = "json", .help = "one JSON object in place of text", .value = &o->json},
		{.name = NULL},
	};
	struct err e = ERR_INIT;
	int rc, n = cli_options(argc, argv, "", "Say which event of a host differs, of which artefact, and why.", opts);

	o->wanted.refvalues = &o->refvalues;
	o->wanted.n_refvalues = 1;
	o->wanted.revoked.crl = o->crl;
	if (n)
		rc = n < 0 ? CLI_USAGE : cli_usage(argv[0], "wanted no operand");
	else if (!run)
		rc = err_set(&e, ENOMEM, "no memory") ? cli_fail(CLI_COULD_NOT, argv[0], &e) : CLI_COULD_NOT;
	else
		rc = parse_words(run, argv[0]) ? run_explain(run) : CLI_USAGE;
	run_free(run);
	return rc;
}
