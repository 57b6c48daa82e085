/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/qtest.h - look at a QEMU machine from outside: its memory, its fw_cfg files, its TPM's PCRs
 *
 * Theory of operation
 *   QEMU's qtest socket reads and writes a machine's address space in its own name, whether its processor runs or not ("-S"): lines
 *   of text, one answer each. With it the two questions that a prediction has are answered without a program in the guest:
 *   which bytes does this machine hand to its firmware (fw_cfg files, read by DMA as the firmware reads them), and
 *   what does its TPM hold (TPM2_PCR_Read through the registers of TIS).
 *
 *     > read 0xADDRESS 0xSIZE        < OK 0xHEX           > writeb 0xADDRESS 0xVALUE    < OK
 *     > write 0xADDRESS 0xSIZE 0xHEX < OK                 > outl 0xPORT 0xVALUE         < OK
 *
 *   Memory that fw_cfg's DMA writes to is changed: ask about memory first.
 *
 * Input: QEMU, started by us; bounded all the same. Spec: QEMU docs/devel/testing/qtest, docs/specs/fw_cfg; TCG PC Client PTP
 * 1.05 section 6 (FIFO interface); TPM 2.0 part 3, 22.4.
 */
#ifndef IMAGE_BUILDER_QTEST_H
#define IMAGE_BUILDER_QTEST_H

#include "common/buf.h"
#include "common/err.h"
#include "common/hash.h"

#define QTEST_MAX_FILE_BYTES (1u << 20)

/** struct qtest - one connection; zero it, qtest_close() in any case */
struct qtest {
	int fd;
	bool x86;
	size_t n;
	char in[16384];
};

/** qtest_open() - connect to the socket at @path, which QEMU may not have made yet. -ETIMEDOUT. */
int qtest_open(const char *path, const char *arch, struct qtest *ret, struct err *e) WARN_UNUSED;

/** qtest_stop() - halt the processor for good, by QEMU's monitor at the socket @monitor: nobody else then uses the TPM. */
int qtest_stop(const char *monitor, struct err *e) WARN_UNUSED;

/** qtest_close() - end it; @q as qtest_open() left it, or with fd -1. */
void qtest_close(struct qtest *q);

#define cleanup_qtest __attribute__((cleanup(qtest_close)))

/** qtest_read() - append @n bytes of the machine's memory at @address. */
int qtest_read(struct qtest *q, uint64_t address, size_t n, struct buf *ret, struct err *e) WARN_UNUSED;

/** qtest_fw_cfg() - append the whole fw_cfg file @name. -ENOENT if the machine has none. */
int qtest_fw_cfg(struct qtest *q, const char *name, struct buf *ret, struct err *e) WARN_UNUSED;

/** qtest_pcr() - value of @pcr, bank sha256, from a TPM with TIS registers on a PC. The processor must stand. */
int qtest_pcr(struct qtest *q, unsigned pcr, uint8_t ret[static HASH_SHA256_BYTES], struct err *e) WARN_UNUSED;

#endif
