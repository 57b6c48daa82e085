/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/verity/test_fec.c - error correction: refusals, threads and slabs agree, what the system may do to us, proof by the root hash
 *
 * Byte identity with veritysetup, and repair from outside, are shown by tests/verity/fec_against_veritysetup.
 */
#include "tests/common/check.h"

#include "verity/fec.h"
#include "verity/format.h"
#include "verity/repair.h"
#include "verity/scrub.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define BLOCK  512
#define BLOCKS 700

static uint8_t data[BLOCKS * BLOCK];

static int memory_file(const void *bytes, size_t n)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, n, 0), (ssize_t)n);
	return fd;
}

/* A volume of data alone (no hash area), parity in memory. */
static struct verity_fec make_fec(unsigned roots)
{
	struct verity_fec f = {.block_bytes = BLOCK, .hash_block_bytes = BLOCK, .roots = roots, .data_blocks = BLOCKS};

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 31 + i / 251 * 7 + i / 4096);
	f.data = (struct verity_file){.fd = memory_file(data, sizeof(data)), .name = "data"};
	f.hash = (struct verity_file){.fd = memory_file("", 0), .name = "hash"};
	f.parity = (struct verity_file){.fd = memory_file("", 0), .name = "parity"};
	return f;
}

static void close_fec(struct verity_fec *f)
{
	(void)close(f->data.fd), (void)close(f->hash.fd), (void)close(f->parity.fd);
}

static void numbers_that_cannot_be_are_refused(void **state)
{
	struct verity_fec good = make_fec(2), f;
	struct err e = ERR_INIT;
	unsigned roots = 0;

	(void)state;
	assert_ok(verity_fec_cover(&good, &e), &e);
	f = good, f.roots = 1;
	assert_refused(verity_fec_cover(&f, &e), &e, EINVAL, "wanted 2 to 24");
	f = good, f.roots = 25;
	assert_refused(verity_fec_cover(&f, &e), &e, EINVAL, "wanted 2 to 24");
	f = good, f.hash_block_bytes = 4096;
	assert_refused(verity_fec_cover(&f, &e), &e, EINVAL, "wants them equal");
	f = good, f.block_bytes = f.hash_block_bytes = 768;
	assert_refused(verity_fec_cover(&f, &e), &e, EINVAL, "power of two");
	f = good, f.data_blocks = 0;
	assert_refused(verity_fec_cover(&f, &e), &e, EINVAL, "cannot be covered");
	f = good, f.data_blocks = UINT64_MAX / 2;
	assert_refused(verity_fec_cover(&f, &e), &e, EINVAL, "cannot be covered");
	f = good, f.parity_offset_bytes = 100;
	assert_refused(verity_fec_cover(&f, &e), &e, EINVAL, "fec_start");
	f = good, f.parity = f.data, f.parity_offset_bytes = BLOCK;
	assert_refused(verity_fec_cover(&f, &e), &e, EINVAL, "inside the data");
	f = good, f.tree_blocks = 9;
	assert_refused(verity_fec_cover(&f, &e), &e, EINVAL, "hash: ends at 0");
	assert_true(verity_fec_roots_parse("24", &roots) && roots == 24);
	for (const char *const *s = (const char *const[]){"", "0", "1", "25", "02", "2 ", "+2", "2x", "100", "-2", NULL}; *s; s++)
		assert_false(verity_fec_roots_parse(*s, &roots));
	close_fec(&good);
}

static void any_number_of_threads_writes_the_same(void **state)
{
	static uint8_t one[BLOCKS * BLOCK], many[BLOCKS * BLOCK];

	(void)state;
	for (unsigned roots = 2; roots <= 24; roots += 11) {
		struct verity_fec f = make_fec(roots);
		struct verity_fec_report report;
		struct err e = ERR_INIT;
		size_t n = (size_t)verity_fec_parity_bytes(&f);

		f.threads = 1;
		assert_ok(verity_fec_encode(&f, &e), &e);
		assert_int_equal(pread(f.parity.fd, one, n, 0), (ssize_t)n);
		assert_int_equal(ftruncate(f.parity.fd, 0), 0);
		f.threads = 64;
		assert_ok(verity_fec_encode(&f, &e), &e);
		assert_int_equal(pread(f.parity.fd, many, n, 0), (ssize_t)n);
		assert_memory_equal(one, many, n);
		assert_ok(verity_fec_check(&f, &report, &e), &e);
		assert_int_equal(report.correctable + report.uncorrectable, 0);
		assert_int_equal(report.codewords, n / roots);
		close_fec(&f);
	}
}

static void every_damaged_byte_is_counted(void **state)
{
	struct verity_fec f = make_fec(4);
	struct verity_fec_report report;
	struct err e = ERR_INIT;
	bool fits = false;

	(void)state;
	assert_ok(verity_fec_encode(&f, &e), &e);
	assert_ok(verity_fec_fits(&f, &fits, &e), &e);
	assert_true(fits);
	for (size_t i = 0; i < 2; i++) { /* two bytes of one codeword, rows apart, and one of another */
		uint8_t byte = (uint8_t)~data[i * BLOCK * verity_fec_rounds(&f) + 5];

		assert_int_equal(pwrite(f.data.fd, &byte, 1, (off_t)(i * BLOCK * verity_fec_rounds(&f) + 5)), 1);
	}
	assert_int_equal(pwrite(f.parity.fd, "\xaa", 1, 100 * 4), 1);
	assert_ok(verity_fec_check(&f, &report, &e), &e);
	assert_int_equal(report.correctable, 2);
	assert_int_equal(report.uncorrectable, 0);
	assert_int_equal(report.bytes, 3);
	close_fec(&f);
	f = make_fec(4);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)rand(); /* parity of other data: anything but sound */
	assert_int_equal(pwrite(f.parity.fd, data, (size_t)verity_fec_parity_bytes(&f), 0), (ssize_t)verity_fec_parity_bytes(&f));
	assert_ok(verity_fec_fits(&f, &fits, &e), &e);
	assert_false(fits);
	close_fec(&f);
}

/* Rows longer than a slab, whose last one is not whole; damage alone, at the edges, and in runs longer than a piece. */
static void damage_in_any_slab_is_counted(void **state)
{
	enum { ROUNDS = 137 }; /* 70144 codewords */

	(void)state;
	for (unsigned roots = 2; roots <= 24; roots += 22) {
		struct verity_fec f = make_fec(roots);
		const size_t words = ROUNDS * BLOCK, n = words * (255 - roots) - BLOCK;
		uint8_t *large = malloc(n), *bad = calloc(1, words);
		uint64_t want = 0;
		struct err e = ERR_INIT;

		assert_true(large && bad);
		for (size_t i = 0; i < n; i++)
			large[i] = (uint8_t)(i * 31 + i / 251 * 7 + i / 4096);
		assert_int_equal(pwrite(f.data.fd, large, n, 0), (ssize_t)n);
		f.data_blocks = n / BLOCK;
		assert_int_equal(verity_fec_rounds(&f), ROUNDS);
		f.threads = 3;
		assert_ok(verity_fec_encode(&f, &e), &e);
		for (size_t c = 0; c < words; c++)
			bad[c] = c == 0 || c == words - 1 || c % 1023 == 0 || (c > 9000 && c < 20000) || (c > 65000 && c < 65700);
		for (size_t c = 0; c < words; c++) { /* a byte of each, in rows that differ */
			want += bad[c];
			large[c % 200 * words + c] ^= bad[c] ? 0x5a : 0;
		}
		assert_int_equal(pwrite(f.data.fd, large, n, 0), (ssize_t)n);
		for (f.threads = 1; f.threads <= 64; f.threads *= 8) {
			struct verity_fec_report report = {0};

			assert_ok(verity_fec_check(&f, &report, &e), &e);
			assert_int_equal(report.codewords, words);
			assert_int_equal(report.correctable, want);
			assert_int_equal(report.bytes, want);
			assert_int_equal(report.uncorrectable, 0);
		}
		for (unsigned i = 0; i <= roots / 2; i++) /* one codeword more than can be corrected, in round 130 */
			large[(10 + i) * words + 130 * BLOCK + 7] ^= 0x33;
		assert_int_equal(pwrite(f.data.fd, large, n, 0), (ssize_t)n);
		for (f.threads = 1; f.threads <= 64; f.threads *= 8) {
			struct verity_fec_report report = {0};

			assert_ok(verity_fec_check(&f, &report, &e), &e);
			assert_int_equal(report.uncorrectable, 1);
			assert_int_equal(report.first_round, 130);
		}
		free(large), free(bad);
		close_fec(&f);
	}
}

/* --- what the system may do ----------------------------------------------------------------------------------------- */

static off_t bad_from, bad_to; /* reading any byte of these gives EIO */
static unsigned calls;

static ssize_t pread_short(int fd, void *buf, size_t n, off_t at)
{
	if (++calls % 3 == 0) {
		errno = EINTR;
		return -1;
	}
	return pread(fd, buf, n > 100 ? n / 3 : n, at);
}

static ssize_t pwrite_short(int fd, const void *buf, size_t n, off_t at)
{
	return pwrite(fd, buf, n > 100 ? 77 : n, at);
}

static ssize_t pread_eio(int fd, void *buf, size_t n, off_t at)
{
	if (at < bad_to && at + (off_t)n > bad_from) {
		errno = EIO;
		return -1;
	}
	return pread(fd, buf, n, at);
}

static ssize_t pwrite_full(int fd, const void *buf, size_t n, off_t at)
{
	if (at + (off_t)n > 2000) {
		errno = ENOSPC;
		return -1;
	}
	return pwrite(fd, buf, n, at);
}

static const struct verity_io short_io = {.pread = pread_short, .pwrite = pwrite_short}, eio = {.pread = pread_eio},
			      full_io = {.pwrite = pwrite_full};

static void short_reads_and_writes_change_nothing(void **state)
{
	static uint8_t a[BLOCKS * BLOCK], b[BLOCKS * BLOCK];
	struct verity_fec f = make_fec(2);
	struct verity_fec_report report;
	struct err e = ERR_INIT;
	size_t n = (size_t)verity_fec_parity_bytes(&f);

	(void)state;
	assert_ok(verity_fec_encode(&f, &e), &e);
	assert_int_equal(pread(f.parity.fd, a, n, 0), (ssize_t)n);
	assert_int_equal(ftruncate(f.parity.fd, 0), 0);
	f.data.io = f.parity.io = &short_io;
	f.threads = 1; /* the hooks count */
	assert_ok(verity_fec_encode(&f, &e), &e);
	assert_int_equal(pread(f.parity.fd, b, n, 0), (ssize_t)n);
	assert_memory_equal(a, b, n);
	assert_ok(verity_fec_check(&f, &report, &e), &e);
	assert_int_equal(report.correctable, 0);
	close_fec(&f);
}

static void errors_of_the_system_are_told(void **state)
{
	struct verity_fec f = make_fec(2);
	struct verity_fec_report report = {.codewords = 77};
	struct err e = ERR_INIT;

	(void)state;
	f.data.io = &eio;
	bad_from = 100000, bad_to = 100001;
	assert_refused(verity_fec_encode(&f, &e), &e, EIO, "cannot read data");
	f.data.io = NULL;
	f.parity.io = &full_io;
	assert_refused(verity_fec_encode(&f, &e), &e, ENOSPC, "cannot write to parity");
	f.parity.io = NULL;
	assert_ok(verity_fec_encode(&f, &e), &e);
	f.parity.io = &eio;
	bad_from = 0, bad_to = 1;
	assert_refused(verity_fec_check(&f, &report, &e), &e, EIO, "cannot read parity");
	assert_int_equal(report.codewords, 77);
	f.parity.io = NULL;
	assert_int_equal(ftruncate(f.data.fd, sizeof(data) - 1), 0); /* the device shrinks */
	assert_refused(verity_fec_check(&f, &report, &e), &e, ENODATA, "data");
	assert_refused(verity_fec_encode(&f, &e), &e, ENODATA, "data");
	close_fec(&f);
}

/* --- scrub ---------------------------------------------------------------------------------------------------------- */

struct seen {
	unsigned bad, repaired;
	uint64_t last;
};

static void see(void *arg, enum verity_scrub_outcome outcome, uint64_t block)
{
	struct seen *s = arg;

	if (outcome == VERITY_SCRUB_BAD)
		s->bad++;
	else
		s->repaired++;
	s->last = block;
}

static void scrub_tells_bad_from_repaired(void **state)
{
	struct verity_fec f = make_fec(2);
	struct seen s = {0};
	struct verity_scrub_params p = {.device = f.data, .data.fd = -1, .block_bytes = BLOCK, .blocks = BLOCKS, .note = see, .arg = &s};
	struct verity_scrub_result res = {.bad = 77};
	struct err e = ERR_INIT;
	int below = memory_file(data, sizeof(data));

	(void)state;
	assert_ok(verity_scrub(&p, &res, &e), &e);
	assert_int_equal(res.bad + res.repaired, 0);
	p.device.io = &eio;
	bad_from = 10 * BLOCK, bad_to = 12 * BLOCK;
	assert_ok(verity_scrub(&p, &res, &e), &e);
	assert_int_equal(res.bad, 2);
	assert_int_equal(s.last, 11);
	p.device.io = NULL;
	p.data = (struct verity_file){.fd = below, .name = "below", .io = &eio};
	assert_int_equal(pwrite(below, "damage", 6, 400 * BLOCK), 6);
	assert_ok(verity_scrub(&p, &res, &e), &e);
	assert_int_equal(res.bad, 0);
	assert_int_equal(res.repaired, 3); /* two that cannot be read below, and one that differs */
	assert_int_equal(s.last, 400);
	p.blocks++;
	res.bad = 77;
	assert_refused(verity_scrub(&p, &res, &e), &e, ENODATA, "data");
	assert_int_equal(res.bad, 77);
	(void)close(below);
	close_fec(&f);
}

/* --- repair by injected errors -------------------------------------------------------------------------------------- */

static unsigned noted[3];

static void note(void *arg, const struct verity_repair_block *b)
{
	(void)arg;
	noted[b->outcome]++;
}

static void blocks_that_cannot_be_read_are_repaired(void **state)
{
	char dir[] = "/tmp/holdfast-fec-XXXXXX", path[4][64];
	struct verity_format_params p = {0};
	struct verity_format_result made;
	struct verity_fec f = make_fec(2);
	struct verity_repair_result res;
	struct verity_repair_params q = {.fec = &f, .sb = &made.sb, .root_hash = made.root_hash, .root_hash_bytes = 32, .note = note};
	struct err e = ERR_INIT;

	(void)state;
	assert_non_null(mkdtemp(dir));
	for (unsigned i = 0; i < 4; i++)
		(void)snprintf(path[i], sizeof(path[i]), "%s/%u", dir, i);
	verity_sb_init(&p.sb);
	p.sb.data_block_bytes = p.sb.hash_block_bytes = BLOCK;
	p.sb.data_blocks = BLOCKS;
	(void)close(f.data.fd), (void)close(f.hash.fd);
	f.data = (struct verity_file){.fd = open(path[0], O_RDWR | O_CREAT | O_CLOEXEC, 0600), .name = path[0]};
	assert_int_equal(write(f.data.fd, data, sizeof(data)), sizeof(data));
	p.data_path = path[0];
	p.hash_path = path[1];
	assert_ok(verity_format(&p, &made, &e), &e);
	f.hash = (struct verity_file){.fd = open(path[1], O_RDONLY | O_CLOEXEC), .name = path[1]};
	f.hash_start_bytes = verity_tree_offset(&made.sb, 0);
	f.tree_blocks = verity_tree_bytes(&made.sb) / BLOCK;
	assert_ok(verity_fec_cover(&f, &e), &e);
	assert_ok(verity_fec_encode(&f, &e), &e);
	q.out_data = path[2];
	q.out_hash = path[3];
	f.data.io = &eio;
	bad_from = 10 * BLOCK, bad_to = 12 * BLOCK;
	assert_ok(verity_repair(&q, &res, &e), &e);
	assert_int_equal(res.unreadable, 2);
	assert_int_equal(res.repaired, 2);
	assert_int_equal(noted[VERITY_REPAIR_UNREADABLE], 2);
	assert_int_equal(noted[VERITY_REPAIR_REPAIRED], 2);
	assert_int_equal(unlink(path[2]) | unlink(path[3]), 0);
	bad_from = 10 * BLOCK, bad_to = 50 * BLOCK;
	assert_refused(verity_repair(&q, &res, &e), &e, EBADMSG, "damaged beyond");
	assert_true(res.uncorrectable > 0);
	f.data.io = NULL;
	made.root_hash[0] ^= 1; /* the anchor rules, not the parity */
	assert_refused(verity_repair(&q, &res, &e), &e, EBADMSG, "hash tree");
	made.root_hash[0] ^= 1;
	f.hash.io = &eio; /* nor does it believe a copy it could not write */
	bad_from = bad_to = 0;
	f.data.io = &full_io;
	assert_refused(verity_repair(&q, &res, &e), &e, ENOSPC, "cannot write");
	assert_true(access(path[2], F_OK) && access(path[3], F_OK));
	assert_int_equal(unlink(path[0]) | unlink(path[1]), 0);
	assert_int_equal(rmdir(dir), 0); /* fails if a temporary file was left */
	close_fec(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_that_cannot_be_are_refused),
		cmocka_unit_test(any_number_of_threads_writes_the_same),
		cmocka_unit_test(every_damaged_byte_is_counted),
		cmocka_unit_test(damage_in_any_slab_is_counted),
		cmocka_unit_test(short_reads_and_writes_change_nothing),
		cmocka_unit_test(errors_of_the_system_are_told),
		cmocka_unit_test(scrub_tells_bad_from_repaired),
		cmocka_unit_test(blocks_that_cannot_be_read_are_repaired),
	};

	return cmocka_run_group_tests_name("verity/fec", tests, NULL, NULL);
}
