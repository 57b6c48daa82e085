/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/activate.c - dm-verity devices: activate with a kernel-checked signature, close */
#include "verity/activate.h"

#include "verity/dm_load.h"
#include "verity/edge.h"
#include "verity/superblock.h"
#include "verity/table_add.h"
#include "verity/trust.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

bool verity_is_signature_error(int r)
{
	return r == -ENOKEY || r == -EKEYREJECTED || r == -EKEYREVOKED || r == -EKEYEXPIRED;
}

static int open_device(const char *path, int *ret_fd, dev_t *ret_dev, struct err *e)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return err_errno(e, "cannot open %s", path);
	if (fstat(fd, &st) == 0 && S_ISBLK(st.st_mode)) {
		*ret_fd = fd;
		*ret_dev = st.st_rdev;
		return 0;
	}
	(void)close(fd); /* nothing was written */
	return err_set(e, ENOTBLK, "%s is not a block device", path);
}

/*
 * What can be told before the kernel is asked: a well-formed superblock, of the right size, over a tree whose edge fits
 * the root hash, which proves the size too. @ret_dev: numbers of the two devices.
 */
static int check_before(const struct verity_activate_params *p, struct verity_sb *ret_sb, dev_t ret_dev[static 2],
			struct err *e)
{
	cleanup_fd int data_fd = -1, hash_fd = -1;
	struct verity_sb sb;
	uint64_t bytes;
	off_t end;
	int r = open_device(p->data_device, &data_fd, &ret_dev[0], e);

	if (!r)
		r = open_device(p->hash_device, &hash_fd, &ret_dev[1], e);
	if (!r)
		r = verity_sb_read(hash_fd, p->hash_offset_bytes, p->hash_device, &sb, e);
	if (!r)
		r = verity_sb_check_chain(&sb, p->hash_device, e);
	if (r)
		return r;
	bytes = verity_sb_data_bytes(&sb);
	end = lseek(data_fd, 0, SEEK_END);
	if (end < 0)
		return err_errno(e, "cannot find the size of %s", p->data_device);
	if (p->data_bytes && p->data_bytes != bytes)
		return err_set(e, EBADMSG, "%s: superblock says %llu bytes of data, wanted %llu", p->hash_device,
			       (unsigned long long)bytes, (unsigned long long)p->data_bytes);
	if (bytes > (uint64_t)end)
		return err_set(e, EBADMSG, "%s has %lld bytes, the superblock on %s says %llu", p->data_device,
			       (long long)end, p->hash_device, (unsigned long long)bytes);
	r = verity_verify_edge(data_fd, hash_fd, p->hash_offset_bytes, &sb, p->root_hash, e);
	if (r)
		return err_context(e, "%s", p->hash_device);
	*ret_sb = sb;
	return 0;
}

int verity_device_node(dev_t dev, struct verity_device *ret, struct err *e)
{
	struct verity_device d = {.dev = dev};
	struct stat st;

	(void)snprintf(d.path, sizeof(d.path), "/dev/dm-%u", minor(dev)); /* fits */
	if (stat(d.path, &st) < 0) {
		if (errno != ENOENT || (mknod(d.path, S_IFBLK | 0600, dev) < 0 && errno != EEXIST))
			return err_errno(e, "cannot make %s", d.path);
		if (stat(d.path, &st) < 0)
			return err_errno(e, "cannot stat %s", d.path);
	}
	if (!S_ISBLK(st.st_mode) || st.st_rdev != dev)
		return err_set(e, EBADMSG, "%s is not the node of device %u:%u", d.path, major(dev), minor(dev));
	*ret = d;
	return 0;
}

/* Read the table back: it must prove what was asked for (but for the signature, if there was to be none). */
static int check_after(const struct verity_activate_params *p, uint64_t bytes, struct verity_device *ret, struct err *e)
{
	struct verity_table t;
	int r = verity_table_find(p->name, &t, e);

	if (r)
		return r;
	if (!p->signature)
		t.is_signed = true;
	r = verity_table_prove(&t, p->root_hash, bytes, e);
	if (!r && (t.on_corruption != p->on_corruption || t.on_error != p->on_corruption))
		r = err_set(e, EBADMSG, "%.100s does not do with bad blocks and failing reads what was asked for", t.name);
	if (r)
		return err_context(e, "read back after activation");
	return verity_device_node(t.dev, ret, e);
}

static int activate(const struct verity_activate_params *p, struct verity_device *ret, struct err *e)
{
	bool by_kernel = p->signature && !verity_trust_is_direct(); /* else the caller has judged it, or there is none */
	struct verity_sb sb;
	dev_t dev[2];
	int r = check_before(p, &sb, dev, e);

	if (!r)
		r = verity_dm_load(p, &sb, dev, by_kernel, e);
	if (r)
		return r;
	r = check_after(p, verity_sb_data_bytes(&sb), ret, e);
	if (r) {
		struct err second = ERR_INIT;

		if (verity_deactivate(p->name, &second))
			return err_context(e, "%s stays, for it could not be removed", p->name);
	}
	return r;
}

int verity_activate(const struct verity_activate_params *p, struct verity_device *ret, struct err *e)
{
	if (!p->signature || !p->signature_bytes)
		return err_set(e, EINVAL, "no root hash signature for %s", p->name);
	if (verity_trust_is_direct()) {
		int r = verity_trust_check(p->root_hash, p->signature, p->signature_bytes, e);

		if (r)
			return err_context(e, "%s", p->name);
	}
	return activate(p, ret, e);
}

int verity_activate_unsigned(const struct verity_activate_params *p, struct verity_device *ret, struct err *e)
{
	if (p->signature || p->signature_bytes)
		return err_set(e, EINVAL, "a root hash signature for %s, which is to be opened without", p->name);
	return activate(p, ret, e);
}

int verity_deactivate(const char *name, struct err *e)
{
	return verity_table_remove(name, e);
}
