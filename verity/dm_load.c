/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/dm_load.c - load a dm-verity table into the kernel, by its ioctls alone */
#include "verity/dm_load.h"

#include "common/hex.h"
#include "verity/geometry.h"

#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/keyctl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#define DM_CONTROL   "/dev/mapper/control"
#define SECTOR_BYTES 512

/* struct request - one ioctl's memory: header and, for a load, the one target and its parameters */
struct request {
	struct dm_ioctl io;
	struct dm_target_spec spec;
	char params[VERITY_DM_TABLE_BYTES];
};

int verity_dm_table(const struct verity_activate_params *p, const struct verity_sb *sb, const dev_t data_hash[static 2],
		    const char *key, char ret[static VERITY_DM_TABLE_BYTES], struct err *e)
{
	static const char *const on[] = {
		[VERITY_CORRUPTION_EIO] = NULL,
		[VERITY_CORRUPTION_PANIC] = "panic",
		[VERITY_CORRUPTION_RESTART] = "restart",
	};
	const char *act = on[p->on_corruption];
	char root[2 * HASH_SHA256_BYTES + 1], salt[2 * VERITY_MAX_SALT_BYTES + 1] = "-";
	char count[8] = "", acts[64] = "";
	uint64_t tree = verity_tree_offset(sb, p->hash_offset_bytes);
	int n, words = (act ? 2 : 0) + (key ? 2 : 0);

	hex_encode(p->root_hash, HASH_SHA256_BYTES, root);
	if (sb->salt_bytes)
		hex_encode(sb->salt, sb->salt_bytes, salt);
	if (words)
		(void)snprintf(count, sizeof(count), " %d", words); /* fits */
	if (act)
		(void)snprintf(acts, sizeof(acts), " %s_on_corruption %s_on_error", act, act); /* fits */
	n = snprintf(ret, VERITY_DM_TABLE_BYTES, "1 %u:%u %u:%u %u %u %llu %llu %s %s %s%s%s%s%s", major(data_hash[0]),
		     minor(data_hash[0]), major(data_hash[1]), minor(data_hash[1]), sb->data_block_bytes,
		     sb->hash_block_bytes, (unsigned long long)sb->data_blocks,
		     (unsigned long long)(tree / sb->hash_block_bytes), sb->algorithm, root, salt, count, acts,
		     key ? " root_hash_sig_key_desc " : "", key ? key : "");
	if (n < 0 || n >= VERITY_DM_TABLE_BYTES)
		return err_set(e, EINVAL, "the dm-verity table of %s does not fit %d bytes", p->name, VERITY_DM_TABLE_BYTES);
	return 0;
}

static int dm(int fd, unsigned long what, struct request *rq, const char *name, unsigned flags)
{
	rq->io.version[0] = DM_VERSION_MAJOR;
	rq->io.data_size = sizeof(*rq);
	rq->io.data_start = offsetof(struct request, spec);
	rq->io.flags = flags;
	(void)snprintf(rq->io.name, sizeof(rq->io.name), "%s", name); /* length was checked */
	return ioctl(fd, what, &rq->io) < 0 ? -errno : 0;
}

/* As the kernel says it: these three are all "not what this key signed" to us. */
static int refusal(int r)
{
	return r == -EBADMSG || r == -ENOPKG ? -EKEYREJECTED : r;
}

static int load_table(int fd, const struct verity_activate_params *p, const struct verity_sb *sb, const char *table,
		      struct err *e)
{
	struct request rq = { .io.target_count = 1, .spec.length = verity_sb_data_bytes(sb) / SECTOR_BYTES };
	bool has_key = strstr(table, " root_hash_sig_key_desc ") != NULL;
	int r;

	(void)snprintf(rq.spec.target_type, sizeof(rq.spec.target_type), "verity"); /* fits */
	(void)snprintf(rq.params, sizeof(rq.params), "%s", table);		    /* likewise */
	r = dm(fd, DM_TABLE_LOAD, &rq, p->name, DM_READONLY_FLAG);
	if (has_key && verity_is_signature_error(refusal(r))) {
		r = refusal(r);
		return err_set(e, -r, "the kernel refuses the root hash signature of %s: %s", p->name, err_text(-r));
	}
	return r ? err_set(e, -r, "the kernel refuses the dm-verity table of %s: %s", p->name, err_text(-r)) : 0;
}

/* A device without a table, loaded, resumed; removed again if that fails. */
static int create_and_load(int fd, const struct verity_activate_params *p, const struct verity_sb *sb, const char *table,
			   struct err *e)
{
	char uuid[2 * VERITY_UUID_BYTES + 1];
	struct request rq = { 0 };
	int r;

	hex_encode(sb->uuid, VERITY_UUID_BYTES, uuid);
	(void)snprintf(rq.io.uuid, sizeof(rq.io.uuid), "CRYPT-VERITY-%s-%.80s", uuid, p->name); /* fits: 13 + 32 + 1 + 80 */
	r = dm(fd, DM_DEV_CREATE, &rq, p->name, 0);
	if (r)
		return r == -EBUSY ? err_set(e, EEXIST, "a device-mapper device %s is there already", p->name) :
				     err_set(e, -r, "cannot create device-mapper device %s: %s", p->name, err_text(-r));
	r = load_table(fd, p, sb, table, e);
	if (!r) {
		rq = (struct request){ 0 };
		r = dm(fd, DM_DEV_SUSPEND, &rq, p->name, 0); /* without DM_SUSPEND_FLAG it resumes */
		if (!r)
			return 0;
		r = err_set(e, -r, "cannot start device-mapper device %s: %s", p->name, err_text(-r));
	}
	rq = (struct request){ 0 };
	(void)dm(fd, DM_DEV_REMOVE, &rq, p->name, 0); /* what went wrong before is the better sentence */
	return r;
}

int verity_dm_load(const struct verity_activate_params *p, const struct verity_sb *sb, const dev_t data_hash[static 2],
		   bool signature_for_kernel, struct err *e)
{
	char key[192], uuid[VERITY_UUID_STR_BYTES], table[VERITY_DM_TABLE_BYTES];
	cleanup_fd int fd = -1;
	long serial = -1;
	int r;

	if (!*p->name || strlen(p->name) > 80 || strpbrk(p->name, " /"))
		return err_set(e, EINVAL, "\"%.90s\" is no device-mapper name of at most 80 bytes", p->name);
	verity_uuid_str(sb->uuid, uuid);
	(void)snprintf(key, sizeof(key), "cryptsetup:%s-%s", uuid, p->name); /* fits: 11 + 36 + 1 + 80 */
	r = verity_dm_table(p, sb, data_hash, signature_for_kernel ? key : NULL, table, e);
	if (r)
		return r;
	fd = open(DM_CONTROL, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, "cannot open %s", DM_CONTROL);
	if (signature_for_kernel) {
		serial = syscall(SYS_add_key, "user", key, p->signature, p->signature_bytes, KEY_SPEC_THREAD_KEYRING);
		if (serial < 0)
			return err_errno(e, "cannot give the root hash signature of %s to the kernel", p->name);
	}
	r = create_and_load(fd, p, sb, table, e);
	if (serial >= 0)
		(void)syscall(SYS_keyctl, KEYCTL_UNLINK, serial, KEY_SPEC_THREAD_KEYRING); /* goes with this thread at the latest */
	return r;
}
