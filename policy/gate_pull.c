/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/gate_pull.c - the layers that the engine pulled: found in its store, converted here, opened by holdfast-layer
 *
 * Theory of operation
 *   The policy names an image by its manifest's digest and each layer by two more: of the tar, and the root hash of what
 *   the tar becomes. Who made the policy converted and signed it, and left the layer itself out of the root. So:
 *
 *     <content>/blobs/sha256/<manifest>        the engine's store: read by digest, whatever it says it is
 *       -> configuration, diff_ids -> the layer's blob, its tar, checked by digest as they stream by
 *     <pulled>/<root hash>.erofs, .p7s         the same conversion as on the build machine: the same bytes, or it is dropped
 *     holdfast-layer: "layer <root hash>"      the kernel checks the signature; mounted as all layers are
 *
 *   Nothing here is believed by anybody. If all of it were replaced by an attacker, the kernel would still open only what the
 *   owner signed, and the gate, which proves each layer again (gate_rootfs.c), compose only what the policy names.
 *
 *   Limits: only layers of an entry that was asked for and allowed are made, each once, and of known size: the converter, a
 *   child of its own, can write no larger file (RLIMIT_FSIZE) and has a bounded heap. A lock on the folder, which the child holds too,
 *   makes others wait who want the same. What a killed gate left has no name that means anything, and the next one removes it. A
 *   layer that is there and does not open is removed, so that the next try makes it anew.
 *
 * Input: hostile: the engine's store, the folder, the opener's answer.
 * Runs as: the gate, root in the engine's context, without a right to load device-mapper tables.
 */
#include "policy/gate.h"

#include "common/file.h"
#include "common/hex.h"
#include "policy/layer_convert.h"
#include "policy/layer_service.h"
#include "policy/oci_layout.h"
#include "verity/layer.h"
#include "verity/trust.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPEN_SECONDS        (POLICY_LAYER_SECONDS + 20) /* an emulated machine, and others in the queue */
#define CONVERTER_MAX_BYTES ((rlim_t)512 << 20) /* of heap, beyond what the gate has: names, inodes and folders of one layer */

#if defined(__aarch64__)
#define ARCH "arm64"
#else
#define ARCH "amd64"
#endif

/* struct pull - one image on its way; @oci is read when the first layer must be converted */
struct pull {
	const struct gate_host *host;
	const struct policy_image *image;
	struct policy_oci_image *oci;
	int folder; /* of the converted layers; the lock is on it */
};

/* Nothing is wrong with what there is, but something is not there: no image, no program, no room. */
static bool is_absence(int r)
{
	return r == -ENOENT || r == -ENOSPC || r == -EDQUOT || r == -ENOMEM || r == -ECONNREFUSED;
}

static bool is_open(const struct policy_layer *layer)
{
	char path[VERITY_LAYER_PATH_BYTES];
	struct err ignored = ERR_INIT;

	verity_layer_path(layer->root_hash, path);
	return verity_layer_prove(path, layer->root_hash, layer->data_bytes, &ignored) == 0;
}

/* "<root hash><suffix>" */
static void file_name(const struct policy_layer *layer, const char *suffix, char ret[static 80])
{
	char hex[2 * HASH_SHA256_BYTES + 1];

	hex_encode(layer->root_hash, HASH_SHA256_BYTES, hex);
	(void)snprintf(ret, 80, "%s%s", hex, suffix); /* 64 + 6 */
}

static bool is_made(const struct pull *p, const struct policy_layer *layer)
{
	char name[80];

	file_name(layer, ".erofs", name);
	return faccessat(p->folder, name, F_OK, 0) == 0;
}

/* The next try makes it anew; what cannot be removed is replaced by that. */
static void drop_made(const struct pull *p, const struct policy_layer *layer)
{
	char name[80];

	file_name(layer, ".erofs", name);
	(void)unlinkat(p->folder, name, 0);
	file_name(layer, ".p7s", name);
	(void)unlinkat(p->folder, name, 0);
}

/* --- conversion --------------------------------------------------------------------------------------------------- */

/* The layer among those of the manifest: by the digest of its tar. */
static int find_blob(const struct pull *p, const struct policy_layer *layer, size_t *ret, struct err *e)
{
	for (size_t i = 0; i < p->oci->n_layers; i++)
		if (hash_equal(p->oci->layer[i].diff_id, HASH_SHA256_BYTES, layer->diff_id, HASH_SHA256_BYTES)) {
			*ret = i;
			return 0;
		}
	return err_set(e, EINVAL, "the image's configuration has no such diff_id");
}

static int convert(const struct pull *p, const struct policy_layer *layer, size_t index, struct err *e)
{
	const struct policy_convert_params params = {.folder = p->host->pulled_dir,
						     .wanted = layer->root_hash,
						     .signed_in = p->host->layer_dir,
						     .devices = true}; /* who signed the root hash has decided */
	cleanup_policy_convert struct policy_convert *c = NULL;
	struct policy_oci_sink to = {.put = policy_convert_push};
	struct policy_layer made = {0};
	int r = policy_convert_begin(&params, "its tar", &c, e);

	to.arg = c;
	r = r ? r : policy_oci_unpack(p->oci, index, &to, POLICY_CONVERT_MAX_BYTES, e);
	return r ? r : policy_convert_end(c, &made, e);
}

/* What RLIMIT_DATA counts of this process now: the sixth number of statm(5), in pages. */
static int data_bytes_now(rlim_t *ret, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	unsigned long long pages;
	int r = file_read("/proc/self/statm", 256, &text, e);

	if (!r && sscanf((const char *)text.data, "%*u %*u %*u %*u %*u %llu", &pages) != 1)
		r = err_set(e, EPROTO, "/proc/self/statm has no sixth number");
	if (!r)
		*ret = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
	return r;
}

/* What the converter may at most write and have. The tree is less than 1/126 of the data, and a block a level. */
static int limit_converter(const struct policy_layer *layer, struct err *e)
{
	const rlim_t file = layer->data_bytes + layer->data_bytes / 100 + (1 << 16);
	const struct rlimit size = {file, file}, core = {0, 0};
	struct rlimit heap = {0, 0};
	int r = data_bytes_now(&heap.rlim_max, e);

	if (r)
		return r;
	heap.rlim_cur = heap.rlim_max += CONVERTER_MAX_BYTES;
	if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
	    setrlimit(RLIMIT_FSIZE, &size) < 0 || setrlimit(RLIMIT_DATA, &heap) < 0 || setrlimit(RLIMIT_CORE, &core) < 0)
		return err_errno(e, "cannot limit the converter");
	return 0;
}

struct report {
	int r;
	struct err e;
};

/* In a child: a limit is for life, and so is memory that an image made us take. */
static _Noreturn void converter(const struct pull *p, const struct policy_layer *layer, size_t index, int out)
{
	struct report report = {.e = ERR_INIT};

	report.r = limit_converter(layer, &report.e);
	if (!report.r)
		report.r = convert(p, layer, index, &report.e);
	_exit(write(out, &report, sizeof(report)) != sizeof(report));
}

static int wait_for(pid_t pid, int in, struct err *e)
{
	struct report report = {.e = ERR_INIT};
	ssize_t n;
	int status;

	do
		n = read(in, &report, sizeof(report));
	while (n < 0 && errno == EINTR);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_errno(e, "cannot wait for the converter");
	if (n != (ssize_t)sizeof(report))
		return err_set(e, ENOMEM, "the converter ended with status 0x%x before it was done", (unsigned)status);
	report.e.msg[sizeof(report.e.msg) - 1] = '\0';
	if (report.r)
		*e = report.e;
	return report.r;
}

static int convert_in_child(const struct pull *p, const struct policy_layer *layer, size_t index, struct err *e)
{
	cleanup_fd int in = -1, out = -1;
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_errno(e, "cannot make a pipe");
	in = fds[0];
	out = fds[1];
	pid = fork();
	if (pid < 0)
		return err_errno(e, "cannot start the converter");
	if (pid == 0)
		converter(p, layer, index, out);
	(void)close(take_fd(&out)); /* the end of the pipe is the end of the child */
	return wait_for(pid, in, e);
}

static int make_layer(struct pull *p, const struct policy_layer *layer, struct err *e)
{
	size_t index = 0;
	int r = 0;

	if (!p->oci)
		r = policy_oci_load_manifest(p->host->content, p->image->manifest, ARCH, &p->oci, e);
	if (!r && !hash_equal(p->oci->config, HASH_SHA256_BYTES, p->image->config, HASH_SHA256_BYTES))
		r = err_set(e, EINVAL, "the manifest names another configuration than the policy");
	r = r ? r : find_blob(p, layer, &index, e);
	return r ? r : convert_in_child(p, layer, index, e);
}

/* --- one layer ---------------------------------------------------------------------------------------------------- */

/* What the opener says is not believed: the layer must prove. */
static int open_made(const struct pull *p, const struct policy_layer *layer, struct err *e)
{
	char request[80] = "layer ", answer[GATE_MAX_ANSWER_BYTES + 1] = "";
	char path[VERITY_LAYER_PATH_BYTES];
	int r;

	hex_encode(layer->root_hash, HASH_SHA256_BYTES, request + strlen(request));
	r = gate_ask(p->host->opener, request, OPEN_SECONDS, answer, e);
	if (r)
		return r;
	if (!*answer) /* it ended, or had too much to do: nothing is said of the file */
		return err_set(e, ECONNREFUSED, "holdfast-layer hung up");
	if (strcmp(answer, "ok"))
		return err_set(e, EBADMSG, "holdfast-layer answered \"%.200s\"", answer);
	verity_layer_path(layer->root_hash, path);
	return verity_layer_prove(path, layer->root_hash, layer->data_bytes, e);
}

static int bring_layer(struct pull *p, const struct policy_layer *layer, struct err *e)
{
	int r;

	if (is_made(p, layer)) {
		r = open_made(p, layer, e);
		if (!r || is_absence(r)) /* then the file is not to blame */
			return r;
		drop_made(p, layer);
	}
	r = make_layer(p, layer, e);
	if (r)
		return r;
	r = open_made(p, layer, e);
	if (r && !is_absence(r))
		drop_made(p, layer);
	return r;
}

/* --- all of an image's -------------------------------------------------------------------------------------------- */

/* What a gate left that was killed. We hold the lock: nobody else is at work here. */
static void remove_leftovers(int folder)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!d)
		return; /* they take room, nothing else */
	while ((entry = readdir(d)))
		if (!strncmp(entry->d_name, POLICY_CONVERT_TEMPORARY, strlen(POLICY_CONVERT_TEMPORARY)))
			(void)unlinkat(folder, entry->d_name, 0); /* as above */
	(void)closedir(d); /* nothing was written */
}

static int lock_folder(const char *path, int *ret_fd, struct err *e)
{
	cleanup_fd int fd = -1;
	int r = file_mkdirs(path, e);

	if (r)
		return r;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, "cannot open %s", path);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_errno(e, "cannot lock %s", path);
	remove_leftovers(fd);
	*ret_fd = take_fd(&fd);
	return 0;
}

static bool is_missing(const struct gate_host *host, const struct policy_layer *layer)
{
	return verity_layer_is_elsewhere(host->layer_dir, layer->root_hash) && !is_open(layer);
}

static int bring_all(struct pull *p, const struct policy *policy, struct err *e)
{
	int r = lock_folder(p->host->pulled_dir, &p->folder, e);

	for (size_t i = 0; !r && i < p->image->n_layers; i++) {
		const struct policy_layer *layer = &p->image->layer[i];

		if (!is_missing(p->host, layer)) /* a gate that had the lock before may have opened it */
			continue;
		if (policy_layer_is_revoked(policy, layer->root_hash))
			r = err_set(e, EKEYREVOKED, "it is revoked");
		else
			r = bring_layer(p, layer, e);
		if (r)
			return err_context(e, "pulled layer %zu of image \"%s\"", i, p->image->name);
	}
	return r;
}

int gate_pull(const struct gate_host *host, const struct policy *policy, const struct policy_image *image, enum code *code,
	      struct err *e)
{
	struct pull p = {.host = host, .image = image, .folder = -1};
	bool missing = false;
	int r;

	for (size_t i = 0; i < image->n_layers; i++)
		missing |= is_missing(host, &image->layer[i]);
	if (!missing)
		return 0;
	if (verity_trust_is_direct()) /* its volumes are those that were open when the engine started */
		r = err_set(e, ENOENT, "a host of the profile direct cannot open pulled layers");
	else
		r = bring_all(&p, policy, e);
	*code = is_absence(r) ? CODE_GATE_ABSENT : CODE_GATE_LAYER;
	policy_oci_free(p.oci);
	cleanup_fd_fn(&p.folder);
	return r;
}
