# SPDX-License-Identifier: LGPL-2.1-or-later
#
# tests/cli/lib.sh - how the built programs are judged from outside: exit codes, one sentence that names the fault, nothing
# left behind. Read by the scripts beside it.
#
# They need `make programs`, no network, no privilege. ARCH, HOLDFAST_BIN and TEST_RUNNER (see tests/run) say which ones.
# What needs root (a full disk), the packages' tree (an interrupted build) or the shared event logs says [  SKIPPED ]
# without them. Names hold no digits: tests/run counts by that.
set -u
cd "$(dirname "$0")/../.." || exit 3
here=$PWD
machine=${ARCH:-$(uname -m | sed 's/aarch64/arm64/')} other=arm64 firmware=OVMF
[ "$machine" != arm64 ] || other=x86_64 firmware=AAVMF
deb_arch=$(echo "$machine" | sed 's/x86_64/amd64/')
bin=$here/${HOLDFAST_BIN:-build/host-$machine}
guest=${bin%-san} # what goes into images
tree=${HOLDFAST_CACHE:-$here/cache}/tree-$deb_arch
shared=${HOLDFAST_SHARED:-$here/../shared}
tmp=$(mktemp -d) || exit 3
box=$tmp/box # results go here, and nowhere else
slow_pid=
finish() {
	[ -z "$slow_pid" ] || kill -KILL "$slow_pid" 2>/dev/null
	chmod -R u+w "$tmp" 2>/dev/null
	rm -rf "$tmp"
}
trap finish EXIT
trap 'exit 130' INT TERM
mkdir "$box"
if [ -n "${TEST_RUNNER:-}" ]; then # for another machine: each is started by a script of its name
	mkdir "$tmp/run"
	for program in "$bin"/holdfast-*; do
		printf '#!/bin/sh\nexec %s %s "$@"\n' "$TEST_RUNNER" "$program" >"$tmp/run/${program##*/}"
	done
	chmod +x "$tmp"/run/*
	bin=$tmp/run
fi
image=$bin/holdfast-image verity=$bin/holdfast-verity policy=$bin/holdfast-policy attest=$bin/holdfast-attest
passed=0 failed='' skipped=''

# --- how a case is judged ---------------------------------------------------------------------------------------------

# verdict NAME WRONG: WRONG is "" for a case that passed
verdict() {
	if [ -z "$2" ]; then
		echo "[       OK ] $1"
		passed=$((passed + 1))
		return
	fi
	echo "[  FAILED  ] $1"
	printf '  %s\n' "$2"
	sed 's/^/  stderr: /' "$tmp/err"
	failed="$failed$1
"
}

skip() {
	echo "[  SKIPPED ] $1"
	skipped="$skipped$1 ($2)
"
}

contents() { find "$1" -printf '%P %y %s %m\n' | sort; }

# judge CODE WANTED-CODE TEXT BEFORE AFTER: what is wrong, if anything. Standard error must be one line that has TEXT.
judge() {
	if [ "$1" != "$2" ]; then
		echo "exit code $1, wanted $2"
	elif [ "$(wc -l <"$tmp/err")" -ne 1 ]; then
		echo "$(wc -l <"$tmp/err") lines on standard error, wanted one"
	elif ! grep -qF -- "$3" "$tmp/err"; then
		echo "standard error does not say \"$3\""
	elif [ "$4" != "$5" ]; then
		printf '%s\n' "$4" >"$tmp/before"
		printf '%s\n' "$5" | diff "$tmp/before" - | sed -n 's/^> /left behind: /p; s/^< /gone: /p'
	fi
}

# bad NAME CODE TEXT COMMAND...: it refuses so, and the box is as it was
bad() {
	name=$1 wanted=$2 text=$3
	shift 3
	before=$(contents "$box")
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	verdict "$name" "$(judge $? "$wanted" "$text" "$before" "$(contents "$box")")"
}

# good NAME COMMAND...: the sound twin: exit 0, nothing on standard error
good() {
	name=$1
	shift
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	code=$? wrong=
	[ $code -eq 0 ] || wrong="exit code $code, wanted 0"
	[ ! -s "$tmp/err" ] || wrong="standard error is not empty"
	verdict "$name" "$wrong"
}

# each NAME CODE TEXT GLOB... -- COMMAND...: COMMAND FILE refuses every file as bad() has it; one verdict
each() {
	name=$1 wanted=$2 text=$3 files='' wrong=
	shift 3
	while [ "$1" != -- ]; do files="$files $1" && shift; done
	shift
	before=$(contents "$box")
	for file in $files; do
		"$@" "$file" >"$tmp/out" 2>"$tmp/err" </dev/null
		one=$(judge $? "$wanted" "${text:-$file}" "$before" "$(contents "$box")")
		[ -z "$one" ] || wrong="$wrong$file: $one; $(head -1 "$tmp/err"); "
	done
	[ -n "$files" ] || wrong="no file to try"
	verdict "$name" "$wrong"
}

# --- what several of the scripts start from ------------------------------------------------------------------------------

keys=$box/keys
make_keys() { [ -d "$keys" ] || "$image" keys "$keys" >/dev/null || exit 3; }
make_file() { printf 'x' >"$box/file"; }
# make_data: 1 MiB at $data
data=$box/data hash=$box/hash
make_data() { head -c 1048576 /dev/zero | tr '\0' 'a' >"$data"; }
some_hash=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff # any 32 bytes

doc=$box/policy.json
oci_make() { "$image" oci-make --tag t --entrypoint /hello "$@"; }
make_layer() { mkdir "$tmp/layer" && echo hello >"$tmp/layer/hello"; }
# make_layout: $box/layout, of $tmp/layer
make_layout() { make_layer && oci_make --tree "$tmp/layer" --out "$box/layout" >/dev/null || exit 3; }

# with NAME=VALUE COMMAND...: build's board, engine, tree or keys for this one command
with() { (export "with_$1" && shift && "$@"); }
# build ARGUMENT...: with all that is needed
build() {
	"$image" build --board "${with_board:-boards/qemu-$machine}" --engine "${with_engine:-engines/containerd}" --tree "${with_tree:-$tmp/none}" \
		--programs "$guest" --keys "${with_keys:-$keys}" "$@"
}

# make_packages: an apt that answers at once, and the package file $deb of our own; can_fetch is empty if that cannot be made.
# $tmp/slow has a tool that never ends.
deb=$tmp/cache/archives/x_1_amd64.deb can_fetch=
make_packages() {
	mkdir -p "$tmp/bin" "$tmp/slow" "$tmp/cache/archives" "$tmp/package/DEBIAN" "$tmp/package/usr/share/x"
	printf 'Package: x\nVersion: 1\nArchitecture: amd64\nMaintainer: x <x@example.org>\nDescription: x\n' >"$tmp/package/DEBIAN/control"
	echo hello >"$tmp/package/usr/share/x/hello"
	cat >"$tmp/bin/apt-get" <<-'END'
		#!/bin/sh
		case " $* " in *" --simulate "*) echo "Inst x (1 Debian:13/stable [amd64])" ;; esac
	END
	cat >"$tmp/bin/apt-cache" <<-END
		#!/bin/sh
		printf 'Package: x\nVersion: 1\nSize: %s\nSHA256: %s\n' "\$(stat -c %s $tmp/x.deb)" "\$(sha256sum <$tmp/x.deb | cut -c 1-64)"
	END
	printf '#!/bin/sh\n' >"$tmp/bin/apt-config"
	# Like dpkg-deb, which leaves the work to a child of its own, but for ever.
	cat >"$tmp/slow/dpkg-deb" <<-END
		#!/bin/sh
		sleep 300 &
		echo \$\$ \$! >$tmp/slow-pids
		wait
	END
	chmod +x "$tmp"/bin/* "$tmp/slow/dpkg-deb"
	[ -r /usr/share/keyrings/debian-archive-keyring.gpg ] && dpkg-deb -Zgzip --root-owner-group -b "$tmp/package" "$tmp/x.deb" >/dev/null 2>&1 && can_fetch=yes
}
fetch() {
	PATH=$tmp/bin:$PATH "$image" fetch --arch amd64 --cache "$tmp/cache" --mirror http://localhost/debian --offline "$@"
}

# --- what it comes to: the last line of each script ----------------------------------------------------------------------

# As cmocka does, and as tests/run expects it: failures and skips a second time.
sum_up() {
	printf '%s' "$failed" | sed 's/^/[  FAILED  ] /'
	printf '%s' "$skipped" | sed 's/^/[  SKIPPED ] /'
	echo "cli: $passed passed, $(printf '%s' "$failed" | wc -l) failed, $(printf '%s' "$skipped" | wc -l) skipped"
	[ -z "$failed" ]
}
