/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/policy/test_layer_service.c - what holdfast-layer opens when it is asked, and what it does not */
#include "tests/common/check.h"

#include "common/file.h"
#include "common/hex.h"
#include "policy/layer_service.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#define HEX(digits) digits digits digits digits
#define PULLED  HEX("aaaaaaaaaaaaaaaa")
#define BUILTIN HEX("bbbbbbbbbbbbbbbb")
#define REVOKED HEX("cccccccccccccccc")
#define UNKNOWN HEX("dddddddddddddddd")

static char dir[] = "/tmp/holdfast-opener-XXXXXX";
static struct policy_layer layer[3] = {{.data_bytes = 4096}, {.data_bytes = 8192}, {.data_bytes = 4096}};
static struct policy_image image = {.name = (char *)"hello", .layer = layer, .n_layers = 3};
static uint8_t revoked[1][HASH_SHA256_BYTES];
static struct policy policy = {.image = &image, .n_images = 1, .revoked = revoked, .n_revoked = 1};
static struct policy_layer_service service;
static unsigned opened;
static int open_result;

static int open_layer(const char *pulled, const struct policy_layer *l, struct err *e)
{
	opened++;
	assert_string_equal(pulled, "/pulled");
	assert_ptr_equal(l, &layer[0]);
	return open_result ? err_set(e, open_result, "the kernel\nrefuses it") : 0;
}

static void put(const char *name)
{
	char path[256];
	struct err e = ERR_INIT;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_ok(file_write(path, "x", 1, 0644, &e), &e);
}

static int setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_true(hex_decode(PULLED, layer[0].root_hash, HASH_SHA256_BYTES));
	assert_true(hex_decode(BUILTIN, layer[1].root_hash, HASH_SHA256_BYTES));
	assert_true(hex_decode(REVOKED, layer[2].root_hash, HASH_SHA256_BYTES));
	assert_true(hex_decode(REVOKED, revoked[0], HASH_SHA256_BYTES));
	put(PULLED ".p7s");
	put(BUILTIN ".p7s");
	put(BUILTIN ".erofs");
	put(REVOKED ".p7s");
	service = (struct policy_layer_service){.policy = &policy, .built_in = dir, .pulled = "/pulled", .open = open_layer, .owner = geteuid()};
	return 0;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static const char *answer(const char *packet, size_t len)
{
	static char text[POLICY_LAYER_MAX_ANSWER_BYTES + 1];
	size_t n = policy_layer_answer(&service, packet, len, text, sizeof(text));

	assert_true(n < sizeof(text));
	text[n] = '\0';
	return text;
}

static void only_what_the_policy_wants_pulled_is_opened(void **state)
{
	static const struct {
		const char *request, *want;
	} refused[] = {
		{"layer " UNKNOWN, "refused the layer policy names no such layer"},
		{"layer " BUILTIN, "refused the layer is none that is pulled"},
		{"layer " REVOKED, "refused the layer is revoked"},
		{"layer " PULLED "a", "refused malformed request"},
		{"layer " PULLED " ", "refused malformed request"},
		{"layer  " PULLED, "refused malformed request"},
		{"layer ", "refused malformed request"},
		{"Layer " PULLED, "refused malformed request"},
		{"close " PULLED, "refused malformed request"},
		{"layer " HEX("AAAAAAAAAAAAAAAA"), "refused malformed request"},
		{"layer " HEX("../../../../../."), "refused malformed request"},
	};

	(void)state;
	opened = 0;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		const char *text = answer(refused[i].request, strlen(refused[i].request));

		if (strncmp(text, refused[i].want, strlen(refused[i].want)) != 0)
			fail_msg("\"%s\": \"%s\"", refused[i].request, text);
	}
	assert_int_equal(strncmp(answer("layer " PULLED "\0", 71), "refused malformed", 17), 0);
	assert_int_equal(strncmp(answer("", 0), "refused malformed", 17), 0);
	assert_int_equal(opened, 0);
	assert_string_equal(answer("layer " PULLED, 70), "ok");
	assert_int_equal(opened, 1);
}

static void why_it_does_not_open_is_said_in_one_line_that_fits(void **state)
{
	char small[12];

	(void)state;
	open_result = EKEYREJECTED;
	assert_string_equal(answer("layer " PULLED, 70), "refused the kernel?refuses it");
	assert_int_equal(policy_layer_answer(&service, "layer " PULLED, 70, small, sizeof(small)), 11);
	assert_memory_equal(small, "refused the", 11);
	open_result = 0;
}

/* One client of ours, one answer. The service lives in a child for that long. */
static void ask(const char *path, int listener, const char *request, char ret[static 256])
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	cleanup_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct err e = ERR_INIT;
	pid_t pid = fork();
	ssize_t n = 0;
	int status;

	if (pid == 0)
		_exit(policy_layer_serve_one(&service, listener, &e) != 0);
	strcpy(addr.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	if (request) {
		assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
		n = recv(fd, ret, 255, 0);
	}
	ret[n > 0 ? n : 0] = '\0';
	assert_int_equal(waitpid(pid, &status, 0), pid); /* a client that says nothing ends it too: within a second */
	assert_int_equal(status, 0);
}

static void it_answers_its_owner_one_at_a_time(void **state)
{
	char path[128], text[256];
	cleanup_fd int first = -1, fd = -1;
	struct err e = ERR_INIT;
	struct stat st;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/sock", dir);
	assert_ok(policy_layer_listen(path, &first, &e), &e);
	assert_ok(policy_layer_listen(path, &fd, &e), &e); /* started again: in place of the old one */
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	ask(path, fd, "layer " PULLED, text);
	assert_string_equal(text, "ok");
	ask(path, fd, "layer " UNKNOWN, text);
	assert_int_equal(strncmp(text, "refused ", 8), 0);
	ask(path, fd, NULL, text);
	service.owner++; /* then we are somebody else */
	ask(path, fd, "layer " PULLED, text);
	assert_string_equal(text, "");
	service.owner--;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_the_policy_wants_pulled_is_opened),
		cmocka_unit_test(why_it_does_not_open_is_said_in_one_line_that_fits),
		cmocka_unit_test(it_answers_its_owner_one_at_a_time),
	};

	return cmocka_run_group_tests_name("policy/layer_service", tests, setup, teardown);
}
