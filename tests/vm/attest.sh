# SPDX-License-Identifier: LGPL-2.1-or-later
#
# tests/vm/attest.sh - a host that runs while it is asked about itself; sourced by the cases that need one

image=${image:-$vm/image}

# boot_in_background [OPTION...]: one boot of $image that goes on until its end or the end of the case; $boot_pid
boot_in_background() {
	rm -f "$work/console"
	"$image_tool" boot --image "$image" --board "$board" --keys "$keys" --tree "$tree" --state "$work/state" --console "$work/console" \
		--timeout "$deadline" --attest-socket "$work/agent.sock" "$@" >"$work/boot.log" 2>&1 &
	boot_pid=$!
	trap 'kill $boot_pid 2>/dev/null; wait $boot_pid 2>/dev/null' EXIT
}

# until_console TEXT: bounded by the boot's own deadline
until_console() {
	i=0
	while ! grep -qF -- "$1" "$work/console" 2>/dev/null; do
		kill -0 $boot_pid 2>/dev/null || die "the guest ended before \"$1\": $(tail -1 "$work/boot.log")"
		i=$((i + 1))
		[ $i -lt $((deadline * 5)) ] || die "\"$1\" did not come"
		sleep 0.2
	done
}

# judge WANTED-EXIT EVIDENCE NONCE OUT [TEXT]: TEXT stands among the verdict's lines
judge() {
	"$attest_tool" verify --evidence "$2" --nonce "$3" --enrolment "${enrolment:-$work/host.json}" \
		--refvalues "${refvalues:-$image/refvalues.json}" --policy-cert "$image/policy-cert.der" >"$4" 2>&1
	got=$?
	[ $got -eq "$1" ] || die "verify exited $got, wanted $1: $(head -3 "$4" | tr '\n' '|')"
	[ -z "${5:-}" ] || grep -qF -- "$5" "$4" || die "the verdict lacks \"$5\": $(head -3 "$4" | tr '\n' '|')"
}

# enrol OUT: the host that runs now, its EK by the certificate of its TPM's manufacturer
enrol() {
	"$attest_tool" enrol --connect "unix:$work/agent.sock" --ek-roots "$work/state/ek-roots.pem" --out "$1" >"$work/enrol.log" 2>&1 ||
		die "enrol: $(tail -1 "$work/enrol.log")"
}

# fetch OUT: evidence of the host that runs now under a fresh nonce, which becomes $nonce
fetch() {
	nonce=$(od -An -tx1 -N 32 /dev/urandom | tr -d ' \n')
	"$attest_tool" fetch --connect "unix:$work/agent.sock" --nonce "$nonce" --out "$1" >"$work/fetch.log" 2>&1 || die "fetch: $(tail -1 "$work/fetch.log")"
}

# explain WANTED-EXIT [OPTION...]: $work/evidence.cbor under $nonce, by $refvalues
explain() {
	wanted=$1
	shift
	"$attest_tool" explain --json --evidence "$work/evidence.cbor" --nonce "$nonce" --enrolment "$work/host.json" \
		--refvalues "${refvalues:-$image/refvalues.json}" --policy-cert "$image/policy-cert.der" "$@" >"$work/explain.json" 2>&1
	got=$?
	[ $got -eq "$wanted" ] || die "explain exited $got, wanted $wanted: $(head -c 300 "$work/explain.json")"
}

# explained PCR TEXT: the last explain has a finding of that PCR that says so
explained() {
	tr '{' '\n' <"$work/explain.json" | grep "^\"pcr\":$1," | grep -qF -- "$2" ||
		die "explain does not say of PCR $1 \"$2\": $(tr '{' '\n' <"$work/explain.json" | grep "^\"pcr\":$1," | head -c 300)"
}
