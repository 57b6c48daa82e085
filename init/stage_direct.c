/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/stage_direct.c - the profile `direct`: a machine without UEFI, whose kernel knows no key of the owner's
 *
 * Nothing below PID 1 was checked by anybody, so three things are different, and everything else is not. PID 1
 * measures what the firmware would have measured, as far as it can see it: profile, command line, boot manifest. It
 * judges root hash signatures by a certificate in the initramfs, later in the verified root. And in IPE's place it has
 * BPF-LSM hold execution to the volumes it opened (init/stage_bpf_lsm.c).
 *
 * On a machine with UEFI init/stage_trust.c refuses: there the kernel could have judged, so whoever asks for `direct` has changed the
 * command line. (The verifier refuses too: reference values of the one profile never fit evidence of the other.)
 */
#include "init/pid1.h"

#include "common/pki.h"
#include "init/io.h"
#include "verity/trust.h"

/* The certificate; kept until the machine is off. */
static int load_signer(X509 **ret, struct err *e)
{
	int r = pki_cert_load(PID1_SIGNER, ret, e);

	if (!r)
		verity_trust_direct(*ret);
	return r;
}

int pid1_direct_begin(struct pid1 *p, struct err *e)
{
	uint8_t print[HASH_SHA256_BYTES];
	X509 *signer = NULL;
	int r = load_signer(&signer, e);

	if (!r)
		r = pki_cert_fingerprint(signer, print, e);
	if (!r && !hash_equal(print, sizeof(print), p->boot.root_signer, sizeof(p->boot.root_signer)))
		r = err_set(e, EBADMSG, "%s is not the boot manifest's root.signer", PID1_SIGNER);
	return r;
}

int pid1_direct_resume(struct err *e)
{
	X509 *signer = NULL;

	return load_signer(&signer, e);
}

int pid1_direct_measure(struct pid1 *p, struct err *e)
{
	static char cmdline[CMDLINE_MAX_BYTES];
	uint8_t manifest[HASH_SHA256_BYTES];
	struct measure_event ev;
	size_t len;
	int r = pid1_read(CMDLINE_PATH, cmdline, sizeof(cmdline), &len, e);

	if (!r)
		r = hash_sha256_file(PID1_BOOT_CONF, manifest, e);
	if (r)
		return r;
	ev = measure_direct_cmdline(cmdline, len);
	r = pid1_measure(&p->log, &ev, e);
	ev = measure_direct_manifest(manifest);
	return r ? r : pid1_measure(&p->log, &ev, e);
}
