/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/judge_files.c - the operator's files that say what is wanted */
#include "attest/judge_files.h"

#include <stdlib.h>

const char *judge_files_wrong(const struct judge_files *f)
{
	return f->revoked.n_crls && !f->revoked.roots[0] && !f->revoked.roots[1]
		       ? "--ek-crl without the roots that sign EK certificates and CRLs (--ek-roots, --provider-roots)"
		       : NULL;
}

/* All but the reference values: here a bad signature is no verdict. */
static int load_wishes(const struct judge_files *f, int64_t now_s, struct judge_set *set, struct err *e)
{
	int rc = f->policy_set ? fleet_load(f->policy_set, &set->fleet, e) : 0;

	if (!rc)
		rc = ek_revoked_load(&f->revoked, now_s, &set->revoked, e);
	return rc == -EBADMSG ? -EINVAL : rc;
}

int judge_files_load(const struct judge_files *f, int64_t now_s, struct judge_set *ret, struct err *e)
{
	struct judge_set set __attribute__((cleanup(judge_set_free))) = {0};
	cleanup_x509 X509 *cert = NULL;
	int rc = pki_cert_load(f->policy_cert, &cert, e);

	if (rc)
		return rc == -EBADMSG ? -EINVAL : rc;
	rc = load_wishes(f, now_s, &set, e);
	if (rc)
		return rc;
	set.rv = calloc(f->n_refvalues, sizeof(*set.rv));
	if (!set.rv)
		return err_set(e, ENOMEM, "no memory for reference values");
	for (; set.n < f->n_refvalues; set.n++)
		if ((rc = refvalues_load(f->refvalues[set.n], cert, &set.rv[set.n], e)))
			return rc;
	*ret = set;
	set = (struct judge_set){0}; /* owned by the caller now */
	return 0;
}
