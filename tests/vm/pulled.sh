# SPDX-License-Identifier: LGPL-2.1-or-later
#
# tests/vm/pulled.sh - run in the guest by the test image's busybox: an operator pulls from a registry on the loopback, and worse
#
#   pulled.sh 1: what must work, and what ends half-way; pulled.sh 2: what must be refused
#
# One line a step: "pulled: STEP: ok" or "pulled: STEP: <what came>". The container's own lines stand between them.
b=/usr/bin/busybox
probe=/usr/lib/holdfast/test/probe
registry=/usr/lib/holdfast/test/registry
content=/var/lib/containerd/io.containerd.content.v1.content
layers=/var/lib/holdfast/layers

# serve PORT FOLDER: a registry, until it answers; its pid is in /tmp/pid-PORT
serve() {
	printf 'version: 0.1\nlog:\n  level: error\n  accesslog:\n    disabled: true\nstorage:\n  filesystem:\n    rootdirectory: %s\n  maintenance:\n    uploadpurging:\n      enabled: false\n    readonly:\n      enabled: true\nhttp:\n  addr: 127.0.0.1:%s\n' \
		"$2" "$1" >/tmp/registry-$1.yml
	/usr/bin/docker-registry serve /tmp/registry-$1.yml >/tmp/registry-$1.log 2>&1 &
	echo $! >/tmp/pid-$1
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
		$b wget -q -O /dev/null http://127.0.0.1:$1/v2/ && return
		$b sleep 1
	done
	echo "pulled: the registry does not answer: $($b tail -n 2 /tmp/registry-$1.log)"
}
end() { $b kill -9 "$($b cat /tmp/pid-$1)"; }
pull() { /usr/bin/ctr images pull --plain-http "127.0.0.1:${2:-5000}/$1:1" >/tmp/pull.log 2>&1; }
# run ID ENTRY IMAGE: a container of that image, said to be that entry of the policy
run() { /usr/bin/ctr run --rm --annotation "org.holdfast.image=$2" "127.0.0.1:5000/$3:1" "$1"; }
# step NAME STATUS: what must have gone well
step() { if [ "$2" -eq 0 ]; then echo "pulled: $1: ok"; else echo "pulled: $1: FAILED: $($b tail -n 1 /tmp/pull.log)"; fi; }
# How many layers are open that the root does not have.
mounted() { echo $(($($b grep -c " /run/holdfast/layers/" /proc/mounts) - $($b ls /usr/lib/holdfast/layers/*.erofs | $b wc -l))); }
# flip FILE OFFSET: one bit of one byte
flip() {
	old=$($b dd if="$1" bs=1 skip="$2" count=1 2>/dev/null | $b od -An -tu1 | $b tr -d ' ')
	printf "$(printf '\\%03o' $((old ^ 1)))" | $b dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# until_there FOLDER NAME: a file of that name has more than a megabyte; a minute at most
until_there() {
	end=$(($($b date +%s) + 60))
	while [ "$($b date +%s)" -lt $end ]; do
		[ -z "$($b find "$1" -name "$2" -size +1024k 2>/dev/null)" ] || return
	done
	echo "pulled: $2 did not come"
}

# until_begun: the file of a conversion is there. It is written within a second, so nothing is started here to look for it.
until_begun() {
	i=0
	while [ $i -lt 1000000 ]; do
		for f in $layers/.convert-*; do
			[ ! -e "$f" ] || return
		done
		i=$((i + 1))
	done
	echo "pulled: no conversion has begun"
}

part_1() {
	$b ip link set lo up
	serve 5000 $registry
	# Half-way: the registry is killed while the large layer is on its way.
	pull big &
	until_there $content/ingest data
	end 5000
	wait $!
	[ $? -ne 0 ]
	step "half a pull fails" $?
	echo "pulled: after half a pull: $(mounted) mounted, $($b ls $layers 2>/dev/null | $b wc -l) made"
	run half big big && echo "pulled: NOT REFUSED"
	# Nothing of web is here yet: another image's name does not help, and nobody calls that an attempt.
	serve 5000 $registry
	pull rogue
	step "pull rogue" $?
	run lie web rogue && echo "pulled: NOT REFUSED"
	# Again, and this time to the end.
	for name in web big; do
		pull $name
		step "pull $name" $?
	done
	# No room: nothing of it stays, nobody calls that an attempt, and with room it works.
	$b mkdir -p $layers
	$b mount -t tmpfs -o size=1m none $layers
	run full big big && echo "pulled: NOT REFUSED"
	echo "pulled: after a full disk: $(mounted) mounted, $($b find $layers -name ".convert-*" -o -name "*.p7s" | $b wc -l) left over, $($b find $layers -size +16k | $b wc -l) large"
	$b umount $layers
	# Half a conversion: the gate is killed while it writes.
	run killed big big &
	until_begun
	$b killall -9 runc holdfast-runtime
	wait $!
	echo "pulled: after half a conversion: $($b find $layers -name '.convert-*' | $b wc -l) left over"
	# Two at once, of the same image.
	run first big big >/tmp/big-1 2>&1 &
	run second big big >/tmp/big-2 2>&1
	step "big, second" $?
	wait $!
	step "big, first" $?
	$b cat /tmp/big-1 /tmp/big-2
	run web web web
	step "web" $?
	echo "pulled: $(mounted) mounted, $($b find $layers -name '.convert-*' | $b wc -l) left over"
}

# unnamed: a signed layer of an image that the policy does not name, where pulled ones lie
unnamed() {
	for f in /usr/lib/holdfast/test/unnamed/*.erofs; do
		hash=$($b basename $f .erofs)
		$b grep -q $hash /etc/holdfast/policy.json && continue
		$b cp ${f%.erofs}.erofs ${f%.erofs}.p7s $layers
		echo "pulled: signed, and not named:"
		$probe ask-layer $hash
	done
}

# replaced: whoever would be started in its name could give the kernel any table; so nobody is
replaced() {
	echo "pulled: $($b pidof holdfast-layer | $b wc -w) who opens"
	$b mount --bind $b /usr/lib/holdfast/holdfast-layer
	$b killall -9 holdfast-layer
	$b sleep 8
	echo "pulled: killed: $($b pidof holdfast-layer | $b wc -w) who opens"
	$b umount /usr/lib/holdfast/holdfast-layer
	$probe ask-layer 0000000000000000000000000000000000000000000000000000000000000000
}

part_2() {
	run rogue rogue rogue && echo "pulled: NOT REFUSED"
	# One bit of a layer in the registry.
	$b cp -r $registry /tmp/registry
	late=$($b cat /usr/lib/holdfast/test/late)
	data=/tmp/registry/docker/registry/v2/blobs/sha256/$($b expr substr $late 1 2)/$late/data
	$b chmod 644 $data
	flip $data 40
	serve 5001 /tmp/registry
	pull late 5001
	[ $? -ne 0 ]
	step "a changed layer is not pulled" $?
	end 5001
	$b rm -rf $content/ingest/* # containerd 1.7 keeps the wrong bytes, and would go on from them
	# Sound from the registry, and changed where the engine keeps it.
	pull late
	step "pull late" $?
	flip $content/blobs/sha256/$late 40
	run changed late late && echo "pulled: NOT REFUSED"
	flip $content/blobs/sha256/$late 40
	run late late late
	step "late" $?
	# Volumes that nobody named: of no file, and one that the owner signed once.
	$probe ask-layer 0000000000000000000000000000000000000000000000000000000000000000
	unnamed
	# The converted file, changed under the open volume.
	echo 3 >/proc/sys/vm/drop_caches
	for f in $layers/*.erofs; do
		[ "$($b stat -c %s $f)" -lt 24000000 ] || flip $f 12345678
	done
	run corrupted big big
	end 5000
	replaced
}

part_$1
