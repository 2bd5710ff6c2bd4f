#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Records on kernels other than the running one: Debian's cloud kernels, booted in QEMU (no KVM, no root). The
# guest is an initramfs with dwell, the workloads and busybox; `init` is what it does, `check.py` what is expected.
#
#	run.sh [SERIES...]	default: 6.1, which has no uprobe_multi, and 6.12
#
# A line for each check, then `N passed, N failed, N skipped`. Exit status 2: nothing could be tried, because QEMU
# or the packages are not to be had. Kernels come through apt, from the suites that it knows (6.12 for Debian 12:
# bookworm-backports), and are unpacked into the build folder, not installed.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=$(realpath "${DWELL_BUILD:-$here/../../build}")
work=$build/kernels
root=$work/initramfs
programs=(timers request peer causes)
limit=900	# seconds for one kernel; half a minute is usual

[ $# -gt 0 ] || set -- 6.1 6.12

skip_all() {
	echo "skipped: $*"
	exit 2
}

files=("$build/dwell" "$work/load" "${programs[@]/#/$build/workloads/release/}")
for file in "${files[@]}"; do
	if [ ! -x "$file" ]; then
		echo "not built (make check-kernels does it): $file" >&2
		exit 1
	fi
done
for tool in qemu-system-x86_64:qemu-system-x86 apt-get:apt dpkg-deb:dpkg; do
	command -v "${tool%:*}" >/dev/null || skip_all "no ${tool%:*} (package ${tool#*:})"
done

# ---- packages --------------------------------------------------------------------------------------

unpacked() {	# unpacked PACKAGE: its folder, downloaded once
	local folder=$work/packages/$1
	if [ ! -d "$folder" ]; then
		rm -rf "$work/download"
		mkdir -p "$work/download" "$work/packages"
		(cd "$work/download" && nice -n 10 apt-get -qq download "$1") >"$work/apt.log" 2>&1 || return 1
		dpkg-deb -x "$work/download/"*.deb "$work/download/files"
		mv "$work/download/files" "$folder"
		rm -rf "$work/download"
	fi
	echo "$folder"
}

newest() {	# newest SERIES: the package of its newest cloud kernel, if apt knows one
	apt-cache pkgnames "linux-image-$1." | grep -E -- '[0-9]-cloud-amd64$' | sort -V | tail -n 1
}

# ---- the guest's files -----------------------------------------------------------------------------

# Programs and the libraries that the loader would take for them, at the same paths.
copy_libraries() {
	local library
	ldd "$@" | sed -nE 's/^\t(.* => )?(\/[^ ]+) .*/\2/p' | sort -u | while read -r library; do
		mkdir -p "$root$(dirname "$library")"
		cp -L "$library" "$root$library"
	done
}

build_initramfs() {
	local program
	rm -rf "$root"
	mkdir -p "$root"/{bin,dev,etc,proc,root,sys,tmp}
	cp "$busybox" "$root/bin/busybox"
	"$busybox" --list | grep -vx busybox | while read -r program; do
		ln -s busybox "$root/bin/$program"
	done
	cp "${files[@]}" "$root/bin/"
	copy_libraries "${files[@]}"
	printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'nobody:x:65534:65534:nobody:/tmp:/bin/sh' >"$root/etc/passwd"
	printf '%s\n' 'root:x:0:' 'nogroup:x:65534:' >"$root/etc/group"
	cp "$here/init" "$root/init"
	chmod 755 "$root/init"
	(cd "$root" && find . | "$busybox" cpio -o -H newc -R 0:0) >"$work/initramfs.cpio" 2>"$work/cpio.log"
}

# ---- one kernel --------------------------------------------------------------------------------------

# Both CPUs in one thread: with a thread each, one may still run what the other has just patched in the kernel's
# code (tracepoints, when they are switched on and off), and dies of a breakpoint that is gone.
boot() {	# boot VMLINUZ OUT: OUT is what the guest reports, OUT.console the rest
	nice -n 10 timeout "$limit" qemu-system-x86_64 -accel tcg,thread=single -cpu max -smp 2 -m 1536 -nodefaults -no-reboot \
		-display none -kernel "$1" -initrd "$work/initramfs.cpio" \
		-append "console=ttyS0 panic=-1 quiet loglevel=4 random.trust_cpu=on" \
		-serial "file:$2.console" -serial "file:$2" </dev/null >"$2.qemu" 2>&1 ||
		echo "qemu ended with status $?" >>"$2.qemu"
}

busybox=$(unpacked busybox-static) || skip_all "apt cannot get busybox-static: $(tail -n 1 "$work/apt.log")"
busybox=$(echo "$busybox"/bin/busybox "$busybox"/usr/bin/busybox | tr ' ' '\n' | xargs ls 2>/dev/null | head -n 1)
mkdir -p "$work/out"
rm -f "$work/out/"*
build_initramfs
for series; do
	out=$work/out/$series
	package=$(newest "$series")
	if [ -z "$package" ]; then
		echo "apt knows no cloud kernel of this series" >"$out.skip"
	elif ! folder=$(unpacked "$package"); then
		echo "apt cannot get $package: $(tail -n 1 "$work/apt.log")" >"$out.skip"
	else
		echo "booting $package"
		boot "$folder/boot/vmlinuz-"* "$out"
	fi
done
PYTHONDONTWRITEBYTECODE=1 exec "${PYTHON:-python3}" "$here/check.py" "$work/out" "$@"
