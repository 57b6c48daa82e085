/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/attest/test_state.c - a file of version 1 is brought to version 2, and what version 2 adds is kept */
#include "tests/common/check.h"

#include "attest/state.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_1_is_brought_to_version_2),
		cmocka_unit_test(other_versions_and_malformed_rows_are_refused),
	};

	return cmocka_run_group_tests_name("attest/state", tests, NULL, NULL);
}
