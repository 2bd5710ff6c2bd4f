#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# README's commands on a fresh Debian 13: a minimal root by debootstrap, the last commit checked out into it, then
# `make deps`, `make demo` and `make check` there, by chroot(2). The root stays in the build folder, so that the next
# run is quick; FRESH=1 makes it anew.
#
#	DEBIAN_MIRROR=URL	where Debian is to be had, if not where apt has it from
#
# Ends with the status of each command, then `N passed, N failed, N skipped`. Exit status 2: nothing could be tried.
#
# All mounts are in a mount namespace of this script's own, and end with its last process, however that ends.
set -eu -o pipefail

suite=trixie
tree=$(cd "$(dirname "$0")/../.." && pwd)
work=$(realpath -m "${DWELL_BUILD:-$tree/build}")/debian
root=$work/root
home=$root/root

skip_all() {
	echo "skipped: $*"
	exit 2
}

[ "$(id -u)" = 0 ] || skip_all "chroot and probes need root"
for tool in debootstrap:debootstrap unshare:util-linux git:git; do
	command -v "${tool%:*}" >/dev/null || skip_all "no ${tool%:*} (package ${tool#*:})"
done
if [ "${1:-}" != --unshared ]; then
	exec unshare --mount --propagation private "$0" --unshared
fi

# ---- the root --------------------------------------------------------------------------------------

mirror_of_apt() {
	# shellcheck disable=SC2016 # apt's variables
	apt-get indextargets --format '$(ORIGIN)/$(LABEL) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
		sed -n 's/^Debian\/Debian //p' | head -n 1
}

# Nothing but make, without which nobody gets as far as `make deps`.
make_root() {
	local mirror=${DEBIAN_MIRROR:-$(mirror_of_apt)}
	[ -n "$mirror" ] || skip_all "apt knows no mirror of Debian: name one with DEBIAN_MIRROR="
	rm -rf --one-file-system "$root"
	mkdir -p "$work"
	echo "check-debian: debootstrap of $suite into $root"
	nice debootstrap --variant=minbase --include=make "$suite" "$root.new" "$mirror" >"$work/debootstrap.log" 2>&1 || {
		tail -n 5 "$work/debootstrap.log"
		skip_all "debootstrap failed; all of it is in $work/debootstrap.log"
	}
	mv "$root.new" "$root"
}

# How this machine reaches the network is no part of what is tested: names, proxies, certificates, cargo's registries.
copy_network() {
	local file
	for file in /etc/hosts /etc/resolv.conf; do
		[ ! -e $file ] || cp -L $file "$root$file"
	done
	[ ! -e /usr/bin/apt-config ] ||
		apt-config dump | grep -E '^Acquire::https?::(.*::)?Proxy ' >"$root/etc/apt/apt.conf.d/proxy" || true
	for file in "${CARGO_HTTP_CAINFO:-}" "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt \
		/etc/pki/tls/certs/ca-bundle.crt; do
		if [ -n "$file" ] && [ -e "$file" ]; then
			install -D -m 644 "$file" "$root/usr/local/share/ca-certificates/host.crt"
			break
		fi
	done
	for file in "${CARGO_HOME:-$HOME/.cargo}"/config{,.toml}; do
		[ ! -e "$file" ] || install -D -m 644 "$file" "$home/.cargo/${file##*/}"
	done
}

# Files that a commit has not changed keep their times, and what was built of them stays.
check_out() {
	git init -q "$home/dwell"
	git -C "$home/dwell" fetch -q "$tree" HEAD
	git -C "$home/dwell" reset -q --hard FETCH_HEAD
	git -C "$home/dwell" clean -qfd
}

# The root is a mount as well, as it is where nobody has changed it: unshare(1) asks for that.
mount_kernel() {
	local folder
	mount --bind "$root" "$root"
	for folder in proc sys dev; do
		mount --rbind "/$folder" "$root/$folder"
	done
}

# ---- what is run there ------------------------------------------------------------------------------

passed_on=()
while IFS= read -r -d '' variable; do
	case ${variable%%=*} in
	*_proxy | *_PROXY | CARGO_NET_* | CARGO_REGISTR*_INDEX | CARGO_SOURCE_* | FUZZ_SECONDS | DEMO_SECONDS)
		passed_on+=("$variable")
		;;
	esac
done < <(env -0)

inside() {
	env -i HOME=/root TERM=dumb PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${passed_on[@]}" \
		nice chroot "$root" sh -c 'cd ~/dwell && exec "$@"' sh "$@" </dev/null
}

rm -rf --one-file-system "$root.new"
if [ -n "${FRESH:-}" ] || [ ! -d "$root" ]; then
	make_root
fi
copy_network
check_out
mount_kernel
echo "check-debian: $(git -C "$home/dwell" log -1 --format='%h %s')"

failed='' summary=''
rm -f "$work"/{deps,demo,check}.log
for command in deps demo check; do
	echo "check-debian: make $command"
	status=0
	inside make $command 2>&1 | tee "$work/$command.log" || status=$?
	summary+="make $command: status $status"$'\n'
	[ $status = 0 ] || failed=1
	[ $status = 0 ] || [ $command != deps ] || break
done
printf '%s' "$summary"
grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$work/check.log" 2>/dev/null | tail -n 1
[ -z "$failed" ]
