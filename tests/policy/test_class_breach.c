/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/policy/test_class_breach.c - root in a container of one class tries to reach a container of another
 *
 * The configurations are the gate's own output for two classes, run by crun on this machine's kernel, so the namespaces,
 * mounts, users and filters are real; the roots are folders with busybox, read-only (dm-verity is the VM cases' matter), and
 * cgroups are left to those too (crun here may meet version 1). Each way stands beside the same way inside class b, where
 * it leads somewhere. Wants root, crun and busybox-static.
 */
#include "tests/common/check.h"

#include "common/file.h"
#include "common/proc.h"
#include "policy/oci_spec.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define HASH_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

#define IMAGE(name, class, id)                                                                                         \
	"{\"name\":\"" name "\",\"class\":\"" class "\",\"manifest\":\"" HASH_A "\",\"config\":\"" HASH_A "\","            \
	"\"layers\":[{\"diff_id\":\"" HASH_A "\",\"root_hash\":\"" HASH_A "\",\"data_bytes\":4096}],"                     \
	"\"run\":{\"args\":[[\"/bin/busybox\",\"sh\",\"/" name ".sh\"]],\"exec\":[],\"env\":[\"PATH=/bin\"],"              \
	"\"cwd\":\"/\",\"user\":{\"uid\":" id ",\"gid\":" id "},\"capabilities\":[],\"tmpfs\":[\"/tmp\"],"                  \
	"\"network\":\"none\",\"seccomp\":\"default\"}}"

static const char policy_text[] =
	"{\"holdfast\":\"layer-policy/1\",\"name\":\"test\",\"version\":1,\"classes\":["
	"{\"name\":\"a\",\"ids\":{\"first\":0,\"last\":0},\"apart\":[]},"
	"{\"name\":\"b\",\"ids\":{\"first\":2000,\"last\":2000},\"apart\":[]}],"
	"\"images\":[" IMAGE("attacker", "a", "0") "," IMAGE("victim", "b", "2000") "],\"revoked\":[]}";

/* A request with nothing of its own: the rest is the gate's. */
static const char request[] =
	"{\"ociVersion\":\"1.2.0\",\"process\":{\"user\":{\"uid\":%s,\"gid\":%s},\"args\":[\"/bin/busybox\",\"sh\",\"/%s.sh\"],"
	"\"cwd\":\"/\"},\"root\":{\"path\":\"rootfs\"},\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"ipc\"},"
	"{\"type\":\"uts\"},{\"type\":\"mount\"},{\"type\":\"network\"}]}}";

/* What each way is tried with: the same lines in both. "way NAME" prints whether the command got through. */
#define WAYS                                                                                                           \
	"way() { n=$1; shift; if \"$@\" >/dev/null 2>&1; then echo \"$n: through\"; else echo \"$n: no\"; fi; }\n"          \
	"way see-process sh -c 'grep -l [v]ictim.sh /proc/[0-9]*/cmdline'\n"                                                 \
	"way signal sh -c 'p=$(grep -l [v]ictim.sh /proc/[0-9]*/cmdline | head -n 1); p=${p%%/cmdline*}; kill -0 ${p##*/}'\n"            \
	"way connect sh -c 'echo | nc -w 2 127.0.0.1 7000'\n"                                                              \
	"way tmp test -e /tmp/secret\n"                                                                                    \
	"way shm test -e /dev/shm/secret\n"                                                                                \
	"way become-user sh -c 'test $(id -u) = 2000 || setuidgid 2000 true'\n"

static const char victim[] = "while :; do nc -l -p 7000 >/dev/null; done &\n"
			     "echo x >/tmp/secret; echo x >/dev/shm/secret; sleep 1\n" WAYS
			     "echo ready; sleep 100 & wait\n";

/* What nobody may, and only root would try. The first three are its own, and work. */
static const char attacker[] = WAYS
	"way own-tmp sh -c 'echo x >/tmp/own; test -e /tmp/own'\n"
	"way own-process sh -c 'grep -l [a]ttacker.sh /proc/[0-9]*/cmdline && kill -0 1'\n"
	"way own-user test $(id -u) = 0\n"
	"way host-number kill -0 $(cat /victim-pid)\n"
	"way host-root sh -c 'cd /proc/$(cat /victim-pid)/root'\n"
	"way enter-net nsenter -t $(cat /victim-pid) -n true\n"
	"way enter-own nsenter -t 1 -n true\n"
	"way mount mount -t tmpfs none /tmp\n"
	"way mount-proc mount -t proc proc /tmp\n"
	"way bind mount -o bind /tmp /run\n"
	"way remount mount -o remount,rw /\n"
	"way write-root touch /bin/x\n"
	"way unshare unshare -n true\n"
	"way device mknod /tmp/sda b 8 0\n"
	"way chroot chroot /tmp /x\n"
	"way sysrq sh -c 'echo h >/proc/sysrq-trigger'\n"
	"way sysctl sh -c 'echo 1 >/proc/sys/kernel/shmmni'\n"
	"way host-name hostname other\n"
	"way priority renice -n -5 1\n"
	"way route ip link add x type dummy\n"
	"way cgroup sh -c 'echo 1 >/sys/fs/cgroup/cgroup.procs'\n"
	"echo done\n";

static char dir[] = "/dev/shm/holdfast-breach-XXXXXX";

static const char *at(const char *name, const char *file)
{
	static char path[4][256];
	static unsigned i;
	char *p = path[i++ % ARRAY_SIZE(path)];

	(void)snprintf(p, sizeof(path[0]), "%s/%s/%s", dir, name, file);
	return p;
}

static void put(const char *name, const char *file, const char *text)
{
	struct err e = ERR_INIT;

	assert_ok(file_write(at(name, file), text, strlen(text), 0644, &e), &e);
}

/* A bundle with the gate's configuration, and a root with busybox under its usual names. */
static void make_bundle(const struct policy *policy, const char *name, const char *user, const char *script)
{
	char text[2048], rootfs[256], command[512];
	const char *const sh[] = {"sh", "-c", command, NULL};
	struct proc_params p = {.argv = sh, .quiet = 1};
	struct oci_spec_input in = {.bytes = text, .name = "config.json", .id = name, .policy = policy, .rootfs = rootfs};
	const struct policy_image *image = NULL;
	cleanup_buf struct buf json = BUF_INIT;
	enum code code = CODE_NONE;
	struct err e = ERR_INIT;

	(void)snprintf(rootfs, sizeof(rootfs), "%s/%s/rootfs", dir, name);
	(void)snprintf(command, sizeof(command),
		       "cd %s && mkdir -p %s/rootfs && cd %s/rootfs && mkdir bin dev proc sys run tmp etc && cp /bin/busybox bin && "
		       "for i in sh grep head kill nc test id setuidgid sleep cat nsenter mount touch unshare mknod chroot hostname renice "
		       "ip true; do ln -s busybox bin/$i; done",
		       dir, name, name);
	assert_ok(proc_run(&p, &e), &e);
	(void)snprintf(text, sizeof(text), request, user, user, name);
	in.len = strlen(text);
	assert_ok(oci_spec_create(&in, &image, &json, &code, &e), &e);
	assert_ok(file_write(at(name, "config.json"), json.data, json.len, 0600, &e), &e);
	(void)snprintf(text, sizeof(text), "rootfs/%s.sh", name);
	put(name, text, script);
}

/* `crun run`; its output goes to <name>/out. */
static pid_t start(const char *name)
{
	pid_t pid = fork();

	if (pid == 0) {
		int out = open(at(name, "out"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

		/* Version 2 alone, whatever the machine has there: crun takes no mixture. */
		if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL) < 0)
			_exit(124);
		if (dup2(out, 1) < 0 || dup2(out, 2) < 0)
			_exit(125);
		(void)execlp("crun", "crun", "--cgroup-manager=disabled", "--root", at(name, "state"), "run", "--pid-file",
			     at(name, "pid"), "--bundle", at(name, ""), name, NULL);
		_exit(126);
	}
	return pid;
}

/* Wait for @text in the output, 20 s at most. */
static void wait_for(const char *name, const char *text, struct buf *ret)
{
	struct err e = ERR_INIT;

	for (unsigned i = 0; i < 200; i++) {
		buf_free(ret);
		*ret = (struct buf)BUF_INIT;
		if (!file_read(at(name, "out"), 65536, ret, &e) && strstr((const char *)ret->data, text))
			return;
		(void)usleep(100000);
	}
	fail_msg("%s did not say \"%s\": %s", name, text, ret->data ? (const char *)ret->data : "");
}

static void no_namespace_is_shared(pid_t a, pid_t b)
{
	static const char *const types[] = {"net", "ipc", "pid", "mnt", "uts"};
	char path[64], one[64], two[64];

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		ssize_t n, m;

		(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)a, types[i]);
		n = readlink(path, one, sizeof(one));
		(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)b, types[i]);
		m = readlink(path, two, sizeof(two));
		assert_true(n > 0 && m > 0);
		assert_false(n == m && !memcmp(one, two, (size_t)n));
	}
}

/* Lines "NAME: through" and "NAME: no" of the six ways that both try, then of the attacker's own. */
static void judge(const char *in_b, const char *in_a)
{
	static const char *const both[] = {"see-process", "signal", "connect", "tmp", "shm", "become-user"};
	unsigned through = 0;
	char line[64];

	for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
		(void)snprintf(line, sizeof(line), "%s: through", both[i]);
		if (!strstr(in_b, line))
			fail_msg("within class b it leads nowhere: %s\n%s", line, in_b);
	}
	for (const char *s = in_a; (s = strstr(s, "through")); s++)
		through++;
	if (through != 3 || !strstr(in_a, "own-tmp: through\nown-process: through\nown-user: through") || !strstr(in_a, "cgroup: no\ndone"))
		fail_msg("class a got through:\n%s", in_a);
}

static void root_of_one_class_reaches_nothing_of_another(void **state)
{
	cleanup_policy struct policy *policy = NULL;
	cleanup_buf struct buf in_b = BUF_INIT, in_a = BUF_INIT, pid = BUF_INIT;
	const char *const rm[] = {"rm", "-rf", dir, NULL};
	struct proc_params p = {.argv = rm, .quiet = 1};
	struct err e = ERR_INIT;
	pid_t b, a, init;

	(void)state;
	if (geteuid() || access("/usr/bin/crun", X_OK) || access("/bin/busybox", X_OK))
		skip();
	assert_non_null(mkdtemp(dir));
	assert_ok(policy_parse(policy_text, sizeof(policy_text) - 1, "policy", &policy, &e), &e);
	make_bundle(policy, "victim", "2000", victim);
	make_bundle(policy, "attacker", "0", attacker);
	b = start("victim");
	wait_for("victim", "ready", &in_b);
	assert_ok(file_read(at("victim", "pid"), 64, &pid, &e), &e);
	init = (pid_t)atoi((const char *)pid.data);
	no_namespace_is_shared(getpid(), init);
	put("attacker", "rootfs/victim-pid", (const char *)pid.data);
	a = start("attacker");
	wait_for("attacker", "done", &in_a);
	(void)kill(init, SIGKILL);
	assert_int_equal(waitpid(a, NULL, 0), a);
	assert_int_equal(waitpid(b, NULL, 0), b);
	judge((const char *)in_b.data, (const char *)in_a.data);
	assert_ok(proc_run(&p, &e), &e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(root_of_one_class_reaches_nothing_of_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
