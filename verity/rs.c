/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/rs.c - Reed-Solomon over many codewords: strips of rows, choice of the code path, decoding */
#include "verity/rs.h"

#include "verity/rs_correct.h"
#include "verity/rs_path.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#ifdef __x86_64__
#include <cpuid.h>
#endif

/* --- the paths -------------------------------------------------------------------------------------------------- */

/*
 * For CPUs without any other, and what the others are held against: the shift register as a number of 192 bits, the
 * byte that leaves next on top; what a byte adds to it is looked up whole.
 */
struct shift_register {
	uint64_t word[VERITY_RS_MAX_ROOTS / 8];
};

static struct shift_register times_generator(const struct verity_rs *rs, uint8_t f)
{
	struct shift_register r = {{0}};

	for (unsigned k = 0; k < rs->roots; k++) {
		uint8_t product = rs->nibble[k][f & 15] ^ rs->nibble[k][16 + (f >> 4)];

		r.word[k / 8] |= (uint64_t)product << (56 - k % 8 * 8);
	}
	return r;
}

static void divide_table(const struct verity_rs *rs, const uint8_t *const *rows, unsigned n, size_t width, uint8_t *state)
{
	struct shift_register table[256];

	for (unsigned f = 0; f < 256; f++)
		table[f] = times_generator(rs, (uint8_t)f);
	for (size_t at = 0; at < width; at += RS_STEP) {
		struct shift_register r[RS_STEP] = {{{0}}};

		for (unsigned k = 0; k < rs->roots; k++)
			for (unsigned c = 0; c < RS_STEP; c++)
				r[c].word[k / 8] |= (uint64_t)state[k * width + at + c] << (56 - k % 8 * 8);
		for (unsigned j = 0; j < n; j++) {
			for (unsigned c = 0; c < RS_STEP; c++) {
				uint64_t *w = r[c].word, *add = table[w[0] >> 56 ^ rows[j][at + c]].word;

				w[0] = (w[0] << 8 | w[1] >> 56) ^ add[0];
				w[1] = (w[1] << 8 | w[2] >> 56) ^ add[1];
				w[2] = w[2] << 8 ^ add[2];
			}
		}
		for (unsigned k = 0; k < rs->roots; k++)
			for (unsigned c = 0; c < RS_STEP; c++)
				state[k * width + at + c] = (uint8_t)(r[c].word[k / 8] >> (56 - k % 8 * 8));
	}
}

static bool has_always(void)
{
	return true;
}

#ifdef __x86_64__
static bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2");
}

static bool has_gfni(void)
{
	unsigned a, b, c, d;

	return has_avx2() && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (c & bit_GFNI);
}
#endif

/* Best first. */
static const struct rs_path paths[] = {
#ifdef __x86_64__
	{"gfni", has_gfni, rs_divide_gfni},
	{"avx2", has_avx2, rs_divide_avx2},
#endif
#ifdef __aarch64__
	{"neon", has_always, rs_divide_neon},
#endif
	{"table", has_always, divide_table},
};
#define PATHS ARRAY_SIZE(paths)

/* --- encoding --------------------------------------------------------------------------------------------------- */

typedef uint8_t vec16 __attribute__((vector_size(16)));

/*
 * Transpose @n rows (a power of two, 8 at most) of 16 bytes. Seen as one number, the index of a byte is its row, then its
 * column; to interleave the halves turns that number left by one bit, and log2 n turns put the column first.
 */
static inline __attribute__((always_inline)) void transpose(vec16 *x, const unsigned n)
{
	for (unsigned turn = 1; turn < n; turn *= 2) {
		vec16 y[8];

#pragma GCC unroll 4
		for (unsigned i = 0; i < n / 2; i++) {
			y[2 * i] = __builtin_shufflevector(x[i], x[i + n / 2], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22,
							   7, 23);
			y[2 * i + 1] = __builtin_shufflevector(x[i], x[i + n / 2], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29,
							       14, 30, 15, 31);
		}
#pragma GCC unroll 8
		for (unsigned i = 0; i < n; i++)
			x[i] = y[i];
	}
}

/* @n rows of parity, 16 codewords at a time; @stride: from one to the next in @ret. Return: how many codewords are done. */
static inline __attribute__((always_inline)) size_t interleave_wide(const uint8_t *row, size_t row_bytes, const unsigned n,
								    size_t width, uint8_t *ret, size_t stride)
{
	size_t c = 0;

	for (; c + 16 <= width; c += 16) {
		uint8_t words[16 * 8];
		vec16 x[8];

#pragma GCC unroll 8
		for (unsigned i = 0; i < n; i++)
			memcpy(&x[i], row + i * row_bytes + c, 16);
		transpose(x, n);
		memcpy(words, x, n * 16);
#pragma GCC unroll 16
		for (unsigned i = 0; i < 16; i++)
			memcpy(ret + (c + i) * stride, words + i * n, n);
	}
	return c;
}

/* Rows of parity to bytes as on disk: @width codewords of @ret, of which @state holds @state_width. */
static void interleave(const struct verity_rs *rs, const uint8_t *state, size_t state_width, size_t width, uint8_t *ret)
{
	const unsigned by_eight = rs->roots / 8 * 8, by_two = rs->roots / 2 * 2;
	size_t done = 0; /* the same whether by eight or by two */

	for (unsigned k = 0; k < by_eight; k += 8)
		done = interleave_wide(state + k * state_width, state_width, 8, width, ret + k, rs->roots);
	for (unsigned k = by_eight; k < by_two; k += 2)
		done = interleave_wide(state + k * state_width, state_width, 2, width, ret + k, rs->roots);
	for (unsigned k = 0; k < rs->roots; k++) {
		const uint8_t *row = state + k * state_width;

		for (size_t c = k < by_two ? done : 0; c < width; c++)
			ret[c * rs->roots + k] = row[c];
	}
}

/* Parity of the last few codewords, which do not fill a step: copied aside. */
static void encode_rest(const struct verity_rs *rs, const uint8_t *const *rows, size_t width, uint8_t *ret_parity)
{
	uint8_t copy[VERITY_RS_CODEWORD_BYTES][RS_STEP], state[VERITY_RS_MAX_ROOTS * RS_STEP];
	const uint8_t *row[VERITY_RS_CODEWORD_BYTES];

	for (unsigned j = 0; j < rs->rows; j++) {
		memset(copy[j], 0, RS_STEP);
		memcpy(copy[j], rows[j], width);
		row[j] = copy[j];
	}
	memset(state, 0, sizeof(state));
	rs->path->divide(rs, row, rs->rows, RS_STEP, state);
	interleave(rs, state, RS_STEP, width, ret_parity);
}

static size_t strip_width(const struct verity_rs *rs)
{
	size_t width = RS_STATE / rs->roots / RS_STEP * RS_STEP;

	return width < RS_STRIP ? width : RS_STRIP;
}

/* Past the end of the data. */
static const uint8_t zeros[RS_STRIP];

/* Parity of up to strip_width() codewords that begin at byte @at of @rows. */
static void encode_strip(const struct verity_rs *rs, const uint8_t *const *rows, size_t at, size_t width,
			 uint8_t *ret_parity)
{
	const uint8_t *row[VERITY_RS_CODEWORD_BYTES];
	uint8_t state[RS_STATE];
	size_t whole = width / RS_STEP * RS_STEP;

	for (unsigned j = 0; j < rs->rows; j++)
		row[j] = rows[j] ? rows[j] + at : zeros;
	if (whole) {
		memset(state, 0, rs->roots * whole);
		rs->path->divide(rs, row, rs->rows, whole, state);
		interleave(rs, state, whole, whole, ret_parity);
	}
	if (whole == width)
		return;
	for (unsigned j = 0; j < rs->rows; j++)
		row[j] += whole;
	encode_rest(rs, row, width - whole, ret_parity + whole * rs->roots);
}

void verity_rs_encode(const struct verity_rs *rs, const uint8_t *const *rows, size_t width, uint8_t *ret_parity)
{
	size_t strip = strip_width(rs);

	for (size_t at = 0; at < width; at += strip)
		encode_strip(rs, rows, at, width - at < strip ? width - at : strip, ret_parity + at * rs->roots);
}

/* --- in parts ---------------------------------------------------------------------------------------------------- */

_Static_assert(VERITY_RS_FEED_STEP % RS_STEP == 0, "a state is whole steps of every path");

/* The state is strip after strip, so that each stays in the first-level cache while the rows go by. */
void verity_rs_feed(const struct verity_rs *rs, const uint8_t *const *rows, unsigned n, size_t width, uint8_t *state)
{
	const uint8_t *row[VERITY_RS_CODEWORD_BYTES];
	size_t strip = strip_width(rs);

	for (size_t at = 0; at < width; at += strip) {
		for (unsigned j = 0; j < n; j++)
			row[j] = rows[j] ? rows[j] + at : zeros;
		rs->path->divide(rs, row, n, width - at < strip ? width - at : strip, state + at * rs->roots);
	}
}

void verity_rs_parity(const struct verity_rs *rs, const uint8_t *state, size_t width, uint8_t *ret_parity)
{
	size_t strip = strip_width(rs);

	for (size_t at = 0; at < width; at += strip) {
		size_t n = width - at < strip ? width - at : strip;

		interleave(rs, state + at * rs->roots, n, n, ret_parity + at * rs->roots);
	}
}

size_t verity_rs_damaged(const struct verity_rs *rs, const uint8_t *state, size_t width, const uint8_t *parity, size_t from)
{
	size_t strip = strip_width(rs), roots = rs->roots;
	uint8_t want[RS_STATE];

	for (size_t at = from / strip * strip; at < width; at += strip) {
		size_t n = width - at < strip ? width - at : strip;

		interleave(rs, state + at * roots, n, n, want);
		if (memcmp(parity + at * roots, want, n * roots) == 0)
			continue;
		for (size_t c = from > at ? from - at : 0; c < n; c++)
			if (memcmp(parity + (at + c) * roots, want + c * roots, roots) != 0)
				return at + c;
	}
	return width;
}

/* --- decoding --------------------------------------------------------------------------------------------------- */

static bool erasures_valid(const struct verity_rs *rs, const struct verity_rs_words *w)
{
	bool seen[VERITY_RS_CODEWORD_BYTES] = {false};

	if (w->n_erasures > rs->roots)
		return false;
	for (size_t i = 0; i < w->n_erasures; i++) {
		if (w->erasures[i] >= VERITY_RS_CODEWORD_BYTES || seen[w->erasures[i]])
			return false;
		seen[w->erasures[i]] = true;
	}
	return true;
}

/* Codeword @at, whose parity should be @want. Return: bytes corrected; -1 if it is uncorrectable. */
static int correct(const struct verity_rs *rs, const struct verity_rs_words *w, size_t at, const uint8_t *want)
{
	uint8_t remainder[VERITY_RS_MAX_ROOTS], *parity = w->parity + at * rs->roots;
	struct rs_errors errors;
	int bytes = 0;

	for (unsigned k = 0; k < rs->roots; k++)
		remainder[k] = parity[k] ^ want[k];
	if (!rs_locate(rs->roots, remainder, w->erasures, w->n_erasures, &errors))
		return -1;
	for (unsigned i = 0; i < errors.n; i++)
		if (errors.value[i] && errors.at[i] < rs->rows && !w->rows[errors.at[i]])
			return -1; /* those zeros are no data: they cannot be wrong */
	for (unsigned i = 0; i < errors.n; i++) {
		uint8_t *row = errors.at[i] < rs->rows ? w->rows[errors.at[i]] : NULL;

		if (!errors.value[i]) /* an erasure that was right, perhaps in a row of zeros */
			continue;
		if (row)
			row[at] ^= errors.value[i];
		else
			parity[errors.at[i] - rs->rows] ^= errors.value[i];
		bytes++;
	}
	return bytes;
}

/* Codewords @at to @at + @width - 1, whose parity should be @want. */
static void decode_strip(const struct verity_rs *rs, const struct verity_rs_words *w, size_t at, size_t width,
			 const uint8_t *want, struct verity_rs_result *ret)
{
	if (memcmp(w->parity + at * rs->roots, want, width * rs->roots) == 0) {
		ret->clean += width;
		return;
	}
	for (size_t i = at; i < at + width; i++, want += rs->roots) {
		int bytes;

		if (memcmp(w->parity + i * rs->roots, want, rs->roots) == 0) {
			ret->clean++;
			continue;
		}
		bytes = correct(rs, w, i, want);
		if (bytes >= 0) {
			ret->corrected++;
			ret->bytes += (size_t)bytes;
			continue;
		}
		if (ret->uncorrectable++ == 0)
			ret->first_uncorrectable = i;
	}
}

int verity_rs_decode(const struct verity_rs *rs, const struct verity_rs_words *w, struct verity_rs_result *ret)
{
	struct verity_rs_result result = {0};
	size_t strip = strip_width(rs);
	uint8_t want[RS_STATE];

	if (!erasures_valid(rs, w))
		return -EINVAL;
	for (size_t at = 0; at < w->width; at += strip) {
		size_t width = w->width - at < strip ? w->width - at : strip;

		encode_strip(rs, (const uint8_t *const *)w->rows, at, width, want);
		decode_strip(rs, w, at, width, want, &result);
	}
	if (ret)
		*ret = result;
	if (result.uncorrectable)
		return -EBADMSG;
	return result.bytes < INT32_MAX ? (int)result.bytes : INT32_MAX;
}

/* --- choice ----------------------------------------------------------------------------------------------------- */

/* Coefficients of (x - 2^0)(x - 2^1)...(x - 2^(roots-1)), from x^(roots-1) down; that of x^roots is 1. */
static void make_generator(unsigned roots, uint8_t ret[static VERITY_RS_MAX_ROOTS])
{
	uint8_t g[VERITY_RS_MAX_ROOTS + 1] = {1}; /* g[i] of x^(degree so far - i) */

	for (unsigned n = 0; n < roots; n++)
		for (unsigned i = n + 1; i > 0; i--)
			g[i] ^= rs_mul(g[i - 1], rs_power(n));
	memcpy(ret, g + 1, roots);
}

static void prepare(struct verity_rs *rs, unsigned roots)
{
	uint8_t g[VERITY_RS_MAX_ROOTS];

	memset(rs, 0, sizeof(*rs));
	rs->roots = roots;
	rs->rows = VERITY_RS_CODEWORD_BYTES - roots;
	make_generator(roots, g);
	for (unsigned i = 0; i < roots; i++) {
		uint8_t c = g[i];

		for (unsigned n = 0; n < 16; n++) {
			rs->nibble[i][n] = rs_mul(c, (uint8_t)n);
			rs->nibble[i][16 + n] = rs_mul(c, (uint8_t)(n << 4));
		}
		/* Byte 7 - b of the matrix holds which bits of the factor make up bit b of the product. */
		for (unsigned b = 0; b < 8; b++)
			for (unsigned n = 0; n < 8; n++)
				if (rs_mul(c, (uint8_t)(1 << n)) >> b & 1)
					rs->matrix[i] |= 1ull << (8 * (7 - b) + n);
	}
}

/*
 * Does @path agree with the portable one? One step of codewords with every kind of byte in it, fed in two parts of an odd
 * number of rows, or an odd and an even one.
 */
static bool path_agrees(const struct rs_path *path, unsigned roots)
{
	uint8_t data[VERITY_RS_CODEWORD_BYTES + RS_STEP], want[VERITY_RS_MAX_ROOTS * RS_STEP] = {0};
	uint8_t have[VERITY_RS_MAX_ROOTS * RS_STEP] = {0};
	const uint8_t *rows[VERITY_RS_CODEWORD_BYTES];
	struct verity_rs rs;

	if (path->divide == divide_table)
		return true;
	prepare(&rs, roots);
	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * i * 31 + i * 7 + (i >> 4));
	for (unsigned j = 0; j < rs.rows; j++)
		rows[j] = data + j;
	divide_table(&rs, rows, rs.rows, RS_STEP, want);
	path->divide(&rs, rows, 5, RS_STEP, have);
	path->divide(&rs, rows + 5, rs.rows - 5, RS_STEP, have);
	return memcmp(want, have, roots * RS_STEP) == 0;
}

/* What became of each path, asked once a process. */
static enum verity_path_verdict verdicts[PATHS];
static pthread_once_t asked = PTHREAD_ONCE_INIT;

static void ask(void)
{
	rs_tables_init();
	for (size_t i = 0; i < PATHS; i++) {
		if (!paths[i].has())
			verdicts[i] = VERITY_PATH_LACKING;
		else
			verdicts[i] = path_agrees(&paths[i], 2) && path_agrees(&paths[i], 7) ? VERITY_PATH_GOOD : VERITY_PATH_DISAGREES;
	}
}

static const char *name_of(size_t i)
{
	return i < PATHS ? paths[i].name : NULL;
}

static const struct verity_path_family family = {"Reed-Solomon", VERITY_RS_ENV, "the portable one", name_of, verdicts};

int verity_rs_init(struct verity_rs *ret, unsigned roots, const char *path, struct err *e)
{
	size_t i = 0;
	int r;

	if (roots < VERITY_RS_MIN_ROOTS || roots > VERITY_RS_MAX_ROOTS)
		return err_set(e, EINVAL, "%u Reed-Solomon roots, wanted %d to %d", roots, VERITY_RS_MIN_ROOTS,
			       VERITY_RS_MAX_ROOTS);
	if (pthread_once(&asked, ask))
		return err_set(e, EIO, "cannot check the Reed-Solomon paths");
	r = verity_path_choose(&family, path, &i, e);
	if (r)
		return r;
	prepare(ret, roots);
	ret->path = &paths[i];
	return 0;
}

const char *verity_rs_path_name(const struct verity_rs *rs)
{
	return rs->path->name;
}

bool verity_rs_paths(size_t i, struct verity_path_info *ret)
{
	if (i >= PATHS)
		return false;
	*ret = (struct verity_path_info){.name = paths[i].name, .has = paths[i].has()};
	return true;
}
