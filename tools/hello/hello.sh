#!/bin/busybox sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# hello.sh - the demo's container: serves a page to itself, then tries what a verified container must not be able to do
set -u
busybox httpd -p 127.0.0.1:8080 -h /www
echo "hello: $(busybox wget -q -O - http://127.0.0.1:8080/index.html)"
echo "hello: root is $(busybox awk '$2 == "/" {print $3, substr($4, 1, 2)}' /proc/mounts), uid $(busybox id -u), $(busybox grep CapEff /proc/self/status | busybox tr -d '\t')"

# The same program, once from the verified layer and once copied to the tmpfs.
/bin/busybox true && echo "hello: exec from a verified layer: allowed"
busybox cp /bin/busybox /tmp/copied
busybox chmod 755 /tmp/copied
/tmp/copied true 2>/tmp/why
status=$?
[ $status -eq 126 ] && echo "hello: exec of a copy on tmpfs: EACCES ($(busybox cat /tmp/why))"
[ $status -eq 126 ] || echo "hello: exec of a copy on tmpfs: NOT REFUSED, status $status"

busybox touch /bin/x 2>/dev/null && echo "hello: write to the root: NOT REFUSED" || echo "hello: write to the root: refused"
