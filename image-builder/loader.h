/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/loader.h - systemd-boot on the ESP: which UKI is started, and after how many failures another
 *
 * Theory of operation
 *   The firmware starts systemd-boot, signed with db like a UKI; it takes the UKI of the highest version that has tries left
 *   (common/boot_count.h) and starts it through the firmware, which checks its signature again. LOADER_CONF takes everything else from it: no
 *   menu, no editor, no other entries than UKIs, no enrolling of keys. It is measured (PCR 5), so another one is seen.
 *   There is no random seed on the ESP: the loader would write to it at each boot.
 *
 * Spec: systemd-boot(7), loader.conf(5), version 257.
 */
#ifndef IMAGE_BUILDER_LOADER_H
#define IMAGE_BUILDER_LOADER_H

#define LOADER_CONF_PATH "loader/loader.conf"
#define LOADER_CONF                                                                                                    \
	"timeout menu-disabled\n"                                                                                      \
	"editor no\n"                                                                                                  \
	"auto-entries no\n"                                                                                            \
	"auto-firmware no\n"                                                                                           \
	"auto-poweroff no\n"                                                                                           \
	"auto-reboot no\n"                                                                                             \
	"secure-boot-enroll off\n"

#endif
