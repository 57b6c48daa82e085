/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/vm/probe.h - what the parts of the probe share; see probe.c */
#ifndef TESTS_VM_PROBE_H
#define TESTS_VM_PROBE_H

#include "common/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

extern int failures;
extern bool by_bpf; /* the profile has BPF-LSM hold execution: direct, enforce-jit */

/** verdict() - one line; counted if not @ok. denied(): the call must have failed with one of two errno values. */
void verdict(bool ok, const char *name, const char *found);
void denied(long r, int want, int or_want, const char *name);

/** slurp() - a file as text. write_to(): one write. find(): pid of the process named @comm, 0 if there is none. */
ssize_t slurp(const char *path, char *buf, size_t size);
int write_to(const char *path, const char *text);
pid_t find(const char *comm);

/** asked() - one packet to a socket of PID 1; does the answer begin with @want_prefix? */
bool asked(const char *path, const char *request, const char *want_prefix, char *answer, size_t size);

/** probe_end_state() - the locked end state, all of it; probe_supervisor(): PID 1 under duress; probe_last(): the end. */
void probe_end_state(void);
int probe_supervisor(void);
int probe_last(void);

/** probe_jit_before(), probe_jit(), probe_jit_after() - executable memory in enforce-jit: before, beside and behind a container of `node`. */
void probe_jit_before(void);
void probe_jit(void);
void probe_jit_after(void);

/** probe_orphans() - make @n of them at once. Return: how many PID 1 reaps in a second of its own time, 0 if some stay. */
unsigned long probe_orphans(unsigned n);

#endif
