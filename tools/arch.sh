# SPDX-License-Identifier: LGPL-2.1-or-later
#
# tools/arch.sh - names and folders of the guest's and of this machine's architecture; sourced by tools/demo and tests/vm/lib.sh
#
# ARCH is the guest's (default: this machine's), HOLDFAST_CACHE where downloads are kept (cache). Programs of packages can
# run here only if they are of this machine's architecture: $tools is a tree of those, $tree itself where both are one.
deb_name() { echo "$1" | sed 's/x86_64/amd64/'; }
host_arch=$(uname -m | sed 's/aarch64/arm64/')
arch=${ARCH:-$host_arch}
host=$PWD/build/host-$host_arch
guest=$PWD/build/guest-$arch
image_tool=$host/holdfast-image
policy_tool=$host/holdfast-policy
attest_tool=$host/holdfast-attest
board=$PWD/boards/qemu-$arch
cache=${HOLDFAST_CACHE:-$PWD/cache}
tree=$cache/tree-$(deb_name "$arch")
# Seconds for one boot and all that happens in it.
case $arch in
arm64) deadline=${VM_DEADLINE:-360} ;;
*) deadline=${VM_DEADLINE:-240} ;;
esac
tools=$tree
[ "$arch" = "$host_arch" ] || tools=$cache/tools-$(deb_name "$host_arch")

# fetch_packages: both trees, downloaded, checked, extracted; nothing is installed
fetch_packages() {
	"$image_tool" fetch --board "$board" --engine engines/containerd --cache "$cache/packages-$(deb_name "$arch")" --out "$tree" busybox-static || return
	[ "$tools" = "$tree" ] || "$image_tool" fetch --arch "$(deb_name "$host_arch")" --cache "$cache/packages-$(deb_name "$host_arch")" --out "$tools" erofs-utils busybox-static
}

# fetch_podman: podman's tree. A tree of its own, for who boots containerd alone has no use for it.
podman_tree=$cache/tree-podman-$(deb_name "$arch")
fetch_podman() {
	"$image_tool" fetch --board "$board" --engine engines/podman --cache "$cache/packages-$(deb_name "$arch")" --out "$podman_tree" busybox-static
}

# fetch_cri: the same for containerd with CRI; curl and Kubernetes' api.proto are what the tests ask it with
cri_tree=$cache/tree-cri-$(deb_name "$arch")
fetch_cri() {
	"$image_tool" fetch --board "$board" --engine engines/containerd-cri --cache "$cache/packages-$(deb_name "$arch")" --out "$cri_tree" busybox-static curl \
		golang-github-kubernetes-cri-api-dev
}

# fetch_pulled: the same for containerd that pulls; the registry is what the tests pull from
pulled_tree=$cache/tree-pulled-$(deb_name "$arch")
fetch_pulled() {
	"$image_tool" fetch --board "$board" --engine engines/containerd-pull --cache "$cache/packages-$(deb_name "$arch")" --out "$pulled_tree" busybox-static docker-registry
}

# fetch_state: containerd's with mkfs.ext4, for hosts with a state volume
state_tree=$cache/tree-state-$(deb_name "$arch")
fetch_state() {
	"$image_tool" fetch --board "$board" --engine engines/containerd --cache "$cache/packages-$(deb_name "$arch")" --out "$state_tree" busybox-static e2fsprogs
}

# fetch_node: node and what it needs, for a container image of the tests
node_tree=$cache/tree-node-$(deb_name "$arch")
fetch_node() {
	"$image_tool" fetch --arch "$(deb_name "$arch")" --cache "$cache/packages-$(deb_name "$arch")" --out "$node_tree" nodejs
}
