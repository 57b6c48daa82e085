/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/stage_lastfail.c - where the last failure is kept: the EFI variable, and the kernel's log in pstore
 *
 * Theory of operation: init/lastfail.h. None of this can fail a boot, and none of it uses the heap or a stream: it is
 * also what pid1_fail() does after the point of no return.
 */
#include "init/pid1.h"

#include "common/hex.h"
#include "init/io.h"
#include "init/log.h"
#include "init/sys.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#define EFIVARS         "/sys/firmware/efi/efivars"
#define VARIABLE        EFIVARS "/" LASTFAIL_VARIABLE
#define PSTORE          "/sys/fs/pstore"
#define PSTORE_BACKEND  "/sys/module/pstore/parameters/backend"
#define ALWAYS_DUMP     "/sys/module/printk/parameters/always_kmsg_dump"
#define MOUNT_FLAGS     (MS_NOSUID | MS_NODEV | MS_NOEXEC)
#define MAX_DUMP_BYTES  (64 << 10)
#define MAX_NAMES_BYTES 4096

/* --- the variable -------------------------------------------------------------------------------------------------- */

/* Return: 0; 1 if this machine has no EFI variables, which is no news; -errno, told. */
static int variables_open(const struct pid1 *p)
{
	struct err e = ERR_INIT;
	int r;

	if (p->efivars_gone)
		return 1;
	r = sys_mount("efivarfs", EFIVARS, "efivarfs", MOUNT_FLAGS, NULL);
	if (r == -ENOENT || r == -ENODEV || r == -EOPNOTSUPP)
		return 1;
	if (!r)
		return 0;
	(void)pid1_err(&e, r, "cannot mount %s", EFIVARS);
	pid1_log(p->stage, "%s; the last failure is not kept", e.msg);
	return r;
}

static void variables_close(void)
{
	(void)sys_umount(EFIVARS, MNT_DETACH); /* the module then cannot be unloaded, at worst, which is refused */
}

/* Return: true if there is one that is well-formed. A malformed one is told, and is as good as none. */
static bool variable_read(const char *stage, struct pid1_lastfail *ret)
{
	char bytes[LASTFAIL_FILE_BYTES + 2];
	struct err e = ERR_INIT;
	size_t len;
	int r = pid1_read(VARIABLE, bytes, sizeof(bytes), &len, &e);

	if (r == -ENOENT)
		return false;
	if (!r)
		r = pid1_lastfail_parse(bytes, len, ret, &e);
	if (r)
		pid1_log(stage, LASTFAIL_VARIABLE " is not ours as it stands, and is not believed: %s", e.msg);
	return r == 0;
}

static int write_once(const uint8_t bytes[static LASTFAIL_FILE_BYTES], struct err *e)
{
	int fd = sys_open(VARIABLE, O_WRONLY | O_CREAT | O_NOCTTY, 0600);
	ssize_t n;

	if (fd < 0)
		return pid1_err(e, fd, "cannot open %s", LASTFAIL_VARIABLE);
	n = sys_write(fd, bytes, LASTFAIL_FILE_BYTES);
	sys_close(fd);
	return n == LASTFAIL_FILE_BYTES ? 0 : pid1_err(e, n < 0 ? (int)n : -EIO, "cannot write %s", LASTFAIL_VARIABLE);
}

/* The kernel makes variables it does not know immutable. One with other attributes must go before it can be ours. */
static bool variable_write(const char *stage, const struct pid1_lastfail *f)
{
	uint8_t bytes[LASTFAIL_FILE_BYTES];
	struct err e = ERR_INIT;
	int r;

	pid1_lastfail_encode(f, bytes);
	(void)sys_make_mutable(VARIABLE); /* it need not be there; what cannot be opened is told below */
	r = write_once(bytes, &e);
	if (r) {
		(void)sys_unlink(VARIABLE); /* likewise */
		r = write_once(bytes, &e);
	}
	if (r)
		pid1_log(stage, "%s", e.msg);
	return r == 0;
}

/* --- the kernel's log ---------------------------------------------------------------------------------------------- */

/* One piece. It is deleted once it was read, readable or not: the room it takes is the firmware's. */
static void take_piece(const char *stage, const char *name, struct pid1_lastfail *io)
{
	static char text[MAX_DUMP_BYTES]; /* pieces have a KB or a few */
	char path[300];
	struct err e = ERR_INIT;
	size_t len;

	(void)snprintf(path, sizeof(path), PSTORE "/%.255s", name); /* no name is longer */
	if (pid1_read(path, text, sizeof(text), &len, &e))
		pid1_log(stage, "%s", e.msg);
	else
		pid1_lastfail_read_log(text, len, io);
	(void)sys_unlink(path); /* stays for the next boot at worst */
}

/* Return: whether there was any. Pieces are named dmesg-<backend>-<time and part>, the newest part with the lowest number. */
static bool take_log(const char *stage, struct pid1_lastfail *ret, struct err *e)
{
	static char names[MAX_NAMES_BYTES];
	bool found = false;
	int len, r = sys_mount("pstore", PSTORE, "pstore", MOUNT_FLAGS, NULL);

	if (r) {
		(void)pid1_err(e, r, "cannot mount %s", PSTORE);
		return false;
	}
	len = sys_names(PSTORE, names, sizeof(names));
	if (len < 0)
		(void)pid1_err(e, len, "cannot read %s", PSTORE);
	for (const char *name = names; len > 0; name += strlen(name) + 1) {
		len -= (int)strlen(name) + 1;
		if (strncmp(name, "dmesg-", 6) != 0)
			continue; /* what others keep there is theirs */
		take_piece(stage, name, ret);
		found = true;
	}
	(void)sys_umount(PSTORE, MNT_DETACH); /* only read */
	return found;
}

/* The boot before this one has left a log behind. */
static void account_for(struct pid1 *p, struct pid1_lastfail *f)
{
	struct pid1_lastfail old;
	bool has_old;

	if (!f->code) {
		f->code = CODE_KERNEL_PANIC;
		f->source = LASTFAIL_KERNEL;
		(void)snprintf(f->text, sizeof(f->text), "the kernel left its log without saying why"); /* fits */
	}
	(void)snprintf(f->version, sizeof(f->version), "%s", HOLDFAST_VERSION); /* of who says so; cut is fine */
	pid1_modules_load_late(p);
	if (!variables_open(p)) {
		has_old = variable_read(p->stage, &old);
		/* A refusal was written down when it happened; its log says it once more. */
		if (has_old && old.source == LASTFAIL_PID1 && old.code == f->code) {
			*f = old;
		} else {
			pid1_lastfail_add(f, has_old ? &old : NULL);
			(void)variable_write(p->stage, f); /* it has told why not */
		}
		variables_close();
	}
	pid1_log(p->stage, "the boot before this one ended with E%u %s: %s", f->code, code_text(f->code), f->text);
}

int pid1_stage_last_failure(struct pid1 *p, struct err *e)
{
	struct pid1_lastfail f = { 0 };
	struct err said = ERR_INIT;
	char backend[64] = "";
	size_t len = 0;

	(void)e;
	if (pid1_read(PSTORE_BACKEND, backend, sizeof(backend), &len, &said) || !len || !strncmp(backend, "(null)", 6)) {
		pid1_log(p->stage, "no pstore: if the kernel ends this boot, the next one will not know why");
		return 0;
	}
	/* From here on the kernel keeps its log whatever it ends by. */
	if (pid1_write(ALWAYS_DUMP, "Y", 1, &said))
		pid1_log(p->stage, "%s", said.msg);
	if (take_log(p->stage, &f, &said))
		account_for(p, &f);
	else if (*said.msg)
		pid1_log(p->stage, "%s", said.msg);
	return 0;
}

/* --- writing it down, telling it ------------------------------------------------------------------------------------ */

void pid1_lastfail_write(struct pid1 *p, const char *sentence)
{
	struct pid1_lastfail f = { .code = p->code, .source = LASTFAIL_PID1 }, old;

	pid1_modules_load_late(p);
	if (variables_open(p))
		return;
	memcpy(f.slot, p->cmdline.root_hash, sizeof(f.slot));
	(void)snprintf(f.stage, sizeof(f.stage), "%s", p->stage ? p->stage : "serve"); /* cut is fine, here and below */
	(void)snprintf(f.version, sizeof(f.version), "%s", HOLDFAST_VERSION);
	(void)snprintf(f.text, sizeof(f.text), "%s", sentence);
	pid1_lastfail_add(&f, variable_read(p->stage, &old) ? &old : NULL);
	(void)variable_write(p->stage, &f); /* likewise */
	variables_close();
}

void pid1_lastfail_take(struct pid1 *p)
{
	struct pid1_lastfail told = { 0 }, *f = &p->lastfail;

	if (!variables_open(p)) {
		if (!variable_read(p->stage, f))
			memset(f, 0, sizeof(*f));
		told.in_a_row = f->code ? f->in_a_row : 0; /* of a boot before this one that left no log, nothing is counted on */
		memcpy(told.slot, p->cmdline.root_hash, sizeof(told.slot));
		if (f->code || f->in_a_row || memcmp(told.slot, f->slot, sizeof(told.slot)))
			p->lastfail_cleared = variable_write(p->stage, &told);
		variables_close();
	}
	p->efivars_gone = true;
}

void pid1_lastfail_report(struct pid1 *p)
{
	static const char stage[] = "last-failure";
	const struct pid1_lastfail *f = &p->lastfail;
	char slot[2 * HASH_SHA256_BYTES + 1], fact[80];

	if (!f->code)
		return;
	hex_encode(f->slot, sizeof(f->slot), slot);
	(void)snprintf(fact, sizeof(fact), "E%u %.60s", f->code, f->text); /* fits */
	pid1_fact(p, "last_failure", fact);
	pid1_log(stage, "E%u %s (stage %s, slot %.16s, %u in a row, said by %s): %s", f->code, code_text(f->code),
		 *f->stage ? f->stage : "unknown", slot, (unsigned)f->in_a_row,
		 f->source == LASTFAIL_PID1 ? "PID 1" : "the kernel's log", f->text);
	if (p->lastfail_cleared)
		pid1_log(stage, "told and cleared");
}

void pid1_lastfail_orderly(void)
{
	struct err e = ERR_INIT;

	if (pid1_write(ALWAYS_DUMP, "N", 1, &e))
		return; /* a log too many, at worst */
}
