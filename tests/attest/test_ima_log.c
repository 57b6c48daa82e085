/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_ima_log.c - the IMA log of a real kernel, and each way to be another one
 *
 * good-linux-6.12.bin is /sys/kernel/security/ima/binary_runtime_measurements of Debian's 6.12.117 in QEMU with swtpm
 * (bank sha256), after, in an initramfs of busybox and veritysetup with DM_DISABLE_UDEV=1: printf 'measure
 * func=CRITICAL_DATA label=device-mapper\nmeasure func=MODULE_CHECK\n' > /sys/kernel/security/ima/policy insmod loop,
 * reed_solomon, sha256-ssse3, dm-mod, dm-bufio, dm-verity veritysetup format --salt=-
 * --uuid=00000000-0000-0000-0000-000000000001 data hash   (16 KiB of zeros) veritysetup open --panic-on-corruption data
 * root,a=b hash ROOT; veritysetup open data plain hash ROOT; veritysetup close plain The PCR values below were read in
 * the same boot from /sys/class/tpm/tpm0/pcr-sha256/.
 */
#include "tests/attest/world.h"

#include "attest/ima_log.h"
#include "common/file.h"

#include <ctype.h>

static const char *const pcr_read[] = {
	"E21B703EE69C77476BCCB43EC0336A9A1B2914B378944F7B00A10214CA8FEA93",
	"9545B52A40EA07DA82461BC8D206872FF440FDFA807690A19607463FAEDE68AA",
	"6DFBDC4EDDD2202B37210716B8DA0261E2F6DAEEF37D0A2D6804E1B62B2A1CCD",
	"E21B703EE69C77476BCCB43EC0336A9A1B2914B378944F7B00A10214CA8FEA93",
	"1EB9AA21337CC1FA31CE5F56900D7BF59B9DDA366823095AED06544CAA2557CA",
	"E21B703EE69C77476BCCB43EC0336A9A1B2914B378944F7B00A10214CA8FEA93",
	"E21B703EE69C77476BCCB43EC0336A9A1B2914B378944F7B00A10214CA8FEA93",
	"E21B703EE69C77476BCCB43EC0336A9A1B2914B378944F7B00A10214CA8FEA93",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"4964FF3DC9BB2C7F3173BABE1637E5F74AE8A334116BE7335ECA6365E44DE8A3",
};
static const char root_hash[] = "549f609483a016a6b704fd887aa0a3bf3b5366361ba7189192b4d3478db97ca8";

static void lower_hex(const char *upper, uint8_t ret[static 32])
{
	char hex[65] = {0};

	for (size_t i = 0; i < 64; i++)
		hex[i] = (char)tolower((unsigned char)upper[i]);
	assert_true(hex_decode(hex, ret, 32));
}

static struct buf load_real(void)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	assert_ok(file_read("tests/data/ima-log/good-linux-6.12.bin", 1 << 16, &b, &e), &e);
	return b;
}

static void a_log_of_linux_6_12_replays_to_the_pcr_10_that_was_read(void **state)
{
	uint8_t aggregate[32], want[32], root[32], table[2][32];
	cleanup_buf struct buf b = load_real();
	struct reader rd = reader_init(b.data, b.len);
	size_t n = 0, tables = 0, resumed = 0, gone = 0;
	struct err e = ERR_INIT;
	struct ima_entry en;
	struct replay r;
	int rc;

	(void)state;
	assert_true(hex_decode(root_hash, root, 32));
	assert_ok(replay_init(HASH_SHA256, &r, &e), &e);
	for (size_t i = 0; i < 10; i++)
		lower_hex(pcr_read[i], r.pcr[i]);
	ima_boot_aggregate(&r, aggregate);
	for (; (rc = ima_log_next(&rd, n, &en, &e)) == 1; n++) {
		struct ima_dm_event dm;

		if (n == 0)
			assert_memory_equal(en.file.p, aggregate, 32);
		assert_false(en.violation);
		assert_ok(ima_dm_parse(&en, &dm, &e), &e);
		if (dm.kind == IMA_DM_TABLE_LOAD) {
			assert_memory_equal(dm.root_digest, root, 32);
			memcpy(table[tables++], dm.table_hash, 32);
		}
		if (dm.kind == IMA_DM_RESUME)
			assert_memory_equal(dm.table_hash, table[resumed++], 32);
		gone += dm.kind == IMA_DM_GONE;
		replay_extend(&r, 10, en.extend);
	}
	assert_ok(rc, &e);
	assert_int_equal(n, 12);
	assert_int_equal(tables, 2);
	assert_int_equal(resumed, 2);
	assert_int_equal(gone, 1);
	lower_hex(pcr_read[10], want);
	assert_memory_equal(r.pcr[10], want, 32);
}

static void every_cut_of_a_real_log_ends_at_an_entry_or_refuses(void **state)
{
	cleanup_buf struct buf b = load_real();
	struct err e = ERR_INIT;
	struct ima_entry en;

	(void)state;
	for (size_t len = 1; len < b.len; len++) {
		struct reader rd = reader_init(b.data, len);
		size_t n = 0;
		int rc;

		while ((rc = ima_log_next(&rd, n, &en, &e)) == 1)
			n++;
		assert_true(rc == -EINVAL || (rc == 0 && reader_done(&rd)));
	}
}

/* One entry from its parts, with the right SHA-1. */
static void put_entry(struct buf *b, uint32_t pcr, const char *template, const struct buf *data)
{
	uint8_t sha1[20];

	assert_int_equal(
		EVP_Digest(data->data ? data->data : (const uint8_t *)"", data->len, sha1, NULL, EVP_sha1(), NULL), 1);
	buf_u32le(b, pcr);
	buf_put(b, sha1, 20);
	w_field(b, template, strlen(template));
	w_field(b, data->data, data->len);
}

static void d_ng(struct buf *t, const char *alg, size_t alg_bytes, size_t digest_bytes)
{
	struct buf d = BUF_INIT;

	buf_put(&d, alg, alg_bytes);
	buf_zero(&d, digest_bytes);
	w_field(t, d.data, d.len);
	buf_free(&d);
}

static const struct bad_case {
	const char *why, *template;
	uint32_t pcr;
	const char *alg;
	size_t alg_bytes, digest_bytes;
	const char *name;
	size_t name_bytes;
	bool third, more;
	const char *part; /* NULL: good */
} cases[] = {
	{"good ima-ng", "ima-ng", 10, "sha256:", 8, 32, "/m", 3, false, false, NULL},
	{"good ima-sig", "ima-sig", 10, "sha256:", 8, 32, "/m", 3, true, false, NULL},
	{"good ima-buf", "ima-buf", 10, "sha256:", 8, 32, "x", 2, true, false, NULL},
	{"another template", "ima-modsig", 10, "sha256:", 8, 32, "/m", 3, true, false, "template other than"},
	{"the old template", "ima", 10, "sha256:", 8, 32, "/m", 3, false, false, "template other than"},
	{"another PCR", "ima-ng", 11, "sha256:", 8, 32, "/m", 3, false, false, "PCR 11, wanted 10"},
	{"digest too short", "ima-ng", 10, "sha256:", 8, 31, "/m", 3, false, false,
	 "digest of 31 bytes of hash \"sha256\""},
	{"unknown hash", "ima-ng", 10, "sha999:", 8, 32, "/m", 3, false, false, "hash \"sha999\""},
	{"a hash name that a terminal would obey", "ima-ng", 10, "\033[2J\233:", 7, 32, "/m", 3, false, false,
	 "hash \"?[2J?\""},
	{"no colon", "ima-ng", 10, "sha256", 7, 32, "/m", 3, false, false, "hash name and a colon"},
	{"only a colon", "ima-ng", 10, ":", 2, 32, "/m", 3, false, false, "hash name and a colon"},
	{"a long hash name", "ima-ng", 10, "sha256sha256sha256:", 20, 32, "/m", 3, false, false,
	 "hash name and a colon"},
	{"name without NUL", "ima-ng", 10, "sha256:", 8, 32, "/m", 2, false, false, "its name is not one string"},
	{"NUL in the name", "ima-ng", 10, "sha256:", 8, 32, "/\0m", 4, false, false, "its name is not one string"},
	{"empty name", "ima-ng", 10, "sha256:", 8, 32, "", 0, false, false, "its name is not one string"},
	{"field missing", "ima-buf", 10, "sha256:", 8, 32, "x", 2, false, false, "do not fill"},
	{"a field more", "ima-ng", 10, "sha256:", 8, 32, "/m", 3, true, false, "do not fill"},
	{"a byte more", "ima-ng", 10, "sha256:", 8, 32, "/m", 3, false, true, "do not fill"},
};

static void an_entry_of_another_shape_refuses_beside_its_good_twin(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_buf struct buf b = BUF_INIT, t = BUF_INIT;
		struct err e = ERR_INIT;
		struct ima_entry en;
		struct reader rd;

		d_ng(&t, cases[i].alg, cases[i].alg_bytes, cases[i].digest_bytes);
		w_field(&t, cases[i].name, cases[i].name_bytes);
		if (cases[i].third)
			w_field(&t, "sig", 3);
		if (cases[i].more)
			buf_u8(&t, 0);
		put_entry(&b, cases[i].pcr, cases[i].template, &t);
		rd = reader_init(b.data, b.len);
		print_message("  %s\n", cases[i].why);
		if (cases[i].part)
			assert_refused(ima_log_next(&rd, 0, &en, &e), &e, EINVAL, cases[i].part);
		else
			assert_int_equal(ima_log_next(&rd, 0, &en, &e), 1);
	}
}

static void a_violation_extends_ff_and_an_edited_sha1_refuses(void **state)
{
	cleanup_buf struct buf b = load_real();
	struct reader rd = reader_init(b.data, b.len);
	struct err e = ERR_INIT;
	struct ima_entry en;
	uint8_t ff[32];

	(void)state;
	memset(ff, 0xff, sizeof(ff));
	b.data[4] ^= 1;
	assert_refused(ima_log_next(&rd, 0, &en, &e), &e, EINVAL, "recorded SHA-1");
	memset(b.data + 4, 0, 20);
	rd = reader_init(b.data, b.len);
	assert_int_equal(ima_log_next(&rd, 0, &en, &e), 1);
	assert_true(en.violation);
	assert_memory_equal(en.extend, ff, 32);
}

static void more_entries_than_the_bound_refuse(void **state)
{
	cleanup_buf struct buf b = load_real();
	struct err e = ERR_INIT;
	struct ima_entry en;
	struct reader rd;

	(void)state;
	rd = reader_init(b.data, b.len);
	assert_int_equal(ima_log_next(&rd, IMA_LOG_MAX_ENTRIES - 1, &en, &e), 1);
	rd = reader_init(b.data, b.len);
	assert_refused(ima_log_next(&rd, IMA_LOG_MAX_ENTRIES, &en, &e), &e, EINVAL, "more than 8192 entries");
}

static void lengths_of_four_gigabytes_refuse(void **state)
{
	uint8_t bytes[64] = {0};
	struct err e = ERR_INIT;
	struct ima_entry en;
	struct reader rd = reader_init(bytes, sizeof(bytes));

	(void)state;
	memset(bytes, 0xff, sizeof(bytes));
	assert_refused(ima_log_next(&rd, 0, &en, &e), &e, EINVAL, "entry 0 at offset 0 is cut short");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_of_linux_6_12_replays_to_the_pcr_10_that_was_read),
		cmocka_unit_test(every_cut_of_a_real_log_ends_at_an_entry_or_refuses),
		cmocka_unit_test(an_entry_of_another_shape_refuses_beside_its_good_twin),
		cmocka_unit_test(a_violation_extends_ff_and_an_edited_sha1_refuses),
		cmocka_unit_test(lengths_of_four_gigabytes_refuse),
		cmocka_unit_test(more_entries_than_the_bound_refuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
