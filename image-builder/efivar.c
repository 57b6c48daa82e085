/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/efivar.c - the Secure Boot variables' bytes, and the digests under which firmware measures them */
#include "image-builder/efivar.h"

#include "common/hex.h"

#include <string.h>

#define SIGLIST_HEADER_BYTES 28

/* EFI_CERT_X509_GUID */
static const struct gpt_uuid type_x509 = {
	{0xa5, 0xc0, 0x59, 0xa1, 0x94, 0xe4, 0x4a, 0xa7, 0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72}};
static const struct gpt_uuid vendor[] = {
	[EFIVAR_GLOBAL] = {{0x8b, 0xe4, 0xdf, 0x61, 0x93, 0xca, 0x11, 0xd2, 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b,
			    0x8c}},
	[EFIVAR_SECURITY] = {{0xd7, 0x19, 0xb2, 0xcb, 0x3d, 0x3a, 0x45, 0x96, 0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65,
			      0x6f}},
};

int efivar_signature_data(X509 *cert, const struct gpt_uuid *owner, struct buf *ret, struct err *e)
{
	unsigned char *der = NULL;
	int n = i2d_X509(cert, &der);

	if (n <= 0)
		return pki_openssl_error(e, EINVAL, "cannot encode the certificate");
	gpt_uuid_put(ret, owner);
	buf_put(ret, der, (size_t)n);
	OPENSSL_free(der);
	return ret->bad ? err_set(e, ENOMEM, "no memory for a signature list") : 0;
}

int efivar_signature_list(X509 *cert, const struct gpt_uuid *owner, struct buf *ret, struct err *e)
{
	cleanup_buf struct buf data = BUF_INIT;
	int r = efivar_signature_data(cert, owner, &data, e);

	if (r)
		return r;
	gpt_uuid_put(ret, &type_x509);
	buf_u32le(ret, (uint32_t)(SIGLIST_HEADER_BYTES + data.len));
	buf_u32le(ret, 0);
	buf_u32le(ret, (uint32_t)data.len);
	buf_put(ret, data.data, data.len);
	return ret->bad ? err_set(e, ENOMEM, "no memory for a signature list") : 0;
}

int efivar_event_digest(enum efivar_vendor v, const char *name, const void *data, size_t len,
			uint8_t ret[static HASH_SHA256_BYTES], struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;

	gpt_uuid_put(&b, &vendor[v]);
	buf_u64le(&b, strlen(name));
	buf_u64le(&b, len);
	for (const char *s = name; *s; s++)
		buf_u16le(&b, (uint8_t)*s);
	buf_put(&b, data, len);
	if (b.bad)
		return err_set(e, ENOMEM, "no memory for UEFI_VARIABLE_DATA");
	hash_sha256(b.data, b.len, ret);
	return 0;
}

int efivar_uuid_parse(const char *text, struct gpt_uuid *ret, struct err *e)
{
	char hex[2 * GPT_UUID_BYTES + 1], again[GPT_UUID_STR_BYTES];
	struct gpt_uuid u = {0};
	size_t n = 0;

	for (const char *s = text; *s && n < sizeof(hex) - 1; s++)
		if (*s != '-')
			hex[n++] = *s;
	hex[n] = '\0';
	if (hex_decode(hex, u.b, sizeof(u.b))) {
		gpt_uuid_str(&u, again);
		if (!strcmp(again, text)) {
			*ret = u;
			return 0;
		}
	}
	return err_set(e, EINVAL, "\"%.50s\" is no GUID in lower-case text", text);
}
