/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/table.c - what a device-mapper device really is, from the kernel's live table */
#include "verity/table.h"

#include "common/hex.h"
#include "verity/trust.h"

#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define DM_CONTROL   "/dev/mapper/control"
#define ANSWER_BYTES 4096
#define MAX_WORDS    64

/* struct answer - one ioctl's memory: request, and behind it the kernel's targets */
struct answer {
	struct dm_ioctl io;
	uint8_t targets[ANSWER_BYTES];
};

/* struct option - an optional word of the table and how many words of value follow it */
static const struct option {
	const char *word;
	unsigned values;
} option_table[] = {
	{"ignore_corruption", 0},
	{"restart_on_corruption", 0},
	{"panic_on_corruption", 0},
	{"restart_on_error", 0},
	{"panic_on_error", 0},
	{"ignore_zero_blocks", 0},
	{"check_at_most_once", 0},
	{"try_verify_in_tasklet", 0},
	{"use_fec_from_device", 1},
	{"fec_roots", 1},
	{"fec_blocks", 1},
	{"fec_start", 1},
	{"root_hash_sig_key_desc", 1},
};

static bool parse_number(const char *s, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9' || v > (max - (uint64_t)(*s - '0')) / 10)
			return false;
		v = v * 10 + (uint64_t)(*s - '0');
	}
	*ret = v;
	return true;
}

/* "major:minor" */
static bool parse_dev(char *s, dev_t *ret)
{
	char *colon = strchr(s, ':');
	uint64_t maj = 0, min = 0;

	if (!colon)
		return false;
	*colon = '\0';
	if (!parse_number(s, UINT32_MAX, &maj) || !parse_number(colon + 1, UINT32_MAX, &min))
		return false;
	*ret = makedev((unsigned)maj, (unsigned)min);
	return true;
}

/* Note what one optional word says. Return: words of value behind it, -1 if it is not known. */
static int take_option(const char *word, struct verity_table *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(option_table); i++) {
		if (strcmp(option_table[i].word, word))
			continue;
		if (!strcmp(word, "ignore_corruption") || !strcmp(word, "check_at_most_once"))
			t->is_weak = true;
		else if (!strcmp(word, "panic_on_corruption"))
			t->on_corruption = VERITY_CORRUPTION_PANIC;
		else if (!strcmp(word, "restart_on_corruption"))
			t->on_corruption = VERITY_CORRUPTION_RESTART;
		else if (!strcmp(word, "panic_on_error"))
			t->on_error = VERITY_CORRUPTION_PANIC;
		else if (!strcmp(word, "restart_on_error"))
			t->on_error = VERITY_CORRUPTION_RESTART;
		else if (!strcmp(word, "root_hash_sig_key_desc"))
			t->is_signed = true;
		return (int)option_table[i].values;
	}
	return -1;
}

/* The optional words: @word[0] is their number. */
static int parse_options(char *const word[], size_t n, struct verity_table *t, struct err *e)
{
	uint64_t wanted = 0;

	if (n == 0)
		return 0;
	if (!parse_number(word[0], MAX_WORDS, &wanted) || wanted != n - 1)
		return err_set(e, EMEDIUMTYPE, "verity table: %zu optional words where \"%s\" are announced", n - 1,
			       word[0]);
	for (size_t i = 1; i < n; i++) {
		int values = take_option(word[i], t);

		if (values < 0 || (size_t)values > n - 1 - i)
			return err_set(e, EMEDIUMTYPE, "verity table: option \"%.40s\" is not known or lacks its value",
				       word[i]);
		i += (size_t)values;
	}
	return 0;
}

int verity_table_parse(const char *text, uint64_t sectors, struct verity_table *ret, struct err *e)
{
	char copy[ANSWER_BYTES], *word[MAX_WORDS], *save = NULL;
	uint64_t block_bytes = 0, blocks = 0;
	struct verity_table t = {0};
	size_t n = 0;
	int r;

	if (strlen(text) >= sizeof(copy))
		return err_set(e, EMEDIUMTYPE, "verity table of %zu bytes is too long", strlen(text));
	memcpy(copy, text, strlen(text) + 1);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		if (n == MAX_WORDS)
			return err_set(e, EMEDIUMTYPE, "verity table of more than %d words", MAX_WORDS);
		word[n++] = w;
	}
	if (n < 10)
		return err_set(e, EMEDIUMTYPE, "verity table of %zu words, wanted at least 10", n);
	if (strcmp(word[0], "1") || strcmp(word[7], "sha256"))
		return err_set(e, EMEDIUMTYPE, "verity table of version %.8s with %.40s, wanted 1 and sha256", word[0],
			       word[7]);
	if (!parse_dev(word[1], &t.data_dev) || !parse_dev(word[2], &t.hash_dev))
		return err_set(e, EMEDIUMTYPE, "verity table: device numbers are malformed");
	if (!parse_number(word[3], 1 << 20, &block_bytes) || block_bytes < 512 ||
	    !parse_number(word[5], INT64_MAX / block_bytes, &blocks) || sectors != blocks * (block_bytes / 512))
		return err_set(e, EMEDIUMTYPE, "verity table: %.20s blocks of %.20s bytes on %llu sectors", word[5],
			       word[3], (unsigned long long)sectors);
	if (!hex_decode(word[8], t.root_hash, sizeof(t.root_hash)))
		return err_set(e, EMEDIUMTYPE, "verity table: root digest is not 64 hex digits");
	t.data_bytes = blocks * block_bytes;
	r = parse_options(word + 10, n - 10, &t, e);
	if (!r)
		*ret = t;
	return r;
}

/* One DM_TABLE_STATUS by number (@name NULL) or name. Return: 0; -ENODEV if there is no such device; -errno. */
static int table_status(dev_t dev, const char *name, unsigned flags, struct answer *a, struct err *e)
{
	cleanup_fd int fd = open(DM_CONTROL, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return err_errno(e, "cannot open %s", DM_CONTROL);
	memset(a, 0, sizeof(*a));
	a->io.version[0] = DM_VERSION_MAJOR;
	a->io.data_size = sizeof(*a);
	a->io.data_start = offsetof(struct answer, targets);
	a->io.flags = flags;
	if (name)
		(void)snprintf(a->io.name, sizeof(a->io.name), "%s", name); /* length was checked */
	else
		a->io.dev = dev;
	if (ioctl(fd, DM_TABLE_STATUS, &a->io) == 0)
		return 0;
	if (errno != ENXIO)
		return err_errno(e, "the device-mapper does not tell the table of %s", name ? name : "a device");
	if (name)
		return err_set(e, ENODEV, "there is no device-mapper device %s", name);
	return err_set(e, ENODEV, "device %u:%u is not a device-mapper device", major(dev), minor(dev));
}

/* The one target of an answer, if it is verity and covers the device from its start. @ret_text is NUL-terminated. */
static int only_target(struct answer *a, uint64_t *ret_sectors, char **ret_text, struct err *e)
{
	struct dm_target_spec spec;
	uint8_t *text = a->targets + sizeof(spec);

	if (!(a->io.flags & DM_ACTIVE_PRESENT_FLAG) || a->io.target_count != 1)
		return err_set(e, EMEDIUMTYPE, "%.60s has %u targets in its live table, wanted one", a->io.name,
			       a->io.target_count);
	if ((a->io.flags & DM_BUFFER_FULL_FLAG) || a->io.data_start != offsetof(struct answer, targets))
		return err_set(e, EMEDIUMTYPE, "%.60s: its table does not fit %d bytes", a->io.name, ANSWER_BYTES);
	memcpy(&spec, a->targets, sizeof(spec));
	if (strncmp(spec.target_type, "verity", sizeof(spec.target_type)) || spec.sector_start != 0)
		return err_set(e, EMEDIUMTYPE, "%.60s is a %.16s target, wanted verity", a->io.name, spec.target_type);
	if (!memchr(text, 0, sizeof(a->targets) - sizeof(spec)))
		return err_set(e, EMEDIUMTYPE, "%.60s: its table has no end", a->io.name);
	*ret_sectors = spec.length;
	*ret_text = (char *)text;
	return 0;
}

/* The table, then the status ("V" valid, "C" corrupted) of the device the table was of. */
static int table_get(dev_t dev, const char *name, struct verity_table *ret, struct err *e)
{
	struct verity_table t = {0};
	uint64_t sectors = 0;
	struct answer a;
	char *text = NULL;
	int r = table_status(dev, name, DM_STATUS_TABLE_FLAG, &a, e);

	if (!r)
		r = only_target(&a, &sectors, &text, e);
	if (!r)
		r = verity_table_parse(text, sectors, &t, e);
	if (r)
		return r;
	t.dev = (dev_t)a.io.dev;
	(void)snprintf(t.name, sizeof(t.name), "%.*s", (int)sizeof(t.name) - 1, a.io.name); /* a label */
	r = table_status(t.dev, NULL, 0, &a, e);
	if (!r)
		r = only_target(&a, &sectors, &text, e);
	if (r)
		return r;
	t.is_corrupt = text[0] != 'V';
	*ret = t;
	return 0;
}

int verity_table_text(const char *name, struct verity_table_text *ret, struct err *e)
{
	struct verity_table_text t = {0};
	struct answer a;
	char *text = NULL;
	int r;

	if (!*name || strlen(name) >= VERITY_NAME_BYTES)
		return err_set(e, EINVAL, "\"%.40s\" is no device-mapper name", name);
	r = table_status(0, name, DM_STATUS_TABLE_FLAG, &a, e);
	if (!r)
		r = only_target(&a, &t.sectors, &text, e);
	if (r)
		return r;
	t.dev = (dev_t)a.io.dev;
	(void)snprintf(t.name, sizeof(t.name), "%.*s", (int)sizeof(t.name) - 1, a.io.name); /* a label */
	(void)snprintf(t.table, sizeof(t.table), "%s", text);				      /* fits: ANSWER_BYTES */
	r = table_status(t.dev, NULL, 0, &a, e);
	if (!r)
		r = only_target(&a, &t.sectors, &text, e);
	if (r)
		return r;
	(void)snprintf(t.status, sizeof(t.status), "%s", text); /* one that is cut is refused by who parses it */
	*ret = t;
	return 0;
}

int verity_table_read(dev_t dev, struct verity_table *ret, struct err *e)
{
	return table_get(dev, NULL, ret, e);
}

int verity_table_find(const char *name, struct verity_table *ret, struct err *e)
{
	if (!*name || strlen(name) >= VERITY_NAME_BYTES)
		return err_set(e, EINVAL, "\"%.40s\" is no device-mapper name", name);
	return table_get(0, name, ret, e);
}

int verity_table_prove(const struct verity_table *t, const uint8_t root_hash[static HASH_SHA256_BYTES],
		       uint64_t data_bytes, struct err *e)
{
	char have[2 * HASH_SHA256_BYTES + 1], want[2 * HASH_SHA256_BYTES + 1];

	if (!hash_equal(t->root_hash, sizeof(t->root_hash), root_hash, HASH_SHA256_BYTES)) {
		hex_encode(t->root_hash, sizeof(t->root_hash), have);
		hex_encode(root_hash, HASH_SHA256_BYTES, want);
		return err_set(e, EBADMSG, "%.40s has root digest %s, wanted %s", t->name, have, want);
	}
	if (data_bytes && t->data_bytes != data_bytes)
		return err_set(e, EBADMSG, "%.100s has %llu bytes, wanted %llu", t->name,
			       (unsigned long long)t->data_bytes, (unsigned long long)data_bytes);
	if (!t->is_signed && !verity_trust_is_direct())
		return err_set(e, EBADMSG, "%.100s was loaded without a root hash signature", t->name);
	if (t->is_weak)
		return err_set(e, EBADMSG, "%.100s does not check every read (ignore_corruption or check_at_most_once)",
			       t->name);
	if (t->is_corrupt)
		return err_set(e, EBADMSG, "%.100s: the kernel has met a corrupted block", t->name);
	return 0;
}

int verity_prove_mount(const char *path, const uint8_t root_hash[static HASH_SHA256_BYTES], uint64_t data_bytes,
		       struct err *e)
{
	struct verity_table t;
	struct stat st;
	int r;

	if (stat(path, &st) < 0)
		return err_errno(e, "cannot stat %s", path);
	r = verity_table_read(st.st_dev, &t, e);
	if (!r)
		r = verity_table_prove(&t, root_hash, data_bytes, e);
	return r ? err_context(e, "%s", path) : 0;
}
