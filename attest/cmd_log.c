/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/cmd_log.c - holdfast-attest log: an event log and the PCRs it replays to */
#include "attest/cmd.h"

#include "attest/replay.h"
#include "attest/tcg_log.h"
#include "common/cel.h"
#include "common/cli.h"
#include "common/file.h"
#include "common/hex.h"
#include "common/json.h"

#include <stdio.h>
#include <string.h>

enum { MAX_PCRS_FILE_BYTES = 65536, MAX_TEXT = 100 };

/* A log of either kind, and its banks as far as they can be replayed. */
struct log {
	struct bytes bytes;
	const char *format;
	bool cel;
	size_t n_events;
	uint8_t startup_locality;
	size_t n_banks;
	struct replay bank[TCG_LOG_MAX_BANKS];
};

/* A CEL log begins with record number 0 and a PCR; a TCG log would need a digest that looks like it. */
static bool is_cel(struct bytes b)
{
	static const uint8_t begin[] = {0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 4};

	return b.n >= sizeof(begin) && !memcmp(b.p, begin, sizeof(begin));
}

static int add_bank(struct log *l, enum hash_alg alg, const char *only, struct err *e)
{
	struct replay *r = &l->bank[l->n_banks];
	int rc;

	if ((only && strcmp(only, hash_name(alg))) || !hash_can_compute(alg) || l->n_banks == TCG_LOG_MAX_BANKS)
		return 0;
	rc = replay_init(alg, r, e);
	if (!rc)
		rc = l->cel ? replay_os(r, l->bytes, NULL, NULL, e) : replay_firmware(r, l->bytes, NULL, NULL, e);
	if (!rc)
		l->n_banks++;
	return rc;
}

static int open_cel(struct log *l, const char *only, struct err *e)
{
	struct reader r = reader_init(l->bytes.p, l->bytes.n);
	struct cel_record rec, first = {0};
	int rc;

	l->cel = true;
	l->format = "cel-tlv";
	while ((rc = cel_next(&r, l->n_events, &rec, e)) == 1)
		if (!l->n_events++)
			first = rec;
	for (size_t i = 0; !rc && i < first.n_digests; i++)
		rc = add_bank(l, first.digest[i].alg, only, e);
	return rc;
}

static int open_tcg(struct log *l, const char *only, struct err *e)
{
	struct tcg_event ev;
	struct tcg_log log;
	int rc = tcg_log_open(l->bytes.p, l->bytes.n, &log, e);

	if (rc)
		return rc;
	while ((rc = tcg_log_next(&log, &ev, e)) == 1)
		;
	for (size_t i = 0; !rc && i < log.n_banks; i++)
		rc = add_bank(l, log.bank[i].alg, only, e);
	l->format = log.agile ? "tcg-agile" : "tcg-sha1";
	l->n_events = log.n_events;
	l->startup_locality = log.startup_locality;
	return rc;
}

static int open_log(struct bytes bytes, const char *only, struct log *l, struct err *e)
{
	int rc;

	l->bytes = bytes;
	rc = is_cel(bytes) ? open_cel(l, only, e) : open_tcg(l, only, e);
	if (!rc && !l->n_banks)
		rc = err_set(e, EINVAL, "the log has no bank %s that can be replayed", only ? only : "at all");
	return rc;
}

/* --- for people ----------------------------------------------------------------------------------------------------
 */

/* The longest beginning of @b that is text, ASCII or UTF-16LE; nothing for what is neither. */
static void text_of(struct bytes b, char ret[static MAX_TEXT])
{
	size_t step = b.n >= 4 && !b.p[1] && !b.p[3] ? 2 : 1, n = 0;

	for (size_t i = 0; i < b.n && n + 1 < MAX_TEXT && b.p[i]; i += step) {
		if (b.p[i] < ' ' || b.p[i] > '~') {
			n = 0;
			break;
		}
		ret[n++] = (char)b.p[i];
	}
	ret[n > 2 ? n : 0] = '\0';
}

static int print_event(void *ctx, const struct replay_event *ev, struct err *e)
{
	const char *type = tcg_event_type_str(ev->type);
	char text[MAX_TEXT], name[MAX_TEXT], hex[2 * HASH_MAX_BYTES + 1];
	const struct replay *r = ctx;

	(void)e; /* printing does not end the walk */
	hex_encode(ev->digest, hash_bytes(r->alg), hex);
	text_of(ev->data, text);
	text_of(ev->name, name);
	if (ev->source == REPLAY_OS)
		printf("%4zu PCR %2u %s %s \"%s\"\n", ev->index, (unsigned)ev->pcr, hex, name, text);
	else if (type)
		printf("%4zu PCR %2u %s %s \"%s\"\n", ev->index, (unsigned)ev->pcr, hex, type, text);
	else
		printf("%4zu PCR %2u %s type 0x%08x \"%s\"\n", ev->index, (unsigned)ev->pcr, hex, (unsigned)ev->type,
		       text);
	return 0;
}

static int print_text(const struct log *l, struct err *e)
{
	const struct replay *best = &l->bank[l->n_banks - 1]; /* the strongest stands last in every log seen */
	char hex[2 * HASH_MAX_BYTES + 1];
	struct replay again;
	int rc;

	for (size_t i = 0; i < l->n_banks; i++)
		if (l->bank[i].alg == HASH_SHA256)
			best = &l->bank[i];
	printf("format: %s, %zu events, startup locality %u; digests are of bank %s\n", l->format, l->n_events,
	       (unsigned)l->startup_locality, hash_name(best->alg));
	rc = replay_init(best->alg, &again, e);
	if (!rc)
		rc = l->cel ? replay_os(&again, l->bytes, print_event, &again, e)
			    : replay_firmware(&again, l->bytes, print_event, &again, e);
	for (size_t i = 0; !rc && i < l->n_banks; i++)
		for (size_t pcr = 0; pcr < REPLAY_PCRS; pcr++) {
			if (!l->bank[i].count[pcr])
				continue;
			hex_encode(l->bank[i].pcr[pcr], hash_bytes(l->bank[i].alg), hex);
			printf("%s:%zu = %s\n", hash_name(l->bank[i].alg), pcr, hex);
		}
	return rc;
}

static int add_pcrs(json_object *pcrs, const struct replay *r)
{
	json_object *bank = json_object_new_object();
	char hex[2 * HASH_MAX_BYTES + 1], number[8];

	if (!bank || json_object_object_add(pcrs, hash_name(r->alg), bank))
		return -ENOMEM;
	for (size_t i = 0; i < REPLAY_PCRS; i++) {
		if (!r->count[i])
			continue;
		hex_encode(r->pcr[i], hash_bytes(r->alg), hex);
		(void)snprintf(number, sizeof(number), "%zu", i); /* two digits */
		if (json_object_object_add(bank, number, json_object_new_string(hex)))
			return -ENOMEM;
	}
	return 0;
}

static int print_json(const struct log *l, struct err *e)
{
	json_object *banks = json_object_new_array(), *pcrs = json_object_new_object();
	cleanup_json json_object *o = json_object_new_object();
	cleanup_buf struct buf text = BUF_INIT;
	int rc = 0;

	if (!o || json_object_object_add(o, "format", json_object_new_string(l->format)) ||
	    json_object_object_add(o, "events", json_object_new_int64((int64_t)l->n_events)) ||
	    json_object_object_add(o, "banks", banks) ||
	    json_object_object_add(o, "startup_locality", json_object_new_int(l->startup_locality)) ||
	    json_object_object_add(o, "pcrs", pcrs))
		rc = -ENOMEM;
	for (size_t i = 0; !rc && i < l->n_banks; i++) {
		rc = json_object_array_add(banks, json_object_new_string(hash_name(l->bank[i].alg))) ? -ENOMEM : 0;
		if (!rc)
			rc = add_pcrs(pcrs, &l->bank[i]);
	}
	if (rc)
		return err_set(e, ENOMEM, "no memory for the answer");
	rc = json_write(&text, o, e);
	if (!rc)
		fwrite(text.data, 1, text.len, stdout);
	return rc;
}

/* --- against values read from a TPM --------------------------------------------------------------------------------
 */

/* One value "N : 0xHEX" below "ALG:". Return: 1 compared and equal, 0 not of a bank we have, -EBADMSG differs, -EINVAL.
 */
static int compare_line(const struct log *l, enum hash_alg alg, const char *line, struct err *e)
{
	char hex[2 * HASH_MAX_BYTES + 1], want[2 * HASH_MAX_BYTES + 1];
	unsigned pcr;

	if (sscanf(line, " %2u : 0x%128[0-9A-Fa-f]", &pcr, hex) != 2 || pcr >= REPLAY_PCRS ||
	    strlen(hex) != 2 * hash_bytes(alg))
		return err_set(e, EINVAL, "cannot read the line \"%.60s\", wanted as tpm2_pcrread prints", line);
	for (size_t i = 0; i < l->n_banks; i++) {
		if (l->bank[i].alg != alg)
			continue;
		hex_encode(l->bank[i].pcr[pcr], hash_bytes(alg), want);
		return strcasecmp(hex, want) ? err_set(e, EBADMSG, "%s:%u is %s, the log replays to %s", hash_name(alg),
						       pcr, hex, want)
					     : 1;
	}
	return 0;
}

/* A file as tpm2_pcrread prints it; every value that stands in it is compared, and at least one must be. */
static int compare_pcrs(const struct log *l, const char *path, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;
	enum hash_alg alg = HASH_NONE;
	char *save = NULL, name[16];
	size_t n = 0;
	int rc = file_read(path, MAX_PCRS_FILE_BYTES, &b, e);

	if (rc)
		return rc;
	for (char *line = strtok_r((char *)b.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (!strchr(line, 'x') && sscanf(line, " %15[a-z0-9_]:", name) == 1) {
			alg = hash_by_name(name);
			continue;
		}
		rc = compare_line(l, alg, line, e);
		if (rc < 0)
			return err_context(e, "%s", path);
		n += (size_t)rc;
	}
	return n ? 0 : err_set(e, EINVAL, "%s names no PCR of a bank of the log", path);
}

int cmd_log(int argc, char **argv)
{
	const char *bank = NULL, *pcrs = NULL;
	int json = 0;
	const struct cli_opt opts[] = {
		{.name = "json", .help = "one JSON object: format, banks, PCR values", .value = &json},
		{.name = "bank", .arg = "ALG", .help = "this bank only (sha1, sha256, sha384, sha512)", .value = &bank},
		{.name = "pcrs",
		 .arg = "FILE",
		 .help = "compare with values as tpm2_pcrread prints them",
		 .value = &pcrs},
		{.name = NULL},
	};
	cleanup_free struct log *l = calloc(1, sizeof(*l));
	cleanup_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	int rc, n = cli_options(argc, argv, "FILE", "Show an event log (TCG or CEL) and the PCRs it replays to.", opts);

	if (n < 0)
		return CLI_USAGE;
	if (n != 1 || (bank && !hash_can_compute(hash_by_name(bank))))
		return cli_usage(argv[0], n != 1 ? "wanted one FILE" : "no such bank");
	rc = l ? file_read(argv[1], TCG_LOG_MAX_BYTES, &b, &e) : err_set(&e, ENOMEM, "no memory");
	if (rc)
		return cli_fail(CLI_COULD_NOT, argv[0], &e);
	rc = open_log((struct bytes){b.data, b.len}, bank, l, &e);
	if (rc) {
		(void)err_context(&e, "%s", argv[1]); /* keeps the code, which is known to be bad */
		return cli_fail(CLI_BAD, argv[0], &e);
	}
	rc = json ? print_json(l, &e) : print_text(l, &e);
	if (!rc && pcrs)
		rc = compare_pcrs(l, pcrs, &e);
	return rc ? cli_fail(rc == -EBADMSG ? CLI_BAD : CLI_COULD_NOT, argv[0], &e) : CLI_PASSED;
}
