/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/attest/attacks/ima_pcr_10.c - Linux IMA in PCR 10 */
#include "tests/attest/attacks/attack.h"

static void firmware_measures_pcr_10(struct world *w)
{
	w_text(&w->firmware, 10, ACTION, "early");
}

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

/* clang-format off */
static const struct attack ima_pcr_10[] = {
	{ "firmware events in IMA's PCR refuse", .before = firmware_measures_pcr_10, .reason = "PCR 10: firmware log event 21: found" },
	{ "a module that is not listed refuses", .before = ima_other_file, .reason = "PCR 10: IMA log entry 4: found sha256:" },
	{ "a dm-verity table that is not listed refuses", .before = ima_other_root, .reason = "PCR 10: IMA log entry 4: a dm-verity table with root digest 09" },
	{ "an IMA violation refuses", .before = ima_violation, .reason = "PCR 10: IMA log entry 1 is a violation", .words = "is a violation" },
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
};
/* clang-format on */
