/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/write_disk.c - ESP and partition table (declared in write.h) */
#include "common/boot_count.h"
#include "common/file.h"
#include "image-builder/esp.h"
#include "image-builder/folder.h"
#include "image-builder/loader.h"
#include "image-builder/slot.h"
#include "image-builder/write.h"

#include <string.h>
#include <sys/stat.h>

#define MIB             (1u << 20)
#define MAX_PARTITIONS  (2 + SLOTS * SLOT_PARTS) /* ESP, slots, state */
#define FAT_SPARE_BYTES (2 * MIB)                /* its tables, and what clusters round up */

static uint32_t volume_id(const uint8_t root_hash[static HASH_SHA256_BYTES])
{
	uint32_t id = 0;

	for (int i = 0; i < 4; i++)
		id = id << 8 | root_hash[i];
	return id ? id : 1;
}

/* systemd-boot, its configuration, the UKI with all its tries; and room for the next image's. */
static int make_esp(struct write *w, const char *esp, struct err *e)
{
	char uki[PATH_MAX], loader[PATH_MAX], conf[PATH_MAX], base[BOOT_COUNT_NAME_BYTES], name[BOOT_COUNT_NAME_BYTES], path[BOOT_COUNT_NAME_BYTES + 16];
	struct esp_file file[] = { { esp_boot_path(w->plan->board.arch), loader }, { LOADER_CONF_PATH, conf }, { path, uki } };
	const struct esp_params p = { .path = esp,
				      .size_bytes = w->plan->board.esp_mib * MIB,
				      .volume_id = volume_id(w->root_hash),
				      .epoch = w->plan->epoch,
				      .file = file,
				      .n_files = ARRAY_SIZE(file) };
	int r = folder_join(w->out, "uki.efi", uki, e);

	r = r ? r : folder_join(w->out, "loader.efi", loader, e);
	r = r ? r : folder_join(w->work, "loader.conf", conf, e);
	if (!r && (!boot_count_base(w->plan->p->name, w->plan->p->version, base) || !boot_count_file(base, name)))
		r = err_set(e, ENAMETOOLONG, "the name of the image is too long for a file of the ESP");
	if (r)
		return r;
	(void)snprintf(path, sizeof(path), BOOT_COUNT_FOLDER "/%s", name); /* fits */
	if (SLOTS * w->sizes.uki + w->loader.len + FAT_SPARE_BYTES > p.size_bytes)
		return err_set(e, ENOSPC, "%d UKIs of %.1f MB, this one and the next, do not fit an ESP of %llu MiB (size.esp_mib)", SLOTS,
			       (double)w->sizes.uki / 1e6, (unsigned long long)w->plan->board.esp_mib);
	r = file_write(conf, LOADER_CONF, strlen(LOADER_CONF), 0644, e);
	return r ? r : esp_write(&p, e);
}

/* struct layout - the partitions to be, and the paths that they point to */
struct layout {
	struct gpt_partition part[MAX_PARTITIONS];
	char source[1 + SLOT_PARTS][PATH_MAX];
	size_t n;
};

static int add(struct layout *l, const char *arch, enum gpt_type type, const struct gpt_partition *p, struct err *e)
{
	l->part[l->n] = *p;
	return gpt_type_uuid(type, arch, &l->part[l->n++].type, e);
}

/* @empty: a slot for the next image; without it the root that was just made */
static int add_slot(struct write *w, struct layout *l, unsigned slot, struct err *e)
{
	static const char *const sources[SLOT_PARTS] = { "root.erofs", "root.verity", "root.sig" };
	const struct board *b = &w->plan->board;
	struct gpt_uuid uuid[SLOT_PARTS];
	uint64_t size[SLOT_PARTS] = { b->root_mib * MIB };
	int r = 0;

	if (!board_is_direct(b)) /* without UEFI there is one slot alone: it is as large as its content */
		slot_sizes(w->sizes.root, b->root_mib * MIB, size);
	if (slot)
		slot_empty_uuids(slot, w->root_hash, uuid);
	else
		slot_uuids(w->root_hash, uuid);
	for (unsigned i = 0; !r && i < SLOT_PARTS; i++) {
		const struct gpt_partition p = { .label = slot_label(slot, i),
						 .uuid = uuid[i],
						 .size_bytes = size[i],
						 .source = slot ? NULL : l->source[1 + i],
						 .attributes = GPT_ATTR_READ_ONLY };

		r = slot ? 0 : folder_join(w->work, sources[i], l->source[1 + i], e);
		r = r ? r : add(l, b->arch, slot_type(i), &p, e);
	}
	return r;
}

static int lay_out(struct write *w, struct layout *l, struct err *e)
{
	const struct board *b = &w->plan->board;
	const bool direct = board_is_direct(b);
	const struct gpt_partition esp = { .label = "esp", .uuid = gpt_uuid_derived("esp", w->root_hash), .source = l->source[0] },
				   state = { .label = "holdfast-state",
					     .uuid = gpt_uuid_derived("holdfast-state", w->root_hash),
					     .size_bytes = b->state_mib * MIB };
	int r = folder_join(w->work, "esp.img", l->source[0], e);

	r = r || direct ? r : make_esp(w, l->source[0], e);
	r = r || direct ? r : add(l, b->arch, GPT_ESP, &esp, e);
	for (unsigned slot = 0; !r && slot < (direct ? 1 : SLOTS); slot++)
		r = add_slot(w, l, slot, e);
	return r ? r : add(l, b->arch, GPT_LINUX, &state, e);
}

int write_disk(struct write *w, struct err *e)
{
	cleanup_free struct layout *l = calloc(1, sizeof(*l));
	struct gpt_uuid disk = gpt_uuid_derived("disk", w->root_hash);
	const struct board *b = &w->plan->board;
	char path[PATH_MAX];
	struct stat st;
	int r = 0;

	if (!l)
		return err_set(e, ENOMEM, "no memory for the partitions");
	if (b->root_mib && w->sizes.root > b->root_mib * MIB)
		return err_set(e, ENOSPC, "the root of %.1f MB does not fit its partition of %llu MiB (size.root_mib)",
			       (double)w->sizes.root / 1e6, (unsigned long long)b->root_mib);
	r = lay_out(w, l, e);
	r = r ? r : folder_join(w->out, "disk.img", path, e);
	r = r ? r : gpt_write(path, &disk, l->part, l->n, e);
	if (!r && stat(path, &st) < 0)
		r = err_errno(e, "cannot look at %s", path);
	if (r)
		return r;
	w->sizes.disk = (uint64_t)st.st_size;
	progress_say(w->plan->p->say, "disk.img: %zu partitions, %.1f MB", l->n, (double)w->sizes.disk / 1e6);
	return 0;
}
