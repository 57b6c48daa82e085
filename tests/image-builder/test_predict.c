/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/image-builder/test_predict.c - predictions against event logs of real boots
 *
 * tests/data/predict holds the firmware's logs of two boots of one signed UKI, read from
 * /sys/kernel/security/tpm0/binary_bios_measurements: OVMF 2025.02-8+deb13u1 with Secure Boot on, systemd-stub 257.13,
 * Linux 6.12.117+deb13-cloud-amd64, swtpm, QEMU 7.2; keys enrolled by virt-fw-vars from the certificates beside them,
 * owner 11111111-2222-3333-4444-555555555555. `disk`: that UKI as \EFI\BOOT\BOOTX64.EFI of a GPT disk's ESP;
 * `kernel-option`: QEMU's -kernel; `systemd-boot-257`: of another machine and owner, systemd-boot 257.13 there, with LOADER_CONF.
 * secure-boot-off/disk: an image of the profile audit, its UKI as in `disk`, its own keys beside it (owner: KEYS_OWNER_GUID), Secure
 * Boot switched off with the keys left in place. The UKI (12 MB) is not kept; one with the same command line and release is made here
 * from small parts, so what depends on kernel and initramfs is compared by position only. The boots themselves are
 * tests/vm's.
 */
#include "tests/image-builder/make.h"

#include "common/hex.h"
#include "common/reader.h"
#include "image-builder/authenticode.h"
#include "image-builder/keys.h"
#include "image-builder/loader.h"
#include "image-builder/predict.h"
#include "image-builder/uki.h"

#define DATA       "tests/data/predict/"
#define OFF        DATA "secure-boot-off/"
#define MAX_EVENTS 64

/* One PCR's SHA-256 digests in the order of a log. */
struct seen {
	size_t n;
	uint8_t digest[MAX_EVENTS][HASH_SHA256_BYTES];
};

static struct buf uki, loader;
static struct predict_params params;
static struct predict predicted;
static const char *const engine_argv[] = {"/usr/bin/containerd", "--config", "/etc/containerd/config.toml", NULL};
static const char *const containers[] = {"hello", "second"};
static const struct predict_file engine_config[] = {{"/etc/containerd/config.toml", {3}}},
				 ima_files[] = {{"dm-verity.ko", {4}}};
static const uint8_t verity_roots[3][HASH_SHA256_BYTES] = {{1}, {9}, {1}};

static struct seen read_log(const char *path, uint32_t pcr)
{
	cleanup_buf struct buf b = load(path);
	struct reader r = reader_init(b.data, b.len);
	struct seen s = {0};

	(void)reader_bytes(&r, 28);
	(void)reader_bytes(&r, reader_u32le(&r)); /* the Spec ID event */
	while (r.left) {
		uint32_t index = reader_u32le(&r), type = reader_u32le(&r);

		assert_int_equal(reader_u32le(&r), 1); /* one bank */
		assert_int_equal(reader_u16le(&r), HASH_SHA256);
		if (index == pcr && type != 3)
			reader_copy(&r, s.digest[s.n++], HASH_SHA256_BYTES);
		else
			(void)reader_bytes(&r, HASH_SHA256_BYTES);
		(void)reader_bytes(&r, reader_u32le(&r));
		assert_false(r.bad);
		assert_true(s.n < MAX_EVENTS);
	}
	return s;
}

static void assert_same(const struct predict_pcr *p, const struct seen *s, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (memcmp(p->event.v[i].digest, s->digest[i], HASH_SHA256_BYTES) != 0)
			fail_msg("event %zu, \"%s\", differs from the log's", i, p->event.v[i].what);
}

static void separators_and_secure_boot_are_what_ovmf_logged(void **state)
{
	static const unsigned whole[] = {2, 3, 6, 7};
	static const char *const log[] = {DATA "ovmf-2025.02-disk.eventlog",
					  DATA "ovmf-2025.02-kernel-option.eventlog"};

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(log); k++) {
		for (size_t i = 0; i < ARRAY_SIZE(whole); i++) {
			struct seen s = read_log(log[k], whole[i]);

			assert_int_equal(predicted.pcr[whole[i]].rule, PREDICT_SEQUENCE);
			assert_int_equal(predicted.pcr[whole[i]].event.n, s.n);
			assert_same(&predicted.pcr[whole[i]], &s, 0, s.n);
		}
	}
}

static void another_db_certificate_or_owner_changes_pcr_7(void **state)
{
	struct predict_params p = params;
	struct predict other = {0};
	struct err e = ERR_INIT;

	(void)state;
	p.db = params.kek;
	assert_ok(predict_make(&p, &other, &e), &e);
	for (size_t i = 0; i < 7; i++)
		assert_int_equal(!memcmp(other.pcr[7].event.v[i].digest, predicted.pcr[7].event.v[i].digest, 32),
				 i != 3 && i != 6);
	predict_free(&other);
	p = params;
	p.owner.b[0] ^= 1;
	assert_ok(predict_make(&p, &other, &e), &e);
	assert_memory_not_equal(other.pcr[7].event.v[1].digest, predicted.pcr[7].event.v[1].digest, 32);
	predict_free(&other);
}

static void loader_and_uki_stand_last_in_pcr_4_when_booted_from_disk(void **state)
{
	struct seen disk = read_log(DATA "ovmf-2025.02-disk.eventlog", 4), both = read_log(DATA "ovmf-2025.02-systemd-boot-257.eventlog", 4);
	struct seen option = read_log(DATA "ovmf-2025.02-kernel-option.eventlog", 4);
	uint8_t digest[HASH_SHA256_BYTES];
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(disk.n, 3);
	assert_int_equal(both.n, 4);
	assert_int_equal(predicted.pcr[4].event.n, both.n);
	assert_same(&predicted.pcr[4], &disk, 0, 2);
	assert_same(&predicted.pcr[4], &both, 0, 2);
	assert_ok(authenticode_digest(loader.data, loader.len, digest, &e), &e);
	assert_memory_equal(predicted.pcr[4].event.v[2].digest, digest, sizeof(digest));
	assert_ok(authenticode_digest(uki.data, uki.len, digest, &e), &e);
	assert_memory_equal(predicted.pcr[4].event.v[3].digest, digest, sizeof(digest));
	/* -kernel loads the image before it says that it is ready to boot: another order, which is not predicted */
	assert_int_equal(option.n, 3);
	assert_memory_equal(option.digest[0], disk.digest[2], HASH_SHA256_BYTES);
	assert_memory_equal(option.digest[1], disk.digest[0], HASH_SHA256_BYTES);
}

/* Without Secure Boot nobody is asked which key let the UKI through, and the stub has the firmware load, and measure, the kernel. */
static void with_secure_boot_off_pcr_4_and_7_are_what_ovmf_logged(void **state)
{
	static const unsigned whole[] = {2, 3, 6, 7};
	cleanup_buf struct buf kernel = load("tests/data/pe/good-kernel.efi");
	struct predict_params p = params;
	struct predict off = {0};
	uint8_t digest[HASH_SHA256_BYTES];
	struct seen four = read_log(OFF "disk.eventlog", 4);
	struct err e = ERR_INIT;

	(void)state;
	p.secure_boot_off = true;
	p.pk = p.kek = p.db = NULL;
	assert_ok(pki_cert_load(OFF "PK.pem", &p.pk, &e), &e);
	assert_ok(pki_cert_load(OFF "KEK.pem", &p.kek, &e), &e);
	assert_ok(pki_cert_load(OFF "db.pem", &p.db, &e), &e);
	assert_ok(efivar_uuid_parse(KEYS_OWNER_GUID, &p.owner, &e), &e);
	assert_ok(predict_make(&p, &off, &e), &e);
	for (size_t i = 0; i < ARRAY_SIZE(whole); i++) {
		struct seen s = read_log(OFF "disk.eventlog", whole[i]);

		assert_int_equal(off.pcr[whole[i]].event.n, s.n);
		assert_same(&off.pcr[whole[i]], &s, 0, s.n);
	}
	assert_int_equal(four.n, 4); /* started without the loader */
	assert_int_equal(off.pcr[4].event.n, 5);
	assert_same(&off.pcr[4], &four, 0, 2);
	assert_ok(authenticode_digest(kernel.data, kernel.len, digest, &e), &e);
	assert_memory_equal(off.pcr[4].event.v[4].digest, digest, sizeof(digest));
	for (unsigned i = 8; i < PREDICT_PCRS; i++) { /* nothing else depends on it */
		assert_int_equal(off.pcr[i].rule, predicted.pcr[i].rule);
		assert_int_equal(off.pcr[i].event.n, predicted.pcr[i].event.n);
		for (size_t k = 0; k < off.pcr[i].event.n; k++)
			assert_memory_equal(off.pcr[i].event.v[k].digest, predicted.pcr[i].event.v[k].digest, HASH_SHA256_BYTES);
	}
	predict_free(&off);
	X509_free(p.pk);
	X509_free(p.kek);
	X509_free(p.db);
}

static void command_line_and_section_names_are_what_stub_and_kernel_measured(void **state)
{
	struct seen nine = read_log(DATA "ovmf-2025.02-disk.eventlog", 9),
		    eleven = read_log(DATA "ovmf-2025.02-disk.eventlog", 11);
	const struct predict_pcr *p = &predicted.pcr[11];

	(void)state;
	assert_int_equal(nine.n, 2);
	assert_int_equal(predicted.pcr[9].event.n, 2);
	assert_same(&predicted.pcr[9], &nine, 0, 1);
	assert_int_equal(eleven.n, 10);
	assert_int_equal(p->event.n, eleven.n + 4);
	for (size_t i = 0; i < eleven.n; i += 2)
		assert_same(p, &eleven, i, i + 1); /* names */
	assert_same(p, &eleven, 3, 4);             /* .cmdline */
	assert_same(p, &eleven, 7, 8);             /* .uname */
	/* the initramfs is one digest in both PCRs, predicted and seen */
	assert_memory_equal(p->event.v[5].digest, predicted.pcr[9].event.v[1].digest, HASH_SHA256_BYTES);
	assert_memory_equal(eleven.digest[5], nine.digest[1], HASH_SHA256_BYTES);
}

static void phases_are_those_of_systemd_measure(void **state)
{
	/* printf ready | sha256sum, and so on */
	static const char *const phase[] = {"51e6b92f405d1f98d96e3de343d61d420ad6923b25de21d766f9298192f14fed",
					    "3be261aff7db92bf507eae947f4003ffa2bcad0bffe3524601d62d0bc8be7135",
					    "730bb5a583ba880c277e656d2dc8aba1a314a11b14d25b05153d2bab82567a48",
					    "b24d6d33736ecd5604a4b17bc9c6481039fac362bb7df044ef1c10a2bfd21db6"};
	const struct predict_list *l = &predicted.pcr[11].event;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(phase); i++) {
		char hex[2 * HASH_SHA256_BYTES + 1];

		hex_encode(l->v[l->n - 4 + i].digest, HASH_SHA256_BYTES, hex);
		assert_string_equal(hex, phase[i]);
	}
	assert_string_equal(l->v[l->n - 1].what, "phase: ready");
}

static void the_launch_chain_is_in_order_and_containers_come_after(void **state)
{
	static const char *const what[] = {"layer-policy",
					   "ipe-policy",
					   "engine: /usr/bin/containerd",
					   "engine-config: /etc/containerd/config.toml",
					   "engine-argv",
					   "separator"};
	const struct predict_pcr *p = &predicted.pcr[13];
	struct measure_event m = measure_container("second", params.policy_digest);
	uint8_t digest[HASH_SHA256_BYTES];

	(void)state;
	assert_int_equal(p->event.n, ARRAY_SIZE(what));
	for (size_t i = 0; i < ARRAY_SIZE(what); i++)
		assert_string_equal(p->event.v[i].what, what[i]);
	assert_int_equal(p->then.n, 2);
	hash_sha256(m.data, m.data_bytes, digest);
	assert_memory_equal(p->then.v[1].digest, digest, sizeof(digest));
	assert_int_equal(predicted.pcr[15].event.n, 2);
	assert_int_equal(predicted.pcr[10].event.n, 1);
	assert_int_equal(predicted.pcr[10].then.n, 2); /* the third root hash is the first again */
}

static void every_pcr_has_a_rule(void **state)
{
	uint8_t value[HASH_SHA256_BYTES];
	char hex[2 * HASH_SHA256_BYTES + 1];
	struct err e = ERR_INIT;

	(void)state;
	for (unsigned i = 0; i < PREDICT_PCRS; i++)
		assert_int_not_equal(predicted.pcr[i].rule, PREDICT_UNSET);
	/* /sys/class/tpm/tpm0/pcr-sha256/2 and 7 of the same boot */
	assert_ok(predict_value(&predicted, 2, value, &e), &e);
	hex_encode(value, sizeof(value), hex);
	assert_string_equal(hex, "3d458cfe55cc03ea1f443f1562beec8df51c75e14a9fcf9a7234a13f198e7969");
	assert_ok(predict_value(&predicted, 7, value, &e), &e);
	hex_encode(value, sizeof(value), hex);
	assert_string_equal(hex, "f9d0bd27619396e9dcd0e6d703973a3964298df1a57b56d595f989157b9ab9a7");
	assert_ok(predict_value(&predicted, 12, value, &e), &e);
	assert_true(hash_is_zero(value, sizeof(value)));
	assert_refused(predict_value(&predicted, 0, value, &e), &e, EINVAL, "PCR 0 has no one value");
	assert_refused(predict_value(&predicted, 16, value, &e), &e, EINVAL, "PCR 16 has no one value");
}

static void where_the_tpms_driver_is_a_module_pcr_10_stays_zero(void **state)
{
	struct predict_params p = params;
	struct predict late = {0};
	uint8_t value[HASH_SHA256_BYTES];
	struct err e = ERR_INIT;

	(void)state;
	p.tpm_is_late = true;
	assert_ok(predict_make(&p, &late, &e), &e);
	assert_int_equal(predicted.pcr[10].rule, PREDICT_IMA);
	assert_int_equal(late.pcr[10].rule, PREDICT_ZERO);
	assert_ok(predict_value(&late, 10, value, &e), &e);
	assert_true(hash_is_zero(value, sizeof(value)));
	predict_free(&late);
}

/* PCR 0, 1 and 5 are judged of a machine that was described, and of no other. */
static void firmware_and_disk_are_judged_of_a_described_machine_only(void **state)
{
	static const uint8_t order[] = {1, 0, 0, 0};
	struct seen one = read_log(DATA "ovmf-2025.02-disk.eventlog", 1), five = read_log(DATA "ovmf-2025.02-systemd-boot-257.eventlog", 5);
	struct predict_list machine[2] = {{0}};
	struct predict_params p = params;
	struct predict described = {0};
	struct err e = ERR_INIT;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		assert_ok(predict_add_bytes(&machine[i], order, i + 1, "first", NULL, &e), &e);
		assert_ok(predict_add_separator(&machine[i], &e), &e);
	}
	p.machine = machine;
	memcpy(p.gpt_event, five.digest[1], sizeof(p.gpt_event));
	assert_ok(predict_make(&p, &described, &e), &e);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(described.pcr[i].rule, PREDICT_SEQUENCE);
		assert_int_equal(described.pcr[i].event.n, 2);
		assert_memory_equal(described.pcr[i].event.v[0].digest, machine[i].v[0].digest, HASH_SHA256_BYTES);
		assert_memory_equal(described.pcr[i].event.v[1].digest, one.digest[one.n - 1], HASH_SHA256_BYTES);
	}
	assert_int_equal(described.pcr[5].event.n, five.n);
	assert_same(&described.pcr[5], &five, 0, five.n);
	assert_int_equal(predicted.pcr[0].rule, PREDICT_UNJUDGED);
	assert_int_equal(predicted.pcr[1].rule, PREDICT_UNJUDGED);
	assert_int_equal(predicted.pcr[5].rule, PREDICT_UNJUDGED);
	predict_free(&described);
	predict_list_free(&machine[0]);
	predict_list_free(&machine[1]);
}

/* Without UEFI: nothing of the firmware, and PCR 11 begins with PID 1's own word. */
static void without_uefi_pid_1_vouches_for_itself(void **state)
{
	/* printf 'profile:direct' | sha256sum; "command-line:sha256:" and sha256sum of "quiet roothash=00"; likewise 64 zeros */
	static const char *const digest[] = {"a4521836d121032bcfdab74c7e17891d401c4744c52d2b851a4be43d37f96d5b",
					    "682d43ac8f558ff0f6c96a55fd04157245291c5ddfd2ec1ef22ec035fcfe6d23",
					    "10283da2a223f154018fe2380041a48d56243f95623cec01b4835328ebe23312"};
	struct predict_params p = params;
	struct predict direct = {0};
	struct err e = ERR_INIT;
	char hex[2 * HASH_SHA256_BYTES + 1];

	(void)state;
	p.uki = NULL;
	p.cmdline = "quiet roothash=00";
	assert_ok(predict_make(&p, &direct, &e), &e);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(direct.pcr[i].rule, PREDICT_UNJUDGED);
	assert_int_equal(direct.pcr[8].rule, PREDICT_ZERO);
	assert_int_equal(direct.pcr[9].rule, PREDICT_ZERO);
	assert_int_equal(direct.pcr[11].event.n, ARRAY_SIZE(digest) + 4); /* and the phases */
	for (size_t i = 0; i < ARRAY_SIZE(digest); i++) {
		hex_encode(direct.pcr[11].event.v[i].digest, HASH_SHA256_BYTES, hex);
		assert_string_equal(hex, digest[i]);
	}
	assert_int_equal(direct.pcr[13].event.n, predicted.pcr[13].event.n - 1); /* no IPE policy */
	assert_string_equal(direct.pcr[13].event.v[1].what, predicted.pcr[13].event.v[2].what);
	assert_int_equal(direct.pcr[15].event.n, predicted.pcr[15].event.n);
	predict_free(&direct);
}

/* enforce-jit: one event more, between what the stub and what PID 1 says of the boot. */
static void enforce_jit_is_measured_before_the_phases(void **state)
{
	struct predict_params p = params;
	struct predict jit = {0};
	struct err e = ERR_INIT;
	char hex[2 * HASH_SHA256_BYTES + 1];
	size_t n = predicted.pcr[11].event.n;

	(void)state;
	p.jit = true;
	assert_ok(predict_make(&p, &jit, &e), &e);
	assert_int_equal(jit.pcr[11].event.n, n + 1);
	for (size_t i = 0; i < n - 4; i++)
		assert_memory_equal(jit.pcr[11].event.v[i].digest, predicted.pcr[11].event.v[i].digest, HASH_SHA256_BYTES);
	hex_encode(jit.pcr[11].event.v[n - 4].digest, HASH_SHA256_BYTES, hex); /* printf profile:enforce-jit | sha256sum */
	assert_string_equal(hex, "fa381b42ac1cf09bf912c9a17edb281772fd2406a0ccdbd4b4df18ae40f2da61");
	for (size_t i = n - 4; i < n; i++)
		assert_memory_equal(jit.pcr[11].event.v[i + 1].digest, predicted.pcr[11].event.v[i].digest, HASH_SHA256_BYTES);
	predict_free(&jit);
}

static void what_cannot_be_predicted_is_refused(void **state)
{
	static const char *const bad_name[] = {"Hello World"};
	cleanup_buf struct buf stub = load("tests/data/pe/good-stub.efi"), ucode = BUF_INIT;
	struct predict_params p = params;
	struct predict ret = {0};
	struct err e = ERR_INIT;
	struct pe pe;

	(void)state;
	p.uki = &stub;
	assert_refused(predict_make(&p, &ret, &e), &e, EINVAL, "no .cmdline or no .initrd");
	predict_free(&ret);
	p = params;
	p.container = bad_name;
	p.n_containers = 1;
	assert_refused(predict_make(&p, &ret, &e), &e, EINVAL, "\"Hello World\" is no name");
	predict_free(&ret);
	buf_put(&ucode, uki.data, uki.len);
	assert_ok(pe_parse(uki.data, uki.len, "uki", &pe, &e), &e);
	memcpy(ucode.data + pe.section_table_offset + 3 * PE_SECTION_BYTES, ".ucode\0\0", 8); /* was .uname */
	p = params;
	p.uki = &ucode;
	assert_refused(predict_make(&p, &ret, &e), &e, EINVAL, "from which the stub adds to the initramfs");
	predict_free(&ret);
}

static int set_up(void **state)
{
	cleanup_buf struct buf stub = load("tests/data/pe/good-stub.efi"),
			       kernel = load("tests/data/pe/good-kernel.efi"), initrd = BUF_INIT;
	struct uki_params up = {
		"x86_64", &stub, &kernel, &initrd, NULL, "console=ttyS0 roothash=abc quiet", "6.12.117+deb13-cloud-amd64", NULL};
	struct err e = ERR_INIT;

	(void)state;
	buf_str(&initrd, "some bytes");
	assert_ok(uki_build(&up, &uki, &e), &e);
	assert_ok(pki_cert_load(DATA "PK.pem", &params.pk, &e), &e);
	assert_ok(pki_cert_load(DATA "KEK.pem", &params.kek, &e), &e);
	assert_ok(pki_cert_load(DATA "db.pem", &params.db, &e), &e);
	assert_ok(efivar_uuid_parse("11111111-2222-3333-4444-555555555555", &params.owner, &e), &e);
	params.uki = &uki;
	params.loader = &loader;
	params.loader_conf = LOADER_CONF;
	loader = load("tests/data/pe/good-stub.efi");
	params.policy_version = 1;
	params.engine_argv = engine_argv;
	params.engine_config = engine_config;
	params.n_engine_config = 1;
	params.container = containers;
	params.n_containers = 2;
	params.ima_file = ima_files;
	params.n_ima_files = 1;
	params.verity_root = verity_roots;
	params.n_verity_roots = 3;
	assert_ok(predict_make(&params, &predicted, &e), &e);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	predict_free(&predicted);
	X509_free(params.pk);
	X509_free(params.kek);
	X509_free(params.db);
	buf_free(&uki);
	buf_free(&loader);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(separators_and_secure_boot_are_what_ovmf_logged),
		cmocka_unit_test(another_db_certificate_or_owner_changes_pcr_7),
		cmocka_unit_test(loader_and_uki_stand_last_in_pcr_4_when_booted_from_disk),
		cmocka_unit_test(with_secure_boot_off_pcr_4_and_7_are_what_ovmf_logged),
		cmocka_unit_test(command_line_and_section_names_are_what_stub_and_kernel_measured),
		cmocka_unit_test(phases_are_those_of_systemd_measure),
		cmocka_unit_test(the_launch_chain_is_in_order_and_containers_come_after),
		cmocka_unit_test(every_pcr_has_a_rule),
		cmocka_unit_test(where_the_tpms_driver_is_a_module_pcr_10_stays_zero),
		cmocka_unit_test(firmware_and_disk_are_judged_of_a_described_machine_only),
		cmocka_unit_test(without_uefi_pid_1_vouches_for_itself),
		cmocka_unit_test(enforce_jit_is_measured_before_the_phases),
		cmocka_unit_test(what_cannot_be_predicted_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
