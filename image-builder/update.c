/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/update.c - a newer image into the other slot of a disk that is there */
#include "image-builder/update.h"

#include "common/file.h"
#include "common/hex.h"
#include "common/json.h"
#include "image-builder/esp.h"
#include "image-builder/folder.h"
#include "image-builder/loader.h"
#include "image-builder/pe.h"
#include "image-builder/slot.h"
#include "image-builder/update_esp.h"
#include "verity/geometry.h"
#include "verity/sigrecord.h"
#include "verity/verify.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_DOCUMENT_BYTES (4u << 20)
#define COPY_BYTES         (1u << 20)

/* struct update - one run */
struct update {
	const struct update_params *p;
	char work[PATH_MAX]; /* beside the result */
	struct gpt_table *disk;
	struct update_esp esp;
	struct update_uki fresh, kept;
	unsigned slot; /* that gets the new image */
	char part[SLOT_PARTS][PATH_MAX];
	uint64_t bytes[SLOT_PARTS];
};

/* --- the new image --------------------------------------------------------------------------------------------------- */

static int copy_part(int from, uint64_t at, uint64_t n, const char *to, struct err *e)
{
	cleanup_fd int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	cleanup_free uint8_t *block = malloc(COPY_BYTES);

	if (!block)
		return err_set(e, ENOMEM, "no memory to copy a partition");
	if (out < 0)
		return err_errno(e, "cannot create %s", to);
	while (n) {
		size_t want = n < COPY_BYTES ? (size_t)n : COPY_BYTES;
		ssize_t got = pread(from, block, want, (off_t)at);
		int r;

		if (got <= 0)
			return got < 0 ? err_errno(e, "cannot read the new image") : err_set(e, EBADMSG, "the new image's disk is cut off");
		r = file_write_all(out, block, (size_t)got, to, e);
		if (r)
			return r;
		at += (uint64_t)got;
		n -= (uint64_t)got;
	}
	return 0;
}

/* How much of the new image's partitions is content: its hash tree says it. */
static int measure_content(struct update *u, int disk, const struct gpt_partition *const part[], struct err *e)
{
	uint8_t block[VERITY_SB_BYTES];
	struct verity_sb sb;

	if (pread(disk, block, sizeof(block), (off_t)part[SLOT_VERITY]->start_bytes) != sizeof(block) ||
	    verity_sb_parse(block, sizeof(block), u->p->image, &sb, e))
		return err_set(e, EBADMSG, "%s: its disk has no hash tree where it should be", u->p->image);
	u->bytes[SLOT_ROOT] = sb.data_blocks * sb.data_block_bytes;
	u->bytes[SLOT_VERITY] = verity_hash_bytes(&sb);
	u->bytes[SLOT_SIG] = VERITY_SIGRECORD_PARTITION_BYTES;
	for (int i = 0; i < SLOT_PARTS; i++)
		if (u->bytes[i] > part[i]->size_bytes)
			return err_set(e, EBADMSG, "%s: the content of partition %s is larger than it", u->p->image, part[i]->label);
	return 0;
}

/* Each block by the tree, the tree by the root hash of the UKI, and the signature record is of that root hash. */
static int prove(struct update *u, struct err *e)
{
	struct verity_finding found = { .verdict = VERITY_VERDICT_UNSET };
	struct verity_sigrecord record;
	cleanup_fd int data = open(u->part[SLOT_ROOT], O_RDONLY | O_CLOEXEC);
	cleanup_fd int hash = open(u->part[SLOT_VERITY], O_RDONLY | O_CLOEXEC);
	int r;

	if (data < 0 || hash < 0)
		return err_errno(e, "cannot open the copy of the new root");
	r = verity_verify_fd(data, hash, 0, u->fresh.root_hash, &found, e);
	if (!r && found.verdict != VERITY_VERDICT_GOOD) {
		e->code = EBADMSG;
		return err_context(e, "%s: its root is not the one that its UKI names", u->p->image);
	}
	r = r ? r : verity_sigrecord_load(u->part[SLOT_SIG], &record, e);
	if (r == -EINVAL) {
		e->code = EBADMSG;
		return -EBADMSG;
	}
	if (!r && memcmp(record.root_hash, u->fresh.root_hash, HASH_SHA256_BYTES) != 0)
		r = err_set(e, EBADMSG, "%s: its signature is of another root hash than its UKI names", u->p->image);
	return r;
}

static int take_image(struct update *u, struct err *e)
{
	const char *const files[SLOT_PARTS] = { "root", "verity", "sig" };
	cleanup_free struct gpt_table *table = calloc(1, sizeof(*table));
	const struct gpt_partition *part[SLOT_PARTS];
	struct gpt_uuid uuid[SLOT_PARTS];
	cleanup_fd int disk = -1;
	char path[PATH_MAX];
	int r = folder_join(u->p->image, "uki.efi", path, e);

	if (!table)
		return err_set(e, ENOMEM, "no memory for a partition table");
	r = r ? r : update_uki_load(path, &u->fresh, e);
	r = r ? r : folder_join(u->p->image, "disk.img", path, e);
	r = r ? r : gpt_read(path, table, e);
	if (r)
		return r;
	slot_uuids(u->fresh.root_hash, uuid);
	for (unsigned i = 0; i < SLOT_PARTS; i++) {
		part[i] = gpt_find(table, slot_label(0, i));
		if (!part[i] || memcmp(part[i]->uuid.b, uuid[i].b, GPT_UUID_BYTES) != 0)
			return err_set(e, EBADMSG, "%s: partition %s is not that of the UKI's root hash", path, slot_label(0, i));
	}
	disk = open(path, O_RDONLY | O_CLOEXEC);
	if (disk < 0)
		return err_errno(e, "cannot open %s", path);
	r = measure_content(u, disk, part, e);
	for (int i = 0; !r && i < SLOT_PARTS; i++) {
		r = folder_join(u->work, files[i], u->part[i], e);
		r = r ? r : copy_part(disk, part[i]->start_bytes, u->bytes[i], u->part[i], e);
	}
	return r ? r : prove(u, e);
}

/* --- the disk ------------------------------------------------------------------------------------------------------- */

/* The slot in which the root with @root_hash stands; SLOTS: in none. */
static unsigned slot_of(struct gpt_table *t, const uint8_t root_hash[static HASH_SHA256_BYTES])
{
	struct gpt_uuid uuid[SLOT_PARTS];
	unsigned slot;

	slot_uuids(root_hash, uuid);
	for (slot = 0; slot < SLOTS; slot++) {
		const struct gpt_partition *root = gpt_find(t, slot_label(slot, SLOT_ROOT));

		if (root && !memcmp(root->uuid.b, uuid[SLOT_ROOT].b, GPT_UUID_BYTES))
			break;
	}
	return slot;
}

/* Which of the two the boot loader would start: one without tries comes last, then the lower version. */
static bool comes_before(const struct update_uki *a, const struct update_uki *b)
{
	bool a_spent = a->count.counted && !a->count.left, b_spent = b->count.counted && !b->count.left;

	return a_spent != b_spent ? b_spent : a->version > b->version;
}

static int choose_slot(struct update *u, struct err *e)
{
	const char *disk = u->p->disk;

	if (!u->esp.n)
		return err_set(e, EBADMSG, "%s: there is no UKI on its ESP: wanted a disk that a host runs from", disk);
	u->kept = u->esp.uki[0];
	for (size_t i = 0; i < u->esp.n; i++) {
		const struct update_uki *uki = &u->esp.uki[i];

		if (slot_of(u->disk, uki->root_hash) == SLOTS)
			return err_set(e, EBADMSG, "%s: the root of %s is in no slot of this disk", disk, uki->file);
		if (comes_before(uki, &u->kept))
			u->kept = *uki;
	}
	if (strcmp(u->kept.name, u->fresh.name) != 0)
		return err_set(e, EINVAL, "%s: its image is %s, and the new one is %s", disk, u->kept.name, u->fresh.name);
	if (u->fresh.version <= u->kept.version)
		return err_set(e, EINVAL, "%s has version %llu of %s, and the new image is version %llu: the boot loader would not choose it", disk,
			       (unsigned long long)u->kept.version, u->kept.name, (unsigned long long)u->fresh.version);
	u->slot = (slot_of(u->disk, u->kept.root_hash) + 1) % SLOTS;
	return 0;
}

/* The three partitions of the slot: of the right type, and large enough. They get the new image's PARTUUIDs and bytes. */
static int fill_slot(struct update *u, struct err *e)
{
	struct gpt_uuid uuid[SLOT_PARTS];

	slot_uuids(u->fresh.root_hash, uuid);
	for (unsigned i = 0; i < SLOT_PARTS; i++) {
		struct gpt_partition *p = gpt_find(u->disk, slot_label(u->slot, i));
		const struct gpt_partition *kept = gpt_find(u->disk, slot_label(!u->slot, i));

		if (!p || !kept || memcmp(p->type.b, kept->type.b, GPT_UUID_BYTES) != 0)
			return err_set(e, EBADMSG, "%s has no second slot: partition %s is missing or of another type", u->p->disk,
				       slot_label(u->slot, i));
		if (u->bytes[i] > p->size_bytes)
			return err_set(e, EINVAL, "%s: partition %s has %llu bytes, and the new image needs %llu (size.root_mib)", u->p->disk, p->label,
				       (unsigned long long)p->size_bytes, (unsigned long long)u->bytes[i]);
		p->uuid = uuid[i];
		p->source = u->part[i];
		p->source_at = 0;
	}
	return 0;
}

static int look_at_disk(struct update *u, struct err *e)
{
	int r = gpt_read(u->p->disk, u->disk, e);
	const struct gpt_partition *esp = r ? NULL : gpt_find(u->disk, "esp");

	if (r)
		return r;
	if (!esp)
		return err_set(e, EBADMSG, "%s has no partition labelled esp", u->p->disk);
	for (size_t i = 0; i < u->disk->n; i++) { /* whatever is not replaced stays */
		u->disk->part[i].source = u->p->disk;
		u->disk->part[i].source_at = u->disk->part[i].start_bytes;
	}
	u->esp = (struct update_esp){ .disk = u->p->disk, .work = u->work, .at = esp->start_bytes, .epoch = u->p->epoch };
	r = update_esp_list(&u->esp, e);
	r = r ? r : choose_slot(u, e);
	return r ? r : fill_slot(u, e);
}

/* --- the result ----------------------------------------------------------------------------------------------------- */

/* On the new disk: the UKIs of the slot go, the new one comes, and with it the boot loader that it was built for. */
static int change_esp(struct update *u, const char *disk, struct err *e)
{
	char source[PATH_MAX], conf[PATH_MAX], base[BOOT_COUNT_NAME_BYTES], file[BOOT_COUNT_NAME_BYTES], path[BOOT_COUNT_NAME_BYTES + 16];
	cleanup_buf struct buf loader = BUF_INIT;
	struct pe pe;
	int r = 0;

	u->esp.disk = disk;
	for (size_t i = 0; !r && i < u->esp.n; i++) {
		if (strcmp(u->esp.uki[i].file, u->kept.file) == 0)
			continue;
		(void)snprintf(path, sizeof(path), BOOT_COUNT_FOLDER "/%s", u->esp.uki[i].file); /* fits */
		r = update_esp_remove(&u->esp, path, e);
	}
	if (!r && (!boot_count_base(u->fresh.name, u->fresh.version, base) || !boot_count_file(base, file)))
		r = err_set(e, ENAMETOOLONG, "the name of the image is too long for a file of the ESP");
	if (r)
		return r;
	(void)snprintf(path, sizeof(path), BOOT_COUNT_FOLDER "/%s", file); /* fits */
	r = folder_join(u->p->image, "uki.efi", source, e);
	r = r ? r : update_esp_put(&u->esp, source, path, e);
	r = r ? r : folder_join(u->work, "loader.conf", conf, e);
	r = r ? r : file_write(conf, LOADER_CONF, strlen(LOADER_CONF), 0600, e);
	r = r ? r : update_esp_put(&u->esp, conf, LOADER_CONF_PATH, e);
	r = r ? r : folder_join(u->p->image, "loader.efi", source, e);
	r = r ? r : file_read(source, UPDATE_MAX_UKI_BYTES, &loader, e);
	r = r ? r : pe_parse(loader.data, loader.len, source, &pe, e);
	if (!r && !pe.cert_bytes)
		r = err_set(e, EBADMSG, "%s is not signed: no firmware of ours would start it", source);
	return r ? r : update_esp_put(&u->esp, source, esp_boot_path(pe.machine == pe_machine("arm64") ? "arm64" : "x86_64"), e);
}

static int sync_file(const char *path, struct err *e)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? err_errno(e, "cannot sync %s", path) : 0;
}

static int publish(struct update *u, struct err *e)
{
	char tmp[PATH_MAX];
	int r = folder_join(u->work, "disk.img", tmp, e);

	r = r ? r : gpt_rewrite(tmp, u->disk, e);
	r = r ? r : change_esp(u, tmp, e);
	r = r ? r : sync_file(tmp, e);
	if (!r && rename(tmp, u->p->out) < 0)
		r = err_errno(e, "cannot rename %s to %s", tmp, u->p->out);
	return r ? r : file_sync_folder_of(u->p->out, e);
}

int update_run(const struct update_params *p, struct err *e)
{
	cleanup_free struct gpt_table *disk = calloc(1, sizeof(*disk));
	cleanup_free struct update *u = calloc(1, sizeof(*u));
	char hex[2 * HASH_SHA256_BYTES + 1];
	int r;

	if (!u || !disk)
		return err_set(e, ENOMEM, "no memory for an update");
	u->p = p;
	u->disk = disk;
	if (snprintf(u->work, sizeof(u->work), "%s.tmp-%d", p->out, (int)getpid()) >= (int)sizeof(u->work))
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s...", p->out);
	if (mkdir(u->work, 0700) < 0)
		return err_errno(e, "cannot make the folder %s", u->work);
	r = take_image(u, e);
	r = r ? r : look_at_disk(u, e);
	r = r ? r : publish(u, e);
	folder_discard(u->work);
	if (r)
		return r;
	hex_encode(u->fresh.root_hash, HASH_SHA256_BYTES, hex);
	progress_say(p->say, "%s: %s version %llu, root hash %.16s..., in slot %c; version %llu stays in slot %c", p->out, u->fresh.name,
		     (unsigned long long)u->fresh.version, hex, 'A' + (char)u->slot, (unsigned long long)u->kept.version, 'A' + (char)!u->slot);
	return 0;
}

/* --- reference values ------------------------------------------------------------------------------------------------ */

#define GPT_EVENT "EV_EFI_GPT_EVENT"

/* The one event of PCR 5 that is the partition table's. Values of a machine that was not described judge no PCR 5: they hold as they are. */
static int replace_gpt(json_object *doc, const char *name, const uint8_t digest[static HASH_SHA256_BYTES], struct err *e)
{
	json_object *pcrs = NULL, *five = NULL, *list = NULL, *what = NULL;
	char hex[2 * HASH_SHA256_BYTES + 1];
	int r = json_get(doc, name, "pcrs", json_type_object, &pcrs, e);

	r = r ? r : json_get(pcrs, name, "5", json_type_object, &five, e);
	r = r ? r : json_get_opt(five, name, "sequence", json_type_array, &list, e);
	if (r || !list)
		return r;
	hex_encode(digest, HASH_SHA256_BYTES, hex);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *event = json_object_array_get_idx(list, i);

		if (json_get(event, name, "what", json_type_string, &what, e))
			return -EINVAL;
		if (strncmp(json_str(what) ? json_str(what) : "", GPT_EVENT, strlen(GPT_EVENT)) != 0)
			continue;
		return json_object_object_add(event, "digest", json_object_new_string(hex)) ? err_set(e, ENOMEM, "no memory for reference values") : 0;
	}
	return err_set(e, EINVAL, "%s: the sequence of PCR 5 has no " GPT_EVENT, name);
}

int update_refvalues(const char *image, const char *disk, const struct keys *keys, const char *out, struct err *e)
{
	const struct pki_signer by = { .key = keys->key[KEYS_POLICY], .cert = keys->cert[KEYS_POLICY] };
	cleanup_buf struct buf text = BUF_INIT, fresh = BUF_INIT, signature = BUF_INIT;
	cleanup_json json_object *doc = NULL;
	uint8_t digest[HASH_SHA256_BYTES];
	char path[PATH_MAX], sig[PATH_MAX];
	int r = folder_join(image, "refvalues.json", path, e);

	r = r ? r : file_read(path, MAX_DOCUMENT_BYTES, &text, e);
	r = r ? r : json_parse(text.data, text.len, path, &doc, e);
	r = r ? r : gpt_event_digest(disk, digest, e);
	r = r ? r : replace_gpt(doc, path, digest, e);
	r = r ? r : json_write(&fresh, doc, e);
	r = r ? r : pki_sign(&by, fresh.data, fresh.len, PKI_DETACHED, &signature, e);
	if (!r && snprintf(sig, sizeof(sig), "%s.p7s", out) >= (int)sizeof(sig))
		r = err_set(e, ENAMETOOLONG, "path is too long: %.100s...", out);
	r = r ? r : file_write(out, fresh.data, fresh.len, 0644, e);
	return r ? r : file_write(sig, signature.data, signature.len, 0644, e);
}
