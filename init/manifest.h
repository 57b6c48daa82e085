/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/manifest.h - the two manifests of PID 1: what to do in the initramfs, and what on the host
 *
 * Input: authenticated (the one by the UKI's signature, the other by the verity root). Keys: docs/formats/README.md.
 * No heap: the text is kept in the structure, and everything in it points there.
 */
#ifndef INIT_MANIFEST_H
#define INIT_MANIFEST_H

#include "common/cleanup.h"
#include "common/conf.h"
#include "common/err.h"
#include "common/hash.h"
#include "verity/activate.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PID1_MAX_MANIFEST_BYTES 16384
#define PID1_MAX_MODULES        48
#define PID1_MAX_ARGS           32
#define PID1_MAX_TASKS          16
#define PID1_MAX_CONFIG_FILES   16
#define PID1_MAX_DEADLINE_MS    3600000
#define PID1_MIN_WATCHDOG_MS    15000 /* a step of the shutdown may take ten seconds */

enum pid1_action { PID1_POWEROFF, PID1_REBOOT, PID1_HALT };

/** struct pid1_module - @path is below /usr/lib/modules; @params may be ""; @optional: a refusal is no failure;
 * @late: not loaded until a failure is to be written down */
struct pid1_module {
	const char *path;
	const char *params;
	bool optional;
	bool late;
};

/** struct pid1_argv - an argument vector, NULL-terminated; empty if arg[0] is NULL */
struct pid1_argv {
	const char *arg[PID1_MAX_ARGS + 1];
};

/** struct pid1_boot_manifest - /etc/holdfast/boot.conf of the initramfs */
struct pid1_boot_manifest {
	char text[PID1_MAX_MANIFEST_BYTES + 1];
	struct pid1_module module[PID1_MAX_MODULES];
	size_t n_modules;
	uint8_t root_signer[HASH_SHA256_BYTES];
	bool tpm_required;
	uint64_t tpm_ms;
	uint64_t disk_ms;
	enum verity_on_corruption on_corruption;
	enum pid1_action on_failure;
};

/** struct pid1_host_manifest - /etc/holdfast/host.conf of the root */
struct pid1_host_manifest {
	char text[PID1_MAX_MANIFEST_BYTES + 1];
	struct pid1_module module[PID1_MAX_MODULES];
	size_t n_modules;
	struct pid1_argv engine;
	uint8_t engine_sha256[HASH_SHA256_BYTES]; /* of the file engine.arg[0] */
	const char *engine_config[PID1_MAX_CONFIG_FILES];
	size_t n_engine_configs;
	const char *engine_ready;
	uint64_t ready_ms;
	const char *watchdog; /* NULL: none */
	uint64_t watchdog_ms;
	uint64_t version, healthy_ms;
	struct pid1_argv state; /* holdfast-state(8); empty: none is wanted */
	struct pid1_argv agent;
	struct pid1_argv task[PID1_MAX_TASKS];
	size_t n_tasks;
	bool poweroff_when_done;
	enum pid1_action on_failure;
};

/** pid1_boot_manifest_parse() - parse ret->text (@len bytes, NUL behind them, cut in place). 0 or -EINVAL/-E2BIG. */
int pid1_boot_manifest_parse(struct pid1_boot_manifest *ret, size_t len, struct err *e) WARN_UNUSED;

/** pid1_host_manifest_parse() - the same for the host's. */
int pid1_host_manifest_parse(struct pid1_host_manifest *ret, size_t len, struct err *e) WARN_UNUSED;

#endif
