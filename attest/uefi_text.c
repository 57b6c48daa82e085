/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/uefi_text.c - strings, GUIDs and device paths of firmware, as text that a terminal may be shown */
#include "attest/uefi_text.h"

#include "common/reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MAX_NODES = 64, NODE_END = 0x7f, NODE_END_ENTIRE = 0xff };

static char printable(unsigned c)
{
	return c >= ' ' && c <= '~' ? (char)c : '?';
}

void uefi_text_ascii(struct bytes b, char ret[static UEFI_TEXT_MAX_BYTES])
{
	size_t n = 0;

	for (; n < b.n && n + 1 < UEFI_TEXT_MAX_BYTES && b.p[n]; n++)
		ret[n] = printable(b.p[n]);
	ret[n] = '\0';
}

void uefi_text_utf16(struct bytes b, char ret[static UEFI_TEXT_MAX_BYTES])
{
	size_t n = 0;

	for (; 2 * n + 1 < b.n && n + 1 < UEFI_TEXT_MAX_BYTES; n++) {
		unsigned c = b.p[2 * n] | (unsigned)b.p[2 * n + 1] << 8;

		if (!c)
			break;
		ret[n] = printable(c);
	}
	ret[n] = '\0';
}

/* All characters printable, but for NULs at the end; @step bytes each. */
static bool is_text(struct bytes b, size_t step)
{
	while (b.n > step && !b.p[b.n - 1] && !b.p[b.n - step])
		b.n -= step;
	if (b.n < step || b.n % step)
		return false;
	for (size_t i = 0; i < b.n; i += step) {
		bool high = step == 2 && b.p[i + 1];

		if (high || !((b.p[i] >= ' ' && b.p[i] <= '~') || b.p[i] == '\n' || b.p[i] == '\t'))
			return false;
	}
	return true;
}

void uefi_text_any(struct bytes b, char ret[static UEFI_TEXT_MAX_BYTES])
{
	*ret = '\0';
	if (is_text(b, 1))
		uefi_text_ascii(b, ret);
	else if (is_text(b, 2))
		uefi_text_utf16(b, ret);
}

/* Bytes as they lie in memory: the first three fields little-endian. */
static const struct {
	uint8_t guid[UEFI_GUID_BYTES];
	const char *name;
} guid_table[] = {
	{{0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c},
	 "EFI global variable"},
	{{0xcb, 0xb2, 0x19, 0xd7, 0x3a, 0x3d, 0x96, 0x45, 0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f},
	 "image security database"},
	{{0x50, 0xab, 0x5d, 0x60, 0x46, 0xe0, 0x00, 0x43, 0xab, 0xb6, 0x3d, 0xd8, 0x10, 0xdd, 0x8b, 0x23}, "shim"},
	{{0xbd, 0x9a, 0xfa, 0x77, 0x59, 0x03, 0x32, 0x4d, 0xbd, 0x60, 0x28, 0xf4, 0xe7, 0x8f, 0x78, 0x4b}, "Microsoft"},
	{{0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b},
	 "EFI system partition"},
	{{0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a, 0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72},
	 "X.509 certificate"},
	{{0x26, 0x16, 0xc4, 0xc1, 0x4c, 0x50, 0x92, 0x40, 0xac, 0xa9, 0x41, 0xf9, 0x36, 0x93, 0x43, 0x28}, "SHA-256"},
	{{0xe3, 0xbc, 0x68, 0x4f, 0xe8, 0xe8, 0x4d, 0x4b, 0x93, 0xe7, 0xa5, 0xf3, 0x61, 0x64, 0x6f, 0x83}, "root x86_64"},
};

void uefi_text_guid(const uint8_t g[static UEFI_GUID_BYTES], char ret[static UEFI_TEXT_MAX_BYTES])
{
	const char *name = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(guid_table); i++)
		if (!memcmp(guid_table[i].guid, g, UEFI_GUID_BYTES))
			name = guid_table[i].name;
	(void)snprintf(ret, UEFI_TEXT_MAX_BYTES, /* is short */
		       "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x%s%s%s", g[3], g[2], g[1],
		       g[0], g[5], g[4], g[7], g[6], g[8], g[9], g[10], g[11], g[12], g[13], g[14], g[15],
		       name ? " (" : "", name ? name : "", name ? ")" : "");
}

/* --- device paths --------------------------------------------------------------------------------------------------
 */

struct out {
	char *text;
	size_t n;
};

static void put(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put(struct out *o, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(o->text + o->n, UEFI_TEXT_MAX_BYTES - o->n, fmt, ap);
	va_end(ap);
	if (n > 0)
		o->n = (size_t)n < UEFI_TEXT_MAX_BYTES - o->n ? o->n + (size_t)n : UEFI_TEXT_MAX_BYTES - 1;
}

static void put_guid(struct out *o, const char *what, struct reader *r)
{
	uint8_t guid[UEFI_GUID_BYTES];
	char text[UEFI_TEXT_MAX_BYTES];

	reader_copy(r, guid, sizeof(guid));
	uefi_text_guid(guid, text);
	text[36] = '\0'; /* without its name */
	put(o, "%s(%s)", what, text);
}

static void put_acpi(struct out *o, struct reader *r)
{
	uint32_t hid = reader_u32le(r), uid = reader_u32le(r);

	if (hid == 0x0a0341d0 || hid == 0x0a0841d0) /* PNP0A03, PNP0A08 */
		put(o, "PciRoot(0x%x)", (unsigned)uid);
	else
		put(o, "Acpi(0x%08x,0x%x)", (unsigned)hid, (unsigned)uid);
}

static void put_messaging(struct out *o, uint8_t subtype, struct reader *r)
{
	char text[UEFI_TEXT_MAX_BYTES];
	unsigned a, b, c;

	switch (subtype) {
	case 2:
		a = reader_u16le(r);
		b = reader_u16le(r);
		put(o, "Scsi(0x%x,0x%x)", a, b);
		break;
	case 5:
		a = reader_u8(r);
		b = reader_u8(r);
		put(o, "USB(0x%x,0x%x)", a, b);
		break;
	case 11:
		put(o, "MAC(");
		for (int i = 0; i < 6; i++)
			put(o, "%02x", (unsigned)reader_u8(r));
		put(o, ")");
		break;
	case 12:
		put(o, "IPv4()");
		break;
	case 13:
		put(o, "IPv6()");
		break;
	case 18:
		a = reader_u16le(r);
		b = reader_u16le(r);
		c = reader_u16le(r);
		put(o, "Sata(0x%x,0x%x,0x%x)", a, b, c);
		break;
	case 23:
		put(o, "NVMe(0x%x)", (unsigned)reader_u32le(r));
		break;
	case 24:
		uefi_text_ascii((struct bytes){r->p, r->left}, text);
		put(o, "Uri(%s)", text);
		break;
	case 29:
		put(o, "eMMC(0x%x)", (unsigned)reader_u8(r));
		break;
	default:
		put(o, "Msg(%u)", (unsigned)subtype);
	}
}

static void put_media(struct out *o, uint8_t subtype, struct reader *r)
{
	char text[UEFI_TEXT_MAX_BYTES];
	uint8_t signature[UEFI_GUID_BYTES];
	unsigned part;

	switch (subtype) {
	case 1:
		part = reader_u32le(r);
		(void)reader_bytes(r, 16); /* start and size */
		reader_copy(r, signature, sizeof(signature));
		uefi_text_guid(signature, text);
		text[36] = '\0';
		put(o, "HD(%u,%s)", part, text);
		break;
	case 2:
		put(o, "CDROM(0x%x)", (unsigned)reader_u32le(r));
		break;
	case 3:
		put_guid(o, "VenMedia", r);
		break;
	case 4:
		uefi_text_utf16((struct bytes){r->p, r->left}, text);
		put(o, "%s", text);
		break;
	case 6:
		put_guid(o, "FvFile", r);
		break;
	case 7:
		put_guid(o, "Fv", r);
		break;
	default:
		put(o, "Media(%u)", (unsigned)subtype);
	}
}

static void put_node(struct out *o, uint8_t type, uint8_t subtype, struct reader *r)
{
	char text[UEFI_TEXT_MAX_BYTES];
	unsigned function;

	if (type == 1 && subtype == 1) {
		function = reader_u8(r);
		put(o, "Pci(0x%x,0x%x)", (unsigned)reader_u8(r), function);
	} else if (type == 1 && subtype == 3) {
		(void)reader_u32le(r); /* type of the memory */
		put(o, "MemoryMapped(0x%llx)", (unsigned long long)reader_u64le(r));
	} else if (type == 1 && subtype == 4) {
		put_guid(o, "VenHw", r);
	} else if (type == 2 && subtype == 1) {
		put_acpi(o, r);
	} else if (type == 3) {
		put_messaging(o, subtype, r);
	} else if (type == 4) {
		put_media(o, subtype, r);
	} else if (type == 5) {
		(void)reader_bytes(r, 4); /* device type and status */
		uefi_text_ascii((struct bytes){r->p, r->left}, text);
		put(o, "BBS(%s)", text);
	} else {
		put(o, "Path(%u,%u)", (unsigned)type, (unsigned)subtype);
	}
	if (r->bad)
		put(o, "(cut short)");
}

void uefi_text_path(struct bytes path, char ret[static UEFI_TEXT_MAX_BYTES])
{
	struct reader r = reader_init(path.p, path.n);
	struct out o = {ret, 0};

	*ret = '\0';
	for (size_t n = 0; r.left; n++) {
		uint8_t type = reader_u8(&r), subtype = reader_u8(&r);
		uint16_t bytes = reader_u16le(&r);
		struct reader node;

		if (r.bad || bytes < 4 || n == MAX_NODES || r.left < bytes - 4u) {
			put(&o, " (malformed)");
			return;
		}
		node = reader_sub(&r, bytes - 4u);
		if (type == NODE_END && subtype == NODE_END_ENTIRE)
			return;
		if (type == NODE_END) {
			put(&o, ",");
			continue;
		}
		if (o.n && ret[o.n - 1] != ',')
			put(&o, "/");
		put_node(&o, type, subtype, &node);
	}
}
