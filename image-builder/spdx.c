/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/spdx.c - the bill of materials of an image: its packages, as SPDX */
#include "image-builder/spdx.h"

#include "common/deb_version.h"
#include "common/hex.h"
#include "common/json.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- the tree's list --------------------------------------------------------------------------------------------- */

void spdx_packages_free(struct spdx_packages *p)
{
	free(p->package);
	buf_free(&p->text);
	*p = (struct spdx_packages){0};
}

/* "NAME VERSION SHA256"; false if it is not that. */
static bool split(char *line, struct spdx_package *ret)
{
	uint8_t digest[HASH_SHA256_BYTES];

	ret->name = strsep(&line, " ");
	ret->version = strsep(&line, " ");
	ret->sha256 = line;
	return line && deb_name_is_valid(ret->name) && deb_version_is_valid(ret->version) &&
	       hex_decode(ret->sha256, digest, sizeof(digest));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct spdx_package *)a)->name, ((const struct spdx_package *)b)->name);
}

static int take_lines(struct spdx_packages *p, const char *name, struct err *e)
{
	char *rest = (char *)p->text.data, *line;
	size_t number = 0;

	while ((line = strsep(&rest, "\n")) && (rest || *line)) {
		number++;
		if (*line == '#')
			continue;
		if (p->n == SPDX_MAX_PACKAGES)
			return err_set(e, EINVAL, "%s: more than %d packages", name, SPDX_MAX_PACKAGES);
		if (!split(line, &p->package[p->n++]))
			return err_set(e, EINVAL, "%s: line %zu is not a package's name, version and SHA-256", name, number);
	}
	qsort(p->package, p->n, sizeof(*p->package), by_name);
	for (size_t i = 1; i < p->n; i++)
		if (!by_name(&p->package[i - 1], &p->package[i]))
			return err_set(e, EINVAL, "%s: %s stands there twice", name, p->package[i].name);
	return 0;
}

int spdx_packages_parse(struct buf *text, const char *name, struct spdx_packages *ret, struct err *e)
{
	cleanup_spdx_packages struct spdx_packages p = {.text = *text};
	int r;

	*text = (struct buf)BUF_INIT;
	if (memchr(p.text.data ? p.text.data : (const uint8_t *)"", 0, p.text.len))
		return err_set(e, EINVAL, "%s holds a NUL byte", name);
	buf_u8(&p.text, 0);
	p.package = calloc(SPDX_MAX_PACKAGES, sizeof(*p.package));
	if (p.text.bad || !p.package)
		return err_set(e, ENOMEM, "no memory for a list of packages");
	r = take_lines(&p, name, e);
	if (r)
		return r;
	*ret = p;
	p = (struct spdx_packages){0}; /* owned by the caller now */
	return 0;
}

/* ---- the document ------------------------------------------------------------------------------------------------ */

static bool put_text(json_object *o, const char *key, const char *text)
{
	return json_put(o, key, json_object_new_string(text));
}

/* What every package of SPDX has. NULL if memory is short. */
static json_object *package(const char *id, const char *name, const char *version)
{
	cleanup_json json_object *o = json_object_new_object();

	if (!o || !put_text(o, "SPDXID", id) || !put_text(o, "name", name) || !put_text(o, "versionInfo", version) ||
	    !put_text(o, "downloadLocation", "NOASSERTION") || !json_put(o, "filesAnalyzed", json_object_new_boolean(0)))
		return NULL;
	return take_ptr(o);
}

/* An array of one object with @n texts. */
static json_object *one(const char *const (*text)[2], size_t n)
{
	cleanup_json json_object *array = json_object_new_array(), *o = json_object_new_object();
	bool ok = array && o;

	for (size_t i = 0; i < n && ok; i++)
		ok = put_text(o, text[i][0], text[i][1]);
	return ok && json_push(array, take_ptr(o)) ? take_ptr(array) : NULL;
}

/* pkg:deb/debian/NAME@VERSION; what a URI would read otherwise is percent-encoded (purl specification). */
static void put_purl(const struct spdx_package *p, struct buf *out)
{
	const char *const word[] = {p->name, p->version};

	buf_str(out, "pkg:deb/debian/");
	for (size_t i = 0; i < ARRAY_SIZE(word); i++) {
		buf_str(out, i ? "@" : "");
		for (const char *c = word[i]; *c; c++)
			buf_printf(out, *c == ':' || *c == '+' ? "%%%02X" : "%c", (unsigned)*c);
	}
	buf_u8(out, 0);
}

static json_object *debian_package(size_t i, const struct spdx_package *p)
{
	cleanup_json json_object *o = NULL;
	cleanup_buf struct buf purl = BUF_INIT;
	char id[64];

	(void)snprintf(id, sizeof(id), "SPDXRef-Package-%zu", i); /* fits */
	o = package(id, p->name, p->version);
	put_purl(p, &purl);
	if (!o || purl.bad ||
	    !json_put(o, "checksums",
		 one((const char *const[][2]){{"algorithm", "SHA256"}, {"checksumValue", p->sha256}}, 2)) ||
	    !json_put(o, "externalRefs",
		 one((const char *const[][2]){{"referenceCategory", "PACKAGE-MANAGER"},
					      {"referenceType", "purl"},
					      {"referenceLocator", (const char *)purl.data}},
		     3)))
		return NULL;
	return take_ptr(o);
}

static json_object *relation(const char *from, const char *type, const char *to)
{
	cleanup_json json_object *o = json_object_new_object();

	if (!o || !put_text(o, "spdxElementId", from) || !put_text(o, "relationshipType", type) ||
	    !put_text(o, "relatedSpdxElement", to))
		return NULL;
	return take_ptr(o);
}

static bool put_lists(json_object *doc, const struct spdx_image *im, const struct spdx_packages *p)
{
	cleanup_json json_object *packages = json_object_new_array(), *relations = json_object_new_array();
	char text[64];
	bool ok = packages && relations;

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)im->version); /* fits */
	ok = ok && json_push(packages, package("SPDXRef-Image", im->name, text)) &&
	     json_push(packages, package("SPDXRef-holdfast", "holdfast", HOLDFAST_VERSION)) &&
	     json_push(relations, relation("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Image")) &&
	     json_push(relations, relation("SPDXRef-Image", "CONTAINS", "SPDXRef-holdfast"));
	for (size_t i = 0; ok && i < p->n; i++) {
		(void)snprintf(text, sizeof(text), "SPDXRef-Package-%zu", i); /* fits */
		ok = json_push(packages, debian_package(i, &p->package[i])) &&
		     json_push(relations, relation("SPDXRef-Image", "GENERATED_FROM", text));
	}
	return ok && json_put(doc, "packages", take_ptr(packages)) && json_put(doc, "relationships", take_ptr(relations));
}

static bool put_creation(json_object *doc, uint64_t created)
{
	cleanup_json json_object *o = json_object_new_object(), *by = json_object_new_array();
	const time_t t = (time_t)created;
	struct tm tm;
	char text[64];

	return gmtime_r(&t, &tm) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) && o && by &&
	       json_push(by, json_object_new_string("Tool: holdfast-image-" HOLDFAST_VERSION)) && put_text(o, "created", text) &&
	       json_put(o, "creators", take_ptr(by)) && json_put(doc, "creationInfo", take_ptr(o));
}

int spdx_write(const struct spdx_image *image, const struct spdx_packages *p, struct buf *ret, struct err *e)
{
	cleanup_json json_object *doc = json_object_new_object();
	cleanup_buf struct buf name = BUF_INIT, space = BUF_INIT;
	char root[2 * HASH_SHA256_BYTES + 1];

	hex_encode(image->root_hash, HASH_SHA256_BYTES, root);
	buf_printf(&name, "%s-%llu-%s", image->name, (unsigned long long)image->version, image->arch);
	buf_u8(&name, 0);
	buf_printf(&space, "urn:holdfast:image:%s", root);
	buf_u8(&space, 0);
	if (!doc || name.bad || space.bad || !put_text(doc, "spdxVersion", "SPDX-2.3") ||
	    !put_text(doc, "dataLicense", "CC0-1.0") || !put_text(doc, "SPDXID", "SPDXRef-DOCUMENT") ||
	    !put_text(doc, "name", (const char *)name.data) ||
	    !put_text(doc, "documentNamespace", (const char *)space.data) || !put_creation(doc, image->created) ||
	    !put_lists(doc, image, p))
		return err_set(e, ENOMEM, "no memory for an SBOM");
	return json_write(ret, doc, e);
}
