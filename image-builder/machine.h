/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/machine.h - the machine description: which events a board's firmware and QEMU machine leave in PCR 0 and 1
 *
 * Theory of operation
 *   PCR 0 and 1 do not depend on the image but on the firmware file, QEMU's version and its options. A machine description is made
 *   of these once (`holdfast-image machine`) and given to each `build --machine` as an input like any other, so that reference
 *   values stay a function of their inputs. Where each event comes from:
 *
 *     PCR 0  version, volumes                computed from the firmware file (firmware.h)
 *            the PEI volume on x86_64        RECORDED: read from the machine's memory after its firmware ran once
 *     PCR 1  ACPI tables and their loader    asked of QEMU (fw_cfg files, qtest.h)
 *            boot order and boot options     computed: the disk's place (BOOT_PCI_DISK), the volume's name
 *
 *   arm64 is asked frozen: no guest instruction is executed. On x86_64 the firmware must run, alone, with an empty disk: it
 *   writes to its PEI volume before it measures it, and QEMU makes the ACPI tables of what the firmware has set up by then
 *   (PM base, ECAM, where BARs lie, SMM features). That is a record and no computation, so it is proved where it is made: all events
 *   together must replay to PCR 0 and 1 that the TPM of this very run holds, or there is no description. No image has a
 *   part in it.
 *
 *   The machine has the agent's port (`boot --attest-socket`): one without is another machine, but nobody can ask it either.
 *
 * Input: the builder's own user; QEMU. Spec: TCG PFP 1.06, 3.3.4.1 and 3.3.4.2, 10.4.1; edk2 OvmfPkg AcpiPlatformDxe (what is measured
 * of fw_cfg, in the order of the loader's commands), MdeModulePkg BdsDxe; QEMU docs/specs; UEFI 2.10, 3.1.3 (load options).
 */
#ifndef IMAGE_BUILDER_MACHINE_H
#define IMAGE_BUILDER_MACHINE_H

#include "image-builder/board.h"
#include "image-builder/firmware.h"
#include "image-builder/predict.h"

#define MACHINE_MAX_FILE_BYTES 65536
#define MACHINE_MAX_EVENTS     64
#define MACHINE_MAX_TEXT       1024

/**
 * struct machine - zero it; machine_free() in any case
 * @firmware: SHA-256 of the firmware file
 * @options:  what of the board decides: QEMU's program and options
 * @qemu:     its version, for people
 * @recorded: the events hold a record (see above)
 * @pcr:      events of PCR 0 and 1, the separators among them
 */
struct machine_description {
	uint8_t firmware[HASH_SHA256_BYTES];
	char options[MACHINE_MAX_TEXT];
	char qemu[128];
	bool recorded;
	struct predict_list pcr[2];
};

/** struct machine_params - where board, firmware (@tree), the owner's @keys and the machine's state folder are */
struct machine_params {
	const struct board *board;
	const char *tree, *keys, *state;
	unsigned timeout_s;
};

/** machine_make() - describe the board's machine; runs QEMU and swtpm. -EINVAL if the firmware is not understood; -EBADMSG if the proof fails. */
int machine_make(const struct machine_params *p, struct machine_description *ret, struct err *e) WARN_UNUSED;

/** machine_free() - release; accepts a zeroed one. */
void machine_free(struct machine_description *m);

#define cleanup_machine __attribute__((cleanup(machine_free)))

/** machine_write() - append the document. machine_parse() - read one, strictly. docs/formats/README.md "Machine description". */
int machine_write(const struct machine_description *m, struct buf *ret, struct err *e) WARN_UNUSED;
int machine_parse(const void *text, size_t len, const char *name, struct machine_description *ret, struct err *e) WARN_UNUSED;

/** machine_options() - what of @board decides, as one line. -EINVAL if it is too long. */
int machine_options(const struct board *board, char ret[static MACHINE_MAX_TEXT], struct err *e) WARN_UNUSED;

/** machine_check() - is @m of @board and of the firmware file at @path? -EINVAL saying what differs. */
int machine_check(const struct machine_description *m, const struct board *board, const char *path, struct err *e) WARN_UNUSED;

/**
 * machine_code() - append the events of PCR 0
 * @pei: SHA-256 of the PEI volume as it is when it is measured; NULL: as it is in the file
 */
int machine_code(const struct firmware *f, const uint8_t *pei, struct predict_list *ret, struct err *e) WARN_UNUSED;

/** struct machine_blob - a fw_cfg file's name and bytes */
struct machine_blob {
	char name[57];
	struct buf data;
};

/**
 * machine_loader() - names of the files that the ACPI loader's commands allocate, in that order, which is that of the events
 * @ret: @max blobs, whose names are set; *@ret_n: how many. -EINVAL: not whole commands, an unknown one, a name without end, too many.
 */
int machine_loader(const void *loader, size_t len, struct machine_blob *ret, size_t max, size_t *ret_n, struct err *e) WARN_UNUSED;

/** machine_boot_options() - append the events of BootOrder, Boot0001 (the disk) and Boot0000 (the firmware's setup). */
int machine_boot_options(const uint8_t volume[static FV_GUID_BYTES], struct predict_list *ret, struct err *e) WARN_UNUSED;

#endif
