/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A thread that does not turn is told after ten looks, and no sooner; the engine's own beat while nothing is to do. */
#include "engine/pulse.h"
#include "test_engine_rig.h"

static void a_beat_in_time_is_enough(void **state UNUSED)
{
	struct pulse pulse = { 0 };

	for (int i = 0; i < 100; i++) {
		if (i % (PULSE_LOOKS - 1) == 0)
			pulse_beat(&pulse);
		assert_true(pulse_look(&pulse));
	}
}

static void ten_looks_without_a_beat_are_a_stall_until_the_next(void **state UNUSED)
{
	struct pulse pulse = { 0 };

	pulse_beat(&pulse);
	for (int i = 0; i < PULSE_LOOKS; i++)
		assert_true(pulse_look(&pulse));
	for (int i = 0; i < 100; i++)
		assert_false(pulse_look(&pulse));
	pulse_beat(&pulse);
	assert_true(pulse_look(&pulse));
}

/* Looks in a row, faster than the threads beat with nothing to do, and then, in time, one that finds a beat of both. */
static void threads_without_work_beat(void **state UNUSED)
{
	const struct timespec step = { .tv_nsec = 10000000 };
	int64_t end_ms = clock_mono_ms(clock_system()) + 10 * PULSE_MS;

	for (int i = 0; i < 1000 * PULSE_LOOKS && engine_stalled(rig.engine) == NULL; i++)
		;
	assert_non_null(engine_stalled(rig.engine));
	while (engine_stalled(rig.engine) != NULL) {
		assert_true(clock_mono_ms(clock_system()) < end_ms);
		nanosleep(&step, NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_beat_in_time_is_enough),
		cmocka_unit_test(ten_looks_without_a_beat_are_a_stall_until_the_next),
		cmocka_unit_test_setup_teardown(threads_without_work_beat, set_up, tear_down),
	};

	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
