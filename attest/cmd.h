/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/cmd.h - the verbs of holdfast-attest; each is one file, cmd_<verb>.c, and returns an exit code of common/cli.h
 */
#ifndef ATTEST_CMD_H
#define ATTEST_CMD_H

int cmd_enrol(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_fetch(int argc, char **argv);
int cmd_log(int argc, char **argv);
int cmd_quote_check(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_verifier(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_wait(int argc, char **argv);

#endif
