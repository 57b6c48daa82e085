/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/attest/test_state.c - a file of version 1 becomes one of version 2; hosts are bounded, their clocks only go on */
#include "tests/common/check.h"

#include "attest/hosts.h"
#include "attest/state.h"
#include "common/file.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

static const char version_1[] =
	"CREATE TABLE host (identity BLOB PRIMARY KEY NOT NULL, ek INTEGER NOT NULL, ek_public BLOB NOT NULL, ak_public BLOB NOT NULL,"
	" known INTEGER NOT NULL DEFAULT 0, reset_count INTEGER NOT NULL DEFAULT 0, restart_count INTEGER NOT NULL DEFAULT 0,"
	" clock_ms INTEGER NOT NULL DEFAULT 0, seen_ms INTEGER NOT NULL DEFAULT 0, verdict INTEGER NOT NULL DEFAULT 0,"
	" expires_s INTEGER NOT NULL DEFAULT 0, ear BLOB NOT NULL DEFAULT x'') STRICT;"
	"INSERT INTO host (identity, ek, ek_public, ak_public, known, reset_count) VALUES (zeroblob(32), 1, x'01', x'02', 1, 7);";

struct seen {
	size_t n;
	struct state_row row;
};

static int see(void *ctx, const struct state_row *row, struct err *e)
{
	struct seen *s = ctx;

	(void)e; /* nothing fails */
	s->n++;
	s->row = *row;
	return 0;
}

static void run_sql(const char *path, const char *sql)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void open_and_close(const char *path, struct seen *s, const struct enrolment *add)
{
	struct state *state = NULL;
	struct err e = ERR_INIT;

	*s = (struct seen){0};
	assert_ok(state_open(path, see, s, &state, &e), &e);
	if (add)
		assert_ok(state_enrol(state, add, &e), &e);
	state_close(state);
}

static void version_1_is_brought_to_version_2(void **state)
{
	char dir[] = "/tmp/holdfast-state-XXXXXX", path[64];
	struct enrolment rec = {.ek = ENROLMENT_EK_PROVIDER, .ek_public_bytes = 1, .ak_public_bytes = 1, .has_certificate_id = true};
	struct seen s;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/state.db", dir);
	run_sql(path, version_1);
	run_sql(path, "PRAGMA user_version = 1");
	memset(rec.certificate_id, 9, sizeof(rec.certificate_id));
	open_and_close(path, &s, &rec); /* the host of before enrols again, and keeps its clock */
	assert_int_equal(s.n, 1);
	assert_int_equal(s.row.clock.reset_count, 7);
	assert_false(s.row.enrolment.has_certificate_id);
	open_and_close(path, &s, NULL);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.row.clock.reset_count, 7);
	assert_int_equal(s.row.enrolment.ek, ENROLMENT_EK_PROVIDER);
	assert_true(s.row.enrolment.has_certificate_id);
	assert_memory_equal(s.row.enrolment.certificate_id, rec.certificate_id, sizeof(rec.certificate_id));
	(void)unlink(path);
	assert_int_equal(rmdir(dir), 0);
}

static void other_versions_and_malformed_rows_are_refused(void **state)
{
	static const struct {
		const char *sql, *part;
	} cases[] = {
		{"PRAGMA user_version = 3", "is of version 3, wanted 2"},
		{"PRAGMA user_version = 2; UPDATE host SET certificate_id = x'01'", "a host's row is malformed"},
		{"PRAGMA user_version = 2; UPDATE host SET certificate_id = x'', ek = 4", "a host's row is malformed"},
	};
	char dir[] = "/tmp/holdfast-state-XXXXXX", path[64];
	struct seen s;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/state.db", dir);
	run_sql(path, version_1);
	run_sql(path, "PRAGMA user_version = 1");
	open_and_close(path, &s, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct state *opened = NULL;
		struct err e = ERR_INIT;

		run_sql(path, cases[i].sql);
		assert_refused(state_open(path, see, &s, &opened, &e), &e, EINVAL, cases[i].part);
	}
	(void)unlink(path);
	assert_int_equal(rmdir(dir), 0);
}

static void judge_at(struct hosts *h, const struct enrolment *rec, const struct judge_clock *clock)
{
	const struct hosts_verdict v = {.identity = rec->identity, .clock = clock, .verdict = APPRAISE_ACCEPT, .expires_s = 9};
	uint64_t batch = hosts_batch(h);
	struct err e = ERR_INIT;

	assert_ok(hosts_judged(h, &v, &e), &e);
	assert_ok(hosts_commit(h, batch, &e), &e);
}

static void assert_clock(struct hosts *h, const struct enrolment *rec, const struct judge_clock *want)
{
	cleanup_hosts_entry struct hosts_entry en = {0};

	assert_true(hosts_get(h, rec->identity, &en));
	assert_int_equal(en.clock.reset_count, want->reset_count);
	assert_int_equal(en.clock.restart_count, want->restart_count);
	assert_int_equal(en.clock.clock_ms, want->clock_ms);
}

static void load_host(struct enrolment *rec, uint8_t name)
{
	cleanup_buf struct buf ak = BUF_INIT;
	struct err e = ERR_INIT;

	*rec = (struct enrolment){.ek = ENROLMENT_EK_PINNED, .ek_public_bytes = 1};
	assert_ok(file_read("tests/data/quote/good-ak-rsa.bin", sizeof(rec->ak_public), &ak, &e), &e);
	memcpy(rec->ak_public, ak.data, ak.len);
	rec->ak_public_bytes = ak.len;
	memset(rec->identity, name, sizeof(rec->identity));
}

/* Two judgements of one host may end in either order: each field of a clock alone decides which is the later one. */
static void a_clock_only_goes_on_and_hosts_are_bounded(void **state)
{
	static const struct judge_clock sound = {true, 5, 5, 500, 1}, older[] = {{true, 4, 9, 900, 1}, {true, 5, 4, 900, 1}, {true, 5, 5, 499, 1}},
					newer[] = {{true, 5, 5, 501, 1}, {true, 5, 6, 1, 1}, {true, 6, 0, 0, 1}};
	char dir[] = "/tmp/holdfast-state-XXXXXX", path[64];
	struct enrolment rec, other;
	struct hosts *h = NULL;
	struct err e = ERR_INIT;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/state.db", dir);
	load_host(&rec, 1);
	load_host(&other, 2);
	assert_ok(hosts_open(path, 1, &h, &e), &e);
	assert_ok(hosts_enrol(h, &rec, &e), &e);
	assert_int_equal(hosts_enrol(h, &other, &e), -ENOSPC);
	assert_int_equal(hosts_count(h), 1);
	judge_at(h, &rec, &sound);
	for (size_t i = 0; i < ARRAY_SIZE(older); i++) {
		judge_at(h, &rec, &older[i]);
		assert_clock(h, &rec, &sound);
	}
	for (size_t i = 0; i < ARRAY_SIZE(newer); i++) {
		judge_at(h, &rec, &newer[i]);
		assert_clock(h, &rec, &newer[i]);
	}
	assert_ok(hosts_close(h, &e), &e);
	(void)unlink(path);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_1_is_brought_to_version_2),
		cmocka_unit_test(other_versions_and_malformed_rows_are_refused),
		cmocka_unit_test(a_clock_only_goes_on_and_hosts_are_bounded),
	};

	return cmocka_run_group_tests_name("attest/state", tests, NULL, NULL);
}
