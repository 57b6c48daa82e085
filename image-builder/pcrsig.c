/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/pcrsig.c - signed PCR policies: in which states of a boot the TPM shall obey this image */
#include "image-builder/pcrsig.h"

#include "common/pcr_policy.h"

#include <string.h>

#define PCR_SECURE_BOOT 7
#define CPIO_DIR        ".extra"

/* PCR 11 just after @phase; the prediction ends with `ready`. */
static int value_after(const struct predict *predicted, enum measure_phase phase, uint8_t ret[static HASH_SHA256_BYTES],
		       struct err *e)
{
	const struct predict_list *l = &predicted->pcr[MEASURE_PCR_PHASE].event;

	if (l->n < MEASURE_READY + 1)
		return err_set(e, EINVAL, "PCR 11 is predicted with %zu events, fewer than there are phases", l->n);
	memset(ret, 0, HASH_SHA256_BYTES);
	for (size_t i = 0; i < l->n - (MEASURE_READY - phase); i++)
		if (!hash_extend(HASH_SHA256, ret, l->v[i].digest))
			return err_set(e, EINVAL, "SHA-256 cannot be computed");
	return 0;
}

static const struct use {
	const char *reference;
	enum measure_phase first, last;
	bool identity; /* PCR 15 too, as it is before a state volume is measured */
} uses[] = {
	{ PCR_POLICY_BOOT, MEASURE_ENTER_INITRD, MEASURE_SYSINIT, false },
	{ PCR_POLICY_CHANNEL, MEASURE_SYSINIT, MEASURE_READY, false },
	{ PCR_POLICY_STATE, MEASURE_LEAVE_INITRD, MEASURE_LEAVE_INITRD, true },
};

_Static_assert(PCRSIG_PHASES == MEASURE_SYSINIT - MEASURE_ENTER_INITRD + 1, "the phases before ready");

/* One signed policy for each phase of @use. PCR 7 counts if it is predicted. */
static int add_phases(EVP_PKEY *key, const struct use *use, const struct predict *predicted, struct buf *doc, struct err *e)
{
	const bool uefi = predicted->pcr[PCR_SECURE_BOOT].rule == PREDICT_SEQUENCE;
	uint8_t value[3][HASH_SHA256_BYTES]; /* ascending: PCR 7, if it counts, PCR 11, perhaps PCR 15 */
	struct pcr_policies p = { 0 };
	int r = uefi ? predict_value(predicted, PCR_SECURE_BOOT, value[0], e) : 0;

	r = r || !use->identity ? r : predict_value(predicted, MEASURE_PCR_IDENTITY, value[uefi + 1], e);
	for (enum measure_phase phase = use->first; !r && phase <= use->last; phase++) {
		struct pcr_policy *one = &p.v[p.n++];

		one->pcrs = 1u << MEASURE_PCR_PHASE | (uefi ? 1u << PCR_SECURE_BOOT : 0) |
			    (use->identity ? 1u << MEASURE_PCR_IDENTITY : 0);
		r = value_after(predicted, phase, value[uefi], e);
		if (r)
			break;
		pcr_policy_digest(one->pcrs, (const uint8_t(*)[HASH_SHA256_BYTES])value, one->digest);
		r = pcr_policy_sign(key, use->reference, one, e);
	}
	return r ? r : pcr_policy_add(&p, key, use->reference, doc, e);
}

int pcrsig_make(EVP_PKEY *key, const struct predict *predicted, struct buf *ret, struct err *e)
{
	int r;

	buf_str(ret, "{}");
	r = ret->bad ? err_set(e, ENOMEM, "no memory for PCR policies") : 0;
	for (size_t i = 0; !r && i < ARRAY_SIZE(uses); i++)
		r = add_phases(key, &uses[i], predicted, ret, e);
	return r;
}

/* One header of a cpio, as stub 257 writes it: nothing but type, size and name differs from entry to entry. */
static void cpio_header(struct buf *b, unsigned inode, unsigned mode, size_t size, const char *name)
{
	buf_printf(b, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x%s", inode, mode, 0u, 0u, 1u, 0u, size, 0u,
		   0u, 0u, 0u, strlen(name) + 1, 0u, name);
	buf_u8(b, 0);
	buf_pad(b, 4);
}

int pcrsig_cpio(const char *file, const uint8_t *data, size_t len, struct buf *ret, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;
	char path[64];

	(void)snprintf(path, sizeof(path), CPIO_DIR "/%s", file); /* one of the two below */
	cpio_header(&b, 1, 0040555, 0, CPIO_DIR);
	cpio_header(&b, 2, 0100444, len, path);
	buf_put(&b, data, len);
	buf_pad(&b, 4);
	buf_str(&b, "070701" "00000000" "00000000" "00000000" "00000000" "00000001" /* links */ "00000000" "00000000" "00000000"
		    "00000000" "00000000" "00000000" "0000000B" /* size of the name */ "00000000" "TRAILER!!!");
	buf_zero(&b, 4);
	buf_put(ret, b.data, b.len);
	return b.bad || ret->bad ? err_set(e, ENOMEM, "no memory for the initramfs") : 0;
}
