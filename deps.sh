#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Installs what the build and the tests need, if it is missing: `make deps`.
# Asks for each thing itself (a header, a program), not for a package, so that
# what is there in another way counts. Silent if nothing is missing.
#
#	deps.sh --list	the packages of this system, whether missing or not
#	deps.sh --has NEED	whether one of them is there
#
# Lists of packages are words of a string, split where they are used; tests are called by what the table says.
# shellcheck disable=SC1007,SC1091,SC2016,SC2046,SC2086,SC2317
set -eu

PATH=$PATH:/usr/sbin:/sbin:$HOME/.cargo/bin

# ---- what is needed: how to see it, and the packages that bring it -----------

lib() { pkg-config --exists "$1" 2>/dev/null; }
lib_since() { pkg-config --atleast-version="$2" "$1" 2>/dev/null; }
program() { command -v "$1" >/dev/null; }
# Links a program that calls a function: for what has no pkg-config file.
links() {
	printf 'char %s(void); int main(void) { return %s(); }\n' "$1" "$1" |
		cc -x c - "$2" -o /dev/null 2>/dev/null
}
headers() { echo '#include <errno.h>' | cc -x c -E - >/dev/null 2>&1; }
# Ubuntu's /usr/sbin/bpftool is a script that may find nothing to start.
bpftool_works() {
	local t
	for t in bpftool /usr/lib/linux-tools/*/bpftool /usr/lib/linux-tools-*/bpftool; do
		"$t" version >/dev/null 2>&1 && return 0
	done
	return 1
}
libfuzzer() {
	echo 'int LLVMFuzzerTestOneInput(const char *p, long n) { return n && !p; }' |
		clang -fsanitize=fuzzer,address,undefined -x c - -o /dev/null 2>/dev/null
}
# What cargo trusts the registry by: the file of Debian, Fedora, SUSE, Alpine.
certificates() {
	local file
	for file in certs/ca-certificates.crt ../pki/tls/certs/ca-bundle.crt ca-bundle.pem cert.pem; do
		[ ! -e "/etc/ssl/$file" ] || return 0
	done
	return 1
}
# The oldest Rust that builds the workloads: that of the newest crate in their Cargo.lock.
rust_wanted=$(sed -nE 's/^rust-version = "([0-9.]+)".*/\1/p' "$(dirname "$0")/tests/workloads/Cargo.toml")
new_enough() { [ -n "$1" ] && printf '%s\n' "$rust_wanted" "$1" | sort -VC; }
# rustup's programs are there without a toolchain too, but have no version then.
version_of() { "$1" --version 2>/dev/null | sed -nE 's/^[a-z]+ ([0-9][^ ]*).*/\1/p'; }
rust() { new_enough "$(version_of "${CARGO:-cargo}")" && new_enough "$(version_of "${RUSTC:-rustc}")"; }
flamegraph_pl() {
	program flamegraph.pl || [ -e /usr/share/perl5/Devel/NYTProf/flamegraph.pl ]
}

# name | test | Debian and Ubuntu | Fedora; a package in [] comes from Debian 12's backports,
# one in {} is no package there: it is built here
needs() {
	cat <<-'END'
	cc | headers | gcc libc6-dev | gcc glibc-devel
	make | program make | make | make
	git | program git | git | git
	python3 | program python3 | python3 | python3
	pkg-config | program pkg-config | pkg-config | pkgconf-pkg-config
	clang | program clang | clang llvm | clang llvm
	clang-format | program clang-format | clang-format | clang-tools-extra
	bpftool | bpftool_works | [bpftool] | bpftool
	libbpf | lib_since libbpf 1.3 | [libbpf-dev] | libbpf-devel
	libelf | lib libelf | [libelf-dev] | elfutils-libelf-devel
	libdw | lib libdw | [libdw-dev] | elfutils-devel
	libdebuginfod | lib libdebuginfod | [libdebuginfod-dev] | elfutils-debuginfod-client-devel
	capstone | lib capstone | libcapstone-dev | capstone-devel
	jansson | lib jansson | libjansson-dev | jansson-devel
	zlib | lib zlib | zlib1g-dev | zlib-devel
	libiberty | links xmalloc -liberty | libiberty-dev | binutils-devel
	cmocka | lib cmocka | libcmocka-dev | libcmocka-devel
	libperf | lib libperf | {libperf} | libperf-devel
	asan | links __asan_init -fsanitize=address | gcc | libasan libubsan
	libfuzzer | libfuzzer | libclang-rt-dev | compiler-rt
	setcap | program setcap | libcap2-bin | libcap
	setpriv | program setpriv | util-linux | util-linux
	perl | program perl | perl | perl
	gdb | program gdb | gdb | gdb
	flamegraph.pl | flamegraph_pl | libdevel-nytprof-perl | flamegraph
	certificates | certificates | ca-certificates | ca-certificates
	rust | rust | rustc cargo | rust cargo
	END
}

trim() { local s=$*; echo "$s"; }

# ---- the system ---------------------------------------------------------------

id=unknown version=0 like=
if [ -e /etc/os-release ]; then
	. /etc/os-release
	id=${ID:-unknown} version=${VERSION_ID:-0} like=${ID_LIKE:-}
fi
case "$id $like" in
*debian* | *ubuntu*) family=debian ;;
*fedora* | *rhel*) family=fedora ;;
*) family=other ;;
esac
backports=
if [ "$id" = debian ] && [ "${version%%.*}" = 12 ]; then
	backports=bookworm-backports
fi

package_of() {	# the packages of a need, in this system's names
	case $family in
	fedora) echo "$2" ;;
	*)
		# Ubuntu had no package bpftool until 24.10.
		if [ "$id" = ubuntu ] && ! printf '%s\n24.10\n' "$version" | sort -VC -r; then
			set -- "${1/\[bpftool\]/linux-tools-generic}"
		fi
		echo "$1"
		;;
	esac
}

if [ "${1:-}" = --has ]; then
	while IFS='|' read -r name test _; do
		if [ "$(trim $name)" = "$2" ]; then
			$test
			exit
		fi
	done < <(needs)
	echo "deps: no need is called $2" >&2
	exit 1
fi

# ---- Rust -----------------------------------------------------------------------

# The version that would be installed of a package; nothing if the lists of packages have none.
candidate() {
	case $family in
	debian) LC_ALL=C apt-cache policy "$1" 2>/dev/null | sed -nE 's/^ *Candidate: ([0-9.]+).*/\1/p' ;;
	fedora) dnf -q repoquery --latest-limit 1 --qf '%{version}\n' "$1" 2>/dev/null | head -n 1 ;;
	esac
}

# Whether this system's packages are to be installed. Where rustup is, it has a newer one.
offers_rust() { ! program rustup && new_enough "$(candidate "$1")"; }

rust_hint() {
	local cargo offered
	cargo=$(command -v "${CARGO:-cargo}" || true)
	offered=$(candidate "${rust_packages%% *}")
	echo "deps: the tests and the demo need Rust $rust_wanted or later"
	[ -z "$cargo" ] || echo "deps: $cargo is $(version_of "$cargo" | grep . || echo "without a toolchain")"
	if program rustup; then
		echo "deps: 'rustup default stable && rustup update' brings it, if rustup's cargo is the first in the PATH"
	elif new_enough "$offered"; then
		echo "deps: that of $id $version, $offered, is not the first in the PATH"
	else
		echo "deps: ${offered:+$id $version offers $offered: }install it with rustup (rustup.rs)"
	fi
}

# ---- libperf -----------------------------------------------------------------------

# Debian and Ubuntu have no package of it, but one with the kernel's source, of which it is a small part: some
# 140 MB are loaded, and 5 MB unpacked. Made into /usr/local, where pkg-config looks.
libperf_tools="make gcc libc6-dev binutils xz-utils bzip2"

unpack_libperf() {
	local package
	package=$(LC_ALL=C apt-cache depends linux-source | sed -nE 's/^ *Depends: (linux-source-[0-9][^ ]*)$/\1/p' |
		head -n 1)
	[ -n "$package" ] || { echo "apt knows no package linux-source"; return 1; }
	apt-get download "$package" &&
		dpkg-deb --fsys-tarfile "$package"_*.deb | tar -x --wildcards './usr/src/*.tar.*' &&
		tar -xf usr/src/*.tar.* --wildcards --strip-components=1 'linux-*/tools/lib' \
			'linux-*/tools/include' 'linux-*/tools/build' 'linux-*/tools/scripts' 'linux-*/tools/arch/x86'
}

# With what it uses of another library there, of which nothing is to be seen outside.
make_libperf() {
	make EXTRA_CFLAGS="-O2 -Wno-error" &&
		ld -r -o whole.o libperf-in.o ../api/libapi-in.o &&
		objcopy --wildcard --keep-global-symbol='perf_*' --keep-global-symbol='libperf_*' whole.o &&
		rm -f libperf.a && ar rcs libperf.a whole.o
}

install_libperf() {
	local version
	version=$(sed -n 's/^Version: *//p' libperf.pc)
	install -D -m 644 -t /usr/local/include/perf include/perf/*.h &&
		install -D -m 644 -t /usr/local/lib libperf.a &&
		install -D -m 644 /dev/stdin /usr/local/lib/pkgconfig/libperf.pc <<-END
	Name: libperf
	Description: perf_event_open and its buffers; from the kernel's source, by dwell's deps.sh
	Version: ${version:-0}
	Libs: -L/usr/local/lib -lperf
	Cflags: -I/usr/local/include
	END
}

build_libperf() {
	local dir status=0
	dir=$(mktemp -d)
	(cd "$dir" && unpack_libperf && cd tools/lib/perf && make_libperf && install_libperf) || status=$?
	rm -rf "$dir"
	return $status
}

# ---- what is missing ------------------------------------------------------------

missing= names= late= rust_packages= libperf=
while IFS='|' read -r name test debian fedora; do
	name=$(trim $name)
	if [ "${1:-}" != --list ] && $test; then
		continue
	fi
	names="$names $name"
	if [ "$name" = rust ]; then
		rust_packages=$(trim $(package_of "$debian" "$fedora"))
		continue
	fi
	for package in $(package_of "$debian" "$fedora"); do
		case $package in
		{libperf})
			libperf=yes
			missing="$missing $libperf_tools"
			continue
			;;
		\[*\])
			package=${package#[} package=${package%]}
			if [ -n "$backports" ]; then
				late="$late $package"
				continue
			fi
			;;
		esac
		missing="$missing $package"
	done
done < <(needs)

# What the lists of packages say of Rust is known once they are up to date.
add_rust() {
	if [ -n "$rust_packages" ]; then
		offers_rust $rust_packages && missing="$missing $rust_packages"
	fi
}

if [ "${1:-}" = --list ]; then
	add_rust || true
	echo $missing $late
	exit 0
fi
[ -n "$names" ] || exit 0
echo "deps: missing:$names"

case $family in
debian)
	install="apt-get install -y --no-install-recommends"
	;;
fedora)
	install="dnf install -y"
	;;
other)
	[ -z "$missing$late" ] ||
		echo "deps: this system ($id) is not known here; install what Debian calls:$missing$late" >&2
	add_rust || rust_hint >&2
	exit 1
	;;
esac

if [ "$(id -u)" != 0 ]; then
	add_rust || rust_hint >&2
	[ -n "$missing$late" ] || exit 1
	echo "deps: to install it, run as root:" >&2
	[ -z "$late" ] || echo "  $install -t $backports$late     # a suite of its own in apt's sources" >&2
	[ -z "$missing" ] || echo "  $install$missing" >&2
	[ -z "$libperf" ] || echo "  $0     # it builds libperf into /usr/local, from the kernel's source" >&2
	exit 1
fi

# ---- install --------------------------------------------------------------------

quietly() {	# show the output only if it fails
	local log
	log=$(mktemp)
	echo "deps: $*"
	if ! "$@" >"$log" 2>&1 </dev/null; then
		cat "$log" >&2
		rm -f "$log"
		echo "deps: failed: $*" >&2
		exit 1
	fi
	rm -f "$log"
}

# Debian 12 has libbpf 1.1; 1.3 has uprobe_multi. Backports are at the mirror in use.
add_backports() {
	local mirror entry=/etc/apt/sources.list.d/bookworm-backports.list
	if apt-get indextargets --format '$(CODENAME)' | grep -qx "$backports"; then
		return
	fi
	mirror=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
		sed -n 's/^bookworm //p' | head -n 1)
	if [ -z "$mirror" ]; then
		echo "deps: apt knows no mirror of bookworm: add $backports to its sources" >&2
		exit 1
	fi
	echo "deps: adding $entry"
	echo "deb $mirror $backports main" >"$entry"
}

export DEBIAN_FRONTEND=noninteractive
if [ $family = debian ]; then
	[ -z "$late" ] || add_backports
	quietly apt-get update
fi
add_rust || true
[ -z "$late" ] || quietly $install -t $backports $late
[ -z "$missing" ] || quietly $install $missing
[ -z "$libperf" ] || quietly build_libperf

again=
while IFS='|' read -r name test _; do
	$test || again="$again $(trim $name)"
done < <(needs)
[ -n "$again" ] || exit 0
echo "deps: still missing:$again" >&2
rust || rust_hint >&2
exit 1
