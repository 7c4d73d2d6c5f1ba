/* SPDX-License-Identifier: GPL-2.0 */
/* What the targets share: files that exist in memory only, and edited objects. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A target's own findings end as a sanitizer's do: with the input kept. */
#define EXPECT(cond) ((cond) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #cond))
void fuzz_fail(const char *file, int line, const char *cond) __attribute__((noreturn));

/* From now on the program sees @data at @path. It stays the caller's. Folders
 * below /etc/bpf, /usr/lib/bpf and /sys/kernel/btf hold nothing else.
 */
void fuzz_add_file(const char *path, const void *data, size_t size);
void fuzz_forget_files(void);

/* The object that FUZZ_SEED names, with what the input says changed: to be freed.
 * NULL if it is @for_libbpf, whose own code can't be given it; fuzz/README.md says why.
 */
uint8_t *fuzz_edit_object(const uint8_t *edits, size_t edits_size, size_t *size, bool for_libbpf);

/* bpftool's commands write their results to nowhere in between. */
void fuzz_begin_output(bool json);
void fuzz_end_output(void);

#endif
