/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/status.c - everything the kernel says of a live dm-verity device */
#include "verity/status.h"

#include "common/hex.h"

#include <string.h>
#include <sys/sysmacros.h>

#define MAX_WORDS   64
#define FIXED_WORDS 10

static const char *const option_names[] = {
	[VERITY_OPTION_IGNORE_CORRUPTION] = "ignore_corruption",
	[VERITY_OPTION_RESTART_ON_CORRUPTION] = "restart_on_corruption",
	[VERITY_OPTION_PANIC_ON_CORRUPTION] = "panic_on_corruption",
	[VERITY_OPTION_RESTART_ON_ERROR] = "restart_on_error",
	[VERITY_OPTION_PANIC_ON_ERROR] = "panic_on_error",
	[VERITY_OPTION_IGNORE_ZERO_BLOCKS] = "ignore_zero_blocks",
	[VERITY_OPTION_CHECK_AT_MOST_ONCE] = "check_at_most_once",
	[VERITY_OPTION_TRY_VERIFY_IN_TASKLET] = "try_verify_in_tasklet",
};
_Static_assert(ARRAY_SIZE(option_names) == VERITY_OPTIONS_, "a name for each option");

const char *verity_option_str(enum verity_option option)
{
	return option_names[option];
}

static bool parse_number(const char *s, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		uint64_t digit = (uint64_t)(*s - '0');

		if (*s < '0' || *s > '9' || digit > max || v > (max - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*ret = v;
	return true;
}

/* "major:minor" */
static bool parse_dev(const char *s, dev_t *ret)
{
	const char *colon = strchr(s, ':');
	uint64_t maj = 0, min = 0;
	char first[12];

	if (!colon || (size_t)(colon - s) >= sizeof(first))
		return false;
	memcpy(first, s, (size_t)(colon - s));
	first[colon - s] = '\0';
	if (!parse_number(first, UINT32_MAX, &maj) || !parse_number(colon + 1, UINT32_MAX, &min))
		return false;
	*ret = makedev((unsigned)maj, (unsigned)min);
	return true;
}

static bool parse_hex(const char *s, uint8_t *ret, size_t max, size_t *ret_bytes)
{
	size_t digits = strlen(s);

	if (digits % 2 || digits / 2 > max || !hex_decode(s, ret, digits / 2))
		return false;
	*ret_bytes = digits / 2;
	return true;
}

static bool parse_block_bytes(const char *s, uint32_t *ret)
{
	uint64_t v = 0;

	if (!parse_number(s, VERITY_MAX_BLOCK_BYTES, &v) || v < 512 || (v & (v - 1)))
		return false;
	*ret = (uint32_t)v;
	return true;
}

static int bad_word(struct err *e, unsigned number, const char *word, const char *wanted)
{
	return err_set(e, EMEDIUMTYPE, "verity table: word %u is \"%.60s\", wanted %s (verity.rst, Construction Parameters)",
		       number, word, wanted);
}

/* The ten words that every verity table has. */
static int parse_fixed(char *const word[], uint64_t sectors, struct verity_status *s, struct err *e)
{
	uint64_t type = 0;

	if (!parse_number(word[0], 1, &type))
		return bad_word(e, 1, word[0], "version 0 or 1");
	s->hash_type = (unsigned)type;
	if (!parse_dev(word[1], &s->data_dev) || !parse_dev(word[2], &s->hash_dev))
		return bad_word(e, 2, word[1], "device numbers");
	if (!parse_block_bytes(word[3], &s->data_block_bytes) || !parse_block_bytes(word[4], &s->hash_block_bytes))
		return bad_word(e, 4, word[3], "block sizes");
	if (!parse_number(word[5], INT64_MAX / s->data_block_bytes, &s->data_blocks) ||
	    sectors != s->data_blocks * (s->data_block_bytes / 512))
		return bad_word(e, 6, word[5], "the number of data blocks of the target's length");
	if (!parse_number(word[6], INT64_MAX / s->hash_block_bytes, &s->hash_start_block))
		return bad_word(e, 7, word[6], "the tree's first block");
	if (strlen(word[7]) > VERITY_MAX_ALGORITHM_BYTES)
		return bad_word(e, 8, word[7], "an algorithm");
	(void)snprintf(s->algorithm, sizeof(s->algorithm), "%s", word[7]); /* fits */
	if (!parse_hex(word[8], s->root_hash, sizeof(s->root_hash), &s->root_hash_bytes) || !s->root_hash_bytes)
		return bad_word(e, 9, word[8], "a root digest");
	if (strcmp(word[9], "-") && !parse_hex(word[9], s->salt, sizeof(s->salt), &s->salt_bytes))
		return bad_word(e, 10, word[9], "a salt or -");
	return 0;
}

/* An optional word with a value. Return: 1 if it is one, 0 if the word is none of these, -1 if the value is malformed. */
static int take_value(const char *word, const char *value, struct verity_status *s)
{
	uint64_t roots = 0;

	if (!strcmp(word, "use_fec_from_device"))
		return parse_dev(value, &s->fec_dev) ? 1 : -1;
	if (!strcmp(word, "fec_blocks"))
		return parse_number(value, INT64_MAX, &s->fec_blocks) ? 1 : -1;
	if (!strcmp(word, "fec_start"))
		return parse_number(value, INT64_MAX, &s->fec_start) ? 1 : -1;
	if (!strcmp(word, "fec_roots")) {
		if (!parse_number(value, 24, &roots) || roots < 2)
			return -1;
		s->fec_roots = (unsigned)roots;
		return 1;
	}
	if (!strcmp(word, "root_hash_sig_key_desc")) {
		if (strlen(value) >= sizeof(s->signature_key))
			return -1;
		(void)snprintf(s->signature_key, sizeof(s->signature_key), "%s", value); /* fits */
		return 1;
	}
	return 0;
}

static int take_flag(const char *word, struct verity_status *s)
{
	for (unsigned i = 0; i < VERITY_OPTIONS_; i++)
		if (!strcmp(word, option_names[i])) {
			s->options |= 1u << i;
			return 1;
		}
	return 0;
}

/* The optional words; @word[0] is their number. */
static int parse_options(char *const word[], size_t n, struct verity_status *s, struct err *e)
{
	uint64_t announced = 0;

	if (n == 0)
		return 0;
	if (!parse_number(word[0], MAX_WORDS, &announced) || announced != n - 1)
		return err_set(e, EMEDIUMTYPE, "verity table: %zu optional words where \"%.20s\" are announced", n - 1,
			       word[0]);
	for (size_t i = 1; i < n; i++) {
		int r;

		if (take_flag(word[i], s))
			continue;
		r = i + 1 < n ? take_value(word[i], word[i + 1], s) : 0;
		if (r <= 0)
			return err_set(e, EMEDIUMTYPE, "verity table: option \"%.40s\" is not known, or lacks its value",
				       word[i]);
		i++;
	}
	return 0;
}

static int parse_status(const char *text, struct verity_status *s, struct err *e)
{
	if ((text[0] != 'V' && text[0] != 'C') || (text[1] && text[1] != ' '))
		return err_set(e, EMEDIUMTYPE, "verity status is \"%.20s\", wanted V or C (verity.rst, Status)", text);
	s->is_corrupt = text[0] == 'C';
	if (!text[1] || !text[2] || !strcmp(text + 2, "-"))
		return 0;
	if (!parse_number(text + 2, INT64_MAX, &s->corrected))
		return err_set(e, EMEDIUMTYPE, "verity status is \"%.40s\", wanted a number behind %c (verity.rst, Status)",
			       text, text[0]);
	s->has_counter = true;
	return 0;
}

int verity_status_parse(const struct verity_table_text *text, struct verity_status *ret, struct err *e)
{
	char copy[VERITY_TABLE_TEXT_BYTES], *word[MAX_WORDS], *save = NULL;
	struct verity_status s = {.dev = text->dev};
	size_t n = 0;
	int r;

	memcpy(s.name, text->name, sizeof(s.name));
	memcpy(copy, text->table, sizeof(copy));
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		if (n == MAX_WORDS)
			return err_set(e, EMEDIUMTYPE, "verity table of more than %d words", MAX_WORDS);
		word[n++] = w;
	}
	if (n < FIXED_WORDS)
		return err_set(e, EMEDIUMTYPE, "verity table of %zu words, wanted at least %d", n, FIXED_WORDS);
	r = parse_fixed(word, text->sectors, &s, e);
	if (!r)
		r = parse_options(word + FIXED_WORDS, n - FIXED_WORDS, &s, e);
	if (!r)
		r = parse_status(text->status, &s, e);
	if (!r)
		*ret = s;
	return r;
}

int verity_status_get(const char *name, struct verity_status *ret, struct err *e)
{
	struct verity_table_text text;
	int r = verity_table_text(name, &text, e);

	return r ? r : verity_status_parse(&text, ret, e);
}
