# SPDX-License-Identifier: LGPL-2.1-or-later
#
# tests/vm/cri.sh - run in the guest by the test image's busybox: asks containerd's CRI plugin what a kubelet would, by curl
#
# The requests are tests/vm/cri-requests's. One line an answer: "cri: NAME: ok", or what the engine said.
dir=/usr/lib/holdfast/test/cri
b="/usr/bin/busybox"

# ask NAME [ID]: the answer's message goes to /tmp/answer
ask() {
	method=$($b sed -n "s/^$1 //p" $dir/list)
	{ $b cat $dir/$1.a && $b printf %s "${2:-}" && $b cat $dir/$1.b; } >/tmp/frame
	$b rm -f /tmp/answer /tmp/head
	/usr/bin/curl -s --http2-prior-knowledge --unix-socket /run/containerd/containerd.sock -H "content-type: application/grpc" -H "te: trailers" \
		--data-binary @/tmp/frame -D /tmp/head -o /tmp/answer "http://localhost/runtime.v1.RuntimeService/$method" || echo "cri: $1: curl failed"
	if $b grep -q "^grpc-status: 0" /tmp/head; then
		echo "cri: $1: ok"
		return 0
	fi
	echo "cri: $1: $($b grep -i "^grpc-message" /tmp/head)"
	return 1
}
# The id in the answer: its only field, so its last 64 bytes.
id() { $b tail -c 64 /tmp/answer; }
# create NAME: container NAME in the pod, started. That it may not is found out at the start, when there is a runtime to ask.
create() {
	ask "$1" "$pod" || return
	container=$(id)
	ask start "$container"
}

ask web || exit 1
pod=$(id)
create hello || exit 1
for i in 1 2 3 4 5 6 7 8 9 10; do
	$b grep -q "write to the root" /var/log/pods/hello.log && break
	$b sleep 1
done
$b cat /var/log/pods/hello.log
create sleeper || exit 1
sleeper=$container
ask exec "$sleeper" && $b tr -cd ' -~' </tmp/answer && echo
ask exec-sh "$sleeper"
for name in rogue other-args host-path host-pid preload added-capability; do
	echo "cri: --- $name"
	create $name && echo "cri: $name: NOT REFUSED"
done
for name in host-network host-ipc; do
	echo "cri: --- $name"
	ask $name && echo "cri: $name: NOT REFUSED"
done
ask stop "$sleeper" && ask stop-pod "$pod" && ask remove-pod "$pod"
