/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log.h"

#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

static atomic_int log_threshold = LOG_LEVEL_INFO;
static enum log_format log_style = LOG_FORMAT_LOGFMT;
static atomic_bool log_local_time;

/* From log_change on it stands in the environment as it is: a change needs no setenv, which no other thread could bear. */
static char zone_variable[256];
static pthread_mutex_t zone_lock = PTHREAD_MUTEX_INITIALIZER;

static const char *const level_names[] = { "debug", "info", "warn", "error" };

void log_setup(enum log_level level, enum log_format format, bool local_time)
{
	atomic_store(&log_threshold, (int)level);
	log_style = format;
	atomic_store(&log_local_time, local_time);
}

void log_change(enum log_level level, const char *time_zone)
{
	bool first = zone_variable[0] == '\0';
	const char *zone = *time_zone != '\0' ? time_zone : first ? getenv("TZ") : NULL;

	CHECK(pthread_mutex_lock(&zone_lock) == 0);
	if (first || zone != NULL)
		snprintf(zone_variable, sizeof(zone_variable), "TZ=%s", zone == NULL ? ":/etc/localtime" : zone);
	if (first)
		putenv(zone_variable);
	tzset();
	pthread_mutex_unlock(&zone_lock);
	atomic_store(&log_local_time, *time_zone != '\0');
	atomic_store(&log_threshold, (int)level);
}

bool log_level_parse(const char *name, enum log_level *out)
{
	static const struct {
		const char *name;
		enum log_level level;
	} names[] = {
		{ "debug", LOG_LEVEL_DEBUG }, { "info", LOG_LEVEL_INFO },   { "warning", LOG_LEVEL_WARN },
		{ "warn", LOG_LEVEL_WARN },   { "error", LOG_LEVEL_ERROR }, { "critical", LOG_LEVEL_ERROR },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcasecmp(names[i].name, name) == 0) {
			*out = names[i].level;
			return true;
		}
	}
	return false;
}

static void put_time(struct buf *line)
{
	bool local = atomic_load(&log_local_time);
	struct timespec now;
	struct tm parts;
	char text[64];

	clock_gettime(CLOCK_REALTIME, &now);
	if (local) {
		CHECK(pthread_mutex_lock(&zone_lock) == 0);
		localtime_r(&now.tv_sec, &parts);
		pthread_mutex_unlock(&zone_lock);
	} else {
		gmtime_r(&now.tv_sec, &parts);
	}
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
	buf_printf(line, "%s.%03ld", text, now.tv_nsec / 1000000);
	strftime(text, sizeof(text), local ? "%z" : "Z", &parts);
	buf_puts(line, text);
}

static bool is_bare(const char *text)
{
	if (*text == '\0')
		return false;
	for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
		if (*c <= ' ' || *c == '"' || *c == '=' || *c == '\\' || *c >= 0x7f)
			return false;
	}
	return true;
}

/* JSON's escapes serve logfmt as well. Bytes above ASCII are escaped too: a log line is always valid UTF-8. */
static void put_quoted(struct buf *line, const char *text)
{
	buf_puts(line, "\"");
	for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\')
			buf_printf(line, "\\%c", *c);
		else if (*c == '\n')
			buf_puts(line, "\\n");
		else if (*c < ' ' || *c >= 0x7f)
			buf_printf(line, "\\u%04x", *c);
		else
			buf_append(line, c, 1);
	}
	buf_puts(line, "\"");
}

static void put_text(struct buf *line, const char *text)
{
	if (log_style == LOG_FORMAT_LOGFMT && is_bare(text))
		buf_puts(line, text);
	else
		put_quoted(line, text);
}

static void put_key(struct buf *line, const char *key)
{
	if (log_style == LOG_FORMAT_JSON)
		buf_printf(line, ",\"%s\":", key);
	else
		buf_printf(line, " %s=", key);
}

static void put_field(struct buf *line, const struct log_field *field)
{
	if (field->type == LOG_FIELD_TEXT && field->value.text == NULL)
		return;
	put_key(line, field->key);
	switch (field->type) {
	case LOG_FIELD_TEXT:
		put_text(line, field->value.text);
		break;
	case LOG_FIELD_INT:
		buf_printf(line, "%" PRId64, field->value.integer);
		break;
	case LOG_FIELD_UINT:
		buf_printf(line, "%" PRIu64, field->value.natural);
		break;
	case LOG_FIELD_REAL:
		buf_printf(line, "%.3f", field->value.real);
		break;
	case LOG_FIELD_BOOL:
		buf_puts(line, field->value.natural != 0 ? "true" : "false");
		break;
	}
}

/* Up to PIPE_BUF bytes go into a pipe at once or not at all, and poll tells whether they would. */
static bool try_write(const char *data, size_t size)
{
	struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&out, 1, 0) == 1 && (out.revents & POLLOUT) != 0 && write(STDERR_FILENO, data, size) == (ssize_t)size;
}

static void put_line(struct buf *line)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static unsigned lost;
	char told[64];

	if (line->size > PIPE_BUF) {
		line->size = PIPE_BUF;
		line->data[PIPE_BUF - 1] = '\n';
	}
	/* One at a time: between poll and write nobody else may take the last room in the pipe. */
	CHECK(pthread_mutex_lock(&lock) == 0);
	if (lost > 0) {
		int size = snprintf(told, sizeof(told),
			log_style == LOG_FORMAT_JSON ? "{\"level\":\"warn\",\"msg\":\"log lines lost\",\"count\":%u}\n" :
						       "level=warn msg=\"log lines lost\" count=%u\n",
			lost);

		if (try_write(told, (size_t)size))
			lost = 0;
	}
	if (!try_write(line->data, line->size))
		lost++;
	pthread_mutex_unlock(&lock);
}

void log_write(enum log_level level, const char *msg, const struct log_field *fields)
{
	struct buf line = { 0 };
	bool json = log_style == LOG_FORMAT_JSON;

	if ((int)level < atomic_load_explicit(&log_threshold, memory_order_relaxed))
		return;
	buf_puts(&line, json ? "{\"ts\":\"" : "ts=");
	put_time(&line);
	buf_printf(&line, json ? "\",\"level\":\"%s\",\"msg\":" : " level=%s msg=", level_names[level]);
	put_text(&line, msg);
	for (const struct log_field *field = fields; field->key != NULL; field++)
		put_field(&line, field);
	buf_puts(&line, json ? "}\n" : "\n");
	put_line(&line);
	buf_free(&line);
}
