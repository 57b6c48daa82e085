/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/open.c - activate any dm-verity volume with any of the kernel's options, and prove that they are there */
#include "verity/open.h"

#include "verity/edge.h"
#include "verity/fec.h"
#include "verity/geometry.h"
#include "verity/table_add.h"

#include <fcntl.h>
#include <libcryptsetup.h>
#include <string.h>
#include <sys/stat.h>

#ifndef LIBCRYPTSETUP_VERSION
#define LIBCRYPTSETUP_VERSION "unknown"
#endif

/* What libcryptsetup is asked for by; 0: it is not asked, verity/table_add.h does it. */
static const uint32_t option_flags[] = {
	[VERITY_OPTION_IGNORE_CORRUPTION] = CRYPT_ACTIVATE_IGNORE_CORRUPTION,
	[VERITY_OPTION_RESTART_ON_CORRUPTION] = CRYPT_ACTIVATE_RESTART_ON_CORRUPTION,
	[VERITY_OPTION_PANIC_ON_CORRUPTION] = CRYPT_ACTIVATE_PANIC_ON_CORRUPTION,
	[VERITY_OPTION_RESTART_ON_ERROR] = 0,
	[VERITY_OPTION_PANIC_ON_ERROR] = 0,
	[VERITY_OPTION_IGNORE_ZERO_BLOCKS] = CRYPT_ACTIVATE_IGNORE_ZERO_BLOCKS,
	[VERITY_OPTION_CHECK_AT_MOST_ONCE] = CRYPT_ACTIVATE_CHECK_AT_MOST_ONCE,
	[VERITY_OPTION_TRY_VERIFY_IN_TASKLET] = CRYPT_ACTIVATE_TASKLETS,
};
_Static_assert(ARRAY_SIZE(option_flags) == VERITY_OPTIONS_, "a flag for each option");

static bool has(const struct verity_open_params *p, enum verity_option o)
{
	return p->options & (1u << o);
}

/* The kernel has one answer to corruption, and one to errors. */
static int check_options(const struct verity_open_params *p, struct err *e)
{
	static const enum verity_option pair[][2] = {{VERITY_OPTION_RESTART_ON_CORRUPTION, VERITY_OPTION_PANIC_ON_CORRUPTION},
						     {VERITY_OPTION_RESTART_ON_ERROR, VERITY_OPTION_PANIC_ON_ERROR}};

	for (size_t i = 0; i < ARRAY_SIZE(pair); i++)
		if (has(p, pair[i][0]) && has(p, pair[i][1]))
			return err_set(e, EINVAL, "%s and %s, wanted one of them", verity_option_str(pair[i][0]), verity_option_str(pair[i][1]));
	return 0;
}

static uint32_t choose_flags(const struct verity_open_params *p)
{
	uint32_t flags = CRYPT_ACTIVATE_READONLY;

	for (unsigned o = 0; o < VERITY_OPTIONS_; o++)
		if (has(p, o))
			flags |= option_flags[o];
	return flags;
}

/* The options that libcryptsetup was not asked for. */
static int add_options(const struct verity_open_params *p, struct err *e)
{
	const char *word[VERITY_OPTIONS_];
	struct verity_table_add add = {
		.name = p->base.name, .word = word, .signature = p->base.signature, .signature_bytes = p->base.signature_bytes};

	for (unsigned o = 0; o < VERITY_OPTIONS_; o++)
		if (has(p, o) && !option_flags[o])
			word[add.n++] = verity_option_str(o);
	return add.n ? verity_table_add(&add, e) : 0;
}

/* Called back between crypt_init() and activation. */
static int load(struct crypt_device *cd, const struct verity_activate_params *base, const void *arg)
{
	const struct verity_open_params *p = arg;
	const struct verity_sb *sb = p->no_superblock;
	struct crypt_params_verity params = {.hash_area_offset = base->hash_offset_bytes,
					     .fec_device = p->fec_device,
					     .fec_area_offset = p->fec_offset_bytes,
					     .fec_roots = p->fec_device ? p->fec_roots : 0};

	if (!sb)
		return crypt_load(cd, CRYPT_VERITY, &params);
	params.hash_name = sb->algorithm;
	params.data_device = base->data_device;
	params.salt = (const char *)sb->salt;
	params.salt_size = sb->salt_bytes;
	params.hash_type = sb->hash_type;
	params.data_block_size = sb->data_block_bytes;
	params.hash_block_size = sb->hash_block_bytes;
	params.data_size = sb->data_blocks;
	params.flags = CRYPT_VERITY_NO_HEADER; /* nothing is written: that would be CREATE_HASH */
	return crypt_format(cd, CRYPT_VERITY, NULL, NULL, NULL, NULL, 0, &params);
}

static int open_device(const char *path, struct verity_file *ret, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return err_errno(e, "cannot open %s", path);
	*ret = (struct verity_file){.fd = fd, .name = path};
	if (fstat(fd, &st) < 0)
		return err_errno(e, "cannot stat %s", path);
	return S_ISBLK(st.st_mode) ? 0 : err_set(e, ENOTBLK, "%s is not a block device", path);
}

/* struct devices - what is looked at before the kernel is asked; fec only if there is one */
struct devices {
	struct verity_file data, hash, fec;
};

static void close_devices(struct devices *d)
{
	cleanup_fd_fn(&d->data.fd);
	cleanup_fd_fn(&d->hash.fd);
	cleanup_fd_fn(&d->fec.fd);
}

/* Does the parity look like that of this volume, as libcryptsetup will describe it to the kernel? */
static int look_at_fec(const struct verity_open_params *p, const struct devices *d, const struct verity_sb *sb,
		       bool *ret_doubtful, struct err *e)
{
	struct verity_fec f = {.block_bytes = sb->data_block_bytes,
			       .hash_block_bytes = sb->hash_block_bytes,
			       .roots = p->fec_roots,
			       .data = d->data,
			       .data_blocks = sb->data_blocks,
			       .hash = d->hash,
			       .hash_start_bytes = p->no_superblock ? p->base.hash_offset_bytes
								    : verity_tree_offset(sb, p->base.hash_offset_bytes),
			       .tree_blocks = verity_geometry_of(sb).tree_blocks,
			       .parity = d->fec,
			       .parity_offset_bytes = p->fec_offset_bytes};
	bool fits = false;
	int r = verity_fec_cover(&f, e);

	if (r)
		return r;
	r = verity_fec_fits(&f, &fits, e);
	if (r == -ENODATA)
		return err_set(e, EINVAL, "%s is too small: parity of %llu bytes from %llu on", p->fec_device,
			       (unsigned long long)verity_fec_parity_bytes(&f), (unsigned long long)p->fec_offset_bytes);
	*ret_doubtful = r || !fits; /* a read error is what error correction is for: it must not keep us from using it */
	return 0;
}

/* What can be told before the kernel is asked. @ret_bytes: size of the data. */
static int check_before(const struct verity_open_params *p, uint64_t *ret_bytes, bool *ret_doubtful, struct err *e)
{
	struct devices d __attribute__((cleanup(close_devices))) = {.data.fd = -1, .hash.fd = -1, .fec.fd = -1};
	const struct verity_activate_params *base = &p->base;
	struct err not_chain = ERR_INIT;
	struct verity_sb sb;
	off_t end;
	int r = open_device(base->data_device, &d.data, e);

	if (!r)
		r = open_device(base->hash_device, &d.hash, e);
	if (!r && p->fec_device)
		r = open_device(p->fec_device, &d.fec, e);
	if (p->no_superblock)
		sb = *p->no_superblock;
	else if (!r)
		r = verity_sb_read(d.hash.fd, base->hash_offset_bytes, base->hash_device, &sb, e);
	if (!r)
		r = verity_sb_check_supported(&sb, base->hash_device, e);
	if (r)
		return r;
	if (hash_bytes(sb.alg) != p->root_hash_bytes)
		return err_set(e, EINVAL, "a root hash of %zu bytes, %s says %s, which has %zu", p->root_hash_bytes,
			       base->hash_device, sb.algorithm, hash_bytes(sb.alg));
	*ret_bytes = verity_sb_data_bytes(&sb);
	end = lseek(d.data.fd, 0, SEEK_END);
	if (end < 0)
		return err_errno(e, "cannot find the size of %s", base->data_device);
	if (*ret_bytes > (uint64_t)end)
		return err_set(e, EBADMSG, "%s has %lld bytes, the superblock on %s says %llu", base->data_device,
			       (long long)end, base->hash_device, (unsigned long long)*ret_bytes);
	/* The superblock's size is proved by the edge of the tree, and by nothing else; so also with error correction. */
	if (!p->no_superblock && !verity_sb_check_chain(&sb, base->hash_device, &not_chain)) {
		r = verity_verify_edge(d.data.fd, d.hash.fd, base->hash_offset_bytes, &sb, base->root_hash, e);
		if (r)
			return err_context(e, "%s", base->hash_device);
	}
	return p->fec_device ? look_at_fec(p, &d, &sb, ret_doubtful, e) : 0;
}

static int missing_option(const struct verity_open_params *p, const struct verity_status *s, struct err *e)
{
	unsigned differ = p->options ^ s->options;

	for (unsigned o = 0; o < VERITY_OPTIONS_; o++)
		if (differ & (1u << o))
			return err_set(e, ENOTSUP, "read back after activation: %s is %s the kernel's table (libcryptsetup " LIBCRYPTSETUP_VERSION ")",
				       verity_option_str(o), has(p, o) ? "missing in" : "unasked for in");
	return 0;
}

/* Read the table back: it must be what was asked for. */
static int check_after(const struct verity_open_params *p, uint64_t bytes, struct verity_device *ret, struct err *e)
{
	struct verity_status s;
	int r = verity_status_get(p->base.name, &s, e);

	if (!r)
		r = missing_option(p, &s, e);
	if (r)
		return r;
	if (!hash_equal(s.root_hash, s.root_hash_bytes, p->base.root_hash, p->root_hash_bytes))
		return err_set(e, EBADMSG, "read back after activation: another root hash than asked for");
	if (s.data_blocks * s.data_block_bytes != bytes)
		return err_set(e, EBADMSG, "read back after activation: %llu bytes, wanted %llu",
			       (unsigned long long)(s.data_blocks * s.data_block_bytes), (unsigned long long)bytes);
	if (!s.signature_key[0] != !p->base.signature)
		return err_set(e, EBADMSG, "read back after activation: the table has %s signature",
			       p->base.signature ? "no" : "a");
	if (s.fec_roots != (p->fec_device ? p->fec_roots : 0))
		return err_set(e, ENOTSUP, "read back after activation: error correction with %u roots, wanted %u", s.fec_roots,
			       p->fec_device ? p->fec_roots : 0);
	return verity_device_node(s.dev, ret, e);
}

int verity_open(const struct verity_open_params *p, struct verity_open_result *ret, struct err *e)
{
	struct verity_activate_how how = {.flags = choose_flags(p), .root_hash_bytes = p->root_hash_bytes, .load = load, .arg = p};
	struct verity_open_result result = {.fec_doubtful = false};
	struct err second = ERR_INIT;
	uint64_t bytes = 0;
	int r = check_options(p, e);

	if (!r)
		r = check_before(p, &bytes, &result.fec_doubtful, e);
	if (!r)
		r = verity_activate_as(&p->base, &how, e);
	if (r)
		return r;
	r = add_options(p, e);
	if (!r)
		r = check_after(p, bytes, &result.device, e);
	if (!r) {
		*ret = result;
		return 0;
	}
	if (verity_deactivate(p->base.name, &second))
		return err_context(e, "%s stays, for it could not be removed", p->base.name);
	return r;
}
