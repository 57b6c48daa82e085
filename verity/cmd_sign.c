/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/cmd_sign.c - `holdfast-verity sign` */
#include "verity/cmd.h"

#include "common/file.h"
#include "common/pki.h"
#include "verity/sigrecord.h"

#include <string.h>

/* The signature record of a root-verity-sig partition. */
static int write_record(const char *path, const uint8_t *root_hash, X509 *cert,
			const struct buf *sig, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;
	struct verity_sigrecord rec = {0};
	int r = pki_cert_fingerprint(cert, rec.fingerprint, e);

	if (r)
		return r;
	if (sig->len > sizeof(rec.signature))
		return err_set(e, EFBIG, "the signature has %zu bytes, a record holds %zu", sig->len,
			       sizeof(rec.signature));
	memcpy(rec.root_hash, root_hash, sizeof(rec.root_hash));
	memcpy(rec.signature, sig->data, sig->len);
	rec.signature_bytes = sig->len;
	r = verity_sigrecord_encode(&rec, VERITY_SIGRECORD_PARTITION_BYTES, &b, e);
	return r ? r : file_write(path, b.data, b.len, 0644, e);
}

int verity_cmd_sign(int argc, char **argv)
{
	const char *key_path = NULL, *cert_path = NULL, *out = NULL, *record = NULL;
	const struct cli_opt opts[] = {
		{"key", "PEM|URI", "private key", &key_path, NULL, 0},
		{"cert", "FILE", "its certificate", &cert_path, NULL, 0},
		{"out", "FILE", "PKCS#7, DER, as the kernel takes it", &out, NULL, 0},
		{"record", "FILE", "content of a root-verity-sig partition (16 KiB)", &record, NULL, 0},
		{NULL, NULL, NULL, NULL, NULL, 0},
	};
	int n = cli_options(argc, argv, "ROOTHASH", "sign a root hash", opts);
	cleanup_pkey EVP_PKEY *key = NULL;
	cleanup_x509 X509 *cert = NULL;
	cleanup_buf struct buf sig = BUF_INIT;
	struct pki_signer by;
	uint8_t root_hash[HASH_MAX_BYTES];
	size_t root_hash_bytes = 0;
	struct err e = ERR_INIT;
	enum cli_exit code;
	int r;

	if (n < 0)
		return CLI_USAGE;
	if (n != 1 || !key_path || !cert_path || (!out && !record))
		return cli_usage(argv[0], "wanted --key, --cert, --out or --record, and one ROOTHASH");
	code = verity_cmd_any_root_hash(argv[0], argv[1], NULL, root_hash, &root_hash_bytes);
	if (code)
		return code;
	if (record && root_hash_bytes != HASH_SHA256_BYTES)
		return cli_usage(argv[0], "a signature record holds SHA-256 root hashes only");
	r = pki_key_load(key_path, &key, &e);
	if (!r)
		r = pki_cert_load(cert_path, &cert, &e);
	by = (struct pki_signer){.key = key, .cert = cert};
	if (!r)
		r = pki_sign(&by, argv[1], strlen(argv[1]), PKI_DETACHED, &sig, &e);
	if (!r && out)
		r = file_write(out, sig.data, sig.len, 0644, &e);
	if (!r && record)
		r = write_record(record, root_hash, cert, &sig, &e);
	return r ? cli_fail(CLI_COULD_NOT, argv[0], &e) : CLI_PASSED;
}
