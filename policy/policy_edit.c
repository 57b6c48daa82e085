/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/policy_edit.c - take something out of a layer policy */
#include "policy/policy_edit.h"

#include "common/buf.h"
#include "common/hex.h"
#include "policy/image.h"
#include "policy/policy_write.h"

#include <string.h>

/* The digest of the text as it is now; fails if that would not parse. */
static int settle(struct policy *p, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;
	int r;

	if (p->version >= POLICY_MAX_VERSION)
		return err_set(e, EOVERFLOW, "the policy's version is at its end");
	p->version++;
	r = policy_write(p, &b, e);
	if (r)
		p->version--;
	else
		hash_sha256(b.data, b.len, p->digest);
	return r;
}

int policy_remove_image(struct policy *p, const char *name, struct err *e)
{
	const struct policy_image *found = policy_image_find(p, name);
	struct policy_image gone;
	size_t i;
	int r;

	if (!found)
		return err_set(e, ENOENT, "the policy has no image named \"%.64s\"", name);
	i = (size_t)(found - p->image);
	gone = *found;
	memmove(&p->image[i], &p->image[i + 1], (p->n_images - i - 1) * sizeof(gone));
	p->n_images--;
	r = settle(p, e);
	if (!r) {
		policy_image_clear(&gone);
		return 0;
	}
	memmove(&p->image[i + 1], &p->image[i], (p->n_images - i) * sizeof(gone));
	p->image[i] = gone;
	p->n_images++;
	return r;
}

/* Which image names a layer? NULL: none. */
static const char *user_of(const struct policy *p, const uint8_t root_hash[static HASH_SHA256_BYTES])
{
	for (size_t i = 0; i < p->n_images; i++)
		for (size_t k = 0; k < p->image[i].n_layers; k++)
			if (!memcmp(p->image[i].layer[k].root_hash, root_hash, HASH_SHA256_BYTES))
				return p->image[i].name;
	return NULL;
}

int policy_revoke(struct policy *p, const uint8_t root_hash[static HASH_SHA256_BYTES], struct err *e)
{
	const char *user = user_of(p, root_hash);
	uint8_t(*bigger)[HASH_SHA256_BYTES];
	char hex[2 * HASH_SHA256_BYTES + 1];
	int r;

	hex_encode(root_hash, HASH_SHA256_BYTES, hex);
	if (policy_layer_is_revoked(p, root_hash))
		return err_set(e, EEXIST, "layer %.16s... is revoked already", hex);
	if (user)
		return err_set(e, EINVAL, "layer %.16s... is still named by image \"%s\": remove that first", hex, user);
	if (p->n_revoked >= POLICY_MAX_REVOKED)
		return err_set(e, E2BIG, "%d layers are revoked, no more fit into the kernel's policy",
			       POLICY_MAX_REVOKED);
	bigger = realloc(p->revoked, (p->n_revoked + 1) * sizeof(*bigger));
	if (!bigger)
		return err_set(e, ENOMEM, "no memory to revoke a layer");
	p->revoked = bigger;
	memcpy(p->revoked[p->n_revoked++], root_hash, HASH_SHA256_BYTES);
	r = settle(p, e);
	if (r)
		p->n_revoked--;
	return r;
}

static void clear_class(struct policy_class *c)
{
	for (size_t i = 0; i < c->n_apart; i++)
		free(c->apart[i]);
	free(c->apart);
	free(c->name);
}

static int copy_class(const struct policy_class *c, struct policy_class *ret, struct err *e)
{
	*ret = (struct policy_class){.name = strdup(c->name),
				     .first_id = c->first_id,
				     .last_id = c->last_id,
				     .apart = calloc(c->n_apart + 1, sizeof(*ret->apart))};
	for (size_t i = 0; ret->apart && i < c->n_apart; i++) {
		ret->apart[i] = strdup(c->apart[i]);
		if (ret->apart[i])
			ret->n_apart = i + 1;
	}
	if (ret->name && ret->apart && ret->n_apart == c->n_apart)
		return 0;
	clear_class(ret);
	return err_set(e, ENOMEM, "no memory for a class");
}

int policy_add_class(struct policy *p, const struct policy_class *c, struct err *e)
{
	struct policy_class *bigger, copy;
	int r;

	if (p->n_classes >= POLICY_MAX_CLASSES)
		return err_set(e, E2BIG, "the policy has %d classes already", POLICY_MAX_CLASSES);
	bigger = realloc(p->classes, (p->n_classes + 1) * sizeof(*bigger));
	if (!bigger)
		return err_set(e, ENOMEM, "no memory for a class");
	p->classes = bigger;
	r = copy_class(c, &copy, e);
	if (r)
		return r;
	p->classes[p->n_classes++] = copy;
	r = settle(p, e);
	if (r) {
		p->n_classes--;
		clear_class(&copy);
	}
	return r;
}
