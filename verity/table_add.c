/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/table_add.c - add words to the live table of a dm-verity device that was just made */
#include "verity/table_add.h"

#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define FIXED_WORDS 10
#define KEY_WORD    "root_hash_sig_key_desc "

/* struct load - DM_TABLE_LOAD of one target */
struct load {
	struct dm_ioctl io;
	struct dm_target_spec spec;
	char params[VERITY_TABLE_TEXT_BYTES];
};

/* Behind the @n-th word of @text and its blank, or at the end. */
static const char *behind_words(const char *text, unsigned n)
{
	while (n-- && *text) {
		text += strcspn(text, " ");
		text += strspn(text, " ");
	}
	return text;
}

int verity_table_add_words(const char *text, const char *const *word, size_t n, char ret[static VERITY_TABLE_TEXT_BYTES],
			   struct err *e)
{
	const char *options = behind_words(text, FIXED_WORDS), *values = behind_words(options, 1);
	int fixed = (int)(options - text), used;
	unsigned count = 0;

	while (fixed && text[fixed - 1] == ' ')
		fixed--;
	if (*options && sscanf(options, "%3u", &count) != 1)
		return err_set(e, EMEDIUMTYPE, "verity table: \"%.20s\" where the number of optional words stands", options);
	used = snprintf(ret, VERITY_TABLE_TEXT_BYTES, "%.*s %zu%s%s", fixed, text, count + n, *values ? " " : "", values);
	for (size_t i = 0; i < n && used < VERITY_TABLE_TEXT_BYTES; i++)
		used += snprintf(ret + used, VERITY_TABLE_TEXT_BYTES - (size_t)used, " %s", word[i]);
	return used < VERITY_TABLE_TEXT_BYTES ? 0 : err_set(e, E2BIG, "verity table of %d bytes, %d fit", used, VERITY_TABLE_TEXT_BYTES);
}

/* The signature under the name that @table gives it. @ret_key: 0 if the table has none. */
static int add_key(const struct verity_table_add *a, const char *table, long *ret_key, struct err *e)
{
	const char *at = strstr(table, " " KEY_WORD);
	char name[VERITY_TABLE_TEXT_BYTES];

	*ret_key = 0;
	if (!at)
		return 0;
	if (!a->signature)
		return err_set(e, EINVAL, "%.100s has a root hash signature in its table, and none was given", a->name);
	at += strlen(" " KEY_WORD);
	(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, " "), at); /* fits: a part of the table */
	*ret_key = syscall(SYS_add_key, "user", name, a->signature, a->signature_bytes, KEY_SPEC_THREAD_KEYRING);
	return *ret_key < 0 ? err_errno(e, "cannot put the root hash signature of %.100s into this thread's keyring", a->name) : 0;
}

static void prepare(struct load *l, const char *name, uint32_t flags)
{
	memset(l, 0, offsetof(struct load, params));
	l->io.version[0] = DM_VERSION_MAJOR;
	l->io.data_size = sizeof(*l);
	l->io.data_start = offsetof(struct load, spec);
	l->io.flags = flags;
	(void)snprintf(l->io.name, sizeof(l->io.name), "%s", name); /* verity_table_text() took it */
}

/* Load, then the swap: suspend and resume with a table waiting. */
static int load_and_swap(const struct verity_table_add *a, struct load *l, uint64_t sectors, struct err *e)
{
	cleanup_fd int fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	int r;

	if (fd < 0)
		return err_errno(e, "cannot open /dev/mapper/control");
	prepare(l, a->name, DM_READONLY_FLAG);
	l->io.target_count = 1;
	l->spec.length = sectors;
	l->spec.next = sizeof(l->spec) + sizeof(l->params);
	(void)snprintf(l->spec.target_type, sizeof(l->spec.target_type), "verity"); /* fits */
	if (ioctl(fd, DM_TABLE_LOAD, &l->io) < 0)
		return errno == EINVAL ? err_set(e, ENOTSUP, "the kernel does not take %s%s%s (Linux 6.12 does)", a->word[0],
						 a->n > 1 ? " or " : "", a->n > 1 ? a->word[1] : "")
				       : err_errno(e, "the kernel does not load a table with %s for %.100s", a->word[0], a->name);
	prepare(l, a->name, 0);
	if (ioctl(fd, DM_DEV_SUSPEND, &l->io) == 0)
		return 0;
	r = err_errno(e, "the kernel does not change to the new table of %.100s", a->name);
	prepare(l, a->name, 0);
	(void)ioctl(fd, DM_TABLE_CLEAR, &l->io); /* the first error is the one to tell */
	return r;
}

int verity_table_add(const struct verity_table_add *a, struct err *e)
{
	struct verity_table_text t;
	struct load l;
	long key = 0;
	int r = verity_table_text(a->name, &t, e);

	if (!r)
		r = verity_table_add_words(t.table, a->word, a->n, l.params, e);
	if (!r)
		r = add_key(a, t.table, &key, e);
	if (r)
		return r;
	r = load_and_swap(a, &l, t.sectors, e);
	if (key)
		(void)syscall(SYS_keyctl, KEYCTL_UNLINK, key, KEY_SPEC_THREAD_KEYRING); /* the kernel has read it */
	return r;
}

/* Without udev libdevmapper made a node of this name; with it there is a link, which udev takes away. */
static void remove_node(const char *name, dev_t dev)
{
	char path[VERITY_NAME_BYTES + 16];
	struct stat st;

	(void)snprintf(path, sizeof(path), "/dev/mapper/%s", name); /* fits */
	if (lstat(path, &st) == 0 && S_ISBLK(st.st_mode) && st.st_rdev == dev)
		(void)unlink(path); /* a name without a device does no harm */
}

int verity_table_remove(const char *name, struct err *e)
{
	cleanup_fd int fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	struct verity_table_text t;
	struct load l;
	int r = fd < 0 ? err_errno(e, "cannot open /dev/mapper/control") : verity_table_text(name, &t, e);

	if (r)
		return r;
	prepare(&l, name, 0);
	if (ioctl(fd, DM_DEV_REMOVE, &l.io) < 0)
		return err_errno(e, "cannot remove %.100s", name);
	remove_node(name, t.dev);
	return 0;
}
