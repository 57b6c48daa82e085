/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/layer.c - open a container layer: loop device, dm-verity with signature, EROFS mount */
#include "verity/layer.h"

#include "common/file.h"
#include "common/hex.h"
#include "verity/superblock.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/loop.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#define EROFS_MAGIC         0xe0f5e1e2
#define LOOP_TRIES          64
#define MAX_MOUNTINFO_BYTES (4 << 20)

/* struct layer - one layer on its way up: what it is, and its names */
struct layer {
	const char *dir;
	const uint8_t *root_hash;
	uint64_t data_bytes;
	enum verity_on_corruption on_corruption;
	char hex[2 * HASH_SHA256_BYTES + 1];
	char device[VERITY_NAME_BYTES];
	char path[VERITY_LAYER_PATH_BYTES];
};

void verity_layer_path(const uint8_t root_hash[static HASH_SHA256_BYTES], char ret[static VERITY_LAYER_PATH_BYTES])
{
	char hex[2 * HASH_SHA256_BYTES + 1];

	hex_encode(root_hash, HASH_SHA256_BYTES, hex);
	(void)snprintf(ret, VERITY_LAYER_PATH_BYTES, "%s/%s", VERITY_LAYER_RUN_DIR, hex); /* fits */
}

void verity_layer_device_name(const uint8_t root_hash[static HASH_SHA256_BYTES], char ret[static VERITY_NAME_BYTES])
{
	char hex[2 * HASH_SHA256_BYTES + 1];

	hex_encode(root_hash, HASH_SHA256_BYTES, hex);
	(void)snprintf(ret, VERITY_NAME_BYTES, "holdfast-layer-%.32s", hex); /* fits */
}

bool verity_layer_is_elsewhere(const char *dir, const uint8_t root_hash[static HASH_SHA256_BYTES])
{
	char hex[2 * HASH_SHA256_BYTES + 1], path[PATH_MAX];

	hex_encode(root_hash, HASH_SHA256_BYTES, hex);
	return snprintf(path, sizeof(path), "%s/%s.p7s", dir, hex) < PATH_MAX && access(path, F_OK) == 0 &&
	       snprintf(path, sizeof(path), "%s/%s.erofs", dir, hex) < PATH_MAX && access(path, F_OK) < 0 && errno == ENOENT;
}

static void layer_init(struct layer *l, const uint8_t *root_hash)
{
	*l = (struct layer){.root_hash = root_hash};
	hex_encode(root_hash, HASH_SHA256_BYTES, l->hex);
	verity_layer_device_name(root_hash, l->device);
	verity_layer_path(root_hash, l->path);
}

/* Make the folder of the mount points and take the lock on it; held until *@ret_fd is closed. */
static int lock_layers(int *ret_fd, struct err *e)
{
	cleanup_fd int fd = -1;
	int r = file_mkdirs(VERITY_LAYER_RUN_DIR, e);

	if (r)
		return r;
	fd = open(VERITY_LAYER_RUN_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, "cannot open %s", VERITY_LAYER_RUN_DIR);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_errno(e, "cannot lock %s", VERITY_LAYER_RUN_DIR);
	*ret_fd = take_fd(&fd);
	return 0;
}

/* Is @fd the top of a mount? @ret_id: the mount's number. */
static int is_mount_top(int fd, const char *name, bool *ret_top, uint64_t *ret_id, struct err *e)
{
	struct statx sx;

	if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_MNT_ID, &sx) < 0)
		return err_errno(e, "cannot stat %s", name);
	if (!(sx.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) || !(sx.stx_mask & STATX_MNT_ID))
		return err_set(e, ENOTSUP, "this kernel does not tell mount points apart (statx; Linux 5.8)");
	*ret_top = sx.stx_attributes & STATX_ATTR_MOUNT_ROOT;
	*ret_id = sx.stx_mnt_id;
	return 0;
}

/* "<id> <parent> <dev> <root> ...": is the root of mount @id its file system's own, not a folder below? */
static bool mountinfo_is_whole(const char *text, uint64_t id)
{
	for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		unsigned long long number = 0;
		char root[3] = "";

		if (sscanf(line, "%llu %*u %*s %2s", &number, root) == 2 && number == id)
			return !strcmp(root, "/");
	}
	return false;
}

/* The mount itself: its top, the whole of an EROFS, read-only, no devices, no set-user-ID. */
static int prove_mount(int fd, const char *name, struct err *e)
{
	const unsigned long flags = ST_RDONLY | ST_NODEV | ST_NOSUID;
	cleanup_buf struct buf info = BUF_INIT;
	struct statfs fs;
	uint64_t id = 0;
	bool top = false;
	int r = is_mount_top(fd, name, &top, &id, e);

	if (r)
		return r;
	if (!top)
		return err_set(e, EBADMSG, "%s is not a mount point", name);
	if (fstatfs(fd, &fs) < 0)
		return err_errno(e, "cannot stat the file system of %s", name);
	if ((unsigned long)fs.f_type != EROFS_MAGIC)
		return err_set(e, EBADMSG, "%s: file system type 0x%lx, wanted EROFS", name, (unsigned long)fs.f_type);
	if (((unsigned long)fs.f_flags & flags) != flags)
		return err_set(e, EBADMSG, "%s: mount flags 0x%lx, wanted ro, nodev, nosuid", name,
			       (unsigned long)fs.f_flags);
	r = file_read("/proc/self/mountinfo", MAX_MOUNTINFO_BYTES, &info, e);
	if (r)
		return r;
	if (!mountinfo_is_whole((const char *)info.data, id))
		return err_set(e, EBADMSG, "%s shows only a folder of its file system", name);
	return 0;
}

int verity_layer_prove_fd(int fd, const char *name, const uint8_t root_hash[static HASH_SHA256_BYTES],
			  uint64_t data_bytes, struct err *e)
{
	struct verity_table t;
	struct stat st;
	int r = prove_mount(fd, name, e);

	if (r)
		return r;
	if (fstat(fd, &st) < 0)
		return err_errno(e, "cannot stat %s", name);
	r = verity_table_read(st.st_dev, &t, e);
	if (r == -ENODEV || r == -EMEDIUMTYPE) {
		e->code = EBADMSG; /* there is an answer, and it is no */
		r = -EBADMSG;
	}
	if (!r)
		r = verity_table_prove(&t, root_hash, data_bytes, e);
	return r ? err_context(e, "%.80s", name) : 0;
}

int verity_layer_prove(const char *path, const uint8_t root_hash[static HASH_SHA256_BYTES], uint64_t data_bytes,
		       struct err *e)
{
	cleanup_fd int fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_errno(e, "cannot open %s", path);
	return verity_layer_prove_fd(fd, path, root_hash, data_bytes, e);
}

/* A free loop device over @file_fd, read-only, gone with its last user. @ret_fd keeps it until then. */
static int attach_loop(int file_fd, const char *name, int *ret_fd, char ret_path[static 32], struct err *e)
{
	struct loop_config config = {.fd = (uint32_t)file_fd, .info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR};
	cleanup_fd int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);

	if (control < 0)
		return err_errno(e, "cannot open /dev/loop-control");
	(void)snprintf((char *)config.info.lo_file_name, sizeof(config.info.lo_file_name), "%.63s", name); /* a label */
	for (int i = 0; i < LOOP_TRIES; i++) {
		cleanup_fd int fd = -1;
		int n = ioctl(control, LOOP_CTL_GET_FREE);

		if (n < 0)
			return err_errno(e, "no free loop device");
		(void)snprintf(ret_path, 32, "/dev/loop%d", n); /* fits */
		fd = open(ret_path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return err_errno(e, "cannot open %s", ret_path);
		if (ioctl(fd, LOOP_CONFIGURE, &config) == 0) {
			*ret_fd = take_fd(&fd);
			return 0;
		}
		if (errno != EBUSY) /* someone else took it between the two calls: the next one */
			return err_errno(e, "cannot put %s on %s", name, ret_path);
	}
	return err_set(e, EBUSY, "no loop device stayed free for %s", name);
}

/* The layer's file, checked to be a plain file with room for a tree behind its data. */
static int open_file(const struct layer *l, char path[static PATH_MAX], int *ret_fd, struct err *e)
{
	cleanup_fd int fd = -1;
	struct stat st;

	if (snprintf(path, PATH_MAX, "%s/%s.erofs", l->dir, l->hex) >= PATH_MAX)
		return err_set(e, ENAMETOOLONG, "%.100s...: path is too long", l->dir);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_errno(e, "cannot open %s", path);
	if (fstat(fd, &st) < 0)
		return err_errno(e, "cannot stat %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "%s is not a regular file", path);
	if ((uint64_t)st.st_size < l->data_bytes + VERITY_BLOCK_BYTES)
		return err_set(e, EBADMSG, "%s has %lld bytes, wanted %llu of data and a hash tree", path,
			       (long long)st.st_size, (unsigned long long)l->data_bytes);
	*ret_fd = take_fd(&fd);
	return 0;
}

static int read_signature(const struct layer *l, struct buf *ret, struct err *e)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s.p7s", l->dir, l->hex) >= (int)sizeof(path))
		return err_set(e, ENAMETOOLONG, "%.100s...: path is too long", l->dir);
	return file_read(path, VERITY_LAYER_MAX_SIGNATURE_BYTES, ret, e);
}

/* Loop device and dm-verity on top. The loop device lives on by the table's hold when our descriptor is closed. */
static int make_device(const struct layer *l, struct verity_device *ret, struct err *e)
{
	cleanup_buf struct buf signature = BUF_INIT;
	cleanup_fd int file_fd = -1, loop_fd = -1;
	char path[PATH_MAX], loop[32];
	struct verity_activate_params p;
	int r = open_file(l, path, &file_fd, e);

	if (!r)
		r = read_signature(l, &signature, e);
	if (!r)
		r = attach_loop(file_fd, path, &loop_fd, loop, e);
	if (r)
		return r;
	p = (struct verity_activate_params){
		.name = l->device,
		.data_device = loop,
		.hash_device = loop,
		.hash_offset_bytes = l->data_bytes,
		.root_hash = l->root_hash,
		.signature = signature.data,
		.signature_bytes = signature.len,
		.data_bytes = l->data_bytes,
		.on_corruption = l->on_corruption,
	};
	return verity_activate(&p, ret, e);
}

/* The device of the layer: the one that is there, if it proves, else a new one. */
static int get_device(const struct layer *l, bool *ret_made, char ret_path[static VERITY_NODE_BYTES], struct err *e)
{
	struct verity_device device = {0};
	struct verity_table t;
	int r = verity_table_find(l->device, &t, e);

	if (r == -ENODEV) {
		r = make_device(l, &device, e);
		*ret_made = r == 0;
		if (r != -EEXIST) {
			if (!r)
				(void)snprintf(ret_path, VERITY_NODE_BYTES, "%s", device.path); /* of the same size */
			return r;
		}
		r = verity_table_find(l->device, &t, e); /* made by someone who does not take the lock */
	}
	if (!r)
		r = verity_table_prove(&t, l->root_hash, l->data_bytes, e);
	if (!r)
		r = verity_device_node(t.dev, &device, e);
	if (r) {
		e->code = EBADMSG; /* whatever it is, it is not this layer's device */
		return err_context(e, "the device %s that is there already", l->device);
	}
	(void)snprintf(ret_path, VERITY_NODE_BYTES, "%s", device.path); /* of the same size */
	return 0;
}

static int unmount_layer(const char *path, struct err *e)
{
	if (umount2(path, UMOUNT_NOFOLLOW) == 0 || errno == EINVAL || errno == ENOENT)
		return 0;
	return err_errno(e, "cannot unmount %s", path);
}

/* Mount and prove. What was mounted here and does not prove is unmounted again. */
static int mount_layer(const struct layer *l, const char *device, struct err *e)
{
	struct err second = ERR_INIT;
	bool mounted = true;
	int r;

	if (mount(device, l->path, "erofs", MS_RDONLY | MS_NODEV | MS_NOSUID, NULL) < 0) {
		if (errno != EBUSY) /* EBUSY: this very device is mounted there already */
			return err_errno(e, "cannot mount %s on %s", device, l->path);
		mounted = false;
	}
	r = verity_layer_prove(l->path, l->root_hash, l->data_bytes, e);
	if (r && mounted && unmount_layer(l->path, &second))
		return err_context(e, "%.80s could not be unmounted again", l->path);
	return r;
}

/* The mount point: made if absent. @ret_mounted: something is mounted there. */
static int get_mount_point(const struct layer *l, bool *ret_made, bool *ret_mounted, struct err *e)
{
	cleanup_fd int fd = -1;
	uint64_t id = 0;

	*ret_made = mkdir(l->path, 0755) == 0;
	if (!*ret_made && errno != EEXIST)
		return err_errno(e, "cannot make folder %s", l->path);
	fd = open(l->path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, "cannot open %s", l->path);
	return is_mount_top(fd, l->path, ret_mounted, &id, e);
}

static int open_layer(const struct layer *l, struct err *e)
{
	bool made_folder = false, made_device = false, mounted = false;
	struct err second = ERR_INIT;
	char device[VERITY_NODE_BYTES] = "";
	int r = get_mount_point(l, &made_folder, &mounted, e);

	if (!r && mounted)
		return verity_layer_prove(l->path, l->root_hash, l->data_bytes, e);
	if (!r)
		r = get_device(l, &made_device, device, e);
	if (!r)
		r = mount_layer(l, device, e);
	if (!r)
		return 0;
	if (made_device && verity_deactivate(l->device, &second))
		r = err_context(e, "%s stays, for it could not be removed", l->device);
	if (made_folder)
		(void)rmdir(l->path); /* an empty folder does no harm */
	return r;
}

int verity_layer_open(const char *dir, const uint8_t root_hash[static HASH_SHA256_BYTES], uint64_t data_bytes,
		      enum verity_on_corruption on_corruption, char ret_path[static VERITY_LAYER_PATH_BYTES],
		      struct err *e)
{
	cleanup_fd int lock = -1;
	struct layer l;
	int r;

	if (data_bytes == 0 || data_bytes % VERITY_BLOCK_BYTES || data_bytes > VERITY_MAX_DATA_BYTES / 2)
		return err_set(e, EINVAL, "a layer of %llu bytes, wanted a multiple of %d and not 0",
			       (unsigned long long)data_bytes, VERITY_BLOCK_BYTES);
	layer_init(&l, root_hash);
	l.dir = dir;
	l.data_bytes = data_bytes;
	l.on_corruption = on_corruption;
	r = lock_layers(&lock, e);
	if (!r)
		r = open_layer(&l, e);
	if (r)
		return err_context(e, "layer %.12s", l.hex);
	memcpy(ret_path, l.path, sizeof(l.path));
	return 0;
}

int verity_layer_close(const uint8_t root_hash[static HASH_SHA256_BYTES], struct err *e)
{
	cleanup_fd int lock = -1;
	struct layer l;
	int r = lock_layers(&lock, e);

	if (r)
		return r;
	layer_init(&l, root_hash);
	r = unmount_layer(l.path, e);
	if (!r)
		r = verity_deactivate(l.device, e);
	if (r && r != -ENODEV)
		return err_context(e, "layer %.12s", l.hex);
	(void)rmdir(l.path); /* absent, or an empty folder that does no harm */
	return 0;
}
