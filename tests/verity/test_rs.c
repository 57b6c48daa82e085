/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/verity/test_rs.c - Reed-Solomon: veritysetup's parity byte by byte, and what is and is not corrected
 *
 * tests/data/reed-solomon/ was made by cryptsetup 2.6.1 from 200 blocks of 512 bytes, which fill_data() makes:
 *   veritysetup format DATA hash.bin --fec-device=parity-ROOTS.bin --fec-roots=ROOTS --salt=- \
 *     --uuid=00000000-0000-0000-0000-000000000000 --data-block-size=512 --hash-block-size=512
 * Row j is block j; after the data come the 14 blocks of the tree, behind the superblock's, then zeros.
 * A path that this CPU lacks is reported as skipped.
 */
#include "tests/common/check.h"
#include "tests/verity/paths.h"

#include "common/file.h"
#include "verity/rs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATA_ROWS 200
#define TREE_ROWS 14
#define ROW_BYTES 512
#define MAX_WIDTH 8300

static uint32_t seed;

static uint8_t any_byte(void)
{
	seed = seed * 1664525 + 1013904223;
	return (uint8_t)(seed >> 24);
}

static unsigned any_below(unsigned n)
{
	return (any_byte() << 8 | any_byte()) % n;
}

static void fill_data(uint8_t *data, size_t bytes)
{
	seed = 1;
	for (size_t i = 0; i < bytes; i++)
		data[i] = any_byte();
}

static bool is_built(const char *path)
{
	struct verity_path_info info;

	for (size_t i = 0; verity_rs_paths(i, &info); i++)
		if (!strcmp(info.name, path))
			return true;
	return false;
}

/* For tests that are run once a path: @state is its description. Those that this CPU lacks are refused and skipped. */
static const char *path_of(void **state)
{
	const struct verity_path_info *info = *state;
	struct err e = ERR_INIT;
	struct verity_rs rs;

	if (!info->has) {
		assert_refused(verity_rs_init(&rs, 2, info->name, &e), &e, is_built(info->name) ? ENOTSUP : EINVAL, info->name);
		skip();
	}
	assert_ok(verity_rs_init(&rs, 2, info->name, &e), &e);
	assert_string_equal(verity_rs_path_name(&rs), info->name);
	return info->name;
}

static struct verity_rs code(unsigned roots, const char *path)
{
	struct err e = ERR_INIT;
	struct verity_rs rs;

	assert_ok(verity_rs_init(&rs, roots, path, &e), &e);
	return rs;
}

static void parity_is_veritysetups(void **state)
{
	const char *path = path_of(state);
	static const unsigned roots[] = {2, 13, 24};
	static uint8_t data[DATA_ROWS * ROW_BYTES];
	struct err e = ERR_INIT;
	struct buf hash = {0};

	fill_data(data, sizeof(data));
	assert_ok(file_read("tests/data/reed-solomon/hash.bin", 65536, &hash, &e), &e);
	assert_int_equal(hash.len, (1 + TREE_ROWS) * ROW_BYTES);
	for (size_t i = 0; i < 3; i++) {
		struct verity_rs rs = code(roots[i], path);
		const uint8_t *rows[VERITY_RS_CODEWORD_BYTES] = {NULL};
		uint8_t parity[ROW_BYTES * VERITY_RS_MAX_ROOTS];
		struct buf want = {0};
		char name[64];

		for (unsigned j = 0; j < DATA_ROWS + TREE_ROWS; j++)
			rows[j] = j < DATA_ROWS ? data + j * ROW_BYTES : hash.data + (1 + j - DATA_ROWS) * ROW_BYTES;
		(void)snprintf(name, sizeof(name), "tests/data/reed-solomon/parity-%u.bin", roots[i]);
		assert_ok(file_read(name, 65536, &want, &e), &e);
		verity_rs_encode(&rs, rows, ROW_BYTES, parity);
		assert_int_equal(want.len, ROW_BYTES * roots[i]);
		assert_memory_equal(parity, want.data, want.len);
		buf_free(&want);
	}
	buf_free(&hash);
}

/* Rows fed a few at a time, over several strips, a row of zeros in between; then the one damaged byte is found. */
static void parity_of_rows_fed_in_parts_is_the_same(void **state)
{
	enum { WIDTH = 8192 + 3 * VERITY_RS_FEED_STEP };
	const char *path = path_of(state);
	static uint8_t data[WIDTH + VERITY_RS_CODEWORD_BYTES * 11], want[WIDTH * VERITY_RS_MAX_ROOTS];
	static uint8_t have[WIDTH * VERITY_RS_MAX_ROOTS], fed[WIDTH * VERITY_RS_MAX_ROOTS];

	fill_data(data, sizeof(data));
	for (unsigned roots = 2; roots <= 24; roots += roots < 4 ? 1 : 5) {
		struct verity_rs rs = code(roots, path);
		const uint8_t *rows[VERITY_RS_CODEWORD_BYTES];
		unsigned part = 1;

		for (unsigned j = 0; j < rs.rows; j++)
			rows[j] = j % 50 == 49 ? NULL : data + j * 11;
		verity_rs_encode(&rs, rows, WIDTH, want);
		memset(fed, 0, sizeof(fed));
		for (unsigned j = 0; j < rs.rows; j += part, part = part % 5 + 1) {
			part = part < rs.rows - j ? part : rs.rows - j;
			verity_rs_feed(&rs, rows + j, part, WIDTH, fed);
		}
		verity_rs_parity(&rs, fed, WIDTH, have);
		assert_memory_equal(have, want, WIDTH * roots);
		assert_int_equal(verity_rs_damaged(&rs, fed, WIDTH, want, 0), WIDTH);
		for (size_t c = 0; c < WIDTH; c += c < 600 ? 1 : 97) {
			uint8_t *byte = want + c * roots + c % roots;

			*byte ^= 0x10;
			assert_int_equal(verity_rs_damaged(&rs, fed, WIDTH, want, c / 2), c);
			assert_int_equal(verity_rs_damaged(&rs, fed, WIDTH, want, c), c);
			assert_int_equal(verity_rs_damaged(&rs, fed, WIDTH, want, c + 1), WIDTH);
			*byte ^= 0x10;
		}
	}
}

/* The definition, by long division of one codeword: independent of rs.c's tables. */
static uint8_t slow_mul(uint8_t a, uint8_t b)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < 8; i++)
		sum ^= b >> i & 1 ? (unsigned)a << i : 0;
	for (unsigned i = 15; i > 7; i--)
		sum ^= sum >> i & 1 ? 0x11du << (i - 8) : 0;
	return (uint8_t)sum;
}

static uint8_t product[256][256]; /* by slow_mul() */

static int setup(void **state)
{
	(void)state;
	for (unsigned a = 0; a < 256; a++)
		for (unsigned b = 0; b < 256; b++)
			product[a][b] = slow_mul((uint8_t)a, (uint8_t)b);
	return 0;
}

/* GF2P8AFFINEQB by its definition (Intel SDM volume 2), so that the matrices are tested where GFNI is lacking. */
static uint8_t affine(uint8_t x, uint64_t matrix)
{
	uint8_t y = 0;

	for (unsigned b = 0; b < 8; b++)
		y |= (uint8_t)(__builtin_parity((uint8_t)(matrix >> (8 * (7 - b))) & x) << b);
	return y;
}

static void gfni_matrices_multiply_by_the_generator(void **state)
{
	(void)state;
	for (unsigned roots = VERITY_RS_MIN_ROOTS; roots <= VERITY_RS_MAX_ROOTS; roots++) {
		struct verity_rs rs = code(roots, NULL);

		for (unsigned i = 0; i < roots; i++)
			for (unsigned x = 0; x < 256; x++)
				assert_int_equal(affine((uint8_t)x, rs.matrix[i]), product[rs.nibble[i][1]][x]);
	}
}

/* A codeword is one if each root of the generator is one of it. */
static bool is_codeword(const uint8_t word[static VERITY_RS_CODEWORD_BYTES], unsigned roots)
{
	uint8_t x = 1;

	for (unsigned i = 0; i < roots; i++, x = product[x][2]) {
		uint8_t y = 0;

		for (unsigned j = 0; j < VERITY_RS_CODEWORD_BYTES; j++)
			y = product[y][x] ^ word[j];
		if (y)
			return false;
	}
	return true;
}

/* struct words - @width codewords with a little room before each row, so that rows lie at odd addresses */
struct words {
	uint8_t *bytes;
	uint8_t *rows[VERITY_RS_CODEWORD_BYTES];
	uint8_t *parity;
	size_t width;
};

static struct words random_words(const struct verity_rs *rs, size_t width)
{
	struct words w = {.width = width};

	w.bytes = malloc(rs->rows * (width + 3) + width * rs->roots);
	assert_non_null(w.bytes);
	for (unsigned j = 0; j < rs->rows; j++) {
		w.rows[j] = w.bytes + j * (width + 3) + j % 3;
		for (size_t c = 0; c < width; c++)
			w.rows[j][c] = any_byte();
	}
	w.parity = w.bytes + rs->rows * (width + 3);
	verity_rs_encode(rs, (const uint8_t *const *)w.rows, width, w.parity);
	return w;
}

static void codeword_of(const struct verity_rs *rs, const struct words *w, size_t at, uint8_t *ret)
{
	for (unsigned j = 0; j < rs->rows; j++)
		ret[j] = w->rows[j] ? w->rows[j][at] : 0;
	memcpy(ret + rs->rows, w->parity + at * rs->roots, rs->roots);
}

static uint8_t *byte_of(const struct verity_rs *rs, const struct words *w, size_t at, unsigned j)
{
	return j < rs->rows ? &w->rows[j][at] : &w->parity[at * rs->roots + j - rs->rows];
}

static int decode(const struct verity_rs *rs, const struct words *w, const uint8_t *erasures, size_t n_erasures,
		  struct verity_rs_result *ret)
{
	struct verity_rs_words d = {w->rows, w->parity, w->width, erasures, n_erasures};

	return verity_rs_decode(rs, &d, ret);
}

/* Every number of roots, widths around the kernels' steps; every codeword against the definition. */
static void parity_has_the_generators_roots_at_every_width(void **state)
{
	const char *path = path_of(state);
	static const size_t widths[] = {1, 2, 31, 32, 33, 127, 128, 129, 512, 700, 4096, 4097, MAX_WIDTH};

	seed = 7;
	for (unsigned roots = VERITY_RS_MIN_ROOTS; roots <= VERITY_RS_MAX_ROOTS; roots++) {
		struct verity_rs rs = code(roots, path);

		for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
			struct verity_rs_result found;
			struct words w;

			if (roots % 11 != 2 && widths[i] != 33 && widths[i] != 129)
				continue; /* all widths for 2, 13 and 24 roots */
			w = random_words(&rs, widths[i]);
			for (size_t c = 0; c < w.width; c += c < 2 || c + 2 >= w.width ? 1 : w.width / 5 + 1) {
				uint8_t word[VERITY_RS_CODEWORD_BYTES];

				codeword_of(&rs, &w, c, word);
				assert_true(is_codeword(word, roots));
			}
			assert_int_equal(decode(&rs, &w, NULL, 0, &found), 0);
			assert_int_equal(found.clean, w.width);
			free(w.bytes);
		}
	}
}

/* Paths must agree on every codeword, not only on those that are looked at above. */
static void parity_is_the_portable_paths(void **state)
{
	const char *path = path_of(state);

	for (unsigned roots = VERITY_RS_MIN_ROOTS; roots <= VERITY_RS_MAX_ROOTS; roots++) {
		struct verity_rs rs = code(roots, path), table = code(roots, "table");
		struct words w = random_words(&rs, 300);
		uint8_t *want = malloc(w.width * roots);

		assert_non_null(want);
		verity_rs_encode(&table, (const uint8_t *const *)w.rows, w.width, want);
		assert_memory_equal(w.parity, want, w.width * roots);
		free(want);
		free(w.bytes);
	}
}

/* Damage @n different bytes of codeword @at, none of them in @spare[]; their numbers go to @ret. */
static void damage(const struct verity_rs *rs, const struct words *w, size_t at, unsigned n, uint8_t *ret)
{
	for (unsigned i = 0; i < n; i++) {
		bool again;

		do {
			again = false;
			ret[i] = (uint8_t)any_below(VERITY_RS_CODEWORD_BYTES);
			for (unsigned k = 0; k < i; k++)
				again |= ret[k] == ret[i];
		} while (again);
		*byte_of(rs, w, at, ret[i]) ^= (uint8_t)(1 + any_below(255));
	}
}

static void up_to_half_the_roots_are_corrected(void **state)
{
	(void)state;
	seed = 11;
	for (unsigned roots = VERITY_RS_MIN_ROOTS; roots <= VERITY_RS_MAX_ROOTS; roots++) {
		struct verity_rs rs = code(roots, NULL);
		struct words w = random_words(&rs, 1000);
		uint8_t *was = malloc(rs.rows * (w.width + 3) + w.width * roots), at[VERITY_RS_MAX_ROOTS];
		size_t bytes = 0, words = 0;
		struct verity_rs_result found;

		assert_non_null(was);
		memset(was, 0, rs.rows * (w.width + 3) + w.width * roots);
		for (unsigned j = 0; j < rs.rows; j++)
			memcpy(was + j * (w.width + 3) + j % 3, w.rows[j], w.width);
		memcpy(was + rs.rows * (w.width + 3), w.parity, w.width * roots);
		for (size_t c = 0; c < w.width; c += 1 + any_below(5)) {
			unsigned n = 1 + any_below(roots / 2);

			damage(&rs, &w, c, n, at);
			bytes += n;
			words++;
		}
		assert_int_equal(decode(&rs, &w, NULL, 0, &found), bytes);
		assert_int_equal(found.bytes, bytes);
		assert_int_equal(found.corrected, words);
		assert_int_equal(found.clean, w.width - words);
		assert_int_equal(found.uncorrectable, 0);
		for (unsigned j = 0; j < rs.rows; j++)
			assert_memory_equal(was + j * (w.width + 3) + j % 3, w.rows[j], w.width);
		assert_memory_equal(was + rs.rows * (w.width + 3), w.parity, w.width * roots);
		free(was);
		free(w.bytes);
	}
}

/* Whatever more than roots / 2 errors become: a codeword, or refused and left exactly as it was. */
static void more_errors_are_refused_or_end_in_a_codeword(void **state)
{
	enum { WORDS = 400 };
	static uint8_t before[WORDS][VERITY_RS_CODEWORD_BYTES];
	size_t miscorrected = 0;

	(void)state;
	seed = 13;
	for (unsigned roots = VERITY_RS_MIN_ROOTS; roots <= VERITY_RS_MAX_ROOTS; roots++) {
		struct verity_rs rs = code(roots, NULL);
		struct words w = random_words(&rs, WORDS);
		size_t refused = 0, bytes = 0, first = WORDS;
		struct verity_rs_result found;

		for (size_t c = 0; c < WORDS; c++) {
			uint8_t at[VERITY_RS_CODEWORD_BYTES];

			damage(&rs, &w, c, roots / 2 + 1 + any_below(c % 10 ? 3 : 100), at);
			codeword_of(&rs, &w, c, before[c]);
		}
		assert_int_equal(decode(&rs, &w, NULL, 0, &found), -EBADMSG);
		for (size_t c = 0; c < WORDS; c++) {
			uint8_t after[VERITY_RS_CODEWORD_BYTES];
			unsigned changed = 0;

			codeword_of(&rs, &w, c, after);
			for (unsigned j = 0; j < VERITY_RS_CODEWORD_BYTES; j++)
				changed += before[c][j] != after[j];
			bytes += changed;
			if (!is_codeword(after, roots)) {
				assert_int_equal(changed, 0);
				first = refused++ ? first : c;
			} else {
				assert_true(changed <= roots / 2);
			}
		}
		assert_int_equal(found.uncorrectable, refused);
		assert_int_equal(found.first_uncorrectable, first);
		assert_int_equal(found.bytes, bytes);
		assert_true(roots < 8 || refused > WORDS * 95 / 100); /* chance of a miscorrection: about 1 in (roots/2)! */
		miscorrected += WORDS - refused;
		free(w.bytes);
	}
	printf("[          ] %zu ended in another codeword, the others were refused\n", miscorrected);
}

static void erasures_double_what_is_corrected(void **state)
{
	(void)state;
	seed = 17;
	for (unsigned roots = VERITY_RS_MIN_ROOTS; roots <= VERITY_RS_MAX_ROOTS; roots++) {
		struct verity_rs rs = code(roots, NULL);
		struct words w = random_words(&rs, 64);

		for (unsigned n = 1; n <= roots; n++) {
			uint8_t at[VERITY_RS_MAX_ROOTS], was[64][VERITY_RS_CODEWORD_BYTES], word[VERITY_RS_CODEWORD_BYTES];
			unsigned errors = (roots - n) / 2;
			struct verity_rs_result found;

			for (size_t c = 0; c < w.width; c++)
				codeword_of(&rs, &w, c, was[c]);
			damage(&rs, &w, 0, n + errors, at); /* the first n are erasures, the others errors beside them */
			for (size_t c = 1; c < w.width; c++)
				for (unsigned i = 0; i < n + errors; i++)
					*byte_of(&rs, &w, c, at[i]) = any_byte(); /* may be right by chance */
			assert_true(decode(&rs, &w, at, n, &found) >= (int)n);
			for (size_t c = 0; c < w.width; c++) {
				codeword_of(&rs, &w, c, word);
				assert_memory_equal(word, was[c], sizeof(word));
			}
			if (n > roots / 2) { /* and without the hint it cannot be done */
				damage(&rs, &w, 0, n, at);
				if (decode(&rs, &w, NULL, 0, &found) != -EBADMSG) {
					codeword_of(&rs, &w, 0, word);
					assert_memory_not_equal(word, was[0], sizeof(word));
				}
				for (unsigned j = 0; j < VERITY_RS_CODEWORD_BYTES; j++)
					*byte_of(&rs, &w, 0, j) = was[0][j];
			}
		}
		free(w.bytes);
	}
}

static void bad_erasures_are_refused(void **state)
{
	static const uint8_t many[] = {1, 2, 3}, twice[] = {9, 9}, beyond[] = {255};
	struct verity_rs rs = code(2, NULL);
	struct words w = random_words(&rs, 1);
	struct verity_rs_result found;

	(void)state;
	assert_int_equal(decode(&rs, &w, many, 3, &found), -EINVAL);
	assert_int_equal(decode(&rs, &w, twice, 2, &found), -EINVAL);
	assert_int_equal(decode(&rs, &w, beyond, 1, &found), -EINVAL);
	assert_int_equal(decode(&rs, &w, many, 2, &found), 0);
	free(w.bytes);
}

/* Past the end of the data there are zeros by definition: an error there is a miscorrection. */
static void an_error_in_a_row_of_zeros_is_uncorrectable(void **state)
{
	struct verity_rs rs = code(2, NULL);
	struct words w;
	uint8_t *row;

	(void)state;
	seed = 19;
	w = random_words(&rs, 300);
	row = w.rows[250];
	memset(row, 0, w.width);
	verity_rs_encode(&rs, (const uint8_t *const *)w.rows, w.width, w.parity);
	row[5] ^= 1;
	verity_rs_encode(&rs, (const uint8_t *const *)w.rows, w.width, w.parity);
	row[5] ^= 1;
	w.rows[250] = NULL; /* the parity says that byte 5 of that row should be 1 */
	{
		struct verity_rs_result found;

		assert_int_equal(decode(&rs, &w, NULL, 0, &found), -EBADMSG);
		assert_int_equal(found.uncorrectable, 1);
		assert_int_equal(found.first_uncorrectable, 5);
		assert_int_equal(found.clean, 299);
		w.rows[250] = row; /* the same as data: corrected */
		assert_int_equal(decode(&rs, &w, NULL, 0, &found), 1);
		assert_int_equal(row[5], 1);
	}
	free(w.bytes);
}

/* Erasing a row that is not there must not touch it (found by fuzzing), and costs a root like any other. */
static void an_erased_row_of_zeros_stays_alone(void **state)
{
	static const uint8_t erasures[] = {7, 11};
	struct verity_rs rs = code(4, NULL);
	struct verity_rs_result found;
	struct words w;

	(void)state;
	seed = 29;
	w = random_words(&rs, 10);
	w.rows[7] = NULL;
	verity_rs_encode(&rs, (const uint8_t *const *)w.rows, w.width, w.parity);
	w.rows[11][3] ^= 1;
	w.rows[200][3] ^= 2;
	assert_int_equal(decode(&rs, &w, erasures, 2, &found), 2);
	assert_int_equal(found.corrected, 1);
	assert_int_equal(decode(&rs, &w, NULL, 0, &found), 0);
	free(w.bytes);
}

static void the_others_are_corrected_beside_an_uncorrectable_one(void **state)
{
	struct verity_rs rs = code(4, NULL);
	uint8_t at[VERITY_RS_CODEWORD_BYTES], word[VERITY_RS_CODEWORD_BYTES];
	struct verity_rs_result found;
	struct words w;

	(void)state;
	seed = 23;
	w = random_words(&rs, 2000);
	damage(&rs, &w, 1, 2, at);
	for (unsigned i = 0; i < 100; i++)
		*byte_of(&rs, &w, 1500, i) ^= 0x55;
	damage(&rs, &w, 1999, 1, at);
	assert_int_equal(decode(&rs, &w, NULL, 0, &found), -EBADMSG);
	assert_int_equal(found.corrected, 2);
	assert_int_equal(found.bytes, 3);
	assert_int_equal(found.uncorrectable, 1);
	assert_int_equal(found.first_uncorrectable, 1500);
	codeword_of(&rs, &w, 1, word);
	assert_true(is_codeword(word, 4));
	codeword_of(&rs, &w, 1999, word);
	assert_true(is_codeword(word, 4));
	free(w.bytes);
}

static void parameters_out_of_bounds_are_refused(void **state)
{
	struct verity_rs rs = {.roots = 99};
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(unsetenv(VERITY_RS_ENV), 0);
	assert_refused(verity_rs_init(&rs, 1, NULL, &e), &e, EINVAL, "1 Reed-Solomon roots, wanted 2 to 24");
	assert_refused(verity_rs_init(&rs, 25, NULL, &e), &e, EINVAL, "25 Reed-Solomon roots");
	assert_refused(verity_rs_init(&rs, 2, "sse", &e), &e, EINVAL, "\"sse\", wanted one of ");
	assert_int_equal(setenv(VERITY_RS_ENV, "fast", 1), 0);
	assert_refused(verity_rs_init(&rs, 2, NULL, &e), &e, EINVAL, "\"fast\"");
	assert_int_equal(rs.roots, 99);
	assert_int_equal(setenv(VERITY_RS_ENV, "table", 1), 0);
	assert_ok(verity_rs_init(&rs, 2, NULL, &e), &e);
	assert_string_equal(verity_rs_path_name(&rs), "table");
	assert_int_equal(unsetenv(VERITY_RS_ENV), 0);
}

/* Of every architecture, so that the number of tests is one: a path that this build does not have is skipped by name. */
static const char *const paths[] = {"gfni", "avx2", "neon", "table"};

int main(void)
{
	static const struct CMUnitTest each_path[] = {
		cmocka_unit_test(parity_is_veritysetups),
		cmocka_unit_test(parity_has_the_generators_roots_at_every_width),
		cmocka_unit_test(parity_is_the_portable_paths),
		cmocka_unit_test(parity_of_rows_fed_in_parts_is_the_same),
	};
	static const struct CMUnitTest once[] = {
		cmocka_unit_test(gfni_matrices_multiply_by_the_generator),
		cmocka_unit_test(up_to_half_the_roots_are_corrected),
		cmocka_unit_test(more_errors_are_refused_or_end_in_a_codeword),
		cmocka_unit_test(erasures_double_what_is_corrected),
		cmocka_unit_test(bad_erasures_are_refused),
		cmocka_unit_test(an_error_in_a_row_of_zeros_is_uncorrectable),
		cmocka_unit_test(an_erased_row_of_zeros_stays_alone),
		cmocka_unit_test(the_others_are_corrected_beside_an_uncorrectable_one),
		cmocka_unit_test(parameters_out_of_bounds_are_refused),
	};
	static struct verity_path_info info[ARRAY_SIZE(paths)];
	static char names[ARRAY_SIZE(paths) * ARRAY_SIZE(each_path)][96];
	struct CMUnitTest tests[ARRAY_SIZE(paths) * ARRAY_SIZE(each_path) + ARRAY_SIZE(once)] = {{0}};
	size_t n = 0;

	for (size_t p = 0; p < ARRAY_SIZE(paths); p++) {
		info[p] = find_path(verity_rs_paths, paths, ARRAY_SIZE(paths), p);
		for (size_t i = 0; i < ARRAY_SIZE(each_path); i++, n++) {
			(void)snprintf(names[n], sizeof(names[n]), "%s_%s", info[p].name, each_path[i].name);
			tests[n] = (struct CMUnitTest){names[n], each_path[i].test_func, NULL, NULL, &info[p]};
		}
	}
	memcpy(tests + n, once, sizeof(once));
	return _cmocka_run_group_tests("rs", tests, n + ARRAY_SIZE(once), setup, NULL);
}
