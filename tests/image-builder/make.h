/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/image-builder/make.h - what these tests make for themselves: keys, folders, files; and tools that may be
 * missing */
#ifndef TESTS_IMAGE_BUILDER_MAKE_H
#define TESTS_IMAGE_BUILDER_MAKE_H

#include "tests/common/check.h"

#include "common/file.h"
#include "common/pki.h"
#include "common/proc.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

/* A key of its own and a self-signed certificate, as the builder makes them. RSA, or P-256 with @ec. */
static UNUSED void make_key(const char *name, int ec, EVP_PKEY **ret_key, X509 **ret_cert)
{
	EVP_PKEY *key = ec ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048);
	X509 *cert = X509_new();
	X509_NAME *subject = X509_get_subject_name(cert);

	assert_non_null(key);
	assert_true(X509_set_version(cert, 2) && ASN1_INTEGER_set(X509_get_serialNumber(cert), 0x1234567));
	assert_true(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0));
	assert_true(X509_set_issuer_name(cert, subject) && X509_set_pubkey(cert, key));
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), -3600));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 86400));
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	*ret_key = key;
	*ret_cert = cert;
}

static UNUSED void make_pem(const char *path, X509 *cert)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(PEM_write_X509(f, cert));
	assert_int_equal(fclose(f), 0);
}

static UNUSED void make_key_pem(const char *path, EVP_PKEY *key)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL));
	assert_int_equal(fclose(f), 0);
}

/* A folder of the test's own, removed by drop_folder(). */
static UNUSED void make_folder(char ret[static 64])
{
	strcpy(ret, "/tmp/holdfast-test-XXXXXX");
	assert_non_null(mkdtemp(ret));
}

static UNUSED void drop_folder(const char *folder)
{
	const char *argv[] = {"rm", "-rf", "--", folder, NULL};
	struct proc_params p = {.argv = argv};
	struct err e = ERR_INIT;

	assert_ok(proc_run(&p, &e), &e);
}

/* "<folder>/<name>" in one of 64 static buffers. */
static UNUSED const char *in(const char *folder, const char *name)
{
	static char path[64][512];
	static unsigned next;
	char *p = path[next++ % 64];

	(void)snprintf(p, sizeof(path[0]), "%s/%s", folder, name); /* short names */
	return p;
}

/* A file below @folder, its folders made first. */
static UNUSED void make_file(const char *folder, const char *name, const void *data, size_t len)
{
	char parent[512];
	struct err e = ERR_INIT;

	(void)snprintf(parent, sizeof(parent), "%s/%s", folder, name); /* short names */
	*strrchr(parent, '/') = '\0';
	assert_ok(file_mkdirs(parent, &e), &e);
	assert_ok(file_write(in(folder, name), data, len, 0755, &e), &e);
}

static UNUSED struct buf load(const char *path)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	assert_ok(file_read(path, 1u << 30, &b, &e), &e);
	return b;
}

/* Skip the test, loudly, if @tool is missing. To be called before anything is allocated: skip() does not return. */
static UNUSED void need(const char *tool)
{
	struct buf out = BUF_INIT;
	const char *argv[] = {tool, "--version", NULL};
	struct proc_params p = {.argv = argv, .out = &out, .out_max = 1u << 20, .quiet = 1};
	struct err e = ERR_INIT;
	int r = proc_run(&p, &e);

	buf_free(&out);
	if (r != -ENOENT)
		return; /* it is there; what it thinks of --version does not matter */
	print_message("SKIP: %s is not installed: what it would have checked was NOT checked\n", tool);
	skip();
}

/* Run a tool of another project on what we made. *ret_out (may be NULL) gets what it printed, with a NUL. */
static UNUSED int oracle(const char *const *argv, struct buf *ret_out, struct err *e)
{
	struct buf out = BUF_INIT;
	struct proc_params p = {.argv = argv, .out = &out, .out_max = 1u << 20, .quiet = 1};
	int r = proc_run(&p, e);

	buf_u8(&out, 0);
	if (ret_out)
		*ret_out = out;
	else
		buf_free(&out);
	return r;
}

#endif
