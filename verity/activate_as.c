/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/activate_as.c - activation by libcryptsetup, with any option (declared in verity/activate.h)
 *
 * A file of its own: PID 1 and the gate never come here, so they are linked without libcryptsetup, and neither initramfs nor
 * root carry it and the ten libraries that it brings.
 */
#include "verity/activate.h"

#include "verity/trust.h"

#include <libcryptsetup.h>
#include <string.h>

CLEANUP_DEFINE(crypt, struct crypt_device *, crypt_free)
#define cleanup_crypt __attribute__((cleanup(cleanup_crypt_fn)))

/*
 * What dm-verity answers when it refuses a signature. libcryptsetup folds most of them into EINVAL, EBUSY or ENODEV,
 * but logs libdevmapper's line with the strerror() of the ioctl; that is where they are found again.
 */
static const struct refusal {
	int kernel;
	int ret;
} refusal_table[] = {
	{ENOKEY, ENOKEY},             /* no such key in the keyrings */
	{EKEYREJECTED, EKEYREJECTED}, /* the signature is of something else */
	{EKEYREVOKED, EKEYREVOKED},   /* on the blacklist (dbx) */
	{EKEYEXPIRED, EKEYEXPIRED},
	{EBADMSG, EKEYREJECTED}, /* not a PKCS#7 message */
	{ENOPKG, EKEYREJECTED},  /* an algorithm this kernel does not verify */
};

/* struct log - the first error libcryptsetup or libdevmapper logged, and what it says of the signature */
struct log {
	char first[160];
	int refusal;
};

static void take_log(int level, const char *msg, void *usrptr)
{
	struct log *log = usrptr;

	if (level != CRYPT_LOG_ERROR)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(refusal_table) && !log->refusal; i++)
		if (strstr(msg, "ioctl") && strstr(msg, strerror(refusal_table[i].kernel)))
			log->refusal = refusal_table[i].ret;
	if (!log->first[0]) {
		(void)snprintf(log->first, sizeof(log->first), "%s", msg); /* a cut sentence is better than none */
		log->first[strcspn(log->first, "\n")] = '\0';
	}
}

/* Sentence and code of a failure of libcryptsetup. */
static int crypt_failed(int r, const struct log *log, const char *what, const char *name, struct err *e)
{
	return err_set(e, -r, "%s %s: %s (%s)", what, name, err_text(-r),
		       log->first[0] ? log->first : "no reason logged");
}

/* What `holdfast-verity open` asks for: any option, by libcryptsetup. */
static int load_and_activate(const struct verity_activate_params *p, const struct verity_activate_how *how, struct log *log,
			     struct err *e)
{
	bool by_kernel = p->signature && !verity_trust_is_direct(); /* else the caller has judged it, or there is none */
	cleanup_crypt struct crypt_device *cd = NULL;
	int r = crypt_init(&cd, p->hash_device);

	if (r < 0)
		return crypt_failed(r, log, "libcryptsetup does not open", p->hash_device, e);
	crypt_set_log_callback(cd, take_log, log);
	r = how->load(cd, p, how->arg);
	if (r < 0)
		return crypt_failed(r, log, "libcryptsetup does not read the superblock of", p->hash_device, e);
	r = crypt_set_data_device(cd, p->data_device);
	if (r < 0)
		return crypt_failed(r, log, "libcryptsetup does not open", p->data_device, e);
	r = crypt_activate_by_signed_key(cd, p->name, (const char *)p->root_hash, how->root_hash_bytes,
					 by_kernel ? (const char *)p->signature : NULL,
					 by_kernel ? p->signature_bytes : 0, how->flags);
	if (r >= 0)
		return 0;
	if (r == -EEXIST)
		return err_set(e, EEXIST, "a device-mapper device %s is there already", p->name);
	if (p->signature && (log->refusal || r == -ENOKEY)) {
		r = log->refusal ? -log->refusal : r;
		return err_set(e, -r, "the kernel refuses the root hash signature of %s: %s", p->name, err_text(-r));
	}
	return crypt_failed(r, log, "cannot activate", p->name, e);
}

int verity_activate_as(const struct verity_activate_params *p, const struct verity_activate_how *how, struct err *e)
{
	struct log log = {0};
	int r;

	crypt_set_log_callback(NULL, take_log, &log); /* also what is said before there is a context */
	r = load_and_activate(p, how, &log, e);
	crypt_set_log_callback(NULL, NULL, NULL);
	return r;
}
