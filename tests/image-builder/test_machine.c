/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/image-builder/test_machine.c - the events of PCR 0, 1 and 5 against logs of real boots, and the machine description
 *
 * tests/data/machine holds the firmware's logs of two boots of `boards/qemu-x86_64` (OVMF_CODE_4M.secboot.fd) and `boards/qemu-arm64`
 * (AAVMF_CODE.secboot.fd), both 2025.02-8+deb13u1, QEMU 7.2.22, read from the evidence of tests/vm/cases/chain, and the description
 * of the first by `holdfast-image machine`, made without the image.
 */
#include "tests/image-builder/make.h"

#include "common/hex.h"
#include "common/reader.h"
#include "image-builder/boot.h"
#include "image-builder/gpt.h"
#include "image-builder/machine.h"

#include <fcntl.h>

#define DATA          "tests/data/machine/"
#define PC            DATA "ovmf-2025.02-q35.eventlog"
#define VIRT          DATA "aavmf-2025.02-virt.eventlog"
#define EV_GPT        0x80000006
#define EV_VARIABLES  3 /* BootOrder, two options */
#define MAX_EVENTS    64

/* One PCR's events in the order of a log. */
struct seen {
	size_t n;
	struct {
		uint32_t type;
		uint8_t digest[HASH_SHA256_BYTES];
		struct reader data;
	} v[MAX_EVENTS];
};

static struct seen read_log(const struct buf *b, uint32_t pcr)
{
	struct reader r = reader_init(b->data, b->len);
	struct seen s = { 0 };

	(void)reader_bytes(&r, 28);
	(void)reader_bytes(&r, reader_u32le(&r)); /* the Spec ID event */
	while (r.left) {
		uint32_t index = reader_u32le(&r);

		assert_true(s.n < MAX_EVENTS);
		s.v[s.n].type = reader_u32le(&r);
		assert_int_equal(reader_u32le(&r), 1); /* one bank */
		assert_int_equal(reader_u16le(&r), HASH_SHA256);
		reader_copy(&r, s.v[s.n].digest, HASH_SHA256_BYTES);
		s.v[s.n].data = reader_sub(&r, reader_u32le(&r));
		assert_false(r.bad);
		s.n += index == pcr;
	}
	return s;
}

/* GUIDs of the volumes that hold the boot manager, as the logs' device paths have them. */
static const uint8_t pc_volume[FV_GUID_BYTES] = { 0xc9, 0xbd, 0xb8, 0x7c, 0xeb, 0xf8, 0x34, 0x4f,
						  0xaa, 0xea, 0x3e, 0xe4, 0xaf, 0x65, 0x16, 0xa1 };
static const uint8_t virt_volume[FV_GUID_BYTES] = { 0xfe, 0x4a, 0x07, 0x64, 0x0a, 0x34, 0xe6, 0x4b,
						    0x94, 0xba, 0x91, 0xb5, 0xb4, 0xd0, 0xf7, 0x1e };

static void boot_options_are_what_both_firmwares_logged(void **state)
{
	static const struct {
		const char *log;
		const uint8_t *volume;
		uint8_t slot; /* that the disk had in that boot */
	} all[] = { { PC, pc_volume, 2 }, { VIRT, virt_volume, 1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		cleanup_buf struct buf b = load(all[i].log);
		struct seen s = read_log(&b, 1);
		struct predict_list l = { 0 };
		struct err e = ERR_INIT;

		assert_ok(machine_boot_options(all[i].volume, &l, &e), &e);
		assert_int_equal(l.n, EV_VARIABLES);
		assert_int_equal(s.n, 4 + EV_VARIABLES + 1); /* ACPI, variables, separator */
		for (size_t k = 0; k < EV_VARIABLES; k++)
			if (k != 1 || all[i].slot == BOOT_PCI_DISK)
				assert_memory_equal(l.v[k].digest, s.v[4 + k].digest, HASH_SHA256_BYTES);
			else
				assert_memory_not_equal(l.v[k].digest, s.v[4 + k].digest, HASH_SHA256_BYTES);
		predict_list_free(&l);
	}
}

static void a_description_made_without_the_image_is_what_a_boot_of_it_logged(void **state)
{
	cleanup_buf struct buf b = load(PC), text = load(DATA "good-x86_64.json");
	cleanup_machine struct machine_description m = { 0 };
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(machine_parse(text.data, text.len, "good", &m, &e), &e);
	assert_true(m.recorded);
	for (unsigned pcr = 0; pcr < 2; pcr++) {
		struct seen s = read_log(&b, pcr);

		assert_int_equal(m.pcr[pcr].n, s.n);
		for (size_t i = 0; i < m.pcr[pcr].n; i++)
			assert_memory_equal(m.pcr[pcr].v[i].digest, s.v[i].digest, HASH_SHA256_BYTES);
	}
}

static void the_version_is_measured_as_utf_16_with_its_end(void **state)
{
	cleanup_buf struct buf b = load(VIRT);
	struct firmware f = { .version = "2025.02-8+deb13u1", .pei = { .data = (const uint8_t *)"", .len = 0 } };
	struct seen s = read_log(&b, 0);
	struct predict_list l = { 0 };
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(machine_code(&f, s.v[1].digest, &l, &e), &e);
	assert_int_equal(l.n, 3);
	for (size_t i = 0; i < l.n; i++)
		assert_memory_equal(l.v[i].digest, s.v[i].digest, HASH_SHA256_BYTES);
	predict_list_free(&l);
}

/* A disk whose table is the logged event's: header at sector 1, entries at 2. */
static void write_table(const char *path, const struct seen *s, unsigned spoil)
{
	for (size_t i = 0; i < s->n; i++) {
		struct reader r = s->v[i].data;
		uint8_t disk[34 * 512] = { 0 };
		uint64_t n;

		if (s->v[i].type != EV_GPT)
			continue;
		reader_copy(&r, disk + 512, 92);
		n = reader_u64le(&r);
		assert_int_equal(r.left, n * 128);
		reader_copy(&r, disk + 1024, (size_t)n * 128);
		if (spoil)
			disk[spoil] ^= 1;
		{
			struct err e = ERR_INIT;

			assert_ok(file_write(path, disk, sizeof(disk), 0600, &e), &e);
		}
		return;
	}
	fail_msg("no partition table in the log");
}

static void a_disks_partition_table_is_measured_as_both_firmwares_did(void **state)
{
	static const char *const logs[] = { PC, VIRT };
	char folder[64], path[128];
	struct err e = ERR_INIT;

	(void)state;
	make_folder(folder);
	(void)snprintf(path, sizeof(path), "%s/disk", folder);
	for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
		cleanup_buf struct buf b = load(logs[i]);
		struct seen s = read_log(&b, 5);
		uint8_t digest[HASH_SHA256_BYTES];

		assert_int_equal(s.n, 4);
		write_table(path, &s, 0);
		assert_ok(gpt_event_digest(path, digest, &e), &e);
		assert_memory_equal(digest, s.v[1].digest, sizeof(digest));
		write_table(path, &s, 1024 + 20); /* a partition's GUID */
		assert_ok(gpt_event_digest(path, digest, &e), &e);
		assert_memory_not_equal(digest, s.v[1].digest, sizeof(digest));
		write_table(path, &s, 512 + 72); /* where the entries stand */
		assert_refused(gpt_event_digest(path, digest, &e), &e, EINVAL, "no partition table as this program writes it");
	}
	drop_folder(folder);
}

/* --- the loader's commands ------------------------------------------------------------------------------------------- */

static void put_command(struct buf *b, uint32_t command, const char *name)
{
	size_t end = b->len + 128;

	buf_u32le(b, command);
	buf_str(b, name);
	buf_zero(b, end - b->len);
}

static void files_come_in_the_order_of_their_allocation(void **state)
{
	struct machine_blob blob[2] = { 0 };
	cleanup_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	size_t n;

	(void)state;
	put_command(&b, 1, "etc/acpi/rsdp");
	put_command(&b, 2, "etc/acpi/tables"); /* a pointer */
	put_command(&b, 1, "etc/acpi/tables");
	put_command(&b, 0, "");
	assert_ok(machine_loader(b.data, b.len, blob, 2, &n, &e), &e);
	assert_int_equal(n, 2);
	assert_string_equal(blob[0].name, "etc/acpi/rsdp");
	assert_string_equal(blob[1].name, "etc/acpi/tables");
	assert_refused(machine_loader(b.data, b.len, blob, 1, &n, &e), &e, EINVAL, "more than 1 files");
	assert_refused(machine_loader(b.data, b.len - 1, blob, 2, &n, &e), &e, EINVAL, "wanted commands of 128");
	assert_refused(machine_loader(b.data, 0, blob, 2, &n, &e), &e, EINVAL, "0 bytes");
	put_command(&b, 5, "");
	assert_refused(machine_loader(b.data, b.len, blob, 2, &n, &e), &e, EINVAL, "command 5 at offset 512");
	memset(b.data + 4, 'x', 56);
	assert_refused(machine_loader(b.data, b.len, blob, 2, &n, &e), &e, EINVAL, "a name without end");
}

/* --- the document ---------------------------------------------------------------------------------------------------- */

static void a_description_is_written_as_it_was_read(void **state)
{
	cleanup_buf struct buf text = load(DATA "good-x86_64.json"), again = BUF_INIT;
	cleanup_machine struct machine_description m = { 0 };
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(machine_parse(text.data, text.len, "good", &m, &e), &e);
	assert_ok(machine_write(&m, &again, &e), &e);
	assert_int_equal(again.len, text.len);
	assert_memory_equal(again.data, text.data, text.len);
}

static void malformed_descriptions_are_refused_with_the_rule(void **state)
{
	static const struct {
		const char *what, *by, *part;
	} bad[] = {
		{ "machine-description/1", "machine-description/2", "wanted \"machine-description/1\"" },
		{ "\"recorded\":true", "\"recorded\":1", "recorded" },
		{ "\"recorded\":true", "\"recordet\":true", "recordet" },
		{ "\"firmware\":\"", "\"firmware\":\"0", "firmware" },
		{ "{\"0\":[{", "{\"0\":[],\"2\":[{", "2" },
		{ "{\"0\":[", "{\"0\":{},\"x-0\":[", "0" },
		{ "{\"digest\":\"", "{\"digest\":\"g", "digest" },
		{ "\"what\":\"EV_SEPARATOR\"", "\"what\":7", "what" },
		{ "}}", "}} x", "machine description" },
	};
	cleanup_buf struct buf text = load(DATA "good-x86_64.json");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const char *at = strstr((const char *)text.data, bad[i].what);
		cleanup_machine struct machine_description m = { 0 };
		cleanup_buf struct buf b = BUF_INIT;
		struct err e = ERR_INIT;

		assert_non_null(at);
		buf_put(&b, text.data, (size_t)(at - (const char *)text.data));
		buf_str(&b, bad[i].by);
		buf_str(&b, at + strlen(bad[i].what));
		assert_refused(machine_parse(b.data, b.len, "machine description", &m, &e), &e, EINVAL, bad[i].part);
	}
}

static void a_description_of_another_board_or_firmware_is_refused(void **state)
{
	struct board board = { .qemu = "qemu-system-x86_64", .qemu_machine = "q35", .qemu_cpu = "max,-cx16", .qemu_memory = "1024",
			       .qemu_tpm = "tpm-tis" };
	cleanup_buf struct buf text = load(DATA "good-x86_64.json");
	cleanup_machine struct machine_description m = { 0 };
	const char *firmware = DATA "good-x86_64.json"; /* any file */
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(machine_parse(text.data, text.len, "good", &m, &e), &e);
	assert_refused(machine_check(&m, &board, firmware, &e), &e, EINVAL, "of another firmware than");
	hash_sha256(text.data, text.len, m.firmware);
	assert_ok(machine_check(&m, &board, firmware, &e), &e);
	board.qemu_memory = "2048";
	assert_refused(machine_check(&m, &board, firmware, &e), &e, EINVAL, "the board says");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boot_options_are_what_both_firmwares_logged),
		cmocka_unit_test(a_description_made_without_the_image_is_what_a_boot_of_it_logged),
		cmocka_unit_test(the_version_is_measured_as_utf_16_with_its_end),
		cmocka_unit_test(a_disks_partition_table_is_measured_as_both_firmwares_did),
		cmocka_unit_test(files_come_in_the_order_of_their_allocation),
		cmocka_unit_test(a_description_is_written_as_it_was_read),
		cmocka_unit_test(malformed_descriptions_are_refused_with_the_rule),
		cmocka_unit_test(a_description_of_another_board_or_firmware_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
