/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/policy/owner.h - throw-away signers and small helpers for the tests of policy/ */
#ifndef TESTS_POLICY_OWNER_H
#define TESTS_POLICY_OWNER_H

#include "tests/common/check.h"

#include "common/file.h"
#include "common/hex.h"
#include "common/pki.h"
#include "common/proc.h"

#include <limits.h>
#include <stdio.h>

struct owner {
	struct pki_signer by;
	char key_path[PATH_MAX], cert_path[PATH_MAX];
};

/* Run one command, found in PATH; its failure fails the test. */
static inline void owner_run(const char *const *argv)
{
	struct proc_params p = {.argv = argv, .quiet = 1};
	struct err e = ERR_INIT;

	assert_ok(proc_run(&p, &e), &e);
}

/* EC keys: made in no time. */
static inline void owner_make(struct owner *o, const char *dir, const char *name)
{
	char subject[80];
	const char *const argv[] = {
		"openssl", "req",        "-x509", "-newkey", "ec",    "-pkeyopt", "ec_paramgen_curve:P-256",
		"-nodes",  "-days",      "1",     "-subj",   subject, "-keyout",  o->key_path,
		"-out",    o->cert_path, NULL};
	struct err e = ERR_INIT;

	(void)snprintf(subject, sizeof(subject), "/CN=%s", name);
	(void)snprintf(o->key_path, sizeof(o->key_path), "%s/%s.key", dir, name);
	(void)snprintf(o->cert_path, sizeof(o->cert_path), "%s/%s.crt", dir, name);
	owner_run(argv);
	assert_ok(pki_key_load(o->key_path, &o->by.key, &e), &e);
	assert_ok(pki_cert_load(o->cert_path, &o->by.cert, &e), &e);
}

static inline void owner_free(struct owner *o)
{
	EVP_PKEY_free(o->by.key);
	X509_free(o->by.cert);
}

static inline void owner_write_der(const struct owner *o, const char *path)
{
	unsigned char *der = NULL;
	int n = i2d_X509(o->by.cert, &der);
	struct err e = ERR_INIT;

	assert_true(n > 0);
	assert_ok(file_write(path, der, (size_t)n, 0644, &e), &e);
	OPENSSL_free(der);
}

static inline void owner_remove_folder(const char *dir)
{
	const char *const argv[] = {"rm", "-r", dir, NULL};

	owner_run(argv);
}

#endif
