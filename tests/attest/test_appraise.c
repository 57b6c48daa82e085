/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_appraise.c - each attack is refused, with its reason, beside the same host without it
 *
 * An attack acts at one of four places: on what is measured (before), on the log's events after the TPM has extended
 * them (lie), on the logs' bytes before they are quoted (edit), or on the sealed evidence under way (after). The host
 * itself controls the first three; the quote over the edited logs is a good one then.
 */
#include "tests/attest/world.h"

struct attack {
	const char *name;
	void (*before)(struct world *w);
	void (*lie)(struct world *w);
	void (*edit)(struct world *w);
	void (*after)(struct world *w);
	const char *reason;
};

static struct appraisal judged; /* large */

static void show(const struct appraisal *a)
{
	for (size_t i = 0; i < a->reasons.n; i++)
		print_message("  reason: %s\n", a->reasons.line[i]);
}

static bool has_line(const struct appraisal_lines *l, const char *part)
{
	for (size_t i = 0; i < l->n; i++)
		if (strstr(l->line[i], part))
			return true;
	return false;
}

static void attack_test(void **state)
{
	const struct attack *at = *state;
	struct world *w = world_sound();

	world_seal(w);
	if (world_judge(w, &judged) != APPRAISE_ACCEPT) {
		show(&judged);
		fail_msg("the sound twin is not accepted");
	}
	world_free(w);
	w = world_sound();
	if (at->before)
		at->before(w);
	world_seal_lying(w, at->lie, at->edit);
	if (at->after)
		at->after(w);
	assert_int_equal(world_judge(w, &judged), APPRAISE_REFUSE);
	assert_false(has_line(&judged.facts, "secure boot")); /* a refusal states nothing that was not proven */
	if (!has_line(&judged.reasons, at->reason)) {
		show(&judged);
		fail_msg("no reason says \"%s\"", at->reason);
	}
	world_free(w);
}

/* --- the quote --- */

static void magic(struct world *w)
{
	w->magic = 0x11223344;
}

static void type_certify(struct world *w)
{
	w->attest_type = 0x8017;
}

static void select_0_7(struct world *w)
{
	w->select[1] = 0;
}

static void select_0_23(struct world *w)
{
	w->select[2] = 0xff;
}

static void bank_sha1(struct world *w)
{
	w->bank = 4;
}

static void trailing(struct world *w)
{
	w->trailing = 1;
}

static void old_nonce(struct world *w)
{
	w->nonce[31] ^= 1;
}

static void other_key(struct world *w)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	w_sign(w, key);
	EVP_PKEY_free(key);
	w_encode(w);
}

static void pcr_digest_edited(struct world *w)
{
	w->attest.data[w->attest.len - 1] ^= 1;
	w_encode(w);
}

static void log_of_another_boot(struct world *w)
{
	w->os.n--;
	buf_free(&w->os_log);
	w_seal_os(w);
	w_encode(w);
}

static void ima_log_taken_away(struct world *w)
{
	buf_free(&w->ima_log);
	w_encode(w);
}

static void evidence_with_a_byte_behind(struct world *w)
{
	buf_u8(&w->evidence, 0);
}

/* --- the firmware log --- */

static void other_uki(struct world *w)
{
	w_sha256("evil", 4, w->firmware.v[w_find(&w->firmware, 4, "UKI")].digest);
}

static void application_after_boot(struct world *w)
{
	w_text(&w->firmware, 4, 0x80000003, "UKI");
}

static void application_missing(struct world *w)
{
	w_remove(&w->firmware, w_find(&w->firmware, 4, "UKI"));
}

static void variables_swapped(struct world *w)
{
	size_t a = w_find(&w->firmware, 7, "SecureBoot"), b = w_find(&w->firmware, 7, "db");
	struct event t = w->firmware.v[a];

	w->firmware.v[a] = w->firmware.v[b];
	w->firmware.v[b] = t;
}

static void secure_boot_off(struct world *w)
{
	struct event *ev = &w->firmware.v[w_find(&w->firmware, 7, "SecureBoot")];

	ev->data[ev->n - 1] = 0;
	w_sha256(ev->data, ev->n, ev->digest);
}

static void secure_boot_off_but_the_log_says_on(struct world *w)
{
	struct event *ev = &w->firmware.v[w_find(&w->firmware, 7, "SecureBoot")];

	ev->data[ev->n - 1] = 1; /* data only: the digest is what was extended */
}

static void command_line_with_init(struct world *w)
{
	w_sha256("init=/bin/sh", 12, w->firmware.v[w_find(&w->firmware, 9, "command line")].digest);
}

static void separator_twice(struct world *w)
{
	w_insert(&w->firmware, w_find(&w->firmware, 1, "separator"),
		 &w->firmware.v[w_find(&w->firmware, 1, "separator")]);
}

static void separator_missing(struct world *w)
{
	w_remove(&w->firmware, w_find(&w->firmware, 0, "separator"));
}

static void separator_error(struct world *w)
{
	struct event *ev = &w->firmware.v[w_find(&w->firmware, 5, "separator")];

	memset(ev->data, 0xff, 4);
	w_sha256(ev->data, 4, ev->digest);
}

static void separator_retyped(struct world *w)
{
	w->firmware.v[w_find(&w->firmware, 1, "separator")].type = ACTION;
}

static void separator_of_one(struct world *w)
{
	struct event *ev = &w->firmware.v[w_find(&w->firmware, 1, "separator")];

	ev->data[0] = 1;
	w_sha256(ev->data, 4, ev->digest);
}

static void separator_of_one_told_as_boot_order(struct world *w)
{
	separator_of_one(w);
	w->firmware.v[w_find(&w->firmware, 1, "separator")].type = 0x80000002;
}

static void event_typed_as_separator(struct world *w)
{
	w->firmware.v[w_find(&w->firmware, 1, "boot order")].type = SEPARATOR;
}

static void measurement_hidden_as_no_action(struct world *w)
{
	w->firmware.v[w_find(&w->firmware, 1, "boot order")].type = 3;
}

static void no_action_with_a_digest(struct world *w)
{
	w_add(&w->firmware, 4, 3, "UKI", 3, "UKI");
}

static void event_dropped(struct world *w)
{
	w_remove(&w->firmware, w_find(&w->firmware, 1, "boot order"));
}

static void event_invented(struct world *w)
{
	w_text(&w->firmware, 1, ACTION, "invented");
}

static void firmware_log_empty(struct world *w)
{
	w->firmware_log.len = 0;
}

static void firmware_log_all_gone(struct world *w)
{
	w->firmware.n = 0;
}

/* The whole log in SHA-1 format: a bank that the firmware would not cap. */
static void firmware_log_sha1(struct world *w)
{
	static const uint8_t sha1[20] = {1};

	buf_free(&w->firmware_log);
	for (size_t i = 0; i < w->firmware.n; i++) {
		buf_u32le(&w->firmware_log, w->firmware.v[i].pcr);
		buf_u32le(&w->firmware_log, w->firmware.v[i].type);
		buf_put(&w->firmware_log, sha1, 20);
		w_field(&w->firmware_log, w->firmware.v[i].data, w->firmware.v[i].n);
	}
}

static void locality_3_not_stated(struct world *w)
{
	w->locality = 3;
}

static void locality_unstated(struct world *w)
{
	w->locality = -1;
}

static void locality_spoofed(struct world *w)
{
	w->locality = 3;
}

static void locality_of_software(struct world *w)
{
	w->locality = 1;
}

static void firmware_measures_pcr_10(struct world *w)
{
	w_text(&w->firmware, 10, ACTION, "early");
}

/* --- the OS log --- */

static void policy_older(struct world *w)
{
	uint8_t d[32] = {7};
	struct measure_event m = measure_layer_policy(d, 2);
	struct event *ev = &w->os.v[w_find(&w->os, 13, "layer-policy")];

	memcpy(ev->data, m.data, m.data_bytes);
	ev->n = m.data_bytes;
	w_sha256(ev->data, ev->n, ev->digest);
}

static void shut_down(struct world *w)
{
	w_measure(&w->os, measure_phase(MEASURE_SHUTDOWN));
}

static void violation(struct world *w)
{
	w_measure(&w->os, measure_violation(61));
}

static void other_container(struct world *w)
{
	uint8_t d[32] = {7};

	w_measure(&w->os, measure_container("other", d));
}

static void addon_in_pcr_12(struct world *w)
{
	w_text(&w->os, 12, 0, "addon");
}

static void os_extends_pcr_4(struct world *w)
{
	w_text(&w->os, 4, 0, "UKI");
}

static void os_extends_pcr_23(struct world *w)
{
	w_text(&w->os, 23, 0, "x");
}

static void os_log_empty(struct world *w)
{
	w->os.n = 0;
}

static void os_log_short(struct world *w)
{
	w->os.n = 4; /* enter-initrd, root hash, signer, leave-initrd */
}

static void container_before_separator(struct world *w)
{
	struct event c = w->os.v[w_find(&w->os, 13, "container")];

	w_insert(&w->os, w_find(&w->os, 13, "separator"), &c);
}

static void last_record_hidden(struct world *w)
{
	w->os.n--;
}

static void record_digest_not_of_data(struct world *w)
{
	w->os.v[w_find(&w->os, 13, "layer-policy")].data[30] ^= 1;
}

static void other_root(struct world *w)
{
	uint8_t root[32] = {1};
	struct measure_event m = measure_root_hash(root);
	struct event *ev = &w->os.v[w_find(&w->os, 15, "root-hash")];

	memcpy(ev->data, m.data, m.data_bytes);
	w_sha256(ev->data, ev->n, ev->digest);
}

/* --- the IMA log --- */

static void ima_other_file(struct world *w)
{
	uint8_t h[32];

	w_sha256("evil.ko", 7, h);
	w_ima(&w->ima, h, "/usr/lib/modules/dm-verity.ko", NULL);
}

static void ima_other_root(struct world *w)
{
	uint8_t root[32] = {9};

	w_ima_table(&w->ima, root, NULL);
}

static void ima_violation(struct world *w)
{
	w->ima.v[1].type = 1;
}

static void ima_empty(struct world *w)
{
	w->ima.n = 0;
}

static void ima_other_aggregate(struct world *w)
{
	w->keep_aggregate = true;
	w_text(&w->firmware, 1, ACTION, "one more");
}

static void ima_aggregate_missing(struct world *w)
{
	w->keep_aggregate = true;
	w_remove(&w->ima, 0);
}

static void ima_table(struct world *w, const char *format)
{
	uint8_t root[32];

	w_root_hash(root);
	w_ima_table(&w->ima, root, format);
}

#define REPLACED_TARGET(root, options)                                                                                 \
	"target_index=0,target_begin=0,target_len=2048,target_name=verity,target_version=1.10.0,hash_failed=V,verity_" \
	"version=1,"                                                                                                   \
	"data_device_name=253:2,hash_device_name=253:3,verity_algorithm=sha256,root_digest=" root ",salt=-," options   \
	";"

static void ima_ignore_corruption(struct world *w)
{
	ima_table(w, W_DEVICE REPLACED_TARGET(
			     "%s", "ignore_zero_blocks=n,check_at_most_once=n,verity_mode=ignore_corruption"));
}

static void ima_check_once(struct world *w)
{
	ima_table(w, W_DEVICE REPLACED_TARGET("%s", "ignore_zero_blocks=n,check_at_most_once=y"));
}

static void ima_zero_blocks(struct world *w)
{
	ima_table(w, W_DEVICE REPLACED_TARGET("%s", "ignore_zero_blocks=y,check_at_most_once=n"));
}

/* The key's name is not escaped by the kernel: options in it must not be read as the kernel's. */
static void ima_good_digest_in_the_key_name(struct world *w)
{
	ima_table(w, W_DEVICE REPLACED_TARGET(
			     "0000000000000000000000000000000000000000000000000000000000000000",
			     "ignore_zero_blocks=n,check_at_most_once=n,root_hash_sig_key_desc=x,root_digest=%s"));
}

static void ima_mode_cut_off_by_a_long_key_name(struct world *w)
{
	ima_table(
		w, W_DEVICE
		"target_index=0,target_begin=0,target_len=2048,target_name=verity,target_version=1.10.0,hash_failed=V,"
		"verity_version=1,data_device_name=253:2,hash_device_name=253:3,verity_algorithm=sha256,root_digest=%s,"
		"salt=-,"
		"ignore_zero_blocks=n,check_at_most_once=n,root_hash_sig_key_desc="
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
}

static void ima_linear(struct world *w)
{
	ima_table(w, W_DEVICE "target_index=0,target_begin=0,target_len=2,target_name=linear,target_version=1.4.0,"
			      "device_name=7:0,start=%.1s;");
}

static void ima_two_targets(struct world *w)
{
	ima_table(w, "dm_version=4.48.0;name=root,uuid=,major=254,minor=0,minor_count=1,num_targets=2;" W_TARGET);
}

static void ima_second_target_unannounced(struct world *w)
{
	ima_table(w, W_DEVICE W_TARGET
		  "target_index=1,target_begin=2048,target_len=2,target_name=linear,target_version=1.4.0;");
}

static void ima_resume_of_an_unmeasured_table(struct world *w)
{
	uint8_t h[32] = {0};

	w_ima(&w->ima, h, "dm_device_resume",
	      "dm_version=4.48.0;name=x,uuid=;device_resume=no_data;current_device_capacity=0;");
}

static void ima_resume_of_another_table(struct world *w)
{
	uint8_t h[32] = {0};

	w_ima(&w->ima, h, "dm_device_resume",
	      W_DEVICE
	      "active_table_hash=sha256:"
	      "1111111111111111111111111111111111111111111111111111111111111111;current_device_capacity=2048;");
}

static void ima_rename(struct world *w)
{
	uint8_t h[32] = {0};

	w_ima(&w->ima, h, "dm_device_rename", W_DEVICE "new_name=y,new_uuid=;current_device_capacity=1;");
}

static void ima_unknown_buffer(struct world *w)
{
	uint8_t h[32];

	w_sha256("dm-verity.ko", 12, h); /* a listed file's digest, as a buffer */
	w_ima(&w->ima, h, "kexec-cmdline", "dm-verity.ko");
}

static void ima_into_pcr_11(struct world *w)
{
	w->ima.v[2].pcr = 11;
}

static void ima_sha1_edited(struct world *w)
{
	w->ima_log.data[4] ^= 1;
}

static void ima_entry_hidden(struct world *w)
{
	w->ima.n--;
}

static void refvalues_without_root_hash(struct world *w)
{
	char *p = strstr(w->refvalues, "\"root_hash\":\"");

	assert_non_null(p);
	p[13] = p[13] == '0' ? '1' : '0';
}

/* clang-format off */
static const struct attack attacks[] = {
	{ "CVE-2024-29038: an attestation without the TPM's magic refuses", .before = magic, .reason = "magic is 0x11223344" },
	{ "an attestation of another type refuses", .before = type_certify, .reason = "type is 0x8017" },
	{ "CVE-2022-0317: a quote of PCR 0-7 only refuses", .before = select_0_7, .reason = "mask ff0000" },
	{ "CVE-2024-29039: a quote of more PCRs refuses", .before = select_0_23, .reason = "mask ffffff" },
	{ "a quote of bank sha1 refuses", .before = bank_sha1, .reason = "0x4, mask" },
	{ "bytes behind the quote refuse", .before = trailing, .reason = "PCR digest of 32 bytes, 1 bytes behind it" },
	{ "a replayed quote (another nonce) refuses", .after = old_nonce, .reason = "not the binding of our nonce" },
	{ "CVE-2021-3406: a quote by another key refuses", .after = other_key, .reason = "not that of the enrolled AK" },
	{ "an edited quote refuses", .after = pcr_digest_edited, .reason = "not that of the enrolled AK" },
	{ "a log of another boot under a good quote refuses", .after = log_of_another_boot, .reason = "not the binding of our nonce" },
	{ "an IMA log that was taken away refuses", .after = ima_log_taken_away, .reason = "not the binding of our nonce" },
	{ "a byte behind the evidence refuses", .after = evidence_with_a_byte_behind, .reason = "evidence" },
	{ "another boot application refuses and is named", .before = other_uki, .reason = "PCR 4: firmware log event 16: found" },
	{ "another boot application says what was expected", .before = other_uki, .reason = "(UKI)" },
	{ "a good event appended after boot refuses", .before = application_after_boot, .reason = "(EV_EFI_BOOT_SERVICES_APPLICATION), expected no event after its sequence" },
	{ "a missing event refuses", .before = application_missing, .reason = "PCR 4: ends after 2 events" },
	{ "events in another order refuse", .before = variables_swapped, .reason = "PCR 7: firmware log event 2" },
	{ "Secure Boot off refuses", .before = secure_boot_off, .reason = "PCR 7: firmware log event 2" },
	{ "Secure Boot off with data that says on refuses", .before = secure_boot_off, .lie = secure_boot_off_but_the_log_says_on, .reason = "PCR 7: firmware log event 2" },
	{ "another command line refuses", .before = command_line_with_init, .reason = "PCR 9: firmware log event" },
	{ "a duplicated separator refuses where nothing else is judged", .before = separator_twice, .reason = "PCR 1: has 2 separators" },
	{ "a missing separator refuses", .before = separator_missing, .reason = "PCR 0: has 0 separators" },
	{ "a separator of ffffffff refuses", .before = separator_error, .reason = "PCR 5: firmware log event 11 is a separator that is not" },
	{ "a separator of 00000001 refuses", .before = separator_of_one, .reason = "PCR 1: firmware log event 7 is a separator that is not" },
	{ "a separator of 00000001 told as a boot order refuses", .before = separator_of_one_told_as_boot_order, .reason = "PCR 1: has 0 separators" },
	{ "a retyped separator refuses", .before = separator_retyped, .reason = "PCR 1: firmware log event 7 is a separator that is not" },
	{ "another event typed as separator refuses", .before = event_typed_as_separator, .reason = "PCR 1: firmware log event 4 is a separator that is not" },
	{ "a measurement hidden as EV_NO_ACTION refuses", .lie = measurement_hidden_as_no_action, .reason = "a log lacks events or was edited" },
	{ "EV_NO_ACTION with a good digest is no measurement and refuses", .lie = no_action_with_a_digest, .reason = "1 EV_NO_ACTION events carry a digest" },
	{ "EV_NO_ACTION does not stand in for a missing event", .before = application_missing, .lie = no_action_with_a_digest, .reason = "PCR 4: ends after 2 events" },
	{ "a log that drops an event refuses and names the bank", .lie = event_dropped, .reason = "the logs replay, bank sha256" },
	{ "a log that invents an event refuses", .lie = event_invented, .reason = "the logs replay, bank sha256" },
	{ "an empty firmware log refuses", .edit = firmware_log_empty, .reason = "only reference values of the profile direct allow" },
	{ "a firmware log with nothing but its header refuses", .before = firmware_log_all_gone, .reason = "PCR 3: has 0 separators" },
	{ "CVE-2021-42299: a firmware log without bank sha256 refuses", .edit = firmware_log_sha1, .reason = "does not name bank sha256" },
	{ "a startup locality that the log conceals refuses", .before = locality_3_not_stated, .lie = locality_unstated, .reason = "the logs replay, bank sha256" },
	{ "a spoofed startup locality refuses", .lie = locality_spoofed, .reason = "the logs replay, bank sha256" },
	{ "a startup locality of software refuses", .before = locality_of_software, .reason = "startup locality is 1" },
	{ "firmware events in IMA's PCR refuse", .before = firmware_measures_pcr_10, .reason = "PCR 10: firmware log event 21: found" },
	{ "an older layer policy refuses", .before = policy_older, .reason = "PCR 13: OS event log event 5: found" },
	{ "a host that is shutting down refuses", .before = shut_down, .reason = "PCR 11: OS event log event 11: found" },
	{ "a measured violation refuses", .before = violation, .reason = "expected none but the listed events after its sequence" },
	{ "a container that is not listed refuses", .before = other_container, .reason = "PCR 13: OS event log event 11" },
	{ "an event in PCR 12 refuses", .before = addon_in_pcr_12, .reason = "PCR 12: OS event log event 11: found" },
	{ "a PCR that the log never extends must be at reset", .before = addon_in_pcr_12, .lie = last_record_hidden, .reason = "the logs replay, bank sha256" },
	{ "an OS record for the firmware's PCR 4 refuses", .before = os_extends_pcr_4, .reason = "names PCR 4, wanted 11 to 15" },
	{ "an OS record for the resettable PCR 23 refuses", .before = os_extends_pcr_23, .reason = "names PCR 23, wanted 11 to 15" },
	{ "an OS log that lacks its end refuses", .before = os_log_short, .reason = "PCR 11: ends after 3 events" },
	{ "an empty OS log refuses", .before = os_log_empty, .reason = "os-log at byte" },
	{ "a container admitted before the chain was closed refuses", .before = container_before_separator, .reason = "PCR 13: OS event log event 8: found" },
	{ "a record that is hidden refuses", .before = violation, .lie = last_record_hidden, .reason = "the logs replay, bank sha256" },
	{ "a record whose digest is not that of its data refuses", .lie = record_digest_not_of_data, .reason = "record 5: sha256 digest is not that of its data" },
	{ "another root refuses", .before = other_root, .reason = "PCR 15: OS event log event 1: found" },
	{ "a module that is not listed refuses", .before = ima_other_file, .reason = "PCR 10: IMA log entry 4: found sha256:" },
	{ "a dm-verity table that is not listed refuses", .before = ima_other_root, .reason = "PCR 10: IMA log entry 4: a dm-verity table with root digest 09" },
	{ "an IMA violation refuses", .before = ima_violation, .reason = "PCR 10: IMA log entry 1 is a violation" },
	{ "an empty IMA log refuses", .before = ima_empty, .reason = "PCR 10: the IMA log is empty" },
	{ "a boot aggregate of other PCRs refuses", .before = ima_other_aggregate, .reason = "expected boot_aggregate with sha256:" },
	{ "an IMA log without boot aggregate refuses", .before = ima_aggregate_missing, .reason = "IMA log entry 0: found" },
	{ "a dm-verity table that ignores corruption refuses", .before = ima_ignore_corruption, .reason = "options that weaken it" },
	{ "a dm-verity table that checks once refuses", .before = ima_check_once, .reason = "not strict dm-verity" },
	{ "a dm-verity table that skips zero blocks refuses", .before = ima_zero_blocks, .reason = "not strict dm-verity" },
	{ "a good root digest inside a key's name refuses", .before = ima_good_digest_in_the_key_name, .reason = "options that weaken it or are not known" },
	{ "a table text that was cut off refuses", .before = ima_mode_cut_off_by_a_long_key_name, .reason = "options that weaken it or are not known" },
	{ "a linear target refuses", .before = ima_linear, .reason = "not strict dm-verity" },
	{ "two targets in one table refuse", .before = ima_two_targets, .reason = "not one single target" },
	{ "a second target that was not announced refuses", .before = ima_second_target_unannounced, .reason = "options that weaken it or are not known" },
	{ "a device resumed without a measured table refuses", .before = ima_resume_of_an_unmeasured_table, .reason = "was resumed without a measured table" },
	{ "a device resumed with a table not seen refuses", .before = ima_resume_of_another_table, .reason = "was not seen being loaded" },
	{ "a renamed device refuses", .before = ima_rename, .reason = "was renamed" },
	{ "a buffer of an unknown kind refuses even with a listed digest", .before = ima_unknown_buffer, .reason = "(kexec-cmdline), expected a listed file" },
	{ "an IMA entry for another PCR refuses", .before = ima_into_pcr_11, .reason = "measures into PCR 11" },
	{ "an IMA entry whose SHA-1 is not its data's refuses", .edit = ima_sha1_edited, .reason = "entry 0: the recorded SHA-1" },
	{ "an IMA entry that is hidden refuses", .before = ima_other_root, .lie = ima_entry_hidden, .reason = "the logs replay, bank sha256" },
	{ "reference values whose root hash no PCR holds refuse", .after = refvalues_without_root_hash, .reason = "PCR 15's sequence lacks" },
};
/* clang-format on */

static void a_sound_host_is_accepted_with_its_facts(void **state)
{
	static const char *const facts[] = {
		"image: demo version 1, x86_64",
		"profile: enforce",
		"root hash: a5a5",
		"secure boot: on",
		"layer policy: layer-policy:sha256:07",
		"seen since boot: container",
		"EK: believed",
		"clock 123456 ms",
		"PCR 0: replayed, not",
		"dm-verity tables 1, files 1",
	};
	struct world *w = world_sound();
	char hex[65];

	(void)state;
	world_seal(w);
	/* As firmware measures it: the same digest stands in the PCR 7 of every log of a machine with Secure Boot on.
	 */
	hex_encode(w->firmware.v[w_find(&w->firmware, 7, "SecureBoot")].digest, 32, hex);
	assert_string_equal(hex, "ccfc4bb32888a345bc8aeadaba552b627d99348c767681ab3141f5b01e40a40e");
	assert_int_equal(world_judge(w, &judged), APPRAISE_ACCEPT);
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		if (!has_line(&judged.facts, facts[i]))
			fail_msg("no fact says \"%s\"", facts[i]);
	world_free(w);
}

static void a_stated_startup_locality_of_3_is_accepted(void **state)
{
	struct world *w = world_sound();

	(void)state;
	w->locality = 3;
	world_seal(w);
	assert_int_equal(world_judge(w, &judged), APPRAISE_ACCEPT);
	assert_true(has_line(&judged.facts, "startup locality 3"));
	world_free(w);
}

static void a_boot_order_with_the_bytes_of_an_error_separator_is_accepted(void **state)
{
	static const uint8_t order[] = { 1, 0, 0, 0 }; /* Boot0001, Boot0000: as OVMF measures it with a bootindex */
	struct world *w = world_sound();
	struct event *ev = &w->firmware.v[w_find(&w->firmware, 1, "boot order")];

	(void)state;
	w_sha256(order, sizeof(order), ev->digest);
	world_seal(w);
	assert_int_equal(world_judge(w, &judged), APPRAISE_ACCEPT);
	world_free(w);
}

static void a_clock_that_is_not_safe_is_a_fact_and_no_refusal(void **state)
{
	struct world *w = world_sound();

	(void)state;
	w->not_safe = true;
	world_seal(w);
	assert_int_equal(world_judge(w, &judged), APPRAISE_ACCEPT);
	assert_true(has_line(&judged.facts, "not safe"));
	world_free(w);
}

static void devices_that_go_away_are_accepted(void **state)
{
	struct world *w = world_sound();
	uint8_t h[32] = {0};

	(void)state;
	w_ima(&w->ima, h, "dm_device_remove", "dm_version=4.48.0;device_active_metadata=name=root;remove_all=n;");
	world_seal(w);
	assert_int_equal(world_judge(w, &judged), APPRAISE_ACCEPT);
	world_free(w);
}

/* PCR 10's rule becomes `zero`, as the builder writes it where the TPM's driver is a module. */
static void expect_pcr_10_zero(struct world *w)
{
	char *from = strstr(w->refvalues, "{\"ima\":"), *to = strstr(w->refvalues, ",\"11\":");
	static const char zero[] = "{\"zero\":true}";

	assert_non_null(from);
	assert_non_null(to);
	memcpy(from, zero, strlen(zero));
	memmove(from + strlen(zero), to, strlen(to) + 1);
}

/* --- a host without UEFI --- */

static void replace(char *text, size_t size, const char *from, const char *to)
{
	char *at = strstr(text, from), rest[16384];

	assert_non_null(at);
	(void)snprintf(rest, sizeof(rest), "%s", at + strlen(from));
	(void)snprintf(at, size - (size_t)(at - text), "%s%s", to, rest);
}

/* No firmware: no event before PID 1's, and PCR 0 to 7 are not judged. */
static struct world *world_direct(void)
{
	struct world *w = world_sound();
	struct events own = {0};

	memset(&w->firmware, 0, sizeof(w->firmware));
	w_measure(&own, measure_direct_profile());
	w_measure(&own, measure_direct_cmdline("quiet", 5));
	w_insert(&w->os, 0, &own.v[1]);
	w_insert(&w->os, 0, &own.v[0]);
	w_refvalues(w);
	replace(w->refvalues, sizeof(w->refvalues), "\"profile\":\"enforce\"", "\"profile\":\"direct\"");
	return w;
}

static void no_firmware_log(struct world *w)
{
	buf_free(&w->firmware_log);
}

static void a_host_without_uefi_is_accepted_and_the_verdict_says_what_is_missing(void **state)
{
	struct world *w = world_direct();

	(void)state;
	world_seal_lying(w, NULL, no_firmware_log);
	if (world_judge(w, &judged) != APPRAISE_ACCEPT) {
		show(&judged);
		fail_msg("it is not accepted");
	}
	assert_true(has_line(&judged.facts, "profile: direct (no UEFI: kernel, initramfs and command line are reported by PID 1 "
					    "itself; nothing below vouches for them)"));
	assert_true(has_line(&judged.facts, "secure boot: none"));
	assert_true(has_line(&judged.facts, "there is no firmware log"));
	world_free(w);
}

/* Each of the two kinds of host, judged by the other's values. */
static void neither_kind_of_host_is_accepted_as_the_other(void **state)
{
	struct world *direct = world_direct(), *enforce = world_sound();
	char values[sizeof(direct->refvalues)];

	(void)state;
	world_seal_lying(direct, NULL, no_firmware_log);
	world_seal(enforce);
	memcpy(values, direct->refvalues, sizeof(values));
	memcpy(direct->refvalues, enforce->refvalues, sizeof(values));
	memcpy(enforce->refvalues, values, sizeof(values));
	assert_int_equal(world_judge(direct, &judged), APPRAISE_REFUSE);
	assert_true(has_line(&judged.reasons, "only reference values of the profile direct allow"));
	assert_int_equal(world_judge(enforce, &judged), APPRAISE_REFUSE);
	assert_true(has_line(&judged.reasons, "PCR 11: "));
	assert_false(has_line(&judged.facts, "secure boot"));
	world_free(direct);
	world_free(enforce);
}

/* A firmware log that is there is replayed: what it lacks, or has too much, shows in the quote. */
static void a_host_without_uefi_cannot_hide_what_its_firmware_extended(void **state)
{
	struct world *w = world_direct();

	(void)state;
	w_text(&w->firmware, 1, 0x80000007, "Calling INT 19h");
	world_seal(w);
	assert_int_equal(world_judge(w, &judged), APPRAISE_ACCEPT);
	world_free(w);
	w = world_direct();
	w_text(&w->firmware, 1, 0x80000007, "Calling INT 19h");
	world_seal_lying(w, NULL, no_firmware_log);
	assert_int_equal(world_judge(w, &judged), APPRAISE_REFUSE);
	assert_true(has_line(&judged.reasons, "the logs replay, bank sha256, to PCR 0-15"));
	world_free(w);
}

/* The profile is no mere word of the document: it and PCR 11's sequence are one. */
static void values_whose_profile_is_not_their_sequences_refuse(void **state)
{
	struct world *w = world_direct();

	(void)state;
	replace(w->refvalues, sizeof(w->refvalues), "\"profile\":\"direct\"", "\"profile\":\"enforce\"");
	world_seal(w);
	assert_int_equal(world_judge(w, &judged), APPRAISE_REFUSE);
	assert_true(has_line(&judged.reasons, "profile enforce, but PCR 11 has the event of the profile direct"));
	world_free(w);
	w = world_sound();
	world_seal(w);
	replace(w->refvalues, sizeof(w->refvalues), "\"profile\":\"enforce\"", "\"profile\":\"direct\"");
	assert_int_equal(world_judge(w, &judged), APPRAISE_REFUSE);
	assert_true(has_line(&judged.reasons, "profile direct, but PCR 11's sequence does not begin with its event"));
	world_free(w);
}

static void an_ima_log_that_nothing_binds_counts_for_nothing(void **state)
{
	struct world *w = world_sound();

	(void)state;
	w->ima_without_tpm = true;
	expect_pcr_10_zero(w);
	world_seal(w);
	assert_int_equal(world_judge(w, &judged), APPRAISE_ACCEPT);
	assert_true(has_line(&judged.facts, "kernel's witness: none"));
	assert_false(has_line(&judged.facts, "dm-verity tables"));
	world_free(w);
	w = world_sound(); /* the same log where the kernel, or anybody, did extend PCR 10 */
	expect_pcr_10_zero(w);
	world_seal(w);
	assert_int_equal(world_judge(w, &judged), APPRAISE_REFUSE);
	assert_true(has_line(&judged.reasons, "the logs replay, bank sha256, to PCR 0-15"));
	world_free(w);
	w = world_sound(); /* and a host whose IMA had no TPM, where one is expected */
	w->ima_without_tpm = true;
	world_seal(w);
	assert_int_equal(world_judge(w, &judged), APPRAISE_REFUSE);
	assert_true(has_line(&judged.reasons, "the logs replay, bank sha256, to PCR 0-15"));
	world_free(w);
}

static void no_verdict_is_not_an_acceptance(void **state)
{
	struct world *w = world_sound();
	struct refvalues rv = {0};
	struct err e = ERR_INIT;
	struct appraise_input in;

	(void)state;
	world_seal(w);
	assert_ok(refvalues_parse(w->refvalues, strlen(w->refvalues), "r", &rv, &e), &e);
	w->enrolment.ak_public[9] ^=
		0x10; /* fixedParent off: an AK that could leave its TPM; the record cannot be used */
	in = (struct appraise_input){.evidence = {w->evidence.data, w->evidence.len},
				     .nonce = w->nonce,
				     .enrolment = &w->enrolment,
				     .refvalues = &rv};
	judged.verdict = APPRAISE_ACCEPT;
	assert_refused(appraise(&in, &judged, &e), &e, EINVAL, "enrolment record: AK: attributes");
	assert_int_equal(judged.verdict, APPRAISE_UNSET);
	refvalues_free(&rv);
	world_free(w);
}

static void reference_values_without_rules_accept_nothing(void **state)
{
	struct world *w = world_sound();
	struct refvalues rv = {.name = "", .arch = "", .profile = ""};
	struct err e = ERR_INIT;
	struct appraise_input in = {.nonce = w->nonce, .enrolment = &w->enrolment, .refvalues = &rv};

	(void)state;
	world_seal(w);
	in.evidence = (struct bytes){w->evidence.data, w->evidence.len};
	assert_ok(appraise(&in, &judged, &e), &e);
	assert_int_equal(judged.verdict, APPRAISE_REFUSE);
	assert_true(has_line(&judged.reasons, "PCR 8: has no rule"));
	world_free(w);
}

int main(void)
{
	static const struct CMUnitTest own[] = {
		cmocka_unit_test(a_sound_host_is_accepted_with_its_facts),
		cmocka_unit_test(a_stated_startup_locality_of_3_is_accepted),
		cmocka_unit_test(a_boot_order_with_the_bytes_of_an_error_separator_is_accepted),
		cmocka_unit_test(a_clock_that_is_not_safe_is_a_fact_and_no_refusal),
		cmocka_unit_test(devices_that_go_away_are_accepted),
		cmocka_unit_test(a_host_without_uefi_is_accepted_and_the_verdict_says_what_is_missing),
		cmocka_unit_test(neither_kind_of_host_is_accepted_as_the_other),
		cmocka_unit_test(a_host_without_uefi_cannot_hide_what_its_firmware_extended),
		cmocka_unit_test(values_whose_profile_is_not_their_sequences_refuse),
		cmocka_unit_test(an_ima_log_that_nothing_binds_counts_for_nothing),
		cmocka_unit_test(no_verdict_is_not_an_acceptance),
		cmocka_unit_test(reference_values_without_rules_accept_nothing),
	};
	struct CMUnitTest tests[ARRAY_SIZE(attacks) + ARRAY_SIZE(own)];

	memcpy(tests, own, sizeof(own));
	for (size_t i = 0; i < ARRAY_SIZE(attacks); i++)
		tests[ARRAY_SIZE(own) + i] =
			(struct CMUnitTest){attacks[i].name, attack_test, NULL, NULL, (void *)&attacks[i]};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
