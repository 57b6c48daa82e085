/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/policy/test_ipe.c - the IPE policy that is derived, byte for byte, and that its version never falls
 *
 * The kernel took these texts: under OVMF with the signer in db, Linux 6.12.117 loaded and activated one, refused an
 * equal or lower version (ESTALE) and a stranger's signature (ENOKEY), and took 512 revoked root hashes.
 */
#include "tests/policy/owner.h"

#include "policy/ipe.h"
#include "policy/policy.h"

static char dir[] = "/tmp/holdfast-ipe-XXXXXX";
static struct owner owner, stranger;

static int setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	owner_make(&owner, dir, "owner");
	owner_make(&stranger, dir, "stranger");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	owner_free(&owner);
	owner_free(&stranger);
	owner_remove_folder(dir);
	return 0;
}

static char *text_of(const struct policy *p)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	assert_ok(policy_ipe_text(p, POLICY_IPE_ENFORCE, &b, &e), &e);
	buf_u8(&b, 0);
	assert_false(b.bad);
	return (char *)b.data;
}

static void the_text_is_exactly_this(void **state)
{
	uint8_t revoked[2][HASH_SHA256_BYTES];
	struct policy p = {.name = (char *)"demo", .version = 65538, .revoked = revoked, .n_revoked = 2};
	cleanup_free char *text = NULL;

	(void)state;
	memset(p.digest, 0xd1, sizeof(p.digest));
	memset(revoked[0], 0xab, sizeof(revoked[0]));
	memset(revoked[1], 0x01, sizeof(revoked[1]));
	text = text_of(&p);
	assert_string_equal(text, "# from layer policy demo version 65538 sha256:"
				  "d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1\n"
				  "policy_name=holdfast policy_version=0.1.2\n"
				  "DEFAULT action=DENY\n"
				  "DEFAULT op=FIRMWARE action=DENY\n"
				  "DEFAULT op=KMODULE action=DENY\n"
				  "DEFAULT op=KEXEC_IMAGE action=DENY\n"
				  "DEFAULT op=KEXEC_INITRAMFS action=DENY\n"
				  "DEFAULT op=POLICY action=DENY\n"
				  "DEFAULT op=X509_CERT action=DENY\n"
				  "DEFAULT op=EXECUTE action=DENY\n"
				  "op=EXECUTE dmverity_roothash=sha256:"
				  "abababababababababababababababababababababababababababababababab action=DENY\n"
				  "op=EXECUTE dmverity_roothash=sha256:"
				  "0101010101010101010101010101010101010101010101010101010101010101 action=DENY\n"
				  "op=EXECUTE dmverity_signature=TRUE action=ALLOW\n");
}

/* What IPE cannot judge it leaves, and nothing else; revoked layers stay denied. */
static void for_enforce_jit_execution_alone_is_left_to_others(void **state)
{
	uint8_t revoked[1][HASH_SHA256_BYTES] = {{0xab}};
	struct policy p = {.name = (char *)"demo", .version = 7, .revoked = revoked, .n_revoked = 1};
	cleanup_buf struct buf jit = BUF_INIT;
	cleanup_free char *text = text_of(&p);
	struct err e = ERR_INIT;
	const char *a = text, *b;

	(void)state;
	assert_ok(policy_ipe_text(&p, POLICY_IPE_ENFORCE_JIT, &jit, &e), &e);
	buf_u8(&jit, 0);
	b = (const char *)jit.data;
	while (*a == *b) {
		a++;
		b++;
	}
	assert_memory_equal(a - strlen("DEFAULT op=EXECUTE action="), "DEFAULT op=EXECUTE action=DENY\n", 31);
	assert_memory_equal(b - strlen("DEFAULT op=EXECUTE action="), "DEFAULT op=EXECUTE action=ALLOW\n", 32);
	a += strlen("DENY\n");
	b += strlen("ALLOW\n");
	assert_memory_equal(a, b, strlen(b)); /* the revoked one */
	assert_string_equal(a + strlen(b), "op=EXECUTE dmverity_signature=TRUE action=ALLOW\n");
}

static void files_of_the_initramfs_are_never_trusted(void **state)
{
	struct policy p = {.name = (char *)"demo", .version = 1};
	cleanup_free char *text = text_of(&p);

	(void)state;
	assert_null(strstr(text, "boot_verified"));
	assert_null(strstr(text, "DEFAULT action=ALLOW"));
}

/* The kernel compares three 16-bit numbers one after the other (security/ipe/policy.c). */
static uint64_t version_seen_by_kernel(uint64_t version)
{
	struct policy p = {.name = (char *)"demo", .version = version};
	cleanup_free char *text = text_of(&p);
	unsigned major, minor, rev;

	assert_int_equal(sscanf(strstr(text, "policy_version="), "policy_version=%u.%u.%u\n", &major, &minor, &rev), 3);
	assert_true(major < 65536 && minor < 65536 && rev < 65536);
	return (uint64_t)major << 32 | (uint64_t)minor << 16 | rev;
}

static void the_version_grows_with_the_document(void **state)
{
	static const uint64_t versions[] = {1,     2,      9,      10,       65534,    65535,      65536,
					    65537, 131071, 131072, 16777215, 16777216, 4294967294, POLICY_MAX_VERSION};

	(void)state;
	for (size_t i = 1; i < ARRAY_SIZE(versions); i++)
		assert_true(version_seen_by_kernel(versions[i - 1]) < version_seen_by_kernel(versions[i]));
}

/* What the kernel gets is checked by another implementation: openssl smime, with the content inside. */
static void the_signed_blob_carries_the_text(void **state)
{
	struct policy p = {.name = (char *)"demo", .version = 7};
	char blob_path[PATH_MAX], text_path[PATH_MAX];
	const char *const argv[] = {"openssl",   "smime",     "-verify", "-binary",   "-inform",
				    "der",       "-in",       blob_path, "-certfile", owner.cert_path,
				    "-noverify", "-nointern", "-out",    text_path,   NULL};
	cleanup_free char *text = text_of(&p);
	cleanup_buf struct buf blob = BUF_INIT;
	cleanup_buf struct buf seen = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	(void)snprintf(blob_path, sizeof(blob_path), "%s/ipe.p7b", dir);
	(void)snprintf(text_path, sizeof(text_path), "%s/ipe.txt", dir);
	assert_ok(policy_ipe_signed(&p, POLICY_IPE_ENFORCE, &owner.by, &blob, &e), &e);
	assert_ok(file_write(blob_path, blob.data, blob.len, 0644, &e), &e);
	owner_run(argv);
	assert_ok(file_read(text_path, 65536, &seen, &e), &e);
	assert_string_equal((char *)seen.data, text);
}

static void the_key_must_be_the_certificates(void **state)
{
	struct policy p = {.name = (char *)"demo", .version = 7};
	struct pki_signer mixed = {.key = stranger.by.key, .cert = owner.by.cert};
	cleanup_buf struct buf blob = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_refused(policy_ipe_signed(&p, POLICY_IPE_ENFORCE, &mixed, &blob, &e), &e, EINVAL, "not the one of the certificate");
	assert_int_equal(blob.len, 0);
}

/* POLICY_MAX_REVOKED fits; the next size up that the kernel would refuse is refused here first. */
static void what_the_kernel_cannot_take_is_not_signed(void **state)
{
	struct policy p = {.name = (char *)"demo", .version = POLICY_MAX_VERSION, .n_revoked = POLICY_MAX_REVOKED};
	cleanup_buf struct buf good = BUF_INIT;
	cleanup_buf struct buf bad = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	p.revoked = calloc(POLICY_MAX_REVOKED + 100, sizeof(*p.revoked));
	assert_non_null(p.revoked);
	assert_ok(policy_ipe_signed(&p, POLICY_IPE_ENFORCE, &owner.by, &good, &e), &e);
	p.n_revoked += 100;
	assert_refused(policy_ipe_signed(&p, POLICY_IPE_ENFORCE, &owner.by, &bad, &e), &e, EFBIG, "the kernel takes at most 65535");
	assert_int_equal(bad.len, 0);
	free(p.revoked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_text_is_exactly_this),
		cmocka_unit_test(for_enforce_jit_execution_alone_is_left_to_others),
		cmocka_unit_test(files_of_the_initramfs_are_never_trusted),
		cmocka_unit_test(the_version_grows_with_the_document),
		cmocka_unit_test(the_signed_blob_carries_the_text),
		cmocka_unit_test(the_key_must_be_the_certificates),
		cmocka_unit_test(what_the_kernel_cannot_take_is_not_signed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
