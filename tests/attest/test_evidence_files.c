/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_evidence_files.c - evidence taken apart: each file is its part, and together they hold or do not
 *
 * What other programs make of the files is tests/attest/interop.
 */
#include "tests/attest/world.h"

#include "attest/evidence_files.h"
#include "attest/pcr_values.h"
#include "attest/quote_check.h"
#include "common/file.h"

#include <ftw.h>
#include <sys/stat.h>

static char box[] = "/tmp/test_evidence_files.XXXXXX";
static char dir[64];

static struct buf part(const char *name)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_ok(file_read(path, 65536, &b, &e), &e);
	return b;
}

static bool is_there(const char *name)
{
	char path[128];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return !stat(path, &st);
}

static void assert_part(const char *name, const struct buf *wanted)
{
	struct buf b = part(name);

	assert_int_equal(b.len, wanted->len);
	assert_memory_equal(b.data, wanted->data, b.len);
	buf_free(&b);
}

static int apart(const struct world *w, const uint8_t *channel_key, enum evidence_replay *ret, struct err *e)
{
	static int n;
	const struct evidence_files_input in = {{w->evidence.data, w->evidence.len}, w->nonce, channel_key, &w->enrolment};

	(void)snprintf(dir, sizeof(dir), "%s/%d", box, n++);
	return evidence_files_write(&in, dir, ret, e);
}

/* quote-check with the files alone. */
static int check_parts(struct err *e)
{
	struct quote_check c = {.want = {1, {{HASH_SHA256, 0xffff}}, HASH_SHA256}};
	const struct quote_scheme any = {0, HASH_SHA256};
	struct buf quote = part("quote"), signature = part("signature"), extra = part("extra-data");
	static struct pcr_values values;
	cleanup_quote_ak struct quote_ak ak = {0};
	enum quote_signer signer;
	uint8_t nonce[32];
	char path[128];
	struct quote q;
	int rc;

	assert_int_equal(extra.len, 65);
	extra.data[64] = '\0';
	assert_true(hex_decode((const char *)extra.data, nonce, sizeof(nonce)));
	(void)snprintf(path, sizeof(path), "%s/pcrs", dir);
	assert_ok(pcr_values_load(path, &values, e), e);
	assert_int_equal(values.n, 16);
	(void)snprintf(path, sizeof(path), "%s/ak.pem", dir);
	assert_ok(quote_ak_load(path, &any, &ak, e), e);
	c.ak = &ak;
	c.attest = (struct bytes){quote.data, quote.len};
	c.signature = (struct bytes){signature.data, signature.len};
	c.nonce = (struct bytes){nonce, sizeof(nonce)};
	c.values = &values;
	rc = quote_check(&c, &q, &signer, e);
	buf_free(&quote);
	buf_free(&signature);
	buf_free(&extra);
	return rc;
}

static void a_sound_hosts_parts_hold_together(void **state)
{
	struct world *w = world_sound();
	enum evidence_replay replayed;
	struct err e = ERR_INIT;

	(void)state;
	world_seal(w);
	assert_ok(apart(w, NULL, &replayed, &e), &e);
	assert_int_equal(replayed, EVIDENCE_REPLAY_SAME);
	assert_part("firmware.log", &w->firmware_log);
	assert_part("os.log", &w->os_log);
	assert_part("ima.log", &w->ima_log);
	assert_part("quote", &w->attest);
	assert_part("signature", &w->signature);
	assert_part("ak.pub", &(struct buf){.data = w->enrolment.ak_public, .len = w->enrolment.ak_public_bytes});
	assert_ok(check_parts(&e), &e);
	assert_refused(apart(w, w->nonce, &replayed, &e) ?: check_parts(&e), &e, EBADMSG, "extraData"); /* not of that channel */
	world_free(w);
}

static void boot_order_changed(struct world *w)
{
	w_text(&w->firmware, 1, ACTION, "invented");
}

static void another_nonce_or_log_does_not_hold(void **state)
{
	struct world *w = world_sound();
	enum evidence_replay replayed;
	struct err e = ERR_INIT;

	(void)state;
	world_seal(w);
	w->nonce[0] ^= 1;
	assert_refused(apart(w, NULL, &replayed, &e) ?: check_parts(&e), &e, EBADMSG, "extraData");
	world_free(w);

	w = world_sound();
	world_seal_lying(w, boot_order_changed, NULL);
	assert_ok(apart(w, NULL, &replayed, &e), &e);
	assert_int_equal(replayed, EVIDENCE_REPLAY_OTHER);
	assert_refused(check_parts(&e), &e, EBADMSG, "the PCR values have digest");
	world_free(w);
}

static void an_ima_log_that_extended_nothing_is_left_out_of_pcrs(void **state)
{
	struct world *w = world_sound();
	enum evidence_replay replayed;
	struct err e = ERR_INIT;

	(void)state;
	w->ima_without_tpm = true;
	world_seal(w);
	assert_ok(apart(w, NULL, &replayed, &e), &e);
	assert_int_equal(replayed, EVIDENCE_REPLAY_SAME_WITHOUT_IMA);
	assert_ok(check_parts(&e), &e);
	world_free(w);
}

static void cut_firmware_log(struct world *w)
{
	w->firmware_log.len -= 3;
}

static void no_firmware_log(struct world *w)
{
	w->firmware_log.len = 0;
}

static void what_cannot_be_read_is_written_without_pcrs(void **state)
{
	struct world *w = world_sound();
	enum evidence_replay replayed;
	struct err e = ERR_INIT;

	(void)state;
	world_seal_lying(w, NULL, cut_firmware_log);
	assert_ok(apart(w, NULL, &replayed, &e), &e);
	assert_int_equal(replayed, EVIDENCE_REPLAY_MALFORMED);
	assert_part("firmware.log", &w->firmware_log);
	assert_false(is_there("pcrs"));
	world_free(w);

	w = world_sound();
	world_seal_lying(w, NULL, no_firmware_log);
	assert_ok(apart(w, NULL, &replayed, &e), &e);
	assert_int_equal(replayed, EVIDENCE_REPLAY_OTHER);
	assert_false(is_there("firmware.log"));
	world_free(w);
}

static void what_is_no_evidence_makes_no_folder_and_an_old_one_is_kept(void **state)
{
	struct world *w = world_sound();
	enum evidence_replay replayed;
	struct err e = ERR_INIT;
	struct evidence_files_input in;

	(void)state;
	world_seal(w);
	in = (struct evidence_files_input){{w->evidence.data, w->evidence.len}, w->nonce, NULL, NULL};
	assert_ok(apart(w, NULL, &replayed, &e), &e);
	assert_refused(evidence_files_write(&in, dir, &replayed, &e), &e, EEXIST, "must be a new one");
	buf_u8(&w->evidence, 0);
	assert_refused(apart(w, NULL, &replayed, &e), &e, EINVAL, "behind the end");
	assert_false(is_there(""));
	world_free(w);
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(box) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)flag;
	(void)at;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	return nftw(box, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sound_hosts_parts_hold_together),
		cmocka_unit_test(another_nonce_or_log_does_not_hold),
		cmocka_unit_test(an_ima_log_that_extended_nothing_is_left_out_of_pcrs),
		cmocka_unit_test(what_cannot_be_read_is_written_without_pcrs),
		cmocka_unit_test(what_is_no_evidence_makes_no_folder_and_an_old_one_is_kept),
	};

	return cmocka_run_group_tests_name("attest/evidence_files", tests, setup, teardown);
}
