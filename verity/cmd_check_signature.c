/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/cmd_check_signature.c - `holdfast-verity check-signature` */
#include "verity/cmd.h"

#include "common/file.h"
#include "common/pki.h"
#include "verity/sigrecord.h"

#include <string.h>

/*
 * The signature of @path: PKCS#7 alone, or a signature record, which must then name this root hash and certificate.
 * Return: 0; -EBADMSG or -EINVAL checked and bad; other -errno could not check.
 */
static int get_signature(const char *path, bool is_record, const uint8_t *root_hash,
			 X509 *cert, struct buf *ret, struct err *e)
{
	uint8_t fingerprint[HASH_SHA256_BYTES];
	struct verity_sigrecord rec;
	int r;

	if (!is_record)
		return file_read(path, PKI_MAX_SIGNATURE_BYTES, ret, e);
	r = verity_sigrecord_load(path, &rec, e);
	if (!r)
		r = pki_cert_fingerprint(cert, fingerprint, e);
	if (r)
		return r;
	if (!hash_equal(rec.root_hash, sizeof(rec.root_hash), root_hash, HASH_SHA256_BYTES))
		return err_set(e, EBADMSG, "%s is the record of another root hash", path);
	if (!hash_equal(rec.fingerprint, sizeof(rec.fingerprint), fingerprint, sizeof(fingerprint)))
		return err_set(e, EBADMSG, "%s names another certificate", path);
	buf_put(ret, rec.signature, rec.signature_bytes);
	return ret->bad ? err_set(e, ENOMEM, "no memory to read %s", path) : 0;
}

int verity_cmd_check_signature(int argc, char **argv)
{
	const char *cert_path = NULL;
	int is_record = 0;
	const struct cli_opt opts[] = {
		{"cert", "FILE", "certificate of the signer", &cert_path, NULL, 0},
		{"record", NULL, "SIGNATURE is a record (root-verity-sig partition)", &is_record, NULL, 0},
		{NULL, NULL, NULL, NULL, NULL, 0},
	};
	int n = cli_options(argc, argv, "ROOTHASH SIGNATURE", "is this the certificate's signature of this root hash?",
			    opts);
	cleanup_x509 X509 *cert = NULL;
	cleanup_buf struct buf sig = BUF_INIT;
	uint8_t root_hash[HASH_MAX_BYTES];
	size_t root_hash_bytes = 0;
	struct err e = ERR_INIT;
	enum cli_exit code;
	int r;

	if (n < 0)
		return CLI_USAGE;
	if (n != 2 || !cert_path)
		return cli_usage(argv[0], "wanted --cert, ROOTHASH and SIGNATURE");
	code = verity_cmd_any_root_hash(argv[0], argv[1], NULL, root_hash, &root_hash_bytes);
	if (code)
		return code;
	if (is_record && root_hash_bytes != HASH_SHA256_BYTES)
		return cli_usage(argv[0], "a signature record holds SHA-256 root hashes only");
	r = pki_cert_load(cert_path, &cert, &e);
	if (r)
		return cli_fail(CLI_COULD_NOT, argv[0], &e);
	r = get_signature(argv[2], is_record, root_hash, cert, &sig, &e);
	if (!r)
		r = pki_verify_detached(cert, argv[1], strlen(argv[1]), sig.data, sig.len, &e);
	if (r)
		return cli_fail(r == -EBADMSG || (is_record && r == -EINVAL) ? CLI_BAD : CLI_COULD_NOT, argv[0], &e);
	printf("%s: good signature\n", argv[2]);
	return CLI_PASSED;
}
