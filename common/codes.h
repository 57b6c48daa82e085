/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * common/codes.h - the stable failure codes: one number for each way the chain can refuse
 *
 * A code never changes its meaning and is never used again for another. The number is what stands on the
 * console ("holdfast: E19 ..."), in logs, in tests and, for `holdfast-image boot`, in the exit status.
 * All are from 10 to 99, so that they never meet the four exit codes of common/cli.h.
 */
#ifndef COMMON_CODES_H
#define COMMON_CODES_H

#include <stdbool.h>

enum code {
	CODE_NONE = 0,
	/* initramfs */
	CODE_API_FS = 10,
	CODE_CONSOLE = 11,
	CODE_MANIFEST = 12,
	CODE_MODULE = 13,
	CODE_TPM_ABSENT = 14,
	CODE_MEASURE = 15,
	CODE_DISK_ABSENT = 16,
	CODE_COMMAND_LINE = 17,
	CODE_ROOT_SIGNATURE_RECORD = 18,
	CODE_ROOT_SIGNATURE = 19,
	CODE_ROOT_VERITY = 20,
	CODE_ROOT_MOUNT = 21,
	CODE_SWITCH_ROOT = 22,
	CODE_SECURE_BOOT = 23,
	CODE_IMA_POLICY = 24,
	CODE_LOCKDOWN = 25,
	CODE_VERITY_UNGUARDED = 26,
	CODE_ROOT_RECORD_HASH = 27,
	CODE_ROOT_RECORD_SIGNER = 28,
	CODE_UEVENTS = 29,
	/* host */
	CODE_HOST_MANIFEST = 30,
	CODE_HOST_MOUNT = 31,
	CODE_LAYER_POLICY = 32,
	CODE_LAYER_POLICY_SIGNATURE = 33,
	CODE_IPE_POLICY = 34,
	CODE_IPE_ENFORCE = 35,
	CODE_HARDENING = 36,
	CODE_HOST_MODULE = 37,
	CODE_LAYER = 38,
	CODE_HOST_MEASURE = 39,
	CODE_ENGINE_START = 40,
	CODE_ENGINE_READY = 41,
	CODE_ENGINE_RESTARTS = 42,
	CODE_TASK = 43,
	CODE_BPF_LSM = 44,
	CODE_ROOT_UNPROVED = 45,
	CODE_CONFINE = 46,
	CODE_LAYER_SIGNATURE = 47,
	CODE_DOCTOR = 48,
	CODE_WATCHDOG = 49,
	CODE_CORRUPTION = 50,
	CODE_IO_ERROR = 51,
	CODE_FLOOR = 53,
	CODE_FLOOR_LOST = 54,
	CODE_FLOOR_UNREAD = 55,
	CODE_STATE = 56,
	CODE_STATE_FOREIGN = 57,
	CODE_STATE_SEALED = 58,
	CODE_STATE_SWAPPED = 59,
	/* gate */
	CODE_GATE_CONFIG = 60,
	CODE_GATE_NO_ENTRY = 61,
	CODE_GATE_ARGS = 62,
	CODE_GATE_ENV = 63,
	CODE_GATE_USER = 64,
	CODE_GATE_CAPABILITY = 65,
	CODE_GATE_MOUNT = 66,
	CODE_GATE_NAMESPACE = 67,
	CODE_GATE_HOOK = 68,
	CODE_GATE_DEVICE = 69,
	CODE_GATE_LAYER = 70,
	CODE_GATE_SECCOMP = 71,
	CODE_GATE_BUNDLE = 72,
	CODE_GATE_EXEC = 73,
	CODE_GATE_VERB = 74,
	CODE_GATE_MEASURE = 75,
	CODE_GATE_POLICY = 76,
	CODE_GATE_CLASS = 77,
	CODE_GATE_ABSENT = 78,
	/* firmware and emulator, seen by `holdfast-image boot` */
	CODE_FIRMWARE_REFUSED = 80,
	CODE_KERNEL_PANIC = 81,
	CODE_DEADLINE = 82,
	CODE_INTERNAL = 90,
};

/** struct code_info - one row: @text is what happened, @cause why it usually does, @action what the operator does */
struct code_info {
	enum code code;
	const char *text;
	const char *cause;
	const char *action;
};

/** code_info() - the row of @code; the row of CODE_INTERNAL for a number we do not know (never NULL). */
const struct code_info *code_info(unsigned code);

/** code_text() - the same row's text, from a table that holds nothing else. */
const char *code_text(unsigned code);

/** code_is_known() - is there a row of @code? */
bool code_is_known(unsigned code);

/** code_table() - all rows, in order, ended by one with code CODE_NONE. */
const struct code_info *code_table(void);

#endif
