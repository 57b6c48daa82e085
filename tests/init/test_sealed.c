/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/init/test_sealed.c - the sealed state with a real TPM implementation and real LUKS2 headers: made, opened; and each thief
 *
 * The volume is a file, and nothing is activated: that is tests/vm/cases/sealed-state. Policies are made here by formula, not by
 * the builder's code. Foreign volumes are made by libcryptsetup, as somebody else would.
 */
#include "tests/init/swtpm.h"

#include "common/codes.h"
#include "common/file.h"
#include "common/hex.h"
#include "common/measure.h"
#include "init/sealed_recovery.h"
#include "init/sealed_volume.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/cms.h> /* behind pem.h: only then it declares its PEM functions */
#include <sys/stat.h>

#define SECURE_BOOT  "secure boot: on, db: owner's"
#define VOLUME_BYTES (24u << 20)

struct image {
	const char *uki, *root;
	struct pid1_policy_key boot_key, key;
	char pem[2048];
	struct pcr_policies boot, states;
};

static EVP_PKEY *owners_key, *other_key;
static struct image v1, v2, foreign;
static struct tpm_io tpm;
static char dir[64], part[96], header[96], out[96];

/* --- images and boots ----------------------------------------------------------------------------------------------------- */

static void extend_value(uint8_t pcr[static 32], const char *text)
{
	uint8_t digest[32];

	hash_sha256(text, strlen(text), digest);
	assert_true(hash_extend(HASH_SHA256, pcr, digest));
}

/* PolicyPCR of bank sha256 over PCR 7, 11 and, with @root, 15; part 3, 23.7. */
static void policy_of(const char *uki, int phases, const char *root, uint8_t ret[static 32])
{
	uint8_t b[32 + 4 + 10 + 32] = { [34] = 0x01, [35] = 0x7f, [39] = 1, [41] = 0x0b, [42] = 3, [43] = 0x80, [44] = 0x08 };
	uint8_t pcrs[3][32] = { 0 };

	extend_value(pcrs[0], SECURE_BOOT);
	extend_value(pcrs[1], uki);
	for (enum measure_phase i = MEASURE_ENTER_INITRD; (int)i < phases; i++)
		extend_value(pcrs[1], measure_phase(i).data);
	if (root) {
		b[44] |= 0x80;
		extend_value(pcrs[2], root);
	}
	hash_sha256(pcrs, root ? 96 : 64, b + 46);
	hash_sha256(b, sizeof(b), ret);
}

/* The policy @pol, signed over @pol and @reference; part 3, 23.16. */
static struct pcr_policy entry(EVP_PKEY *key, const char *reference, uint32_t pcrs, const uint8_t pol[static 32])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct pcr_policy p = { .pcrs = pcrs, .signature_bytes = sizeof(p.signature) };

	memcpy(p.digest, pol, 32);
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestSignUpdate(ctx, pol, 32), 1);
	assert_int_equal(EVP_DigestSignUpdate(ctx, reference, strlen(reference)), 1);
	assert_int_equal(EVP_DigestSignFinal(ctx, p.signature, &p.signature_bytes), 1);
	EVP_MD_CTX_free(ctx);
	return p;
}

static void make_image(struct image *i, const char *uki, const char *root, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct err e = ERR_INIT;
	uint8_t pol[32];

	i->uki = uki;
	i->root = root;
	assert_int_equal(PEM_write_bio_PUBKEY(bio, key), 1);
	assert_true(BIO_read(bio, i->pem, sizeof(i->pem) - 1) > 0);
	BIO_free(bio);
	assert_ok(pid1_policy_key_load(i->pem, strlen(i->pem), "pem", PCR_POLICY_BOOT, &i->boot_key, &e), &e);
	assert_ok(pid1_policy_key_load(i->pem, strlen(i->pem), "pem", PCR_POLICY_STATE, &i->key, &e), &e);
	for (int phases = 1; phases <= 3; phases++) {
		policy_of(uki, phases, NULL, pol);
		i->boot.v[i->boot.n++] = entry(key, PCR_POLICY_BOOT, 1u << 7 | 1u << 11, pol);
	}
	policy_of(uki, 2, root, pol);
	i->states = (struct pcr_policies){ .n = 1, .v = { entry(key, PCR_POLICY_STATE, 1u << 7 | 1u << 11 | 1u << 15, pol) } };
}

/* Reset, then the firmware, the stub and PID 1 up to so many phases. */
static void boot(const struct image *i, int phases)
{
	swtpm_reset();
	tpm = (struct tpm_io){ .fd = lab.fd, .timeout_ms = 5000 };
	extend(7, SECURE_BOOT);
	extend(11, i->uki);
	extend(15, i->root);
	for (enum measure_phase p = MEASURE_ENTER_INITRD; (int)p < phases; p++)
		extend(11, measure_phase(p).data);
}

static struct pid1_floor_params floor_params(const struct image *i)
{
	return (struct pid1_floor_params){ .tpm = &tpm, .pcr_key = &i->boot_key, .policies = &i->boot };
}

static struct pid1_sealed_tpm sealed_tpm(const struct image *i)
{
	return (struct pid1_sealed_tpm){ .floor = floor_params(i), .key = &i->key, .states = &i->states };
}

static void make_floor(const struct image *i)
{
	struct pid1_floor_params p = floor_params(i);
	struct pid1_floor_found f;
	struct err e = ERR_INIT;

	assert_ok(pid1_floor_open(&p, &f, &e), &e);
	assert_true(f.verdict == PID1_FLOOR_NEW || f.verdict == PID1_FLOOR_READ);
}

/* --- volumes ---------------------------------------------------------------------------------------------------------------- */

static void blank(void)
{
	int fd = open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, VOLUME_BYTES), 0);
	assert_int_equal(close(fd), 0);
}

static void put_at(off_t at, const void *data, size_t n)
{
	int fd = open(part, O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, n, at), n);
	assert_int_equal(close(fd), 0);
}

static void get_at(off_t at, void *data, size_t n)
{
	int fd = open(part, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, data, n, at), n);
	assert_int_equal(close(fd), 0);
}

static void digest_of_partition(uint8_t ret[static 32])
{
	struct err e = ERR_INIT;

	assert_ok(hash_sha256_file(part, ret, &e), &e);
}

/* What the partition's header says, as its owner would ask; to be freed. */
static struct crypt_device *luks(void)
{
	struct crypt_device *cd = NULL;

	assert_int_equal(crypt_init(&cd, part), 0);
	assert_int_equal(crypt_load(cd, CRYPT_LUKS2, NULL), 0);
	return cd;
}

struct result {
	struct pid1_sealed_answer answer;
	uint32_t code;
	struct err e;
	int r;
};

static struct result run_with(const struct image *i, enum pid1_sealed_recovery recovery, const char *escrow, void (*at)(const char *))
{
	struct pid1_sealed_tpm t = sealed_tpm(i);
	struct pid1_sealed_volume v = { .partition = part, .header = header, .tpm = &t, .pcr_pem = i->pem, .recovery = recovery,
					.escrow_pem = escrow, .at = at };
	struct result ret = { .code = CODE_STATE_SEALED };

	v.tell = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ret.r = pid1_sealed_tpm_open(&t, &ret.e);
	if (!ret.r)
		ret.r = pid1_sealed_volume_open(&v, &ret.answer, &ret.code, &ret.e);
	assert_int_equal(close(v.tell), 0);
	return ret;
}

static struct result run(const struct image *i)
{
	return run_with(i, PID1_SEALED_RECOVERY_NONE, NULL, NULL);
}

static struct result opened(const struct image *i)
{
	struct result x = run(i);

	if (x.r)
		fail_msg("E%u %s", (unsigned)x.code, x.e.msg);
	assert_int_equal(x.code, CODE_NONE);
	return x;
}

/* The partition keeps each byte, too. */
static void refused(const struct image *i, enum code code, const char *part_of_sentence)
{
	uint8_t before[32], after[32];
	struct result x;

	digest_of_partition(before);
	x = run(i);
	digest_of_partition(after);
	if (!x.r || x.code != code || !strstr(x.e.msg, part_of_sentence))
		fail_msg("E%u \"%s\", wanted E%u with \"%s\"", (unsigned)x.code, x.e.msg, (unsigned)code, part_of_sentence);
	assert_memory_equal(before, after, 32);
}

/* A machine that has booted v1 once and has a state volume; the machine is in its second boot. */
static struct result new_machine(void)
{
	struct result x;

	swtpm_new(false);
	boot(&v1, 2);
	make_floor(&v1);
	blank();
	x = opened(&v1);
	assert_true(x.answer.made);
	assert_false(x.answer.again);
	boot(&v1, 2);
	return x;
}

/* --- the way it should go ------------------------------------------------------------------------------------------------------ */

static void a_blank_partition_becomes_a_volume_and_the_next_boot_opens_it(void **state)
{
	struct result made, x;

	(void)state;
	NEED_SWTPM();
	made = new_machine();
	lab.control->commands = 0;
	x = opened(&v1);
	assert_false(x.answer.made);
	assert_string_equal(x.answer.uuid, made.answer.uuid);
	print_message("an ordinary boot's unsealing: %d TPM commands\n", lab.control->commands);
}

static void neither_key_nor_secret_goes_over_the_bus_in_clear(void **state)
{
	uint8_t key[PID1_SEALED_KEY_BYTES];
	struct pid1_sealed_token token;
	struct pid1_sealed_tpm t;
	struct crypt_device *cd;
	struct err e = ERR_INIT;
	const char *text;

	(void)state;
	NEED_SWTPM();
	(void)new_machine();
	t = sealed_tpm(&v1);
	cd = luks();
	assert_int_equal(crypt_token_json_get(cd, 0, &text), 0);
	assert_ok(pid1_sealed_token_parse(text, strlen(text), &token, &e), &e);
	assert_ok(pid1_sealed_tpm_open(&t, &e), &e);
	assert_ok(pid1_sealed_unseal(&t, crypt_get_uuid(cd), &token, key, &e), &e);
	crypt_free(cd);
	assert_true(lab.control->log_bytes > 1000);
	assert_non_null(memmem(lab.control->log, lab.control->log_bytes, token.blob, 60)); /* what is no secret is there */
	assert_null(memmem(lab.control->log, lab.control->log_bytes, key, sizeof(key)));
	assert_null(memmem(lab.control->log, lab.control->log_bytes, t.secret, sizeof(t.secret)));
	/* Who changes one bit of the answer on the bus is noticed. */
	lab.control->bend_code = 0x15e;
	assert_refused(pid1_sealed_unseal(&t, "none", &token, key, &e), &e, EBADMSG, "");
}

static void an_update_signed_by_the_same_key_unseals_and_one_by_another_key_does_not(void **state)
{
	struct result made, x;

	(void)state;
	NEED_SWTPM();
	made = new_machine();
	boot(&v2, 2);
	x = opened(&v2);
	assert_string_equal(x.answer.uuid, made.answer.uuid);
	boot(&foreign, 2);
	refused(&foreign, CODE_STATE_SEALED, "");
	/* An unsigned one brings the owner's key and v1's policies, for it has none of its own. */
	boot(&foreign, 2);
	refused(&v1, CODE_STATE_SEALED, "no signed PCR policy");
	boot(&v2, 2);
	(void)opened(&v2);
}

static void a_tampered_uki_is_another_pcr_11_and_unseals_nothing(void **state)
{
	struct image bent = v1;

	(void)state;
	NEED_SWTPM();
	(void)new_machine();
	bent.uki = "a UKI with one byte changed";
	boot(&bent, 2);
	refused(&v1, CODE_STATE_SEALED, "no signed PCR policy");
	boot(&v1, 2);
	(void)opened(&v1);
}

static void only_the_one_phase_and_only_before_a_volume_is_measured(void **state)
{
	struct measure_event ev;
	struct result x;

	(void)state;
	NEED_SWTPM();
	x = new_machine();
	(void)opened(&v1);
	(void)opened(&v1); /* nothing was extended in between */
	ev = measure_state_volume(x.answer.uuid);
	ev.data[ev.data_bytes] = '\0';
	extend(15, ev.data);
	refused(&v1, CODE_STATE_SEALED, "no signed PCR policy");
	for (int phases = 1; phases <= 5; phases++) {
		boot(&v1, phases);
		if (phases == 2)
			(void)opened(&v1);
		else
			refused(&v1, CODE_STATE_SEALED, "no signed PCR policy"); /* 4: after `ready` */
	}
	boot(&v1, 2);
	extend(15, measure_floor_unchecked().data);
	refused(&v1, CODE_STATE_SEALED, "no signed PCR policy");
	/* Nor is a volume made that this boot may not open. */
	blank();
	refused(&v1, CODE_STATE_SEALED, "no signed PCR policy");
	boot(&v1, 2);
	assert_true(opened(&v1).answer.made);
}

/* What opens the floor, in three phases and whatever was measured into PCR 15, is signed for another reference. */
static void the_floors_signed_policies_do_not_open_the_volumes_key(void **state)
{
	uint8_t key[PID1_SEALED_KEY_BYTES];
	struct pid1_policy_key bent;
	struct pid1_sealed_token token;
	struct pid1_sealed_tpm t;
	struct crypt_device *cd;
	struct err e = ERR_INIT;
	const char *text;

	(void)state;
	NEED_SWTPM();
	(void)new_machine();
	cd = luks();
	assert_int_equal(crypt_token_json_get(cd, 0, &text), 0);
	assert_ok(pid1_sealed_token_parse(text, strlen(text), &token, &e), &e);
	t = sealed_tpm(&v1);
	assert_ok(pid1_sealed_tpm_open(&t, &e), &e);
	assert_ok(pid1_sealed_unseal(&t, crypt_get_uuid(cd), &token, key, &e), &e);
	bent = v1.key;
	bent.reference = PCR_POLICY_BOOT; /* what we compare ourselves is as it should be: the TPM is to refuse */
	t.key = &bent;
	t.states = &v1.boot;
	assert_refused(pid1_sealed_unseal(&t, crypt_get_uuid(cd), &token, key, &e), &e, EPERM, "the TPM refuses the policy");
	t.states = &v1.states; /* signed for the volume, shown as if for the floor */
	assert_refused(pid1_sealed_unseal(&t, crypt_get_uuid(cd), &token, key, &e), &e, EPROTO, "the signature of a PCR policy");
	crypt_free(cd);
}

static void another_machines_tpm_refuses(void **state)
{
	(void)state;
	NEED_SWTPM();
	(void)new_machine();
	swtpm_new(true);
	boot(&v1, 2);
	refused(&v1, CODE_STATE_SEALED, "no secret of this machine"); /* it has no secret, either */
	make_floor(&v1);
	boot(&v1, 2);
	refused(&v1, CODE_STATE_SEALED, "sealed to another TPM");
	blank();
	assert_true(opened(&v1).answer.made); /* the same machine, its own volume */
	(void)opened(&v1);
}

/* --- swapped volumes ---------------------------------------------------------------------------------------------------------- */

static char *token_of(struct crypt_device *cd)
{
	const char *text;

	assert_int_equal(crypt_token_json_get(cd, 0, &text), 0);
	return strdup(text);
}

/* A volume by somebody who knows its passphrase, with @uuid, @cipher and the token @text. */
static void make_thiefs_volume(const char *uuid, const char *cipher, const char *mode, const char *passphrase, const char *text)
{
	struct crypt_pbkdf_type pbkdf = { .type = "pbkdf2", .hash = "sha256", .iterations = 1000, .flags = CRYPT_PBKDF_NO_BENCHMARK };
	struct crypt_params_luks2 p = { .pbkdf = &pbkdf, .sector_size = 4096 };
	struct crypt_device *cd = NULL;
	char room[] = "nothing";

	blank();
	assert_int_equal(crypt_init(&cd, part), 0);
	assert_int_equal(crypt_set_pbkdf_type(cd, &pbkdf), 0);
	assert_int_equal(crypt_set_data_offset(cd, PID1_SEALED_HEADER_BYTES / 512), 0);
	assert_int_equal(crypt_format(cd, CRYPT_LUKS2, cipher, mode, uuid, NULL, 64, &p), 0);
	assert_int_equal(crypt_keyslot_add_by_volume_key(cd, 0, NULL, 0, passphrase ? passphrase : room, strlen(passphrase ? passphrase : room)),
			 0);
	if (text)
		assert_int_equal(crypt_token_json_set(cd, 0, text), 0);
	crypt_free(cd);
}

static void another_volume_of_this_machine_in_its_place_is_refused(void **state)
{
	struct crypt_device *cd;
	char *text, uuid[40];

	(void)state;
	NEED_SWTPM();
	(void)new_machine();
	cd = luks();
	text = token_of(cd);
	(void)snprintf(uuid, sizeof(uuid), "%s", crypt_get_uuid(cd));
	crypt_free(cd);
	/* The genuine token before another UUID: another authValue. */
	make_thiefs_volume("11111111-2222-4333-8444-555555555555", "aes", "xts-plain64", "known to the thief", text);
	refused(&v1, CODE_STATE_SWAPPED, "the TPM refuses its authValue");
	/* And before the same UUID: its key opens nothing there. */
	make_thiefs_volume(uuid, "aes", "xts-plain64", "known to the thief", text);
	refused(&v1, CODE_STATE_SWAPPED, "keyslot 0 does not open");
	free(text);
	/* What the machine makes itself it opens. */
	blank();
	(void)opened(&v1);
	(void)opened(&v1);
}

/* The thief seals a key of his own in this machine's TPM, for our policy; he lacks the machine's secret. */
static void a_volume_sealed_by_a_thief_on_the_same_tpm_is_refused(void **state)
{
	uint8_t key[PID1_SEALED_KEY_BYTES] = "thief's key";
	char passphrase[PID1_SEALED_PASSPHRASE_BYTES + 1];
	cleanup_buf struct buf text = BUF_INIT;
	struct pid1_sealed_token token = { .blob_bytes = 0 };
	struct pid1_sealed_tpm t;
	struct err e = ERR_INIT;
	struct result x;

	(void)state;
	NEED_SWTPM();
	x = new_machine();
	t = sealed_tpm(&v1);
	for (int knows = 0; knows < 2; knows++) {
		assert_ok(pid1_sealed_tpm_open(&t, &e), &e);
		if (!knows)
			memset(t.secret, 7, sizeof(t.secret));
		assert_ok(pid1_sealed_seal(&t, x.answer.uuid, key, &token, &e), &e);
		text.len = 0;
		assert_ok(pid1_sealed_token_write(&token, v1.pem, &text, &e), &e);
		buf_u8(&text, 0);
		pid1_sealed_passphrase(key, passphrase);
		make_thiefs_volume(x.answer.uuid, "aes", "xts-plain64", passphrase, (const char *)text.data);
		/* Had he the authValue, the MAC over his volume key would still be missing. */
		refused(&v1, CODE_STATE_SWAPPED, knows ? "are not those that this machine made" : "the TPM refuses its authValue");
	}
}

/*
 * Change both LUKS2 headers' JSON, as a thief does who needs no key for it: the first @from becomes @to. LUKS2 1.1.1, section 2.2: JSON from 4096 to 16384, SHA-256 at 448 of the binary header.
 */
static void edit_header(const char *from, const char *to)
{
	for (int i = 0; i < 2; i++) {
		static uint8_t b[16384 + 1];
		char *found;
		size_t end;

		get_at(i * 16384, b, 16384);
		b[16384] = 0;
		found = strstr((char *)b + 4096, from);
		assert_non_null(found);
		memmove(found + strlen(to), found + strlen(from), strlen(found + strlen(from)) + 1);
		memcpy(found, to, strlen(to));
		end = 4096 + strlen((char *)b + 4096);
		memset(b + end, 0, 16384 - end); /* behind the JSON there is nothing */
		memset(b + 448, 0, 64);
		hash_sha256(b, 16384, b + 448);
		put_at(i * 16384, b, 16384);
	}
}

/* Keyslot, UUID and token stay the genuine ones, so the key unseals and opens the keyslot. */
static void a_header_that_was_changed_under_the_genuine_key_is_refused(void **state)
{
	static const struct {
		const char *from, *to;
	} edits[] = {
		{ "\"size\":\"dynamic\",\"iv_tweak\":\"0\",\"encryption\":\"aes-xts-plain64\"",
		  "\"size\":\"dynamic\",\"iv_tweak\":\"0\",\"encryption\":\"cipher_null-ecb\"" }, /* the disk is read as it is */
		{ "\"iv_tweak\":\"0\"", "\"iv_tweak\":\"8\"" },
		{ "\"size\":\"dynamic\"", "\"size\":\"4194304\"" },
		{ "\"sector_size\":4096", "\"sector_size\":512" },
		{ "\"offset\":\"4194304\",\"size\":\"dynamic\"", "\"offset\":\"8388608\",\"size\":\"dynamic\"" },
		{ "\"keyslots_size\":\"1048576\"", "\"keyslots_size\":\"1048576\",\"flags\":[\"allow-discards\"]" },
	};

	(void)state;
	NEED_SWTPM();
	for (size_t i = 0; i < ARRAY_SIZE(edits); i++) {
		(void)new_machine();
		edit_header(edits[i].from, edits[i].to);
		refused(&v1, CODE_STATE_SWAPPED, i == 5 ? "the header asks for flags 0x" : "are not those that this machine made");
		edit_header(edits[i].to, edits[i].from);
		(void)opened(&v1);
	}
}

/* The thief's luck: he has a keyslot that opens with the genuine key. */
static void another_volume_key_behind_the_genuine_key_is_refused(void **state)
{
	char passphrase[PID1_SEALED_PASSPHRASE_BYTES + 1], *text, uuid[40];
	uint8_t key[PID1_SEALED_KEY_BYTES];
	struct pid1_sealed_token token;
	struct pid1_sealed_tpm t;
	struct crypt_device *cd;
	struct err e = ERR_INIT;

	(void)state;
	NEED_SWTPM();
	(void)new_machine();
	cd = luks();
	text = token_of(cd);
	(void)snprintf(uuid, sizeof(uuid), "%s", crypt_get_uuid(cd));
	crypt_free(cd);
	t = sealed_tpm(&v1);
	assert_ok(pid1_sealed_token_parse(text, strlen(text), &token, &e), &e);
	assert_ok(pid1_sealed_tpm_open(&t, &e), &e);
	assert_ok(pid1_sealed_unseal(&t, uuid, &token, key, &e), &e);
	pid1_sealed_passphrase(key, passphrase);
	make_thiefs_volume(uuid, "aes", "xts-plain64", passphrase, text);
	refused(&v1, CODE_STATE_SWAPPED, "are not those that this machine made");
	free(text);
}

/* --- data that is not ours -------------------------------------------------------------------------------------------------------- */

static void what_is_neither_blank_nor_ours_is_never_written_to(void **state)
{
	static const struct {
		off_t at;
		const char *bytes;
		size_t n;
	} found[] = {
		{ 0x438, "\x53\xef", 2 },			/* ext4's magic, and nothing else */
		{ 0, "\x55", 1 },
		{ PID1_SEALED_HEADER_BYTES - 1, "\x01", 1 },
		{ VOLUME_BYTES - 1, "\x01", 1 },		/* a backup header at the end */
		{ 0, PID1_SEALED_MARK, sizeof(PID1_SEALED_MARK) }, /* the mark's text without its MAC */
	};
	uint8_t block[PID1_SEALED_BLOCK_BYTES];

	(void)state;
	NEED_SWTPM();
	(void)new_machine();
	for (size_t i = 0; i < ARRAY_SIZE(found); i++) {
		blank();
		put_at(found[i].at, found[i].bytes, found[i].n);
		refused(&v1, CODE_STATE_FOREIGN, "it is left as it is");
	}
	make_thiefs_volume(NULL, "aes", "xts-plain64", "somebody's data", NULL);
	refused(&v1, CODE_STATE_FOREIGN, "without our token");
	make_thiefs_volume(NULL, "aes", "xts-plain64", "somebody's data", "{\"type\":\"systemd-recovery\",\"keyslots\":[\"0\"]}");
	refused(&v1, CODE_STATE_FOREIGN, "token");
	/* A volume of ours whose both headers were damaged is not made anew. */
	blank();
	(void)opened(&v1);
	memset(block, 0xff, sizeof(block));
	put_at(0, block, sizeof(block));
	(void)opened(&v1); /* the second header is there, and the first was mended */
	put_at(0, block, sizeof(block));
	put_at(16384, block, sizeof(block));
	refused(&v1, CODE_STATE_FOREIGN, "it is left as it is");
	blank();
	assert_true(opened(&v1).answer.made);
}

static void make_fs(void)
{
	char cmd[200];

	blank();
	(void)snprintf(cmd, sizeof(cmd), "/sbin/mkfs.ext4 -q %s", part);
	assert_int_equal(system(cmd), 0);
}

/* What mkfs leaves is closed in order; ext4/super.rst has where the rest stands. */
static void the_file_systems_end_is_told_from_its_superblock(void **state)
{
	static const struct {
		off_t at;
		uint8_t bit;
		enum pid1_sealed_fs fs;
	} cases[] = { { 1024 + 0x60, 0, PID1_SEALED_FS_CLOSED }, { 1024 + 0x60, 4, PID1_SEALED_FS_JOURNAL },
		      { 1024 + 0x3a, 2, PID1_SEALED_FS_ERRORS }, { 1024 + 0x38, 1, PID1_SEALED_FS_NONE } };

	(void)state;
	make_fs();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int fd = open(part, O_RDONLY | O_CLOEXEC);
		enum pid1_sealed_fs fs;
		struct err e = ERR_INIT;
		uint8_t b;

		get_at(cases[i].at, &b, 1);
		b ^= cases[i].bit;
		put_at(cases[i].at, &b, 1);
		assert_ok(pid1_sealed_fs_look(fd, &fs, &e), &e);
		assert_int_equal(fs, cases[i].fs);
		b ^= cases[i].bit;
		put_at(cases[i].at, &b, 1);
		assert_int_equal(close(fd), 0);
	}
}

static void a_partition_that_is_too_small_says_so(void **state)
{
	(void)state;
	NEED_SWTPM();
	(void)new_machine();
	assert_int_equal(truncate(part, PID1_SEALED_MIN_BYTES - 4096), 0);
	refused(&v1, CODE_STATE, "wanted at least 12582912");
}

/* --- power cuts ---------------------------------------------------------------------------------------------------------------------- */

static const char *die_at;

static void at(const char *step)
{
	if (!strcmp(step, die_at))
		(void)raise(SIGKILL);
}

/* The power goes as the step named so begins; what was written stays. */
static void cut_at(const char *step)
{
	pid_t pid;
	int status;

	die_at = step;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)run_with(&v1, PID1_SEALED_RECOVERY_NONE, NULL, at);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	(void)unlink(header); /* it was in memory */
	boot(&v1, 2);
}

static void a_power_cut_at_any_step_of_making_starts_over_and_says_so(void **state)
{
	static const struct {
		const char *step;
		bool made, again;
	} cuts[] = {
		{ "mark", true, false }, /* nothing was written yet: blank */
		{ "header", true, true },
		{ "activate", true, true },
		{ "recovery", true, true },
		{ "finish", true, true },
		{ "done", false, false }, /* it is whole */
	};

	(void)state;
	NEED_SWTPM();
	for (size_t i = 0; i < ARRAY_SIZE(cuts); i++) {
		struct result x;

		(void)new_machine();
		blank();
		cut_at(cuts[i].step);
		if (i == 3)
			cut_at("header"); /* and once more while it starts over */
		x = opened(&v1);
		if (x.answer.made != cuts[i].made || x.answer.again != cuts[i].again)
			fail_msg("cut at %s: made %d, again %d", cuts[i].step, x.answer.made, x.answer.again);
		assert_false(opened(&v1).answer.made);
	}
}

/* The last write is one block of 4096 bytes; a disk may write any of its sectors, in any order. */
static void a_torn_last_write_is_unfinished_or_whole(void **state)
{
	uint8_t mark[PID1_SEALED_BLOCK_BYTES], whole[PID1_SEALED_BLOCK_BYTES];

	(void)state;
	NEED_SWTPM();
	(void)new_machine();
	blank();
	cut_at("finish");
	get_at(0, mark, sizeof(mark));
	assert_memory_equal(mark, PID1_SEALED_MARK, strlen(PID1_SEALED_MARK));
	blank();
	for (unsigned sectors = 0; sectors < 1u << 8; sectors += 37) { /* each bit: was that sector written? */
		struct result x;

		blank();
		cut_at("finish");
		get_at(0, mark, sizeof(mark));
		(void)memcpy(whole, mark, sizeof(mark));
		{ /* what the last write would have been */
			struct crypt_device *cd = NULL;

			memset(whole, 0, sizeof(whole));
			put_at(0, whole, sizeof(whole));
			assert_int_equal(crypt_init(&cd, part), 0);
			assert_int_equal(crypt_load(cd, CRYPT_LUKS2, NULL), 0); /* from the second header; mends the first */
			crypt_free(cd);
			get_at(0, whole, sizeof(whole));
			assert_memory_equal(whole, "LUKS", 4);
		}
		put_at(0, mark, sizeof(mark));
		for (int i = 0; i < 8; i++)
			if (sectors & 1u << i)
				put_at(i * 512, whole + i * 512, 512);
		x = opened(&v1);
		assert_int_equal(x.answer.made, !(sectors & 1));
		assert_int_equal(x.answer.again, !(sectors & 1));
		assert_false(opened(&v1).answer.made);
	}
}

static void an_unfinished_volume_of_another_machine_is_not_overwritten(void **state)
{
	(void)state;
	NEED_SWTPM();
	(void)new_machine();
	blank();
	cut_at("header");
	swtpm_new(true);
	boot(&v1, 2);
	make_floor(&v1);
	refused(&v1, CODE_STATE_FOREIGN, "nor marked by us");
}

/* --- recovery ------------------------------------------------------------------------------------------------------------------------- */

static void slurp(char *ret, size_t room)
{
	cleanup_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	assert_ok(file_read(out, room - 1, &b, &e), &e);
	memcpy(ret, b.data, b.len);
	ret[b.len] = '\0';
}

static void assert_opens(const char *passphrase, bool wanted)
{
	struct crypt_device *cd = luks();
	char key[128];
	size_t n = sizeof(key);

	assert_int_equal(crypt_volume_key_get(cd, CRYPT_ANY_SLOT, key, &n, passphrase, strlen(passphrase)) >= 0, wanted);
	crypt_free(cd);
}

static void a_printed_recovery_key_opens_the_volume_and_is_told_once(void **state)
{
	char text[4096], *key;
	struct result x;

	(void)state;
	NEED_SWTPM();
	(void)new_machine();
	blank();
	x = run_with(&v1, PID1_SEALED_RECOVERY_PRINT, NULL, NULL);
	assert_int_equal(x.r, 0);
	slurp(text, sizeof(text));
	assert_non_null(strstr(text, x.answer.uuid));
	key = strstr(text, "state:   ") + strlen("state:   ");
	key[strcspn(key, "\n")] = '\0';
	assert_int_equal(strlen(key), PID1_SEALED_RECOVERY_BYTES - 1);
	assert_opens(key, true);
	key[0] = key[0] == 'c' ? 'b' : 'c';
	assert_opens(key, false);
	x = run_with(&v1, PID1_SEALED_RECOVERY_PRINT, NULL, NULL);
	assert_int_equal(x.r, 0);
	slurp(text, sizeof(text));
	assert_string_equal(text, "");
}

/* An escrow's key and certificate; @ret_pem is the latter. */
static X509 *make_certificate(EVP_PKEY *key, char *ret_pem, size_t room)
{
	X509 *c = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(c), 1), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(c), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(c), 3600));
	assert_int_equal(X509_set_pubkey(c, key), 1);
	assert_true(X509_sign(c, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(bio, c), 1);
	assert_true(BIO_read(bio, ret_pem, (int)room - 1) > 0);
	BIO_free(bio);
	return c;
}

static void an_escrowed_recovery_key_is_readable_by_the_escrow_alone(void **state)
{
	char text[8192], pem[2048] = "", key[200];
	X509 *cert = make_certificate(other_key, pem, sizeof(pem));
	BIO *in, *clear = BIO_new(BIO_s_mem());
	CMS_ContentInfo *cms;
	struct result x;
	int n;

	(void)state;
	NEED_SWTPM();
	(void)new_machine();
	blank();
	x = run_with(&v1, PID1_SEALED_RECOVERY_ESCROW, pem, NULL);
	assert_int_equal(x.r, 0);
	slurp(text, sizeof(text));
	assert_null(strstr(text, "shown only now"));
	in = BIO_new_mem_buf(strstr(text, "-----BEGIN CMS"), -1);
	cms = PEM_read_bio_CMS(in, NULL, NULL, NULL);
	assert_non_null(cms);
	assert_int_equal(OBJ_obj2nid(CMS_get0_type(cms)), NID_pkcs7_enveloped);
	assert_int_equal(CMS_decrypt(cms, owners_key, NULL, NULL, clear, 0) == 1 && BIO_pending(clear) == 71, 0);
	(void)BIO_reset(clear);
	assert_int_equal(CMS_decrypt(cms, other_key, cert, NULL, clear, 0), 1);
	n = BIO_read(clear, key, sizeof(key) - 1);
	assert_int_equal(n, PID1_SEALED_RECOVERY_BYTES - 1);
	key[n] = '\0';
	assert_opens(key, true);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	BIO_free(clear);
	X509_free(cert);
	/* A certificate that is none: refused, and what was begun is marked, not whole. */
	blank();
	x = run_with(&v1, PID1_SEALED_RECOVERY_ESCROW, "not a certificate", NULL);
	assert_int_equal(x.r, -EINVAL);
	assert_non_null(strstr(x.e.msg, "escrow certificate"));
	assert_true(opened(&v1).answer.again);
}

/* --- the field's tools ------------------------------------------------------------------------------------------------------------------ */

static void assert_tool_says(const char *tool, const char *fmt, const char *const wanted[])
{
	char cmd[300], text[16384];
	FILE *f;
	size_t n;

	(void)snprintf(cmd, sizeof(cmd), "command -v %s >/dev/null", tool);
	if (system(cmd) != 0) {
		print_message("SKIPPED: %s is not installed\n", tool);
		return;
	}
	(void)snprintf(cmd, sizeof(cmd), fmt, part);
	f = popen(cmd, "r");
	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	assert_int_equal(pclose(f), 0);
	for (; *wanted; wanted++)
		if (!strstr(text, *wanted))
			fail_msg("%s does not say \"%s\": %s", tool, *wanted, text);
}

static void cryptsetup_and_systemd_read_the_token(void **state)
{
	static const char *const dump[] = { "Label:         	holdfast-state", "0: systemd-tpm2", "tpm2-policy-hash", "Keyslot:    0",
					    "1: systemd-recovery", "cipher: aes-xts-plain64", NULL };
	static const char *const enroll[] = { "0 tpm2", "1 recovery", NULL };

	(void)state;
	NEED_SWTPM();
	(void)new_machine();
	blank();
	assert_int_equal(run_with(&v1, PID1_SEALED_RECOVERY_PRINT, NULL, NULL).r, 0);
	assert_tool_says("cryptsetup", "cryptsetup luksDump %s", dump);
	assert_tool_says("systemd-cryptenroll", "systemd-cryptenroll %s | tr -s ' ' | sed 's/^ //'", enroll);
}

/* --- all ---------------------------------------------------------------------------------------------------------------------------------- */

static int make_all(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/holdfast-sealed-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(part, sizeof(part), "%s/partition", dir);
	(void)snprintf(header, sizeof(header), "%s/header", dir);
	(void)snprintf(out, sizeof(out), "%s/out", dir);
	owners_key = EVP_RSA_gen(2048);
	other_key = EVP_RSA_gen(2048);
	make_image(&v1, "UKI, version 1", "root, version 1", owners_key);
	make_image(&v2, "UKI, version 2", "root, version 2", owners_key);
	make_image(&foreign, "UKI, somebody's", "root, somebody's", other_key);
	return 0;
}

static int end_all(void **state)
{
	char cmd[100];

	EVP_PKEY_free(owners_key);
	EVP_PKEY_free(other_key);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd) || swtpm_end(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_blank_partition_becomes_a_volume_and_the_next_boot_opens_it),
		cmocka_unit_test(neither_key_nor_secret_goes_over_the_bus_in_clear),
		cmocka_unit_test(an_update_signed_by_the_same_key_unseals_and_one_by_another_key_does_not),
		cmocka_unit_test(a_tampered_uki_is_another_pcr_11_and_unseals_nothing),
		cmocka_unit_test(only_the_one_phase_and_only_before_a_volume_is_measured),
		cmocka_unit_test(the_floors_signed_policies_do_not_open_the_volumes_key),
		cmocka_unit_test(another_machines_tpm_refuses),
		cmocka_unit_test(another_volume_of_this_machine_in_its_place_is_refused),
		cmocka_unit_test(a_volume_sealed_by_a_thief_on_the_same_tpm_is_refused),
		cmocka_unit_test(a_header_that_was_changed_under_the_genuine_key_is_refused),
		cmocka_unit_test(another_volume_key_behind_the_genuine_key_is_refused),
		cmocka_unit_test(what_is_neither_blank_nor_ours_is_never_written_to),
		cmocka_unit_test(a_partition_that_is_too_small_says_so),
		cmocka_unit_test(the_file_systems_end_is_told_from_its_superblock),
		cmocka_unit_test(a_power_cut_at_any_step_of_making_starts_over_and_says_so),
		cmocka_unit_test(a_torn_last_write_is_unfinished_or_whole),
		cmocka_unit_test(an_unfinished_volume_of_another_machine_is_not_overwritten),
		cmocka_unit_test(a_printed_recovery_key_opens_the_volume_and_is_told_once),
		cmocka_unit_test(an_escrowed_recovery_key_is_readable_by_the_escrow_alone),
		cmocka_unit_test(cryptsetup_and_systemd_read_the_token),
	};

	return cmocka_run_group_tests(tests, make_all, end_all);
}
