/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/serial.h"

#include <stdbool.h>
#include <time.h>

#include "sched/version.h"

static bool is_above_all(uint32_t serial, const uint32_t *served, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!version_serial_greater(serial, served[i]))
			return false;
	}
	return true;
}

static uint32_t today(int64_t wall_us)
{
	time_t now = (time_t)(wall_us / 1000000);
	struct tm parts;

	gmtime_r(&now, &parts);
	return (uint32_t)((parts.tm_year + 1900) * 1000000 + (parts.tm_mon + 1) * 10000 + parts.tm_mday * 100);
}

uint32_t serial_next(const uint32_t *served, size_t count, int64_t wall_us)
{
	uint32_t serial = today(wall_us);
	uint32_t highest = served[0];

	if (is_above_all(serial, served, count))
		return serial;
	for (size_t i = 0; i < count; i++) {
		if (version_serial_greater(served[i], highest))
			highest = served[i];
	}
	if (!is_above_all(highest + 1, served, count))
		highest = served[0];
	/* RFC 1982 7: 0 is a number like others, but not to all who read serials. */
	return highest + 1 == 0 ? 1 : highest + 1;
}
