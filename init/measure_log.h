/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/measure_log.h - measure: first one record in the OS event log, then the extension of the PCR
 *
 * Theory of operation
 *   An event's digest is made for every bank the TPM keeps. The record is written to CEL_PATH before the PCR is
 *   extended: if the machine stops between the two, the log says more than the PCR and a verifier sees a difference; the
 *   other order would let a PCR hold what no log explains. The record's number goes on across the change of root: the log,
 *   which is in /run, is read back and parsed whole. Opening allocates; measuring never does.
 *   If the manifest says that the TPM is optional and there is none, records are written with a SHA-256 digest and
 *   nothing is extended; nobody can be deceived by them, for no quote covers them.
 *
 *   /dev/tpm0 stays open: the kernel then gives it to nobody else. The agent uses /dev/tpmrm0.
 */
#ifndef INIT_MEASURE_LOG_H
#define INIT_MEASURE_LOG_H

#include "common/cleanup.h"
#include "common/err.h"
#include "common/measure.h"
#include "common/tpm_cmd.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A verifier takes 64 KiB of evidence, firmware log included; past this nothing more is admitted, nor measured. */
#define PID1_MAX_EVENT_LOG_BYTES 16384
#define PID1_TPM_TIMEOUT_MS      20000

/** struct pid1_measure_log - zero it, then pid1_measure_open(); @tpm_fd is -1 without a TPM */
struct pid1_measure_log {
	int fd;
	int tpm_fd;
	struct tpm_banks banks;
	uint64_t recnum;
	size_t bytes;
};

/**
 * pid1_measure_open() - open or go on with the log
 * @tpm_fd: taken over; -1 if there is no TPM and the manifest allows it
 *
 * Return: 0; -EINVAL if a log that stands there is malformed; other -errno.
 */
int pid1_measure_open(struct pid1_measure_log *m, int tpm_fd, struct err *e) WARN_UNUSED;

/**
 * pid1_measure() - one event: record, then extension
 *
 * No heap. Waits for the TPM up to PID1_TPM_TIMEOUT_MS. Return: 0; -ENOSPC if the log is full; other -errno.
 */
int pid1_measure(struct pid1_measure_log *m, const struct measure_event *ev, struct err *e) WARN_UNUSED;

#endif
