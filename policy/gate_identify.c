/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/gate_identify.c - which entry the engine means, by the layers below the root that it mounted
 *
 * podman tells a runtime no image's name. But what it mounted is an overlay of the layers of its store, and those of a
 * store in the verified root are links to the layers that PID 1 opened, named by their root hashes. So the mount says
 * which entry is meant. It is a hint like the others: the entry found gives root and limits.
 *
 * Input: the kernel's /proc/self/mountinfo; paths in it are the engine's, hostile.
 * Spec:  proc_pid_mountinfo(5); Linux, Documentation/filesystems/overlayfs.rst (lowerdir= top first, "lowerdir+=" one each).
 */
#include "policy/gate.h"

#include "common/hex.h"
#include "verity/layer.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define MOUNT_POINT_FIELD 4
#define SUPER_FIELD       2 /* behind the " - " */

/* struct lowers - root hashes of an overlay's lower folders, top first; @other: one is no layer of ours */
struct lowers {
	uint8_t hash[POLICY_MAX_LAYERS][HASH_SHA256_BYTES];
	size_t n;
	bool other;
};

/* Field @n of @line, cut at blanks, as a copy in @ret; "" if it is not there or too long. */
static void field(const char *line, size_t n, char *ret, size_t size)
{
	size_t len;

	for (; n && *line; n--) {
		line += strcspn(line, " ");
		line += *line == ' ';
	}
	len = strcspn(line, " \n");
	if (len >= size)
		len = 0;
	memcpy(ret, line, len);
	ret[len] = '\0';
}

/* A lower folder: the real path of one of our layers' mounts, or something else. */
static void add_lower(struct lowers *l, const char *layers, const char *path)
{
	char real[PATH_MAX];
	size_t n = strlen(layers);

	if (l->n == POLICY_MAX_LAYERS || !realpath(path, real) || strncmp(real, layers, n) || real[n] != '/' ||
	    strlen(real + n + 1) != 2 * HASH_SHA256_BYTES || !hex_decode(real + n + 1, l->hash[l->n], HASH_SHA256_BYTES))
		l->other = true;
	else
		l->n++;
}

/* An overlay's options: every folder of lowerdir=A:B and lowerdir+=C. A path with an escape in it is none of ours. */
static void read_lowers(char *options, const char *layers, struct lowers *ret)
{
	char *save = NULL;

	for (char *o = strtok_r(options, ",", &save); o; o = strtok_r(NULL, ",", &save)) {
		char *list = !strncmp(o, "lowerdir=", 9) ? o + 9 : !strncmp(o, "lowerdir+=", 10) ? o + 10 : NULL, *more = NULL;

		for (char *p = list ? strtok_r(list, ":", &more) : NULL; p; p = strtok_r(NULL, ":", &more))
			add_lower(ret, layers, p);
	}
}

static bool has_layers(const struct policy_image *image, const struct lowers *l)
{
	for (size_t i = 0; i < image->n_layers; i++)
		if (i >= l->n || memcmp(image->layer[image->n_layers - 1 - i].root_hash, l->hash[i], HASH_SHA256_BYTES))
			return false;
	return image->n_layers == l->n;
}

/* The only entry of these layers; two of them say nothing. */
static const struct policy_image *find_by_layers(const struct policy *policy, const struct lowers *l)
{
	const struct policy_image *found = NULL;

	for (size_t i = 0; !l->other && l->n && i < policy->n_images; i++) {
		if (!has_layers(&policy->image[i], l))
			continue;
		if (found)
			return NULL;
		found = &policy->image[i];
	}
	return found;
}

const struct policy_image *gate_identify(const char *mountinfo, const char *layers, const struct policy *policy,
					 const char *root)
{
	static char options[65536], point[PATH_MAX]; /* the gate looks once in its life */
	static struct lowers lowers;
	char *line = NULL;
	size_t room = 0;
	FILE *f = fopen(mountinfo, "re");
	bool found = false;

	if (!f)
		return NULL;
	while (getline(&line, &room, f) > 0) {
		char *behind = strstr(line, " - ");

		field(line, MOUNT_POINT_FIELD, point, sizeof(point));
		if (!behind || !*point || strcmp(point, root))
			continue;
		/* What was mounted last lies on top. */
		found = !strncmp(behind + 3, "overlay ", 8);
		field(behind + 3, SUPER_FIELD, options, sizeof(options));
	}
	free(line);
	(void)fclose(f); /* it was only read */
	if (!found)
		return NULL;
	lowers = (struct lowers){ .n = 0 };
	read_lowers(options, layers, &lowers);
	return find_by_layers(policy, &lowers);
}
