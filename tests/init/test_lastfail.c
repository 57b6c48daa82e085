/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/init/test_lastfail.c - the last failure: its bytes, what a kernel's log says of it, how failures are counted */
#include "tests/common/check.h"

#include "common/codes.h"
#include "common/file.h"
#include "init/lastfail.h"

#define DATA "tests/data/lastfail/"
#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static int load(const char *file, struct pid1_lastfail *ret, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;
	char path[256];

	(void)snprintf(path, sizeof(path), DATA "%s", file);
	assert_ok(file_read(path, 4096, &b, e), e);
	return pid1_lastfail_parse(b.data, b.len, ret, e);
}

/* The files were made by printf(1), from docs/formats/last-failure.md. */
static void a_record_is_read(void **state)
{
	struct pid1_lastfail f;
	uint8_t bytes[LASTFAIL_FILE_BYTES];
	cleanup_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(load("good-refusal.efivar", &f, &e), &e);
	assert_int_equal(f.code, CODE_ROOT_VERITY);
	assert_int_equal(f.source, LASTFAIL_PID1);
	assert_int_equal(f.in_a_row, 2);
	assert_int_equal(f.slot[31], 0x11);
	assert_string_equal(f.stage, "activate");
	assert_string_equal(f.version, "0.1.0");
	assert_string_equal(f.text, "vda2: it is not the tree of that root hash");
	pid1_lastfail_encode(&f, bytes);
	assert_ok(file_read(DATA "good-refusal.efivar", 4096, &b, &e), &e);
	assert_int_equal(b.len, sizeof(bytes));
	assert_memory_equal(bytes, b.data, sizeof(bytes));
	assert_ok(load("good-none.efivar", &f, &e), &e);
	assert_int_equal(f.code, 0);
}

static void anything_else_is_refused(void **state)
{
	static const struct {
		const char *file, *why;
	} cases[] = {
		{ "bad-empty.efivar", "0 bytes with the attributes, wanted 260" },
		{ "bad-attributes-alone.efivar", "4 bytes" },
		{ "bad-cut-off.efivar", "259 bytes" },
		{ "bad-byte-too-many.efivar", "261 bytes" },
		{ "bad-attributes.efivar", "attributes 0x27, wanted 0x7" },
		{ "bad-magic.efivar", "no HFLF record of version 1 and 256 bytes" },
		{ "bad-version-2.efivar", "no HFLF record of version 1" },
		{ "bad-size-field.efivar", "no HFLF record of version 1 and 256 bytes" },
		{ "bad-byte-not-zero.efivar", "no HFLF record" },
		{ "bad-code-unknown.efivar", "code 99 is none of ours" },
		{ "bad-code-zero.efivar", "source 1 with code 0 and 2 failure(s)" },
		{ "bad-source-3.efivar", "source 3, wanted 0 to 2" },
		{ "bad-source-none-with-code.efivar", "source 0 with code 20" },
		{ "bad-no-failures-in-a-row.efivar", "and 0 failure(s)" },
		{ "bad-stage-control-character.efivar", "stage at byte 52: byte 1 of it is 0x1b, wanted printable ASCII" },
		{ "bad-version-behind-nul.efivar", "version at byte 76: byte 14 of it is 0x78, wanted NUL" },
		{ "bad-text-without-end.efivar", "text at byte 100 has no end" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pid1_lastfail f = { .code = 77 };
		struct err e = ERR_INIT;

		assert_refused(load(cases[i].file, &f, &e), &e, EBADMSG, cases[i].why);
		assert_int_equal(f.code, 77);
	}
}

static void texts_are_cut_and_made_printable(void **state)
{
	struct pid1_lastfail f = { .code = CODE_MODULE, .source = LASTFAIL_PID1, .in_a_row = UINT32_MAX }, g;
	uint8_t bytes[LASTFAIL_FILE_BYTES];
	struct err e = ERR_INIT;

	(void)state;
	memset(f.stage, 's', sizeof(f.stage));
	strcpy(f.text, "a\033[2Jb\xff");
	pid1_lastfail_encode(&f, bytes);
	assert_ok(pid1_lastfail_parse(bytes, sizeof(bytes), &g, &e), &e);
	assert_int_equal(strlen(g.stage), LASTFAIL_STAGE_BYTES - 1);
	assert_string_equal(g.text, "a?[2Jb?");
	assert_int_equal(g.in_a_row, UINT32_MAX);
}

static void a_log_says_what_ended_the_boot(void **state)
{
	static const struct {
		const char *log;
		unsigned code;
		const char *stage, *text;
	} cases[] = {
		{ "Panic#1 Part1\n"
		  "<6>[    3.100000] holdfast: command-line: root hash " HASH ", profile enforce\n"
		  "<6>[    3.200000] holdfast: activate: /dev/dm-0, signature accepted by the kernel\n"
		  "<3>[    3.300000] device-mapper: verity: 252:2: data block 0 is corrupted\n"
		  "<0>[    3.310000] Kernel panic - not syncing: dm-verity device corrupted\n",
		  CODE_CORRUPTION, "activate", "device-mapper: verity: 252:2: data block 0 is corrupted" },
		{ "Emergency#1 Part1\n<0>[    3.3] dm-verity device corrupted\n", CODE_CORRUPTION, "", "dm-verity device corrupted" },
		{ "<3>[ 9.2] I/O error, dev vda, sector 133122 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 0\n"
		  "<0>[ 9.3] reboot: Restarting system with command 'dm-verity device has I/O error'\n",
		  CODE_IO_ERROR, "", "I/O error, dev vda, sector 133122 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 0" },
		{ "<6>[ 9.0] holdfast: ready\n<0>[    9.3] dm-verity device has I/O error\n", CODE_IO_ERROR, "",
		  "dm-verity device has I/O error" },
		{ "<6>[ 9.0] holdfast: engine: started, pid 80\n<0>[    9.3] Kernel panic - not syncing: dm-verity device has I/O error\n",
		  CODE_IO_ERROR, "engine", "dm-verity device has I/O error" },
		{ "<0>[    3.3] Kernel panic - not syncing: Fatal exception in interrupt", CODE_KERNEL_PANIC, "",
		  "Kernel panic - not syncing: Fatal exception in interrupt" },
		{ "<1>[    3.3] holdfast: E19 the root hash's signature was refused: no key\n<6>[ 4.0] reboot: Power down\n",
		  CODE_ROOT_SIGNATURE, "", "E19 the root hash's signature was refused: no key" },
		{ "<6>[ 1.0] holdfast: E99 no such code\n<6>[ 1.0] holdfast: E190 nor this\nholdfast: \nholdfast: : \n", 0, "", "" },
		{ "", 0, "", "" },
		{ "\n\n<<<>>>[[[]] ] [ ] \n<6[1\n", 0, "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pid1_lastfail f = { 0 };

		pid1_lastfail_read_log(cases[i].log, strlen(cases[i].log), &f);
		assert_int_equal(f.code, cases[i].code);
		assert_string_equal(f.stage, cases[i].stage);
		assert_string_equal(f.text, cases[i].text);
		assert_int_equal(f.source, cases[i].code ? LASTFAIL_KERNEL : LASTFAIL_NONE);
		assert_int_equal(f.slot[1], strstr(cases[i].log, HASH) ? 0x11 : 0);
	}
}

/* pstore gives the newest piece first or last, as the folder has them: the weightiest statement is what counts. */
static void pieces_of_a_log_may_come_in_any_order(void **state)
{
	static const char panic[] = "<6>[    0.900001] holdfast: last: said\n<0>[ 1.0] Kernel panic - not syncing: dm-verity device corrupted\n";
	static const char refusal[] = "<6>[    0.900000] holdfast: first: said\n<1>[ 1.0] holdfast: E20 a sentence\n", other[] = "<0>[ 1.1] Kernel panic - not syncing: after it\n";
	static const char *const orders[][3] = { { panic, refusal, other }, { other, refusal, panic }, { refusal, panic, other } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		struct pid1_lastfail f = { 0 };

		for (size_t k = 0; k < 3; k++)
			pid1_lastfail_read_log(orders[i][k], strlen(orders[i][k]), &f);
		assert_int_equal(f.code, CODE_CORRUPTION);
		assert_string_equal(f.stage, "last"); /* by time, not by order */
	}
}

static void failures_of_one_slot_are_counted(void **state)
{
	struct pid1_lastfail old = { .code = CODE_MODULE, .in_a_row = 4, .slot = { 1 } }, f = { .slot = { 1 } };

	(void)state;
	pid1_lastfail_add(&f, NULL);
	assert_int_equal(f.in_a_row, 1);
	pid1_lastfail_add(&f, &old);
	assert_int_equal(f.in_a_row, 5);
	f.slot[0] = 2; /* another slot begins anew */
	pid1_lastfail_add(&f, &old);
	assert_int_equal(f.in_a_row, 1);
	f.slot[0] = 0; /* a log that has forgotten its beginning: the slot that was known last */
	pid1_lastfail_add(&f, &old);
	assert_int_equal(f.slot[0], 1);
	assert_int_equal(f.in_a_row, 5);
	old.in_a_row = UINT32_MAX;
	pid1_lastfail_add(&f, &old);
	assert_int_equal(f.in_a_row, UINT32_MAX); /* not 0, which would be "none" */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_read),
		cmocka_unit_test(anything_else_is_refused),
		cmocka_unit_test(texts_are_cut_and_made_printable),
		cmocka_unit_test(a_log_says_what_ended_the_boot),
		cmocka_unit_test(pieces_of_a_log_may_come_in_any_order),
		cmocka_unit_test(failures_of_one_slot_are_counted),
	};

	return cmocka_run_group_tests_name("init/lastfail", tests, NULL, NULL);
}
