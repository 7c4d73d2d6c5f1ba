/* SPDX-License-Identifier: GPL-2.0 */
/* A function of bpf_module_gate.c, for its callers and the test. */
#ifndef __BPF_MODULE_GATE_H
#define __BPF_MODULE_GATE_H

/* The kernel's info has room for 127 characters of a function's name. */
#define GATE_PASTE_(a, b) a##b
#define GATE_PASTE(a, b) GATE_PASTE_(a, b)
#define gate_long GATE_PASTE(							\
	gate_has_seen_so_many_packets_that_nobody_could_count_them_by_hand_any_more,	\
	_and_even_a_machine_would_have_to_take_its_time_if_it_did)

#endif /* __BPF_MODULE_GATE_H */
