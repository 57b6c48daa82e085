/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/sealed_recovery.c - a recovery key for the state volume: made, and told once */
#include "init/sealed_recovery.h"

#include "common/buf.h"
#include "common/file.h"
#include "common/pki.h"

#include <openssl/cms.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>
#include <sys/random.h>

#define KEY_BYTES     32
#define GROUP         8

int pid1_sealed_recovery_make(char ret[static PID1_SEALED_RECOVERY_BYTES], struct err *e)
{
	static const char modhex[] = "cbdefghijklnrtuv";
	uint8_t key[KEY_BYTES];
	size_t at = 0;

	if (getrandom(key, sizeof(key), 0) != sizeof(key))
		return err_set(e, EIO, "no random bytes from the kernel");
	for (size_t i = 0; i < 2 * KEY_BYTES; i++) {
		if (i && i % GROUP == 0)
			ret[at++] = '-';
		ret[at++] = modhex[key[i / 2] >> (i % 2 ? 0 : 4) & 15];
	}
	ret[at] = '\0';
	explicit_bzero(key, sizeof(key));
	return 0;
}

static X509 *load_certificate(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	return cert;
}

/* OAEP: the padding of PKCS #1 v1.5, OpenSSL's own choice, has oracles. */
static bool add_recipient(CMS_ContentInfo *cms, X509 *cert)
{
	CMS_RecipientInfo *ri = CMS_add1_recipient_cert(cms, cert, CMS_KEY_PARAM);

	if (!ri || CMS_RecipientInfo_type(ri) != CMS_RECIPINFO_TRANS)
		return ri;
	return EVP_PKEY_CTX_set_rsa_padding(CMS_RecipientInfo_get0_pkey_ctx(ri), RSA_PKCS1_OAEP_PADDING) == 1;
}

static int tell_encrypted(const char *key, const char *escrow_pem, const char *uuid, struct buf *ret, struct err *e)
{
	X509 *cert = load_certificate(escrow_pem);
	BIO *in = BIO_new_mem_buf(key, -1), *out = BIO_new(BIO_s_mem());
	CMS_ContentInfo *cms = CMS_encrypt(NULL, NULL, EVP_aes_256_cbc(), CMS_PARTIAL | CMS_BINARY);
	const char *text;
	long n = 0;
	bool ok = cert && in && out && cms && add_recipient(cms, cert) && CMS_final(cms, in, NULL, CMS_BINARY) == 1 &&
		  PEM_write_bio_CMS_stream(out, cms, NULL, 0) == 1 && (n = BIO_get_mem_data(out, &text)) > 0;

	buf_printf(ret, "holdfast: state: recovery key of volume %s, encrypted for escrow:\n", uuid);
	if (ok)
		buf_put(ret, text, (size_t)n);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	BIO_free(out);
	X509_free(cert);
	return ok ? 0 : pki_openssl_error(e, EINVAL, "the recovery key cannot be encrypted for the escrow certificate");
}

int pid1_sealed_recovery_tell(const char *key, const char *escrow_pem, const char *uuid, int fd, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	int r = 0;

	if (escrow_pem)
		r = tell_encrypted(key, escrow_pem, uuid, &text, e);
	else
		buf_printf(&text, "holdfast: state: recovery key of volume %s, shown only now:\nholdfast: state:   %s\n", uuid, key);
	if (!r && text.bad)
		r = err_set(e, ENOMEM, "no memory for the recovery key");
	r = r ? r : file_write_all(fd, text.data, text.len, "the console", e);
	if (text.data)
		explicit_bzero(text.data, text.len);
	return r;
}
