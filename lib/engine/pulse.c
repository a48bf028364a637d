/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/pulse.h"

void pulse_beat(struct pulse *pulse)
{
	atomic_fetch_add_explicit(&pulse->beats, 1, memory_order_relaxed);
}

bool pulse_look(struct pulse *pulse)
{
	unsigned beats = atomic_load_explicit(&pulse->beats, memory_order_relaxed);

	if (beats != pulse->seen)
		pulse->looks = 0;
	else if (pulse->looks < PULSE_LOOKS)
		pulse->looks++;
	pulse->seen = beats;
	return pulse->looks < PULSE_LOOKS;
}
