# SPDX-License-Identifier: GPL-2.0
# Builds dwell into build/. `make help' lists the targets, V=1 shows the commands.

VERSION		:= 0.1.0

BUILD		?= build
PREFIX		?= /usr/local
CLANG		?= clang
CLANG_FORMAT	?= clang-format
PKG_CONFIG	?= pkg-config
PYTHON		?= python3
CARGO		:= $(or $(CARGO),$(shell PATH=$$PATH:$$HOME/.cargo/bin command -v cargo),cargo)
# Ubuntu's bpftool in the PATH is a script that wants the running kernel's package.
BPFTOOL		:= $(or $(BPFTOOL),$(firstword $(shell for t in bpftool /usr/sbin/bpftool \
			/usr/lib/linux-tools/*/bpftool /usr/lib/linux-tools-*/bpftool; do \
			$$t version >/dev/null 2>&1 && echo $$t; done; true)),bpftool)

ifeq ($(V),1)
Q	:=
say	= @:
else
Q	:= @
say	= @printf '  %-9s%s\n' $(1) $(2)
endif

# The same objects again. SAN=1: sanitized, for the unit tests. FUZZ=1: also with
# what libFuzzer goes by, for tests/fuzz.
O	:= $(BUILD)$(if $(filter 1,$(FUZZ)),/fuzz,$(if $(filter 1,$(SAN)),/san))

# ---- flags ----------------------------------------------------------------

PACKAGES	:= libbpf libelf libdw libdebuginfod capstone jansson zlib
# What is left out without it is said by the program, too: record --cpu.
HAVE_LIBPERF	:= $(shell $(PKG_CONFIG) --exists libperf 2>/dev/null && echo 1)
PACKAGES	+= $(if $(HAVE_LIBPERF),libperf)

CFLAGS		?= -O2 -g
SANITIZE	:= -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SANFLAGS	:= $(if $(filter 1,$(SAN) $(FUZZ)),$(SANITIZE)) \
		   $(if $(filter 1,$(FUZZ)),-fsanitize=fuzzer-no-link)
WARNINGS	:= -Wall -Wextra $(if $(filter 1,$(WERROR)),-Werror)
C_FLAGS		:= -std=gnu11 -D_GNU_SOURCE $(CFLAGS) $(WARNINGS) $(SANFLAGS) \
		   -Isrc -Ibpf -I. -I$(BUILD) \
		   $(shell $(PKG_CONFIG) --cflags $(PACKAGES) 2>/dev/null)
LD_FLAGS	:= $(LDFLAGS) $(SANFLAGS) -Wl,--as-needed
LIBS		:= $(shell $(PKG_CONFIG) --libs $(PACKAGES) 2>/dev/null) -liberty -lpthread -lm

# clang -target bpf drops the host's header paths: put them back, after all others.
BPF_INCLUDES	= $(shell $(CLANG) -v -E - </dev/null 2>&1 | \
		    sed -n '/<...> search starts here:/,/End of search list./{ s| \(/.*\)|-idirafter \1|p }')
BPF_FLAGS	= -target bpf -mcpu=v3 -O2 -g -Wall $(if $(filter 1,$(WERROR)),-Werror) \
		  -D__bpf__ -D__TARGET_ARCH_x86 -Ibpf -Ikernel-events -I. $(BPF_INCLUDES)

# ---- what is built --------------------------------------------------------

BPF_SRC		:= $(sort $(wildcard bpf/*.bpf.c kernel-events/*.bpf.c))
BPF_OBJ		:= $(BPF_SRC:%.c=$(BUILD)/obj/%.o)
SKEL		:= $(BUILD)/dwell.skel.h

SRC		:= $(sort $(filter-out %.bpf.c,$(wildcard src/*/*.c kernel-events/*.c flamegraph/*.c)))
MAIN_OBJ	:= $(O)/obj/src/cli/main.o
LIB_OBJ		:= $(filter-out $(MAIN_OBJ),$(SRC:%.c=$(O)/obj/%.o))
LIB		:= $(O)/libdwell.a
DWELL		:= $(O)/dwell

UNIT_SRC	:= $(sort $(wildcard tests/unit/*.c))
UNIT		:= $(UNIT_SRC:tests/unit/%.c=$(O)/unit/%)

FUZZERS		:= $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/bin/%,$(sort $(wildcard tests/fuzz/*.c)))

BENCH		:= $(patsubst bench/%.c,$(BUILD)/bench/%,$(sort $(wildcard bench/*.c)))

INFERNO_VERSION	:= 0.12.8
INFERNO		:= $(BUILD)/tools/bin/inferno-flamegraph

all: $(DWELL)

$(DWELL): $(MAIN_OBJ) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LD_FLAGS) -o $@ $(MAIN_OBJ) $(LIB) $(LIBS)

# Made anew each time: an archive keeps members whose source is gone.
$(LIB): $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $(LIB_OBJ)

$(O)/obj/%.o: %.c | $(SKEL) libraries
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(C_FLAGS) -MMD -MP -c -o $@ $<

# Compiled again when libperf comes or goes.
SAMPLES_OBJ	:= $(O)/obj/src/record/cpu_samples.o
$(SAMPLES_OBJ): C_FLAGS += $(if $(HAVE_LIBPERF),-DHAVE_LIBPERF)
$(SAMPLES_OBJ): $(O)/obj/libperf

$(O)/obj/libperf: libraries
	$(Q)mkdir -p $(@D) && { echo '$(HAVE_LIBPERF)' | cmp -s - $@ || echo '$(HAVE_LIBPERF)' >$@; }

$(MAIN_OBJ): C_FLAGS += -DDWELL_VERSION='"$(VERSION)"'
$(MAIN_OBJ): Makefile

$(BUILD)/obj/%.bpf.o: %.bpf.c | libraries
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_FLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/dwell.bpf.o: $(BPF_OBJ)
	$(call say,BPF-LINK,$@)
	$(Q)$(BPFTOOL) gen object $@ $^

$(SKEL): $(BUILD)/dwell.bpf.o
	$(call say,SKELETON,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name dwell_bpf >$@

# Taken in by the assembler, which reports no dependencies.
$(O)/obj/flamegraph/asset.o: $(wildcard flamegraph/*.css flamegraph/*.js)

# The libraries' presence, asked for before the first file is compiled.
libraries:
	@$(PKG_CONFIG) --exists '$(firstword $(PACKAGES)) >= 1.3' $(wordlist 2,99,$(PACKAGES)) 2>/dev/null || \
	  { echo "make: libraries are missing or too old: run 'make deps'" >&2; exit 1; }
	$(if $(HAVE_LIBPERF),,@echo "make: no libperf: built without 'record --cpu' ('make deps' brings it)" >&2)

# ---- tests ----------------------------------------------------------------

unit: $(UNIT)

$(O)/unit/%: tests/unit/%.c $(LIB)
	$(call say,UNIT,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(C_FLAGS) -MMD -MP $(LD_FLAGS) -o $@ $< $(LIB) -lcmocka $(LIBS)

# libFuzzer is clang's, and some systems do not have it: then there are none.
ifeq ($(FUZZ),1)
CC		:= $(CLANG)

fuzzers: $(FUZZERS)

$(O)/bin/%: tests/fuzz/%.c $(LIB)
	$(call say,FUZZER,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(C_FLAGS) -fsanitize=fuzzer -MMD -MP $(LD_FLAGS) -o $@ $< $(LIB) -lcmocka $(LIBS)
else
fuzzers: $(SKEL)
	+$(Q)if ./deps.sh --has libfuzzer; then \
	  $(MAKE) $(JOBS) --no-print-directory FUZZ=1 fuzzers; \
	else \
	  echo "make: clang has no libFuzzer here: nothing is fuzzed"; \
	fi
endif

$(BUILD)/bench/%: bench/%.c $(LIB)
	$(call say,BENCH,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(C_FLAGS) -MMD -MP $(LD_FLAGS) -o $@ $< $(LIB) $(LIBS)

# Programs with known answers, as release and as fat LTO with panic=abort; some not optimised.
UNOPTIMISED	= --bin peer --bin pipeline --bin request --bin shapes --bin timers

# Of which compio needs Rust 1.95, and the others 1.85.
RUNTIMES	= glommio$(shell $(CARGO) --version | \
		  awk '{ split($$2, v, "."); if (v[1] > 1 || v[2] >= 95) printf ",compio" }')

workloads:
	$(call say,CARGO,$(BUILD)/workloads)
	$(Q)cd tests/workloads && runtimes="--features $(RUNTIMES)"; \
	for build in "release $$runtimes" "fat $$runtimes" "dev $(UNOPTIMISED)"; do \
	  CARGO_TARGET_DIR=$(abspath $(BUILD))/workloads \
	  $(CARGO) build --locked --profile $$build $(if $(filter 1,$(V)),,--quiet) || exit 1; \
	done
	$(Q)DWELL_BUILD=$(abspath $(BUILD)) CARGO=$(CARGO) $(PYTHON) tests/e2e/regressions.py

# Two of them are all that the demo needs: the others take minutes.
demo-programs:
	$(call say,CARGO,$(BUILD)/workloads)
	$(Q)cd tests/workloads && CARGO_TARGET_DIR=$(abspath $(BUILD))/workloads \
	  $(CARGO) build --locked --release --bin web --bin peer $(if $(filter 1,$(V)),,--quiet)

inferno: $(INFERNO)

$(INFERNO):
	$(call say,CARGO,$@)
	$(Q)$(CARGO) install inferno --version $(INFERNO_VERSION) --locked --root $(BUILD)/tools \
	  --no-default-features --features cli --bin inferno-flamegraph $(if $(filter 1,$(V)),,--quiet)

# Parts of a run that must see what an earlier part has installed or built are
# makes of their own; they share the jobs of this one, or get one per CPU.
JOBS	= $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))
RUN	= DWELL_BUILD=$(abspath $(BUILD)) $(PYTHON) tests/run.py

FUZZ_SECONDS	?= 60
export FUZZ_SECONDS

check: deps
	+$(Q)$(MAKE) $(JOBS) --no-print-directory all unit inferno workloads $(WALKS) $(BENCH) $(BUILD)/kernels/load
	+$(Q)$(MAKE) $(JOBS) --no-print-directory SAN=1 unit
	+$(Q)$(MAKE) --no-print-directory fuzzers
	$(Q)$(RUN) unit replay fuzz e2e

check-unit:
	+$(Q)$(MAKE) $(JOBS) --no-print-directory unit
	+$(Q)$(MAKE) $(JOBS) --no-print-directory SAN=1 unit
	$(Q)$(RUN) unit

check-replay:
	+$(Q)$(MAKE) $(JOBS) --no-print-directory all
	$(Q)$(RUN) replay

# A minute of each harness in tests/fuzz, or FUZZ_SECONDS; ONLY=NAME: of that one.
fuzz:
	+$(Q)$(MAKE) --no-print-directory fuzzers
	$(Q)$(RUN) fuzz $(if $(ONLY),-k fuzz/$(ONLY))

# Other kernels, in QEMU: what apt has is tried, the rest is skipped.
check-kernels:
	+$(Q)$(MAKE) $(JOBS) --no-print-directory all workloads $(BUILD)/kernels/load
	$(Q)DWELL_BUILD=$(abspath $(BUILD)) PYTHON=$(PYTHON) tests/kernels/run.sh

$(BUILD)/kernels/load: tests/kernels/load.c $(SKEL)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(C_FLAGS) -MMD -MP $(LD_FLAGS) -o $@ $< $(LIBS)

# The walk in the kernel against the one from outside: a BPF object of its own.
WALKS		:= $(BUILD)/walks/walks

$(BUILD)/walks/walks.bpf.o: tests/walks/walks.bpf.c | libraries
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_FLAGS) -Itests/walks -MMD -MP -c -o $@ $<

$(BUILD)/walks/walks.skel.h: $(BUILD)/walks/walks.bpf.o
	$(call say,SKELETON,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name walks_bpf >$@

$(WALKS): tests/walks/walks.c $(BUILD)/walks/walks.skel.h $(LIB)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(C_FLAGS) -I$(BUILD)/walks -MMD -MP $(LD_FLAGS) -o $@ $< $(LIB) $(LIBS)

# README's commands in a minimal Debian 13, which it makes by debootstrap.
check-debian:
	$(Q)DWELL_BUILD=$(abspath $(BUILD)) tests/debian/run.sh

check-e2e:
	+$(Q)$(MAKE) $(JOBS) --no-print-directory all inferno workloads $(WALKS) $(BENCH)
	$(Q)$(RUN) e2e

# Causes of waits that are controlled, against what dwell says: one table. Part of check-e2e, too.
known-answers:
	+$(Q)$(MAKE) $(JOBS) --no-print-directory all workloads
	$(Q)DWELL_BUILD=$(abspath $(BUILD)) $(PYTHON) tests/e2e/known_answers.py --table

# ---- the rest -------------------------------------------------------------

deps:
	$(Q)./deps.sh

demo: deps
	+$(Q)$(MAKE) $(JOBS) --no-print-directory all demo-programs
	$(Q)DWELL_BUILD=$(abspath $(BUILD)) tests/demo.sh

bench: deps
	+$(Q)$(MAKE) $(JOBS) --no-print-directory all $(BENCH) workloads
	$(Q)DWELL_BUILD=$(abspath $(BUILD)) $(PYTHON) bench/run.py

install: all
	install -D -m 755 $(DWELL) $(DESTDIR)$(PREFIX)/bin/dwell

# Only what is not committed yet: clang-format knows nothing of tables that are aligned by hand.
format:
	git clang-format --binary $(CLANG_FORMAT) --extensions c,h --force

format-check:
	$(Q)$(PYTHON) tests/style.py

clean:
	rm -rf $(BUILD)

help:
	@echo "make                 build $(DWELL)"
	@echo "make deps            install what the build and the tests need"
	@echo "make demo            record a real HTTP service under load: demo.svg, demo.folded, a report"
	@echo "make check           set up, build, run all tests; last line: N passed, N failed, N skipped"
	@echo "make check-unit      unit tests, plain and under ASan and UBSan"
	@echo "make check-replay    recorded files against their expected output"
	@echo "make check-e2e       real programs, recorded; needs root"
	@echo "make known-answers   waits whose causes are controlled: a table of truth, dwell and error; needs root"
	@echo "make fuzz            FUZZ_SECONDS (60) of each harness in tests/fuzz, or of ONLY=NAME"
	@echo "make check-kernels   real programs on other kernels, in QEMU; not in \`make check': takes minutes"
	@echo "make check-debian    deps, demo and check in a fresh Debian 13; not in \`make check': half an hour"
	@echo "make bench           measure overhead and speed into bench/"
	@echo "make workloads       the Rust programs that the tests record"
	@echo "make install         into DESTDIR/PREFIX ($(PREFIX))"
	@echo "make format          clang-format on C lines that are not committed yet"
	@echo "make format-check    what a script can say of the style"
	@echo "make clean           remove $(BUILD)/"
	@echo
	@echo "V=1 shows commands, WERROR=1 makes warnings errors, BUILD=DIR builds elsewhere."

-include $(MAIN_OBJ:.o=.d) $(LIB_OBJ:.o=.d) $(BPF_OBJ:.o=.d) $(UNIT:=.d) $(BENCH:=.d) $(FUZZERS:=.d) \
	$(BUILD)/kernels/load.d $(WALKS).d $(BUILD)/walks/walks.bpf.d

.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
.PHONY: all libraries unit workloads inferno check check-unit check-replay check-e2e check-kernels check-debian \
	known-answers fuzz fuzzers deps demo demo-programs bench install format format-check clean help
