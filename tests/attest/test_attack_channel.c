/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_attack_channel.c - TLS keys that are not what the reference values want, each beside the one that is
 *
 * Host 0 is sound and enrolled, its TLS key lives in its TPM, and the states it is good in were signed by a PCR key that
 * stands for the builder's. PCR values for the signatures are read back from the TPM by TPM2_PCR_Read.
 */
#include "tests/attest/fleet_lab.h"

#include "attest/agent_channel.h"
#include "attest/channel.h"
#include "attest/client.h"
#include "attest/net.h"
#include "attest/tpm_state.h"

#include <openssl/pem.h>

#define PCRS (1u << 7 | 1u << 11)

static EVP_PKEY *pcr_key, *other_key;
static struct agent_channel channel[LAB_MAX_HOSTS];
static uint8_t wanted_policy[HASH_SHA256_BYTES];

/* ---- the builder's part ------------------------------------------------------------------------------------------ */

static void write_public(const char *name, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long n;

	assert_int_equal(PEM_write_bio_PUBKEY(bio, key), 1);
	n = BIO_get_mem_data(bio, &text);
	lab_write(name, text, (size_t)n);
	BIO_free(bio);
}

/* PCR 7 and 11 as the TPM has them, PCR 11 then extended with @words. */
static void read_state(struct lab_host *h, const char *const *words, struct pcr_policy *ret)
{
	uint8_t value[2][HASH_SHA256_BYTES];
	cleanup_fd int fd = lab_connect(h->port);
	struct err e = ERR_INIT;

	assert_true(fd >= 0);
	assert_ok(tpm_cmd_read(fd, LAB_MS, 7, HASH_SHA256, value[0], &e), &e);
	assert_ok(tpm_cmd_read(fd, LAB_MS, 11, HASH_SHA256, value[1], &e), &e);
	for (; words && *words; words++) {
		uint8_t digest[HASH_SHA256_BYTES];

		hash_sha256(*words, strlen(*words), digest);
		assert_true(hash_extend(HASH_SHA256, value[1], digest));
	}
	*ret = (struct pcr_policy){.pcrs = PCRS};
	pcr_policy_digest(PCRS, (const uint8_t(*)[HASH_SHA256_BYTES])value, ret->digest);
}

/* A file of the states that host @h is in now and will be in after one more phase, signed by @key. */
static void sign_states(const char *name, struct lab_host *h, EVP_PKEY *key)
{
	static const char *const later[] = {"later", NULL};
	struct pcr_policies p = {.n = 2};
	cleanup_buf struct buf doc = BUF_INIT;
	struct err e = ERR_INIT;

	read_state(h, NULL, &p.v[0]);
	read_state(h, later, &p.v[1]);
	assert_ok(pcr_policy_sign(key, PCR_POLICY_CHANNEL, &p.v[0], &e), &e);
	assert_ok(pcr_policy_sign(key, PCR_POLICY_CHANNEL, &p.v[1], &e), &e);
	buf_str(&doc, "{\"sha256\":[]}");
	assert_ok(pcr_policy_add(&p, key, PCR_POLICY_CHANNEL, &doc, &e), &e);
	lab_write(name, doc.data, doc.len);
}

static void extend(struct lab_host *h, const char *word)
{
	struct tpm_digest d = {.alg = HASH_SHA256};
	cleanup_fd int fd = lab_connect(h->port);
	struct err e = ERR_INIT;

	assert_true(fd >= 0);
	hash_sha256(word, strlen(word), d.digest);
	assert_ok(tpm_cmd_extend(fd, LAB_MS, 11, &d, 1, &e), &e);
}

static int set_up(void **state)
{
	char text[sizeof(lab.host[0].world->refvalues) + 128], hex[2 * HASH_SHA256_BYTES + 1];
	struct err e = ERR_INIT;
	int rc = lab_set_up(2);

	(void)state;
	if (rc || !lab.there)
		return rc;
	pcr_key = EVP_RSA_gen(2048);
	other_key = EVP_RSA_gen(2048);
	write_public("pcr-key.pem", pcr_key);
	write_public("other-key.pem", other_key);
	sign_states("states0.json", &lab.host[0], pcr_key);
	sign_states("states1.json", &lab.host[1], pcr_key);
	assert_ok(pcr_policy_authorize(pcr_key, PCR_POLICY_CHANNEL, wanted_policy, &e), &e);
	hex_encode(wanted_policy, sizeof(wanted_policy), hex);
	assert_int_equal(lab.host[0].world->refvalues[0], '{');
	(void)snprintf(text, sizeof(text), "{\"channel_policy\":\"%s\",%s", hex, lab.host[0].world->refvalues + 1);
	lab_refvalues(text);
	lab_verifier_start(NULL);
	return 0;
}

static int tear_down(void **state)
{
	for (int i = 0; i < LAB_MAX_HOSTS; i++) {
		report_close(&lab.host[i].report);
		agent_channel_close(&channel[i]);
	}
	EVP_PKEY_free(pcr_key);
	EVP_PKEY_free(other_key);
	return lab_tear_down(state);
}

/* ---- the host's part --------------------------------------------------------------------------------------------- */

static int open_key(int host, const char *key, const char *states, struct err *e)
{
	return agent_channel_open(&channel[host], &lab.host[host].agent, lab_path(key), lab_path(states), e);
}

/* A connection to the verifier by @id. */
static int connect_by(struct lab_host *h, const struct tls_identity *id, struct err *e)
{
	report_close(&h->report);
	SSL_CTX_free(h->ctx);
	h->ctx = NULL;
	assert_ok(tls_host_ctx(id, lab_path("tls.pem"), &h->ctx, e), e);
	h->agent.channel_key = id->digest;
	h->report = (struct report){.agent = &h->agent, .tls = h->ctx, .where = lab.where, .timeout_ms = LAB_MS, .fd = -1};
	return report_connect(&h->report, NULL, e);
}

static void connect_sound(void)
{
	struct err e = ERR_INIT;

	assert_ok(open_key(0, "pcr-key.pem", "states0.json", &e), &e);
	assert_ok(connect_by(&lab.host[0], &channel[0].id, &e), &e);
}

/* The verifier refuses host 0 by @id with @why, and goes on to accept it by its own key: the sound twin. */
static void refused_by(const struct tls_identity *id, const char *why)
{
	struct err e = ERR_INIT;

	assert_ok(connect_by(&lab.host[0], id, &e), &e);
	lab_refused(&lab.host[0], why);
	connect_sound();
	lab_accepted(&lab.host[0]);
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

static void a_key_in_the_tpm_in_a_signed_state_is_accepted_each_time(void **state)
{
	uint8_t first[HASH_SHA256_BYTES];

	(void)state;
	lab_need();
	connect_sound();
	memcpy(first, channel[0].id.digest, sizeof(first));
	lab_accepted(&lab.host[0]);
	lab_accepted(&lab.host[0]); /* a kept connection */
	attest_agent_close(&lab.host[0].agent); /* the TPM's connection is gone, and made anew */
	connect_sound();
	assert_memory_equal(first, channel[0].id.digest, sizeof(first)); /* the same key for ever */
	lab_accepted(&lab.host[0]);
}

static void a_key_in_memory_is_refused(void **state)
{
	(void)state;
	lab_need();
	lab_channel(&lab.host[0]);
	lab_refused(&lab.host[0], "shows no proof that the host");
	connect_sound();
	lab_accepted(&lab.host[0]);
}

static void the_proof_of_the_host_beside_another_key_is_refused(void **state)
{
	cleanup_tls_identity struct tls_identity id = {0};
	cleanup_buf struct buf proof = BUF_INIT;
	struct attest_tpm *tpm;
	struct err e = ERR_INIT;

	(void)state;
	lab_need();
	connect_sound();
	assert_ok(attest_agent_tpm(&lab.host[0].agent, &tpm, &e), &e);
	assert_ok(attest_tpm_channel_proof(tpm, &channel[0].policy, &proof, &e), &e);
	assert_ok(tls_identity_of(EVP_EC_gen("P-256"), &proof, &id, &e), &e);
	refused_by(&id, "is of another key");
}

/* Even the host's own agent, made to lie about its channel, cannot give its standing to another machine's channel. */
static void evidence_over_the_channel_of_another_tpm_is_refused(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	lab_need();
	connect_sound();
	lab_accepted(&lab.host[0]);
	assert_ok(open_key(1, "pcr-key.pem", "states1.json", &e), &e);
	refused_by(&channel[1].id, "certified by another key than the enrolled AK"); /* host 0's evidence, bound to host 1's key */
}

static void a_key_for_states_that_another_signs_is_refused(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	lab_need();
	sign_states("other.json", &lab.host[0], other_key);
	assert_ok(open_key(0, "other-key.pem", "other.json", &e), &e); /* good for its own TPM */
	refused_by(&channel[0].id, "policy is not that of the owner");
}

static void states_signed_by_another_key_open_nothing(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	lab_need();
	attest_agent_close(&lab.host[0].agent); /* which has the TPM's ticket for a signature that was good */
	sign_states("other.json", &lab.host[0], other_key);
	assert_refused(open_key(0, "pcr-key.pem", "other.json", &e), &e, EIO, "TPM2_VerifySignature");
	connect_sound();
}

static void without_its_policy_the_tpm_does_not_sign(void **state)
{
	const TPMT_SIG_SCHEME scheme = {.scheme = TPM2_ALG_ECDSA, .details = {.ecdsa = {TPM2_ALG_SHA256}}};
	const TPMT_TK_HASHCHECK outside = {.tag = TPM2_ST_HASHCHECK, .hierarchy = TPM2_RH_NULL};
	const TPM2B_DIGEST digest = {.size = 32};
	cleanup_tss TPMT_SIGNATURE *signature = NULL;
	uint8_t r[32], s[32];
	struct attest_tpm *tpm;
	struct err e = ERR_INIT;

	(void)state;
	lab_need();
	connect_sound();
	assert_ok(attest_agent_tpm(&lab.host[0].agent, &tpm, &e), &e);
	assert_ok(attest_tpm_channel_sign(tpm, &channel[0].policy, digest.buffer, r, s, &e), &e);
	assert_int_equal(Esys_Sign(tpm->esys, tpm->channel, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &digest, &scheme,
				   &outside, &signature) & 0xff,
			 0x2f); /* TPM_RC_AUTH_UNAVAILABLE */
}

/* Somebody guesses at another key's password until the TPM takes no more guesses: our keys have none, and noDA. */
static void a_tpm_in_lockout_still_signs(void **state)
{
	const TPM2B_PUBLIC template = {
		.publicArea = {.type = TPM2_ALG_KEYEDHASH,
			       .nameAlg = TPM2_ALG_SHA256,
			       .objectAttributes = TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_FIXEDTPM |
						   TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN,
			       .parameters.keyedHashDetail.scheme = {.scheme = TPM2_ALG_HMAC,
								     .details.hmac.hashAlg = TPM2_ALG_SHA256}}};
	const TPM2B_SENSITIVE_CREATE right = {.sensitive.userAuth = {1, "r"}};
	const TPM2B_AUTH wrong = {1, "w"};
	const TPM2B_MAX_BUFFER data = {1, "d"};
	ESYS_TR victim = ESYS_TR_NONE;
	struct attest_tpm *tpm;
	struct err e = ERR_INIT;
	TSS2_RC rc = 0;

	(void)state;
	lab_need();
	connect_sound();
	assert_ok(attest_agent_tpm(&lab.host[0].agent, &tpm, &e), &e);
	attest_tpm_flush(tpm, tpm->channel); /* three objects is all that a TPM holds; it is made again */
	tpm->channel = ESYS_TR_NONE;
	assert_int_equal(Esys_CreatePrimary(tpm->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &right,
					    &template, &(TPM2B_DATA){0}, &(TPML_PCR_SELECTION){0}, &victim, NULL, NULL, NULL, NULL),
			 TSS2_RC_SUCCESS);
	assert_int_equal(Esys_TR_SetAuth(tpm->esys, victim, &wrong), TSS2_RC_SUCCESS);
	for (int i = 0; i < 64 && rc != TPM2_RC_LOCKOUT; i++) {
		TPM2B_DIGEST *mac = NULL;

		rc = Esys_HMAC(tpm->esys, victim, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &data, TPM2_ALG_SHA256, &mac);
		assert_int_not_equal(rc, TSS2_RC_SUCCESS);
	}
	assert_int_equal(rc, TPM2_RC_LOCKOUT);
	attest_tpm_flush(tpm, victim);
	assert_ok(connect_by(&lab.host[0], &channel[0].id, &e), &e);
	lab_accepted(&lab.host[0]);
}

/* Each byte of a proof counts, and so does each missing one. */
static void a_bent_proof_is_refused(void **state)
{
	struct channel_shown shown = {0};
	cleanup_quote_ak struct quote_ak ak = {0};
	cleanup_buf struct buf ek = BUF_INIT, cert = BUF_INIT, ak_public = BUF_INIT;
	struct channel_want want = {.ak = &ak, .policy = wanted_policy};
	struct attest_tpm *tpm;
	struct err e = ERR_INIT;
	size_t len;

	(void)state;
	lab_need();
	connect_sound();
	assert_ok(attest_agent_tpm(&lab.host[0].agent, &tpm, &e), &e);
	assert_ok(attest_tpm_identity(tpm, &ek, &cert, &ak_public, &e), &e);
	assert_ok(quote_ak_parse((struct bytes){ak_public.data, ak_public.len}, &ak, &e), &e);
	assert_ok(channel_shown_load(channel[0].id.cert, &shown, &e), &e);
	len = shown.proof.len;
	for (size_t i = 0; i < len; i++) {
		shown.proof.data[i] ^= 1u << i % 8;
		assert_int_not_equal(channel_check(&shown, &want, &e), 0);
		shown.proof.data[i] ^= 1u << i % 8;
	}
	for (shown.proof.len = 0; shown.proof.len < len; shown.proof.len++)
		assert_int_not_equal(channel_check(&shown, &want, &e), 0);
	assert_false(shown.proven);
	assert_ok(channel_check(&shown, &want, &e), &e);
	assert_true(shown.proven);
	channel_shown_free(&shown);
}

/* ---- the program ------------------------------------------------------------------------------------------------- */

static pid_t start_agent(struct lab_host *h, const char *tcti)
{
	pid_t pid;

	(void)snprintf(lab.log, sizeof(lab.log), "%s/agent.log", lab.dir);
	(void)unlink(lab.log);
	attest_agent_close(&h->agent);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)dup2(open(lab.log, O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
		lab_exec((const char *const[]){lab.program, "serve", "--tls", "127.0.0.1:0", "--pcr-key", lab_path("pcr-key.pem"),
					       "--pcr-signature", lab_path("states0.json"), "--tcti", tcti, "--firmware-log",
					       h->firmware_log, "--os-log", h->os_log, "--ima-log", h->ima_log, NULL});
	}
	return pid;
}

static void stop(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* The exit status of the program with these arguments. */
static int run(const char *const *argv)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)dup2(open(lab_path("out"), O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
		lab_exec(argv);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void fetch_and_verify_hold_the_channel_to_its_proof(void **state)
{
	struct lab_host *h = &lab.host[0];
	static const char nonce[] = "0505050505050505050505050505050505050505050505050505050505050505";
	char where[64], path[6][128], hex[2 * HASH_SHA256_BYTES + 1];
	const char *const names[] = {"host.json", "evidence", "cert.der", "refvalues.json", "policy.pem", "ca/roots.pem"};
	uint8_t key[HASH_SHA256_BYTES];
	cleanup_x509 X509 *cert = NULL;
	struct err e = ERR_INIT;
	pid_t agent;

	(void)state;
	lab_need();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		(void)snprintf(path[i], sizeof(path[i]), "%s/%s", lab.dir, names[i]);
	agent = start_agent(h, h->tcti);
	assert_true(lab_log_has("port "));
	(void)snprintf(where, sizeof(where), "tls:127.0.0.1:%d", atoi(strstr(lab_log(), "port ") + 5));
	assert_int_equal(run((const char *const[]){lab.program, "enrol", "--connect", where, "--ek-roots", path[5], "--out", path[0], NULL}), 0);
	assert_int_equal(run((const char *const[]){lab.program, "fetch", "--connect", where, "--nonce", nonce, "--out", path[1],
						   "--channel-cert", path[2], NULL}), 0);
	assert_int_equal(run((const char *const[]){lab.program, "verify", "--evidence", path[1], "--nonce", nonce, "--enrolment", path[0],
						   "--refvalues", path[3], "--policy-cert", path[4], "--channel-cert", path[2], NULL}), 0);
	/* the key's digest alone shows no proof */
	assert_ok(pki_cert_load(path[2], &cert, &e), &e);
	assert_ok(pki_cert_key_digest(cert, key, &e), &e);
	hex_encode(key, sizeof(key), hex);
	assert_int_equal(run((const char *const[]){lab.program, "verify", "--evidence", path[1], "--nonce", nonce, "--enrolment", path[0],
						   "--refvalues", path[3], "--policy-cert", path[4], "--channel", hex, NULL}), 1);
	stop(agent);
}

/* The TPM is away, comes back in a state that nobody signed, then in the signed one: the agent waits, and nobody waits for it. */
static void an_agent_without_its_tpm_goes_on_and_finds_it_again(void **state)
{
	struct lab_host *h = &lab.host[0];
	pid_t agent;

	(void)state;
	lab_need();
	lab_power_off(h);
	agent = start_agent(h, h->tcti);
	assert_true(lab_log_has("cannot open the TPM"));
	lab_power_on(h);
	assert_true(lab_log_has("stays closed"));
	assert_null(strstr(lab_log(), "port "));
	lab_boot(h);
	assert_true(lab_log_has("port "));
	assert_int_equal(waitpid(agent, NULL, WNOHANG), 0);
	stop(agent);
	lab_power_off(h); /* without a resource manager its keys would stay */
	lab_power_on(h);
	lab_boot(h);
	(void)snprintf(lab.log, sizeof(lab.log), "%s/verifier.log", lab.dir);
}

/* The last test: it leaves the TPM in a state that nobody signed. */
static void past_the_signed_states_the_key_is_closed(void **state)
{
	struct lab_host *h = &lab.host[0];
	struct err e = ERR_INIT;

	(void)state;
	lab_need();
	connect_sound();
	extend(h, "later"); /* signed too */
	assert_ok(connect_by(h, &channel[0].id, &e), &e);
	extend(h, "shutdown");
	/* In TLS 1.3 it is the client who signs last: the verifier's end never sees a finished handshake. */
	assert_int_not_equal(connect_by(h, &channel[0].id, &e), 0);
	assert_int_equal(channel[0].key.last.code, EACCES);
	assert_refused(open_key(0, "pcr-key.pem", "states0.json", &e), &e, EACCES, "none of the 2 states that the owner signed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_in_the_tpm_in_a_signed_state_is_accepted_each_time),
		cmocka_unit_test(a_key_in_memory_is_refused),
		cmocka_unit_test(the_proof_of_the_host_beside_another_key_is_refused),
		cmocka_unit_test(evidence_over_the_channel_of_another_tpm_is_refused),
		cmocka_unit_test(a_key_for_states_that_another_signs_is_refused),
		cmocka_unit_test(states_signed_by_another_key_open_nothing),
		cmocka_unit_test(without_its_policy_the_tpm_does_not_sign),
		cmocka_unit_test(a_tpm_in_lockout_still_signs),
		cmocka_unit_test(a_bent_proof_is_refused),
		cmocka_unit_test(fetch_and_verify_hold_the_channel_to_its_proof),
		cmocka_unit_test(an_agent_without_its_tpm_goes_on_and_finds_it_again),
		cmocka_unit_test(past_the_signed_states_the_key_is_closed),
	};

	return cmocka_run_group_tests_name("attest/attack: channel", tests, set_up, tear_down);
}
