/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/sealed_make.c - make the state volume, so that a power cut at any point leaves the mark or a whole volume
 *
 * Theory of operation: init/sealed.h, "First boot". All that can be refused (TPM, policy, header) is tried before the first byte
 * is written to the partition.
 */
#include "init/sealed_volume.h"

#include "common/file.h"
#include "common/proc.h"
#include "init/sealed_recovery.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define MKFS              "/usr/sbin/mkfs.ext4"
#define KEYSLOTS_BYTES    (1u << 20)
#define METADATA_BYTES    16384
#define VOLUME_KEY_BYTES  64
#define INTEGRITY_KEY     32 /* more, for hmac(sha256) */
#define SECTOR_BYTES      4096
#define ITERATIONS        1000 /* of PBKDF2, the least there may be: passphrases here have 256 bits, stretching adds nothing */
#define WIPE_BLOCK_BYTES  (1u << 20)

/* What is made, one step after another. @key, @passphrase, @recovery and @volume_key are wiped at the end. */
struct making {
	const struct pid1_sealed_volume *v;
	struct crypt_device *cd; /* owned */
	uint8_t key[PID1_SEALED_KEY_BYTES], volume_key[VOLUME_KEY_BYTES + INTEGRITY_KEY];
	size_t volume_key_bytes;
	char passphrase[PID1_SEALED_PASSPHRASE_BYTES + 1], recovery[PID1_SEALED_RECOVERY_BYTES];
};

static void at(const struct making *m, const char *step)
{
	if (m->v->at)
		m->v->at(step);
}

/* --- the header, in memory ------------------------------------------------------------------------------------------------ */

static int make_file(const char *path, struct err *e)
{
	cleanup_fd int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 || ftruncate(fd, PID1_SEALED_HEADER_BYTES))
		return err_errno(e, "cannot make %s", path);
	return 0;
}

static int format(struct making *m, struct err *e)
{
	const struct pid1_sealed_volume *v = m->v;
	struct crypt_pbkdf_type pbkdf = { .type = CRYPT_KDF_PBKDF2, .hash = "sha256", .iterations = ITERATIONS,
					  .flags = CRYPT_PBKDF_NO_BENCHMARK };
	struct crypt_params_integrity integrity = { .journal_integrity = NULL };
	struct crypt_params_luks2 p = { .pbkdf = &pbkdf, .data_device = v->partition, .sector_size = SECTOR_BYTES,
					.label = PID1_SEALED_LABEL, .integrity = v->integrity ? "hmac(sha256)" : NULL,
					.integrity_params = v->integrity ? &integrity : NULL };
	int r = crypt_init(&m->cd, v->header);

	m->volume_key_bytes = VOLUME_KEY_BYTES + (v->integrity ? INTEGRITY_KEY : 0);
	r = r ? r : crypt_set_data_offset(m->cd, PID1_SEALED_HEADER_BYTES / 512);
	r = r ? r : crypt_set_metadata_size(m->cd, METADATA_BYTES, KEYSLOTS_BYTES);
	r = r ? r : crypt_set_pbkdf_type(m->cd, &pbkdf);
	r = r ? r : crypt_format(m->cd, CRYPT_LUKS2, "aes", "xts-plain64", NULL, (const char *)m->volume_key, m->volume_key_bytes, &p);
	if (r)
		return pid1_sealed_crypt_error(e, r, "the LUKS2 header cannot be made");
	r = crypt_keyslot_add_by_volume_key(m->cd, 0, NULL, 0, m->passphrase, PID1_SEALED_PASSPHRASE_BYTES);
	if (r >= 0 && v->recovery != PID1_SEALED_RECOVERY_NONE)
		r = crypt_keyslot_add_by_volume_key(m->cd, 1, NULL, 0, m->recovery, PID1_SEALED_RECOVERY_BYTES - 1);
	return r < 0 ? pid1_sealed_crypt_error(e, r, "a keyslot cannot be made") : 0;
}

/* The key goes into the TPM and comes out again by the way that later boots take, or nothing is made. */
static int seal(struct making *m, struct pid1_sealed_token *ret, struct err *e)
{
	const char *uuid = crypt_get_uuid(m->cd);
	uint8_t trial[PID1_SEALED_KEY_BYTES];
	int r = pid1_sealed_seal(m->v->tpm, uuid, m->key, ret, e);

	r = r ? r : pid1_sealed_unseal(m->v->tpm, uuid, ret, trial, e);
	if (!r && !hash_equal(trial, sizeof(trial), m->key, sizeof(m->key)))
		r = err_set(e, EIO, "the TPM gives another key than was sealed");
	explicit_bzero(trial, sizeof(trial));
	return r ? r : pid1_sealed_volume_mac(m->v->tpm, m->cd, m->volume_key, m->volume_key_bytes, ret->mac, e);
}

static int put_tokens(struct making *m, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct pid1_sealed_token token = { .blob_bytes = 0 };
	int r = seal(m, &token, e);

	r = r ? r : pid1_sealed_token_write(&token, m->v->pcr_pem, &text, e);
	if (r)
		return r;
	buf_u8(&text, 0);
	if (text.bad)
		return err_set(e, ENOMEM, "no memory for a token");
	r = crypt_token_json_set(m->cd, 0, (const char *)text.data);
	if (r >= 0 && m->v->recovery != PID1_SEALED_RECOVERY_NONE)
		r = crypt_token_json_set(m->cd, 1, "{\"type\":\"systemd-recovery\",\"keyslots\":[\"1\"]}");
	return r < 0 ? pid1_sealed_crypt_error(e, r, "a token cannot be stored") : 0;
}

/* --- on the partition ------------------------------------------------------------------------------------------------------ */

static int make_file_system(struct making *m, struct err *e)
{
	static const char *const argv[] = { MKFS, "-q", "-m", "0", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0",
					    "-L", PID1_SEALED_LABEL, PID1_SEALED_MAPPING, NULL };
	struct proc_params p = { .argv = argv, .quiet = 1 };
	cleanup_fd int fd = -1;
	int r = 0;

	if (m->v->integrity) /* blocks that were never written have no tags, and cannot be read */
		r = crypt_wipe(m->cd, PID1_SEALED_MAPPING, CRYPT_WIPE_ZERO, 0, 0, WIPE_BLOCK_BYTES, 0, NULL, NULL);
	if (r)
		return pid1_sealed_crypt_error(e, r, "the integrity tags cannot be written");
	r = proc_run(&p, e);
	if (r)
		return r;
	fd = open(PID1_SEALED_MAPPING, O_RDWR | O_CLOEXEC);
	return fd < 0 || fsync(fd) ? err_errno(e, "cannot sync " PID1_SEALED_MAPPING) : 0;
}

static int fill(struct making *m, struct err *e)
{
	int r;

	at(m, "activate");
	if (!m->v->activate)
		return 0;
	r = crypt_activate_by_passphrase(m->cd, PID1_SEALED_LABEL, 0, m->passphrase, PID1_SEALED_PASSPHRASE_BYTES, 0);
	if (r < 0)
		return pid1_sealed_crypt_error(e, r, "the new state volume cannot be activated");
	at(m, "file system");
	r = make_file_system(m, e);
	if (r)
		(void)crypt_deactivate(m->cd, PID1_SEALED_LABEL); /* the machine will not use it */
	return r;
}

/* It may take minutes, and a power cut from here on is no loss of what was there: nothing was. */
static int tell_begin(const struct making *m, struct err *e)
{
	char line[128];
	int n = snprintf(line, sizeof(line), "holdfast: state: making volume %s\n", crypt_get_uuid(m->cd)); /* fits */

	return file_write_all(m->v->tell, line, (size_t)n, "the console", e);
}

static int write_out(struct making *m, int fd, uint64_t bytes, struct err *e)
{
	cleanup_buf struct buf header = BUF_INIT;
	uint8_t mark[PID1_SEALED_BLOCK_BYTES];
	int r = file_read(m->v->header, PID1_SEALED_HEADER_BYTES, &header, e);

	r = r ? r : pid1_sealed_mark(m->v->tpm, bytes, mark, e);
	if (!r && header.len != PID1_SEALED_HEADER_BYTES)
		r = err_set(e, EIO, "%s has %zu bytes, wanted %u", m->v->header, header.len, PID1_SEALED_HEADER_BYTES);
	if (r)
		return r;
	at(m, "mark");
	r = pid1_sealed_put(fd, mark, sizeof(mark), 0, e);
	at(m, "header");
	if (!r)
		r = tell_begin(m, e);
	if (!r)
		r = pid1_sealed_put(fd, header.data + sizeof(mark), header.len - sizeof(mark), sizeof(mark), e);
	r = r ? r : fill(m, e);
	at(m, "recovery");
	if (!r && m->v->recovery != PID1_SEALED_RECOVERY_NONE)
		r = pid1_sealed_recovery_tell(m->recovery, m->v->recovery == PID1_SEALED_RECOVERY_ESCROW ? m->v->escrow_pem : NULL,
					      crypt_get_uuid(m->cd), m->v->tell, e);
	at(m, "finish");
	r = r ? r : pid1_sealed_put(fd, header.data, sizeof(mark), 0, e);
	at(m, "done");
	return r;
}

static int make(struct making *m, int fd, uint64_t bytes, struct err *e)
{
	int r;

	if (getrandom(m->key, sizeof(m->key), 0) != sizeof(m->key) ||
	    getrandom(m->volume_key, sizeof(m->volume_key), 0) != sizeof(m->volume_key))
		return err_set(e, EIO, "no random bytes from the kernel");
	pid1_sealed_passphrase(m->key, m->passphrase);
	r = pid1_sealed_recovery_make(m->recovery, e);
	r = r ? r : make_file(m->v->header, e);
	r = r ? r : format(m, e);
	r = r ? r : put_tokens(m, e);
	return r ? r : write_out(m, fd, bytes, e);
}

int pid1_sealed_volume_make(const struct pid1_sealed_volume *v, int fd, uint64_t bytes, struct pid1_sealed_answer *ret, struct err *e)
{
	struct making m = { .v = v };
	int r;

	(void)unlink(v->header); /* of a failure before this; else there is none */
	r = make(&m, fd, bytes, e);
	if (!r) {
		ret->made = true;
		memcpy(ret->uuid, crypt_get_uuid(m.cd), MEASURE_UUID_BYTES);
	}
	if (m.cd)
		crypt_free(m.cd);
	(void)unlink(v->header); /* at worst it stays in memory: nothing in it is secret */
	explicit_bzero(&m, sizeof(m));
	return r;
}
