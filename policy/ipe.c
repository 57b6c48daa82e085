/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/ipe.c - the IPE policy that belongs to a layer policy */
#include "policy/ipe.h"

#include "common/hex.h"

/* lib/asn1_decoder.c of Linux refuses more with EMSGSIZE (seen on 6.12). POLICY_MAX_REVOKED fits below it. */
#define MAX_SIGNED_BYTES 65535

/* What the default denies anyway, written down so that whoever reads the policy sees that it was meant. */
static const char *const denied_ops[] = {"FIRMWARE",        "KMODULE", "KEXEC_IMAGE",
					 "KEXEC_INITRAMFS", "POLICY",  "X509_CERT"};

int policy_ipe_text(const struct policy *p, enum policy_ipe_for profile, struct buf *ret, struct err *e)
{
	char hex[2 * HASH_SHA256_BYTES + 1];

	hex_encode(p->digest, HASH_SHA256_BYTES, hex);
	buf_printf(ret, "# from layer policy %s version %llu sha256:%s\n", p->name, (unsigned long long)p->version,
		   hex);
	/* Three 16-bit numbers, compared in order: the 32-bit version in the lower two keeps its order. */
	buf_printf(ret, "policy_name=" POLICY_IPE_NAME " policy_version=0.%u.%u\n",
		   (unsigned)(p->version >> 16 & 0xffff), (unsigned)(p->version & 0xffff));
	buf_str(ret, "DEFAULT action=DENY\n");
	for (size_t i = 0; i < ARRAY_SIZE(denied_ops); i++)
		buf_printf(ret, "DEFAULT op=%s action=DENY\n", denied_ops[i]);
	buf_printf(ret, "DEFAULT op=EXECUTE action=%s\n", profile == POLICY_IPE_ENFORCE ? "DENY" : "ALLOW");
	for (size_t i = 0; i < p->n_revoked; i++) {
		hex_encode(p->revoked[i], HASH_SHA256_BYTES, hex);
		buf_printf(ret, "op=EXECUTE dmverity_roothash=sha256:%s action=DENY\n", hex);
	}
	if (profile == POLICY_IPE_ENFORCE)
		buf_str(ret, "op=EXECUTE dmverity_signature=TRUE action=ALLOW\n");
	return ret->bad ? err_set(e, ENOMEM, "no memory for the IPE policy") : 0;
}

int policy_ipe_signed(const struct policy *p, enum policy_ipe_for profile, const struct pki_signer *by, struct buf *ret,
		      struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	cleanup_buf struct buf blob = BUF_INIT;
	int r = policy_ipe_text(p, profile, &text, e);

	r = r ? r : pki_sign(by, text.data, text.len, PKI_ATTACHED, &blob, e);
	if (r)
		return r;
	if (blob.len > MAX_SIGNED_BYTES)
		return err_set(e, EFBIG,
			       "the signed IPE policy has %zu bytes, the kernel takes at most %d: revoke fewer layers",
			       blob.len, MAX_SIGNED_BYTES);
	buf_put(ret, blob.data, blob.len);
	return ret->bad ? err_set(e, ENOMEM, "no memory for the IPE policy") : 0;
}
