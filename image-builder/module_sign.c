/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/module_sign.c - the signature at a module's end (declared in image-builder/module_strip.h)
 *
 *   module | PKCS#7, DER | u8 algo 0, u8 hash 0, u8 id type 2 (PKCS#7), u8 0, u8 0, 3 zeros, be32 bytes of PKCS#7 | magic
 */
#include "image-builder/module_strip.h"

#include "common/reader.h"

#include <string.h>

#define MAGIC       "~Module signature appended~\n"
#define MAGIC_BYTES (sizeof(MAGIC) - 1)
#define INFO_BYTES  12
#define ID_PKCS7    2

int module_signature_bytes(const void *data, size_t len, const char *name, size_t *ret, struct err *e)
{
	const size_t tail = INFO_BYTES + MAGIC_BYTES;
	struct reader r = reader_init(data, len);
	uint32_t bytes;
	uint8_t type;

	if (len < MAGIC_BYTES || memcmp((const uint8_t *)data + len - MAGIC_BYTES, MAGIC, MAGIC_BYTES) != 0) {
		*ret = 0;
		return 0;
	}
	(void)reader_bytes(&r, len < tail ? len : len - tail); /* `bad` is checked below */
	(void)reader_u16le(&r);
	type = reader_u8(&r);
	(void)reader_bytes(&r, 5);
	bytes = reader_u32be(&r);
	if (r.bad || type != ID_PKCS7 || bytes > len - tail)
		return err_set(e, EINVAL, "%s: signature of type %u and %u bytes in a module of %zu, wanted type 2 (struct module_signature)", name, type,
			       bytes, len);
	*ret = tail + bytes;
	return 0;
}

int module_sign(const struct pki_signer *by, struct buf *m, struct err *e)
{
	cleanup_buf struct buf sig = BUF_INIT;
	int r = pki_sign(by, m->data, m->len, PKI_DETACHED, &sig, e);

	if (r)
		return r;
	buf_put(m, sig.data, sig.len);
	buf_zero(m, 2);
	buf_u8(m, ID_PKCS7);
	buf_zero(m, 5);
	buf_u32be(m, (uint32_t)sig.len);
	buf_str(m, MAGIC);
	return m->bad ? err_set(e, ENOMEM, "no memory for a module's signature") : 0;
}
