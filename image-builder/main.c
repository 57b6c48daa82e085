/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/main.c - holdfast-image: make a host image, and boot it in an emulator */
#include "common/cli.h"
#include "image-builder/cmd.h"

#include <signal.h>
#include <sys/stat.h>

int main(int argc, char **argv)
{
	static const struct cli_command table[] = {
		{ "keys", cmd_keys, "make throw-away owner keys" },
		{ "fetch", cmd_fetch, "download and extract packages of Debian 13, without installing them" },
		{ "oci-make", cmd_oci_make, "make a container image (OCI layout) from folders" },
		{ "build", cmd_build, "build a host image: disk, UKI, policy, reference values" },
		{ "update", cmd_update, "put a newer image into the other slot of a disk image" },
		{ "machine", cmd_machine, "describe what a board's firmware and QEMU leave in PCR 0, 1" },
		{ "boot", cmd_boot, "boot an image in QEMU with Secure Boot and a TPM" },
		{ "codes", cmd_codes, "what a failure code means, and what to do" },
		{ 0 },
	};

	(void)umask(022);               /* an image must not depend on whose it is; keys get their mode explicitly */
	(void)signal(SIGPIPE, SIG_IGN); /* write() says it */
	(void)signal(SIGXFSZ, SIG_IGN); /* likewise: a file size limit is an error, not an end */
	return cli_main(argc, argv, "holdfast-image", "build a container host that stays the host that was built",
			table);
}
