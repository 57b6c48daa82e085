/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/image-builder/test_gpt.c - disks that sfdisk and sgdisk find sound, with the contents in their places */
#include "tests/image-builder/make.h"

#include "image-builder/gpt.h"

static char folder[64];
static const uint8_t root_hash[HASH_SHA256_BYTES] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa,
						     0xbb, 0xcc, 0xdd, 0xee, 0xff, 0xf0, 0xe1, 0xd2, 0xc3, 0xb4, 0xa5,
						     0x96, 0x87, 0x78, 0x69, 0x5a, 0x4b, 0x3c, 0x2d, 0x1e, 0x0f};

static struct gpt_uuid type_of(enum gpt_type t, const char *arch)
{
	struct err e = ERR_INIT;
	struct gpt_uuid u;

	assert_ok(gpt_type_uuid(t, arch, &u, &e), &e);
	return u;
}

/* The disk of docs/formats/README.md, small. */
static void make_disk(const char *name, struct gpt_partition part[static 5])
{
	const char *arch = "x86_64";
	struct gpt_uuid disk = gpt_uuid_derived("disk", root_hash);
	struct gpt_partition p[5] = {
		{"esp", type_of(GPT_ESP, arch), gpt_uuid_derived("esp", root_hash), 3 << 20, NULL, 0, 0, 0},
		{"root", type_of(GPT_ROOT, arch), gpt_uuid_root(root_hash), 0, in(folder, "root.erofs"),
		 GPT_ATTR_READ_ONLY, 0, 0},
		{"root-verity", type_of(GPT_ROOT_VERITY, arch), gpt_uuid_verity(root_hash), 0,
		 in(folder, "root.verity"), 0, 0, 0},
		{"root-verity-sig", type_of(GPT_ROOT_VERITY_SIG, arch), gpt_uuid_derived("root-verity-sig", root_hash),
		 16384, in(folder, "root.sig"), 0, 0, 0},
		{"holdfast-state", type_of(GPT_LINUX, arch), gpt_uuid_derived("holdfast-state", root_hash), 4 << 20,
		 NULL, 0, 0, 0},
	};
	struct err e = ERR_INIT;

	memcpy(part, p, sizeof(p));
	assert_ok(gpt_write(in(folder, name), &disk, part, 5, &e), &e);
}

static void sgdisk_and_sfdisk_find_nothing_wrong(void **state)
{
	const char *sgdisk[] = {"sgdisk", "-v", in(folder, "disk.img"), NULL};
	const char *sfdisk[] = {"sfdisk", "--verify", sgdisk[2], NULL};
	cleanup_buf struct buf said = BUF_INIT, out = BUF_INIT;
	struct gpt_partition part[5];
	struct err e = ERR_INIT;

	(void)state;
	need("sgdisk");
	need("sfdisk");
	make_disk("disk.img", part);
	assert_ok(oracle(sgdisk, &said, &e), &e);
	assert_non_null(strstr((char *)said.data, "No problems found"));
	assert_null(strstr((char *)said.data,
			   "orrupt")); /* it calls a disk whose backup it had to use problem-free as well */
	assert_ok(oracle(sfdisk, &out, &e), &e);
	assert_non_null(strstr((char *)out.data, "No errors detected"));
}

static void sgdisk_finds_a_changed_byte(void **state)
{
	static const off_t at[] = {GPT_SECTOR_BYTES + 60, 2 * GPT_SECTOR_BYTES + 20}; /* header, entries */
	const char *argv[] = {"sgdisk", "-v", in(folder, "bad.img"), NULL};
	struct gpt_partition part[5];

	(void)state;
	need("sgdisk");
	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		cleanup_buf struct buf said = BUF_INIT, b = BUF_INIT;
		struct err e = ERR_INIT;

		make_disk("bad.img", part);
		b = load(argv[2]);
		b.data[at[i]] ^= 1;
		make_file(folder, "bad.img", b.data, b.len);
		(void)oracle(argv, &said, &e); /* what counts is what it says */
		if (!strstr((char *)said.data, "corrupt GPT"))
			fail_msg("sgdisk -v said of byte %d: %s", (int)at[i], (char *)said.data);
	}
}

static void sfdisk_reads_types_names_and_uuids(void **state)
{
	static const char *const wanted[] = {
		"type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid=80D90AF3",
		"start=        8192, size=        4096, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, "
		"uuid=00112233-4455-6677-8899-AABBCCDDEEFF, name=\"root\", attrs=\"GUID:60\"",
		"type=2C7357ED-EBD2-46D9-AEC1-23D437EC2BF5, uuid=F0E1D2C3-B4A5-9687-7869-5A4B3C2D1E0F, "
		"name=\"root-verity\"",
		"type=41092B05-9FC8-4523-994F-2DEF0408B176, uuid=",
		"type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, uuid=",
		"name=\"holdfast-state\"",
	};
	const char *argv[] = {"sfdisk", "--dump", in(folder, "disk.img"), NULL};
	cleanup_buf struct buf out = BUF_INIT;
	struct gpt_partition part[5];
	struct err e = ERR_INIT;

	(void)state;
	need("sfdisk");
	make_disk("disk.img", part);
	assert_ok(oracle(argv, &out, &e), &e);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		if (!strstr((char *)out.data, wanted[i]))
			fail_msg("sfdisk --dump has no \"%s\":\n%s", wanted[i], (char *)out.data);
}

static void contents_are_in_their_places_and_holes_stay_holes(void **state)
{
	cleanup_buf struct buf b = BUF_INIT;
	struct gpt_partition part[5];
	struct stat st;

	(void)state;
	make_disk("disk.img", part);
	b = load(in(folder, "disk.img"));
	assert_int_equal(part[1].start_bytes, 4 << 20);
	assert_int_equal(part[1].size_bytes, 2 << 20);
	assert_memory_equal(b.data + part[1].start_bytes, "first", 5);
	assert_memory_equal(b.data + part[1].start_bytes + (1 << 20), "behind a hole", 13);
	assert_memory_equal(b.data + part[2].start_bytes, "tree", 4);
	assert_memory_equal(b.data + part[3].start_bytes, "signature", 9);
	assert_true(hash_is_zero(b.data + part[4].start_bytes, part[4].size_bytes));
	assert_int_equal(stat(in(folder, "disk.img"), &st), 0);
	assert_true((uint64_t)st.st_blocks * 512 < (uint64_t)st.st_size / 4);
}

static void the_same_inputs_give_the_same_disk(void **state)
{
	cleanup_buf struct buf a = BUF_INIT, b = BUF_INIT;
	struct gpt_partition part[5];

	(void)state;
	make_disk("a.img", part);
	make_disk("b.img", part);
	a = load(in(folder, "a.img"));
	b = load(in(folder, "b.img"));
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
}

static void derived_uuids_are_those_of_the_document(void **state)
{
	char text[GPT_UUID_STR_BYTES];
	struct gpt_uuid u = gpt_uuid_derived("esp", root_hash);

	(void)state;
	/* printf 'holdfast:esp:00112233445566778899aabbccddeefff0e1d2c3b4a5968778695a4b3c2d1e0f' | sha256sum | cut
	 * -c1-32, then version nibble 8 and variant bits 10 */
	gpt_uuid_str(&u, text);
	assert_string_equal(text, "80d90af3-64f1-847c-b70b-7d2ddde9fa23");
}

static void what_does_not_fit_is_refused_and_leaves_nothing(void **state)
{
	struct gpt_uuid one = gpt_uuid_derived("one", root_hash), t = type_of(GPT_LINUX, "arm64");
	const char *src = in(folder, "root.erofs"), *out = in(folder, "none.img");
	struct gpt_partition small = {"root", t, one, 1 << 20, src, 0, 0, 0}, empty = {"x", t, one, 0, NULL, 0, 0, 0},
			     nameless = {"", t, one, 1, NULL, 0, 0, 0}, missing = {"x", t, one, 0, "/nonexistent", 0, 0, 0},
			     long_name = {"123456789012345678901234567890123456", t, one, 1, NULL, 0, 0, 0},
			     huge = {"x", t, one, 1ull << 63, NULL, 0, 0, 0};
	struct gpt_partition twins[] = {{"a", t, one, 1, NULL, 0, 0, 0}, {"b", t, one, 1, NULL, 0, 0, 0}};
	struct gpt_uuid u;
	struct err e = ERR_INIT;

	(void)state;
	assert_refused(gpt_write(out, &one, &small, 1, &e), &e, ENOSPC,
		       "partition root: 1048576 bytes for a content of");
	assert_refused(gpt_write(out, &one, &empty, 1, &e), &e, EINVAL, "partition x: 0 bytes");
	assert_refused(gpt_write(out, &one, &huge, 1, &e), &e, EINVAL, "partition x: 9223372036854775808 bytes");
	assert_refused(gpt_write(out, &one, &nameless, 1, &e), &e, EINVAL, "has 0 characters");
	assert_refused(gpt_write(out, &one, &long_name, 1, &e), &e, EINVAL, "has 36 characters");
	assert_refused(gpt_write(out, &one, &missing, 1, &e), &e, ENOENT, "/nonexistent");
	assert_refused(gpt_write(out, &one, twins, 2, &e), &e, EINVAL, "a and b have one PARTUUID");
	assert_refused(gpt_write(out, &one, &small, 0, &e), &e, EINVAL, "0 partitions");
	assert_refused(gpt_type_uuid(GPT_ROOT, "riscv64", &u, &e), &e, EINVAL, "riscv64");
	assert_int_equal(access(out, F_OK), -1);
}

static int set_up(void **state)
{
	FILE *f;

	(void)state;
	make_folder(folder);
	f = fopen(in(folder, "root.erofs"), "w");
	assert_non_null(f);
	assert_true(fputs("first", f) >= 0 && fseek(f, 1 << 20, SEEK_SET) == 0 && fputs("behind a hole", f) >= 0);
	assert_int_equal(fclose(f), 0);
	make_file(folder, "root.verity", "tree", 4);
	make_file(folder, "root.sig", "signature", 9);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	drop_folder(folder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sgdisk_and_sfdisk_find_nothing_wrong),
		cmocka_unit_test(sgdisk_finds_a_changed_byte),
		cmocka_unit_test(sfdisk_reads_types_names_and_uuids),
		cmocka_unit_test(contents_are_in_their_places_and_holes_stay_holes),
		cmocka_unit_test(the_same_inputs_give_the_same_disk),
		cmocka_unit_test(derived_uuids_are_those_of_the_document),
		cmocka_unit_test(what_does_not_fit_is_refused_and_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
