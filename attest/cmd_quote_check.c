/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/cmd_quote_check.c - holdfast-attest quote-check: is this quote the one that was asked for? */
#include "attest/cmd.h"

#include "attest/quote_check.h"
#include "common/cli.h"
#include "common/file.h"
#include "common/hex.h"
#include "common/json.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

struct quote_options {
	const char *ak, *attest, *signature, *nonce, *select, *pcrs, *scheme, *signer;
	int json;
};

/* The wanted and the found; large. */
struct quote_run {
	struct quote_options o;
	struct quote_scheme scheme;
	uint8_t nonce[QUOTE_CHECK_MAX_NONCE], signer[QUOTE_NAME_BYTES];
	struct quote_ak ak;
	struct buf attest, signature;
	struct pcr_values values;
	struct quote_check check;
	struct quote quote;
	enum quote_signer found_signer;
};

static const char *signer_str(enum quote_signer s)
{
	switch (s) {
	case QUOTE_SIGNER_GIVEN:
		return "the one given";
	case QUOTE_SIGNER_ENDORSEMENT:
		return "this AK as a primary of the endorsement hierarchy";
	case QUOTE_SIGNER_OWNER:
		return "this AK as a primary of the owner's hierarchy";
	case QUOTE_SIGNER_UNKNOWN:
		break;
	}
	return "not checked: nothing is known of the key's place (see --qualified-signer)";
}

/* Lower case and length; false for what is no hex of 1 to @max bytes. */
static bool parse_hex(const char *text, uint8_t *ret, size_t max, size_t *ret_n)
{
	char lower[2 * QUOTE_CHECK_MAX_NONCE + 1];
	size_t n = strlen(text);

	if (!n || n % 2 || n / 2 > max)
		return false;
	for (size_t i = 0; i <= n; i++)
		lower[i] = text[i] >= 'A' && text[i] <= 'F' ? (char)(text[i] - 'A' + 'a') : text[i];
	*ret_n = n / 2;
	return hex_decode(lower, ret, n / 2);
}

/* The words of the command line; false after a message. */
static bool parse_words(struct quote_run *run)
{
	struct err e = ERR_INIT;
	size_t n = 0;

	run->scheme.hash = HASH_SHA256;
	if (run->o.scheme && !quote_scheme_parse(run->o.scheme, &run->scheme)) {
		(void)cli_usage("quote-check", "no scheme is called \"%s\": wanted rsassa, rsapss or ecdsa, with :sha384 "
					       "or :sha512 behind it if not SHA-256", run->o.scheme);
		return false;
	}
	run->check.want.hash = run->scheme.hash;
	if (quote_select_parse(run->o.select, &run->check.want, &e)) {
		(void)cli_usage("quote-check", "%s", e.msg);
		return false;
	}
	if (!parse_hex(run->o.nonce, run->nonce, sizeof(run->nonce), &n)) {
		(void)cli_usage("quote-check", "the nonce is not 1 to %d bytes in hex", QUOTE_CHECK_MAX_NONCE);
		return false;
	}
	run->check.nonce = (struct bytes){run->nonce, n};
	if (run->o.signer && (!parse_hex(run->o.signer, run->signer, sizeof(run->signer), &n) || n != QUOTE_NAME_BYTES)) {
		(void)cli_usage("quote-check", "the qualified signer is not %d bytes in hex", QUOTE_NAME_BYTES);
		return false;
	}
	run->check.signer = (struct bytes){run->signer, run->o.signer ? n : 0};
	return true;
}

static int load(struct quote_run *run, struct err *e)
{
	int rc;

	if ((rc = quote_ak_load(run->o.ak, &run->scheme, &run->ak, e)) ||
	    (rc = file_read(run->o.attest, 65536, &run->attest, e)) ||
	    (rc = file_read(run->o.signature, 65536, &run->signature, e)) ||
	    (run->o.pcrs && (rc = pcr_values_load(run->o.pcrs, &run->values, e))))
		return rc;
	run->check.ak = &run->ak;
	run->check.attest = (struct bytes){run->attest.data, run->attest.len};
	run->check.signature = (struct bytes){run->signature.data, run->signature.len};
	run->check.values = run->o.pcrs ? &run->values : NULL;
	return 0;
}

static void print_text(const struct quote_run *run)
{
	char hex[2 * HASH_MAX_BYTES + 2 * QUOTE_NAME_BYTES + 1];
	const struct quote *q = &run->quote;

	printf("GOOD\nquote: good signature by this key, %s with %s, over this nonce and exactly %s\n",
	       quote_scheme_str(run->ak.scheme), hash_name(run->scheme.hash), run->o.select);
	hex_encode(q->digest.p, q->digest.n, hex);
	printf("PCR digest: %s%s\n", hex, run->o.pcrs ? ", which is that of the given values" : " (no values were given)");
	hex_encode(q->signer.p, q->signer.n, hex);
	printf("qualified signer: %s: %s\n", hex, signer_str(run->found_signer));
	printf("clock: %llu ms%s, %u resets, %u restarts\n", (unsigned long long)q->clock_ms,
	       q->safe ? "" : " (not safe: it may have run back after a power loss)", (unsigned)q->reset_count,
	       (unsigned)q->restart_count);
	printf("firmware version: 0x%016llx\n", (unsigned long long)q->firmware_version);
	if (!run->ak.name[1])
		printf("note: a bare key does not say that a TPM holds it: that must be known from elsewhere\n");
}

static bool put_hex(json_object *o, const char *key, struct bytes b)
{
	char hex[2 * HASH_MAX_BYTES + 2 * QUOTE_NAME_BYTES + 1];

	hex_encode(b.p, b.n, hex);
	return json_put(o, key, json_object_new_string(hex));
}

static bool put_quote(json_object *o, const struct quote_run *run)
{
	const struct quote *q = &run->quote;
	char firmware[24];

	(void)snprintf(firmware, sizeof(firmware), "0x%016llx", (unsigned long long)q->firmware_version); /* fits */
	return json_put(o, "scheme", json_object_new_string(quote_scheme_str(run->ak.scheme))) &&
	       json_put(o, "hash", json_object_new_string(hash_name(run->scheme.hash))) &&
	       json_put(o, "selection", json_object_new_string(run->o.select)) && put_hex(o, "nonce", q->nonce) &&
	       put_hex(o, "pcr_digest", q->digest) && json_put(o, "pcrs_compared", json_object_new_boolean(run->o.pcrs != NULL)) &&
	       put_hex(o, "qualified_signer", q->signer) &&
	       json_put(o, "signer_checked", json_object_new_boolean(run->found_signer != QUOTE_SIGNER_UNKNOWN)) &&
	       json_put(o, "signer_is", json_object_new_string(signer_str(run->found_signer))) &&
	       json_put(o, "clock_ms", json_object_new_uint64(q->clock_ms)) &&
	       json_put(o, "reset_count", json_object_new_int64(q->reset_count)) &&
	       json_put(o, "restart_count", json_object_new_int64(q->restart_count)) &&
	       json_put(o, "safe", json_object_new_boolean(q->safe)) &&
	       json_put(o, "firmware_version", json_object_new_string(firmware));
}

/* @why: NULL for a good one. Of a bad one nothing is shown but why: it proves nothing. */
static int print_json(const struct quote_run *run, const char *why, struct err *e)
{
	cleanup_json json_object *o = json_object_new_object();
	cleanup_buf struct buf text = BUF_INIT;
	int rc;

	if (!o || !json_put(o, "verdict", json_object_new_string(why ? "bad" : "good")) ||
	    (why ? !json_put(o, "reason", json_object_new_string(why)) : !put_quote(o, run)))
		return err_set(e, ENOMEM, "no memory for the answer");
	rc = json_write(&text, o, e);
	if (!rc)
		fwrite(text.data, 1, text.len, stdout);
	return rc;
}

static int run_check(struct quote_run *run)
{
	struct err e = ERR_INIT, why;
	int rc = load(run, &e);

	if (rc)
		return cli_fail(CLI_COULD_NOT, "quote-check", &e);
	rc = quote_check(&run->check, &run->quote, &run->found_signer, &e);
	if (rc && rc != -EBADMSG && rc != -EINVAL)
		return cli_fail(CLI_COULD_NOT, "quote-check", &e);
	why = e;
	if (run->o.json && print_json(run, rc ? why.msg : NULL, &e))
		return cli_fail(CLI_COULD_NOT, "quote-check", &e);
	if (rc)
		return cli_fail(CLI_BAD, "quote-check", &why);
	if (!run->o.json)
		print_text(run);
	return CLI_PASSED;
}

static void run_free(struct quote_run *run)
{
	if (!run)
		return;
	quote_ak_free(&run->ak);
	buf_free(&run->attest);
	buf_free(&run->signature);
	free(run);
}

int cmd_quote_check(int argc, char **argv)
{
	struct quote_options o = {.scheme = NULL};
	const struct cli_opt opts[] = {
		{.name = "ak", .arg = "FILE", .help = "the attestation key: PEM, or TPM2B_PUBLIC", .value = &o.ak},
		{.name = "attest", .arg = "FILE", .help = "TPMS_ATTEST (tpm2_quote -m)", .value = &o.attest},
		{.name = "signature", .arg = "FILE", .help = "TPMT_SIGNATURE (tpm2_quote -s)", .value = &o.signature},
		{.name = "nonce", .arg = "HEX", .help = "what it was asked with (tpm2_quote -q)", .value = &o.nonce},
		{.name = "pcrs-select", .arg = "ALG:LIST", .help = "exactly this selection, as sha256:0-15", .value = &o.select},
		{.name = "pcrs",
		 .arg = "FILE",
		 .help = "PCR values: lines \"ALG INDEX HEX\", or as tpm2-tools write them",
		 .value = &o.pcrs},
		{.name = "scheme",
		 .arg = "NAME",
		 .help = "rsassa (default for RSA), rsapss, ecdsa; then :sha384 or :sha512",
		 .value = &o.scheme},
		{.name = "qualified-signer", .arg = "HEX", .help = "the key's qualified name", .value = &o.signer},
		{.name = "json", .help = "one JSON object in place of text", .value = &o.json},
		{.name = NULL},
	};
	struct quote_run *run;
	int rc, n = cli_options(argc, argv, "", "Check a TPM's quote: GOOD (exit 0), or why not (exit 1).", opts);

	if (n < 0)
		return CLI_USAGE;
	if (n || !o.ak || !o.attest || !o.signature || !o.nonce || !o.select)
		return cli_usage(argv[0], "wanted --ak, --attest, --signature, --nonce, --pcrs-select, and no operand");
	/* One check of one public key: no provider of a configuration file has a part in it, and a process that ends needs no tidying. */
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL); /* else slower, no worse */
	run = calloc(1, sizeof(*run));
	if (!run) {
		struct err e = ERR_INIT;

		(void)err_set(&e, ENOMEM, "no memory"); /* its code is not needed */
		return cli_fail(CLI_COULD_NOT, argv[0], &e);
	}
	run->o = o;
	rc = parse_words(run) ? run_check(run) : CLI_USAGE;
	run_free(run);
	return rc;
}
