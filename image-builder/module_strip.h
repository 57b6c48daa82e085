/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/module_strip.h - kernel modules as a boot wants them: without what loading never looks at, signed by the owner
 *
 * Theory of operation
 *   A module of Debian's carries a type description (.BTF, for tracing), names of local symbols and tables of stack frames (for backtraces), and an ECDSA
 *   P-384 signature by the distribution's key. The kernel reads, hashes (twice, where IMA measures), parses and
 *   checks all of that before the root is there; it is most of a boot's instructions (make bench-boot). So on machines whose kernel
 *   takes the owner's key (db, by the platform keyring) modules are cut to what is loaded, and signed with db, RSA in
 *   SHA-256, as root hashes and IPE's policy are. That is no weaker: whoever has db's key signs the kernel itself.
 *
 *   Cut are sections that are not loaded (no SHF_ALLOC) but for symbols, their names, relocations and section names; ORC tables; and
 *   local symbols that no relocation names. BTF stays where a BPF program reads the module's structures. An oops in a module is then told by module and offset, and its backtrace is a guess. What
 *   hardens (return, call and retpoline sites, IBT seals, versions) and all else that is loaded stays bit by bit; symbols and
 *   sections are renumbered. What the format allows and kernel modules do not have (groups, more than 65279 sections) is refused rather
 *   than guessed.
 *
 * Input: packages checked by apt, parsed as hostile. Runs as: the builder's user. Output depends on nothing but input.
 * Spec: System V gABI 4.1, chapter 4; Linux, Documentation/admin-guide/module-signing.rst, include/linux/module_signature.h.
 */
#ifndef IMAGE_BUILDER_MODULE_STRIP_H
#define IMAGE_BUILDER_MODULE_STRIP_H

#include "common/buf.h"
#include "common/err.h"
#include "common/pki.h"

#include <stdbool.h>

#define MODULE_STRIP_MAX_SECTIONS 4096
#define MODULE_STRIP_MAX_SYMBOLS  (1u << 20)

/**
 * module_strip() - the module without its signature, and without what loading never looks at
 * @data: a relocatable ELF64 file, little-endian, perhaps with a signature appended; @len bytes
 * @name: for messages
 * @keep_types: leave .BTF, for a module whose structures BPF programs read (init/bpf_lsm.c: overlay, in the profile enforce-jit)
 * @ret:  appended to; it must be empty
 *
 * Return: 0; -EINVAL with what was found where; -ENOMEM.
 */
int module_strip(const void *data, size_t len, const char *name, bool keep_types, struct buf *ret, struct err *e) WARN_UNUSED;

/** module_sign() - append a signature by @by to the module in @m, as kbuild's sign-file does. */
int module_sign(const struct pki_signer *by, struct buf *m, struct err *e) WARN_UNUSED;

/** module_signature_bytes() - how many bytes at the end are an appended signature: 0 if there is none. -EINVAL if it is malformed. */
int module_signature_bytes(const void *data, size_t len, const char *name, size_t *ret, struct err *e) WARN_UNUSED;

#endif
