/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/firmware.c - what edk2 firmware (OVMF, AAVMF) will measure of its own file */
#include "image-builder/firmware.h"

#include "common/file.h"
#include "common/proc.h"
#include "common/reader.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define VOLUME_STEP 4096 /* flash blocks */

/* As stored: the first three fields of a GUID are little-endian. */
static const uint8_t lzma[FV_GUID_BYTES] = { /* ee4e5898-3914-4259-9d6e-dc7bd79403cf, LzmaCustomDecompress */
	0x98, 0x58, 0x4e, 0xee, 0x14, 0x39, 0x59, 0x42, 0x9d, 0x6e, 0xdc, 0x7b, 0xd7, 0x94, 0x03, 0xcf };
static const uint8_t tcg2_pei[FV_GUID_BYTES] = { /* a0c98b77-cba5-4bb8-993b-4af6ce33ece4 */
	0x77, 0x8b, 0xc9, 0xa0, 0xa5, 0xcb, 0xb8, 0x4b, 0x99, 0x3b, 0x4a, 0xf6, 0xce, 0x33, 0xec, 0xe4 };

void firmware_free(struct firmware *f)
{
	buf_free(&f->unpacked);
	*f = (struct firmware){ 0 };
}

/* The volume's one file of that type, or with that name. Return: 1, 0 if there is none, -EINVAL. */
static int find_file(const struct fv *fv, uint8_t type, const uint8_t *name, struct fv_file *ret, struct err *e)
{
	size_t at = 0, n = 0;
	struct fv_file f;
	int r;

	while ((r = fv_file_next(fv, &at, &f, e)) == 1) {
		if (f.type != type || (name && memcmp(f.name, name, FV_GUID_BYTES)))
			continue;
		*ret = f;
		n++;
	}
	if (r < 0)
		return r;
	return n > 1 ? err_set(e, EINVAL, "the firmware has %zu files of type 0x%x in one volume, wanted one", n, type) :
		       (int)n;
}

static int find_section(const struct fv_file *f, uint8_t type, struct fv_section *ret, struct err *e)
{
	size_t at = 0;
	int r;

	while ((r = fv_section_next(f->data, f->len, &at, ret, e)) == 1)
		if (ret->type == type)
			return 1;
	return r;
}

/* --- the compressed section ---------------------------------------------------------------------------------------- */

static int unpack(const struct fv_section *s, struct buf *ret, struct err *e)
{
	static const char *const argv[] = { "xz", "--format=lzma", "-dc", NULL };
	cleanup_fd int fd = memfd_create("firmware", MFD_CLOEXEC);
	struct proc_params p = { .argv = argv, .stdin_fd = fd, .out = ret, .out_max = FIRMWARE_MAX_UNPACKED_BYTES, .quiet = 1 };
	int r;

	if (fd < 0)
		return err_errno(e, "cannot keep the firmware's compressed section");
	r = file_write_all(fd, s->data, s->len, "the firmware's compressed section", e);
	if (!r && lseek(fd, 0, SEEK_SET) < 0)
		r = err_errno(e, "cannot go back in the firmware's compressed section");
	r = r ? r : proc_run(&p, e);
	if (!r && ret->bad)
		r = err_set(e, ENOMEM, "no memory for the firmware");
	return r ? err_context(e, "the firmware's compressed section") : 0;
}

static int unpack_volumes(const struct fv *outer, struct buf *ret, struct err *e)
{
	struct fv_section s;
	struct fv_file f;
	int r = find_file(outer, FV_FILE_VOLUME, NULL, &f, e);

	if (r == 1)
		r = find_section(&f, FV_SECTION_GUIDED, &s, e);
	if (r < 0)
		return r;
	if (r == 0 || memcmp(s.guid, lzma, FV_GUID_BYTES))
		return err_set(e, EINVAL, "the firmware's first volume holds no LZMA-compressed volume: not OVMF or AAVMF");
	return unpack(&s, ret, e);
}

/* --- volumes --------------------------------------------------------------------------------------------------------- */

static int take_volume(const struct fv *fv, bool in_memory, struct firmware *ret, struct err *e)
{
	struct fv_file f;
	int pei = find_file(fv, FV_FILE_PEI_CORE, NULL, &f, e);
	int dxe = pei < 0 ? pei : find_file(fv, FV_FILE_DXE_CORE, NULL, &f, e);

	if (dxe < 0)
		return dxe;
	if ((pei && ret->pei.data) || (dxe && ret->dxe.data))
		return err_set(e, EINVAL, "the firmware has a second volume with a %s core", pei ? "PEI" : "DXE");
	if (pei) {
		ret->pei = *fv;
		ret->pei_in_memory = in_memory;
	}
	if (dxe)
		ret->dxe = *fv;
	return 0;
}

static int take_unpacked(struct firmware *ret, struct err *e)
{
	const struct buf *b = &ret->unpacked;
	struct fv_section s;
	size_t at = 0;
	int r;

	while ((r = fv_section_next(b->data, b->len, &at, &s, e)) == 1) {
		struct fv fv;
		int rc = 0;

		if (s.type == FV_SECTION_VOLUME)
			rc = fv_parse(s.data, s.len, "unpacked firmware", &fv, e);
		if (!rc && s.type == FV_SECTION_VOLUME)
			rc = take_volume(&fv, true, ret, e);
		if (rc)
			return rc;
	}
	return r;
}

/* --- facts of the PEI volume ----------------------------------------------------------------------------------------- */

/* Modules of a volume in memory are linked to where they will lie: ImageBase of the PEI core (PE32+) says where. */
static int find_address(struct firmware *f, struct err *e)
{
	struct fv_section s;
	struct fv_file core;
	struct reader r;
	uint32_t pe, signature;
	uint64_t base, offset;
	int rc = find_file(&f->pei, FV_FILE_PEI_CORE, NULL, &core, e);

	if (rc == 1)
		rc = find_section(&core, FV_SECTION_PE32, &s, e);
	if (rc != 1)
		return rc ? rc : err_set(e, EINVAL, "the firmware's PEI core has no PE32 section");
	r = reader_init(s.data, s.len);
	(void)reader_bytes(&r, 60);
	pe = reader_u32le(&r);
	r = reader_init(s.data, s.len);
	(void)reader_bytes(&r, pe);
	signature = reader_u32le(&r);
	(void)reader_bytes(&r, 20 + 24); /* COFF header, optional header up to ImageBase */
	base = reader_u64le(&r);
	offset = (uint64_t)(s.data - f->pei.data);
	if (r.bad || signature != 0x4550 || base < offset || (base - offset) % VOLUME_STEP || base > UINT32_MAX)
		return err_set(e, EINVAL, "the firmware's PEI core is linked to 0x%llx, 0x%llx into its volume: no place for a volume",
			       (unsigned long long)base, (unsigned long long)offset);
	f->pei_address = base - offset;
	return 0;
}

static size_t utf16_run(const uint8_t *p, size_t left)
{
	size_t n = 0;

	while (left - 2 * n >= 2 && p[2 * n] >= ' ' && p[2 * n] <= '~' && !p[2 * n + 1])
		n++;
	return left - 2 * n >= 2 && !p[2 * n] && !p[2 * n + 1] ? n : 0;
}

/*
 * PcdFirmwareVersionString is fixed when the firmware is built, so it is a constant of the module that measures it:
 * Tcg2Pei's one UTF-16 text. Were there two, nobody could say which.
 */
static int find_version(struct firmware *f, struct err *e)
{
	enum { LEAST_CHARS = 4 };
	struct fv_section s = { 0 };
	struct fv_file module;
	size_t found = 0;
	int r = find_file(&f->pei, FV_FILE_PEIM, tcg2_pei, &module, e);

	if (r == 1)
		r = find_section(&module, f->pei_in_memory ? FV_SECTION_PE32 : FV_SECTION_TE, &s, e);
	if (r != 1)
		return r ? r : err_set(e, EINVAL, "the firmware has no Tcg2Pei: it measures nothing");
	/* 16-bit characters stand at even places of the volume, as its modules do. */
	for (size_t i = (size_t)(s.data - f->pei.data) % 2; i < s.len; i += 2) {
		size_t n = utf16_run(s.data + i, s.len - i);

		if (n < LEAST_CHARS)
			continue;
		if (found++ || n > FIRMWARE_MAX_VERSION_CHARS)
			return err_set(e, EINVAL, "Tcg2Pei holds more than one text, or one of %zu characters: which is the "
						  "firmware's version is not clear", n);
		for (size_t k = 0; k < n; k++)
			f->version[k] = (char)s.data[i + 2 * k];
		i += 2 * n;
	}
	return found ? 0 : err_set(e, EINVAL, "Tcg2Pei holds no text: the firmware's version is not known");
}

int firmware_find(const struct fv *outer, struct firmware *ret, struct err *e)
{
	int r = take_volume(outer, false, ret, e);

	r = r ? r : take_unpacked(ret, e);
	if (!r && (!ret->pei.data || !ret->dxe.data))
		r = err_set(e, EINVAL, "the firmware has no volume with a %s core", ret->pei.data ? "DXE" : "PEI");
	if (!r && !ret->pei_in_memory && ret->dxe.data == ret->pei.data)
		r = err_set(e, EINVAL, "the firmware has PEI core and DXE core in one volume: not OVMF or AAVMF");
	if (!r && ret->pei_in_memory)
		r = find_address(ret, e);
	return r ? r : find_version(ret, e);
}

int firmware_parse(const uint8_t *data, size_t len, struct firmware *ret, struct err *e)
{
	static const char signature[] = { '_', 'F', 'V', 'H' };
	struct fv outer;
	size_t at = 0;
	int r;

	while (at < len && (len - at < 44 || memcmp(data + at + 40, signature, sizeof(signature))))
		at = len - at > VOLUME_STEP ? at + VOLUME_STEP : len;
	if (at >= len)
		return err_set(e, EINVAL, "no firmware volume in %zu bytes", len);
	r = fv_parse(data + at, len - at, "firmware", &outer, e);
	r = r ? r : unpack_volumes(&outer, &ret->unpacked, e);
	return r ? r : firmware_find(&outer, ret, e);
}
