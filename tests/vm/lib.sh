# SPDX-License-Identifier: LGPL-2.1-or-later
#
# tests/vm/lib.sh - what the cases share: one image, its variants, boots with a deadline, assertions on the console
#
# A case is tests/vm/cases/NAME, sourced by tests/vm/run with $work (its own folder, kept on failure) set. It calls
# boot, want, refuse ... in order; the first that does not hold ends the case with a sentence.

. tools/arch.sh
vm=$PWD/build/vm-$arch
keys=$vm/keys
. tools/disk.sh

die() {
	echo "case failed: $*"
	exit 1
}

# boot WANTED-STATUS [OPTION...]: one boot of $image (default: the test image); the console is kept in $work/console
# keep_machine: its TPM and its firmware's variables go on from boot to boot
boot() {
	wanted=$1
	shift
	[ -n "${keep_machine:-}" ] || rm -rf "$work/state"
	timeout -k 10 $((deadline + 60)) "$image_tool" boot --image "${image:-$vm/image}" --board "$board" --keys "${boot_keys:-$keys}" --tree "$tree" \
		--state "$work/state" ${keep_machine:+--keep-variables} --console "$work/console" --timeout "$deadline" "$@" >"$work/boot.log" 2>&1
	status=$?
	[ "$status" -eq "$wanted" ] || die "boot ended with $status, wanted $wanted: $(tail -1 "$work/boot.log")"
}

# want TEXT...: each stands on the console. never TEXT...: none does
want() {
	for t in "$@"; do grep -qF -- "$t" "$work/console" || die "the console lacks \"$t\""; done
}
never() {
	for t in "$@"; do ! grep -qF -- "$t" "$work/console" || die "the console has \"$t\""; done
}

# disk_copy: $work/disk.img, a sparse copy of the test image's disk to be damaged
disk_copy() {
	cp --sparse=always "${image:-$vm/image}/disk.img" "$work/disk.img"
}

# watchdog_board FOLDER: the board, with a watchdog in the host manifest; in the machine where the kernel has a driver for QEMU's, else the kernel's own.
# An emulated arm64's engine, killed and stopped by the test, may take more than 20 s to answer again.
[ "$arch" = x86_64 ] && watchdog_ms=20000 || watchdog_ms=60000
watchdog_board() {
	mkdir -p "$1"
	{
		cat "$board/board.conf"
		[ "$arch" = x86_64 ] && echo "module.host = i6300esb" || echo "module.host = softdog"
		echo "watchdog = /dev/watchdog0"
		echo "watchdog_ms = $watchdog_ms"
		[ "$arch" != x86_64 ] || printf 'qemu.arg = %s\n' -device i6300esb -action watchdog=poweroff
	} >"$1/board.conf"
}
