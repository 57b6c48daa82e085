/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/verity/test_faults.c - when reading, writing or the file itself fails: an error, and nothing that looks good
 *
 * Each system call of a format is made to fail once, in turn. Beside it the same path succeeds.
 */
#include "tests/common/check.h"

#include "common/file.h"
#include "common/interrupt.h"
#include "verity/format.h"
#include "verity/mapped.h"
#include "verity/verify.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOCKS 300

static char dir[64], data_path[96], hash_path[96];

/* What the fake calls do: the @n-th of them fails with @code (0: none does). Threads: one, or atomics suffice. */
static struct {
	atomic_uint calls;
	unsigned fail_at;
	int code;
	uint64_t at[4096];
	bool is_sync[4096];
	bool shorten;
	off_t cut_to;
} fake;

static bool fails(uint64_t at, bool is_sync)
{
	unsigned i = atomic_fetch_add(&fake.calls, 1);

	if (i < ARRAY_SIZE(fake.at)) {
		fake.at[i] = at;
		fake.is_sync[i] = is_sync;
	}
	if (!fake.fail_at || i + 1 != fake.fail_at)
		return false;
	errno = fake.code;
	return true;
}

static ssize_t fake_pread(int fd, void *buf, size_t n, off_t at)
{
	if (fails((uint64_t)at, false))
		return -1;
	if (fake.cut_to && at >= fake.cut_to)
		assert_int_equal(truncate(data_path, fake.cut_to), 0);
	if (fake.shorten && atomic_load(&fake.calls) % 3 == 0) {
		errno = EINTR;
		return -1;
	}
	return pread(fd, buf, fake.shorten && n > 1 ? n / 2 + 1 : n, at);
}

static ssize_t fake_pwrite(int fd, const void *buf, size_t n, off_t at)
{
	if (fails((uint64_t)at, false))
		return -1;
	if (fake.shorten && atomic_load(&fake.calls) % 3 == 0) {
		errno = EINTR;
		return -1;
	}
	return pwrite(fd, buf, fake.shorten && n > 1 ? n / 2 + 1 : n, at);
}

static int fake_fsync(int fd)
{
	(void)fd;
	return fails(0, true) ? -1 : 0;
}

static const struct verity_io read_only_io = {.pread = fake_pread}, write_only_io = {.pwrite = fake_pwrite, .fsync = fake_fsync},
			      all_io = {fake_pread, fake_pwrite, fake_fsync};

static void reset(unsigned fail_at, int code)
{
	memset(&fake, 0, sizeof(fake));
	fake.fail_at = fail_at;
	fake.code = code;
}

static void make_data(size_t blocks)
{
	cleanup_free uint8_t *data = malloc(blocks * 4096);
	struct err e = ERR_INIT;

	assert_non_null(data);
	for (size_t i = 0; i < blocks * 4096; i++)
		data[i] = (uint8_t)(i * 7 + i / 4096);
	assert_ok(file_write(data_path, data, blocks * 4096, 0600, &e), &e);
}

static struct verity_format_params usual(const struct verity_io *io)
{
	struct verity_format_params p = {.data_path = data_path, .hash_path = hash_path, .io = io, .threads = 1};

	verity_sb_init(&p.sb);
	return p;
}

static off_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : -1;
}

static unsigned files_in_dir(void)
{
	char command[128];
	unsigned n = 0;
	FILE *f;

	(void)snprintf(command, sizeof(command), "ls -A %s | wc -l", dir);
	f = popen(command, "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%u", &n), 1);
	assert_int_equal(pclose(f), 0);
	return n;
}

/* Format with each call failing in turn, until it succeeds; @check looks at what a failure left. Return: calls. */
static unsigned fail_each(struct verity_format_params *p, int code, void (*check)(const struct err *e))
{
	struct verity_format_result res;

	for (unsigned i = 1;; i++) {
		struct err e = ERR_INIT;
		int r;

		reset(i, code);
		r = verity_format(p, &res, &e);
		if (atomic_load(&fake.calls) < i) {
			assert_ok(r, &e);
			return i - 1;
		}
		assert_int_equal(r, -code);
		check(&e);
	}
}

static void nothing_is_left(const struct err *e)
{
	assert_non_null(strstr(e->msg, "cannot "));
	assert_int_equal(size_of(hash_path), -1);
	assert_int_equal(size_of(data_path), BLOCKS * 4096);
	assert_int_equal(files_in_dir(), 1);
}

static void a_new_file_is_all_or_nothing(void **state)
{
	static const int codes[] = {EIO, ENOSPC};

	(void)state;
	make_data(BLOCKS);
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		struct verity_format_params p = usual(i ? &write_only_io : &all_io);

		assert_true(fail_each(&p, codes[i], nothing_is_left) > (i ? 3 : 12));
		assert_int_equal(unlink(hash_path), 0);
	}
}

static void appended_to_a_file_too(void **state)
{
	struct verity_format_params p = usual(&all_io);

	(void)state;
	make_data(BLOCKS);
	p.hash_path = NULL;
	assert_true(fail_each(&p, ENOSPC, nothing_is_left) > 12);
	assert_int_equal(size_of(data_path), (BLOCKS + 5) * 4096);
}

static void no_superblock_is_left(const struct err *e)
{
	cleanup_fd int fd = open(hash_path, O_RDONLY | O_CLOEXEC);
	struct err why = ERR_INIT;
	struct verity_sb sb;

	(void)e;
	assert_true(fd >= 0);
	if (atomic_load(&fake.calls) > 1) /* before the first write the old one stands */
		assert_refused(verity_sb_read(fd, 8192, "hash", &sb, &why), &why, ENODATA, "no verity superblock");
}

/* As on a device, which cannot be renamed: what is there is cleared first, and comes back last, after the tree is synced. */
static void in_place_the_superblock_goes_first_and_comes_last(void **state)
{
	struct verity_format_params p = usual(&write_only_io);
	struct verity_format_result res;
	struct err e = ERR_INIT;
	unsigned n;

	(void)state;
	make_data(BLOCKS);
	assert_ok(file_write(hash_path, dir, 1, 0600, &e), &e);
	assert_int_equal(truncate(hash_path, 1 << 20), 0);
	p.hash_offset_bytes = 8192;
	reset(0, 0);
	assert_ok(verity_format(&p, &res, &e), &e);
	n = atomic_load(&fake.calls);
	assert_true(n > 6 && fake.at[0] == 8192 && fake.is_sync[1]);
	for (unsigned i = 2; i < n - 3; i++)
		assert_true(!fake.is_sync[i] && fake.at[i] >= 8192 + 4096);
	assert_true(fake.is_sync[n - 3] && fake.at[n - 2] == 8192 && !fake.is_sync[n - 2] && fake.is_sync[n - 1]);
	/* The old superblock is there now; a failure must not leave it in front of a half-made tree. */
	assert_int_equal(fail_each(&p, EIO, no_superblock_is_left), n);
	assert_int_equal(size_of(hash_path), 1 << 20);
	assert_int_equal(unlink(hash_path), 0);
}

static void short_reads_and_writes_change_nothing(void **state)
{
	struct verity_format_params p = usual(NULL);
	cleanup_buf struct buf a = BUF_INIT, b = BUF_INIT;
	struct verity_format_result res;
	struct err e = ERR_INIT;

	(void)state;
	make_data(BLOCKS);
	assert_ok(verity_format(&p, &res, &e), &e);
	assert_ok(file_read(hash_path, 1 << 20, &a, &e), &e);
	p.io = &all_io;
	reset(0, 0);
	fake.shorten = true;
	assert_ok(verity_format(&p, &res, &e), &e);
	assert_true(atomic_load(&fake.calls) > 100);
	assert_ok(file_read(hash_path, 1 << 20, &b, &e), &e);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
	assert_int_equal(unlink(hash_path), 0);
}

static void data_that_shrinks_is_an_error(void **state)
{
	struct verity_format_result res;

	(void)state;
	for (unsigned threads = 1; threads <= 3; threads++) {
		struct verity_format_params p = usual(&read_only_io);
		struct err e = ERR_INIT;

		make_data(3000);
		p.threads = threads;
		reset(0, 0);
		fake.cut_to = 2000 * 4096;
		assert_refused(verity_format(&p, &res, &e), &e, ENODATA, "too early");
		fake.cut_to = 0;
		assert_int_equal(size_of(hash_path), -1);
	}
}

/* struct shrinker - cuts the file off when the first run is done */
struct shrinker {
	const char *path;
	off_t to;
	atomic_uint runs;
};

static int cut_once(void *arg, const struct verity_run *run, struct err *e)
{
	struct shrinker *s = arg;

	(void)run;
	(void)e;
	if (atomic_fetch_add(&s->runs, 1) == 0)
		assert_int_equal(truncate(s->path, s->to), 0);
	return 0;
}

static void a_file_cut_off_under_the_threads_is_an_error_in_each_mode(void **state)
{
	static const enum verity_read_mode modes[] = {VERITY_READ_AUTO, VERITY_READ_PREAD, VERITY_READ_MAP, VERITY_READ_DIRECT};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(modes); i++) {
		struct shrinker s = {.path = data_path, .to = 3 << 20};
		struct verity_digests_params d = {.blocks = 8192, .threads = (unsigned)(i / ARRAY_SIZE(modes) + 1)};
		struct verity_geometry geo;
		struct verity_lanes lanes;
		struct verity_file src;
		struct err e = ERR_INIT;
		struct verity_sb sb;

		make_data(8192);
		verity_sb_init(&sb);
		sb.data_blocks = 8192;
		geo = verity_geometry_of(&sb);
		assert_ok(verity_digests_lanes(&sb, 4096, &lanes, &e), &e);
		src = (struct verity_file){.fd = open(data_path, O_RDONLY | O_CLOEXEC), .name = data_path};
		assert_true(src.fd >= 0);
		d.lanes = &lanes;
		d.geo = &geo;
		d.src = &src;
		d.mode = modes[i % ARRAY_SIZE(modes)];
		d.done = cut_once;
		d.arg = &s;
		assert_refused(verity_digests_run(&d, &e), &e, ENODATA, "too early");
		assert_int_equal(close(src.fd), 0);
	}
}

static void a_borrowed_piece_that_goes_away_is_told_and_kills_nobody(void **state)
{
	cleanup_fd int fd = -1;
	struct verity_mapped m;
	const uint8_t *p;
	int status = 0;
	pid_t pid;

	(void)state;
	make_data(BLOCKS);
	fd = open(data_path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(verity_mapped_open(fd, 4096, 200 * 4096, &m));
	p = verity_mapped_borrow(&m, 100 * 4096, 16 * 4096);
	if (!p) {
		verity_mapped_close(&m);
		print_message("SKIP: this kernel cannot populate a mapping (MADV_POPULATE_READ, Linux 5.14)\n");
		skip();
	}
	assert_int_equal(p[4096], (uint8_t)(102 * 4096 * 7 + 102));
	assert_true(verity_mapped_return(&m, 100 * 4096, 16 * 4096));
	p = verity_mapped_borrow(&m, 100 * 4096, 16 * 4096);
	assert_int_equal(ftruncate(fd, 50 * 4096), 0);
	assert_int_equal(p[4096], 0);
	assert_false(verity_mapped_return(&m, 100 * 4096, 16 * 4096));
	p = verity_mapped_borrow(&m, 60 * 4096, 16 * 4096);
	if (p && *check_runner()) { /* qemu-user says that it populated and did not: then it is told by the touch */
		assert_int_equal(*p, 0);
		assert_false(verity_mapped_return(&m, 60 * 4096, 16 * 4096));
	} else {
		assert_null(p); /* not there any more: told at once */
	}
	verity_mapped_close(&m);
	/* Whoever touches what is not borrowed still dies. (cmocka has a handler of its own, in its process.) */
	pid = fork();
	if (pid == 0) {
		if (signal(SIGBUS, SIG_DFL) == SIG_ERR || !verity_mapped_open(fd, 0, 200 * 4096, &m))
			_exit(1);
		(void)prctl(PR_SET_DUMPABLE, 0); /* no core file of a death that is wanted */
		_exit(*(volatile const uint8_t *)(m.row + 70 * 4096));
	}
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
}

static void an_unreadable_block_is_no_verdict(void **state)
{
	struct verity_format_params p = usual(NULL);
	struct verity_verify_params v = {.threads = 2};
	cleanup_fd int data_fd = -1, hash_fd = -1;
	struct verity_format_result res;
	struct verity_verify_result found;
	struct err e = ERR_INIT;

	(void)state;
	make_data(BLOCKS);
	assert_ok(verity_format(&p, &res, &e), &e);
	data_fd = open(data_path, O_RDONLY | O_CLOEXEC);
	hash_fd = open(hash_path, O_RDONLY | O_CLOEXEC);
	v.data = (struct verity_file){.fd = data_fd, .name = "the data", .io = &read_only_io};
	v.hash = (struct verity_file){.fd = hash_fd, .name = "the hash tree", .io = &read_only_io};
	v.root_hash = res.root_hash;
	v.root_hash_bytes = 32;
	for (unsigned i = 1;; i++) {
		int r;

		reset(i, EIO);
		r = verity_verify(&v, &found, &e);
		if (atomic_load(&fake.calls) < i) {
			assert_ok(r, &e);
			assert_int_equal(found.first.verdict, VERITY_VERDICT_GOOD);
			assert_true(i > 10);
			break;
		}
		assert_refused(r, &e, EIO, "cannot read the ");
	}
	assert_int_equal(unlink(hash_path), 0);
}

/* In a child: signals stay pending for ever. */
static void an_interrupt_removes_what_was_made(void **state)
{
	int status = 0;
	pid_t pid;

	(void)state;
	make_data(BLOCKS);
	pid = fork();
	if (pid == 0) {
		struct verity_format_params p = usual(NULL);
		struct verity_format_result res;
		struct err e = ERR_INIT;

		p.threads = 2;
		if (interrupt_catch(&e) || verity_format(&p, &res, &e) || unlink(hash_path) || raise(SIGINT))
			_exit(1);
		_exit(verity_format(&p, &res, &e) == -EINTR && size_of(hash_path) == -1 && files_in_dir() == 1 ? 0 : 2);
	}
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static int make_dir(void **state)
{
	(void)state;
	memcpy(dir, "./holdfast-faults-XXXXXX", 25); /* not in /tmp, which may be a tmpfs: O_DIRECT is wanted */
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(data_path, sizeof(data_path), "%s/data", dir);
	(void)snprintf(hash_path, sizeof(hash_path), "%s/hash", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	(void)unlink(data_path);
	(void)unlink(hash_path);
	return rmdir(dir); /* fails if anything else, such as a temporary file, was left */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_file_is_all_or_nothing),
		cmocka_unit_test(appended_to_a_file_too),
		cmocka_unit_test(in_place_the_superblock_goes_first_and_comes_last),
		cmocka_unit_test(short_reads_and_writes_change_nothing),
		cmocka_unit_test(data_that_shrinks_is_an_error),
		cmocka_unit_test(a_file_cut_off_under_the_threads_is_an_error_in_each_mode),
		cmocka_unit_test(a_borrowed_piece_that_goes_away_is_told_and_kills_nobody),
		cmocka_unit_test(an_unreadable_block_is_no_verdict),
		cmocka_unit_test(an_interrupt_removes_what_was_made),
	};

	return cmocka_run_group_tests_name("verity/faults", tests, make_dir, remove_dir);
}
