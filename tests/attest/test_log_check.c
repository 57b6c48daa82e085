/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_log_check.c - `log --pcrs`: a log that tells a false story is found out, beside the same log untouched
 *
 * The log is OVMF's (tests/data/predict, seen with swtpm), taken apart, changed and put together again. Where the change
 * touches digests the PCR values are those of the changed log: only the structural rules can speak then. The logs of real
 * machines of the shared folder, with their PCRs, are the sound twins; without it that test says SKIP.
 */
#include "tests/attest/world.h"

#include "attest/log_check.h"
#include "common/file.h"

#include <dirent.h>
#include <stdlib.h>

enum { MAX_EVENTS = 128 };

struct one {
	uint32_t pcr, type;
	uint8_t digest[32];
	struct bytes data;
};

static struct buf file;
static struct one v[MAX_EVENTS];
static size_t n;
static struct event_log log_; /* large */
static struct log_check check;
static struct pcr_values values;

static void take_apart(void)
{
	struct err e = ERR_INIT;
	struct tcg_event ev;
	struct tcg_log log;

	buf_free(&file);
	assert_ok(file_read("tests/data/predict/ovmf-2025.02-disk.eventlog", 1 << 20, &file, &e), &e);
	assert_ok(tcg_log_open(file.data, file.len, &log, &e), &e);
	for (n = 0; tcg_log_next(&log, &ev, &e) == 1;) {
		if (!ev.index)
			continue;
		assert_true(n < MAX_EVENTS - 2);
		v[n] = (struct one){.pcr = ev.pcr, .type = ev.type, .data = ev.data};
		memcpy(v[n++].digest, ev.digest[0], 32);
	}
	assert_true(n > 30);
}

static void put_together(struct buf *b)
{
	static const uint16_t algs[] = {0x000b}, sizes[] = {32};

	w_spec_id(b, algs, sizes, 1);
	for (size_t i = 0; i < n; i++)
		w_agile_event(b, v[i].pcr, v[i].type, v[i].digest, v[i].data.p, v[i].data.n);
}

/* PCR values as the TPM holds them after what @v says. */
static void set_values(void)
{
	uint8_t pcr[24][32] = {{0}};

	values.n = 0;
	for (size_t i = 0; i < n; i++)
		if (v[i].type != TCG_EV_NO_ACTION)
			w_extend(pcr[v[i].pcr], v[i].digest);
	for (uint32_t i = 0; i < 16; i++) {
		values.v[values.n] = (struct pcr_value){.alg = HASH_SHA256, .pcr = i};
		memcpy(values.v[values.n++].digest, pcr[i], 32);
	}
}

static void judge(void)
{
	cleanup_buf struct buf b = BUF_INIT;
	struct event_log_event ev;
	struct err e = ERR_INIT;

	put_together(&b);
	memset(&check, 0, sizeof(check));
	assert_ok(event_log_open((struct bytes){b.data, b.len}, &log_, &e), &e);
	while (event_log_next(&log_, &ev, &e) == 1)
		log_check_event(&check, &log_, &ev);
	log_check_end(&check, &log_);
	log_check_pcrs(&check, &log_, &values, HASH_NONE);
	event_log_close(&log_);
}

static size_t find(uint32_t pcr, uint32_t type)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].pcr == pcr && v[i].type == type)
			return i;
	fail_msg("no event of type 0x%x in PCR %u", (unsigned)type, (unsigned)pcr);
	return 0;
}

static void drop(size_t at)
{
	memmove(&v[at], &v[at + 1], (n - at - 1) * sizeof(v[0]));
	n--;
}

static void insert(size_t at, struct one what)
{
	memmove(&v[at + 1], &v[at], (n - at) * sizeof(v[0]));
	v[at] = what;
	n++;
}

static void set_data(struct one *ev, const void *data, size_t len)
{
	ev->data = (struct bytes){data, len};
	w_sha256(data, len, ev->digest);
}

/* --- what the log says otherwise than what happened: the values are those of the untouched log --- */

static void event_dropped(void)
{
	drop(find(4, TCG_EV_EFI_BOOT_SERVICES_APPLICATION));
}

static void event_invented(void)
{
	insert(n, v[find(4, TCG_EV_EFI_BOOT_SERVICES_APPLICATION)]);
}

static void hidden_as_no_action(void)
{
	struct one *ev = &v[find(4, TCG_EV_EFI_BOOT_SERVICES_APPLICATION)];

	ev->type = TCG_EV_NO_ACTION;
	memset(ev->digest, 0, 32);
}

static void no_action_with_digest(void)
{
	struct one look = v[find(4, TCG_EV_EFI_BOOT_SERVICES_APPLICATION)];

	look.type = TCG_EV_NO_ACTION;
	insert(n, look);
}

static void locality_spoofed(void)
{
	static const char data[17] = "StartupLocality\0\3";
	struct one ev = {.pcr = 0, .type = TCG_EV_NO_ACTION, .data = {(const uint8_t *)data, 17}};

	insert(0, ev);
}

static void separator_retyped(void)
{
	v[find(4, SEPARATOR)].type = TCG_EV_ACTION;
}

static void separator_data(void)
{
	v[find(4, SEPARATOR)].data.n = 3;
}

static void action_retyped(void)
{
	v[find(4, ACTION)].type = TCG_EV_IPL;
}

static void variable_retyped(void)
{
	v[find(7, TCG_EV_EFI_VARIABLE_DRIVER_CONFIG)].type = TCG_EV_IPL;
}

static void secure_boot_data_edited(void)
{
	static uint8_t on[64];
	struct one *ev = &v[find(7, TCG_EV_EFI_VARIABLE_DRIVER_CONFIG)];

	memcpy(on, ev->data.p, ev->data.n);
	on[ev->data.n - 1] ^= 1;
	ev->data.p = on;
}

static void action_text_edited(void)
{
	v[find(5, ACTION)].data.n--;
}

static void authority_edited(void)
{
	static uint8_t other[4096];
	struct one *ev = &v[find(7, TCG_EV_EFI_VARIABLE_AUTHORITY)];

	memcpy(other, ev->data.p, ev->data.n);
	other[ev->data.n - 1] ^= 1;
	ev->data.p = other;
}

/* --- what happened, and must not have: the values are those of the changed log --- */

static void separator_missing(void)
{
	drop(find(2, SEPARATOR));
	set_values();
}

static void separator_twice(void)
{
	insert(find(4, TCG_EV_EFI_BOOT_SERVICES_APPLICATION), v[find(4, SEPARATOR)]);
	set_values();
}

static void separator_error(void)
{
	set_data(&v[find(0, SEPARATOR)], "\xff\xff\xff\xff", 4);
	set_values();
}

static void separator_one(void)
{
	set_data(&v[find(3, SEPARATOR)], "\1\0\0\0", 4);
	set_values();
}

/* The firmware's error under another type, beside the separator that is wanted. */
static void error_retyped(const char *data)
{
	struct one ev = v[find(4, SEPARATOR)];

	ev.type = TCG_EV_ACTION;
	set_data(&ev, data, 4);
	insert(find(4, TCG_EV_EFI_BOOT_SERVICES_APPLICATION), ev);
	set_values();
}

static void separator_error_retyped(void)
{
	error_retyped("\xff\xff\xff\xff");
}

static void separator_one_retyped(void)
{
	error_retyped("\1\0\0\0");
}

static void typed_as_separator(void)
{
	v[find(4, TCG_EV_EFI_BOOT_SERVICES_APPLICATION)].type = SEPARATOR;
	set_values();
}

static void appended(void)
{
	insert(n, v[find(4, TCG_EV_EFI_BOOT_SERVICES_APPLICATION)]);
	set_values();
}

static void appended_to_pcr_7(void)
{
	insert(n, v[find(7, TCG_EV_EFI_VARIABLE_AUTHORITY)]);
	set_values();
}

static void pcr_without_events(void)
{
	for (size_t i = n; i-- > 0;)
		if (v[i].pcr == 6)
			drop(i);
	set_values();
}

/* --- what the TPM says --- */

static void unlogged_pcr(void)
{
	values.v[14].digest[0] = 1;
}

static void no_value_of_the_bank(void)
{
	values.n = 0;
}

static void value_differs(void)
{
	values.v[7].digest[31] ^= 1;
}

static void bank_not_logged(void)
{
	values.v[0].alg = HASH_SHA384;
}

static const struct {
	const char *pitfall, *name;
	void (*change)(void);
	const char *part;
} cases[] = {
	{"replay", "an event that the log drops", event_dropped, "sha256:4: is "},
	{"replay", "an event that the log invents", event_invented, "sha256:4: is "},
	{"no action", "a measurement hidden as EV_NO_ACTION", hidden_as_no_action, "sha256:4: is "},
	{"no action", "EV_NO_ACTION with a good digest", no_action_with_digest, "EV_NO_ACTION with a digest"},
	{"locality", "a spoofed StartupLocality", locality_spoofed, "sha256:0: is "},
	{"type and data", "a retyped separator", separator_retyped, "has the digest of a separator and the type EV_ACTION"},
	{"type and data", "a separator with other data", separator_data, "a separator that is not 00000000"},
	{"type and data", "a retyped action", action_retyped, "has the digest of the action \"Calling"},
	{"type and data", "a retyped variable", variable_retyped, "is a variable by data and digest and has the type EV_IPL"},
	{"type and data", "Secure Boot told otherwise", secure_boot_data_edited, "as it is for EV_EFI_VARIABLE_DRIVER_CONFIG"},
	{"type and data", "an action told otherwise", action_text_edited, "as it is for EV_EFI_ACTION"},
	{"type and data", "an authority told otherwise", authority_edited, "as it is for EV_EFI_VARIABLE_AUTHORITY"},
	{"separators", "one is missing", separator_missing, "PCR 2: has 0 separators"},
	{"separators", "one is doubled", separator_twice, "PCR 4: has 2 separators"},
	{"separators", "one reports an error", separator_error, "PCR 0: a separator that is not 00000000"},
	{"separators", "one is 00000001", separator_one, "PCR 3: a separator that is not 00000000"},
	{"separators", "an error told as an action", separator_error_retyped, "has the digest of a separator and the type"},
	{"separators", "a 00000001 told as an action", separator_one_retyped, "has the digest of a separator and the type"},
	{"separators", "another event is typed as one", typed_as_separator, "PCR 4: a separator that is not 00000000"},
	{"appended events", "an application after ExitBootServices", appended, "PCR 4: EV_EFI_BOOT_SERVICES_APPLICATION was appended"},
	{"appended events", "an authority after ExitBootServices", appended_to_pcr_7, "PCR 7: EV_EFI_VARIABLE_AUTHORITY was appended"},
	{"PCR without events", "a firmware PCR at reset", pcr_without_events, "sha256:6: the log has no event of it"},
	{"PCR without events", "an extended PCR that the log does not name", unlogged_pcr, "sha256:14: is 01"},
	{"replay", "another value", value_differs, "sha256:7: is "},
	{"PCR without events", "no value to compare with", no_value_of_the_bank, "no value of bank"},
	{"CVE-2021-42299", "a bank that the log lacks", bank_not_logged, "sha384:0: the log has no such bank"},
};

static void each_false_story_is_found_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool said = false;

		take_apart();
		set_values();
		judge();
		assert_int_equal(check.bad.n, 0); /* the sound twin */
		cases[i].change();
		judge();
		for (size_t j = 0; j < check.bad.n; j++)
			said = said || strstr(check.bad.line[j], cases[i].part);
		print_message("  %s: %s\n", cases[i].pitfall, cases[i].name);
		if (!said) {
			for (size_t j = 0; j < check.bad.n; j++)
				print_message("    %s\n", check.bad.line[j]);
			fail_msg("nothing says \"%s\"", cases[i].part);
		}
	}
	buf_free(&file);
}

/* --- real machines --- */

static void load_values(json_object *pcrs)
{
	values.n = 0;
	json_object_object_foreach (pcrs, name, bank) {
		json_object_object_foreach (bank, number, hex) {
			struct pcr_value *p = &values.v[values.n++];

			*p = (struct pcr_value){.alg = hash_by_name(name), .pcr = (uint32_t)atoi(number)};
			assert_true(hex_decode(json_object_get_string(hex), p->digest, hash_bytes(p->alg)));
		}
	}
}

static size_t judge_file(const char *dir, const char *name)
{
	cleanup_buf struct buf b = BUF_INIT, text = BUF_INIT;
	cleanup_json json_object *o = NULL;
	json_object *pcrs = NULL;
	struct event_log_event ev;
	struct err e = ERR_INIT;
	char path[1024];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_ok(file_read(path, 1 << 20, &b, &e), &e);
	(void)snprintf(path, sizeof(path), "%s/%s.expected.json", dir, name);
	assert_ok(file_read(path, 1 << 20, &text, &e), &e);
	o = json_tokener_parse((const char *)text.data);
	assert_true(json_object_object_get_ex(o, "pcrs", &pcrs));
	load_values(pcrs);
	memset(&check, 0, sizeof(check));
	assert_ok(event_log_open((struct bytes){b.data, b.len}, &log_, &e), &e);
	while (event_log_next(&log_, &ev, &e) == 1)
		log_check_event(&check, &log_, &ev);
	log_check_end(&check, &log_);
	log_check_pcrs(&check, &log_, &values, HASH_NONE);
	event_log_close(&log_);
	for (size_t i = 0; i < check.bad.n; i++)
		print_message("    %s\n", check.bad.line[i]);
	return check.bad.n;
}

static void real_machines_break_no_rule_and_an_altered_log_does(void **state)
{
	static const char *const sound[] = {"go-attestation__ebs_event_missing_eventlog", "go-attestation__option_rom_eventlog",
					    "go-tpm-tools__arch-linux-workstation.bin", "go-tpm-tools__cos-101-amd-sev.bin",
					    "go-tpm-tools__debian-10.bin", "go-tpm-tools__gdc-host.bin",
					    "go-tpm-tools__glinux-alex.bin", "go-tpm-tools__rhel8-uefi.bin",
					    "go-tpm-tools__ubuntu-2104-no-secure-boot.bin", "hirs__TpmLog.bin",
					    "keylime__binary_bios_measurements"};
	const char *shared = getenv("HOLDFAST_SHARED");
	char dir[512];
	DIR *d;

	(void)state;
	(void)snprintf(dir, sizeof(dir), "%s/data/eventlogs", shared ? shared : "../shared");
	d = opendir(dir);
	if (!d) {
		print_message("SKIP SKIP SKIP: no folder %s: the logs of real machines were NOT checked\n", dir);
		skip();
	}
	closedir(d);
	for (size_t i = 0; i < ARRAY_SIZE(sound); i++) {
		print_message("  %s\n", sound[i]);
		assert_int_equal(judge_file(dir, sound[i]), 0);
	}
	assert_true(judge_file(dir, "hirs__TPMLog_Altered.bin") > 0); /* replays to its own PCRs; its data betrays it */
	assert_true(judge_file(dir, "go-attestation__sb_cert_eventlog") > 0); /* an excerpt without separators */
}

/* systemd's words for people are those that were measured, or the log tells a false story. */
static void words_of_systemd_that_were_not_measured_are_found_out(void **state)
{
	static const struct {
		const char *from, *to, *reason;
	} edits[] = {
		{"enter-initrd", "enter-initrd", NULL},
		{"leave-initrd", "enter-initrd", "is not that of the phase"},
		{"machine-id:3d", "machine-id:4d", "is not that of the machine-id"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(edits); i++) {
		cleanup_buf struct buf b = BUF_INIT;
		struct event_log_event ev;
		struct err e = ERR_INIT;
		char *at;

		assert_ok(file_read("tests/data/cel-json/good-systemd-257.json", 1 << 20, &b, &e), &e);
		at = strstr((char *)b.data, edits[i].from);
		assert_non_null(at);
		memcpy(at, edits[i].to, strlen(edits[i].to));
		memset(&check, 0, sizeof(check));
		assert_ok(event_log_open((struct bytes){b.data, b.len}, &log_, &e), &e);
		while (event_log_next(&log_, &ev, &e) == 1)
			log_check_event(&check, &log_, &ev);
		log_check_end(&check, &log_);
		event_log_close(&log_);
		assert_int_equal(check.bad.n, edits[i].reason != NULL);
		assert_true(!edits[i].reason || strstr(check.bad.line[0], edits[i].reason));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_false_story_is_found_out),
		cmocka_unit_test(words_of_systemd_that_were_not_measured_are_found_out),
		cmocka_unit_test(real_machines_break_no_rule_and_an_altered_log_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
