/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/keys.c - the owner's keys: PK, KEK and db for the firmware, the policy key, and the PCR key */
#include "image-builder/keys.h"

#include "common/file.h"
#include "image-builder/folder.h"

#include <limits.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#define RSA_BITS   2048
#define NOT_BEFORE "20200101000000Z"
#define NOT_AFTER  "20491231235959Z"

static const char *const names[] = { "PK", "KEK", "db", "policy", "pcr" };
_Static_assert(ARRAY_SIZE(names) == KEYS_NAMES_, "one name a key");

const char *keys_name_str(enum keys_name name)
{
	return names[name];
}

void keys_free(struct keys *k)
{
	for (int i = 0; i < KEYS_NAMES_; i++) {
		X509_free(k->cert[i]);
		EVP_PKEY_free(k->key[i]);
	}
	*k = (struct keys){ 0 };
}

static bool add_extension(X509 *cert, X509V3_CTX *ctx, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
	bool ok = ext && X509_add_ext(cert, ext, -1) == 1;

	X509_EXTENSION_free(ext);
	return ok;
}

static bool fill_certificate(X509 *cert, EVP_PKEY *key, const char *name)
{
	char cn[64];
	uint64_t serial;
	X509V3_CTX ctx;
	X509_NAME *subject = X509_get_subject_name(cert);

	(void)snprintf(cn, sizeof(cn), "holdfast owner %s", name); /* names are short */
	if (RAND_bytes((unsigned char *)&serial, sizeof(serial)) != 1)
		return false;
	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	return X509_set_version(cert, X509_VERSION_3) == 1 &&
	       ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial >> 1) == 1 &&
	       ASN1_TIME_set_string_X509(X509_getm_notBefore(cert), NOT_BEFORE) == 1 &&
	       ASN1_TIME_set_string_X509(X509_getm_notAfter(cert), NOT_AFTER) == 1 &&
	       X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0) == 1 &&
	       X509_set_issuer_name(cert, subject) == 1 && X509_set_pubkey(cert, key) == 1 &&
	       add_extension(cert, &ctx, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(cert, &ctx, NID_key_usage, "digitalSignature") &&
	       add_extension(cert, &ctx, NID_subject_key_identifier, "hash") && X509_sign(cert, key, EVP_sha256()) > 0;
}

/* @bio's bytes as a file of @folder, then wiped: one of them is a private key. */
static int write_bio(BIO *bio, const char *folder, const char *file, mode_t mode, struct err *e)
{
	char path[PATH_MAX];
	char *bytes;
	long len = BIO_get_mem_data(bio, &bytes);
	int r = folder_join(folder, file, path, e);

	r = r ? r : file_write(path, bytes, (size_t)len, mode, e);
	OPENSSL_cleanse(bytes, (size_t)len);
	return r;
}

static int write_one(const char *folder, const char *name, EVP_PKEY *key, X509 *cert, struct err *e)
{
	static const struct {
		const char *suffix;
		mode_t mode;
	} files[] = { { "key", 0600 }, { "pem", 0644 }, { "der", 0644 } };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		BIO *bio = BIO_new(BIO_s_mem());
		char file[32];
		int ok = 0, r;

		if (bio && i == 0)
			ok = PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
		else if (bio && i == 1)
			ok = PEM_write_bio_X509(bio, cert);
		else if (bio)
			ok = i2d_X509_bio(bio, cert);
		(void)snprintf(file, sizeof(file), "%s.%s", name, files[i].suffix); /* both are short constants */
		r = ok == 1 ? write_bio(bio, folder, file, files[i].mode, e)
			    : pki_openssl_error(e, ENOMEM, "cannot encode a key");
		BIO_free(bio);
		if (r)
			return r;
	}
	return 0;
}

static int make_one(const char *folder, const char *name, struct err *e)
{
	cleanup_pkey EVP_PKEY *key = EVP_RSA_gen(RSA_BITS);
	cleanup_x509 X509 *cert = X509_new();

	if (!key || !cert || !fill_certificate(cert, key, name))
		return pki_openssl_error(e, EIO, "cannot make a key and its certificate");
	return write_one(folder, name, key, cert, e);
}

int keys_make(const char *folder, progress_fn *say, struct err *e)
{
	char tmp[PATH_MAX];
	int r = folder_is_empty(folder, e);

	if (r == -ENOTEMPTY)
		return err_set(e, EEXIST, "%s is not empty; keys are never overwritten", folder);
	r = r ? r : folder_begin(folder, tmp, e);
	if (r)
		return r;
	for (int i = 0; !r && i < KEYS_NAMES_; i++) {
		r = make_one(tmp, names[i], e);
		if (!r)
			progress_say(say, "%s: RSA-%d key and certificate", names[i], RSA_BITS);
	}
	if (!r && chmod(tmp, 0700) < 0)
		r = err_errno(e, "cannot set the mode of %s", tmp);
	return folder_finish(folder, tmp, r, e);
}

int keys_load(const char *folder, struct keys *ret, struct err *e)
{
	cleanup_keys struct keys k = { 0 };

	for (int i = 0; i < KEYS_NAMES_; i++) {
		char path[PATH_MAX], file[32];
		int r;

		(void)snprintf(file, sizeof(file), "%s.pem", names[i]); /* fits */
		r = folder_join(folder, file, path, e);
		r = r ? r : pki_cert_load(path, &k.cert[i], e);
		if (!r && i >= KEYS_DB) {
			(void)snprintf(file, sizeof(file), "%s.key", names[i]); /* fits */
			r = folder_join(folder, file, path, e);
			r = r ? r : folder_need(path, e); /* OpenSSL's own words for a missing file are no help */
			r = r ? r : pki_key_load(path, &k.key[i], e);
			if (!r && X509_check_private_key(k.cert[i], k.key[i]) != 1)
				r = pki_openssl_error(e, EINVAL, path);
		}
		if (r)
			return err_context(e, "keys");
	}
	*ret = k;
	k = (struct keys){ 0 };
	return 0;
}
