/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t system_mono_ms(void *ctx)
{
	struct timespec now;

	(void)ctx;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t system_wall_us(void *ctx)
{
	struct timespec now;

	(void)ctx;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

const struct clock *clock_system(void)
{
	static const struct clock system = { .mono_ms = system_mono_ms, .wall_us = system_wall_us };

	return &system;
}

const char *clock_text(int64_t wall_us, char out[CLOCK_TEXT_SIZE])
{
	time_t seconds = (time_t)(wall_us / 1000000);
	struct tm parts;
	char text[CLOCK_TEXT_SIZE];

	gmtime_r(&seconds, &parts);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(out, CLOCK_TEXT_SIZE, "%.26s.%06dZ", text, (int)(wall_us % 1000000));
	return out;
}

/* Exactly that many digits, a number up to most; -1: they are not. */
static int digits(const char **at, int count, int most)
{
	int number = 0;

	for (int i = 0; i < count; i++, (*at)++) {
		if (**at < '0' || **at > '9')
			return -1;
		number = number * 10 + (**at - '0');
	}
	return number > most ? -1 : number;
}

static bool skip(const char **at, const char *any)
{
	bool there = **at != '\0' && strchr(any, **at) != NULL;

	*at += there;
	return there;
}

/* Behind the seconds: ".5" is half a second. More than six digits are cut. */
static bool fraction(const char **at, int64_t *us)
{
	int64_t unit = 100000;

	*us = 0;
	if (!skip(at, "."))
		return true;
	if (**at < '0' || **at > '9')
		return false;
	for (; **at >= '0' && **at <= '9'; (*at)++, unit /= 10)
		*us += unit * (**at - '0');
	return true;
}

bool clock_parse(const char *text, int64_t *wall_us)
{
	const char *at = text;
	struct tm parts = { 0 };
	int64_t us;

	parts.tm_year = digits(&at, 4, 9999) - 1900;
	if (!skip(&at, "-") || (parts.tm_mon = digits(&at, 2, 12) - 1) < 0)
		return false;
	if (!skip(&at, "-") || (parts.tm_mday = digits(&at, 2, 31)) < 1)
		return false;
	if (!skip(&at, "T ") || (parts.tm_hour = digits(&at, 2, 23)) < 0)
		return false;
	if (!skip(&at, ":") || (parts.tm_min = digits(&at, 2, 59)) < 0)
		return false;
	if (!skip(&at, ":") || (parts.tm_sec = digits(&at, 2, 59)) < 0)
		return false;
	int day = parts.tm_mday;
	if (!fraction(&at, &us))
		return false;
	skip(&at, "Z");
	if (*at != '\0')
		return false;
	time_t seconds = timegm(&parts);
	if (seconds <= 0 || parts.tm_mday != day) /* 31 February is another day to timegm */
		return false;
	*wall_us = (int64_t)seconds * 1000000 + us;
	return true;
}
