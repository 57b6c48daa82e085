/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/authenticode.c - digest and signature of EFI programs, as firmware checks them
 *
 * The signature's DER is written by hand: its shape is fixed, OpenSSL's PKCS#7 functions put in a signing time and
 * cannot be given a content of a foreign type without touching their insides.
 *
 *   ContentInfo { signedData, [0] SignedData {
 *       1, { sha256 },
 *       { SPC_INDIRECT_DATA, [0] SpcIndirectDataContent { { SPC_PE_IMAGE_DATA, SpcPeImageData }, { sha256, digest } }
 * }, [0] certificate, { SignerInfo { 1, issuer and serial, sha256, [0] { contentType, messageDigest }, rsaEncryption,
 * signature } } } }
 */
#include "image-builder/authenticode.h"

#include "common/reader.h"
#include "image-builder/pe.h"

#include <openssl/pkcs7.h>
#include <openssl/rsa.h>
#include <string.h>

#define CERT_HEADER_BYTES          8
#define CERT_REVISION              0x0200
#define CERT_TYPE_PKCS_SIGNED_DATA 0x0002
#define IMAGE_ALIGN                8

#define SPC_INDIRECT_DATA "1.3.6.1.4.1.311.2.1.4"

#define DER_SEQUENCE   0x30
#define DER_SET        0x31
#define DER_OCTETS     0x04
#define DER_CONTEXT(n) (0xa0 | (n))

/* Complete TLVs. */
static const uint8_t oid_signed_data[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02};
static const uint8_t oid_spc_indirect_data[] = {0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x01, 0x04};
static const uint8_t oid_content_type[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03};
static const uint8_t oid_message_digest[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04};
static const uint8_t alg_sha256[] = {0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
				     0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00};
static const uint8_t alg_rsa[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
				  0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};
static const uint8_t version_1[] = {0x02, 0x01, 0x01};
/* SpcAttributeTypeAndOptionalValue: SPC_PE_IMAGE_DATA, no flags, file [0] [2] [0] "<<<Obsolete>>>" in UTF-16BE. */
static const uint8_t spc_pe_image_data[] = {
	0x30, 0x33, 0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x01, 0x0f, 0x30, 0x25, 0x03, 0x01,
	0x00, 0xa0, 0x20, 0xa2, 0x1e, 0x80, 0x1c, 0x00, '<',  0x00, '<',  0x00, '<',  0x00, 'O',  0x00, 'b',  0x00,
	's',  0x00, 'o',  0x00, 'l',  0x00, 'e',  0x00, 't',  0x00, 'e',  0x00, '>',  0x00, '>',  0x00, '>',
};

CLEANUP_DEFINE(p7, PKCS7 *, PKCS7_free)
CLEANUP_DEFINE(md, EVP_MD_CTX *, EVP_MD_CTX_free)
#define cleanup_p7 __attribute__((cleanup(cleanup_p7_fn)))
#define cleanup_md __attribute__((cleanup(cleanup_md_fn)))

static void der_put(struct buf *b, uint8_t tag, const void *data, size_t len)
{
	uint8_t octets[sizeof(size_t)];
	size_t n = 0;

	buf_u8(b, tag);
	for (size_t v = len; v; v >>= 8)
		octets[n++] = v & 0xff;
	if (len < 0x80)
		buf_u8(b, (uint8_t)len);
	else
		buf_u8(b, (uint8_t)(0x80 | n));
	while (len >= 0x80 && n)
		buf_u8(b, octets[--n]);
	buf_put(b, data, len);
}

/* Close a nest: put @inner as one TLV into @outer and empty it for the next. */
static void der_nest(struct buf *outer, uint8_t tag, struct buf *inner)
{
	der_put(outer, tag, inner->data, inner->len);
	outer->bad |= inner->bad;
	buf_free(inner);
}

/* The insides of SpcIndirectDataContent, without its own tag and length: what messageDigest covers. */
static void put_indirect_data(struct buf *b, const uint8_t digest[static HASH_SHA256_BYTES])
{
	cleanup_buf struct buf info = BUF_INIT;

	buf_put(b, spc_pe_image_data, sizeof(spc_pe_image_data));
	buf_put(&info, alg_sha256, sizeof(alg_sha256));
	der_put(&info, DER_OCTETS, digest, HASH_SHA256_BYTES);
	der_nest(b, DER_SEQUENCE, &info);
}

/* Attribute: SEQUENCE { type, SET { value } }; @type and @value are whole TLVs. */
static void put_attribute(struct buf *b, const uint8_t *type, size_t type_len, const struct buf *value)
{
	cleanup_buf struct buf a = BUF_INIT;

	buf_put(&a, type, type_len);
	der_put(&a, DER_SET, value->data, value->len);
	der_nest(b, DER_SEQUENCE, &a);
}

/* The two signed attributes, in the order DER wants for a SET OF (by their encoding). */
static void put_attributes(struct buf *b, const struct buf *content)
{
	uint8_t digest[HASH_SHA256_BYTES];
	cleanup_buf struct buf value = BUF_INIT;

	buf_put(&value, oid_spc_indirect_data, sizeof(oid_spc_indirect_data));
	put_attribute(b, oid_content_type, sizeof(oid_content_type), &value);
	value.len = 0;
	hash_sha256(content->data, content->len, digest);
	der_put(&value, DER_OCTETS, digest, sizeof(digest));
	put_attribute(b, oid_message_digest, sizeof(oid_message_digest), &value);
	b->bad |= value.bad;
}

static int put_issuer_and_serial(struct buf *b, X509 *cert, struct err *e)
{
	cleanup_buf struct buf inner = BUF_INIT;
	unsigned char *name = NULL, *serial = NULL;
	int name_len = i2d_X509_NAME(X509_get_issuer_name(cert), &name);
	int serial_len = i2d_ASN1_INTEGER(X509_get0_serialNumber(cert), &serial);

	if (name_len > 0 && serial_len > 0) {
		buf_put(&inner, name, (size_t)name_len);
		buf_put(&inner, serial, (size_t)serial_len);
		der_nest(b, DER_SEQUENCE, &inner);
	}
	OPENSSL_free(name);
	OPENSSL_free(serial);
	if (name_len <= 0 || serial_len <= 0)
		return pki_openssl_error(e, EINVAL, "cannot encode the certificate's issuer and serial number");
	return 0;
}

/* RSA PKCS#1 v1.5 with SHA-256 over @data, as an OCTET STRING. */
static int put_signature(struct buf *b, EVP_PKEY *key, const struct buf *data, struct err *e)
{
	cleanup_md EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t sig[1024];
	size_t n = sizeof(sig);

	if (!md || EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key) != 1 ||
	    EVP_PKEY_get_size(key) > (int)sizeof(sig) || EVP_DigestSign(md, sig, &n, data->data, data->len) != 1)
		return pki_openssl_error(e, EIO, "cannot sign the EFI program");
	der_put(b, DER_OCTETS, sig, n);
	return 0;
}

static int put_signer_info(struct buf *b, EVP_PKEY *key, X509 *cert, const struct buf *content, struct err *e)
{
	cleanup_buf struct buf info = BUF_INIT, attrs = BUF_INIT, set = BUF_INIT;
	int r;

	buf_put(&info, version_1, sizeof(version_1));
	r = put_issuer_and_serial(&info, cert, e);
	if (r)
		return r;
	buf_put(&info, alg_sha256, sizeof(alg_sha256));
	put_attributes(&attrs, content);
	der_put(&info, DER_CONTEXT(0), attrs.data, attrs.len);
	buf_put(&info, alg_rsa, sizeof(alg_rsa));
	der_nest(&set, DER_SET, &attrs); /* signed under the SET's own tag: RFC 2315 9.3 */
	if (info.bad || set.bad)
		return err_set(e, ENOMEM, "no memory to sign");
	r = put_signature(&info, key, &set, e);
	if (r)
		return r;
	der_nest(b, DER_SEQUENCE, &info);
	return 0;
}

/* The whole ContentInfo over @digest. */
static int put_signed_data(struct buf *ret, EVP_PKEY *key, X509 *cert, const uint8_t digest[static HASH_SHA256_BYTES],
			   struct err *e)
{
	cleanup_buf struct buf content = BUF_INIT, sd = BUF_INIT, part = BUF_INIT, inner = BUF_INIT;
	unsigned char *der = NULL;
	int n, r;

	buf_put(&sd, version_1, sizeof(version_1));
	der_put(&sd, DER_SET, alg_sha256, sizeof(alg_sha256));
	put_indirect_data(&content, digest);
	der_put(&inner, DER_SEQUENCE, content.data, content.len);
	buf_put(&part, oid_spc_indirect_data, sizeof(oid_spc_indirect_data));
	der_nest(&part, DER_CONTEXT(0), &inner);
	der_nest(&sd, DER_SEQUENCE, &part);
	n = i2d_X509(cert, &der);
	if (n <= 0)
		return pki_openssl_error(e, EINVAL, "cannot encode the certificate");
	der_put(&sd, DER_CONTEXT(0), der, (size_t)n);
	OPENSSL_free(der);
	r = put_signer_info(&inner, key, cert, &content, e);
	if (r)
		return r;
	der_nest(&sd, DER_SET, &inner);
	der_nest(&part, DER_SEQUENCE, &sd);
	buf_put(&inner, oid_signed_data, sizeof(oid_signed_data));
	der_nest(&inner, DER_CONTEXT(0), &part);
	der_nest(ret, DER_SEQUENCE, &inner);
	return ret->bad || content.bad ? err_set(e, ENOMEM, "no memory for the signature") : 0;
}

/*
 * Firmware hashes headers, then each section's raw data in file order, then as many bytes as are left. Where sections
 * are contiguous that is the file in order; a gap would shift what is hashed and leave bytes out, so it is refused.
 */
static int check_contiguous(const struct pe *pe, struct err *e)
{
	uint64_t at = pe->header_bytes;

	for (size_t i = 0; i < pe->n_sections; i++) {
		const struct pe_section *s = &pe->section[i];

		if (!s->raw_bytes)
			continue;
		if (s->raw_offset != at)
			return err_set(e, EINVAL,
				       "EFI program: section %s is at offset %u, wanted %llu: bytes between would not "
				       "be signed",
				       s->name, s->raw_offset, (unsigned long long)at);
		at += s->raw_bytes;
	}
	return 0;
}

static int digest_parsed(const struct pe *pe, uint8_t ret[static HASH_SHA256_BYTES], struct err *e)
{
	static const uint8_t zeros[IMAGE_ALIGN];
	cleanup_md EVP_MD_CTX *md = EVP_MD_CTX_new();
	size_t end = pe->cert_bytes ? pe->cert_offset : pe->len;
	size_t after_checksum = pe->checksum_offset + 4, after_dir = pe->cert_dir_offset + 8;
	size_t pad = (IMAGE_ALIGN - end % IMAGE_ALIGN) % IMAGE_ALIGN;
	int r = check_contiguous(pe, e);

	if (r)
		return r;
	if (!md || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1 ||
	    EVP_DigestUpdate(md, pe->data, pe->checksum_offset) != 1 ||
	    EVP_DigestUpdate(md, pe->data + after_checksum, pe->cert_dir_offset - after_checksum) != 1 ||
	    EVP_DigestUpdate(md, pe->data + after_dir, end - after_dir) != 1 || EVP_DigestUpdate(md, zeros, pad) != 1 ||
	    EVP_DigestFinal_ex(md, ret, NULL) != 1)
		return pki_openssl_error(e, EIO, "cannot hash the EFI program");
	return 0;
}

int authenticode_digest(const void *image, size_t len, uint8_t ret[static HASH_SHA256_BYTES], struct err *e)
{
	struct pe pe;
	int r = pe_parse(image, len, "EFI program", &pe, e);

	return r ? r : digest_parsed(&pe, ret, e);
}

static void put_u32le_at(struct buf *b, size_t at, uint32_t v)
{
	for (size_t i = 0; i < 4; i++)
		b->data[at + i] = v >> 8 * i & 0xff;
}

int authenticode_sign(EVP_PKEY *key, X509 *cert, const void *image, size_t len, struct buf *ret, struct err *e)
{
	cleanup_buf struct buf sig = BUF_INIT, out = BUF_INIT;
	uint8_t digest[HASH_SHA256_BYTES];
	size_t table;
	struct pe pe;
	int r = pe_parse(image, len, "EFI program", &pe, e);

	if (r)
		return r;
	if (pe.cert_bytes)
		return err_set(e, EEXIST, "the EFI program carries a signature already");
	if (!EVP_PKEY_is_a(key, "RSA"))
		return err_set(e, EINVAL, "the Secure Boot key is no RSA key; firmware takes no other");
	if (X509_check_private_key(cert, key) != 1)
		return pki_openssl_error(e, EINVAL, "the Secure Boot key is not the one of the certificate");
	r = digest_parsed(&pe, digest, e);
	if (!r)
		r = put_signed_data(&sig, key, cert, digest, e);
	if (r)
		return r;
	buf_put(&out, image, len);
	buf_pad(&out, IMAGE_ALIGN);
	table = out.len;
	buf_u32le(&out, (uint32_t)(CERT_HEADER_BYTES + sig.len));
	buf_u16le(&out, CERT_REVISION);
	buf_u16le(&out, CERT_TYPE_PKCS_SIGNED_DATA);
	buf_put(&out, sig.data, sig.len);
	buf_pad(&out, IMAGE_ALIGN);
	if (out.bad)
		return err_set(e, ENOMEM, "no memory for the signed EFI program");
	put_u32le_at(&out, pe.cert_dir_offset, (uint32_t)table);
	put_u32le_at(&out, pe.cert_dir_offset + 4, (uint32_t)(out.len - table));
	put_u32le_at(&out, pe.checksum_offset, pe_checksum(out.data, out.len, pe.checksum_offset));
	*ret = out;
	out = (struct buf)BUF_INIT;
	return 0;
}

/* The table's one entry, PKCS#7. */
static int read_table(const struct pe *pe, struct reader *ret, struct err *e)
{
	struct reader r = reader_init(pe->data + pe->cert_offset, pe->cert_bytes);
	uint32_t len = reader_u32le(&r);
	uint16_t revision = reader_u16le(&r), type = reader_u16le(&r);

	if (pe->cert_bytes == 0)
		return err_set(e, EBADMSG, "the EFI program is not signed");
	if (revision != CERT_REVISION || type != CERT_TYPE_PKCS_SIGNED_DATA || len < CERT_HEADER_BYTES ||
	    ((uint64_t)len + IMAGE_ALIGN - 1) / IMAGE_ALIGN * IMAGE_ALIGN != pe->cert_bytes)
		return err_set(e, EBADMSG,
			       "certificate table: revision 0x%x, type 0x%x, %u of %u bytes, wanted one PKCS#7 entry",
			       revision, type, len, pe->cert_bytes);
	*ret = reader_sub(&r, len - CERT_HEADER_BYTES);
	return ret->bad ? err_set(e, EBADMSG, "certificate table is cut short") : 0;
}

/* The content must be, byte for byte, what put_indirect_data() writes for @digest. @ret_content views @p7. */
static int check_content(PKCS7 *p7, const uint8_t digest[static HASH_SHA256_BYTES], struct buf *ret_content,
			 struct err *e)
{
	cleanup_buf struct buf whole = BUF_INIT;
	ASN1_TYPE *other;
	char oid[64];

	if (!PKCS7_type_is_signed(p7) || OBJ_obj2txt(oid, sizeof(oid), p7->d.sign->contents->type, 1) <= 0 ||
	    strcmp(oid, SPC_INDIRECT_DATA) != 0)
		return err_set(e, EBADMSG, "the signature is not over an SpcIndirectDataContent");
	other = p7->d.sign->contents->d.other;
	put_indirect_data(ret_content, digest);
	der_put(&whole, DER_SEQUENCE, ret_content->data, ret_content->len);
	if (whole.bad || ret_content->bad)
		return err_set(e, ENOMEM, "no memory to check the signature");
	if (!other || other->type != V_ASN1_SEQUENCE ||
	    !hash_equal(other->value.sequence->data, (size_t)other->value.sequence->length, whole.data, whole.len))
		return err_set(e, EBADMSG, "the signature is over another digest than the EFI program's");
	return 0;
}

int authenticode_verify(X509 *cert, const void *image, size_t len, struct err *e)
{
	cleanup_buf struct buf content = BUF_INIT;
	cleanup_p7 PKCS7 *p7 = NULL;
	uint8_t digest[HASH_SHA256_BYTES];
	const unsigned char *p;
	STACK_OF(X509) * certs;
	struct reader sig;
	struct pe pe;
	BIO *bio;
	int ok, r = pe_parse(image, len, "EFI program", &pe, e);

	if (!r)
		r = digest_parsed(&pe, digest, e);
	if (!r)
		r = read_table(&pe, &sig, e);
	if (r)
		return r;
	p = sig.p;
	p7 = d2i_PKCS7(NULL, &p, (long)sig.left);
	if (!p7)
		return pki_openssl_error(e, EBADMSG, "the signature is not PKCS#7 in DER");
	r = check_content(p7, digest, &content, e);
	if (r)
		return r;
	certs = sk_X509_new_null();
	bio = BIO_new_mem_buf(content.data, (int)content.len);
	ok = certs && bio && sk_X509_push(certs, cert) &&
	     PKCS7_verify(p7, certs, NULL, bio, NULL, PKCS7_NOVERIFY | PKCS7_NOINTERN | PKCS7_BINARY) == 1;
	sk_X509_free(certs);
	(void)BIO_free(bio); /* a memory view */
	return ok ? 0 : pki_openssl_error(e, EBADMSG, "the EFI program's signature is not by this certificate");
}
