# SPDX-License-Identifier: LGPL-2.1-or-later
#
# tools/disk.sh - what an attacker with the disk in hand does to an image; sourced by tools/demo and tests/vm/lib.sh

# partition DISK LABEL: its "start-byte size-bytes"
partition() {
	sfdisk --json "$1" | awk -v label="$2" '
		/"start"/ { gsub(/[^0-9]/, ""); start = $0 } /"size"/ { gsub(/[^0-9]/, ""); size = $0 }
		/"name"/ && index($0, "\"" label "\"") { print start * 512, size * 512; exit }'
}

# flip FILE OFFSET: one bit of one byte
flip() {
	old=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
	printf "$(printf '\\%03o' $((old ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# uki_of DISK: the name of the one UKI on its ESP
uki_of() {
	mdir -b -i "$1@@$(partition "$1" esp | cut -d" " -f1)" ::EFI/Linux | sed -n "s,^::/EFI/Linux/,,p" | head -1
}

# put_uki DISK UKI: UKI becomes the one that the loader on the ESP of DISK starts. put_loader DISK LOADER ARCH: what the firmware starts
put_uki() {
	mcopy -D o -i "$1@@$(partition "$1" esp | cut -d" " -f1)" "$2" "::EFI/Linux/$(uki_of "$1")"
}
put_loader() {
	efi=BOOTX64.EFI
	[ "$3" = x86_64 ] || efi=BOOTAA64.EFI
	mcopy -D o -i "$1@@$(partition "$1" esp | cut -d" " -f1)" "$2" "::EFI/BOOT/$efi"
}
