/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/image-builder/test_update.c - a newer image into the other slot: what changes, what stays, what is refused
 *
 * The images are small ones of the same shape as `build` makes: a UKI of the test's stub and kernel, some blocks as root with their
 * hash tree and record, an ESP by mkfs.vfat and mtools. tests/vm/cases/slots boots real ones.
 */
#include "tests/image-builder/make.h"

#include "common/boot_count.h"
#include "common/hex.h"
#include "image-builder/authenticode.h"
#include "image-builder/erofs.h"
#include "image-builder/esp.h"
#include "image-builder/loader.h"
#include "image-builder/slot.h"
#include "image-builder/uki.h"
#include "image-builder/update.h"
#include "image-builder/update_esp.h"
#include "verity/sigrecord.h"

#include <fcntl.h>

#define EPOCH   1700000000
#define DATA_PE "tests/data/pe/"
#define ROOT_BLOCKS 40

static char folder[64];
static EVP_PKEY *key;
static X509 *cert;

static void sign_to(const struct buf *plain, const char *path)
{
	cleanup_buf struct buf out = BUF_INIT;
	struct err e = ERR_INIT;

	assert_ok(authenticode_sign(key, cert, plain->data, plain->len, &out, &e), &e);
	assert_ok(file_write(path, out.data, out.len, 0644, &e), &e);
}

/* struct image - what one is made of */
struct image {
	const char *name;
	unsigned version, seed;
	uint64_t blocks;
};

static const char *path_of(const char *image, const char *file)
{
	char both[64];

	(void)snprintf(both, sizeof(both), "%s/%s", image, file);
	return in(folder, both);
}

static void make_root(const char *at, const struct image *m, uint8_t root_hash[static HASH_SHA256_BYTES])
{
	struct verity_sigrecord record = { .signature_bytes = 4, .signature = { 1, 2, 3, 4 } };
	cleanup_buf struct buf data = BUF_INIT, bytes = BUF_INIT;
	struct err e = ERR_INIT;

	for (uint64_t i = 0; i < m->blocks * 4096; i++)
		buf_u8(&data, (i * 7 + m->seed + (i >> 12)) & 0xff);
	assert_ok(file_write(path_of(at, "root"), data.data, data.len, 0644, &e), &e);
	(void)unlink(path_of(at, "verity"));
	assert_ok(erofs_hash(path_of(at, "root"), path_of(at, "verity"), root_hash, &e), &e);
	memcpy(record.root_hash, root_hash, HASH_SHA256_BYTES);
	assert_ok(verity_sigrecord_encode(&record, VERITY_SIGRECORD_PARTITION_BYTES, &bytes, &e), &e);
	assert_ok(file_write(path_of(at, "sig"), bytes.data, bytes.len, 0644, &e), &e);
}

static void make_uki(const char *at, const struct image *m, const uint8_t root_hash[static HASH_SHA256_BYTES])
{
	cleanup_buf struct buf stub = load(DATA_PE "good-stub.efi"), kernel = load(DATA_PE "good-kernel.efi"), initrd = BUF_INIT, uki = BUF_INIT;
	char hex[2 * HASH_SHA256_BYTES + 1], cmdline[160], osrel[160];
	struct uki_params p = { .arch = "x86_64", .stub = &stub, .kernel = &kernel, .initrd = &initrd, .osrel = osrel, .cmdline = cmdline, .uname = "6.12" };
	struct err e = ERR_INIT;

	buf_str(&initrd, "none");
	hex_encode(root_hash, HASH_SHA256_BYTES, hex);
	(void)snprintf(cmdline, sizeof(cmdline), "roothash=%s holdfast.profile=enforce", hex);
	(void)snprintf(osrel, sizeof(osrel), "NAME=holdfast\nIMAGE_ID=%s\nIMAGE_VERSION=%u\n", m->name, m->version);
	assert_ok(uki_build(&p, &uki, &e), &e);
	sign_to(&uki, path_of(at, "uki.efi"));
	sign_to(&stub, path_of(at, "loader.efi"));
}

static void make_disk(const char *at, const struct image *m, const uint8_t root_hash[static HASH_SHA256_BYTES])
{
	char base[BOOT_COUNT_NAME_BYTES], name[BOOT_COUNT_NAME_BYTES], uki[256];
	struct esp_file file[] = { { "EFI/BOOT/BOOTX64.EFI", path_of(at, "loader.efi") }, { LOADER_CONF_PATH, path_of(at, "loader.conf") }, { uki, path_of(at, "uki.efi") } };
	struct esp_params esp = { .path = path_of(at, "esp"), .size_bytes = 16 << 20, .volume_id = 1, .epoch = EPOCH, .file = file, .n_files = 3 };
	static const char *const sources[] = { "root", "verity", "sig" };
	struct gpt_partition part[8] = { { .label = "esp", .uuid = gpt_uuid_derived("esp", root_hash), .source = esp.path } };
	struct gpt_uuid disk = gpt_uuid_derived("disk", root_hash), uuid[SLOT_PARTS];
	uint64_t size[SLOT_PARTS];
	struct err e = ERR_INIT;
	size_t n = 1;

	assert_ok(file_write(path_of(at, "loader.conf"), LOADER_CONF, strlen(LOADER_CONF), 0644, &e), &e);
	assert_true(boot_count_base(m->name, m->version, base) && boot_count_file(base, name));
	(void)snprintf(uki, sizeof(uki), BOOT_COUNT_FOLDER "/%s", name);
	assert_ok(esp_write(&esp, &e), &e);
	assert_ok(gpt_type_uuid(GPT_ESP, "x86_64", &part[0].type, &e), &e);
	slot_sizes(ROOT_BLOCKS * 4096, 0, size);
	for (unsigned slot = 0; slot < SLOTS; slot++) {
		slot_uuids(root_hash, uuid);
		if (slot)
			slot_empty_uuids(slot, root_hash, uuid);
		for (unsigned i = 0; i < SLOT_PARTS; i++, n++) {
			part[n] = (struct gpt_partition){ .label = slot_label(slot, i), .uuid = uuid[i], .size_bytes = size[i] < m->blocks * 4096 && !i ? 0 : size[i],
							  .source = slot ? NULL : path_of(at, sources[i]), .attributes = GPT_ATTR_READ_ONLY };
			if (slot && !part[n].size_bytes)
				part[n].size_bytes = size[i];
			assert_ok(gpt_type_uuid(slot_type(i), "x86_64", &part[n].type, &e), &e);
		}
	}
	part[n] = (struct gpt_partition){ .label = "holdfast-state", .uuid = gpt_uuid_derived("holdfast-state", root_hash), .size_bytes = 1 << 20 };
	assert_ok(gpt_type_uuid(GPT_LINUX, "x86_64", &part[n++].type, &e), &e);
	assert_ok(gpt_write(path_of(at, "disk.img"), &disk, part, n, &e), &e);
}

static void make_image(const char *at, const struct image *m, uint8_t root_hash[static HASH_SHA256_BYTES])
{
	struct err e = ERR_INIT;

	assert_ok(file_mkdirs(in(folder, at), &e), &e);
	make_root(at, m, root_hash);
	make_uki(at, m, root_hash);
	make_disk(at, m, root_hash);
}

static int run_update(const char *image, const char *disk, const char *out, struct err *e)
{
	const struct update_params p = { .image = in(folder, image), .disk = disk, .out = out, .epoch = EPOCH };

	return update_run(&p, e);
}

static void sh(const char *command)
{
	char line[1024];

	(void)snprintf(line, sizeof(line), "cd %.64s && export MTOOLSRC=/dev/null && %.900s", folder, command);
	assert_int_equal(system(line), 0);
}

static void assert_same_files(const char *a, const char *b, int same)
{
	cleanup_buf struct buf x = load(a), y = load(b);

	assert_int_equal(x.len == y.len && !memcmp(x.data, y.data, x.len), same);
}

/* The names in EFI/Linux of a disk, sorted. */
static void assert_ukis(const char *disk, const char *want)
{
	char line[256];

	(void)snprintf(line, sizeof(line), "[ \"$(mdir -b -i %s@@1048576 ::EFI/Linux | sed 's,.*/,,' | sort | tr '\\n' ' ')\" = '%s' ]", disk, want);
	sh(line);
}

static const struct image first = { "demo", 1, 1, ROOT_BLOCKS }, second = { "demo", 2, 2, ROOT_BLOCKS + 3 }, third = { "demo", 3, 3, ROOT_BLOCKS };

static void the_other_slot_gets_the_newer_image_and_all_else_stays(void **state)
{
	static struct gpt_table before, after, fresh;
	uint8_t a[HASH_SHA256_BYTES], b[HASH_SHA256_BYTES];
	struct gpt_uuid uuid[SLOT_PARTS];
	struct err e = ERR_INIT;

	(void)state;
	make_image("a", &first, a);
	make_image("b", &second, b);
	sh("cp a/disk.img keep.img");
	assert_ok(run_update("b", in(folder, "a/disk.img"), in(folder, "new.img"), &e), &e);
	assert_same_files(in(folder, "a/disk.img"), in(folder, "keep.img"), 1);
	assert_ukis("new.img", "demo_1+2.efi demo_2+2.efi ");
	assert_ok(gpt_read(in(folder, "a/disk.img"), &before, &e), &e);
	assert_ok(gpt_read(in(folder, "new.img"), &after, &e), &e);
	assert_ok(gpt_read(in(folder, "b/disk.img"), &fresh, &e), &e);
	slot_uuids(b, uuid);
	assert_int_equal(after.n, before.n);
	for (size_t i = 0; i < after.n; i++) {
		bool changed = i >= 4 && i < 7;

		assert_int_equal(after.part[i].start_bytes, before.part[i].start_bytes);
		assert_int_equal(after.part[i].size_bytes, before.part[i].size_bytes);
		assert_int_equal(memcmp(after.part[i].uuid.b, before.part[i].uuid.b, GPT_UUID_BYTES) != 0, changed);
		if (changed)
			assert_memory_equal(after.part[i].uuid.b, uuid[i - 4].b, GPT_UUID_BYTES);
	}
	/* root A, root B and the UKI hold what the two images hold */
	sh("cmp -n $((40 * 4096)) -i $((17 * 1048576)):0 new.img a/root");
	{
		char line[256];

		(void)snprintf(line, sizeof(line), "cmp -n $((43 * 4096)) -i %llu:0 new.img b/root && mcopy -n -i new.img@@1048576 '::EFI/Linux/demo_2+2.efi' got && cmp got b/uki.efi",
			       (unsigned long long)after.part[4].start_bytes);
		sh(line);
	}
	/* the same again gives the same bytes; and so does writing over the old one */
	assert_ok(run_update("b", in(folder, "a/disk.img"), in(folder, "again.img"), &e), &e);
	assert_same_files(in(folder, "again.img"), in(folder, "new.img"), 1);
	assert_ok(run_update("b", in(folder, "keep.img"), in(folder, "keep.img"), &e), &e);
	assert_same_files(in(folder, "keep.img"), in(folder, "new.img"), 1);
	sh("[ -z \"$(ls -d *.tmp-* 2>/dev/null)\" ]");
}

static void the_slot_that_the_loader_would_start_stays(void **state)
{
	uint8_t c[HASH_SHA256_BYTES];
	static struct gpt_table t;
	struct err e = ERR_INIT;

	(void)state;
	make_image("c", &third, c);
	/* version 2 in slot B runs: version 3 goes into slot A */
	assert_ok(run_update("c", in(folder, "new.img"), in(folder, "c.img"), &e), &e);
	assert_ukis("c.img", "demo_2+2.efi demo_3+2.efi ");
	assert_ok(gpt_read(in(folder, "c.img"), &t, &e), &e);
	assert_memory_equal(gpt_find(&t, "root")->uuid.b, c, GPT_UUID_BYTES);
	/* version 2 has no try left: slot B is what version 3 replaces */
	sh("cp new.img spent.img && mren -i spent.img@@1048576 '::EFI/Linux/demo_2+2.efi' '::EFI/Linux/demo_2+0-2.efi'");
	assert_ok(run_update("c", in(folder, "spent.img"), in(folder, "c.img"), &e), &e);
	assert_ukis("c.img", "demo_1+2.efi demo_3+2.efi ");
	assert_ok(gpt_read(in(folder, "c.img"), &t, &e), &e);
	assert_memory_equal(gpt_find(&t, "root-b")->uuid.b, c, GPT_UUID_BYTES);
}

static void what_cannot_become_a_sound_disk_is_refused_and_nothing_is_written(void **state)
{
	static const struct {
		const char *prepare, *image, *disk, *part;
		int code;
	} bad[] = {
		{ "true", "a", "a/disk.img", "the boot loader would not choose it", EINVAL },
		{ "true", "a", "new.img", "has version 2 of demo, and the new image is version 1", EINVAL },
		{ "true", "o", "a/disk.img", "its image is demo, and the new one is other", EINVAL },
		{ "true", "l", "a/disk.img", "(size.root_mib)", EINVAL },
		{ "true", "none", "a/disk.img", "uki.efi", ENOENT },
		{ "true", "b", "none.img", "none.img", ENOENT },
		{ "cp a/root bad.img", "b", "bad.img", "no disk image", EBADMSG },
		{ "truncate -s 5000000 bad.img", "b", "bad.img", "no disk image", EBADMSG },
		{ "cp a/disk.img bad.img && printf x | dd of=bad.img bs=1 seek=1100 conv=notrunc status=none", "b", "bad.img", "partition table is not as", EBADMSG },
		{ "cp a/disk.img bad.img && printf x | dd of=bad.img bs=1 seek=$(($(stat -c %s bad.img) - 512)) conv=notrunc status=none", "b", "bad.img", "the backup of the partition table", EBADMSG },
		{ "cp a/disk.img bad.img && mdel -i bad.img@@1048576 '::EFI/Linux/demo_1+2.efi'", "b", "bad.img", "there is no UKI on its ESP", EBADMSG },
		{ "cp a/disk.img bad.img && mcopy -i bad.img@@1048576 b/uki.efi '::EFI/Linux/demo_2+2.efi'", "b", "bad.img", "the root of demo_2+2.efi is in no slot", EBADMSG },
		{ "cp a/disk.img bad.img && mcopy -i bad.img@@1048576 a/root ::EFI/Linux/x.efi", "b", "bad.img", "ESP file x.efi", EBADMSG },
		{ "cp a/disk.img bad.img && mcopy -i bad.img@@1048576 a/root '::EFI/Linux/a b.efi'", "b", "bad.img", "\"::/EFI/Linux/a b.efi\" on the ESP", EBADMSG },
		{ "cp -r b x && printf x | dd of=x/uki.efi bs=1 seek=0 conv=notrunc status=none", "x", "a/disk.img", "does not begin with MZ", EBADMSG },
		{ "cp b/uki.efi x/uki.efi && cp tests-unsigned x/uki.efi", "x", "a/disk.img", "is not signed", EBADMSG },
		{ "cp a/uki.efi x/uki.efi", "x", "a/disk.img", "partition root is not that of the UKI's root hash", EBADMSG },
		{ "cp b/uki.efi x/uki.efi && printf x | dd of=x/disk.img bs=1 seek=$((17 * 1048576 + 9000)) conv=notrunc status=none", "x", "a/disk.img", "its root is not the one that its UKI names", EBADMSG },
		{ "cp b/disk.img x/disk.img && cp tests-unsigned x/loader.efi", "x", "a/disk.img", "loader.efi is not signed", EBADMSG },
		{ "rm x/loader.efi", "x", "a/disk.img", "loader.efi", ENOENT },
	};
	static const struct image other = { "other", 9, 5, ROOT_BLOCKS }, large = { "demo", 9, 6, 600 };
	uint8_t hash[HASH_SHA256_BYTES];
	char line[160];

	(void)state;
	make_image("o", &other, hash);
	make_image("l", &large, hash);
	(void)snprintf(line, sizeof(line), "cp \"$OLDPWD/" DATA_PE "good-stub.efi\" tests-unsigned");
	sh(line);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err e = ERR_INIT;

		sh(bad[i].prepare);
		assert_refused(run_update(bad[i].image, in(folder, bad[i].disk), in(folder, "out.img"), &e), &e, bad[i].code, bad[i].part);
		sh("[ ! -e out.img ] && [ -z \"$(ls -d *.tmp-* 2>/dev/null)\" ]");
	}
}

static int set_up(void **state)
{
	(void)state;
	make_folder(folder);
	make_key("db", 0, &key, &cert);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	X509_free(cert);
	drop_folder(folder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_other_slot_gets_the_newer_image_and_all_else_stays),
		cmocka_unit_test(the_slot_that_the_loader_would_start_stays),
		cmocka_unit_test(what_cannot_become_a_sound_disk_is_refused_and_nothing_is_written),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
