/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/verity/vm_activate.c - discovery, activation, proof and layers against a real kernel: PID 1 of a test boot
 *
 * Made and run by tests/verity/vm_activate: /init of an initramfs on a kernel whose .platform keyring holds the db
 * certificate. What it finds there:
 *
 * - /modules/N-NAME.ko.xz, in load order
 * - /dev/vda with a GPT and the root set of /roothash
 * - /layers/HASH.erofs and .p7s, a good layer; /layer names its root hash and size
 * - /odd/other-key.p7s, other-hash.p7s, garbage.p7s
 *
 * Prints "ok SENTENCE" or "FAILED SENTENCE" a line, then "DONE FAILURES", and powers off.
 */
#include "common/file.h"
#include "common/hex.h"
#include "verity/activate.h"
#include "verity/discover.h"
#include "verity/layer.h"
#include "verity/open.h"
#include "verity/sigrecord.h"
#include "verity/superblock.h"
#include "verity/table_add.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>

static unsigned failures;
static uint8_t root_hash[HASH_SHA256_BYTES], layer_hash[HASH_SHA256_BYTES];
static uint64_t layer_bytes;

/* One line: what was to be returned, what was, and the sentence. */
static void expect(const char *what, int want, int have, const struct err *e)
{
	bool ok = want == have;

	failures += !ok;
	printf("%s %s: %d%s%s\n", ok ? "ok" : "FAILED", what, have, have ? " " : "", have ? e->msg : "");
	(void)fflush(stdout); /* the console is all there is */
}

static void load_modules(void)
{
	struct dirent **names = NULL;
	int n = scandir("/modules", &names, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		char path[300];
		int fd;

		if (names[i]->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "/modules/%s", names[i]->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || syscall(SYS_finit_module, fd, "", 4 /* MODULE_INIT_COMPRESSED_FILE */) < 0)
			printf("module %s: %s\n", path, strerror(errno));
		(void)close(fd);
	}
}

static struct buf read_whole(const char *path)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	if (file_read(path, 1 << 26, &b, &e))
		printf("FAILED %s\n", e.msg);
	return b;
}

static void write_whole(const char *path, const void *data, size_t n)
{
	struct err e = ERR_INIT;

	(void)unlink(path);
	if (file_write(path, data, n, 0600, &e))
		printf("FAILED %s\n", e.msg);
}

/* What libcryptsetup cannot ask for, on a device with a signature: the kernel checks that again. */
static void check_open(const struct verity_activate_params *base)
{
	const unsigned want = 1u << VERITY_OPTION_RESTART_ON_CORRUPTION | 1u << VERITY_OPTION_PANIC_ON_ERROR;
	struct verity_open_params p = {.base = *base, .root_hash_bytes = HASH_SHA256_BYTES, .options = want};
	const char *const word[] = {"panic_on_error"}, *const unknown[] = {"sing_on_error"};
	struct verity_table_add add = {.name = "opened", .word = word, .n = 1};
	cleanup_buf struct buf other = read_whole("/odd/other-key.p7s");
	struct verity_open_result res;
	struct verity_status s = {0};
	struct err e = ERR_INIT;

	p.base.name = "opened";
	expect("opened with a signature and panic_on_error", 0, verity_open(&p, &res, &e), &e);
	expect("  its table is told", 0, verity_status_get("opened", &s, &e), &e);
	expect("  and has the options", (int)want, (int)s.options, &e);
	expect("  and the signature", 1, s.signature_key[0] != 0, &e);
	expect("removed", 0, verity_deactivate("opened", &e), &e);
	p.options = 0;
	expect("opened without options", 0, verity_open(&p, &res, &e), &e);
	expect("  a word is not added without the signature", -EINVAL, verity_table_add(&add, &e), &e);
	add.signature = other.data;
	add.signature_bytes = other.len;
	expect("  nor with another key's", -ENOKEY, verity_table_add(&add, &e), &e);
	add.signature = p.base.signature;
	add.signature_bytes = p.base.signature_bytes;
	add.word = unknown;
	expect("  nor a word that the kernel does not know", -ENOTSUP, verity_table_add(&add, &e), &e);
	expect("  its table is told", 0, verity_status_get("opened", &s, &e), &e);
	expect("  and is the first one", 0, (int)s.options, &e);
	add.word = word;
	expect("  with its own signature it is added", 0, verity_table_add(&add, &e), &e);
	expect("removed", 0, verity_deactivate("opened", &e), &e);
}

static void check_root(void)
{
	struct verity_discover_params find = {.root_hash = root_hash};
	uint8_t other[HASH_SHA256_BYTES];
	struct verity_activate_params p = {
		.name = "root", .root_hash = root_hash, .on_corruption = VERITY_CORRUPTION_PANIC};
	static struct verity_sigrecord rec;
	struct verity_root_devices dev = {0};
	struct verity_device d = {0};
	struct verity_table t = {0};
	struct err e = ERR_INIT;

	for (int i = 0; i < 50 && access("/dev/vda3", F_OK); i++)
		(void)usleep(100000);
	expect("root set is discovered", 0, verity_discover_root(&find, &dev, &e), &e);
	memcpy(other, root_hash, sizeof(other));
	other[0] ^= 1;
	find.root_hash = other;
	expect("another root hash is not there", -ENOENT, verity_discover_root(&find, &dev, &e), &e);
	expect("signature record is read", 0, verity_sigrecord_load(dev.path[VERITY_PART_SIG], &rec, &e), &e);
	p.data_device = dev.path[VERITY_PART_ROOT];
	p.hash_device = dev.path[VERITY_PART_HASH];
	p.signature = rec.signature;
	p.signature_bytes = rec.signature_bytes;
	p.root_hash = other;
	expect("wrong root hash is told before the kernel", -EBADMSG, verity_activate(&p, &d, &e), &e);
	p.root_hash = root_hash;
	p.data_bytes = 4096;
	expect("wrong size is told", -EBADMSG, verity_activate(&p, &d, &e), &e);
	p.data_bytes = 0;
	check_open(&p);
	expect("root is activated", 0, verity_activate(&p, &d, &e), &e);
	printf("root is %s %u:%u\n", d.path, (unsigned)(d.dev >> 8), (unsigned)(d.dev & 255));
	expect("again: the name is taken", -EEXIST, verity_activate(&p, &d, &e), &e);
	expect("table is read by number", 0, verity_table_read(d.dev, &t, &e), &e);
	expect("table proves", 0, verity_table_prove(&t, root_hash, 0, &e), &e);
	expect("corruption panics", VERITY_CORRUPTION_PANIC, t.on_corruption, &e);
	expect("failing reads panic", VERITY_CORRUPTION_PANIC, t.on_error, &e);
	expect("mount root", 0, mount(d.path, "/mnt", "erofs", MS_RDONLY, NULL) ? -errno : 0, &e);
	expect("mount proves", 0, verity_prove_mount("/mnt", root_hash, t.data_bytes, &e), &e);
	expect("mount is not another", -EBADMSG, verity_prove_mount("/mnt", other, 0, &e), &e);
	expect("proc is no verity", -ENODEV, verity_prove_mount("/proc", root_hash, 0, &e), &e);
	expect("in use, so not removed", -EBUSY, verity_deactivate("root", &e), &e);
	expect("umount", 0, umount("/mnt") ? -errno : 0, &e);
	expect("removed", 0, verity_deactivate("root", &e), &e);
	expect("gone", -ENODEV, verity_deactivate("root", &e), &e);
	expect("gone from the table", -ENODEV, verity_table_find("root", &t, &e), &e);
}

static void check_signatures(void)
{
	static const struct {
		const char *what, *path;
		int want;
	} cases[] = {
		{"signature by a key that is not in db", "/odd/other-key.p7s", -ENOKEY},
		{"signature of another root hash", "/odd/other-hash.p7s", -EKEYREJECTED},
		{"signature that is no PKCS#7", "/odd/garbage.p7s", -EKEYREJECTED},
	};
	char path[256], dir[] = "/run/bad", hex[65], mountpoint[VERITY_LAYER_PATH_BYTES];
	struct verity_table t;
	struct err e = ERR_INIT;

	hex_encode(layer_hash, sizeof(layer_hash), hex);
	(void)mkdir(dir, 0700);
	(void)snprintf(path, sizeof(path), "/layers/%s.erofs", hex);
	struct buf b = read_whole(path);
	(void)snprintf(path, sizeof(path), "%s/%s.erofs", dir, hex);
	write_whole(path, b.data, b.len);
	(void)snprintf(path, sizeof(path), "%s/%s.p7s", dir, hex);
	expect("layer without a signature file", -ENOENT,
	       verity_layer_open(dir, layer_hash, layer_bytes, VERITY_CORRUPTION_EIO, mountpoint, &e), &e);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buf sig = read_whole(cases[i].path);

		write_whole(path, sig.data, sig.len);
		expect(cases[i].what, cases[i].want,
		       verity_layer_open(dir, layer_hash, layer_bytes, VERITY_CORRUPTION_EIO, mountpoint, &e), &e);
		verity_layer_device_name(layer_hash, path + 128);
		expect("  leaves no device", -ENODEV, verity_table_find(path + 128, &t, &e), &e);
		(void)snprintf(path, sizeof(path), "%s/%s.p7s", dir, hex);
	}
}

/* Layers whose file was changed: @at byte flipped, or the superblock's size field set. */
static void check_changed(const char *what, uint64_t at, uint8_t value, int want)
{
	char path[256], hex[65], mountpoint[VERITY_LAYER_PATH_BYTES];
	struct err e = ERR_INIT;

	hex_encode(layer_hash, sizeof(layer_hash), hex);
	(void)snprintf(path, sizeof(path), "/layers/%s.erofs", hex);
	struct buf b = read_whole(path);
	(void)snprintf(path, sizeof(path), "/layers/%s.p7s", hex);
	struct buf sig = read_whole(path);
	b.data[at] ^= value;
	(void)mkdir("/run/changed", 0700);
	(void)snprintf(path, sizeof(path), "/run/changed/%s.erofs", hex);
	write_whole(path, b.data, b.len);
	(void)snprintf(path, sizeof(path), "/run/changed/%s.p7s", hex);
	write_whole(path, sig.data, sig.len);
	expect(what, want,
	       verity_layer_open("/run/changed", layer_hash, layer_bytes, VERITY_CORRUPTION_EIO, mountpoint, &e), &e);
}

/* Something else stands under the layer's names. */
static void check_impostors(void)
{
	char path[VERITY_LAYER_PATH_BYTES], name[VERITY_NAME_BYTES], file[256], hex[65], loop[32] = "/dev/loop7";
	struct verity_activate_params p = {
		.root_hash = layer_hash, .data_device = loop, .hash_device = loop, .hash_offset_bytes = layer_bytes};
	struct verity_device d;
	struct err e = ERR_INIT;

	verity_layer_path(layer_hash, path);
	verity_layer_device_name(layer_hash, name);
	hex_encode(layer_hash, sizeof(layer_hash), hex);
	(void)mkdir(path, 0755);
	expect("tmpfs on the mount point", 0, mount("x", path, "tmpfs", 0, NULL) ? -errno : 0, &e);
	expect("  is refused", -EBADMSG, verity_layer_open("/layers", layer_hash, layer_bytes, 0, path, &e), &e);
	(void)umount(path);
	expect("a folder of something bound there", 0, mount("/modules", path, NULL, MS_BIND, NULL) ? -errno : 0, &e);
	expect("  is refused", -EBADMSG, verity_layer_open("/layers", layer_hash, layer_bytes, 0, path, &e), &e);
	(void)umount(path);
	(void)snprintf(file, sizeof(file), "/layers/%s.erofs", hex);
	int fd = open(file, O_RDONLY | O_CLOEXEC), lfd = open(loop, O_RDONLY | O_CLOEXEC);
	struct loop_config config = {.fd = (uint32_t)fd, .info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR};
	expect("loop", 0, ioctl(lfd, LOOP_CONFIGURE, &config) ? -errno : 0, &e);
	p.name = name;
	expect("an unsigned device of the same root hash and name", 0, verity_activate_unsigned(&p, &d, &e), &e);
	expect("  is refused", -EBADMSG, verity_layer_open("/layers", layer_hash, layer_bytes, 0, path, &e), &e);
	verity_layer_path(layer_hash, path);
	expect("  mounted by hand", 0,
	       mount(d.path, path, "erofs", MS_RDONLY | MS_NODEV | MS_NOSUID, NULL) ? -errno : 0, &e);
	expect("  is refused too", -EBADMSG, verity_layer_open("/layers", layer_hash, layer_bytes, 0, path, &e), &e);
	(void)close(lfd);
	(void)close(fd);
	expect("closed", 0, verity_layer_close(layer_hash, &e), &e);
}

static void check_layer(void)
{
	char path[VERITY_LAYER_PATH_BYTES] = "", sub[VERITY_LAYER_PATH_BYTES + 16];
	struct err e = ERR_INIT;
	int status = 0;

	expect("layer is opened", 0,
	       verity_layer_open("/layers", layer_hash, layer_bytes, VERITY_CORRUPTION_EIO, path, &e), &e);
	printf("layer is %s\n", path);
	expect("layer is opened again", 0,
	       verity_layer_open("/layers", layer_hash, layer_bytes, VERITY_CORRUPTION_EIO, path, &e), &e);
	expect("layer proves", 0, verity_layer_prove(path, layer_hash, layer_bytes, &e), &e);
	expect("not as another size", -EBADMSG, verity_layer_prove(path, layer_hash, layer_bytes + 4096, &e), &e);
	expect("not as another root hash", -EBADMSG, verity_layer_prove(path, root_hash, layer_bytes, &e), &e);
	(void)snprintf(sub, sizeof(sub), "%s/sub", path);
	expect("a folder inside is no layer", -EBADMSG, verity_layer_prove(sub, layer_hash, layer_bytes, &e), &e);
	expect("bind that folder", 0, mount(sub, "/mnt", NULL, MS_BIND, NULL) ? -errno : 0, &e);
	expect("  a part of a layer is no layer", -EBADMSG, verity_layer_prove("/mnt", layer_hash, layer_bytes, &e),
	       &e);
	(void)umount("/mnt");
	expect("remount with devices", 0,
	       mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID, NULL) ? -errno : 0, &e);
	expect("  nodev is wanted", -EBADMSG, verity_layer_prove(path, layer_hash, layer_bytes, &e), &e);
	expect("layer is closed", 0, verity_layer_close(layer_hash, &e), &e);
	expect("closing twice is fine", 0, verity_layer_close(layer_hash, &e), &e);
	for (int i = 0; i < 4; i++)
		if (fork() == 0)
			_exit(verity_layer_open("/layers", layer_hash, layer_bytes, VERITY_CORRUPTION_EIO, path, &e)
				      ? 1
				      : 0);
	for (int i = 0; i < 4; i++)
		if (wait(&status) < 0 || status)
			expect("four gates at once", 0, -1, &e);
	expect("four gates at once", 0, verity_layer_prove(path, layer_hash, layer_bytes, &e), &e);
	expect("closed", 0, verity_layer_close(layer_hash, &e), &e);
}

int main(void)
{
	char hex[65] = "", path[VERITY_LAYER_PATH_BYTES];
	unsigned long long bytes = 0;
	struct err e = ERR_INIT;

	(void)mkdir("/proc", 0755), (void)mkdir("/sys", 0755), (void)mkdir("/dev", 0755), (void)mkdir("/run", 0755),
		(void)mkdir("/mnt", 0755);
	(void)mount("proc", "/proc", "proc", 0, NULL);
	(void)mount("sys", "/sys", "sysfs", 0, NULL);
	(void)mount("dev", "/dev", "devtmpfs", 0, NULL);
	(void)mount("run", "/run", "tmpfs", 0, NULL);
	int fd = open("/dev/console", O_RDWR);
	(void)dup2(fd, 1), (void)dup2(fd, 2);
	(void)setenv("DM_DISABLE_UDEV", "1", 1);
	load_modules();
	struct buf b = read_whole("/roothash");
	(void)sscanf((char *)b.data, "%64s", hex);
	(void)hex_decode(hex, root_hash, sizeof(root_hash));
	b = read_whole("/layer");
	(void)sscanf((char *)b.data, "%64s %llu", hex, &bytes);
	(void)hex_decode(hex, layer_hash, sizeof(layer_hash));
	layer_bytes = bytes;
	check_root();
	check_signatures();
	check_changed("bad superblock size", layer_bytes + 72, 1, -EBADMSG);
	check_changed("bad superblock magic", layer_bytes, 1, -ENODATA);
	check_changed("bad tree", layer_bytes + 4096, 1, -EBADMSG);
	check_layer();
	check_impostors();
	check_changed("a bad byte of the EROFS superblock is an I/O error", 1024, 1, -EIO);
	verity_layer_path(layer_hash, path);
	expect("  and is not mounted", -1, access(path, F_OK), &e);
	printf("DONE %u\n", failures);
	(void)fflush(stdout);
	(void)tcdrain(1);
	return reboot(RB_POWER_OFF);
}
