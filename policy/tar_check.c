/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/tar_check.c - walk a layer tar and refuse what must not become a signed layer */
#include "policy/tar_check.h"

#include "common/hash.h"
#include "policy/path_set.h"
#include "policy/tar_header.h"

#include <string.h>
#include <sys/stat.h>

#define MAX_SHOWN_BYTES 120

/*
 * struct walk - where we are
 * @at:   offset of the header being read
 * @ext:  what extension headers said about the member to come
 * @set:  everything seen so far
 */
struct walk {
	int fd;
	uint64_t size;
	uint64_t at;
	struct policy_tar_ext ext;
	struct policy_path_set set;
	struct policy_tar_facts facts;
};

/* struct member - one entry with its extensions applied; @path and @link are normalised */
struct member {
	char path[PATH_MAX];
	char link[PATH_MAX];
	uint64_t size;
	char type;
	bool slash; /* its name ended with one */
};

static int read_at(const struct walk *w, uint64_t at, void *dst, size_t n, struct err *e)
{
	uint8_t *p = dst;

	while (n) {
		ssize_t got = pread(w->fd, p, n, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(e, "cannot read");
		if (got == 0)
			return err_set(e, EINVAL, "the file was shortened while it was read");
		p += got;
		at += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

/*
 * "./a/b/" to "a/b", "./" to "". A name is refused if it is absolute, empty, or has a part that is empty, "." or
 * "..", a leading "./" and one trailing '/' excepted.
 */
static int normalise(const char *name, char ret[static PATH_MAX], bool *ret_slash, struct err *e)
{
	const char *s = name, *part;
	size_t n;

	if (name[0] == '/')
		return err_set(e, EINVAL, "\"%.80s\" is absolute", name);
	if (name[0] == '\0')
		return err_set(e, EINVAL, "it has no name");
	if (!strcmp(s, "."))
		s++;
	else if (!strncmp(s, "./", 2))
		s += 2;
	n = strlen(s);
	*ret_slash = n ? s[n - 1] == '/' : true;
	n -= n && *ret_slash;
	memcpy(ret, s, n);
	ret[n] = '\0';
	if (!n && !s[0])
		return 0;
	for (part = ret;; part++) {
		size_t len = strcspn(part, "/");

		if (len == 0 || (len == 1 && part[0] == '.') || (len == 2 && part[0] == '.' && part[1] == '.'))
			return err_set(e, EINVAL, "\"%.80s\" has a part that is empty, \".\" or \"..\"", name);
		if (len > NAME_MAX)
			return err_set(e, EINVAL, "\"%.80s...\" has a part longer than %d bytes", name, NAME_MAX);
		part += len;
		if (!*part)
			return 0;
	}
}

/* --- whiteouts ------------------------------------------------------------------------------------------------ */

/*
 * OCI image specification, layer.md: ".wh.<name>" hides <name> of the layers below, ".wh..wh..opq" all of its folder.
 * For the first the member's path becomes the hidden name.
 */
static int take_whiteout(struct member *m, bool *ret_whiteout, struct err *e)
{
	char *base = strrchr(m->path, '/');
	size_t folder;

	base = base ? base + 1 : m->path;
	folder = (size_t)(base - m->path);
	for (const char *s = m->path; (s = strstr(s, ".wh.")); s++)
		if ((s == m->path || s[-1] == '/') && s != base)
			return err_set(e, EINVAL, "a folder's name begins with \".wh.\"");
	if (strncmp(base, ".wh.", 4))
		return 0;
	if (m->type != '0' || m->size || m->slash)
		return err_set(e, EINVAL, "a whiteout must be an empty file");
	if (!strcmp(base, ".wh..wh..opq")) {
		if (base == m->path)
			return err_set(e, EINVAL, "an opaque top folder is not supported");
		return 0;
	}
	if (!base[4] || !strncmp(base + 4, ".wh.", 4) || !strcmp(base + 4, ".") || !strcmp(base + 4, ".."))
		return err_set(e, EINVAL, "it is no whiteout that OCI knows");
	*ret_whiteout = true;
	memmove(m->path + folder, base + 4, strlen(base + 4) + 1);
	return 0;
}

/* --- members -------------------------------------------------------------------------------------------------- */

/* Every part in front of the last must be a folder, or not have been seen: it then is one from now on. */
static int claim_parents(struct walk *w, const char *path, struct err *e)
{
	char parent[PATH_MAX];
	enum policy_path_kind kind;
	int r = 0;

	for (const char *s = path; !r && (s = strchr(s, '/')); s++) {
		memcpy(parent, path, (size_t)(s - path));
		parent[s - path] = '\0';
		kind = policy_path_set_get(&w->set, parent);
		if (kind == POLICY_PATH_ABSENT)
			r = policy_path_set_put(&w->set, parent, POLICY_PATH_IMPLIED, e);
		else if (kind != POLICY_PATH_IMPLIED && kind != POLICY_PATH_FOLDER)
			r = err_set(e, EINVAL, "\"%.80s\" above it is no folder in this layer", parent);
	}
	return r;
}

static int claim(struct walk *w, const char *path, enum policy_path_kind kind, struct err *e)
{
	enum policy_path_kind now = policy_path_set_get(&w->set, path);
	int r = claim_parents(w, path, e);

	if (r)
		return r;
	if (now != POLICY_PATH_ABSENT && !(now == POLICY_PATH_IMPLIED && kind == POLICY_PATH_FOLDER))
		return err_set(e, EINVAL, "the same path stands in this layer twice");
	if (!path[0] && kind != POLICY_PATH_FOLDER)
		return err_set(e, EINVAL, "the top of the layer is no folder");
	return policy_path_set_put(&w->set, path, kind, e);
}

static int check_hard_link(const struct walk *w, const char *target, struct err *e)
{
	char path[PATH_MAX];
	bool slash = false;
	enum policy_path_kind kind;
	int r = normalise(target, path, &slash, e);

	if (r)
		return err_context(e, "hard link");
	kind = policy_path_set_get(&w->set, path);
	if (slash || (kind != POLICY_PATH_FILE && kind != POLICY_PATH_SYMLINK && kind != POLICY_PATH_FIFO))
		return err_set(e, EINVAL, "hard link to \"%.80s\", which is no earlier file of this layer", target);
	return 0;
}

static int check_type(const struct walk *w, const struct member *m, enum policy_path_kind *ret, struct err *e)
{
	int r;

	if (m->type != '0' && m->size)
		return err_set(e, EINVAL, "type '%c' with %llu bytes of content", m->type, (unsigned long long)m->size);
	if (m->slash && m->type != '5')
		return err_set(e, EINVAL, "its name ends with '/', its type '%c' is no folder", m->type);
	switch (m->type) {
	case '0':
		*ret = POLICY_PATH_FILE;
		return 0;
	case '1':
		r = check_hard_link(w, m->link, e);
		if (!r)
			*ret = POLICY_PATH_FILE;
		return r;
	case '2':
		*ret = POLICY_PATH_SYMLINK;
		return m->link[0] ? 0 : err_set(e, EINVAL, "symbolic link to nothing");
	case '3':
	case '4':
		return err_set(e, EINVAL, "it is a device; layers hold none");
	case '5':
		*ret = POLICY_PATH_FOLDER;
		return 0;
	case '6':
		*ret = POLICY_PATH_FIFO;
		return 0;
	default:
		return err_set(e, EINVAL, "type 0x%02x is not known, or not supported in a layer",
			       (unsigned char)m->type);
	}
}

static int take_member(struct walk *w, struct member *m, struct err *e)
{
	enum policy_path_kind kind = POLICY_PATH_ABSENT;
	bool whiteout = false;
	int r = check_type(w, m, &kind, e);

	r = r ? r : take_whiteout(m, &whiteout, e);
	r = r ? r : claim(w, m->path, whiteout ? POLICY_PATH_WHITEOUT : kind, e);
	if (r)
		return r;
	w->facts.members++;
	w->facts.content_bytes += m->size;
	return 0;
}

static int apply_ext(const struct walk *w, const struct policy_tar_header *h, struct member *ret, struct err *e)
{
	const char *link = w->ext.link[0] ? w->ext.link : h->link;

	ret->type = h->type;
	ret->size = w->ext.has_size ? w->ext.size : h->size;
	(void)snprintf(ret->link, sizeof(ret->link), "%s", link); /* both sources are shorter */
	return normalise(w->ext.path[0] ? w->ext.path : h->name, ret->path, &ret->slash, e);
}

/* --- the walk ------------------------------------------------------------------------------------------------- */

/* An extension header's content goes to @w->ext. A pax header must stand directly before its member: a size in it
 * would else be taken for that of the header between. */
static int take_extension(struct walk *w, const struct policy_tar_header *h, struct err *e)
{
	cleanup_free uint8_t *bytes = NULL;
	int r;

	if (w->ext.seen_pax)
		return err_set(e, EINVAL, "an extension header of type '%c' stands behind a pax header", h->type);
	if (h->size == 0 || h->size > POLICY_TAR_MAX_EXTENSION_BYTES)
		return err_set(e, EINVAL, "an extension header has %llu bytes, wanted 1 to %d",
			       (unsigned long long)h->size, POLICY_TAR_MAX_EXTENSION_BYTES);
	bytes = malloc((size_t)h->size);
	if (!bytes)
		return err_set(e, ENOMEM, "no memory for an extension header");
	r = read_at(w, w->at + POLICY_TAR_BLOCK, bytes, (size_t)h->size, e);
	if (r)
		return r;
	switch (h->type) {
	case 'x':
	case 'g':
		return policy_tar_pax_parse(bytes, (size_t)h->size, h->type == 'g', &w->ext, e);
	case 'L':
		return policy_tar_long_parse(bytes, (size_t)h->size, w->ext.path, e);
	default:
		return policy_tar_long_parse(bytes, (size_t)h->size, w->ext.link, e);
	}
}

/* Printable ASCII of a name, for messages on a terminal. */
static void shown(const char *name, char ret[static MAX_SHOWN_BYTES])
{
	size_t n = 0;

	for (; name[n] && n < MAX_SHOWN_BYTES - 1; n++)
		ret[n] = name[n] >= 0x20 && name[n] < 0x7f ? name[n] : '?';
	ret[n] = '\0';
}

/* One header and what belongs to it; @w->at moves behind its content. */
static int step(struct walk *w, const uint8_t block[static POLICY_TAR_BLOCK], char ret_shown[static MAX_SHOWN_BYTES],
		struct err *e)
{
	struct policy_tar_header h = {0};
	struct member m = {0};
	uint64_t room = w->size - w->at - POLICY_TAR_BLOCK, size;
	bool extension;
	int r = policy_tar_header_parse(block, &h, e);

	shown(w->ext.path[0] ? w->ext.path : h.name, ret_shown);
	if (r)
		return r;
	extension = h.type == 'x' || h.type == 'g' || h.type == 'L' || h.type == 'K';
	size = !extension && w->ext.has_size ? w->ext.size : h.size;
	if (size > room)
		return err_set(e, EINVAL, "says it has %llu bytes, the archive has %llu left", (unsigned long long)size,
			       (unsigned long long)room);
	if (extension) {
		r = take_extension(w, &h, e);
	} else {
		r = apply_ext(w, &h, &m, e);
		r = r ? r : take_member(w, &m, e);
		memset(&w->ext, 0, sizeof(w->ext));
	}
	if (r)
		return r;
	w->at += POLICY_TAR_BLOCK + (size + POLICY_TAR_BLOCK - 1) / POLICY_TAR_BLOCK * POLICY_TAR_BLOCK;
	return 0;
}

/* From the first block that begins with NUL on, all is zero up to the end of the file. */
static int check_end(const struct walk *w, struct err *e)
{
	uint8_t block[16 * POLICY_TAR_BLOCK];

	if (w->ext.path[0] || w->ext.link[0] || w->ext.seen_pax)
		return err_set(e, EINVAL, "an extension header stands before the end, not before a member");
	for (uint64_t at = w->at; at < w->size;) {
		size_t n = w->size - at < sizeof(block) ? (size_t)(w->size - at) : sizeof(block);
		int r = read_at(w, at, block, n, e);

		if (r)
			return r;
		if (!hash_is_zero(block, n))
			return err_set(e, EINVAL, "bytes stand behind the end of the archive, after offset %llu",
				       (unsigned long long)at);
		at += n;
	}
	return 0;
}

static int walk_all(struct walk *w, const char *name, struct err *e)
{
	uint8_t block[POLICY_TAR_BLOCK];
	char member[MAX_SHOWN_BYTES];
	int r;

	for (;;) {
		if (w->at >= w->size || w->size - w->at < POLICY_TAR_BLOCK)
			return err_set(e, EINVAL, "%s: ends at byte %llu without an end-of-archive block", name,
				       (unsigned long long)w->size);
		r = read_at(w, w->at, block, sizeof(block), e);
		if (r)
			return err_context(e, "%s", name);
		if (block[0] == '\0') {
			r = check_end(w, e);
			return r ? err_context(e, "%s", name) : 0;
		}
		r = step(w, block, member, e);
		if (r)
			return err_context(e, "%s: member \"%s\" at offset %llu", name, member,
					   (unsigned long long)w->at);
	}
}

static void put_if_implied(const char *path, enum policy_path_kind kind, void *arg)
{
	if (kind == POLICY_PATH_IMPLIED)
		policy_tar_folder_write(arg, path);
}

/* What stands at the top is an implied folder too, unless the archive named it. */
static int find_folders(struct walk *w, struct err *e)
{
	int r = 0;

	if (policy_path_set_get(&w->set, "") == POLICY_PATH_ABSENT)
		r = policy_path_set_put(&w->set, "", POLICY_PATH_IMPLIED, e);
	if (r)
		return r;
	policy_path_set_walk(&w->set, put_if_implied, &w->facts.folders);
	return w->facts.folders.bad ? err_set(e, ENOMEM, "no memory for folders") : 0;
}

int policy_tar_check(int fd, const char *name, struct policy_tar_facts *ret, struct err *e)
{
	struct stat st;
	struct walk *w;
	int r;

	if (fstat(fd, &st) < 0)
		return err_errno(e, "cannot look at %s", name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "%s: is no regular file", name);
	if ((uint64_t)st.st_size > POLICY_TAR_MAX_BYTES)
		return err_set(e, EFBIG, "%s: has %lld bytes, wanted at most %llu", name, (long long)st.st_size,
			       (unsigned long long)POLICY_TAR_MAX_BYTES);
	w = calloc(1, sizeof(*w));
	if (!w)
		return err_set(e, ENOMEM, "no memory to read %s", name);
	w->fd = fd;
	w->size = (uint64_t)st.st_size;
	r = walk_all(w, name, e);
	r = r ? r : find_folders(w, e);
	if (!r)
		*ret = w->facts;
	else
		buf_free(&w->facts.folders);
	policy_path_set_free(&w->set);
	free(w);
	return r;
}
