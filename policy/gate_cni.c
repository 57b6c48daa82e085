/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/gate_cni.c - what is a network to CRI: none (declared in gate.h) */
#include "policy/gate.h"

#include <string.h>

/* Plain text that needs no escape in JSON. */
static bool is_plain(const char *s, size_t max)
{
	size_t n = s ? strlen(s) : 0;

	return n && n <= max && s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-")] == '\0';
}

int gate_cni(const char *command, const char *ifname, const char *netns, struct buf *ret, struct err *e)
{
	if (command && (!strcmp(command, "DEL") || !strcmp(command, "CHECK")))
		return 0;
	if (command && !strcmp(command, "VERSION")) {
		buf_printf(ret, "{\"cniVersion\":\"1.0.0\",\"supportedVersions\":[\"0.4.0\",\"1.0.0\"]}\n");
	} else if (command && !strcmp(command, "ADD")) {
		if (!is_plain(ifname, 15) || !is_plain(netns, 255))
			return err_set(e, EINVAL, "CNI_IFNAME or CNI_NETNS is missing or no plain name (CNI 1.0.0, section 2)");
		buf_printf(ret, "{\"cniVersion\":\"1.0.0\",\"interfaces\":[{\"name\":\"%s\",\"sandbox\":\"%s\"}],\"ips\":[{\"interface\":0,\"address\":\"127.0.0.1/8\"}]}\n",
			   ifname, netns);
	} else {
		return err_set(e, EINVAL, "CNI_COMMAND is \"%.40s\", wanted ADD, DEL, CHECK or VERSION", command ? command : "");
	}
	return ret->bad ? err_set(e, ENOMEM, "no memory for an answer") : 0;
}
