/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A thread's sign of life (reliability.md P05): it beats each time it turns, at
 * least every PULSE_MS; one other thread looks once a second. Looks are counted,
 * not seconds: where the whole process was stopped for a while nobody is blamed.
 * Neither function blocks.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

enum { PULSE_MS = 2000, PULSE_LOOKS = 10 };

struct pulse {
	atomic_uint beats;
	unsigned seen;   /* by the one who looks, as is looks: how often it saw no new beat */
	unsigned looks;
};

/* The thread itself. */
void pulse_beat(struct pulse *pulse);
/* Whoever looks: false if there was no beat for PULSE_LOOKS looks. */
bool pulse_look(struct pulse *pulse);
