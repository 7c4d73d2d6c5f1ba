# SPDX-License-Identifier: GPL-2.0
#
# The front door. Each verb is a script in scripts/, which says more.

KERNEL ?= default
export KERNEL BASE SHARE TIMEOUT LOG CPUS MEMORY MINUTES SEED

# What is made of another base lies apart
DEFAULT_BASE := $(patsubst linux-source-%,%,$(file <base/source))
BUILD := build$(addprefix /,$(filter-out $(DEFAULT_BASE),$(BASE)))

# CMD goes to the guest as it was written, "$" and all
export VM_COMMAND := $(value CMD)
unexport CMD
MAKEOVERRIDES =

.PHONY: help demo test test-kernels test-arm64 test-upstream bench check bugs vm shell kernel tools selftests refresh series deb soak \
	coverage fuzz opinions menuconfig clean objs tree packages missing
.NOTPARALLEL:

help:		## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## */\1\t/p' $(MAKEFILE_LIST) | expand -t 14
	@echo
	@echo "KERNEL=default  the base and the patches (when nothing is said)"
	@echo "KERNEL=stock    the untouched base, same configuration"
	@echo "KERNEL=debug    as default, with the checkers of base/debug.config"
	@echo "KERNEL=nomodules  as default, without CONFIG_MODULES"
	@echo "KERNEL=nojit    as default, without CONFIG_BPF_JIT"
	@echo "KERNEL=kcsan    as default, with the data race detector of base/kcsan.config"
	@echo "KERNEL=coverage as default, counts the lines of our files that run"
	@echo "KERNEL=upstream as default, with all that upstream's selftests ask for; upstream-stock is its base"
	@echo "KERNEL=arm64    as default, for another processor"
	@echo "BASE=7.3        the same on that kernel, under way, in build/7.3; $(DEFAULT_BASE) when nothing is said"
	@echo "Logs are in $(BUILD)/log/."

demo: kernel tools objs	## build what is missing and show a BPF module's life in a virtual machine
	@LOG=demo TIMEOUT=$(or $(TIMEOUT),600) scripts/vm run 'bash /vm/demo.sh'

test: packages	## everything: builds, upstream's selftests on both kernels, our tests; ends with "N passed, N failed"
	@scripts/test

test-kernels: packages	## our tests on KERNEL=debug, with a scan for leaks, on nomodules and nojit, and packages with CONFIG=; builds all
	@$(MAKE) --no-print-directory KERNEL=default kernel tools selftests >&2
	@scripts/test debug nomodules nojit machine

test-arm64: packages	## the selftests on KERNEL=arm64, emulated; builds all
	@$(MAKE) --no-print-directory KERNEL=arm64 packages >&2
	@$(MAKE) --no-print-directory KERNEL=default kernel tools >&2
	@scripts/test arm64

test-upstream: packages	## all of upstream's test_progs on both kernels: what passes on stock and not on ours fails
	@scripts/packages packages-upstream
	@for kernel in upstream upstream-stock; do \
		$(MAKE) --no-print-directory KERNEL=$$kernel kernel tools >&2 || exit; \
	done
	@$(MAKE) --no-print-directory KERNEL=upstream selftests >&2
	@scripts/test-upstream

soak: missing	## modules loaded, used and unloaded at random for MINUTES=3; SEED=
	@scripts/soak

coverage: packages	## the lines of our kernel code that the tests do not run, by gcov
	@$(MAKE) --no-print-directory KERNEL=coverage kernel tools >&2
	@$(MAKE) --no-print-directory KERNEL=default kernel tools selftests >&2
	@scripts/coverage

bench: packages	## what a module costs beside stock's map: a table, JSON and SVG; fails when a target is missed
	@for kernel in default stock; do \
		$(MAKE) --no-print-directory KERNEL=$$kernel kernel tools >&2 || exit; \
	done
	@$(MAKE) --no-print-directory KERNEL=default objs >&2
	@scripts/bench

check: packages	## checkpatch, sparse, W=1, kernel-doc, documentation, rooms, each commit builds, synctypes, round trip
	@scripts/check

opinions: packages	## another compiler and other configurations, coccicheck, -fanalyzer, clang-tidy, cppcheck
	@scripts/packages packages-opinions
	@$(MAKE) --no-print-directory KERNEL=default kernel tools objs >&2
	@scripts/opinions

fuzz: packages	## libFuzzer with ASan and UBSan on user space, coverage-guided on the system call; MINUTES=5
	@$(MAKE) --no-print-directory KERNEL=default kernel tools >&2
	@$(MAKE) --no-print-directory KERNEL=debug kernel tools >&2
	@$(MAKE) --no-print-directory KERNEL=default selftests >&2
	@scripts/fuzz $(or $(MINUTES),5)

bugs: packages	## what we met that is wrong in the base, shown on KERNEL=stock; base/bugs says more
	@$(MAKE) --no-print-directory KERNEL=stock kernel tools >&2
	@$(MAKE) --no-print-directory KERNEL=default kernel tools selftests >&2
	@base/bugs/show

vm: missing	## boot and run CMD='…' in the guest; SHARE=DIR shows a folder at /share, TIMEOUT=seconds
	@scripts/vm run "$$VM_COMMAND"

shell: missing	## boot and give a prompt; "exit" ends the machine
	@scripts/vm shell

kernel: tree	## build the kernel (KERNEL=default, stock, …) in build/kernel
	@scripts/build-kernel

tools: tree	## build bpftool of that kernel in build/tools
	@scripts/build-tools

selftests: tree	## build our and upstream's groups about struct_ops of test_progs, modules, BPF objects into build/objs
	@scripts/build-selftests

refresh:	## write the work in build/linux back to patches/ and the new files
	@scripts/tree refresh

deb: packages	## packages of the kernel, bpftool and libbpf in build/deb, for this machine; CONFIG=FILE, CONFIG=vm
	@CONFIG=$(CONFIG) scripts/build-deb check
	@$(MAKE) --no-print-directory KERNEL=default missing >&2
	@CONFIG=$(CONFIG) scripts/build-deb

series: tree	## write the mail-ready series, each with its cover letter, to build/series
	@scripts/tree series

menuconfig: tree	## change the configuration by hand; what shall stay goes to base/kernel.config
	@scripts/build-kernel menuconfig

clean:		## remove what was built, but not build/linux, the base and what is built of another
	[ ! -d $(BUILD) ] || find $(BUILD) -mindepth 1 -maxdepth 1 ! -name linux ! -name 'base*' ! -name package \
		$(patsubst base/%/source,! -name %,$(wildcard base/*/source)) -exec rm -rf {} +

# Not verbs: what the verbs need

objs: tree
	@scripts/build-selftests objs

tree: packages
	@scripts/tree assemble

packages:
	@scripts/packages
	@[ $(BUILD) = build ] || scripts/base-package
	@[ "$(KERNEL)" != arm64 ] || { scripts/packages packages-arm64 && scripts/build-root >&2; }

# A machine is booted as it was last built; only what was never built is made
missing:
	@[ -f $(BUILD)/kernel/$(KERNEL)/mods/.done ] || $(MAKE) --no-print-directory kernel >&2
	@[ -x $(BUILD)/tools/$(KERNEL)/bpftool ] || $(MAKE) --no-print-directory tools >&2
	@[ -f $(BUILD)/objs/scx_simple.bpf.o ] || $(MAKE) --no-print-directory KERNEL=default kernel tools objs >&2
