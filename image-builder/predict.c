/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/predict.c - which events a sound boot of an image leaves in PCR 0 to 15, before it ever booted */
#include "image-builder/predict.h"

#include "image-builder/authenticode.h"
#include "image-builder/pcrsig.h"
#include "image-builder/uki.h"

#include <string.h>

#define CALLING "Calling EFI Application from Boot Option"

/*
 * The dbx that virt-fw-vars writes where nothing is revoked, because firmware wants one: one EFI_SIGNATURE_LIST
 * (EFI_CERT_SHA256_GUID) with one entry, owned by OVMF's EnrollDefaultKeys, the SHA-256 of nothing.
 */
static const uint8_t dbx[] = {
	0x26, 0x16, 0xc4, 0xc1, 0x4c, 0x50, 0x92, 0x40, 0xac, 0xa9, 0x41, 0xf9, 0x36, 0x93, 0x43, 0x28,
	0x4c, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x30, 0x00, 0x00, 0x00, 0xa3, 0xa8, 0xba, 0xa0,
	0x1d, 0x04, 0xa8, 0x48, 0xbc, 0x87, 0xc3, 0x6d, 0x12, 0x1b, 0x5e, 0x3d, 0xe3, 0xb0, 0xc4, 0x42,
	0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4,
	0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
};

void predict_list_free(struct predict_list *l)
{
	free(l->v);
	*l = (struct predict_list){0};
}

void predict_free(struct predict *p)
{
	for (size_t i = 0; i < PREDICT_PCRS; i++) {
		predict_list_free(&p->pcr[i].event);
		predict_list_free(&p->pcr[i].then);
	}
	*p = (struct predict){0};
}

int predict_add(struct predict_list *l, const uint8_t digest[static HASH_SHA256_BYTES], const char *kind,
		const char *what, struct err *e)
{
	struct predict_event *p = reallocarray(l->v, l->n + 1, sizeof(*p)), *n;

	if (!p)
		return err_set(e, ENOMEM, "no memory for predicted events");
	l->v = p;
	n = &l->v[l->n++];
	memcpy(n->digest, digest, HASH_SHA256_BYTES);
	(void)snprintf(n->what, sizeof(n->what), "%s%s%s", kind, what ? ": " : "",
		       what ? what : ""); /* a label: cut is fine */
	return 0;
}

int predict_add_bytes(struct predict_list *l, const void *data, size_t len, const char *kind, const char *what,
		      struct err *e)
{
	uint8_t digest[HASH_SHA256_BYTES];

	hash_sha256(data, len, digest);
	return predict_add(l, digest, kind, what, e);
}

int predict_add_separator(struct predict_list *l, struct err *e)
{
	static const uint8_t zeros[4];

	return predict_add_bytes(l, zeros, sizeof(zeros), "EV_SEPARATOR", NULL, e);
}

/* An event of PID 1. @detail, if any, is put behind its name for people. */
static int add_measured(struct predict_list *l, struct measure_event m, const char *detail, struct err *e)
{
	if (!m.data_bytes)
		return err_set(e, EINVAL, "the event %s%s%s cannot be measured: its name is not valid",
			       m.name ? m.name : "", detail ? " " : "", detail ? detail : "");
	return predict_add_bytes(l, m.data, m.data_bytes, m.name, detail, e);
}

static struct predict_list *sequence(struct predict *p, unsigned pcr)
{
	p->pcr[pcr].rule = PREDICT_SEQUENCE;
	return &p->pcr[pcr].event;
}

/*
 * PCR 4: the firmware's action, the separator, then each EFI program as the firmware loads it: systemd-boot, the UKI. With Secure
 * Boot on the stub starts the kernel unmeasured; with Secure Boot off it has the firmware load it, which measures it.
 */
static int predict_programs(const struct predict_params *p, const struct pe *pe, struct predict *ret, struct err *e)
{
	const struct pe_section *kernel = pe_find(pe, ".linux");
	struct {
		const uint8_t *data;
		size_t len;
		const char *what;
	} program[] = {{p->loader->data, p->loader->len, "systemd-boot, Authenticode digest"},
		       {p->uki->data, p->uki->len, "UKI, Authenticode digest"},
		       {NULL, 0, "kernel, Authenticode digest"}};
	struct predict_list *l = sequence(ret, 4);
	uint8_t digest[HASH_SHA256_BYTES];
	int r = predict_add_bytes(l, CALLING, strlen(CALLING), "EV_EFI_ACTION", CALLING, e);

	if (!r)
		r = predict_add_separator(l, e);
	if (!r && p->secure_boot_off && !kernel)
		r = err_set(e, EINVAL, "the UKI has no .linux section");
	if (!r && p->secure_boot_off)
		program[2].data = pe_content(pe, kernel, &program[2].len);
	for (size_t i = 0; !r && i < ARRAY_SIZE(program) && program[i].data; i++) {
		r = authenticode_digest(program[i].data, program[i].len, digest, e);
		r = r ? err_context(e, "%s", program[i].what)
		      : predict_add(l, digest, "EV_EFI_BOOT_SERVICES_APPLICATION", program[i].what, e);
	}
	return r;
}

static int add_variable(struct predict_list *l, enum efivar_vendor vendor, const char *name, const void *data,
			size_t len, struct err *e)
{
	uint8_t digest[HASH_SHA256_BYTES];
	int r = efivar_event_digest(vendor, name, data, len, digest, e);

	return r ? r : predict_add(l, digest, "EV_EFI_VARIABLE_DRIVER_CONFIG", name, e);
}

static int add_key_variable(struct predict_list *l, enum efivar_vendor vendor, const char *name, X509 *cert,
			    const struct gpt_uuid *owner, struct err *e)
{
	cleanup_buf struct buf list = BUF_INIT;
	int r = efivar_signature_list(cert, owner, &list, e);

	return r ? r : add_variable(l, vendor, name, list.data, list.len, e);
}

/* PCR 7: the state of Secure Boot and its keys, then which db entry let the UKI through: none, if nobody asked. */
static int predict_secure_boot(const struct predict_params *p, struct predict *ret, struct err *e)
{
	struct predict_list *l = sequence(ret, 7);
	cleanup_buf struct buf entry = BUF_INIT;
	uint8_t digest[HASH_SHA256_BYTES];
	int r = add_variable(l, EFIVAR_GLOBAL, "SecureBoot", p->secure_boot_off ? "\x00" : "\x01", 1, e);

	if (!r)
		r = add_key_variable(l, EFIVAR_GLOBAL, "PK", p->pk, &p->owner, e);
	if (!r)
		r = add_key_variable(l, EFIVAR_GLOBAL, "KEK", p->kek, &p->owner, e);
	if (!r)
		r = add_key_variable(l, EFIVAR_SECURITY, "db", p->db, &p->owner, e);
	if (!r)
		r = add_variable(l, EFIVAR_SECURITY, "dbx", dbx, sizeof(dbx), e);
	if (!r)
		r = predict_add_separator(l, e);
	if (r || p->secure_boot_off)
		return r;
	r = efivar_signature_data(p->db, &p->owner, &entry, e);
	if (!r)
		r = efivar_event_digest(EFIVAR_SECURITY, "db", entry.data, entry.len, digest, e);
	return r ? r : predict_add(l, digest, "EV_EFI_VARIABLE_AUTHORITY", "db", e);
}

/* What the kernel is handed: the section, and behind it what the stub makes of signed PCR policies and of the os-release. */
static int add_initramfs(struct predict_list *l, const struct pe *pe, const struct pe_section *initrd, struct err *e)
{
	static const struct {
		const char *section, *file;
	} extra[] = {{".pcrsig", PCRSIG_FILE}, {".osrel", PCRSIG_OSREL_FILE}}; /* in this order */
	cleanup_buf struct buf whole = BUF_INIT;
	size_t n;
	const uint8_t *data = pe_content(pe, initrd, &n);
	int r = 0;

	buf_put(&whole, data, n);
	for (size_t i = 0; !r && i < ARRAY_SIZE(extra); i++) {
		const struct pe_section *s = pe_find(pe, extra[i].section);

		if (!s)
			continue;
		buf_pad(&whole, 4);
		data = pe_content(pe, s, &n);
		r = pcrsig_cpio(extra[i].file, data, n, &whole, e);
	}
	if (!r && whole.bad)
		r = err_set(e, ENOMEM, "no memory for the initramfs");
	return r ? r : predict_add_bytes(l, whole.data, whole.len, "EV_EVENT_TAG", "initramfs", e);
}

/* PCR 9, by the kernel's EFI stub: its LoadOptions (UTF-16LE with NUL), then the initramfs as it was handed over. */
static int predict_kernel(const struct pe *pe, struct predict *ret, struct err *e)
{
	const struct pe_section *cmdline = pe_find(pe, ".cmdline"), *initrd = pe_find(pe, ".initrd");
	struct predict_list *l = sequence(ret, 9);
	cleanup_buf struct buf text = BUF_INIT;
	const uint8_t *data;
	size_t n;
	int r;

	if (!cmdline || !initrd)
		return err_set(e, EINVAL, "the UKI has no .cmdline or no .initrd section");
	if (pe_find(pe, ".profile") || pe_find(pe, ".ucode") || pe_find(pe, ".pcrpkey"))
		return err_set(e, EINVAL,
			       "the UKI has a section from which the stub adds to the initramfs: PCR 9 is not "
			       "predicted for it");
	data = pe_content(pe, cmdline, &n);
	for (size_t i = 0; i < n; i++)
		buf_u16le(&text, data[i]);
	buf_u16le(&text, 0);
	if (text.bad)
		return err_set(e, ENOMEM, "no memory for the command line");
	r = predict_add_bytes(l, text.data, text.len, "EV_EVENT_TAG", "kernel command line", e);
	return r ? r : add_initramfs(l, pe, initrd, e);
}

/* The phases of PID 1, up to where it serves. */
static int predict_phases(struct predict_list *l, struct err *e)
{
	for (enum measure_phase phase = MEASURE_ENTER_INITRD; phase <= MEASURE_READY; phase++) {
		struct measure_event m = measure_phase(phase);

		int r = add_measured(l, m, m.data, e); /* a bare word, and so its own label */

		if (r)
			return r;
	}
	return 0;
}

/* PCR 11: the UKI's sections by the stub, then by PID 1 the profile, if it is one to be told, and the phases up to where it serves. */
static int predict_sections(const struct predict_params *p, const struct pe *pe, struct predict *ret, struct err *e)
{
	struct predict_list *l = sequence(ret, MEASURE_PCR_PHASE);
	const struct pe_section *s;
	int r = 0;

	for (size_t i = 0; (s = uki_measured(pe, i)); i++) {
		size_t n;
		const uint8_t *data = pe_content(pe, s, &n);

		if (s->virtual_bytes > s->raw_bytes)
			return err_set(e, EINVAL, "UKI section %s is larger in memory than in the file", s->name);
		r = predict_add_bytes(l, s->name, strlen(s->name) + 1, "EV_IPL, name of section", s->name, e);
		if (!r)
			r = predict_add_bytes(l, data, n, "EV_IPL, content of section", s->name, e);
		if (r)
			return r;
	}
	if (p->jit)
		r = add_measured(l, measure_profile("enforce-jit"), "enforce-jit", e);
	return r ? r : predict_phases(l, e);
}

/* PCR 11 without UEFI: PID 1's own word on what was started, then the phases. */
static int predict_direct(const struct predict_params *p, struct predict *ret, struct err *e)
{
	struct predict_list *l = sequence(ret, MEASURE_PCR_PHASE);
	int r = add_measured(l, measure_profile("direct"), "direct", e);

	if (!r)
		r = add_measured(l, measure_direct_cmdline(p->cmdline, strlen(p->cmdline)), NULL, e);
	if (!r)
		r = add_measured(l, measure_direct_manifest(p->boot_manifest), NULL, e);
	return r ? r : predict_phases(l, e);
}

static int predict_launch(const struct predict_params *p, struct predict *ret, struct err *e)
{
	struct predict_list *l = sequence(ret, MEASURE_PCR_LAUNCH);
	int r = add_measured(l, measure_layer_policy(p->policy_digest, p->policy_version), NULL, e);

	if (!r && p->uki) /* without UEFI none can be loaded */
		r = add_measured(l, measure_file("ipe-policy", p->ipe_policy), NULL, e);
	if (!r)
		r = add_measured(l, measure_file("engine", p->engine), p->engine_argv[0], e);
	for (size_t i = 0; i < p->n_engine_config && !r; i++)
		r = add_measured(l, measure_file("engine-config", p->engine_config[i].digest), p->engine_config[i].name,
				 e);
	if (!r)
		r = add_measured(l, measure_argv(p->engine_argv), NULL, e);
	if (!r)
		r = add_measured(l, measure_separator(), NULL, e);
	for (size_t i = 0; i < p->n_containers && !r; i++) {
		if (!measure_name_is_valid(p->container[i]))
			return err_set(e, EINVAL, "\"%.80s\" is no name of a container", p->container[i]);
		r = add_measured(&ret->pcr[MEASURE_PCR_LAUNCH].then,
				 measure_container(p->container[i], p->policy_digest), p->container[i], e);
	}
	return r;
}

static int predict_identity(const struct predict_params *p, struct predict *ret, struct err *e)
{
	struct predict_list *l = sequence(ret, MEASURE_PCR_IDENTITY);
	int r = add_measured(l, measure_root_hash(p->root_hash), NULL, e);

	ret->pcr[MEASURE_PCR_IDENTITY].state_volume = p->state_volume;
	return r ? r : add_measured(l, measure_root_signer(p->root_signer), NULL, e);
}

static bool has(const struct predict_list *l, const uint8_t digest[static HASH_SHA256_BYTES])
{
	for (size_t i = 0; i < l->n; i++)
		if (hash_equal(l->v[i].digest, HASH_SHA256_BYTES, digest, HASH_SHA256_BYTES))
			return true;
	return false;
}

/* PCR 10: what the kernel's IMA may have measured. Images share layers: each root hash stands once. */
static int predict_ima(const struct predict_params *p, struct predict *ret, struct err *e)
{
	struct predict_pcr *pcr = &ret->pcr[10];
	int r = 0;

	pcr->rule = p->tpm_is_late ? PREDICT_ZERO : PREDICT_IMA;
	if (p->tpm_is_late)
		return 0;
	for (size_t i = 0; i < p->n_ima_files && !r; i++)
		r = predict_add(&pcr->event, p->ima_file[i].digest, p->ima_file[i].name, NULL, e);
	for (size_t i = 0; i < p->n_verity_roots && !r; i++)
		if (!has(&pcr->then, p->verity_root[i]))
			r = predict_add(&pcr->then, p->verity_root[i], "verity root", NULL, e);
	return r;
}

/* Without UEFI: what other firmware there may be is replayed, if it keeps a log, and says nothing of the image. */
static void predict_no_uefi(struct predict *ret)
{
	static const unsigned zero[] = {8, 9, 12, 14};

	for (size_t i = 0; i < 8; i++)
		ret->pcr[i] = (struct predict_pcr){.rule = PREDICT_UNJUDGED,
						   .why = "no UEFI; replayed if there is a log, contents not judged"};
	for (size_t i = 0; i < ARRAY_SIZE(zero); i++)
		ret->pcr[zero[i]].rule = PREDICT_ZERO;
}

/* PCR 5, by edk2 with Secure Boot or without: the disk's partition table; by systemd-boot: its loader.conf; then the kernel's leaving of boot services. */
static int predict_disk(const struct predict_params *p, struct predict *ret, struct err *e)
{
	static const char *const leaving[] = {"Exit Boot Services Invocation", "Exit Boot Services Returned with Success"};
	struct predict_list *l = sequence(ret, 5);
	int r = predict_add_separator(l, e);

	if (!r)
		r = predict_add(l, p->gpt_event, "EV_EFI_GPT_EVENT", "partition table of the disk", e);
	if (!r)
		r = predict_add_bytes(l, p->loader_conf, strlen(p->loader_conf), "EV_EVENT_TAG", "loader.conf", e);
	for (size_t i = 0; i < ARRAY_SIZE(leaving) && !r; i++)
		r = predict_add_bytes(l, leaving[i], strlen(leaving[i]), "EV_EFI_ACTION", leaving[i], e);
	return r;
}

/* PCR 0 and 1 as the machine description has them, and with it what its firmware measures of the disk. */
static int predict_machine(const struct predict_params *p, struct predict *ret, struct err *e)
{
	for (unsigned pcr = 0; pcr < 2; pcr++) {
		const struct predict_list *from = &p->machine[pcr];
		struct predict_list *l = sequence(ret, pcr);

		for (size_t i = 0; i < from->n; i++) {
			int r = predict_add(l, from->v[i].digest, from->v[i].what, NULL, e);

			if (r)
				return r;
		}
	}
	return predict_disk(p, ret, e);
}

/* The PCRs that do not depend on the UKI. */
static int predict_rest(const struct predict_params *p, struct predict *ret, struct err *e)
{
	static const unsigned separator_only[] = {2, 3, 6}, zero[] = {8, 12, 14};

	ret->pcr[0] =
		(struct predict_pcr){.rule = PREDICT_UNJUDGED, .why = "firmware code; replayed, contents not judged"};
	ret->pcr[1] = (struct predict_pcr){.rule = PREDICT_UNJUDGED,
					   .why = "firmware configuration and machine; replayed, contents not judged"};
	ret->pcr[5] =
		(struct predict_pcr){.rule = PREDICT_UNJUDGED,
				     .why = "partition table and boot configuration; replayed, contents not judged"};
	for (size_t i = 0; i < ARRAY_SIZE(zero); i++)
		ret->pcr[zero[i]].rule = PREDICT_ZERO;
	for (size_t i = 0; i < ARRAY_SIZE(separator_only); i++) {
		int r = predict_add_separator(sequence(ret, separator_only[i]), e);

		if (r)
			return r;
	}
	return p->machine ? predict_machine(p, ret, e) : 0;
}

/* What the firmware, the stub and the kernel's EFI stub leave of the UKI. */
static int predict_uefi(const struct predict_params *p, struct predict *ret, struct err *e)
{
	struct pe pe;
	int r = pe_parse(p->uki->data, p->uki->len, "the UKI", &pe, e);

	if (!r)
		r = predict_rest(p, ret, e);
	if (!r)
		r = predict_programs(p, &pe, ret, e);
	if (!r)
		r = predict_secure_boot(p, ret, e);
	if (!r)
		r = predict_kernel(&pe, ret, e);
	return r ? r : predict_sections(p, &pe, ret, e);
}

int predict_boot(const struct predict_params *p, struct predict *ret, struct err *e)
{
	struct pe pe;
	int r;

	r = predict_identity(p, ret, e);
	if (!p->uki)
		return r ? r : predict_direct(p, ret, e);
	r = r ? r : pe_parse(p->uki->data, p->uki->len, "the UKI", &pe, e);
	r = r ? r : predict_secure_boot(p, ret, e);
	return r ? r : predict_sections(p, &pe, ret, e);
}

int predict_make(const struct predict_params *p, struct predict *ret, struct err *e)
{
	int r;

	if (p->uki) {
		r = predict_uefi(p, ret, e);
	} else {
		predict_no_uefi(ret);
		r = predict_direct(p, ret, e);
	}
	if (!r)
		r = predict_ima(p, ret, e);
	if (!r)
		r = predict_launch(p, ret, e);
	return r ? r : predict_identity(p, ret, e);
}

int predict_replay(const struct predict_list *l, uint8_t ret[static HASH_SHA256_BYTES], struct err *e)
{
	uint8_t value[HASH_SHA256_BYTES] = {0};

	for (size_t i = 0; i < l->n; i++)
		if (!hash_extend(HASH_SHA256, value, l->v[i].digest))
			return err_set(e, EINVAL, "SHA-256 cannot be computed");
	memcpy(ret, value, sizeof(value));
	return 0;
}

int predict_value(const struct predict *p, unsigned pcr, uint8_t ret[static HASH_SHA256_BYTES], struct err *e)
{
	if (pcr >= PREDICT_PCRS || (p->pcr[pcr].rule != PREDICT_SEQUENCE && p->pcr[pcr].rule != PREDICT_ZERO))
		return err_set(e, EINVAL, "PCR %u has no one value", pcr);
	return predict_replay(&p->pcr[pcr].event, ret, e);
}
