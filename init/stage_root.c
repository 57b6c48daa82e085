/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/stage_root.c - from a root hash to the verified root: TPM, disk, signature, dm-verity, identity, mount
 *
 * The command line pins the root hash; the signature record on the disk must name the same root and the signer that
 * the boot manifest names (so that the identity measured is the one the UKI names); the kernel judges the signature itself.
 */
#include "init/pid1.h"

#include "common/hex.h"
#include "common/tpm_cmd.h"
#include "init/io.h"
#include "init/log.h"
#include "init/sys.h"
#include "init/uevent.h"

#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#define NS_PER_MS 1000000u

int pid1_phase(struct pid1 *p, enum measure_phase phase, struct err *e)
{
	struct measure_event ev = measure_phase(phase);
	int r = pid1_measure(&p->log, &ev, e);

	if (r)
		p->code = CODE_MEASURE;
	return r;
}

/* A TPM that is there, or -1 if none came until the deadline and the manifest allows that. */
static int find_tpm(struct pid1 *p, int *ret_fd, struct err *e)
{
	uint64_t deadline = sys_now_ns() + p->boot.tpm_ms * NS_PER_MS;
	int r = tpm_cmd_open(ret_fd, e);

	while (r == -ENOENT) {
		r = pid1_uevent_wait(p->uevents, "tpm", deadline, e);
		if (!r)
			r = tpm_cmd_open(ret_fd, e);
	}
	if (r != -ETIMEDOUT || p->boot.tpm_required)
		return r;
	pid1_log(p->stage, "none within %llu ms; the manifest allows that: events are logged, nothing is extended",
		 (unsigned long long)p->boot.tpm_ms);
	*ret_fd = -1;
	return 0;
}

int pid1_stage_tpm(struct pid1 *p, struct err *e)
{
	char banks[TPM_CMD_MAX_BANKS * 10] = ""; /* a blank and a name of at most eight characters each */
	int fd, r, n = 0;

	p->uevents = sys_uevent_open();
	if (p->uevents < 0) {
		p->code = CODE_UEVENTS;
		return pid1_err(e, p->uevents, "cannot listen to uevents");
	}
	r = find_tpm(p, &fd, e);
	if (r)
		return r;
	p->code = CODE_MEASURE;
	r = pid1_measure_open(&p->log, fd, e);
	if (r)
		return r;
	for (size_t i = 0; i < p->log.banks.n; i++)
		n += snprintf(banks + n, sizeof(banks) - (size_t)n, " %s", hash_name(p->log.banks.alg[i]));
	if (fd >= 0)
		pid1_log(p->stage, "banks%s", banks);
	r = pid1_profile_measure(p, e);
	return r ? r : pid1_phase(p, MEASURE_ENTER_INITRD, e);
}

int pid1_stage_disk(struct pid1 *p, struct err *e)
{
	struct verity_discover_params params = { .root_hash = p->cmdline.root_hash };
	uint64_t deadline = sys_now_ns() + p->boot.disk_ms * NS_PER_MS;
	struct err wait = ERR_INIT;
	int r = verity_discover_root(&params, &p->root_devices, e);

	while (r == -ENOENT) {
		r = pid1_uevent_wait(p->uevents, "block", deadline, &wait);
		if (r == -ETIMEDOUT)
			return -e->code; /* what is missing is the better sentence */
		if (r)
			*e = wait;
		else
			r = verity_discover_root(&params, &p->root_devices, e);
	}
	if (r)
		return r;
	sys_close(p->uevents);
	p->uevents = -1;
	pid1_log(p->stage, "root %s, hash tree %s", p->root_devices.path[VERITY_PART_ROOT],
		 p->root_devices.path[VERITY_PART_HASH]);
	return 0;
}

int pid1_stage_signature(struct pid1 *p, struct err *e)
{
	const struct verity_sigrecord *rec = &p->root_signature;
	const char *path = p->root_devices.path[VERITY_PART_SIG];
	char hex[2 * HASH_SHA256_BYTES + 1];
	int r = verity_sigrecord_load(path, &p->root_signature, e);

	if (r)
		return r;
	if (!hash_equal(rec->root_hash, HASH_SHA256_BYTES, p->cmdline.root_hash, HASH_SHA256_BYTES)) {
		p->code = CODE_ROOT_RECORD_HASH;
		hex_encode(rec->root_hash, HASH_SHA256_BYTES, hex);
		return err_set(e, EBADMSG, "%s is for root hash %s, not for that of the command line", path, hex);
	}
	if (!hash_equal(rec->fingerprint, HASH_SHA256_BYTES, p->boot.root_signer, HASH_SHA256_BYTES)) {
		p->code = CODE_ROOT_RECORD_SIGNER;
		hex_encode(rec->fingerprint, HASH_SHA256_BYTES, hex);
		return err_set(e, EBADMSG, "%s names signer %s, not the boot manifest's root.signer", path, hex);
	}
	return 0;
}

int pid1_stage_activate(struct pid1 *p, struct err *e)
{
	struct verity_activate_params params = {
		.name = "root",
		.data_device = p->root_devices.path[VERITY_PART_ROOT],
		.hash_device = p->root_devices.path[VERITY_PART_HASH],
		.root_hash = p->cmdline.root_hash,
		.signature = p->root_signature.signature,
		.signature_bytes = p->root_signature.signature_bytes,
		.on_corruption = p->boot.on_corruption,
	};
	int r = verity_activate(&params, &p->root, e);

	if (r && verity_is_signature_error(r))
		p->code = CODE_ROOT_SIGNATURE;
	if (!r)
		pid1_log(p->stage, "%s, signature accepted by %s", p->root.path,
			 pid1_is_direct(p) ? "PID 1" : "the kernel");
	return r;
}

int pid1_stage_identity(struct pid1 *p, struct err *e)
{
	struct measure_event hash = measure_root_hash(p->cmdline.root_hash);
	struct measure_event signer = measure_root_signer(p->root_signature.fingerprint);
	int r = pid1_measure(&p->log, &hash, e);

	return r ? r : pid1_measure(&p->log, &signer, e);
}

int pid1_stage_mount_root(struct pid1 *p, struct err *e)
{
	int r = sys_mkdir(PID1_SYSROOT, 0755);

	if (!r)
		r = sys_mount(p->root.path, PID1_SYSROOT, "erofs", MS_RDONLY | MS_NODEV | MS_NOSUID, NULL);
	return r ? pid1_err(e, r, "cannot mount %s on %s", p->root.path, PID1_SYSROOT) : 0;
}
