/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/cmd_check.c - holdfast-policy check: signature, then every rule of the format */
#include "policy/cmd.h"

#include "common/cli.h"
#include "common/hex.h"
#include "policy/policy_write.h"

int policy_cmd_check(int argc, char **argv)
{
	const char *cert_path = NULL;
	int json = 0;
	const struct cli_opt opts[] = {
		{"cert", "CERT", "the policy certificate that is trusted", &cert_path, NULL, 0},
		{"json", NULL, "one document for programs", &json, NULL, 0},
		{0},
	};
	int n = cli_options(argc, argv, "FILE", "check FILE against FILE.p7s and CERT, then every rule of the format",
			    opts);
	cleanup_policy struct policy *p = NULL;
	cleanup_x509 X509 *cert = NULL;
	struct err e = ERR_INIT;
	char hex[2 * HASH_SHA256_BYTES + 1];
	int r;

	if (n < 0)
		return CLI_USAGE;
	if (n != 1 || !cert_path)
		return cli_usage(argv[0], "wants --cert and one FILE");
	if (pki_cert_load(cert_path, &cert, &e))
		return cli_fail(CLI_COULD_NOT, argv[0], &e);
	r = policy_check_file(argv[1], cert, &p, &e);
	if (r)
		return policy_cmd_exit(argv[0], r, &e);
	hex_encode(p->digest, HASH_SHA256_BYTES, hex);
	if (json) /* names are [a-z0-9._-]: nothing to escape */
		printf("{\"good\":true,\"name\":\"%s\",\"version\":%llu,\"images\":%zu,\"revoked\":%zu,\"sha256\":\"%s\"}\n", p->name,
		       (unsigned long long)p->version, p->n_images, p->n_revoked, hex);
	else
		printf("good: policy %s version %llu, %zu images, %zu revoked, sha256:%s\n", p->name,
		       (unsigned long long)p->version, p->n_images, p->n_revoked, hex);
	return CLI_PASSED;
}
