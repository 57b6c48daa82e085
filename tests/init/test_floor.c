/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/init/test_floor.c - the rollback floor in a real TPM implementation: made, read, raised; and each way to take it away
 *
 * Policies are made here, by formula, not by the builder's code: two implementations must agree with the TPM.
 */
#include "tests/init/swtpm.h"

#include "common/hex.h"
#include "common/measure.h"
#include "init/floor.h"
#include "init/measure_log.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#define SECURE_BOOT "secure boot: on, db: owner's"
#define SLOW_MS     10000 /* for each answer: such a TPM still serves */

/* An image: its key, and the signed policies of its boots. */
struct image {
	const char *uki;
	EVP_PKEY *key;
	struct pid1_policy_key pcr_key;
	struct pcr_policies states;
};

static EVP_PKEY *owners_key, *other_key;
static struct image v1, v2, foreign;
static struct tpm_io tpm;

static void pcr_of(uint8_t ret[static 32], const char *first, int phases)
{
	uint8_t digest[32];

	memset(ret, 0, 32);
	hash_sha256(first, strlen(first), digest);
	assert_true(hash_extend(HASH_SHA256, ret, digest));
	for (enum measure_phase i = MEASURE_ENTER_INITRD; (int)i < phases; i++) {
		struct measure_event m = measure_phase(i);

		hash_sha256(m.data, m.data_bytes, digest);
		assert_true(hash_extend(HASH_SHA256, ret, digest));
	}
}

/* PolicyPCR over PCR 7 and 11 of bank sha256, in that state; part 3, 23.7. */
static void policy_of(const char *uki, int phases, uint8_t ret[static 32])
{
	uint8_t b[32 + 4 + 10 + 32] = { [34] = 0x01, [35] = 0x7f, [39] = 1, [41] = 0x0b, [42] = 3, [43] = 0x80, [44] = 0x08 };
	uint8_t pcrs[2][32];

	pcr_of(pcrs[0], SECURE_BOOT, 0);
	pcr_of(pcrs[1], uki, phases);
	hash_sha256(pcrs, sizeof(pcrs), b + 46);
	hash_sha256(b, sizeof(b), ret);
}

static void make_image(struct image *i, const char *uki, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	size_t at = 0;
	struct err e = ERR_INIT;
	char text[8192], pem[2048] = "";

	*i = (struct image){ .uki = uki, .key = key };
	assert_int_equal(PEM_write_bio_PUBKEY(bio, key), 1);
	assert_true(BIO_read(bio, pem, sizeof(pem) - 1) > 0);
	BIO_free(bio);
	assert_ok(pid1_policy_key_load(pem, strlen(pem), "pem", PCR_POLICY_BOOT, &i->pcr_key, &e), &e);
	for (int phases = 1; phases <= 3; phases++) {
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();
		uint8_t pol[32], sig[256];
		char hex[65], b64[400];
		size_t n = sizeof(sig);

		policy_of(uki, phases, pol);
		assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
		assert_int_equal(EVP_DigestSign(ctx, sig, &n, pol, sizeof(pol)), 1);
		EVP_MD_CTX_free(ctx);
		hex_encode(pol, sizeof(pol), hex);
		(void)EVP_EncodeBlock((unsigned char *)b64, sig, (int)n);
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s{\"pcrs\":[7,11],\"pkfp\":\"%064d\",\"pol\":\"%s\",\"sig\":\"%s\"}",
				       phases == 1 ? "{\"sha256\":[" : ",", 0, hex, b64);
	}
	at += (size_t)snprintf(text + at, sizeof(text) - at, "]}");
	assert_ok(pcr_policy_parse(text, at, "policies", PCR_POLICY_BOOT, &i->states, &e), &e);
}

/* Reset, then the firmware, the stub and PID 1 up to so many phases. */
static void boot(const struct image *i, int phases)
{
	swtpm_reset();
	tpm = (struct tpm_io){ .fd = lab.fd, .timeout_ms = 5000 };
	extend(7, SECURE_BOOT);
	extend(11, i->uki);
	for (enum measure_phase p = MEASURE_ENTER_INITRD; (int)p < phases; p++)
		extend(11, measure_phase(p).data);
}

static struct pid1_floor_params params(const struct image *i, const uint8_t *mark)
{
	return (struct pid1_floor_params){ .tpm = &tpm, .pcr_key = &i->pcr_key, .policies = &i->states, .mark = mark };
}

static struct pid1_floor_found opened(const struct image *i, const uint8_t *mark, enum pid1_floor_verdict want)
{
	struct pid1_floor_params p = params(i, mark);
	struct pid1_floor_found f;
	struct err e = ERR_INIT;

	assert_ok(pid1_floor_open(&p, &f, &e), &e);
	assert_int_equal(f.verdict, want);
	return f;
}

/* A new machine that has booted v1 once; its mark. */
static struct pid1_floor_found new_machine(void)
{
	swtpm_new(false);
	boot(&v1, 2);
	return opened(&v1, NULL, PID1_FLOOR_NEW);
}

static void arm(const struct image *i, const struct pid1_floor *to, struct pid1_tpm_wire *ret)
{
	struct pid1_floor_params p = params(i, NULL);
	struct err e = ERR_INIT;

	assert_ok(pid1_floor_arm(&p, to, ret, &e), &e);
}

static void assert_floor(const struct pid1_floor_found *f, uint64_t a, uint64_t b, uint64_t c)
{
	assert_int_equal(f->floor.version[PID1_FLOOR_ROOT], a);
	assert_int_equal(f->floor.version[PID1_FLOOR_LAYER_POLICY], b);
	assert_int_equal(f->floor.version[PID1_FLOOR_IPE_POLICY], c);
}

static void a_new_machine_gets_a_floor_of_zeros_and_the_next_boot_reads_it(void **state)
{
	const struct pid1_floor to = { { 1, 1, 1 } };
	struct pid1_floor_found f;
	struct pid1_tpm_wire w;

	(void)state;
	NEED_SWTPM();
	f = new_machine();
	arm(&v1, &to, &w);
	print_message("a new machine's floor with its raise: %d TPM commands\n", lab.control->commands - 4);
	assert_true(lab.control->commands * SLOW_MS < PID1_FLOOR_WITHIN_MS);
	assert_floor(&f, 0, 0, 0);
	boot(&v1, 2);
	f = opened(&v1, f.mark, PID1_FLOOR_READ);
	assert_floor(&f, 0, 0, 0);
	arm(&v1, &to, &w);
	print_message("a boot's floor with its raise: %d TPM commands\n", lab.control->commands - 4);
	assert_true(lab.control->commands * SLOW_MS < PID1_FLOOR_WITHIN_MS);
	(void)opened(&v1, NULL, PID1_FLOOR_READ); /* the variable store was reset: the floor stands */
}

static void what_was_armed_before_ready_raises_the_floor_after_it_once(void **state)
{
	const struct pid1_floor to = { { 5, 3, 1ull << 40 } };
	struct pid1_floor_found f;
	struct pid1_tpm_wire w;
	struct err e = ERR_INIT;

	(void)state;
	NEED_SWTPM();
	f = new_machine();
	arm(&v1, &to, &w);
	extend(11, "sysinit");
	extend(11, "ready");
	extend(13, "container");
	assert_ok(pid1_floor_raise(&tpm, &w, &e), &e);
	assert_refused(pid1_floor_raise(&tpm, &w, &e), &e, EINVAL, "no command is armed");
	boot(&v1, 2);
	f = opened(&v1, f.mark, PID1_FLOOR_READ);
	assert_floor(&f, 5, 3, 1ull << 40);
}

static void an_armed_command_is_good_for_its_record_alone(void **state)
{
	const struct pid1_floor to = { { 5, 3, 1 } };
	struct pid1_tpm_wire w, again;
	struct pid1_floor_found f;
	struct err e = ERR_INIT;

	(void)state;
	NEED_SWTPM();
	f = new_machine();
	arm(&v1, &to, &w);
	w.b[w.n - 3] ^= 1; /* the last number's last byte: the offset of two bytes is behind it */
	assert_refused(pid1_floor_raise(&tpm, &w, &e), &e, EPROTO, "response code 0x9a2");
	boot(&v1, 2);
	arm(&v1, &to, &w);
	again = w;
	assert_ok(pid1_floor_raise(&tpm, &w, &e), &e);
	assert_refused(pid1_floor_raise(&tpm, &again, &e), &e, EPROTO, "response code 0x");
	f = opened(&v1, f.mark, PID1_FLOOR_READ);
	assert_floor(&f, 5, 3, 1);
}

static void after_ready_the_tpm_obeys_nobody(void **state)
{
	const struct pid1_floor to = { { 0, 0, 0 } };
	struct pid1_floor_found f = { 0 };
	struct pid1_floor_params p;
	struct pid1_tpm_wire w;
	struct err e = ERR_INIT;

	(void)state;
	NEED_SWTPM();
	f = new_machine();
	for (int phases = 1; phases <= 5; phases++) {
		boot(&v1, phases);
		p = params(&v1, f.mark);
		if (phases <= 3) {
			arm(&v1, &to, &w);
			(void)opened(&v1, f.mark, PID1_FLOOR_READ);
		} else {
			struct pid1_floor_found none;

			assert_refused(pid1_floor_arm(&p, &to, &w, &e), &e, EPERM, "no signed PCR policy");
			assert_refused(pid1_floor_open(&p, &none, &e), &e, EPERM, "no signed PCR policy");
			assert_int_equal(none.verdict, PID1_FLOOR_UNSET);
		}
	}
}

static void an_update_signed_by_the_same_key_goes_on_and_another_image_does_not(void **state)
{
	struct pid1_floor_found f, none;
	struct pid1_floor_params p;
	struct image bent;
	struct err e = ERR_INIT;

	(void)state;
	NEED_SWTPM();
	f = new_machine();
	boot(&v2, 2);
	(void)opened(&v2, f.mark, PID1_FLOOR_READ);
	/* v1's policies in a boot of v2: a UKI that was changed */
	boot(&v2, 2);
	p = params(&v1, f.mark);
	assert_refused(pid1_floor_open(&p, &none, &e), &e, EPERM, "no signed PCR policy");
	/* Secure Boot off, and an operating system that extends PCR 11 as we do */
	swtpm_reset();
	tpm = (struct tpm_io){ .fd = lab.fd, .timeout_ms = 5000 };
	extend(7, "secure boot: off");
	extend(11, v1.uki);
	extend(11, "enter-initrd");
	assert_refused(pid1_floor_open(&p, &none, &e), &e, EPERM, "no signed PCR policy");
	/* an image of another owner; and one whose policies another key signed */
	boot(&foreign, 2);
	(void)opened(&foreign, f.mark, PID1_FLOOR_FOREIGN);
	bent = foreign;
	bent.pcr_key = v1.pcr_key;
	p = params(&bent, f.mark);
	p.policies = &bent.states;
	assert_refused(pid1_floor_open(&p, &none, &e), &e, EPROTO, "the signature of a PCR policy");
}

/* --- taking it away ------------------------------------------------------------------------------------------------------- */

static const struct pid1_tpm_entity the_owner = { .handle = PID1_TPM_RH_OWNER }, lockout = { .handle = PID1_TPM_RH_LOCKOUT };

static int undefine(uint32_t index, struct err *e)
{
	struct pid1_tpm_entity nv = { .handle = index };
	struct pid1_tpm_cmd c = { .code = 0x122, .on = { &the_owner, &nv }, .n_on = 2, .authorised = true };
	struct reader r;

	return pid1_tpm_run(&tpm, &c, &r, e);
}

static int clear(struct err *e)
{
	struct pid1_tpm_cmd c = { .code = 0x126, .on = { &lockout }, .n_on = 1, .authorised = true };
	struct reader r;

	return pid1_tpm_run(&tpm, &c, &r, e);
}

/* An index with an empty password, as anybody may have it. */
static int define(uint32_t index, uint32_t attributes, struct err *e)
{
	struct pid1_tpm_cmd c = { .code = 0x12a, .on = { &the_owner }, .n_on = 1, .authorised = true };
	struct reader r;

	pid1_tpm_put(&c, 0, 2);
	pid1_tpm_put(&c, 14, 2);
	pid1_tpm_put(&c, index, 4);
	pid1_tpm_put(&c, HASH_SHA256, 2);
	pid1_tpm_put(&c, attributes, 4);
	pid1_tpm_put(&c, 0, 2);
	pid1_tpm_put(&c, 32, 2);
	return pid1_tpm_run(&tpm, &c, &r, e);
}

#define AUTH_READ_WRITE 0x40004u

static void nobody_else_deletes_an_index_or_clears_the_tpm(void **state)
{
	struct pid1_floor_found f;
	struct err e = ERR_INIT;

	(void)state;
	NEED_SWTPM();
	/* Before us anybody may. */
	swtpm_new(false);
	boot(&v1, 2);
	assert_ok(define(0x01800001, AUTH_READ_WRITE, &e), &e);
	assert_ok(undefine(0x01800001, &e), &e);
	assert_ok(clear(&e), &e);
	f = opened(&v1, NULL, PID1_FLOOR_NEW);
	for (int phases = 2; phases <= 4; phases += 2) {
		boot(&v1, phases);
		assert_refused(undefine(PID1_FLOOR_INDEX, &e), &e, EPROTO, "response code 0x9a2");
		assert_refused(undefine(PID1_FLOOR_SECRET_INDEX, &e), &e, EPROTO, "response code 0x9a2");
		assert_refused(define(0x01800001, AUTH_READ_WRITE, &e), &e, EPROTO, "response code 0x9a2");
		assert_refused(clear(&e), &e, EPROTO, "response code 0x120");
	}
	boot(&v1, 2);
	(void)opened(&v1, f.mark, PID1_FLOOR_READ);
}

static void an_index_that_is_gone_is_not_floor_0(void **state)
{
	struct pid1_tpm_srk srk;
	struct err e = ERR_INIT;

	(void)state;
	NEED_SWTPM();
	swtpm_new(false);
	boot(&v1, 2);
	assert_ok(pid1_tpm_srk_make(&tpm, &e), &e);
	assert_ok(pid1_tpm_srk_read(&tpm, &srk, &e), &e);
	(void)opened(&v1, srk.key.name, PID1_FLOOR_DELETED);
	(void)opened(&v1, srk.key.name, PID1_FLOOR_DELETED); /* and nothing was made meanwhile */
	(void)opened(&v1, NULL, PID1_FLOOR_NEW);
}

static void a_cleared_and_a_replaced_tpm_are_recognised(void **state)
{
	struct pid1_floor_found f, other;

	(void)state;
	NEED_SWTPM();
	f = new_machine();
	swtpm_new(true);
	boot(&v1, 2);
	(void)opened(&v1, f.mark, PID1_FLOOR_CLEARED); /* no SRK */
	other = opened(&v1, NULL, PID1_FLOOR_NEW);
	assert_memory_not_equal(other.mark, f.mark, sizeof(f.mark));
	(void)opened(&v1, f.mark, PID1_FLOOR_CLEARED); /* another SRK */
}

static void an_index_or_an_owner_that_is_not_ours_is_told(void **state)
{
	struct pid1_tpm_cmd c = { .code = 0x129, .on = { &the_owner }, .n_on = 1, .authorised = true };
	struct err e = ERR_INIT;
	struct reader r;

	(void)state;
	NEED_SWTPM();
	swtpm_new(false);
	boot(&v1, 2);
	assert_ok(define(PID1_FLOOR_INDEX, AUTH_READ_WRITE, &e), &e);
	(void)opened(&v1, NULL, PID1_FLOOR_FOREIGN);
	assert_ok(undefine(PID1_FLOOR_INDEX, &e), &e);
	pid1_tpm_put_2b(&c, "somebody", 8);
	assert_ok(pid1_tpm_run(&tpm, &c, &r, &e), &e);
	(void)opened(&v1, NULL, PID1_FLOOR_FOREIGN);
}

static void a_lockout_authorisation_that_is_not_ours_is_told_and_nothing_is_made(void **state)
{
	struct pid1_tpm_cmd c = { .code = 0x129, .on = { &lockout }, .n_on = 1, .authorised = true };
	struct err e = ERR_INIT;
	struct reader r;

	(void)state;
	NEED_SWTPM();
	swtpm_new(false);
	boot(&v1, 2);
	pid1_tpm_put_2b(&c, "somebody", 8);
	assert_ok(pid1_tpm_run(&tpm, &c, &r, &e), &e);
	(void)opened(&v1, NULL, PID1_FLOOR_FOREIGN);
	assert_refused(undefine(PID1_FLOOR_INDEX, &e), &e, EPROTO, "response code 0x28b"); /* it is not there */
}

/* --- a TPM that is not well ----------------------------------------------------------------------------------------------- */

static void a_power_cut_at_any_command_is_made_good_by_the_next_boot(void **state)
{
	int cuts = 0;

	(void)state;
	NEED_SWTPM();
	for (int n = 1;; n++, cuts++) {
		struct pid1_floor_params p = params(&v1, NULL);
		struct pid1_floor_found f;
		struct err e = ERR_INIT;
		int r;

		swtpm_new(false);
		boot(&v1, 2);
		lab.control->cut_after = lab.control->commands + n;
		r = pid1_floor_open(&p, &f, &e);
		if (!r) {
			assert_int_equal(f.verdict, PID1_FLOOR_NEW);
			break;
		}
		assert_int_equal(f.verdict, PID1_FLOOR_UNSET);
		boot(&v1, 2);
		assert_ok(pid1_floor_open(&p, &f, &e), &e);
		assert_true(f.verdict == PID1_FLOOR_NEW || f.verdict == PID1_FLOOR_READ);
		assert_floor(&f, 0, 0, 0);
		assert_refused(undefine(PID1_FLOOR_INDEX, &e), &e, EPROTO, "response code 0x9a2");
		assert_refused(clear(&e), &e, EPROTO, "response code 0x120");
	}
	assert_true(cuts > 20);
	print_message("a new machine's floor: %d TPM commands\n", cuts);
}

static void a_slow_tpm_is_waited_for_and_a_silent_one_is_told(void **state)
{
	struct pid1_floor_found f, none;
	struct pid1_floor_params p;
	struct err e = ERR_INIT;

	(void)state;
	NEED_SWTPM();
	f = new_machine();
	boot(&v1, 2);
	_Static_assert(2 * SLOW_MS <= PID1_TPM_TIMEOUT_MS, "an answer has time");
	tpm.timeout_ms = PID1_TPM_TIMEOUT_MS / 80; /* all of it eighty times as fast; what all answers may take: the first test */
	lab.control->delay_ms = SLOW_MS / 80;
	(void)opened(&v1, f.mark, PID1_FLOOR_READ);
	lab.control->delay_ms = 400;
	p = params(&v1, f.mark);
	assert_refused(pid1_floor_open(&p, &none, &e), &e, ETIMEDOUT, "did not answer within 250 ms");
	assert_int_equal(none.verdict, PID1_FLOOR_UNSET);
}

static void a_tpm_in_lockout_serves_the_floor(void **state)
{
	struct pid1_tpm_cmd c = { .code = 0x13a, .on = { &lockout }, .n_on = 1, .authorised = true };
	struct pid1_tpm_entity nv = { .handle = 0x01800001 };
	struct pid1_tpm_cmd w = { .code = 0x137, .on = { &nv, &nv }, .n_on = 2, .authorised = true };
	const struct pid1_floor to = { { 1, 1, 1 } };
	struct pid1_floor_found f;
	struct pid1_tpm_wire armed;
	struct err e = ERR_INIT;
	struct reader r;

	(void)state;
	NEED_SWTPM();
	swtpm_new(false);
	boot(&v1, 2);
	assert_ok(define(0x01800001, AUTH_READ_WRITE, &e), &e); /* without NO_DA */
	f = opened(&v1, NULL, PID1_FLOOR_NEW);
	pid1_tpm_put(&c, 0, 4); /* no try at all */
	pid1_tpm_put(&c, 1000, 4);
	pid1_tpm_put(&c, 1000, 4);
	assert_ok(pid1_tpm_run(&tpm, &c, &r, &e), &e);
	pid1_tpm_put(&w, 0, 2);
	pid1_tpm_put(&w, 0, 2);
	assert_refused(pid1_tpm_run(&tpm, &w, &r, &e), &e, EPROTO, "response code 0x921"); /* TPM_RC_LOCKOUT */
	f = opened(&v1, f.mark, PID1_FLOOR_READ);
	arm(&v1, &to, &armed);
	assert_ok(pid1_floor_raise(&tpm, &armed, &e), &e);
	f = opened(&v1, f.mark, PID1_FLOOR_READ);
	assert_floor(&f, 1, 1, 1);
}

static void bytes_that_were_changed_on_the_bus_are_noticed(void **state)
{
	struct pid1_floor_found f, none;
	struct pid1_floor_params p;
	struct err e = ERR_INIT;

	(void)state;
	NEED_SWTPM();
	f = new_machine();
	boot(&v1, 2);
	lab.control->bend_code = 0x14e; /* NV_Read: the floor itself */
	p = params(&v1, f.mark);
	assert_refused(pid1_floor_open(&p, &none, &e), &e, EBADMSG, "command 0x14e is not authentic");
	lab.control->bend_code = 0;
	(void)opened(&v1, f.mark, PID1_FLOOR_READ);
}

static void neither_secret_nor_authorisation_goes_over_the_bus_in_the_clear(void **state)
{
	struct pid1_policy_key *k = &v1.pcr_key;
	struct pid1_tpm_session s = { 0 };
	struct pid1_tpm_entity nv = { .handle = PID1_FLOOR_SECRET_INDEX };
	struct pid1_tpm_cmd public = { .code = 0x169, .on = { &nv }, .n_on = 1 };
	struct pid1_tpm_cmd c = { .code = 0x14e, .on = { &nv, &nv }, .n_on = 2, .authorised = true, .session = &s };
	static uint8_t log[sizeof(lab.control->log)];
	const struct pid1_floor to = { { 1, 1, 1 } };
	struct pid1_tpm_wire w;
	struct pid1_tpm_srk srk;
	uint8_t secret[32];
	struct err e = ERR_INIT;
	const uint8_t *p;
	struct reader r;
	size_t n, logged;

	(void)state;
	NEED_SWTPM();
	(void)new_machine();
	arm(&v1, &to, &w);
	assert_ok(pid1_floor_raise(&tpm, &w, &e), &e);
	logged = lab.control->log_bytes;
	assert_true(logged > 5000 && logged < sizeof(log) - 4096);
	memcpy(log, lab.control->log, logged);
	/* Now in the clear, to know it: the same command without encryption does show it. */
	assert_ok(pid1_tpm_run(&tpm, &public, &r, &e), &e);
	p = pid1_tpm_2b(&r, 100, &n);
	pid1_tpm_name(p, n, nv.name);
	assert_ok(pid1_tpm_srk_read(&tpm, &srk, &e), &e);
	assert_ok(pid1_policy_begin(&tpm, &srk, k, &v1.states, &s, &e), &e);
	pid1_tpm_put(&c, 32, 2);
	pid1_tpm_put(&c, 0, 2);
	assert_ok(pid1_tpm_run(&tpm, &c, &r, &e), &e);
	reader_bytes(&r, 2);
	reader_copy(&r, secret, sizeof(secret));
	assert_null(memmem(log, logged, secret, sizeof(secret)));
	assert_non_null(memmem(lab.control->log, lab.control->log_bytes, secret, sizeof(secret)));
	pid1_tpm_end(&tpm, &s);
}

/* --- without a TPM -------------------------------------------------------------------------------------------------------- */

static void what_is_below_and_what_is_higher(void **state)
{
	const struct pid1_floor floor = { { 4, 3, 2 } };
	static const struct {
		struct pid1_floor running;
		enum pid1_floor_what below;
		bool higher;
	} cases[] = {
		{ { { 4, 3, 2 } }, PID1_FLOOR_WHAT_, false },	     { { { 3, 9, 9 } }, PID1_FLOOR_ROOT, true },
		{ { { 4, 2, 2 } }, PID1_FLOOR_LAYER_POLICY, false }, { { { 4, 3, 1 } }, PID1_FLOOR_IPE_POLICY, false },
		{ { { 5, 3, 2 } }, PID1_FLOOR_WHAT_, true },	     { { { 0, 0, 0 } }, PID1_FLOOR_ROOT, false },
	};
	struct pid1_floor to;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(pid1_floor_below(&floor, &cases[i].running), cases[i].below);
		assert_int_equal(pid1_floor_raised(&floor, &cases[i].running, &to), cases[i].higher);
		for (int k = 0; k < PID1_FLOOR_WHAT_; k++) /* never lowered */
			assert_true(to.version[k] >= floor.version[k] && to.version[k] >= cases[i].running.version[k]);
	}
}

static void a_pcr_key_that_is_not_rsa_2048_or_more_is_refused(void **state)
{
	EVP_PKEY *keys[] = { EVP_EC_gen("P-256"), EVP_RSA_gen(1024) };
	struct pid1_policy_key k;
	struct err e = ERR_INIT;

	(void)state;
	assert_refused(pid1_policy_key_load("", 0, "pem", PCR_POLICY_BOOT, &k, &e), &e, EINVAL, "pem: is no public key");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		BIO *bio = BIO_new(BIO_s_mem());
		char pem[2048] = "";

		assert_int_equal(PEM_write_bio_PUBKEY(bio, keys[i]), 1);
		assert_true(BIO_read(bio, pem, sizeof(pem) - 1) > 0);
		assert_refused(pid1_policy_key_load(pem, strlen(pem), "pem", PCR_POLICY_BOOT, &k, &e), &e, EINVAL, "signed by RSA keys");
		BIO_free(bio);
		EVP_PKEY_free(keys[i]);
	}
}

static int begin(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	owners_key = EVP_RSA_gen(2048);
	other_key = EVP_RSA_gen(2048);
	make_image(&v1, "UKI version 1", owners_key);
	make_image(&v2, "UKI version 2", owners_key);
	make_image(&foreign, "UKI of another owner", other_key);
	return 0;
}

static int end(void **state)
{
	EVP_PKEY_free(owners_key);
	EVP_PKEY_free(other_key);
	return swtpm_end(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_machine_gets_a_floor_of_zeros_and_the_next_boot_reads_it),
		cmocka_unit_test(what_was_armed_before_ready_raises_the_floor_after_it_once),
		cmocka_unit_test(an_armed_command_is_good_for_its_record_alone),
		cmocka_unit_test(after_ready_the_tpm_obeys_nobody),
		cmocka_unit_test(an_update_signed_by_the_same_key_goes_on_and_another_image_does_not),
		cmocka_unit_test(nobody_else_deletes_an_index_or_clears_the_tpm),
		cmocka_unit_test(an_index_that_is_gone_is_not_floor_0),
		cmocka_unit_test(a_cleared_and_a_replaced_tpm_are_recognised),
		cmocka_unit_test(an_index_or_an_owner_that_is_not_ours_is_told),
		cmocka_unit_test(a_lockout_authorisation_that_is_not_ours_is_told_and_nothing_is_made),
		cmocka_unit_test(a_power_cut_at_any_command_is_made_good_by_the_next_boot),
		cmocka_unit_test(a_slow_tpm_is_waited_for_and_a_silent_one_is_told),
		cmocka_unit_test(a_tpm_in_lockout_serves_the_floor),
		cmocka_unit_test(bytes_that_were_changed_on_the_bus_are_noticed),
		cmocka_unit_test(neither_secret_nor_authorisation_goes_over_the_bus_in_the_clear),
		cmocka_unit_test(what_is_below_and_what_is_higher),
		cmocka_unit_test(a_pcr_key_that_is_not_rsa_2048_or_more_is_refused),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
