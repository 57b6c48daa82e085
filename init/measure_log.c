/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/measure_log.c - measure: first one record in the OS event log, then the extension of the PCR */
#include "init/measure_log.h"

#include "common/cel.h"
#include "init/io.h"
#include "init/sys.h"

#include <fcntl.h>
#include <string.h>

_Static_assert(TPM_CMD_MAX_BANKS <= CEL_MAX_BANKS, "a record holds a digest for every bank");
_Static_assert(MEASURE_MAX_DATA_BYTES <= CEL_MAX_DATA_BYTES, "a record holds every event");

/* Count the records that stand in the log already; all must be whole and in order. */
static int count_records(struct pid1_measure_log *m, struct err *e)
{
	static char text[PID1_MAX_EVENT_LOG_BYTES + 1];
	struct cel_record rec;
	struct reader r;
	int rc = pid1_read(CEL_PATH, text, sizeof(text), &m->bytes, e);

	if (rc)
		return rc;
	r = reader_init(text, m->bytes);
	while ((rc = cel_next(&r, m->recnum, &rec, e)) > 0)
		m->recnum++;
	return rc;
}

int pid1_measure_open(struct pid1_measure_log *m, int tpm_fd, struct err *e)
{
	int fd = sys_open(CEL_PATH, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0640), r;

	*m = (struct pid1_measure_log){ .fd = fd, .tpm_fd = tpm_fd };
	if (fd < 0)
		return pid1_err(e, fd, "cannot open %s", CEL_PATH);
	r = count_records(m, e);
	if (r)
		return r;
	if (tpm_fd >= 0)
		return tpm_cmd_banks(tpm_fd, PID1_TPM_TIMEOUT_MS, &m->banks, e);
	m->banks = (struct tpm_banks){ .n = 1, .alg = { HASH_SHA256 } };
	return 0;
}

static int write_record(struct pid1_measure_log *m, const struct cel_record *rec, struct err *e)
{
	uint8_t bytes[CEL_MAX_RECORD_BYTES];
	size_t len = cel_encode(rec, bytes);
	ssize_t n;

	if (!len || !rec->data_bytes)
		return err_set(e, EINVAL, "event \"%s\" with %zu bytes does not fit a record", rec->name,
			       rec->data_bytes);
	if (len > PID1_MAX_EVENT_LOG_BYTES - m->bytes)
		return err_set(e, ENOSPC, "the event log is full (%zu of %d bytes)", m->bytes,
			       PID1_MAX_EVENT_LOG_BYTES);
	n = sys_write(m->fd, bytes, len);
	if (n < 0)
		return pid1_err(e, (int)n, "cannot write %s", CEL_PATH);
	if ((size_t)n != len)
		return err_set(e, EIO, "%s took %zd of %zu bytes", CEL_PATH, n, len);
	m->bytes += len;
	m->recnum++;
	return 0;
}

int pid1_measure(struct pid1_measure_log *m, const struct measure_event *ev, struct err *e)
{
	struct cel_record rec = { .recnum = m->recnum,
				  .pcr = ev->pcr,
				  .n_digests = m->banks.n,
				  .name = ev->name,
				  .name_bytes = strlen(ev->name),
				  .data = (const uint8_t *)ev->data,
				  .data_bytes = ev->data_bytes };
	struct tpm_digest d[TPM_CMD_MAX_BANKS];
	int r;

	for (size_t i = 0; i < m->banks.n; i++) {
		d[i].alg = rec.digest[i].alg = m->banks.alg[i];
		if (!hash_once(d[i].alg, ev->data, ev->data_bytes, d[i].digest))
			return err_set(e, ENOTSUP, "bank %s cannot be computed", hash_name(d[i].alg));
		memcpy(rec.digest[i].digest, d[i].digest, hash_bytes(d[i].alg));
	}
	r = write_record(m, &rec, e);
	if (r || m->tpm_fd < 0)
		return r;
	return tpm_cmd_extend(m->tpm_fd, PID1_TPM_TIMEOUT_MS, ev->pcr, d, m->banks.n, e);
}
