/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/cmd.h - the subcommands of holdfast-image */
#ifndef IMAGE_BUILDER_CMD_H
#define IMAGE_BUILDER_CMD_H

/* Each gets argv from the verb on and returns the exit code. */
int cmd_keys(int argc, char **argv);
int cmd_fetch(int argc, char **argv);
int cmd_oci_make(int argc, char **argv);
int cmd_build(int argc, char **argv);
int cmd_update(int argc, char **argv);
int cmd_machine(int argc, char **argv);
int cmd_boot(int argc, char **argv);
int cmd_codes(int argc, char **argv);

/* cmd_progress() - a progress_fn that prints "<verb>: <line>"; cmd_progress_verb() sets the verb. */
void cmd_progress(const char *line);
void cmd_progress_verb(const char *verb);

#endif
