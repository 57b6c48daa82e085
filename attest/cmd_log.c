/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/cmd_log.c - holdfast-attest log: an event log decoded, and the PCRs it replays to
 *
 * A log is first walked to its end without a word: a malformed one is refused before anything of it is shown.
 */
#include "attest/cmd.h"

#include "attest/cel_json.h"
#include "attest/event_decode.h"
#include "attest/event_log.h"
#include "attest/log_check.h"
#include "common/cli.h"
#include "common/file.h"
#include "common/hex.h"
#include "common/json.h"

#include <stdio.h>
#include <string.h>

enum { MAX_SHOWN_ITEMS = 8, MAX_INDENT = 16 };

struct log_options {
	const char *file, *bank, *pcrs;
	int json, cel_json;
	enum hash_alg only;
};

/* The whole of a run; large. */
struct log_run {
	struct log_options o;
	struct event_log log;  /* the first walk, which replays */
	struct event_log look; /* the second */
	struct log_check check;
	struct pcr_values values;
	struct event_budget budget;
	int shown; /* bank whose digests the text shows */
};

/* The sets of PCRs that are shown: of one bank, or of all that can be computed. */
static bool is_shown(const struct log_run *run, size_t bank)
{
	return run->log.can_replay[bank] && (run->o.only == HASH_NONE || run->log.bank[bank].alg == run->o.only);
}

/* Walk and judge; nothing is printed. -EINVAL if it is no log, or lacks the wanted bank; -ENOTSUP if all its banks are SM3. */
static int walk(struct log_run *run, struct bytes b, struct err *e)
{
	struct event_log_event ev;
	int rc = event_log_open(b, &run->log, e);

	while (!rc && (rc = event_log_next(&run->log, &ev, e)) == 1) {
		log_check_event(&run->check, &run->log, &ev);
		rc = 0;
	}
	if (rc)
		return rc;
	log_check_end(&run->check, &run->log);
	run->shown = run->o.only == HASH_NONE ? event_log_strongest(&run->log) : event_log_bank(&run->log, run->o.only);
	if (run->shown < 0 && run->o.only == HASH_NONE)
		return err_set(e, ENOTSUP, "%s: no bank of the log can be replayed: wanted SHA-1 or SHA-2", run->o.file);
	if (run->shown < 0)
		return err_set(e, EINVAL, "the log has no bank %s", hash_name(run->o.only));
	if (run->o.pcrs)
		log_check_pcrs(&run->check, &run->log, &run->values, run->o.only);
	return 0;
}

static json_object *decoded(struct log_run *run, const struct event_log_event *ev)
{
	if (ev->content)
		return json_object_get(ev->content);
	if (run->log.format == EVENT_LOG_SHA1 || run->log.format == EVENT_LOG_AGILE)
		return event_decode(ev->type, ev->data, &run->budget);
	return event_decode(TCG_EV_IPL, ev->data, &run->budget); /* text, where it is some */
}

/* Second walk, for showing: @show gets each event with what it decodes to. */
static int walk_again(struct log_run *run, struct bytes b,
		      int (*show)(struct log_run *, const struct event_log_event *, json_object *, void *), void *ctx,
		      struct err *e)
{
	struct event_log *log = &run->look;
	struct event_log_event ev;
	int rc = event_log_open(b, log, e);

	log->no_replay = true;
	run->budget = (struct event_budget)EVENT_BUDGET_INIT;
	while (!rc && (rc = event_log_next(log, &ev, e)) == 1) {
		cleanup_json json_object *o = decoded(run, &ev);

		rc = o ? show(run, &ev, o, ctx) : -ENOMEM;
		if (rc)
			return err_set(e, ENOMEM, "no memory to show the log");
	}
	return rc;
}

/* --- for people ----------------------------------------------------------------------------------------------------
 */

static void print_tree(json_object *o, unsigned indent);

static void print_member(const char *key, json_object *v, unsigned indent)
{
	if (json_object_is_type(v, json_type_object) || json_object_is_type(v, json_type_array)) {
		printf("%*s%s:\n", (int)indent, "", key);
		print_tree(v, indent + 2);
		return;
	}
	printf("%*s%s: ", (int)indent, "", key);
	for (const char *c = json_object_get_string(v); c && *c; c++) /* CEL-JSON may hold any character */
		putchar(*c >= ' ' && *c <= '~' ? *c : '?');
	putchar('\n');
}

/* Depth is bounded: by the decoder, or by common/json.h. */
static void print_tree(json_object *o, unsigned indent)
{
	size_t n;

	if (indent > 4 + 2 * MAX_INDENT)
		return;
	if (json_object_is_type(o, json_type_object)) {
		json_object_object_foreach (o, key, v)
			print_member(key, v, indent);
		return;
	}
	n = json_object_array_length(o);
	for (size_t i = 0; i < n && i < MAX_SHOWN_ITEMS; i++)
		print_member("-", json_object_array_get_idx(o, i), indent);
	if (n > MAX_SHOWN_ITEMS)
		printf("%*sand %zu more (all with --json)\n", (int)indent, "", n - MAX_SHOWN_ITEMS);
}

static int show_text(struct log_run *run, const struct event_log_event *ev, json_object *o, void *ctx)
{
	char hex[2 * HASH_MAX_BYTES + 1];

	(void)ctx; /* stdout */
	if (ev->no_action) {
		printf("%4zu %s\n", ev->index, ev->label);
	} else {
		hex_encode(ev->digest[run->shown], run->log.bank[run->shown].bytes, hex);
		printf("%4zu PCR %u %s %s\n", ev->index, (unsigned)ev->pcr, ev->label, hex);
	}
	if (json_object_is_type(o, json_type_object))
		print_tree(o, 5);
	return 0;
}

static void print_pcrs(const struct log_run *run)
{
	char hex[2 * HASH_MAX_BYTES + 1];

	for (size_t i = 0; i < run->log.n_banks; i++)
		for (size_t pcr = 0; is_shown(run, i) && pcr < REPLAY_PCRS; pcr++) {
			const struct replay *r = &run->log.replay[i];

			if (!r->count[pcr])
				continue;
			hex_encode(r->pcr[pcr], hash_bytes(r->alg), hex);
			printf("%s:%zu = %s\n", hash_name(r->alg), pcr, hex);
		}
}

static void print_lines(const char *prefix, const struct appraisal_lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		printf("%s: %s\n", prefix, l->line[i]);
	if (l->dropped)
		printf("%s: and %zu more\n", prefix, l->dropped);
}

static int print_text(struct log_run *run, struct bytes b, struct err *e)
{
	int rc = walk_again(run, b, show_text, NULL, e);

	if (rc)
		return rc;
	print_pcrs(run);
	printf("format: %s, %zu events, startup locality %u%s; digests shown are of bank %s\n",
	       event_log_format_str(run->log.format), run->log.n_events, (unsigned)run->log.tcg.startup_locality,
	       run->log.tcg.hcrtm ? ", H-CRTM" : "", hash_name(run->log.bank[run->shown].alg));
	print_lines("bad", &run->check.bad);
	print_lines("note", &run->check.notes);
	if (run->o.pcrs)
		printf("%s\n", run->check.bad.n ? "BAD" : "SOUND: the given values are what the log replays to");
	return 0;
}

/* --- JSON ----------------------------------------------------------------------------------------------------------
 */

static const char *bank_name(const struct event_log *log, size_t i, char buf[static 16])
{
	if (hash_bytes(log->bank[i].alg))
		return hash_name(log->bank[i].alg);
	(void)snprintf(buf, 16, "0x%04x", (unsigned)log->bank[i].alg); /* fits */
	return buf;
}

static json_object *digests_of(const struct log_run *run, const struct event_log_event *ev)
{
	json_object *o = json_object_new_object();
	bool ok = o;
	char name[16];

	for (size_t i = 0; ok && !ev->header && i < run->log.n_banks; i++)
		ok = json_put(o, bank_name(&run->log, i, name), json_hex(ev->digest[i], run->log.bank[i].bytes));
	if (ok)
		return o;
	(void)json_object_put(o); /* accepts NULL */
	return NULL;
}

/* Each is written and forgotten: @ctx is the text of those before it. */
static int show_json(struct log_run *run, const struct event_log_event *ev, json_object *o, void *ctx)
{
	cleanup_json json_object *item = json_object_new_object();
	struct err e = ERR_INIT;
	struct buf *text = ctx;
	bool ok = item && json_put(item, "index", json_object_new_int64((int64_t)ev->index)) &&
		  json_put(item, "pcr", json_object_new_int64(ev->pcr)) &&
		  json_put(item, "type", json_object_new_string(ev->label)) &&
		  json_put(item, "measured", json_object_new_boolean(!ev->no_action)) &&
		  json_put(item, "digests", digests_of(run, ev)) &&
		  json_put(item, "data_bytes", json_object_new_int64((int64_t)ev->data.n)) &&
		  json_put(item, "decoded", json_object_get(o));

	if (ok && text->len)
		buf_u8(text, ',');
	return ok ? json_write(text, item, &e) : -ENOMEM;
}

static json_object *lines_of(const struct appraisal_lines *l)
{
	json_object *a = json_object_new_array();
	bool ok = a;

	for (size_t i = 0; ok && i < l->n; i++)
		ok = json_push(a, json_object_new_string(l->line[i]));
	if (ok)
		return a;
	(void)json_object_put(a); /* accepts NULL */
	return NULL;
}

static bool put_pcrs(json_object *pcrs, const struct replay *r)
{
	json_object *bank = json_object_new_object();
	bool ok = bank;
	char number[8];

	for (size_t i = 0; ok && i < REPLAY_PCRS; i++) {
		if (!r->count[i])
			continue;
		(void)snprintf(number, sizeof(number), "%zu", i); /* two digits */
		ok = json_put(bank, number, json_hex(r->pcr[i], hash_bytes(r->alg)));
	}
	return json_put(pcrs, hash_name(r->alg), bank) && ok;
}

static int print_json(struct log_run *run, struct bytes b, struct err *e)
{
	cleanup_json json_object *banks = json_object_new_array(), *pcrs = json_object_new_object(), *o = json_object_new_object();
	cleanup_buf struct buf text = BUF_INIT, entries = BUF_INIT;
	bool ok = o && banks && pcrs;
	char name[16];
	int rc = ok ? walk_again(run, b, show_json, &entries, e) : 0;

	if (rc)
		return rc;
	for (size_t i = 0; ok && i < run->log.n_banks; i++) {
		if (run->o.only == HASH_NONE || run->log.bank[i].alg == run->o.only)
			ok = json_push(banks, json_object_new_string(bank_name(&run->log, i, name)));
		if (ok && is_shown(run, i))
			ok = put_pcrs(pcrs, &run->log.replay[i]);
	}
	ok = ok && json_put(o, "format", json_object_new_string(event_log_format_str(run->log.format))) &&
	     json_put(o, "events", json_object_new_int64((int64_t)run->log.n_events)) && json_put(o, "banks", take_ptr(banks)) &&
	     json_put(o, "startup_locality", json_object_new_int(run->log.tcg.startup_locality)) &&
	     json_put(o, "hcrtm", json_object_new_boolean(run->log.tcg.hcrtm)) && json_put(o, "pcrs", take_ptr(pcrs)) &&
	     json_put(o, "compared", json_object_new_boolean(run->o.pcrs != NULL)) &&
	     json_put(o, "bad", lines_of(&run->check.bad)) && json_put(o, "notes", lines_of(&run->check.notes));
	if (!ok)
		return err_set(e, ENOMEM, "no memory for the answer");
	if ((rc = json_write(&text, o, e)))
		return rc;
	fwrite(text.data, 1, text.len - 2, stdout); /* but for "}\n": the entries are its last member */
	fputs(",\"entries\":[\n", stdout);
	fwrite(entries.data, 1, entries.len, stdout);
	fputs("]}\n", stdout); /* a failure is found by cli at exit */
	return 0;
}

/* --- CEL-JSON ------------------------------------------------------------------------------------------------------
 */

/* -EINVAL if it is not our OS event log. */
static int export_log(const struct log_run *run, struct bytes b, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	int rc;

	if (run->log.format != EVENT_LOG_CEL_TLV)
		return err_set(e, EINVAL, "the log's format is %s; --cel-json exports holdfast's own log, cel-tlv",
			       event_log_format_str(run->log.format));
	rc = cel_json_export(b, &text, e);
	if (!rc)
		fwrite(text.data, 1, text.len, stdout); /* a failure is found by cli at exit */
	return rc;
}

static int run_log(struct log_run *run, struct bytes b)
{
	struct err e = ERR_INIT;
	int rc = walk(run, b, &e);

	if (!rc && run->o.cel_json)
		rc = export_log(run, b, &e);
	if (rc == -EINVAL) {
		(void)err_context(&e, "%s", run->o.file); /* keeps the code, which is known to be bad */
		return cli_fail(CLI_BAD, "log", &e);
	}
	if (!rc && !run->o.cel_json)
		rc = run->o.json ? print_json(run, b, &e) : print_text(run, b, &e);
	if (rc)
		return cli_fail(CLI_COULD_NOT, "log", &e);
	if (!run->o.pcrs || !run->check.bad.n)
		return CLI_PASSED;
	(void)err_set(&e, EBADMSG, "%s: %s%s", run->o.file, run->check.bad.line[0],
		      run->check.bad.n > 1 ? " (and more)" : "");
	return cli_fail(CLI_BAD, "log", &e);
}

int cmd_log(int argc, char **argv)
{
	cleanup_free struct log_run *run = calloc(1, sizeof(*run));
	struct log_options o = {0};
	const struct cli_opt opts[] = {
		{.name = "json", .help = "one JSON object: format, banks, PCR values, each event", .value = &o.json},
		{.name = "bank", .arg = "ALG", .help = "this bank only (sha1, sha256, sha384, sha512)", .value = &o.bank},
		{.name = "pcrs",
		 .arg = "FILE",
		 .help = "hold the log to these values: lines \"ALG INDEX HEX\", or as tpm2-tools write them",
		 .value = &o.pcrs},
		{.name = "cel-json",
		 .help = "holdfast's own log as CEL-JSON, which systemd-pcrlock reads",
		 .value = &o.cel_json},
		{.name = NULL},
	};
	cleanup_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	int rc, n = cli_options(argc, argv, "FILE", "Show an event log (TCG or CEL) and the PCRs it replays to.", opts);

	if (n < 0)
		return CLI_USAGE;
	o.only = o.bank ? hash_by_name(o.bank) : HASH_NONE;
	if (n != 1 || (o.bank && !hash_can_compute(o.only)))
		return cli_usage(argv[0], n != 1 ? "wanted one FILE" : "no such bank");
	if (o.cel_json && (o.json || o.bank))
		return cli_usage(argv[0], "--cel-json is the whole log: no --json, no --bank");
	o.file = argv[1];
	rc = run ? file_read(o.file, 4 * EVENT_LOG_MAX_BYTES, &b, &e) : err_set(&e, ENOMEM, "no memory");
	if (!rc && o.pcrs)
		rc = pcr_values_load(o.pcrs, &run->values, &e);
	if (rc)
		return cli_fail(CLI_COULD_NOT, argv[0], &e);
	run->o = o;
	rc = run_log(run, (struct bytes){b.data, b.len});
	event_log_close(&run->log);
	event_log_close(&run->look);
	return rc;
}
