/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/gate_class.c - a container is not started while one runs that its class must not meet
 *
 * The other containers are the folders beside ours, looked at under the gate's lock, which is held until we are crun; so
 * of two starts at once one comes second and sees the other's entry. Such a container runs if crun says so, or if the gate
 * that prepares it is alive: it becomes crun with the same process number, and crun knows nothing of it for a moment.
 * What cannot be read or asked counts as running.
 */
#include "policy/gate.h"

#include "common/file.h"
#include "common/json.h"
#include "common/proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define MAX_STATE_BYTES 65536
#define STAT_START      20 /* fields between the state and the start time: proc_pid_stat(5), 3 to 22, blanks counted */

int gate_crun_ask(const struct gate_host *host, const char *root, const char *id, struct buf *ret, struct err *e)
{
	char option[GATE_MAX_ARG_BYTES + 8];
	const char *argv[GATE_LOADER_ARGS + 5];
	size_t n = gate_crun_words(host, argv);
	struct proc_params p = {.argv = argv, .out = ret, .out_max = MAX_STATE_BYTES, .quiet = 1};

	(void)snprintf(option, sizeof(option), "--root=%s", root); /* bounded by the command line's parser */
	argv[n++] = host->crun;
	argv[n++] = option;
	argv[n++] = "state";
	argv[n++] = id;
	argv[n] = NULL;
	return proc_run(&p, e);
}

uint64_t gate_process_start(pid_t pid)
{
	cleanup_buf struct buf b = BUF_INIT;
	struct err ignored = ERR_INIT;
	char path[64];
	const char *s;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid); /* fits */
	if (file_read(path, 4096, &b, &ignored))
		return 0;
	s = strrchr((const char *)b.data, ')'); /* the name before it may hold anything */
	for (unsigned i = 0; s && i < STAT_START; i++)
		s = strchr(s + 1, ' ');
	return s ? strtoull(s + 1, NULL, 10) : 0;
}

static bool says_stopped(const struct buf *state)
{
	cleanup_json json_object *o = NULL;
	const char *status = NULL;
	struct err ignored = ERR_INIT;

	return !json_parse(state->data, state->len, "state", &o, &ignored) &&
	       !json_get_str(o, "state", "status", 32, &status, &ignored) && !strcmp(status, "stopped");
}

static bool is_running(const struct gate_host *host, const char *id, const struct gate_entry *entry)
{
	cleanup_buf struct buf out = BUF_INIT;
	struct err ignored = ERR_INIT;
	int r = gate_crun_ask(host, entry->root, id, &out, &ignored);

	if (r == -ECHILD) /* crun does not know it */
		return entry->start && gate_process_start((pid_t)entry->pid) == entry->start;
	return r || !says_stopped(&out);
}

/* One folder beside ours. */
static int check_other(const struct gate_host *host, const struct gate_state *s, const char *id,
		       const struct gate_class_asked *a, struct err *e)
{
	struct gate_state other = {.dir = -1, .lock = -1, .fd = openat(s->dir, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
	cleanup_fd int fd = other.fd;
	const struct policy_image *image;
	struct gate_entry entry = {0};
	int r;

	if (fd < 0)
		return errno == ENOTDIR ? 0 : err_errno(e, "cannot open %s beside it", id); /* the lock */
	(void)snprintf(other.path, sizeof(other.path), "%.200s", id); /* for messages */
	r = gate_entry_read(&other, &entry, e);
	if (r)
		return r == -ENOENT ? 0 : r; /* its preparation was cut short: nothing was started from it */
	image = policy_image_find(a->policy, entry.image);
	if (image && !policy_classes_are_apart(a->policy, a->class_name, image->class_name))
		return 0;
	if (!is_running(host, id, &entry))
		return 0;
	return err_set(e, EBUSY, "class \"%s\" must not run beside class \"%s\", of which container \"%.64s\" is running",
		       a->class_name, image ? image->class_name : "(no longer in the policy)", id);
}

static bool has_enemies(const struct gate_class_asked *a)
{
	for (size_t i = 0; i < a->policy->n_classes; i++)
		if (policy_classes_are_apart(a->policy, a->class_name, a->policy->classes[i].name))
			return true;
	return false;
}

int gate_class_check(const struct gate_host *host, const struct gate_state *s, const struct gate_class_asked *a,
		     struct err *e)
{
	int fd, r = 0;
	DIR *d;

	if (!has_enemies(a))
		return 0;
	fd = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* a position of its own */
	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		cleanup_fd_fn(&fd);
		return err_errno(e, "cannot list the gate's containers");
	}
	for (struct dirent *f; !r && (f = readdir(d));)
		if (f->d_name[0] != '.' && strcmp(f->d_name, s->id))
			r = check_other(host, s, f->d_name, a, e);
	(void)closedir(d); /* it was only read */
	return r;
}
