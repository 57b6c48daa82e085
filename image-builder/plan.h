/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/plan.h - what an image will be, described and checked before anything is written
 *
 * Theory of operation
 *   plan_make() reads board, engine, keys and command line, finds every input, resolves kernel modules and shared libraries,
 *   and lists what the initramfs and the root will hold. Whatever is missing, malformed or of another architecture is
 *   told here, in a second, and nothing was written. write_run() then only has to do it.
 *
 * Input: the builder's own user; packages checked by fetch.c. Runs as: that user.
 */
#ifndef IMAGE_BUILDER_PLAN_H
#define IMAGE_BUILDER_PLAN_H

#include "common/progress.h"
#include "image-builder/board.h"
#include "image-builder/fileset.h"
#include "image-builder/keys.h"
#include "image-builder/machine.h"
#include "image-builder/modules.h"
#include "image-builder/tree.h"

#include <stdbool.h>

#define PLAN_MAX_IMAGES   32
#define PLAN_MAX_TASKS    16
#define PLAN_MAX_EXTRAS   64
#define PLAN_MAX_OVERLAYS 4
#define PLAN_NAME_BYTES   72
#define PLAN_IMAGE_DIR    "usr/lib/holdfast/images"  /* archives for the engine */
#define PLAN_ENGINE_NAME  "holdfast.local/%s:latest" /* what the engine calls an image */

/**
 * struct plan_params - zero it, then set what is needed
 * @board, @engine: folders
 * @tree:       packages of the guest; @tools: tree whose programs run here (NULL: @tree)
 * @programs:   folder with holdfast-init, holdfast-runtime, holdfast-attest
 * @image:      "[NAME=]LAYOUT:TAG": goes into the policy, the layers and the engine's archives. NAME is TAG if not given
 * @pulled:     likewise, but only the layers' signatures: the engine pulls it, and the host converts it
 * @foreign:    likewise, but the policy does not name it: the archive alone
 * @argv, @exec, @tmpfs: "NAME=...": more than the image itself says, for the policy's entry; @jit: "NAME"
 * @task:       commands for the host manifest
 * @policy, @layers: a policy document and its layers made elsewhere, in place of @image's
 * @out:        folder to make; replaced only if it is an earlier image
 * @name:       of policy and reference values; @version: of both
 * @stay:       do not power off after the tasks
 * @unseeded:   do not make @image's archives known to the engine at boot
 * @compression: of the root (erofs.h); NULL: PLAN_COMPRESSION
 * @profile:    NULL: the board's
 * @secure_boot_off: of hosts with Secure Boot switched off; profile `audit` alone
 * @machine:    file of a machine description; NULL: PCR 0, 1 and 5 are not judged
 * @overlay:    folders copied over the root's files just before it is sealed; the reference values do not know of them
 */
struct plan_params {
	const char *board, *engine, *tree, *tools, *programs, *keys, *out, *name, *policy, *layers, *compression,
		*profile, *machine;
	const char *image[PLAN_MAX_IMAGES], *pulled[PLAN_MAX_IMAGES], *foreign[PLAN_MAX_IMAGES], *task[PLAN_MAX_TASKS];
	const char *argv[PLAN_MAX_EXTRAS], *exec[PLAN_MAX_EXTRAS], *tmpfs[PLAN_MAX_EXTRAS], *jit[PLAN_MAX_EXTRAS];
	const char *overlay[PLAN_MAX_OVERLAYS];
	size_t n_images, n_pulled, n_foreign, n_tasks, n_argv, n_exec, n_tmpfs, n_jit, n_overlays;
	uint64_t version;
	bool stay, unseeded, secure_boot_off;
	progress_fn *say;
};

#define PLAN_COMPRESSION "lz4hc,level=9" /* zstd is 15 % smaller and costs a boot 60 % more instructions */

/** struct plan_image - one container image */
struct plan_image {
	char name[PLAN_NAME_BYTES];
	char layout[PATH_MAX];
	const char *tag;
	bool foreign, pulled;
};

/**
 * struct plan - zero it; plan_free() in any case
 * @initramfs: without boot.conf; @root: without policy, layers, archives, host.conf
 * @module:    all modules, those of the initramfs first (@n_boot_modules of them), in load order
 */
struct plan {
	const struct plan_params *p;
	struct board board;
	struct engine engine;
	struct machine_description machine;
	struct keys keys;
	struct tree_program mkfs;
	uint64_t epoch;
	char *release;
	char kernel[PATH_MAX], stub[PATH_MAX], loader[PATH_MAX];
	struct modules module;
	size_t n_boot_modules;
	struct plan_image image[3 * PLAN_MAX_IMAGES];
	size_t n_images;
	struct fileset initramfs, root;
};

/** plan_make() - read and check everything. */
int plan_make(struct plan *plan, const struct plan_params *p, struct err *e) WARN_UNUSED;

/** plan_profile() - the one asked for, or the board's. plan_is_jit() - is it enforce-jit? */
const char *plan_profile(const struct plan *plan);
bool plan_is_jit(const struct plan *plan);

/** plan_free() - release what it holds. */
void plan_free(struct plan *plan);

#define cleanup_plan __attribute__((cleanup(plan_free)))

/** plan_boot_conf() - text of the boot manifest. plan_host_conf() - of the host manifest. NUL-terminated in @ret. */
int plan_boot_conf(const struct plan *plan, struct buf *ret, struct err *e) WARN_UNUSED;
int plan_host_conf(const struct plan *plan, struct buf *ret, struct err *e) WARN_UNUSED;

/** plan_os_release() - os-release(5) of the image: the same text in the root and in the UKI. */
#define PLAN_OS_RELEASE_BYTES 512
void plan_os_release(const struct plan *plan, char ret[static PLAN_OS_RELEASE_BYTES]);

/** plan_root_files() - add to plan->root what every host has: folders, links, programs, /etc, the gate's bottom layer. */
int plan_root_files(struct plan *plan, struct err *e) WARN_UNUSED;

/** plan_module_is_late() - is module @i one that the initramfs loads for a failure only ('+'), and the host always? */
bool plan_module_is_late(const struct plan *plan, size_t i);

/** plan_initramfs_files() - add to plan->initramfs: PID 1, its libraries, modules, mount points. */
int plan_initramfs_files(struct plan *plan, struct err *e) WARN_UNUSED;

#endif
