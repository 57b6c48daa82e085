/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/board.h - boards and engines: plain data that says what an image is made of
 *
 * `boards/<name>/board.conf` is a machine: architecture, kernel, modules, command line, disk, emulator.
 * `engines/<name>/engine.conf` is a container engine: packages, programs, configuration files, how it is started.
 * Both are read strictly (common/conf.h): an unknown key, a missing one, a value out of bounds name file and line or key.
 *
 * Input: the builder's own user.
 */
#ifndef IMAGE_BUILDER_BOARD_H
#define IMAGE_BUILDER_BOARD_H

#include "common/cleanup.h"
#include "common/conf.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#define BOARD_RUNTIME_PATH "usr/lib/holdfast/crun"
#define BOARD_MAX_LIST 64

/** struct board_list - values of a list key, borrowed from the file's text */
struct board_list {
	const char *v[BOARD_MAX_LIST];
	size_t n;
};

/**
 * struct board - board.conf
 * @arch:      "x86_64" or "arm64"
 * @package:   packages that the image or its building needs
 * @stub:      UKI stub, path in the tree; "" with the profile `direct`, which has no UKI
 * @loader:    systemd-boot, path in the tree; "" likewise
 * @boot_module, @host_module: "[-|+]NAME [parameter=value ...]"; '-' and '+' as in the boot manifest
 * @library:   libraries in the tree that programs of the root load by name at run time (dlopen)
 * @cmdline:   without roothash= and holdfast.profile=, which the builder adds
 * @floor_healthy_ms, @state, @state_recovery: as in the host manifest
 * @tpm, @on_corruption, @on_failure, @deadline_*: as in the boot manifest
 * @agent_tls: where the agent answers over TLS, beside its virtio port: HOST:PORT or vsock:any:PORT; "": nowhere
 * @esp_mib:   partition sizes; root 0: a quarter more than the root needs, for the images to come
 * @watchdog, @watchdog_ms: as in the host manifest; "" for none
 * @qemu_*:    how `holdfast-image boot` starts it; @qemu_arg: more arguments, one a line
 * @firmware_code, @firmware_vars: paths in the tree; "" with the profile `direct`
 */
struct board {
	char *text;
	const char *arch;
	struct board_list package, boot_module, host_module, library;
	const char *agent_tls;
	const char *stub, *loader, *cmdline, *profile, *tpm, *on_corruption, *on_failure, *watchdog, *state, *state_recovery;
	uint64_t deadline_tpm_ms, deadline_disk_ms, watchdog_ms, floor_healthy_ms;
	uint64_t esp_mib, root_mib, state_mib;
	const char *qemu, *qemu_machine, *qemu_cpu, *qemu_memory, *qemu_tpm;
	struct board_list qemu_arg;
	const char *firmware_code, *firmware_vars;
};

/**
 * struct engine - engine.conf
 * @folder:  where it was read from; file sources are below it
 * @program: paths in the tree; their libraries come along
 * @runtime: the OCI runtime below the gate, path in the tree. It becomes BOARD_RUNTIME_PATH without any execute bit: the
 *           gate starts it through the loader, and a client of the engine that names it as its own runtime gets EACCES
 * @file:    "SOURCE DEST": a file of the engine's folder and its place in the root (relative)
 * @link:    "PATH TARGET": a symbolic link in the root
 * @config:  absolute paths in the image that are measured as configuration, in order
 * @store:   "podman": the policy's images as an additional image store (podman_store.h); "none"
 * @seed:    command that makes an archive's image known to the engine by name; it gets the archive's path. "": there is none
 * @argv, @ready, @ready_ms: as in the host manifest
 */
struct engine {
	char *text;
	char folder[PATH_MAX];
	struct board_list package, program, library, file, link, config;
	const char *argv, *ready, *runtime, *store, *seed;
	uint64_t ready_ms;
};

/** board_load() - read @folder/board.conf (or the file itself, if @folder is one). Zero @ret first; board_free() in any case. */
int board_load(const char *folder, struct board *ret, struct err *e) WARN_UNUSED;
void board_free(struct board *b);
#define cleanup_board __attribute__((cleanup(board_free)))

/** engine_load() - read @folder/engine.conf. Zero @ret first; engine_free() in any case. */
int board_engine_load(const char *folder, struct engine *ret, struct err *e) WARN_UNUSED;
void board_engine_free(struct engine *g);
#define cleanup_engine __attribute__((cleanup(board_engine_free)))

/**
 * board_is_direct() - is it a machine without UEFI? Kernel, initramfs and command line are then files of their own, and the
 * disk has no ESP.
 */
bool board_is_direct(const struct board *b);

/** board_deb_arch() - Debian's name of a board's architecture: "amd64", "arm64". */
const char *board_deb_arch(const char *arch);

#endif
