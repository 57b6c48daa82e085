/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/cmd.h - the verbs of holdfast-policy, and what several of them need */
#ifndef POLICY_CMD_H
#define POLICY_CMD_H

#include "common/err.h"
#include "common/pki.h"

int policy_cmd_init(int argc, char **argv);
int policy_cmd_add(int argc, char **argv);
int policy_cmd_sign(int argc, char **argv);
int policy_cmd_check(int argc, char **argv);
int policy_cmd_show(int argc, char **argv);
int policy_cmd_derive(int argc, char **argv);
int policy_cmd_class(int argc, char **argv);
int policy_cmd_remove(int argc, char **argv);
int policy_cmd_revoke(int argc, char **argv);
int policy_cmd_diff(int argc, char **argv);
int policy_cmd_explain(int argc, char **argv);
int policy_cmd_doctor(int argc, char **argv);

/** policy_cmd_exit() - the exit code for a library error: what was checked and is bad, or what could not be checked. */
int policy_cmd_exit(const char *verb, int error, const struct err *e);

/** policy_cmd_quoted() - print a string from a document, safe for a terminal and unambiguous: quoted, the unusual escaped. */
void policy_cmd_quoted(const char *s);

/** policy_cmd_signer() - load both; on failure what was loaded is released. */
int policy_cmd_signer(const char *key, const char *cert, struct pki_signer *ret, struct err *e) WARN_UNUSED;

/** policy_cmd_signer_free() - release both; accepts empty ones. */
void policy_cmd_signer_free(struct pki_signer *s);

#endif
