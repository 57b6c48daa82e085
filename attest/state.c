/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/state.c - what a verifier must not forget: enrolled hosts, their TPMs' last clocks, their last results */
#include "attest/state.h"

#include "common/cleanup.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>

#define VERSION 2

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS host ("
	" identity BLOB PRIMARY KEY NOT NULL, ek INTEGER NOT NULL, ek_public BLOB NOT NULL, ak_public BLOB NOT NULL,"
	" known INTEGER NOT NULL DEFAULT 0, reset_count INTEGER NOT NULL DEFAULT 0,"
	" restart_count INTEGER NOT NULL DEFAULT 0, clock_ms INTEGER NOT NULL DEFAULT 0,"
	" seen_ms INTEGER NOT NULL DEFAULT 0, verdict INTEGER NOT NULL DEFAULT 0,"
	" expires_s INTEGER NOT NULL DEFAULT 0, ear BLOB NOT NULL DEFAULT x'',"
	" certificate_id BLOB NOT NULL DEFAULT x'') STRICT";

static const char from_version_1[] = "BEGIN; ALTER TABLE host ADD COLUMN certificate_id BLOB NOT NULL DEFAULT x'';"
				    " PRAGMA user_version = 2; COMMIT";

static const char enrol_sql[] =
	"INSERT INTO host (identity, ek, ek_public, ak_public, certificate_id) VALUES (?1, ?2, ?3, ?4, ?5)"
	" ON CONFLICT (identity) DO UPDATE SET"
	" ek = ?2, ek_public = ?3, ak_public = ?4, certificate_id = ?5";
static const char judged_sql[] =
	"UPDATE host SET known = ?2, reset_count = ?3, restart_count = ?4, clock_ms = ?5, seen_ms = ?6, verdict = ?7,"
	" expires_s = ?8, ear = ?9 WHERE identity = ?1";

struct state {
	sqlite3 *db;
	sqlite3_stmt *enrol;
	sqlite3_stmt *judged;
	bool in_transaction;
};

static int sql_error(struct state *s, struct err *e, const char *what)
{
	return err_set(e, EIO, "state: cannot %s: %s", what, sqlite3_errmsg(s->db));
}

static int run(struct state *s, const char *sql, const char *what, struct err *e)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : sql_error(s, e, what);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* Column @i must be a blob of @min to @max bytes. */
static bool blob(sqlite3_stmt *q, int i, size_t min, size_t max, struct bytes *ret)
{
	if (sqlite3_column_type(q, i) != SQLITE_BLOB)
		return false;
	ret->p = sqlite3_column_blob(q, i);
	ret->n = (size_t)sqlite3_column_bytes(q, i);
	return ret->n >= min && ret->n <= max;
}

static bool in_range(sqlite3_stmt *q, int i, int64_t max, int64_t *ret)
{
	*ret = sqlite3_column_int64(q, i);
	return *ret >= 0 && *ret <= max;
}

static bool read_row(sqlite3_stmt *q, struct state_row *row)
{
	struct bytes identity, ek_public, ak_public, id;
	int64_t ek, known, reset, restart, clock, verdict;

	if (!blob(q, 0, HASH_SHA256_BYTES, HASH_SHA256_BYTES, &identity) ||
	    !blob(q, 2, 1, ENROLMENT_MAX_PUBLIC_BYTES, &ek_public) ||
	    !blob(q, 3, 1, ENROLMENT_MAX_PUBLIC_BYTES, &ak_public) || !blob(q, 12, 0, HASH_SHA256_BYTES, &id) ||
	    (id.n && id.n != HASH_SHA256_BYTES) || !in_range(q, 1, ENROLMENT_EK_PROVIDER, &ek) ||
	    ek == ENROLMENT_EK_UNSET || !in_range(q, 4, 1, &known) || !in_range(q, 5, UINT32_MAX, &reset) ||
	    !in_range(q, 6, UINT32_MAX, &restart) || !in_range(q, 7, INT64_MAX, &clock) ||
	    !in_range(q, 9, APPRAISE_REFUSE, &verdict))
		return false;
	row->enrolment.ek = (enum enrolment_ek)ek;
	memcpy(row->enrolment.identity, identity.p, identity.n);
	memcpy(row->enrolment.ek_public, ek_public.p, ek_public.n);
	memcpy(row->enrolment.ak_public, ak_public.p, ak_public.n);
	row->enrolment.has_certificate_id = id.n;
	if (id.n)
		memcpy(row->enrolment.certificate_id, id.p, id.n);
	row->enrolment.ek_public_bytes = ek_public.n;
	row->enrolment.ak_public_bytes = ak_public.n;
	row->clock = (struct judge_clock){known, (uint32_t)reset, (uint32_t)restart, (uint64_t)clock,
					  sqlite3_column_int64(q, 8)};
	row->verdict = (enum appraise_verdict)verdict;
	row->expires_s = sqlite3_column_int64(q, 10);
	row->ear = (struct bytes){sqlite3_column_blob(q, 11), (size_t)sqlite3_column_bytes(q, 11)};
	return row->ear.n <= STATE_MAX_EAR_BYTES;
}

static int read_all(struct state *s, const char *path, state_fn fn, void *ctx, struct err *e)
{
	static const char sql[] = "SELECT identity, ek, ek_public, ak_public, known, reset_count, restart_count, clock_ms,"
				  " seen_ms, verdict, expires_s, ear, certificate_id FROM host";
	sqlite3_stmt *q = NULL;
	int step, rc = 0;

	if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) != SQLITE_OK)
		return sql_error(s, e, "read the hosts");
	while (!rc && (step = sqlite3_step(q)) == SQLITE_ROW) {
		struct state_row row = {0};

		rc = read_row(q, &row) ? fn(ctx, &row, e)
				       : err_set(e, EINVAL, "%s: a host's row is malformed: the file was changed by "
						 "another program", path);
	}
	if (!rc && step != SQLITE_DONE)
		rc = sql_error(s, e, "read the hosts");
	(void)sqlite3_finalize(q); /* says again what step said */
	return rc;
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static int check_version(struct state *s, const char *path, struct err *e)
{
	sqlite3_stmt *q = NULL;
	int found = -1;

	if (sqlite3_prepare_v2(s->db, "PRAGMA user_version", -1, &q, NULL) == SQLITE_OK &&
	    sqlite3_step(q) == SQLITE_ROW)
		found = sqlite3_column_int(q, 0);
	(void)sqlite3_finalize(q);
	if (found < 0)
		return sql_error(s, e, "read the version of the state");
	if (found == 1)
		return run(s, from_version_1, "add what version 2 keeps", e);
	if (found != 0 && found != VERSION)
		return err_set(e, EINVAL, "%s is of version %d, wanted %d", path, found, VERSION);
	return found ? 0 : run(s, "PRAGMA user_version = 2", "set the version", e);
}

static int prepare(struct state *s, const char *path, struct err *e)
{
	int rc;

	(void)sqlite3_busy_timeout(s->db, 2000); /* the one before us may still be closing */
	if ((rc = run(s, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL",
		      "open the file for us alone: is another verifier running?", e)) ||
	    (rc = run(s, "BEGIN EXCLUSIVE; COMMIT", "open the file for us alone: is another verifier running?", e)) ||
	    (rc = check_version(s, path, e)) || (rc = run(s, schema, "make the table", e)))
		return rc;
	if (sqlite3_prepare_v3(s->db, enrol_sql, -1, SQLITE_PREPARE_PERSISTENT, &s->enrol, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v3(s->db, judged_sql, -1, SQLITE_PREPARE_PERSISTENT, &s->judged, NULL) != SQLITE_OK)
		return sql_error(s, e, "prepare");
	return 0;
}

/* Make the file ours alone, mode 0600. Closed before SQLite opens it: closing any descriptor of a file drops its locks. */
static int make_file(const char *path, struct err *e)
{
	cleanup_fd int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	return fd < 0 ? err_errno(e, "cannot open %s", path) : 0;
}

int state_open(const char *path, state_fn fn, void *ctx, struct state **ret, struct err *e)
{
	struct state *s = calloc(1, sizeof(*s));
	int rc = s ? make_file(path, e) : err_set(e, ENOMEM, "no memory for the state");

	if (!rc && sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		rc = sql_error(s, e, "open the file");
	if (!rc)
		rc = prepare(s, path, e);
	if (!rc)
		rc = read_all(s, path, fn, ctx, e);
	if (rc) {
		state_close(s);
		return rc;
	}
	*ret = s;
	return 0;
}

void state_close(struct state *s)
{
	if (!s)
		return;
	(void)sqlite3_finalize(s->enrol); /* both accept NULL, and say again what step said */
	(void)sqlite3_finalize(s->judged);
	(void)sqlite3_close(s->db);
	free(s);
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static bool bind_blob(sqlite3_stmt *q, int i, const void *p, size_t n)
{
	return sqlite3_bind_blob(q, i, n ? p : "", (int)n, SQLITE_STATIC) == SQLITE_OK;
}

static bool bind_int(sqlite3_stmt *q, int i, int64_t v)
{
	return sqlite3_bind_int64(q, i, v) == SQLITE_OK;
}

static int execute(struct state *s, sqlite3_stmt *q, bool bound, const char *what, struct err *e)
{
	int rc = bound && sqlite3_step(q) == SQLITE_DONE ? 0 : sql_error(s, e, what);

	(void)sqlite3_reset(q); /* says again what step said */
	return rc;
}

static int begin(struct state *s, struct err *e)
{
	int rc = s->in_transaction ? 0 : run(s, "BEGIN", "begin", e);

	s->in_transaction = !rc;
	return rc;
}

int state_commit(struct state *s, struct err *e)
{
	struct err ignored = ERR_INIT;
	int rc;

	if (!s->in_transaction)
		return 0;
	s->in_transaction = false;
	rc = run(s, "COMMIT", "commit", e);
	if (rc && run(s, "ROLLBACK", "roll back", &ignored)) { /* the failed commit may have done it */
	}
	return rc;
}

int state_enrol(struct state *s, const struct enrolment *rec, struct err *e)
{
	sqlite3_stmt *q = s->enrol;
	int rc = state_commit(s, e), normal;

	if (!rc)
		rc = run(s, "PRAGMA synchronous = FULL", "sync", e);
	if (rc)
		return rc;
	rc = execute(s, q,
		     bind_blob(q, 1, rec->identity, sizeof(rec->identity)) && bind_int(q, 2, rec->ek) &&
			     bind_blob(q, 3, rec->ek_public, rec->ek_public_bytes) &&
			     bind_blob(q, 4, rec->ak_public, rec->ak_public_bytes) &&
			     bind_blob(q, 5, rec->certificate_id, rec->has_certificate_id ? HASH_SHA256_BYTES : 0),
		     "write an enrolment", e);
	normal = run(s, "PRAGMA synchronous = NORMAL", "sync", e);
	return rc ? rc : normal;
}

int state_judged(struct state *s, const struct state_row *row, struct err *e)
{
	sqlite3_stmt *q = s->judged;
	const struct judge_clock *c = &row->clock;
	int rc = begin(s, e);

	if (rc)
		return rc;
	return execute(s, q,
		       bind_blob(q, 1, row->enrolment.identity, HASH_SHA256_BYTES) && bind_int(q, 2, c->known) &&
			       bind_int(q, 3, c->reset_count) && bind_int(q, 4, c->restart_count) &&
			       bind_int(q, 5, (int64_t)c->clock_ms) && bind_int(q, 6, c->seen_ms) &&
			       bind_int(q, 7, row->verdict) && bind_int(q, 8, row->expires_s) &&
			       bind_blob(q, 9, row->ear.p, row->ear.n),
		       "write a verdict", e);
}
