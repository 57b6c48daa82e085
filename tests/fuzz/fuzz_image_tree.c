/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/fuzz/fuzz_image_tree.c - a path looked up in the layers of an image
 *
 * The input is a little language, since a fuzzer would guess tar headers all day: lines "TPATH LINK" add a member of type
 * T ('0' file, '1' hard link, '2' symbolic link, '5' folder), a line "n" begins the next layer. The tars made of it are
 * read, and /etc/passwd is looked up.
 */
#include "tests/policy/tar_make.h"

#include "policy/image_tree.h"

#include <stdlib.h>

#define LAYERS 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int unpack(void *arg, size_t layer, const struct policy_oci_sink *to, struct err *e)
{
	const struct buf *b = (struct buf *)arg + layer;

	return to->put(to->arg, b->data, b->len, e);
}

static void put_line(struct buf *b, char *line)
{
	char *link = strchr(line + 1, ' ');
	struct tar_entry t = {.name = line + 1, .type = line[0], .link = "", .content = line[0] == '0' ? "x" : NULL};

	if (!strchr("0125", line[0]) || strlen(line) > 160)
		return;
	if (link) {
		*link = '\0';
		t.link = link + 1;
	}
	if (strlen(t.name) <= 100 && strlen(t.link) <= 100)
		tar_put(b, &t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf tar[LAYERS] = {0};
	struct policy_image_source from = {.unpack = unpack, .arg = tar, .n_layers = 1, .max_bytes = 1 << 20};
	cleanup_policy_image_tree struct policy_image_tree *tree = NULL;
	cleanup_buf struct buf b = BUF_INIT;
	char text[4096];
	struct err e = ERR_INIT;

	if (size >= sizeof(text) || memchr(data, '\0', size))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	for (char *save = NULL, *s = strtok_r(text, "\n", &save); s; s = strtok_r(NULL, "\n", &save)) {
		if (strcmp(s, "n") != 0)
			put_line(&tar[from.n_layers - 1], s);
		else if (from.n_layers < LAYERS)
			from.n_layers++;
	}
	for (size_t i = 0; i < from.n_layers; i++)
		tar_end(&tar[i]);
	if (!policy_image_tree_load(&from, &tree, &e) && !policy_image_tree_read(tree, "/etc/passwd", 64, &b, &e) &&
	    (b.len != 1 || b.data[0] != 'x'))
		abort(); /* all files there are hold one x */
	for (size_t i = 0; i < LAYERS; i++)
		buf_free(&tar[i]);
	return 0;
}
