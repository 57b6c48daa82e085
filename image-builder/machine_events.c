/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/machine_events.c - the events of PCR 0 and 1, from bytes (declared in machine.h) */
#include "image-builder/machine.h"

#include "common/reader.h"
#include "image-builder/boot.h"

#include <string.h>

enum {
	LOADER_COMMAND_BYTES = 128,
	LOADER_NAME_BYTES = 56,
	LOADER_ALLOCATE = 1,
	LOADER_WRITE_POINTER = 4, /* the last one known */
	OPTION_ACTIVE = 0x01,
	OPTION_HIDDEN_APP = 0x109, /* active, hidden, category application */
};

/* 462caa21-7614-4503-836e-8ab6f4662331, as stored: UiApp, the boot manager's menu */
static const uint8_t ui_app[FV_GUID_BYTES] = { 0x21, 0xaa, 0x2c, 0x46, 0x14, 0x76, 0x03, 0x45,
					       0x83, 0x6e, 0x8a, 0xb6, 0xf4, 0x66, 0x23, 0x31 };
/* What edk2 puts behind options that it made itself (mBmAutoCreateBootOptionGuid). */
static const uint8_t automatic[FV_GUID_BYTES] = { 0x4e, 0xac, 0x08, 0x81, 0x11, 0x9f, 0x59, 0x4d,
						  0x85, 0x0e, 0xe2, 0x1a, 0x52, 0x2c, 0x59, 0xb2 };

int machine_code(const struct firmware *f, const uint8_t *pei, struct predict_list *ret, struct err *e)
{
	cleanup_buf struct buf version = BUF_INIT;
	uint8_t digest[HASH_SHA256_BYTES];
	char what[FIRMWARE_MAX_VERSION_CHARS + 32];
	int r;

	for (const char *s = f->version; *s; s++)
		buf_u16le(&version, (uint8_t)*s);
	buf_u16le(&version, 0);
	if (version.bad)
		return err_set(e, ENOMEM, "no memory for the firmware's version");
	(void)snprintf(what, sizeof(what), "version of the firmware, %s", f->version); /* fits */
	r = predict_add_bytes(ret, version.data, version.len, "EV_S_CRTM_VERSION", what, e);
	if (!pei)
		hash_sha256(f->pei.data, f->pei.len, digest);
	else
		memcpy(digest, pei, sizeof(digest));
	r = r ? r : predict_add(ret, digest, "EV_EFI_PLATFORM_FIRMWARE_BLOB", "PEI volume of the firmware", e);
	if (!r && f->pei_in_memory) /* else the DXE volume lies in the one that was measured */
		r = predict_add_bytes(ret, f->dxe.data, f->dxe.len, "EV_EFI_PLATFORM_FIRMWARE_BLOB", "DXE volume of the firmware", e);
	return r ? r : predict_add_separator(ret, e);
}

int machine_loader(const void *loader, size_t len, struct machine_blob *ret, size_t max, size_t *ret_n, struct err *e)
{
	struct reader r = reader_init(loader, len);
	size_t n = 0;

	if (!len || len % LOADER_COMMAND_BYTES)
		return err_set(e, EINVAL, "etc/table-loader has %zu bytes, wanted commands of %d", len, LOADER_COMMAND_BYTES);
	while (r.left) {
		size_t at = reader_offset(&r);
		struct reader one = reader_sub(&r, LOADER_COMMAND_BYTES);
		uint32_t command = reader_u32le(&one);
		const uint8_t *name = reader_bytes(&one, LOADER_NAME_BYTES);

		if (command > LOADER_WRITE_POINTER)
			return err_set(e, EINVAL, "etc/table-loader: command %u at offset %zu is not known", command, at);
		if (command != LOADER_ALLOCATE)
			continue;
		if (n == max || !memchr(name, '\0', LOADER_NAME_BYTES) || !*name)
			return err_set(e, EINVAL, "etc/table-loader: file %zu at offset %zu: more than %zu files, or a name without end", n,
				       at, max);
		(void)snprintf(ret[n++].name, sizeof(ret->name), "%s", (const char *)name); /* fits */
	}
	*ret_n = n;
	return 0;
}

static void put_utf16(struct buf *b, const char *text)
{
	do
		buf_u16le(b, (uint8_t)*text);
	while (*text++);
}

/* Type, subtype, length with this header. */
static void put_node(struct buf *b, uint8_t type, uint8_t subtype, const void *data, size_t n)
{
	buf_u8(b, type);
	buf_u8(b, subtype);
	buf_u16le(b, (uint16_t)(4 + n));
	buf_put(b, data, n);
}

static int add_option(struct predict_list *l, uint32_t attributes, const char *description, const struct buf *path, const char *name,
		      struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;

	buf_u32le(&b, attributes);
	buf_u16le(&b, (uint16_t)path->len);
	put_utf16(&b, description);
	buf_put(&b, path->data, path->len);
	if (attributes == OPTION_ACTIVE)
		buf_put(&b, automatic, sizeof(automatic));
	if (b.bad || path->bad)
		return err_set(e, ENOMEM, "no memory for a boot option");
	return predict_add_bytes(l, b.data, b.len, "EV_EFI_VARIABLE_BOOT", name, e);
}

/* PciRoot(0x0)/Pci(BOOT_PCI_DISK,0x0): ACPI node with PNP0A03, PCI node with function and device */
static int add_disk(struct predict_list *l, struct err *e)
{
	static const uint8_t root[] = { 0xd0, 0x41, 0x03, 0x0a, 0, 0, 0, 0 }, pci[] = { 0, BOOT_PCI_DISK };
	cleanup_buf struct buf path = BUF_INIT;

	put_node(&path, 0x02, 0x01, root, sizeof(root));
	put_node(&path, 0x01, 0x01, pci, sizeof(pci));
	put_node(&path, 0x7f, 0xff, NULL, 0);
	return add_option(l, OPTION_ACTIVE, "UEFI Misc Device", &path, "boot option Boot0001, the disk", e);
}

static int add_setup(const uint8_t volume[static FV_GUID_BYTES], struct predict_list *l, struct err *e)
{
	cleanup_buf struct buf path = BUF_INIT;

	put_node(&path, 0x04, 0x07, volume, FV_GUID_BYTES);
	put_node(&path, 0x04, 0x06, ui_app, sizeof(ui_app));
	put_node(&path, 0x7f, 0xff, NULL, 0);
	return add_option(l, OPTION_HIDDEN_APP, "UiApp", &path, "boot option Boot0000, the setup", e);
}

int machine_boot_options(const uint8_t volume[static FV_GUID_BYTES], struct predict_list *ret, struct err *e)
{
	static const uint8_t order[] = { 1, 0, 0, 0 }; /* QEMU's bootindex puts the disk first */
	int r = predict_add_bytes(ret, order, sizeof(order), "EV_EFI_VARIABLE_BOOT", "boot order", e);

	r = r ? r : add_disk(ret, e);
	return r ? r : add_setup(volume, ret, e);
}
