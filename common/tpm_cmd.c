/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* common/tpm_cmd.c - the three TPM commands PID 1 needs for ever, without heap and without a library */
#include "common/tpm_cmd.h"

#include "common/cleanup.h"
#include "common/reader.h"
#include "common/tpm_io.h"

#include <fcntl.h>
#include <string.h>

enum {
	TPM_ST_NO_SESSIONS = 0x8001,
	TPM_ST_SESSIONS = 0x8002,
	TPM_CC_PCR_READ = 0x17e,
	TPM_CC_GET_CAPABILITY = 0x17a,
	TPM_CC_PCR_EXTEND = 0x182,
	TPM_CAP_PCRS = 5,
	TPM_RS_PW = 0x40000009,
};

/* A command being built: fixed room, so that nothing is allocated. All our commands fit many times over. */
struct cmd {
	uint8_t b[TPM_IO_MAX_BYTES];
	size_t n;
};

static void put(struct cmd *c, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		c->b[c->n++] = (uint8_t)(v >> 8 * (n - 1 - i));
}

static struct cmd begin(uint16_t tag, uint32_t code)
{
	struct cmd c = { .n = 0 };

	put(&c, tag, 2);
	put(&c, 0, 4); /* size, set by tpm_io_transact() */
	put(&c, code, 4);
	return c;
}

/* Send @c, receive into @t, leave @r behind the header. */
static int transact(struct tpm_io *t, struct cmd *c, struct reader *r, struct err *e)
{
	int rc = tpm_io_transact(t, c->b, c->n, r, e);

	if (!rc && t->code)
		rc = err_set(e, EPROTO, "the TPM refused with response code 0x%x", (unsigned)t->code);
	return rc;
}

int tpm_cmd_open(int *ret_fd, struct err *e)
{
	int fd = open("/dev/tpm0", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		fd = open("/dev/tpmrm0", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_errno(e, "cannot open /dev/tpm0 or /dev/tpmrm0");
	*ret_fd = fd;
	return 0;
}

int tpm_cmd_banks(int fd, int timeout_ms, struct tpm_banks *ret, struct err *e)
{
	struct cmd c = begin(TPM_ST_NO_SESSIONS, TPM_CC_GET_CAPABILITY);
	struct tpm_io t = { .fd = fd, .timeout_ms = timeout_ms };
	struct tpm_banks banks = { 0 };
	struct reader r;
	uint32_t count;
	int rc;

	put(&c, TPM_CAP_PCRS, 4);
	put(&c, 0, 4);
	put(&c, 1, 4);
	rc = transact(&t, &c, &r, e);
	if (rc)
		return rc;
	(void)reader_u8(&r); /* moreData */
	if (reader_u32be(&r) != TPM_CAP_PCRS)
		r.bad = true;
	count = reader_u32be(&r);
	for (uint32_t i = 0; i < count && !r.bad; i++) {
		enum hash_alg alg = reader_u16be(&r);
		uint8_t n = reader_u8(&r);
		const uint8_t *select = reader_bytes(&r, n);

		if (!select || hash_is_zero(select, n))
			continue;
		if (!hash_can_compute(alg) || banks.n == TPM_CMD_MAX_BANKS)
			return err_set(e, ENOTSUP, "the TPM keeps a PCR bank (algorithm 0x%x) that cannot be extended",
				       (unsigned)alg);
		banks.alg[banks.n++] = alg;
	}
	if (!reader_done(&r) || !banks.n)
		return err_set(e, EPROTO, "the TPM's list of PCR banks is malformed or empty");
	*ret = banks;
	return 0;
}

int tpm_cmd_extend(int fd, int timeout_ms, uint32_t pcr, const struct tpm_digest *d, size_t n, struct err *e)
{
	struct cmd c = begin(TPM_ST_SESSIONS, TPM_CC_PCR_EXTEND);
	struct tpm_io t = { .fd = fd, .timeout_ms = timeout_ms };
	struct reader r;
	int rc;

	if (n == 0 || n > TPM_CMD_MAX_BANKS)
		return err_set(e, EINVAL, "%zu digests to extend, wanted 1 to %d", n, TPM_CMD_MAX_BANKS);
	put(&c, pcr, 4);
	put(&c, 9, 4); /* authorisation area: empty password session */
	put(&c, TPM_RS_PW, 4);
	put(&c, 0, 2);
	put(&c, 0, 1);
	put(&c, 0, 2);
	put(&c, n, 4);
	for (size_t i = 0; i < n; i++) {
		put(&c, d[i].alg, 2);
		memcpy(c.b + c.n, d[i].digest, hash_bytes(d[i].alg));
		c.n += hash_bytes(d[i].alg);
	}
	rc = transact(&t, &c, &r, e);
	return rc ? err_context(e, "PCR %u was not extended", (unsigned)pcr) : 0;
}

int tpm_cmd_read(int fd, int timeout_ms, uint32_t pcr, enum hash_alg alg, uint8_t *ret, struct err *e)
{
	struct cmd c = begin(TPM_ST_NO_SESSIONS, TPM_CC_PCR_READ);
	struct tpm_io t = { .fd = fd, .timeout_ms = timeout_ms };
	struct reader r;
	uint32_t digests;
	int rc;

	if (pcr >= TPM_CMD_PCRS)
		return err_set(e, EINVAL, "there is no PCR %u", (unsigned)pcr);
	put(&c, 1, 4);
	put(&c, alg, 2);
	put(&c, 3, 1);
	for (uint32_t i = 0; i < 3; i++)
		put(&c, pcr / 8 == i ? 1u << pcr % 8 : 0, 1);
	rc = transact(&t, &c, &r, e);
	if (rc)
		return err_context(e, "PCR %u was not read", (unsigned)pcr);
	(void)reader_u32be(&r); /* update counter */
	if (reader_u32be(&r) != 1)
		r.bad = true;
	(void)reader_bytes(&r, 2);	     /* bank */
	(void)reader_bytes(&r, reader_u8(&r)); /* selection: empty digests below say whether it was there */
	digests = reader_u32be(&r);
	if (!r.bad && digests == 0)
		return err_set(e, ENOENT, "the TPM has no PCR %u in bank %s", (unsigned)pcr, hash_name(alg));
	if (reader_u16be(&r) != hash_bytes(alg))
		r.bad = true;
	if (r.bad || r.left != hash_bytes(alg) || digests != 1)
		return err_set(e, EPROTO, "the TPM's value of PCR %u is malformed", (unsigned)pcr);
	reader_copy(&r, ret, hash_bytes(alg));
	return 0;
}
