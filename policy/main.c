/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/main.c - holdfast-policy: make, sign, check and explain the layer policy */
#include "common/cli.h"
#include "policy/cmd.h"

int policy_cmd_exit(const char *verb, int error, const struct err *e)
{
	return cli_fail(error == -EINVAL || error == -EBADMSG || error == -EEXIST ? CLI_BAD : CLI_COULD_NOT, verb, e);
}

int policy_cmd_signer(const char *key, const char *cert, struct pki_signer *ret, struct err *e)
{
	struct pki_signer s = {0};
	int r = pki_key_load(key, &s.key, e);

	r = r ? r : pki_cert_load(cert, &s.cert, e);
	if (r)
		policy_cmd_signer_free(&s);
	else
		*ret = s;
	return r;
}

void policy_cmd_signer_free(struct pki_signer *s)
{
	EVP_PKEY_free(s->key);
	X509_free(s->cert);
	*s = (struct pki_signer){0};
}

void policy_cmd_quoted(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			printf("\\x%02x", c);
		else
			putchar(c);
	}
	putchar('"');
}

int main(int argc, char **argv)
{
	static const struct cli_command table[] = {
		{"init", policy_cmd_init, "write an empty policy"},
		{"add", policy_cmd_add, "convert an OCI image's layers, sign them, and add its entry"},
		{"class", policy_cmd_class, "declare a class: whose users are its own, beside whom it never runs"},
		{"remove", policy_cmd_remove, "take an image's entry out"},
		{"revoke", policy_cmd_revoke, "forbid layers for ever"},
		{"sign", policy_cmd_sign, "write FILE.p7s"},
		{"check", policy_cmd_check,
		 "check FILE against FILE.p7s and a certificate, then every rule of the format"},
		{"show", policy_cmd_show, "say in words what a policy allows"},
		{"diff", policy_cmd_diff, "say what a new version allows more, less, or else"},
		{"explain", policy_cmd_explain, "would the gate admit this config.json, and if not, why"},
		{"derive", policy_cmd_derive, "print what follows from a policy: the kernel's IPE policy, reference values"},
		{"doctor", policy_cmd_doctor, "does an engine's configuration go around the gate?"},
		{0},
	};

	return cli_main(argc, argv, "holdfast-policy", "the signed layer policy: which containers may run, and as what",
			table);
}
