/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * common/agent_user.h - the user that the attestation agent is: who it is to PID 1, to the image's /etc/passwd, to tests
 *
 * It owns the TPM's device node, the virtio ports and its folder below /run, belongs to the group of the measurement logs, and
 * has no capability. Nothing else on the host is this user's, and nobody else is this user.
 */
#ifndef COMMON_AGENT_USER_H
#define COMMON_AGENT_USER_H

#define AGENT_USER_ID   971 /* user and group */
#define AGENT_USER_NAME "holdfast-agent"
#define AGENT_RUN_DIR   "/run/holdfast/agent"

#endif
