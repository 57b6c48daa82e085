/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/vm/jit.c - the probe, profile enforce-jit: whom root in the engine's context can get executable memory for
 *
 * The image `node` has run.jit; of its layer the program maker makes code and runs it. It gets there only if all four things
 * that init/bpf_lsm.h asks are so, and a container of node was measured. Here each of them alone is not so.
 */
#include "tests/vm/probe.h"

#include <dirent.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define LAYERS "/run/holdfast/layers"
#define GROUP  "/sys/fs/cgroup/jit/node"
#define USER   1000 /* node's, and its group */
#define MADE   0    /* maker's exit status: every way; else how many of three not */
#define NOT    3

/* struct who - what a process is made to be before it becomes maker */
struct who {
	const char *group; /* NULL: where it is */
	uid_t real, user;
	gid_t gid;
	int cap; /* kept over the exec; 0 (CAP_CHOWN): none */
	const char *program;
};

static bool keep_capability(int cap)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { { 0 } };

	d[cap / 32].effective = d[cap / 32].permitted = d[cap / 32].inheritable = 1u << cap % 32;
	return syscall(SYS_capset, &h, d) == 0 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) == 0;
}

static bool become(const struct who *w)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/cgroup.procs", w->group ? w->group : "");
	return (!w->group || write_to(path, "0") == 0) && setgroups(0, NULL) == 0 && setresgid(w->gid, w->gid, w->gid) == 0 &&
	       (!w->cap || prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0) && setresuid(w->real, w->user, w->user) == 0 &&
	       (!w->cap || keep_capability(w->cap));
}

/* maker's exit status, 100 and more if it did not get there. */
static int makes(const struct who *w)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		if (!become(w))
			_exit(100);
		execl(w->program, w->program, (char *)NULL);
		_exit(101);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 102;
}

static void judged(const struct who *w, int want, const char *name)
{
	char text[40];
	int got = makes(w);

	(void)snprintf(text, sizeof(text), "maker ended with %d, wanted %d", got, want);
	verdict(got == want, name, text);
}

/* maker in node's layer. */
static const char *find_maker(char path[static 300])
{
	DIR *d = opendir(LAYERS);
	struct dirent *entry;

	path[0] = '\0';
	while (d && (entry = readdir(d))) {
		(void)snprintf(path, 300, LAYERS "/%s/usr/bin/maker", entry->d_name);
		if (entry->d_name[0] != '.' && access(path, X_OK) == 0)
			break;
		path[0] = '\0';
	}
	if (d)
		(void)closedir(d);
	verdict(path[0], "jit-maker-is-there", "no layer has it");
	return path;
}

static struct who sound(const char *maker)
{
	return (struct who){ .group = GROUP "/probe", .real = USER, .user = USER, .gid = USER, .program = maker };
}

/* Nothing of node was measured yet: all four are so, and it is refused. */
void probe_jit_before(void)
{
	char path[300];
	struct who w = sound(find_maker(path));

	verdict(mkdir(w.group, 0755) == 0, "jit-group-is-there", strerror(errno));
	judged(&w, NOT, "jit-before-it-was-measured");
	verdict(rmdir(w.group) == 0, "jit-group-goes", strerror(errno));
}

/* PID 1's memory that the programs read: not to be opened. */
static void slots(void)
{
	char maps[65536], path[64];
	unsigned found = 0;

	verdict(slurp("/proc/1/maps", maps, sizeof(maps)) > 0, "jit-pid1-maps-are-readable", strerror(errno));
	for (char *save = NULL, *line = strtok_r(maps, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (!strstr(line, "bpf-map"))
			continue;
		found++;
		(void)snprintf(path, sizeof(path), "/proc/1/map_files/%.*s", (int)strcspn(line, " "), line);
		denied(open(path, O_RDWR | O_CLOEXEC), EPERM, ENXIO, "jit-slots-by-map_files");
	}
	verdict(found == 1, "jit-slots-are-mapped", "there is not one such mapping");
	denied(open("/proc/1/mem", O_RDWR | O_CLOEXEC), EACCES, EPERM, "jit-slots-by-mem");
}

/* A container of node runs. */
void probe_jit(void)
{
	char path[300], text[1024] = "", maps[65536] = "";
	const char *maker = find_maker(path);
	struct who w = sound(maker);
	pid_t node = find("node");

	(void)snprintf(text, sizeof(text), "/proc/%d/maps", (int)node);
	verdict(node > 1 && slurp(text, maps, sizeof(maps)) > 0 && strstr(maps, "xp 00000000 00:00 0 \n"), "jit-node-has-code-of-its-own",
		"no such mapping");
	(void)snprintf(text, sizeof(text), "/proc/%d/cgroup", (int)node);
	verdict(slurp(text, text, sizeof(text)) > 0 && !strcmp(text, "0::/jit/node/node-3\n"), "jit-node-is-in-its-group", text);

	verdict(mkdir(w.group, 0755) == 0, "jit-group-by-root", strerror(errno));
	judged(&w, MADE, "jit-with-all-four-works"); /* what a hostile engine gets: THREATS.md */
	w.group = NULL;
	judged(&w, NOT, "jit-in-another-group");
	(void)mkdir("/sys/fs/cgroup/jit2", 0755);
	(void)mkdir("/sys/fs/cgroup/jit2/node", 0755);
	w.group = "/sys/fs/cgroup/jit2/node";
	judged(&w, NOT, "jit-in-a-group-of-that-name");
	w = sound(maker);
	w.group = GROUP "/node-3";
	judged(&w, MADE, "jit-in-the-containers-group-works"); /* but only as this: */
	w.real = w.user = w.gid = 0;
	judged(&w, NOT, "jit-root-in-the-containers-group");
	w = sound(maker);
	w.real = w.user = USER + 1;
	judged(&w, NOT, "jit-another-user");
	w = sound(maker);
	w.gid = USER + 1;
	judged(&w, NOT, "jit-another-group-of-users");
	w = sound(maker);
	w.real = 0;
	judged(&w, NOT, "jit-root-as-that-user");
	w = sound(maker);
	w.cap = CAP_NET_RAW;
	judged(&w, NOT, "jit-with-a-capability");
	w = sound("/usr/lib/holdfast/test/maker");
	judged(&w, NOT, "jit-the-same-program-from-the-root");
	verdict(rmdir(GROUP "/probe") == 0, "jit-group-goes", strerror(errno));
	slots();
}

/* No container of node is left: root takes its group away and makes one of the same name. */
void probe_jit_after(void)
{
	char path[300];
	struct who w = sound(find_maker(path));

	for (int i = 0; i < 50 && rmdir(GROUP "/node-3") < 0 && errno == EBUSY; i++)
		(void)usleep(200000); /* crun may be about to do it */
	verdict(rmdir(GROUP) == 0 && mkdir(GROUP, 0755) == 0 && mkdir(w.group, 0755) == 0, "jit-group-remade", strerror(errno));
	judged(&w, NOT, "jit-in-a-group-that-was-remade");
}
