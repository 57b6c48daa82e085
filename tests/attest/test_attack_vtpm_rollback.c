/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_attack_vtpm_rollback.c - pitfall "vTPM rolled back, reset, cleared"
 *
 * The real thing, with swtpm: its state folder is copied and brought back; it is cleared; its power is cut. And the rule
 * itself, by a table.
 */
#include "tests/attest/fleet_lab.h"

#include "attest/judge.h"

#include <sqlite3.h>

static int set_up(void **state)
{
	int rc = lab_set_up(1);

	(void)state;
	if (!rc && lab.there)
		lab_verifier_start(NULL);
	return rc;
}

static void copy(const char *from, const char *to)
{
	const char *const argv[] = {"cp", "-a", from, to, NULL};

	lab_run(argv);
}

static void boot_again(struct lab_host *h)
{
	lab_power_on(h);
	lab_boot(h);
}

/*
 * libtpms 0.9 writes the clock to NV when it passes a multiple of 4096 ms, but to the state file only with the next
 * command that commits; a power cut in between loses it, and then its clock calls itself safe too early. The rule is
 * right to refuse that (THREATS.md); here the write is made to last, as a TPM does it.
 */
static void commit_nv(struct lab_host *h)
{
	/* TPM2_DictionaryAttackLockReset by lockout authorization (empty) */
	static const uint8_t reset[] = {0x80, 0x02, 0, 0, 0, 27, 0, 0, 0x01, 0x39, 0x40, 0, 0, 0x0a, 0,
					0,    0,    9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0};

	attest_agent_close(&h->agent);
	assert_int_equal(lab_command(h, reset, sizeof(reset)), 0);
}

static void an_orderly_reboot_and_a_power_cut_are_no_failure(void **state)
{
	struct lab_host *h = &lab.host[0];

	(void)state;
	lab_need();
	lab_channel(h);
	lab_accepted(h);
	lab_power_off(h);
	boot_again(h);
	lab_accepted(h);
	commit_nv(h);
	lab_power_cut(h); /* safe = 0, one reset more */
	boot_again(h);
	lab_accepted(h);
}

static void a_snapshot_that_is_brought_back_is_noticed(void **state)
{
	struct lab_host *h = &lab.host[0];
	char snapshot[128];

	(void)state;
	lab_need();
	(void)snprintf(snapshot, sizeof(snapshot), "%s/snapshot", lab.dir);
	lab_power_off(h);
	copy(h->dir, snapshot);
	boot_again(h);
	lab_accepted(h);
	lab_power_off(h);
	boot_again(h); /* the twin: one more boot without the trick */
	lab_accepted(h);
	lab_power_off(h);
	const char *const rm[] = {"rm", "-rf", h->dir, NULL};

	lab_run(rm);
	copy(snapshot, h->dir);
	boot_again(h);
	lab_refused(h, "it was rolled back or cleared");
	lab_refused(h, "it was rolled back or cleared"); /* and asking again does not help */
}

/* Verifiers that were killed in between must remember, too. */
static void the_verifiers_own_restart_does_not_forget_the_clock(void **state)
{
	struct lab_host *h = &lab.host[0];

	(void)state;
	lab_need();
	(void)lab_verifier_stop(SIGKILL);
	lab_verifier_start(NULL);
	lab_channel(h);
	lab_refused(h, "it was rolled back or cleared");
}

/* TPM2_Clear by lockout authorization (empty): the clock and both counters begin anew. */
static void a_tpm_that_was_cleared_is_noticed(void **state)
{
	static const uint8_t clear[] = {0x80, 0x02, 0, 0, 0, 27, 0, 0, 0x01, 0x26, 0x40, 0, 0, 0x0a, 0,
					0,    0,    9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0};
	struct lab_host *h = &lab.host[0];

	(void)state;
	lab_need();
	/* a verifier that has never seen this TPM's later days */
	(void)lab_verifier_stop(SIGTERM);
	(void)unlink(lab_path("state.db"));
	(void)unlink(lab_path("state.db-wal"));
	lab_verifier_start(NULL);
	lab_channel(h);
	lab_accepted(h);
	lab_accepted(h);
	attest_agent_close(&h->agent);
	assert_int_equal(lab_command(h, clear, sizeof(clear)), 0);
	lab_refused(h, "it was rolled back or cleared");
}

/* What docs/formats/verifier.md tells the operator who cleared a TPM on purpose. */
static void an_operator_can_let_a_cleared_tpm_begin_anew(void **state)
{
	struct lab_host *h = &lab.host[0];
	sqlite3 *db = NULL;

	(void)state;
	lab_need();
	assert_int_equal(lab_verifier_stop(SIGTERM), 0);
	lab_verifier_start(NULL);
	lab_channel(h);
	lab_refused(h, "it was rolled back or cleared"); /* a restart does not do it */
	assert_int_equal(lab_verifier_stop(SIGTERM), 0);
	assert_int_equal(sqlite3_open(lab_path("state.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE host SET known = 0", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_changes(db), 1);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	lab_verifier_start(NULL);
	lab_channel(h);
	lab_accepted(h);
}

static void the_rule_case_by_case(void **state)
{
	static const struct {
		const char *name;
		uint32_t reset[2], restart[2];
		uint64_t clock[2];
		bool safe, ok;
	} cases[] = {
		{"time passes", {5, 5}, {1, 1}, {1000, 2000}, true, true},
		{"the same moment: an answer that was lost", {5, 5}, {1, 1}, {1000, 1000}, true, true},
		{"one millisecond back", {5, 5}, {1, 1}, {1000, 999}, true, false},
		{"one millisecond back, not safe, no reset", {5, 5}, {1, 1}, {1000, 999}, false, false},
		{"a restart", {5, 5}, {1, 2}, {1000, 1001}, true, true},
		{"a restart that takes time back", {5, 5}, {1, 2}, {1000, 999}, true, false},
		{"restarts run back", {5, 5}, {2, 1}, {1000, 2000}, true, false},
		{"a reset sets restarts to zero", {5, 6}, {2, 0}, {1000, 2000}, true, true},
		{"resets run back", {5, 4}, {2, 9}, {1000, 2000}, true, false},
		{"a power loss", {5, 6}, {0, 0}, {5000000, 5000000 - (1 << 22)}, false, true},
		{"more than a power loss takes", {5, 6}, {0, 0}, {5000000, 4999999 - (1 << 22)}, false, false},
		{"two power losses", {5, 7}, {0, 0}, {9000000, 9000000 - (2 << 22)}, false, true},
		{"a power loss that claims to be safe", {5, 6}, {0, 0}, {5000000, 4999999}, true, false},
		{"resets run over four thousand million back", {0xffffffff, 0}, {0, 0}, {5, 6}, true, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		static struct appraisal a;
		const struct judge_clock last = {true, cases[i].reset[0], cases[i].restart[0], cases[i].clock[0], 0};
		const struct quote now = {.reset_count = cases[i].reset[1],
					  .restart_count = cases[i].restart[1],
					  .clock_ms = cases[i].clock[1],
					  .safe = cases[i].safe};

		a.reasons.n = 0;
		if (judge_clock_step(&last, &now, 0, &a) != cases[i].ok || (a.reasons.n == 0) != cases[i].ok)
			fail_msg("%s: %s", cases[i].name, cases[i].ok ? "refused" : "accepted");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_orderly_reboot_and_a_power_cut_are_no_failure),
		cmocka_unit_test(a_snapshot_that_is_brought_back_is_noticed),
		cmocka_unit_test(the_verifiers_own_restart_does_not_forget_the_clock),
		cmocka_unit_test(a_tpm_that_was_cleared_is_noticed),
		cmocka_unit_test(an_operator_can_let_a_cleared_tpm_begin_anew),
		cmocka_unit_test(the_rule_case_by_case),
	};

	return cmocka_run_group_tests_name("attest/attack: vTPM rolled back", tests, set_up, lab_tear_down);
}
