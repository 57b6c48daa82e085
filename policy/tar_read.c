/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/tar_read.c - read a layer tar as it streams by, and refuse what must not become a signed layer */
#include "policy/tar_read.h"

#include "common/hash.h"
#include "policy/path_set.h"
#include "policy/tar_header.h"

#include <string.h>

#define MAX_SHOWN_BYTES 120

/* What the next byte belongs to. */
enum state { HEADER, EXTENSION, SPARSE_BLOCK, SPARSE_MAP, CONTENT, PADDING, END };

/*
 * struct policy_tar - where we are
 * @at:        offset of the next byte; @member_at: of the header being dealt with, @shown: its name for messages
 * @block:     @have bytes of a header or sparse block so far
 * @left:      bytes of the member's content still to come; @pad: of its padding
 * @header:    of the member; @ext: what extension headers said about it
 * @bytes:     content of an extension header, or a sparse map, so far
 * @regions:   of a sparse file; @region: the one being read; @out: bytes of the file that the sink has
 * @content:   sum of the files' sizes
 * @last, @last_id: the folder in which the last member was
 */
struct policy_tar {
	struct policy_tar_params p;
	enum state state;
	uint64_t at, member_at;
	char shown[MAX_SHOWN_BYTES];
	uint8_t block[POLICY_TAR_BLOCK];
	size_t have;
	uint64_t left;
	size_t pad;
	struct policy_tar_header header;
	struct policy_tar_ext ext;
	struct buf bytes, regions;
	size_t region;
	uint64_t out, size;
	bool sparse;
	struct policy_path_set set;
	uint64_t members, content;
	char last[PATH_MAX];
	uint32_t last_id;
	char path[PATH_MAX];
};

/* --- folders -------------------------------------------------------------------------------------------------- */

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int tell(struct policy_tar *t, struct policy_tar_member *m, struct policy_path *path, struct err *e)
{
	uint32_t id = path ? path->id : 0;
	int r;

	m->id = id;
	r = t->p.sink.member ? t->p.sink.member(t->p.sink.arg, m, &id, e) : 0;
	if (!r && path)
		path->id = id;
	return r;
}

/* A folder that nobody named yet. */
static int imply(struct policy_tar *t, const char *path, uint32_t parent, struct policy_path **ret, struct err *e)
{
	static const struct buf none = BUF_INIT;
	struct policy_tar_member m = {
		.name = last_part(path), .type = POLICY_TAR_FOLDER, .parent = parent, .mode = 0755, .xattrs = &none};
	int r = policy_path_set_put(&t->set, path, POLICY_PATH_IMPLIED, ret, e);

	return r ? r : tell(t, &m, *ret, e);
}

/* Every part in front of the last must be a folder; one that was not seen is one from now on. @ret_id: the last's. */
static int claim_parents(struct policy_tar *t, const char *path, uint32_t *ret_id, struct err *e)
{
	const char *base = last_part(path), *s = path;
	size_t n = (size_t)(base - path);
	char parent[PATH_MAX];
	struct policy_path *entry;
	uint32_t id = 0;

	if (t->last_id && strlen(t->last) == n && !memcmp(t->last, path, n)) {
		*ret_id = t->last_id;
		return 0;
	}
	for (size_t len = 0;; len = (size_t)(s - path), s++) {
		int r = 0;

		memcpy(parent, path, len);
		parent[len] = '\0';
		entry = policy_path_set_get(&t->set, parent);
		if (!entry)
			r = imply(t, parent, id, &entry, e);
		else if (entry->kind != POLICY_PATH_IMPLIED && entry->kind != POLICY_PATH_FOLDER)
			r = err_set(e, EINVAL, "\"%.80s\" above it is no folder in this layer", parent);
		if (r)
			return r;
		id = entry->id;
		s = strchr(s, '/');
		if (!s)
			break;
	}
	memcpy(t->last, path, n); /* with its '/', so that no name is taken for its beginning */
	t->last[n] = '\0';
	t->last_id = id;
	*ret_id = id;
	return 0;
}

/* The one place where a path is taken. A folder may be named again. */
static int claim(struct policy_tar *t, enum policy_path_kind kind, uint32_t *ret_parent, struct policy_path **ret,
		 struct err *e)
{
	struct policy_path *now;
	int r = t->path[0] ? claim_parents(t, t->path, ret_parent, e) : 0;

	if (r)
		return r;
	if (!t->path[0] && kind != POLICY_PATH_FOLDER)
		return err_set(e, EINVAL, "the top of the layer is no folder");
	now = policy_path_set_get(&t->set, t->path);
	if (!now)
		return policy_path_set_put(&t->set, t->path, kind, ret, e);
	if (kind != POLICY_PATH_FOLDER || (now->kind != POLICY_PATH_IMPLIED && now->kind != POLICY_PATH_FOLDER))
		return err_set(e, EINVAL, "the same path stands in this layer twice");
	now->kind = POLICY_PATH_FOLDER;
	*ret = now;
	return 0;
}

/* --- whiteouts ------------------------------------------------------------------------------------------------ */

/*
 * OCI image specification, layer.md: ".wh.<name>" hides <name> of the layers below, ".wh..wh..opq" all of its folder.
 * For the first the path becomes the hidden name.
 */
static int take_whiteout(struct policy_tar *t, struct policy_tar_member *m, bool slash, struct err *e)
{
	char *base = t->path + (last_part(t->path) - t->path);

	for (const char *s = t->path; (s = strstr(s, ".wh.")); s++)
		if ((s == t->path || s[-1] == '/') && s != base)
			return err_set(e, EINVAL, "a folder's name begins with \".wh.\"");
	if (strncmp(base, ".wh.", 4))
		return 0;
	if (m->type != POLICY_TAR_FILE || m->size || slash)
		return err_set(e, EINVAL, "a whiteout must be an empty file");
	if (!strcmp(base, ".wh..wh..opq")) {
		m->type = POLICY_TAR_OPAQUE;
		return base == t->path ? err_set(e, EINVAL, "an opaque top folder is not supported") : 0;
	}
	if (!base[4] || !strncmp(base + 4, ".wh.", 4) || !strcmp(base + 4, ".") || !strcmp(base + 4, ".."))
		return err_set(e, EINVAL, "it is no whiteout that OCI knows");
	m->type = POLICY_TAR_WHITEOUT;
	memmove(base, base + 4, strlen(base + 4) + 1);
	return 0;
}

/* --- members -------------------------------------------------------------------------------------------------- */

static int check_hard_link(const struct policy_tar *t, struct policy_tar_member *m, struct err *e)
{
	char path[PATH_MAX];
	const struct policy_path *to;
	bool slash = false;
	int r = policy_tar_name_parse(m->link, path, &slash, e);

	if (r)
		return err_context(e, "hard link");
	to = policy_path_set_get(&t->set, path);
	if (slash || !to ||
	    (to->kind != POLICY_PATH_FILE && to->kind != POLICY_PATH_SYMLINK && to->kind != POLICY_PATH_SPECIAL))
		return err_set(e, EINVAL, "hard link to \"%.80s\", which is no earlier file of this layer", m->link);
	m->target = to->id;
	return 0;
}

static int check_type(const struct policy_tar *t, struct policy_tar_member *m, bool slash, enum policy_path_kind *ret,
		      struct err *e)
{
	if (m->type != POLICY_TAR_FILE && m->size)
		return err_set(e, EINVAL, "type '%c' with %llu bytes of content", m->type, (unsigned long long)m->size);
	if (slash && m->type != POLICY_TAR_FOLDER)
		return err_set(e, EINVAL, "its name ends with '/', its type '%c' is no folder", m->type);
	*ret = POLICY_PATH_FILE;
	switch (m->type) {
	case POLICY_TAR_FILE:
		return 0;
	case POLICY_TAR_LINK:
		return check_hard_link(t, m, e);
	case POLICY_TAR_SYMLINK:
		*ret = POLICY_PATH_SYMLINK;
		return m->link[0] ? 0 : err_set(e, EINVAL, "symbolic link to nothing");
	case POLICY_TAR_CHAR:
	case POLICY_TAR_BLOCKDEV:
		*ret = POLICY_PATH_SPECIAL;
		if (!t->p.devices)
			return err_set(e, EINVAL, "it is a device; layers hold none");
		if (m->type == POLICY_TAR_CHAR && !m->major && !m->minor)
			return err_set(e, EINVAL, "device 0:0 is how overlayfs hides a file; OCI writes \".wh.\" for it");
		return 0;
	case POLICY_TAR_FOLDER:
		*ret = POLICY_PATH_FOLDER;
		return 0;
	case POLICY_TAR_FIFO:
		*ret = POLICY_PATH_SPECIAL;
		return 0;
	default:
		return err_set(e, EINVAL, "type 0x%02x is not known, or not supported in a layer",
			       (unsigned char)m->type);
	}
}

/* Header and extensions together; the path goes to @t->path. */
static int merge(struct policy_tar *t, struct policy_tar_member *m, bool *ret_slash, struct err *e)
{
	const struct policy_tar_header *h = &t->header;
	const struct policy_tar_ext *x = &t->ext;
	const char *path = x->path[0] ? x->path : h->name;

	if (x->sparse_path[0])
		path = x->sparse_path;
	*m = (struct policy_tar_member){
		.link = x->link[0] ? x->link : h->link,
		.type = h->type == 'S' ? POLICY_TAR_FILE : h->type,
		.mode = h->mode,
		.uid = x->has_uid ? x->uid : h->uid,
		.gid = x->has_gid ? x->gid : h->gid,
		.major = h->major,
		.minor = h->minor,
		.mtime = x->has_mtime ? x->mtime : (int64_t)h->mtime,
		.mtime_nsec = x->has_mtime ? x->mtime_nsec : 0,
		.size = t->size,
		.at = t->at,
		.xattrs = &x->xattrs,
	};
	return policy_tar_name_parse(path, t->path, ret_slash, e);
}

/* All headers of a member were read: judge it, tell it. Its content is next. */
static int take_member(struct policy_tar *t, struct err *e)
{
	enum policy_path_kind kind = POLICY_PATH_FILE;
	struct policy_tar_member m;
	struct policy_path *path = NULL;
	bool slash = false;
	int r = merge(t, &m, &slash, e);

	r = r ? r : check_type(t, &m, slash, &kind, e);
	r = r ? r : take_whiteout(t, &m, slash, e);
	if (m.type == POLICY_TAR_WHITEOUT || m.type == POLICY_TAR_OPAQUE)
		kind = POLICY_PATH_WHITEOUT; /* nothing that a hard link could mean */
	r = r ? r : claim(t, kind, &m.parent, &path, e);
	if (r)
		return r;
	if (m.size > t->p.max_bytes - t->content)
		return err_set(e, EFBIG, "with its %llu bytes the files have more than the %llu that are accepted",
			       (unsigned long long)m.size, (unsigned long long)t->p.max_bytes);
	t->members++;
	t->content += m.size;
	m.name = last_part(t->path);
	r = tell(t, &m, path, e);
	t->out = 0;
	t->region = 0;
	t->state = CONTENT;
	return r;
}

/* --- content -------------------------------------------------------------------------------------------------- */

static int put_content(struct policy_tar *t, const uint8_t *data, uint64_t n, struct err *e)
{
	t->out += n;
	return n && t->p.sink.content ? t->p.sink.content(t->p.sink.arg, data, n, e) : 0;
}

static void get_region(const struct policy_tar *t, size_t i, struct policy_tar_region *ret)
{
	memcpy(ret, t->regions.data + i * sizeof(*ret), sizeof(*ret));
}

/* Bytes of a sparse file's regions: the holes in front of them are told as zeros. */
static int put_sparse(struct policy_tar *t, const uint8_t *data, size_t n, struct err *e)
{
	int r = 0;

	while (!r && n) {
		struct policy_tar_region region;
		size_t piece;

		get_region(t, t->region, &region); /* their sum is what was read, so there is one */
		r = put_content(t, NULL, region.offset > t->out ? region.offset - t->out : 0, e);
		piece = region.offset + region.bytes - t->out < n ? (size_t)(region.offset + region.bytes - t->out) : n;
		r = r ? r : put_content(t, data, piece, e);
		data += piece;
		n -= piece;
		if (t->out == region.offset + region.bytes)
			t->region++;
	}
	return r;
}

/* The regions must hold exactly the bytes that follow, within the file's size. */
static int check_regions(struct policy_tar *t, struct err *e)
{
	struct buf kept = BUF_INIT;
	uint64_t sum = 0;

	for (size_t i = 0; i < t->regions.len / sizeof(struct policy_tar_region); i++) {
		struct policy_tar_region region;

		get_region(t, i, &region);
		if (region.offset > t->size || region.bytes > t->size - region.offset) {
			buf_free(&kept);
			return err_set(e, EINVAL, "a sparse file of %llu bytes has a region behind its end",
				       (unsigned long long)t->size);
		}
		sum += region.bytes;
		if (region.bytes) /* an empty one only says where the file ends */
			buf_put(&kept, &region, sizeof(region));
	}
	buf_free(&t->regions);
	t->regions = kept;
	if (kept.bad)
		return err_set(e, ENOMEM, "no memory for a sparse file's regions");
	if (sum != t->left)
		return err_set(e, EINVAL, "a sparse file's regions have %llu bytes, its content %llu",
			       (unsigned long long)sum, (unsigned long long)t->left);
	t->sparse = true;
	return take_member(t, e);
}

/* The map of GNU's sparse format 1.0 came as far as @t->bytes: is it whole? */
static int try_map(struct policy_tar *t, struct err *e)
{
	bool whole = false;
	int r = policy_tar_map_parse(t->bytes.data, t->bytes.len, &t->regions, &whole, e);

	return r || !whole ? r : check_regions(t, e);
}

/* --- headers -------------------------------------------------------------------------------------------------- */

static int take_extension(struct policy_tar *t, struct err *e)
{
	const struct buf *b = &t->bytes;

	switch (t->header.type) {
	case 'x':
	case 'g':
		return policy_tar_pax_parse(b->data, b->len, t->header.type == 'g', &t->ext, e);
	case 'L':
		return policy_tar_long_parse(b->data, b->len, t->ext.path, e);
	default:
		return policy_tar_long_parse(b->data, b->len, t->ext.link, e);
	}
}

/* A pax header must stand directly before its member: a size in it would else be taken for that of the header between. */
static int begin_extension(struct policy_tar *t, struct err *e)
{
	if (t->ext.seen_pax)
		return err_set(e, EINVAL, "an extension header of type '%c' stands behind a pax header",
			       t->header.type);
	if (t->header.size == 0 || t->header.size > POLICY_TAR_MAX_EXTENSION_BYTES)
		return err_set(e, EINVAL, "an extension header has %llu bytes, wanted 1 to %d",
			       (unsigned long long)t->header.size, POLICY_TAR_MAX_EXTENSION_BYTES);
	t->state = EXTENSION;
	return 0;
}

static int begin_sparse(struct policy_tar *t, struct err *e)
{
	bool more = false;
	int r;

	if (t->header.type == 'S') {
		if (t->ext.seen_pax)
			return err_set(e, EINVAL, "a sparse file of old GNU's behind a pax header has two meanings");
		r = policy_tar_sparse_parse(t->block, true, &t->regions, &more, &t->size, e);
		if (!r && more)
			t->state = SPARSE_BLOCK;
		return r || more ? r : check_regions(t, e);
	}
	if (t->ext.sparse_major != 1 || t->ext.sparse_minor || !t->ext.has_minor || !t->ext.has_real_size ||
	    !t->ext.sparse_path[0] || t->header.type != POLICY_TAR_FILE)
		return err_set(e, EINVAL, "its GNU.sparse records are not those of version 1.0");
	t->size = t->ext.real_size;
	t->state = SPARSE_MAP;
	return 0;
}

/* Printable ASCII of a name, for messages on a terminal. */
static void shown(const char *name, char ret[static MAX_SHOWN_BYTES])
{
	size_t n = 0;

	for (; name[n] && n < MAX_SHOWN_BYTES - 1; n++)
		ret[n] = name[n] >= 0x20 && name[n] < 0x7f ? name[n] : '?';
	ret[n] = '\0';
}

static int take_header(struct policy_tar *t, struct err *e)
{
	bool extension;
	int r;

	t->member_at = t->at - POLICY_TAR_BLOCK;
	t->header = (struct policy_tar_header){0};
	r = policy_tar_header_parse(t->block, &t->header, e);
	shown(t->ext.path[0] ? t->ext.path : t->header.name, t->shown);
	if (r)
		return r;
	extension = t->header.type && strchr("xgLK", t->header.type);
	t->left = !extension && t->ext.has_size ? t->ext.size : t->header.size;
	if (t->left > t->p.max_bytes || t->at > t->p.max_bytes - t->left)
		return err_set(e, EFBIG, "says it has %llu bytes, at most %llu are accepted in all",
			       (unsigned long long)t->left, (unsigned long long)t->p.max_bytes);
	t->pad = (POLICY_TAR_BLOCK - t->left % POLICY_TAR_BLOCK) % POLICY_TAR_BLOCK;
	t->size = t->left;
	t->sparse = false;
	t->regions.len = t->bytes.len = 0;
	if (extension)
		return begin_extension(t, e);
	if (t->header.type == 'S' || t->ext.has_major || t->ext.has_minor || t->ext.has_real_size ||
	    t->ext.sparse_path[0])
		return begin_sparse(t, e);
	return take_member(t, e);
}

/* --- the stream ----------------------------------------------------------------------------------------------- */

/* Fill the block from the stream. Return: how many bytes were taken. */
static size_t fill(struct policy_tar *t, const uint8_t *data, size_t n)
{
	size_t take = sizeof(t->block) - t->have < n ? sizeof(t->block) - t->have : n;

	memcpy(t->block + t->have, data, take);
	t->have += take;
	t->at += take;
	return take;
}

/* A whole block came in @state. */
static int take_block(struct policy_tar *t, struct err *e)
{
	bool more = false;
	int r;

	t->have = 0;
	switch (t->state) {
	case SPARSE_BLOCK:
		r = policy_tar_sparse_parse(t->block, false, &t->regions, &more, NULL, e);
		return r || more ? r : check_regions(t, e);
	case SPARSE_MAP:
		if (t->left < sizeof(t->block) || t->bytes.len > 64 * POLICY_TAR_MAX_REGIONS)
			return err_set(e, EINVAL, "a sparse file's map is longer than its content");
		t->left -= sizeof(t->block);
		buf_put(&t->bytes, t->block, sizeof(t->block));
		return t->bytes.bad ? err_set(e, ENOMEM, "no memory for a sparse file's map") : try_map(t, e);
	default:
		if (t->block[0])
			return take_header(t, e);
		t->state = END;
		if (!hash_is_zero(t->block, sizeof(t->block)))
			return err_set(e, EINVAL, "bytes stand behind the end of the archive");
		return 0;
	}
}

/* Content or an extension's text came to its end. */
static int close_member(struct policy_tar *t, struct err *e)
{
	int r = 0;

	if (t->state == EXTENSION) {
		r = take_extension(t, e);
	} else {
		r = t->sparse ? put_content(t, NULL, t->size - t->out, e) : 0;
		policy_tar_ext_clear(&t->ext);
	}
	t->state = t->pad ? PADDING : HEADER;
	return r;
}

static int take_content(struct policy_tar *t, const uint8_t *data, size_t n, struct err *e)
{
	t->left -= n;
	t->at += n;
	if (t->state == CONTENT)
		return t->sparse ? put_sparse(t, data, n, e) : put_content(t, data, n, e);
	buf_put(&t->bytes, data, n);
	return t->bytes.bad ? err_set(e, ENOMEM, "no memory for an extension header") : 0;
}

/* One step. *@n is how many bytes there are, then how many were taken. */
static int step(struct policy_tar *t, const uint8_t *data, size_t *n, struct err *e)
{
	size_t take;

	switch (t->state) {
	case CONTENT:
	case EXTENSION:
		take = t->left < *n ? (size_t)t->left : *n;
		*n = take;
		return take ? take_content(t, data, take, e) : 0;
	case PADDING:
		take = t->pad < *n ? t->pad : *n;
		t->pad -= take;
		t->at += take;
		*n = take;
		if (!t->pad)
			t->state = HEADER;
		return 0;
	case END:
		if (!hash_is_zero(data, *n))
			return err_set(e, EINVAL, "bytes stand behind the end of the archive, after offset %llu",
				       (unsigned long long)t->at);
		t->at += *n;
		return 0;
	default:
		*n = fill(t, data, *n);
		return t->have == sizeof(t->block) ? take_block(t, e) : 0;
	}
}

static int failed(const struct policy_tar *t, struct err *e)
{
	if (t->state == END)
		return err_context(e, "%s", t->p.name);
	return err_context(e, "%s: member \"%s\" at offset %llu", t->p.name, t->shown,
			   (unsigned long long)t->member_at);
}

int policy_tar_push(struct policy_tar *t, const uint8_t *data, size_t n, struct err *e)
{
	if (n > t->p.max_bytes - t->at)
		return err_set(e, EFBIG, "%s: unpacks to more bytes than the %llu that are accepted", t->p.name,
			       (unsigned long long)t->p.max_bytes);
	while (n) {
		size_t took = n;
		int r = step(t, data, &took, e);

		data += took;
		n -= took;
		/* At once, even if nothing follows: an empty file's content has no byte to wait for. */
		if (!r && (t->state == CONTENT || t->state == EXTENSION) && !t->left)
			r = close_member(t, e);
		if (r)
			return failed(t, e);
	}
	return 0;
}

int policy_tar_end(struct policy_tar *t, uint64_t *ret_members, struct err *e)
{
	if (t->state != END)
		return err_set(e, EINVAL, "%s: ends at byte %llu without an end-of-archive block%s%s", t->p.name,
			       (unsigned long long)t->at, t->shown[0] ? ", behind or in member " : "", t->shown);
	if (t->ext.path[0] || t->ext.link[0] || t->ext.seen_pax)
		return err_set(e, EINVAL, "%s: an extension header stands before the end, not before a member",
			       t->p.name);
	if (ret_members)
		*ret_members = t->members;
	return 0;
}

int policy_tar_begin(const struct policy_tar_params *p, struct policy_tar **ret, struct err *e)
{
	struct policy_tar *t = calloc(1, sizeof(*t));

	if (!t)
		return err_set(e, ENOMEM, "no memory to read %s", p->name);
	t->p = *p;
	*ret = t;
	return 0;
}

void policy_tar_free(struct policy_tar *t)
{
	if (!t)
		return;
	policy_tar_ext_clear(&t->ext);
	buf_free(&t->bytes);
	buf_free(&t->regions);
	policy_path_set_free(&t->set);
	free(t);
}
