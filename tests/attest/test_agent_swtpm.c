/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_agent_swtpm.c - agent and client with a real TPM implementation: enrol, fetch, and each attack on
 * them
 *
 * swtpm_setup makes a TPM with an EK certificate of a throw-away CA in a temporary folder; swtpm serves it on two free
 * ports of the loopback device. Between agent and client stands, where a case wants one, a man in the middle: a
 * host that lies is free to run an agent of its own. Without swtpm every test is skipped, loudly.
 */
#include "tests/common/check.h"

#include "attest/agent.h"
#include "attest/client.h"
#include "attest/message.h"
#include "attest/quote.h"
#include "attest/stream.h"
#include "attest/tpm.h"
#include "common/file.h"
#include "common/proc.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define DATA      "tests/data/ek-cert/"
#define ANSWER_MS 20000

static struct {
	bool there;
	char dir[64];
	char tcti[64];
	char roots[96];
	char firmware_log[96], os_log[96];
	int port;
	pid_t swtpm;
} lab;

/* ---- the TPM ---------------------------------------------------------------------------------------------------- */

static bool can_bind(int port)
{
	const struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	cleanup_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof(at)) == 0;
}

/* A free port whose successor is free too: swtpm's transport wants command and control port side by side. */
static int free_ports(void)
{
	int port = 20000 + (int)(getpid() % 10000) * 2;

	while (!can_bind(port) || !can_bind(port + 1))
		port += 2;
	return port;
}

static bool connects(int port)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	cleanup_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0;
}

static void write_text(const char *name, const char *text)
{
	char path[128];
	struct err e = ERR_INIT;

	(void)snprintf(path, sizeof(path), "%s/%s", lab.dir, name);
	assert_ok(file_write(path, text, strlen(text), 0600, &e), &e);
}

/* swtpm_setup with a CA of its own: everything it would keep in /var/lib/swtpm-localca goes into our folder. */
static int manufacture(struct err *e)
{
	char text[512], config[96], state[96], log[96];
	const char *const argv[] = {"swtpm_setup",      "--tpm2",    "--tpmstate", state,
				    "--create-ek-cert", "--config",  config,       "--pcr-banks",
				    "sha256",           "--logfile", log,          NULL};
	cleanup_buf struct buf out = BUF_INIT;
	const struct proc_params p = {.argv = argv, .quiet = 1, .out = &out, .out_max = 4096};
	struct err ignored = ERR_INIT;

	(void)snprintf(state, sizeof(state), "%s/tpm", lab.dir);
	(void)snprintf(config, sizeof(config), "%s/setup.conf", lab.dir);
	(void)snprintf(log, sizeof(log), "%s/setup.log", lab.dir);
	assert_ok(file_mkdirs(state, &ignored), &ignored);
	(void)snprintf(text, sizeof(text), "%s/ca", lab.dir);
	assert_ok(file_mkdirs(text, &ignored), &ignored);
	(void)snprintf(text, sizeof(text),
		       "statedir = %s/ca\nsigningkey = %s/ca/key.pem\nissuercert = %s/ca/issuer.pem\ncertserial = "
		       "%s/ca/serial\n",
		       lab.dir, lab.dir, lab.dir, lab.dir);
	write_text("ca.conf", text);
	write_text("ca.options", "--platform-manufacturer holdfast\n--platform-version 1\n--platform-model test\n");
	(void)snprintf(text, sizeof(text),
		       "create_certs_tool = swtpm_localca\ncreate_certs_tool_config = "
		       "%s/ca.conf\ncreate_certs_tool_options = %s/ca.options\n",
		       lab.dir, lab.dir);
	write_text("setup.conf", text);
	return proc_run(&p, e);
}

static void power_on(void)
{
	char state[96], server[64], ctrl[64];

	(void)snprintf(state, sizeof(state), "dir=%s/tpm", lab.dir);
	(void)snprintf(server, sizeof(server), "type=tcp,port=%d,bindaddr=127.0.0.1", lab.port);
	(void)snprintf(ctrl, sizeof(ctrl), "type=tcp,port=%d,bindaddr=127.0.0.1", lab.port + 1);
	lab.swtpm = fork();
	assert_true(lab.swtpm >= 0);
	if (lab.swtpm == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* not even a crash of the test leaves it behind */
		execlp("swtpm", "swtpm", "socket", "--tpm2", "--tpmstate", state, "--server", server, "--ctrl", ctrl,
		       "--flags", "startup-clear", (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 100 && !connects(lab.port + 1); i++)
		(void)poll(NULL, 0, 50);
}

/* As a power cut: no TPM2_Shutdown. */
static void power_off(void)
{
	assert_int_equal(kill(lab.swtpm, SIGKILL), 0);
	assert_int_equal(waitpid(lab.swtpm, NULL, 0), lab.swtpm);
}

static int set_up(void **state)
{
	struct err e = ERR_INIT;
	int rc;

	(void)state;
	(void)snprintf(lab.dir, sizeof(lab.dir), "/tmp/holdfast-swtpm-XXXXXX");
	assert_non_null(mkdtemp(lab.dir));
	rc = manufacture(&e);
	if (rc < 0) {
		fprintf(stderr,
			"\n*** SKIP: no TPM emulator with EK certificates (%s).\n*** Install swtpm and swtpm-tools: "
			"enrolment and its denials were NOT tested.\n\n",
			e.msg);
		return rc == -ENOENT ? 0 : -1; /* installed but failing is a failure */
	}
	lab.there = true;
	lab.port = free_ports();
	(void)snprintf(lab.tcti, sizeof(lab.tcti), "swtpm:host=127.0.0.1,port=%d", lab.port);
	(void)snprintf(lab.roots, sizeof(lab.roots), "%s/ca/issuer.pem", lab.dir);
	(void)snprintf(lab.firmware_log, sizeof(lab.firmware_log), "%s/firmware.log", lab.dir);
	(void)snprintf(lab.os_log, sizeof(lab.os_log), "%s/os.log", lab.dir);
	write_text("firmware.log", "firmware log");
	write_text("os.log", "os log");
	power_on();
	return 0;
}

static int tear_down(void **state)
{
	const char *const argv[] = {"rm", "-rf", lab.dir, NULL};
	const struct proc_params p = {.argv = argv};
	struct err e = ERR_INIT;

	(void)state;
	if (lab.there)
		power_off();
	return proc_run(&p, &e);
}

static void need_tpm(void)
{
	if (!lab.there)
		skip();
}

/* ---- the host --------------------------------------------------------------------------------------------------- */

/* How a lying host changes the answer "identity". */
enum lie {
	HONEST,
	AK_OF_ANOTHER_TPM,
	AK_UNRESTRICTED,
	EK_OF_SOFTWARE,
	CERTIFICATE_OF_ANOTHER_EK,
	CERTIFICATE_MISSING,
	SECRET_GUESSED
};

static struct bytes view(const struct buf *b)
{
	return (struct bytes){b->data, b->len};
}

static void lie_about(enum lie lie, struct buf *reply)
{
	cleanup_buf struct buf ek = BUF_INIT, cert = BUF_INIT, ak = BUF_INIT, out = BUF_INIT;
	struct err e = ERR_INIT;
	struct message m;

	if (message_parse(MESSAGE_ANSWER, reply->data, reply->len, &m, &e) < 0)
		return;
	if (lie == SECRET_GUESSED && m.kind == MESSAGE_ACTIVATED)
		((uint8_t *)m.field[0].p)[0] ^= 1;
	if (m.kind != MESSAGE_IDENTITY)
		return;
	buf_put(&ek, m.field[0].p, m.field[0].n);
	buf_put(&cert, m.field[1].p, m.field[1].n);
	buf_put(&ak, m.field[2].p, m.field[2].n);
	if (lie == AK_OF_ANOTHER_TPM)
		ak.data[ak.len - 1] ^= 2; /* still odd: a key that nobody holds */
	if (lie == AK_UNRESTRICTED)
		ak.data[7] &= ~1; /* bit 16 of the attributes */
	if (lie == EK_OF_SOFTWARE || lie == CERTIFICATE_OF_ANOTHER_EK) {
		struct buf *b = lie == EK_OF_SOFTWARE ? &ek : &cert;

		buf_free(b);
		if (file_read(lie == EK_OF_SOFTWARE ? DATA "good-ek-public.bin" : DATA "good-ek.der", 4096, b, &e) < 0)
			return;
	}
	if (lie == CERTIFICATE_MISSING)
		cert.len = 0;
	m.field[0] = view(&ek);
	m.field[1] = view(&cert);
	m.field[2] = view(&ak);
	if (message_encode(&m, &out, &e) == 0) {
		buf_free(reply);
		*reply = out;
		out = (struct buf)BUF_INIT;
	}
}

static void be_host(int fd, enum lie lie)
{
	struct attest_agent a = {.tcti = lab.tcti,
				 .firmware_log = lab.firmware_log,
				 .os_log = lab.os_log,
				 .ima_log = "/nonexistent/ima"};
	cleanup_buf struct buf request = BUF_INIT;
	struct err e = ERR_INIT;

	while (attest_stream_recv(STREAM_FD(fd), ANSWER_MS, ANSWER_MS, &request, &e) == 0) {
		cleanup_buf struct buf reply = BUF_INIT;
		struct err why = ERR_INIT;

		if (attest_agent_answer(&a, request.data, request.len, &reply, &why) < 0)
			break;
		lie_about(lie, &reply);
		if (attest_stream_send(STREAM_FD(fd), ANSWER_MS, reply.data, reply.len, &e) < 0)
			break;
	}
	attest_agent_close(&a);
}

struct host {
	pid_t child;
	int fd;
};

static struct host host_start(enum lie lie)
{
	struct err e = ERR_INIT;
	struct host h;
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	assert_ok(attest_stream_prepare(fd[0], &e), &e);
	assert_ok(attest_stream_prepare(fd[1], &e), &e);
	h.child = fork();
	assert_true(h.child >= 0);
	if (h.child == 0) {
		close(fd[0]);
		be_host(fd[1], lie);
		_exit(0);
	}
	close(fd[1]);
	h.fd = fd[0];
	return h;
}

static void host_stop(struct host *h)
{
	close(h->fd);
	assert_int_equal(waitpid(h->child, NULL, 0), h->child);
}

static int enrol(enum lie lie, const char *roots, const uint8_t *digest, struct enrolment *rec, struct err *e)
{
	const struct client_params p = {.timeout_ms = ANSWER_MS, .ek_roots = roots, .ek_sha256 = digest};
	struct host h = host_start(lie);
	int rc = attest_client_enrol(STREAM_FD(h.fd), &p, rec, e);

	host_stop(&h);
	return rc;
}

/* ---- tests ------------------------------------------------------------------------------------------------------ */

static void an_honest_host_is_enrolled_by_certificate_and_by_digest_to_the_same_keys(void **state)
{
	struct enrolment by_certificate, by_digest, read_back;
	struct err e = ERR_INIT;
	char path[96];

	(void)state;
	need_tpm();
	assert_ok(enrol(HONEST, lab.roots, NULL, &by_certificate, &e), &e);
	assert_int_equal(by_certificate.ek, ENROLMENT_EK_CERTIFICATE);
	assert_ok(enrol(HONEST, NULL, by_certificate.identity, &by_digest, &e), &e);
	assert_int_equal(by_digest.ek, ENROLMENT_EK_PINNED);
	assert_int_equal(by_certificate.ak_public_bytes, by_digest.ak_public_bytes);
	assert_memory_equal(by_certificate.ak_public, by_digest.ak_public, by_digest.ak_public_bytes);
	(void)snprintf(path, sizeof(path), "%s/record.json", lab.dir);
	assert_ok(enrolment_write(path, &by_certificate, &e), &e);
	assert_ok(enrolment_load(path, &read_back, &e), &e);
	assert_memory_equal(read_back.identity, by_certificate.identity, HASH_SHA256_BYTES);
}

static void each_lie_at_enrolment_is_found(void **state)
{
	static const struct {
		enum lie lie;
		const char *part;
	} cases[] = {
		{AK_OF_ANOTHER_TPM, "did not prove that its AK lives in the TPM of its EK: activate: the agent says"},
		{SECRET_GUESSED, "did not prove that its AK lives in the TPM of its EK: it returned another secret"},
		{AK_UNRESTRICTED, "attributes"},
		{EK_OF_SOFTWARE, "EK certificate: its key is not the TPM's EK"},
		{CERTIFICATE_OF_ANOTHER_EK, "EK certificate: its key is not the TPM's EK"},
		{CERTIFICATE_MISSING, "the TPM has no EK certificate"},
	};

	(void)state;
	need_tpm();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err e = ERR_INIT;
		struct enrolment rec;

		assert_refused(enrol(cases[i].lie, lab.roots, NULL, &rec, &e), &e, EBADMSG, cases[i].part);
	}
}

static void an_ek_that_nobody_vouches_for_is_refused(void **state)
{
	static const uint8_t digest[HASH_SHA256_BYTES] = {1};
	struct err e = ERR_INIT;
	struct enrolment rec;

	(void)state;
	need_tpm();
	assert_refused(enrol(HONEST, DATA "roots.pem", NULL, &rec, &e), &e, EBADMSG, "no chain to a certificate of");
	assert_refused(enrol(HONEST, NULL, digest, &rec, &e), &e, EBADMSG, "not the one whose digest was given");
	assert_ok(enrol(HONEST, lab.roots, NULL, &rec, &e), &e);
	assert_refused(enrol(EK_OF_SOFTWARE, NULL, rec.identity, &rec, &e), &e, EBADMSG,
		       "not the one whose digest was given");
}

static void fetched_evidence_is_signed_by_the_enrolled_ak_over_our_nonce(void **state)
{
	static const uint8_t nonce[EVIDENCE_NONCE_BYTES] = {7};
	cleanup_buf struct buf bytes = BUF_INIT;
	cleanup_quote_ak struct quote_ak ak = {0};
	struct host h;
	struct enrolment rec;
	struct err e = ERR_INIT;
	struct evidence ev;
	struct quote quote;
	uint8_t binding[HASH_SHA256_BYTES];

	(void)state;
	need_tpm();
	assert_ok(enrol(HONEST, lab.roots, NULL, &rec, &e), &e);
	h = host_start(HONEST);
	assert_ok(attest_client_evidence(&(struct client_connection){.stream = STREAM_FD(h.fd)}, ANSWER_MS, nonce, &bytes, &e), &e);
	host_stop(&h);
	assert_ok(evidence_parse(bytes.data, bytes.len, &ev, &e), &e);
	assert_memory_equal(ev.os_log.p, "os log", 6);
	assert_int_equal(ev.ima_log.n, 0);
	assert_ok(quote_parse(ev.attest, &quote, &e), &e);
	evidence_binding(nonce, &ev, binding);
	assert_memory_equal(quote.extra, binding, sizeof(binding));
	assert_ok(quote_ak_parse((struct bytes){rec.ak_public, rec.ak_public_bytes}, &ak, &e), &e);
	assert_ok(quote_verify(&ak, ev.attest, ev.signature, &e), &e);
	assert_true(quote_signer_is_endorsed(&quote, &ak, NULL));
	((uint8_t *)ev.attest.p)[ev.attest.n - 1] ^= 1; /* the PCR digest's last byte */
	assert_refused(quote_verify(&ak, ev.attest, ev.signature, &e), &e, EBADMSG, "");
}

/* The first asker gives up before the answer, as on a virtio port, where the next one inherits the connection. */
static void an_answer_to_somebody_elses_question_is_passed_over(void **state)
{
	static const uint8_t nonce[EVIDENCE_NONCE_BYTES] = {9}, old_nonce[EVIDENCE_NONCE_BYTES] = {8};
	const struct message old[] = {{.kind = MESSAGE_IDENTIFY},
				      {.kind = MESSAGE_ASK_EVIDENCE, .field = {{old_nonce, sizeof(old_nonce)}}}};
	cleanup_buf struct buf bytes = BUF_INIT;
	struct host h;
	struct err e = ERR_INIT;
	struct evidence ev;
	struct quote quote;
	uint8_t binding[HASH_SHA256_BYTES];

	(void)state;
	need_tpm();
	h = host_start(HONEST);
	for (size_t i = 0; i < ARRAY_SIZE(old); i++) {
		cleanup_buf struct buf request = BUF_INIT;

		assert_ok(message_encode(&old[i], &request, &e), &e);
		assert_ok(attest_stream_send(STREAM_FD(h.fd), ANSWER_MS, request.data, request.len, &e), &e);
	}
	assert_ok(attest_client_evidence(&(struct client_connection){.stream = STREAM_FD(h.fd)}, ANSWER_MS, nonce, &bytes, &e), &e);
	host_stop(&h);
	assert_ok(evidence_parse(bytes.data, bytes.len, &ev, &e), &e);
	assert_ok(quote_parse(ev.attest, &quote, &e), &e);
	evidence_binding(nonce, &ev, binding);
	assert_memory_equal(quote.extra, binding, sizeof(binding));
}

/* The next to open the OS log gets a pipe, and whoever has it open keeps what he has. */
static bool put_pipe(void)
{
	char next[sizeof(lab.os_log) + 8];

	(void)snprintf(next, sizeof(next), "%s.next", lab.os_log); /* fits */
	return mkfifo(next, 0600) == 0 && rename(next, lab.os_log) == 0;
}

/* A child that has each reader of the OS log read something else, @times times; then it is a file again. No clock decides. */
static pid_t grow_log(int times)
{
	char last[sizeof(lab.os_log) + 8];
	pid_t child;

	(void)snprintf(last, sizeof(last), "%s.last", lab.os_log); /* fits */
	write_text("os.log.last", "os log");
	assert_true(put_pipe());
	child = fork();
	assert_true(child >= 0);
	if (child)
		return child;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) /* a test that fails leaves nobody waiting for a reader */
		_exit(1);
	for (int i = 1; i <= times; i++) {
		int fd = open(lab.os_log, O_WRONLY | O_CLOEXEC); /* until somebody reads */

		if (fd < 0 || (i < times ? !put_pipe() : rename(last, lab.os_log) < 0) || dprintf(fd, "os log %d", i) < 0 || close(fd) < 0)
			_exit(1);
	}
	_exit(0);
}

static void a_log_that_grows_during_the_quote_makes_it_done_again_a_bounded_number_of_times(void **state)
{
	static const uint8_t nonce[EVIDENCE_NONCE_BYTES];
	cleanup_buf struct buf bytes = BUF_INIT;
	struct host h;
	struct err e = ERR_INIT;
	struct evidence ev;
	pid_t writer;
	int status;

	(void)state;
	need_tpm();
	h = host_start(HONEST);
	assert_ok(attest_client_evidence(&(struct client_connection){.stream = STREAM_FD(h.fd)}, ANSWER_MS, nonce, &bytes, &e), &e); /* keys are made now */
	writer = grow_log(10000);
	assert_refused(attest_client_evidence(&(struct client_connection){.stream = STREAM_FD(h.fd)}, ANSWER_MS, nonce, &bytes, &e), &e, EREMOTEIO,
		       "logs grew during each of 5 quotes");
	assert_int_equal(kill(writer, SIGKILL), 0);
	assert_int_equal(waitpid(writer, NULL, 0), writer);
	writer = grow_log(3); /* read before and after the first quote, and before the second */
	bytes.len = 0;
	assert_ok(attest_client_evidence(&(struct client_connection){.stream = STREAM_FD(h.fd)}, ANSWER_MS, nonce, &bytes, &e), &e);
	assert_int_equal(waitpid(writer, &status, 0), writer);
	assert_int_equal(status, 0);
	assert_ok(evidence_parse(bytes.data, bytes.len, &ev, &e), &e);
	assert_int_equal(ev.os_log.n, 6);
	host_stop(&h);
}

static void a_tpm_refuses_nonsense_and_goes_on(void **state)
{
	cleanup_attest_tpm struct attest_tpm *t = NULL;
	const struct bytes junk = {(const uint8_t *)"\0\5junk", 6}, blob = {(const uint8_t *)"\0\4\0\2ab", 6},
			   secret = {(const uint8_t *)"\0\2ab", 4};
	cleanup_buf struct buf attest = BUF_INIT, signature = BUF_INIT, out = BUF_INIT;
	static const uint8_t extra[HASH_SHA256_BYTES];
	struct err e = ERR_INIT;

	(void)state;
	need_tpm();
	assert_ok(attest_tpm_open(lab.tcti, &t, &e), &e);
	assert_refused(attest_tpm_activate(t, &junk, &secret, &out, &e), &e, EINVAL, "TPM2B_ID_OBJECT");
	assert_refused(attest_tpm_activate(t, &blob, &junk, &out, &e), &e, EINVAL, "TPM2B_ENCRYPTED_SECRET");
	for (int i = 0; i < 8; i++) /* more often than a TPM has places for sessions */
		assert_refused(attest_tpm_activate(t, &blob, &secret, &out, &e), &e, EIO, "TPM2_ActivateCredential");
	assert_int_equal(out.len, 0);
	assert_ok(attest_tpm_quote(t, extra, &attest, &signature, &e), &e);
	assert_true(attest.len > 100 && signature.len == 2 + 2 + 2 + 256);
}

/* Without noDA the third of these would lock the TPM; the AK must also be the same each time. */
static void power_cuts_after_quotes_neither_lock_the_tpm_nor_change_its_keys(void **state)
{
	cleanup_buf struct buf first = BUF_INIT;
	static const uint8_t extra[HASH_SHA256_BYTES];

	(void)state;
	need_tpm();
	for (int i = 0; i < 4; i++) {
		cleanup_attest_tpm struct attest_tpm *t = NULL;
		cleanup_buf struct buf ek = BUF_INIT, cert = BUF_INIT, ak = BUF_INIT, attest = BUF_INIT,
				       signature = BUF_INIT;
		struct err e = ERR_INIT;

		assert_ok(attest_tpm_open(lab.tcti, &t, &e), &e);
		assert_ok(attest_tpm_identity(t, &ek, &cert, &ak, &e), &e);
		assert_ok(attest_tpm_quote(t, extra, &attest, &signature, &e), &e);
		assert_true(cert.len > 500);
		if (!first.len)
			buf_put(&first, ak.data, ak.len);
		assert_int_equal(ak.len, first.len);
		assert_memory_equal(ak.data, first.data, first.len);
		attest_tpm_free(take_ptr(t));
		power_off();
		power_on();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_honest_host_is_enrolled_by_certificate_and_by_digest_to_the_same_keys),
		cmocka_unit_test(each_lie_at_enrolment_is_found),
		cmocka_unit_test(an_ek_that_nobody_vouches_for_is_refused),
		cmocka_unit_test(fetched_evidence_is_signed_by_the_enrolled_ak_over_our_nonce),
		cmocka_unit_test(an_answer_to_somebody_elses_question_is_passed_over),
		cmocka_unit_test(a_log_that_grows_during_the_quote_makes_it_done_again_a_bounded_number_of_times),
		cmocka_unit_test(a_tpm_refuses_nonsense_and_goes_on),
		cmocka_unit_test(power_cuts_after_quotes_neither_lock_the_tpm_nor_change_its_keys),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	(void)setenv("TSS2_LOG", "all+none", 1);
	return cmocka_run_group_tests_name("attest/agent with swtpm", tests, set_up, tear_down);
}
