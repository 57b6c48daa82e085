/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/tcg_log.c - firmware event logs: SHA-1 format and crypto-agile format */
#include "attest/tcg_log.h"

#include <string.h>

static const char spec_id[16] = "Spec ID Event03";
static const char startup_locality[16] = "StartupLocality";

enum {
	SPEC_MAJOR = 2,
	LOCALITY_HCRTM = 4,
	LOCALITY_EVENT_BYTES = 17,
};

/* TCG_EfiSpecIDEventStruct behind its signature (PFP 10.4.5.1). */
static int parse_spec_id(struct tcg_log *log, struct reader r, struct err *e)
{
	uint32_t n;
	uint8_t major, vendor;

	(void)reader_bytes(&r, 4 + 1); /* platform class, minor version: for people */
	major = reader_u8(&r);
	(void)reader_bytes(&r, 2); /* errata, size of UINTN: for people */
	n = reader_u32le(&r);
	if (r.bad || major != SPEC_MAJOR || !n || n > TCG_LOG_MAX_BANKS)
		return err_set(e, EINVAL,
			       "firmware log: header has version %u and %u banks, wanted %d and 1 to %d (PFP 10.4.5.1)",
			       (unsigned)major, (unsigned)n, SPEC_MAJOR, TCG_LOG_MAX_BANKS);
	for (size_t i = 0; i < n; i++) {
		struct tcg_bank *b = &log->bank[i];

		b->alg = reader_u16le(&r);
		b->bytes = reader_u16le(&r);
		if (r.bad || !b->bytes || b->bytes > HASH_MAX_BYTES ||
		    (hash_bytes(b->alg) && hash_bytes(b->alg) != b->bytes))
			return err_set(e, EINVAL,
				       "firmware log: header gives bank 0x%x digests of %u bytes (PFP 10.4.5.1)",
				       (unsigned)b->alg, (unsigned)b->bytes);
		for (size_t j = 0; j < i; j++)
			if (log->bank[j].alg == b->alg)
				return err_set(e, EINVAL, "firmware log: header names bank %s twice",
					       hash_name(b->alg));
	}
	vendor = reader_u8(&r);
	(void)reader_bytes(&r, vendor); /* vendor information: for people */
	if (!reader_done(&r))
		return err_set(e, EINVAL,
			       "firmware log: header is cut short or has bytes behind its end (PFP 10.4.5.1)");
	log->n_banks = n;
	return 0;
}

/* An event in SHA-1 format at @r; not checked but for bounds. */
static bool read_sha1_event(struct reader *r, struct tcg_event *ev)
{
	ev->pcr = reader_u32le(r);
	ev->type = reader_u32le(r);
	ev->digest[0] = reader_bytes(r, hash_bytes(HASH_SHA1));
	ev->data.n = reader_u32le(r);
	ev->data.p = reader_bytes(r, ev->data.n);
	return !r->bad;
}

int tcg_log_open(const void *data, size_t len, struct tcg_log *ret, struct err *e)
{
	struct tcg_log log = {.r = reader_init(data, len)};
	struct reader r = log.r;
	struct tcg_event first = {0};
	int rc;

	if (!len || len > TCG_LOG_MAX_BYTES)
		return err_set(e, EINVAL, "firmware log: has %zu bytes, wanted 1 to %d", len, TCG_LOG_MAX_BYTES);
	if (!read_sha1_event(&r, &first))
		return err_set(e, EINVAL,
			       "firmware log: the first event is cut short: this is no event log (PFP 10.2.1)");
	if (first.data.n < sizeof(spec_id) || memcmp(first.data.p, spec_id, sizeof(spec_id))) {
		log.n_banks = 1;
		log.bank[0] = (struct tcg_bank){HASH_SHA1, (uint16_t)hash_bytes(HASH_SHA1)};
		*ret = log;
		return 0;
	}
	if (first.pcr != 0 || first.type != TCG_EV_NO_ACTION || !hash_is_zero(first.digest[0], hash_bytes(HASH_SHA1)))
		return err_set(e, EINVAL,
			       "firmware log: the header is PCR %u, type 0x%x, wanted PCR 0, EV_NO_ACTION, digest zero",
			       (unsigned)first.pcr, (unsigned)first.type);
	log.agile = true;
	rc = parse_spec_id(&log, reader_init(first.data.p + sizeof(spec_id), first.data.n - sizeof(spec_id)), e);
	if (rc)
		return rc;
	*ret = log;
	return 0;
}

/* The digests of an agile event: each bank of the header, exactly once, in any order. */
static int read_digests(struct tcg_log *log, struct tcg_event *ev, struct err *e)
{
	size_t at = reader_offset(&log->r);
	uint32_t n = reader_u32le(&log->r);

	if (n != log->n_banks)
		return err_set(
			e, EINVAL,
			"firmware log: event %zu at offset %zu has %u digests, wanted %zu, one a bank (PFP 10.2.2)",
			ev->index, at, (unsigned)n, log->n_banks);
	for (size_t i = 0; i < n; i++) {
		uint16_t alg = reader_u16le(&log->r);
		int bank = tcg_log_bank(log, alg);

		if (bank < 0 || ev->digest[bank])
			return err_set(e, EINVAL, "firmware log: event %zu has a digest of bank 0x%x %s", ev->index,
				       (unsigned)alg, bank < 0 ? "that the header does not name" : "twice");
		ev->digest[bank] = reader_bytes(&log->r, log->bank[bank].bytes);
	}
	return 0;
}

/* EV_NO_ACTION: only StartupLocality says something. */
static int take_no_action(struct tcg_log *log, struct tcg_event *ev, struct err *e)
{
	uint8_t locality;

	ev->no_action = true;
	for (size_t i = 0; i < log->n_banks; i++)
		if (!hash_is_zero(ev->digest[i], log->bank[i].bytes)) {
			log->odd_no_action++;
			break;
		}
	if (ev->data.n < sizeof(startup_locality) || memcmp(ev->data.p, startup_locality, sizeof(startup_locality)))
		return 0;
	if (ev->data.n != LOCALITY_EVENT_BYTES || ev->pcr != 0 || log->locality_seen || log->pcr0_measured)
		return err_set(e, EINVAL,
			       "firmware log: event %zu: StartupLocality must be 17 bytes in PCR 0, once, before its "
			       "first measurement (PFP 10.4.5.3)",
			       ev->index);
	locality = ev->data.p[LOCALITY_EVENT_BYTES - 1];
	if (locality != 0 && locality != 3 && locality != LOCALITY_HCRTM)
		return err_set(e, EINVAL,
			       "firmware log: event %zu: startup locality is %u, wanted 0, 3 or 4 (PFP 10.4.5.3)",
			       ev->index, (unsigned)locality);
	log->locality_seen = true;
	log->startup_locality = locality;
	return 0;
}

static int take_measurement(struct tcg_log *log, const struct tcg_event *ev, struct err *e)
{
	if (ev->pcr > TCG_LOG_MAX_PCR)
		return err_set(e, EINVAL, "firmware log: event %zu measures into PCR %u, wanted 0 to %d", ev->index,
			       (unsigned)ev->pcr, TCG_LOG_MAX_PCR);
	if (ev->type == TCG_EV_EFI_HCRTM_EVENT) {
		if (ev->pcr != 0 || log->pcr0_measured ||
		    (log->locality_seen && log->startup_locality != LOCALITY_HCRTM))
			return err_set(
				e, EINVAL,
				"firmware log: event %zu: an H-CRTM event must be the first of PCR 0, with startup "
				"locality 4 (PFP 10.4.5.3)",
				ev->index);
		log->hcrtm = true;
		log->startup_locality = LOCALITY_HCRTM;
	}
	if (ev->pcr == 0)
		log->pcr0_measured = true;
	return 0;
}

int tcg_log_next(struct tcg_log *log, struct tcg_event *ret, struct err *e)
{
	struct tcg_event ev = {.index = log->n_events};
	size_t at = reader_offset(&log->r);
	int rc = 0;

	if (reader_done(&log->r))
		return 0;
	if (log->n_events == TCG_LOG_MAX_EVENTS)
		return err_set(e, EINVAL, "firmware log: more than %d events", TCG_LOG_MAX_EVENTS);
	if (log->agile && ev.index) {
		ev.pcr = reader_u32le(&log->r);
		ev.type = reader_u32le(&log->r);
		rc = read_digests(log, &ev, e);
		if (!rc) {
			ev.data.n = reader_u32le(&log->r);
			ev.data.p = reader_bytes(&log->r, ev.data.n);
		}
	} else {
		(void)read_sha1_event(&log->r, &ev); /* bad is checked below */
	}
	if (log->r.bad)
		return err_set(e, EINVAL, "firmware log: event %zu at offset %zu is cut short", ev.index, at);
	if (rc)
		return rc;
	if (log->agile && !ev.index)
		ev.no_action = true; /* the header itself, checked when it was opened; its one digest is no bank's */
	else
		rc = ev.type == TCG_EV_NO_ACTION ? take_no_action(log, &ev, e) : take_measurement(log, &ev, e);
	if (rc)
		return rc;
	log->n_events++;
	*ret = ev;
	return 1;
}

int tcg_log_bank(const struct tcg_log *log, enum hash_alg alg)
{
	for (size_t i = 0; i < log->n_banks; i++)
		if (log->bank[i].alg == alg)
			return (int)i;
	return -1;
}

static const struct {
	uint32_t type;
	const char *name;
} type_table[] = {
	{0x00000000, "EV_PREBOOT_CERT"},
	{0x00000001, "EV_POST_CODE"},
	{TCG_EV_NO_ACTION, "EV_NO_ACTION"},
	{TCG_EV_SEPARATOR, "EV_SEPARATOR"},
	{0x00000005, "EV_ACTION"},
	{0x00000006, "EV_EVENT_TAG"},
	{0x00000007, "EV_S_CRTM_CONTENTS"},
	{0x00000008, "EV_S_CRTM_VERSION"},
	{0x00000009, "EV_CPU_MICROCODE"},
	{0x0000000a, "EV_PLATFORM_CONFIG_FLAGS"},
	{0x0000000b, "EV_TABLE_OF_DEVICES"},
	{0x0000000c, "EV_COMPACT_HASH"},
	{0x0000000d, "EV_IPL"},
	{0x0000000e, "EV_IPL_PARTITION_DATA"},
	{0x0000000f, "EV_NONHOST_CODE"},
	{0x00000010, "EV_NONHOST_CONFIG"},
	{0x00000011, "EV_NONHOST_INFO"},
	{0x00000012, "EV_OMIT_BOOT_DEVICE_EVENTS"},
	{0x00000013, "EV_POST_CODE2"},
	{0x80000001, "EV_EFI_VARIABLE_DRIVER_CONFIG"},
	{0x80000002, "EV_EFI_VARIABLE_BOOT"},
	{0x80000003, "EV_EFI_BOOT_SERVICES_APPLICATION"},
	{0x80000004, "EV_EFI_BOOT_SERVICES_DRIVER"},
	{0x80000005, "EV_EFI_RUNTIME_SERVICES_DRIVER"},
	{0x80000006, "EV_EFI_GPT_EVENT"},
	{0x80000007, "EV_EFI_ACTION"},
	{0x80000008, "EV_EFI_PLATFORM_FIRMWARE_BLOB"},
	{0x80000009, "EV_EFI_HANDOFF_TABLES"},
	{0x8000000a, "EV_EFI_PLATFORM_FIRMWARE_BLOB2"},
	{0x8000000b, "EV_EFI_HANDOFF_TABLES2"},
	{0x8000000c, "EV_EFI_VARIABLE_BOOT2"},
	{0x8000000d, "EV_EFI_GPT_EVENT2"},
	{TCG_EV_EFI_HCRTM_EVENT, "EV_EFI_HCRTM_EVENT"},
	{0x800000e0, "EV_EFI_VARIABLE_AUTHORITY"},
	{0x800000e1, "EV_EFI_SPDM_FIRMWARE_BLOB"},
	{0x800000e2, "EV_EFI_SPDM_FIRMWARE_CONFIG"},
};

const char *tcg_event_type_str(uint32_t type)
{
	for (size_t i = 0; i < ARRAY_SIZE(type_table); i++)
		if (type_table[i].type == type)
			return type_table[i].name;
	return NULL;
}
