/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/fdt.h - one number out of a flattened device tree's /chosen
 *
 * Theory of operation
 *   Where the kernel is told about the machine by a device tree (arm64), its EFI stub writes what it found into /chosen,
 *   also on a machine with ACPI, whose tree holds nothing else. The kernel shows the tree as it got it.
 *
 *   header:  magic u32, total size, offset of the structure, of the strings, of the reservations, version,
 *            last compatible version, boot CPU, size of the strings, size of the structure; all u32, big-endian
 *   structure, in words: 1 name NUL pad (a node begins) · 2 (it ends) · 3 length name-offset data pad (a property)
 *            · 4 (nothing) · 9 (the end)
 *
 * Input: the kernel's file /sys/firmware/fdt, parsed as hostile all the same. Runs as: PID 1; no heap.
 * Spec: Devicetree Specification v0.4, chapter 5.
 */
#ifndef INIT_FDT_H
#define INIT_FDT_H

#include "common/cleanup.h"
#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

/**
 * pid1_fdt_chosen_u32() - the property @name of the node /chosen, a number of four bytes
 *
 * Return: 0; -ENOENT if there is none; -EBADMSG, with the offset, if the tree is malformed, or the property is not four
 * bytes or stands twice.
 */
int pid1_fdt_chosen_u32(const void *fdt, size_t len, const char *name, uint32_t *ret, struct err *e) WARN_UNUSED;

#endif
