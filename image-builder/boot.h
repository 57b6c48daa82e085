/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/boot.h - boot an image in QEMU: Secure Boot with the owner's keys, an emulated TPM, a verdict
 *
 * Theory of operation
 *   A machine is a state folder: the firmware's variable store with the owner's keys enrolled (virt-fw-vars), a TPM with
 *   an endorsement key and its certificate by a private manufacturer (swtpm_setup), and sockets. QEMU and swtpm are our
 *   children and die with us (PR_SET_PDEATHSIG). The serial console is QEMU's standard output: each line is passed on,
 *   and judged by boot_verdict_line(). Under Secure Boot the kernel's lockdown denies port I/O, so PID 1 cannot end QEMU
 *   with a status of its own through isa-debug-exit; its failure code is therefore taken from its console line.
 *   KVM is never used: where /dev/kvm exists but does not work it hangs, and TCG is fast enough.
 *
 * Runs as: the builder's user. Spec: qemu-system(1), swtpm(8); OVMF's README on SMM and secure variable stores.
 */
#ifndef IMAGE_BUILDER_BOOT_H
#define IMAGE_BUILDER_BOOT_H

#include "common/cleanup.h"
#include "common/codes.h"
#include "common/err.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#define BOOT_ATTEST_PORT     "org.holdfast.attest"
#define BOOT_MAX_LINE_BYTES  4096

/**
 * struct boot_verdict - what the console has said so far; zero it first
 * @ready:    "holdfast: ready" was seen
 * @done:     "holdfast: shutdown: done" was seen: the host ended in order
 * @until:    the text that was waited for was seen
 * @code:     of the last refusal; CODE_NONE if there was none
 * @sentence: that refusal's line
 */
struct boot_verdict {
	bool ready;
	bool done;
	bool until;
	enum code code;
	char sentence[256];
};

/**
 * boot_verdict_line() - judge one console line
 * @line:  without its newline; control sequences and carriage returns are looked past
 * @until: text to wait for, or NULL
 *
 * Knows PID 1's "holdfast: E<code> ..." line, the firmware's refusals, the kernel's dm-verity corruption and panic. The
 * guest's other output cannot look like these: it would have to begin the line with "holdfast: ", which only PID 1
 * does; and a guest that lies here has only fooled its own test.
 * Return: true if nothing more is to be waited for (the firmware refused, or @until came).
 */
bool boot_verdict_line(struct boot_verdict *v, const char *line, const char *until);

/*
 * Where the devices stand on the PCI bus: the firmware measures the disk's place as part of its boot option, and ACPI tables name
 * every place that is taken (image-builder/machine.h). 1 is a PC's display.
 */
#define BOOT_PCI_DISK   2
#define BOOT_PCI_ATTEST 3

/**
 * struct boot_params - zero it, then set what is needed
 * @disk:       image to attach; opened with snapshot=on unless @keep_writes
 * @keep_variables: the firmware's variables stay as the boot before left them
 * @keys:       folder of holdfast-image keys
 * @tree:       extracted packages: firmware and virt-fw-vars
 * @state:      the machine's folder; made if it is not there, used again if it is
 * @firmware_code, @firmware_vars: paths below @tree; not used with @kernel
 * @kernel, @initramfs, @cmdline: started by QEMU itself, without UEFI: two files and the text of the command line; all NULL:
 *              the firmware starts what is on the disk
 * @system:     qemu-system-...; @machine, @cpu: its options; @tpm_device: "tpm-tis", "tpm-crb" or "tpm-tis-device"
 * @memory:     guest memory as QEMU writes it ("1024M")
 * @extra:      @n_extra more arguments of the board
 * @secure_boot, @tpm: off only to show that the guest then refuses
 * @attest_socket: UNIX socket for the agent's port, or NULL
 * @console:    file that gets the console too, or NULL
 * @timeout_s:  deadline of the whole boot
 * @icount:     deterministic clock: one guest nanosecond an instruction
 * @echo:       gets each console line, or NULL
 * @ask:        called with @ask_arg once @until came, before the machine is ended; with @frozen at once, its processor never
 *              running: what it returns is boot_run()'s result. It finds QEMU's test socket at @qtest_socket, its
 *              monitor at @monitor_socket (qtest.h)
 */
struct boot_params {
	const char *disk, *keys, *tree, *state;
	const char *firmware_code, *firmware_vars;
	const char *kernel, *initramfs, *cmdline;
	const char *system, *machine, *cpu, *tpm_device, *memory;
	const char *const *extra;
	size_t n_extra;
	bool secure_boot, tpm, keep_writes, keep_variables, icount;
	const char *attest_socket, *console, *until;
	unsigned timeout_s;
	void (*echo)(const char *line);
	const char *qtest_socket, *monitor_socket;
	int (*ask)(void *arg, struct err *e);
	void *ask_arg;
	bool frozen;
};

/**
 * boot_run() - prepare the machine, run it to its end, the deadline or the text waited for
 *
 * Should: leave no process and no socket. Return: 0 with *@ret filled; -errno if the machine could not be run.
 */
int boot_run(const struct boot_params *p, struct boot_verdict *ret, struct err *e) WARN_UNUSED;

/**
 * boot_vars_make() - variable store with the owner's keys at @path (atomically; nothing if it is there already)
 * Runs the tree's virt-fw-vars by the machine's own Python. Return: 0 or -errno.
 */
int boot_vars_make(const struct boot_params *p, const char *path, struct err *e) WARN_UNUSED;

#define BOOT_EK_ROOTS "ek-roots.pem" /* in the state folder: what the private TPM manufacturer signs with */

/** boot_tpm_make() - TPM state and EK certificate in <state>/tpm (nothing if it is there already), and BOOT_EK_ROOTS. */
int boot_tpm_make(const char *state, struct err *e) WARN_UNUSED;

/** boot_tpm_start() - start swtpm on <state>/swtpm.sock. *@ret_pid is our child. */
int boot_tpm_start(const char *state, int *ret_pid, struct err *e) WARN_UNUSED;

/** boot_child_start() - fork and exec @argv; it dies with us. @out_fd becomes its stdout and stderr. */
int boot_child_start(const char *const argv[], int out_fd, int *ret_pid, struct err *e) WARN_UNUSED;

/** boot_child_end() - end a child of ours: SIGTERM, a second, SIGKILL; reaped. -1 is fine. */
void boot_child_end(int *pid);

#endif
