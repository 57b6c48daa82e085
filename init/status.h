/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/status.h - what PID 1 is doing, as one JSON object: for /run/holdfast/status.json and whoever asks
 *
 * Theory of operation
 *   The loop keeps struct pid1_live up to date; this only formats it, into room of the caller's, without heap. The file is
 *   written beside its name and renamed over it whenever a state changes, so whoever reads it sees one state whole;
 *   counters in it are as old as that. The socket's answer is always fresh. docs/formats/README.md has the keys.
 *
 *   Anything of a boot that is a word or a number for people can be added from anywhere by pid1_fact().
 */
#ifndef INIT_STATUS_H
#define INIT_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PID1_STATUS_PATH "/run/holdfast/status.json"
#define PID1_MAX_FACTS   12

struct pid1;

/** struct pid1_service_state - one that is to run always; @last is its last end (as a shell has it), -1: it never ended */
struct pid1_service_state {
	const char *state; /* "absent", "running", "stopped", "waiting", "given up" */
	pid_t pid;
	unsigned starts;
	unsigned stops; /* how often it was stopped (SIGSTOP) and continued */
	int last;
};

/** struct pid1_live - @state is "starting", "ready" or "ending"; @changed: the file says something else */
struct pid1_live {
	const char *state;
	struct pid1_service_state engine, agent;
	uint64_t reaped, containers, violations, refused;
	size_t tasks_done;
	bool changed;
	size_t n_facts;
	struct pid1_fact {
		const char *key;
		char value[80];
	} fact[PID1_MAX_FACTS];
};

/**
 * pid1_fact() - say "@key": "@value" in the status from now on; a second value replaces the first
 * @key: a constant, [a-z_]. @value is cut at 79 bytes; what is not plain ASCII in it becomes '?'
 */
void pid1_fact(struct pid1 *p, const char *key, const char *value);

/** pid1_status_format() - Return: length, 0 if @room is not enough. Ends with a newline; NUL-terminated. */
size_t pid1_status_format(const struct pid1 *p, char *ret, size_t room);

/** pid1_status_publish() - write the file if something changed. A failure is told once. */
void pid1_status_publish(struct pid1 *p);

#endif
