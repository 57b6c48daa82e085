/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/stage_trust.c - what this boot is to be, and whether the ground it stands on is firm
 *
 * Boot manifest and command line say what to do; Secure Boot is what makes both of them believable: without it, anyone
 * could have started this very PID 1 with a command line of their own. So the profile `enforce` refuses to go on
 * unless the kernel says that Secure Boot was on when its EFI stub ran, and that it is locked down. The profile `audit`
 * goes on and says so; it is part of the measured command line. The profile `direct` (init/stage_direct.c) has no such
 * ground.
 *
 * Then the kernel itself becomes a witness: an IMA policy, which can be written only once, makes it measure every module
 * and every device-mapper table into PCR 10. It is written before the first of either.
 */
#include "init/pid1.h"

#include "common/hex.h"
#include "init/fdt.h"
#include "init/io.h"
#include "init/log.h"
#include "init/sys.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define LOCKDOWN   "/sys/kernel/security/lockdown"
#define EFI_FOLDER "/sys/firmware/efi"
#define IMA_POLICY "/sys/kernel/security/ima/policy"

/* The page the x86 kernel was started with. Kernel: Documentation/arch/x86/zero-page.rst, "secure_boot"; linux/efi.h. */
#define BOOT_PARAMS             "/sys/kernel/boot_params/data"
#define BOOT_PARAMS_SECURE_BOOT 0x1ec
#define BOOT_PARAMS_BYTES       4096
/*
 * arm64 has none; there the stub writes its finding into the device tree. Debian's kernel patch "arm64: add kernel config option
 * to lock down when in Secure Boot mode" has both kernel and stub do it. Lockdown alone would prove nothing: a command line can ask for it.
 */
#define FDT                 "/sys/firmware/fdt"
#define FDT_SECURE_BOOT     "linux,uefi-secure-boot"
#define MAX_FDT_BYTES       (256 << 10)
#define SECURE_BOOT_ENABLED 3 /* linux/efi.h, enum efi_secureboot_mode: in both places */

int pid1_stage_boot_manifest(struct pid1 *p, struct err *e)
{
	size_t len;
	int r = pid1_read(PID1_BOOT_CONF, p->boot.text, sizeof(p->boot.text), &len, e);

	return r ? r : pid1_boot_manifest_parse(&p->boot, len, e);
}

bool pid1_is_direct(const struct pid1 *p)
{
	return p->cmdline.profile == CMDLINE_DIRECT;
}

bool pid1_holds_execution(const struct pid1 *p)
{
	return pid1_is_direct(p) || p->cmdline.profile == CMDLINE_ENFORCE_JIT;
}

/* There the kernel could have judged, so whoever asks for `direct` has changed the command line. */
static int refuse_uefi(struct err *e)
{
	int fd = sys_open(EFI_FOLDER, O_RDONLY | O_DIRECTORY, 0);

	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return pid1_err(e, fd, "cannot look for %s", EFI_FOLDER);
	sys_close(fd);
	return err_set(e, EPERM, "profile direct on a machine with UEFI (%s is there)", EFI_FOLDER);
}

int pid1_stage_cmdline(struct pid1 *p, struct err *e)
{
	char text[CMDLINE_MAX_BYTES], hex[2 * HASH_SHA256_BYTES + 1];
	size_t len;
	int r = pid1_read("/proc/cmdline", text, sizeof(text), &len, e);

	if (!r)
		r = cmdline_parse(text, len, &p->cmdline, e);
	if (r)
		return r;
	hex_encode(p->cmdline.root_hash, HASH_SHA256_BYTES, hex);
	pid1_log(p->stage, "root hash %s, profile %s", hex,
		 cmdline_profile_str(p->cmdline.profile));
	if (!pid1_is_direct(p))
		return 0;
	r = refuse_uefi(e);
	return r ? r : pid1_direct_begin(p, e);
}

int pid1_profile_measure(struct pid1 *p, struct err *e)
{
	struct measure_event ev = measure_profile(cmdline_profile_str(p->cmdline.profile));
	int r = pid1_holds_execution(p) ? pid1_measure(&p->log, &ev, e) : 0;

	return r || !pid1_is_direct(p) ? r : pid1_direct_measure(p, e);
}

/* What the kernel's EFI stub found, where it is told by a device tree. */
static int read_fdt(uint32_t *ret, struct err *e)
{
	static char fdt[MAX_FDT_BYTES];
	size_t len;
	int r = pid1_read(FDT, fdt, sizeof(fdt), &len, e);

	r = r ? r : pid1_fdt_chosen_u32(fdt, len, FDT_SECURE_BOOT, ret, e);
	return r ? err_context(e, FDT) : 0;
}

static int read_boot_params(uint32_t *ret, struct err *e)
{
	static char page[BOOT_PARAMS_BYTES + 1];
	size_t len;
	int r = pid1_read(BOOT_PARAMS, page, sizeof(page), &len, e);

	if (!r)
		*ret = len > BOOT_PARAMS_SECURE_BOOT ? (uint8_t)page[BOOT_PARAMS_SECURE_BOOT] : 0;
	return r;
}

static int check_secure_boot(struct err *e)
{
	const char *where = BOOT_PARAMS;
	uint32_t found = 0;
	int r = read_boot_params(&found, e);

	if (r == -ENOENT) {
		where = FDT;
		r = read_fdt(&found, e);
	}
	if (r)
		return r;
	if (found != SECURE_BOOT_ENABLED)
		return err_set(e, EPERM, "the kernel's EFI stub did not find Secure Boot enabled (%s: %u, wanted %d)", where,
			       found, SECURE_BOOT_ENABLED);
	return 0;
}

static int check_lockdown(struct err *e)
{
	char text[64];
	size_t len;
	int r = pid1_read(LOCKDOWN, text, sizeof(text), &len, e);

	if (r)
		return r;
	if (strstr(text, "[integrity]") || strstr(text, "[confidentiality]"))
		return 0;
	return err_set(e, EPERM, "%s is \"%.*s\", wanted integrity or confidentiality", LOCKDOWN,
		       (int)strcspn(text, "\n"), text);
}

int pid1_stage_secure_boot(struct pid1 *p, struct err *e)
{
	int r;

	if (pid1_is_direct(p)) {
		pid1_log(p->stage, "none, profile direct: nothing vouches for kernel, initramfs and command line");
		return 0;
	}
	r = check_secure_boot(e);
	if (!r) {
		p->code = CODE_LOCKDOWN;
		r = check_lockdown(e);
	}
	if (r && p->cmdline.profile == CMDLINE_AUDIT) {
		pid1_log(p->stage, "not in force, profile audit goes on: %s", e->msg);
		return 0;
	}
	if (!r)
		pid1_log(p->stage, "on, kernel locked down");
	return r;
}

int pid1_stage_ima(struct pid1 *p, struct err *e)
{
	static const char *const rules[] = {
		"measure func=CRITICAL_DATA label=device-mapper\n",
		"measure func=MODULE_CHECK\n",
		"measure func=KEXEC_KERNEL_CHECK\n",
		"measure func=POLICY_CHECK\n",
	};
	int fd = sys_open(IMA_POLICY, O_WRONLY, 0); /* one open: closing it puts the policy in force, for good */

	(void)p;
	if (fd < 0)
		return pid1_err(e, fd, "cannot open %s", IMA_POLICY);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		ssize_t n = sys_write(fd, rules[i], strlen(rules[i])); /* one rule a write */

		if (n != (ssize_t)strlen(rules[i])) {
			sys_close(fd);
			return pid1_err(e, n < 0 ? (int)n : -EIO, "%s refused \"%.*s\"", IMA_POLICY,
					(int)strcspn(rules[i], "\n"), rules[i]);
		}
	}
	sys_close(fd);
	return 0;
}
