#!/bin/busybox sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# rogue.sh - what the policy does not name; its line must never be seen
echo "rogue: RUNNING"
