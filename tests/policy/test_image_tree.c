/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/policy/test_image_tree.c - a file of an image is what the container would find
 *
 * The table's layers are judged by the kernel too, as root on a machine with overlayfs: tar(1) unpacks them, and an
 * overlay of them shows the same file under a chroot.
 */
#include "tests/policy/owner.h"
#include "tests/policy/tar_make.h"

#include "policy/image_tree.h"

#include <sys/stat.h>
#include <sys/xattr.h>

#define MAX_ENTRIES 6
#define MAX_LAYERS  3

struct image {
	const char *why;
	struct tar_entry layer[MAX_LAYERS][MAX_ENTRIES];
	const char *path, *content; /* content NULL: refused with @part */
	int code;
	const char *part;
};

#define DIR(n)	   {.name = n, .type = '5', .mode = "0000755"}
#define FILE_(n, c) {.name = n, .content = c}
#define LINK(n, l) {.name = n, .type = '2', .link = l}
#define HARD(n, l) {.name = n, .type = '1', .link = l}

static const struct image images[] = {
	{"plain", {{FILE_("etc/passwd", "one")}}, "/etc/passwd", "one", 0, NULL},
	{"the upper one", {{FILE_("etc/passwd", "one")}, {FILE_("etc/passwd", "two")}}, "/etc/passwd", "two", 0, NULL},
	{"folders are merged", {{FILE_("etc/passwd", "one")}, {FILE_("etc/group", "two")}}, "/etc/passwd", "one", 0, NULL},
	{"whiteout", {{FILE_("etc/passwd", "one")}, {{.name = "etc/.wh.passwd"}}}, "/etc/passwd", NULL, ENOENT, "no \"etc/passwd\""},
	{"whiteout of the folder", {{FILE_("etc/passwd", "one")}, {{.name = ".wh.etc"}}}, "/etc/passwd", NULL, ENOENT, "no \"etc\""},
	{"and a new one above", {{FILE_("etc/passwd", "one")}, {{.name = ".wh.etc"}}, {FILE_("etc/group", "two")}}, "/etc/passwd", NULL, ENOENT, "no \"etc/passwd\""},
	{"opaque", {{FILE_("etc/passwd", "one")}, {{.name = "etc/.wh..wh..opq"}, FILE_("etc/group", "x")}}, "/etc/passwd", NULL, ENOENT, "no \"etc/passwd\""},
	{"opaque keeps its own", {{FILE_("etc/passwd", "one")}, {{.name = "etc/.wh..wh..opq"}, FILE_("etc/passwd", "two")}}, "/etc/passwd", "two", 0, NULL},
	{"a file hides a folder", {{FILE_("etc/passwd", "one")}, {FILE_("etc", "x")}, {FILE_("etc/group", "x")}}, "/etc/passwd", NULL, ENOENT, "no \"etc/passwd\""},
	{"a folder hides a link", {{FILE_("usr/etc/passwd", "one"), LINK("etc", "usr/etc")}, {FILE_("etc/group", "x")}}, "/etc/passwd", NULL, ENOENT, "no \"etc/passwd\""},
	{"link, relative", {{FILE_("usr/share/p", "one"), LINK("etc/passwd", "../usr/share/p")}}, "/etc/passwd", "one", 0, NULL},
	{"link, absolute", {{FILE_("usr/share/p", "one"), LINK("etc/passwd", "/usr/share/p")}}, "/etc/passwd", "one", 0, NULL},
	{"link of a folder", {{FILE_("usr/etc/passwd", "one"), LINK("etc", "usr/etc")}}, "/etc/passwd", "one", 0, NULL},
	{"link into another layer", {{FILE_("usr/p", "one")}, {LINK("etc/passwd", "/usr/p")}, {FILE_("usr/p", "two")}}, "/etc/passwd", "two", 0, NULL},
	{"above the top is the top", {{FILE_("p", "one"), LINK("etc/passwd", "../../../../../../p")}}, "/etc/passwd", "one", 0, NULL},
	{"the machine's file is not reached", {{LINK("etc/passwd", "../../../../../../etc/hostname")}}, "/etc/passwd", NULL, ENOENT, "no \"etc/hostname\""},
	{"nor by the process's own", {{LINK("etc/passwd", "/proc/self/cwd/etc/passwd")}}, "/etc/passwd", NULL, ENOENT, "no \"proc\""},
	{"link to itself", {{LINK("etc/passwd", "passwd")}}, "/etc/passwd", NULL, ELOOP, "more than 40 symbolic links"},
	{"links in a ring", {{LINK("a", "b"), LINK("b", "a"), LINK("etc/passwd", "/a/x")}}, "/etc/passwd", NULL, ELOOP, "more than 40"},
	{"a folder", {{DIR("etc/passwd/")}}, "/etc/passwd", NULL, EINVAL, "no regular file"},
	{"a FIFO", {{{.name = "etc/passwd", .type = '6'}}}, "/etc/passwd", NULL, EINVAL, "no regular file"},
	{"link to a folder", {{LINK("etc/passwd", "..")}}, "/etc/passwd", NULL, EINVAL, "no regular file"},
	{"below a file", {{FILE_("etc", "x")}}, "/etc/passwd", NULL, EINVAL, "\"etc\" is no folder"},
	{"hard link", {{FILE_("a", "one"), FILE_("b", "two"), HARD("etc/passwd", "a")}}, "/etc/passwd", "one", 0, NULL},
	{"hard link to a link", {{FILE_("a", "one"), LINK("b", "a"), HARD("etc/passwd", "b"), FILE_("etc/a", "two")}}, "/etc/passwd", "two", 0, NULL},
	{"hard link of a hard link", {{FILE_("a", "one"), HARD("b", "a"), HARD("etc/passwd", "b"), FILE_("c", "x")}}, "/etc/passwd", "one", 0, NULL},
	{"folder named again", {{FILE_("etc/passwd", "one"), DIR("etc/"), FILE_("z", "x")}}, "/etc/passwd", "one", 0, NULL},
	{"empty file", {{FILE_("etc/passwd", NULL)}}, "/etc/passwd", "", 0, NULL},
	{"too large", {{FILE_("etc/passwd", "nine byte")}}, "/etc/passwd", NULL, EFBIG, "has 9 bytes, wanted at most 8"},
	{"a tar that lies", {{FILE_("../etc/passwd", "x")}}, "/etc/passwd", NULL, EINVAL, "has a part that is empty"},
};

struct tars {
	struct buf tar[MAX_LAYERS];
	size_t n;
};

static int unpack(void *arg, size_t layer, const struct policy_oci_sink *to, struct err *e)
{
	const struct buf *b = &((struct tars *)arg)->tar[layer];

	return to->put(to->arg, b->data, b->len, e);
}

static void make(const struct image *image, struct tars *ret)
{
	*ret = (struct tars){0};
	while (ret->n < MAX_LAYERS && image->layer[ret->n][0].name) {
		struct buf *b = &ret->tar[ret->n];

		for (size_t k = 0; k < MAX_ENTRIES && image->layer[ret->n][k].name; k++)
			tar_put(b, &image->layer[ret->n][k]);
		tar_end(b);
		ret->n++;
	}
}

static void release(struct tars *t)
{
	for (size_t i = 0; i < t->n; i++)
		buf_free(&t->tar[i]);
}

static int read_it(struct tars *t, const char *path, struct buf *ret, struct err *e)
{
	const struct policy_image_source from = {.unpack = unpack, .arg = t, .n_layers = t->n, .max_bytes = 1 << 20};
	cleanup_policy_image_tree struct policy_image_tree *tree = NULL;
	int r = policy_image_tree_load(&from, &tree, e);

	return r ? r : policy_image_tree_read(tree, path, 8, ret, e);
}

static void a_file_is_what_the_container_would_find(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(images); i++) {
		const struct image *im = &images[i];
		cleanup_buf struct buf b = BUF_INIT;
		struct err e = ERR_INIT;
		struct tars t;
		int r;

		make(im, &t);
		r = read_it(&t, im->path, &b, &e);
		if (!im->content ? r != -im->code || !strstr(e.msg, im->part)
				 : r || b.len != strlen(im->content) || (b.len && memcmp(b.data, im->content, b.len)))
			fail_msg("%s: %d %s: \"%.*s\"", im->why, r, e.msg, (int)b.len, (const char *)b.data);
		release(&t);
	}
}

/* --- the kernel's own answer ---------------------------------------------------------------------------------- */

static const char *const script =
	"set -e; cd \"$1\"\n"
	"mkdir -p bottom/holdfast-bin m; cp \"$2\" bottom/holdfast-bin/busybox\n"
	"lower=$PWD/bottom; for l in l?; do lower=$PWD/$l:$lower; done\n"
	"mount -t overlay -o lowerdir=$lower overlay m\n"
	"chroot m /holdfast-bin/busybox cat \"$3\" 2>/dev/null || echo -n none\n";

/* Layer @n of @im as a folder below @dir: tar(1) unpacks it, then OCI's whiteouts become overlayfs's. */
static void unpack_folder(const struct image *im, size_t n, const struct buf *tar, const char *dir)
{
	char folder[64], file[80], path[160];
	const char *const argv[] = {"tar", "-xf", file, "-C", folder, "--exclude=.wh.*", NULL};
	struct err e = ERR_INIT;

	(void)snprintf(folder, sizeof(folder), "%s/l%zu", dir, n);
	(void)snprintf(file, sizeof(file), "%s.tar", folder);
	assert_ok(file_mkdirs(folder, &e), &e);
	assert_ok(file_write(file, tar->data, tar->len, 0600, &e), &e);
	owner_run(argv);
	assert_int_equal(unlink(file), 0);
	for (size_t k = 0; k < MAX_ENTRIES && im->layer[n][k].name; k++) {
		const char *name = im->layer[n][k].name, *mark = strstr(name, ".wh.");

		if (!mark)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%.*s", folder, (int)(mark - name), name);
		assert_ok(file_mkdirs(path, &e), &e);
		if (!strcmp(mark, ".wh..wh..opq")) {
			assert_int_equal(setxattr(path, "trusted.overlay.opaque", "y", 1, 0), 0);
			continue;
		}
		(void)snprintf(path, sizeof(path), "%s/%.*s%s", folder, (int)(mark - name), name, mark + 4);
		assert_int_equal(mknod(path, S_IFCHR, 0), 0);
	}
}

static void overlayfs_shows_the_same(void **state)
{
	static const char *const busybox[] = {"/bin/busybox", "/usr/bin/busybox"};
	const char *found = !access(busybox[0], X_OK) ? busybox[0] : !access(busybox[1], X_OK) ? busybox[1] : NULL;

	(void)state;
	if (geteuid() || !found || access("/usr/bin/unshare", X_OK))
		skip(); /* wants root, busybox-static, util-linux */
	for (size_t i = 0; i < ARRAY_SIZE(images); i++) {
		const struct image *im = &images[i];
		char dir[] = "/dev/shm/holdfast-tree-XXXXXX";
		const char *const argv[] = {"unshare", "-m", "sh", "-c", script, "sh", dir, found, im->path, NULL};
		cleanup_buf struct buf out = BUF_INIT;
		struct proc_params p = {.argv = argv, .out = &out, .out_max = 4096, .quiet = 1};
		struct err e = ERR_INIT;
		struct tars t;

		if (im->code == EFBIG || strstr(im->why, "FIFO") || strstr(im->why, "lies"))
			continue; /* rules of ours */
		assert_non_null(mkdtemp(dir));
		make(im, &t);
		for (size_t k = 0; k < t.n; k++)
			unpack_folder(im, k, &t.tar[k], dir);
		release(&t);
		assert_ok(proc_run(&p, &e), &e);
		owner_remove_folder(dir);
		if (out.len != strlen(im->content ? im->content : "none") ||
		    (out.len && memcmp(out.data, im->content ? im->content : "none", out.len)))
			fail_msg("%s: the kernel shows \"%.*s\"", im->why, (int)out.len, (const char *)out.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_what_the_container_would_find),
		cmocka_unit_test(overlayfs_shows_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
