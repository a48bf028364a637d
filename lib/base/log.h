/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Log lines to stderr: logfmt (ts=... level=info msg="lane down" backend=dc2)
 * or one JSON object per line. Fields are typed; values are quoted and escaped
 * here, so a zone name or a remote's message can never forge a line.
 *
 *	log_warn("push refused", LOG_STR("zone", name), LOG_ERR(&err));
 *
 * Any thread; never blocks: a reader of stderr that stands still costs log
 * lines (counted, and told when it goes on), not deliveries. Lines are cut at
 * 4,096 bytes. Never log a secret, nor zone text.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

struct log_field {
	const char *key;                                  /* NULL ends a list */
	enum { LOG_FIELD_TEXT, LOG_FIELD_INT, LOG_FIELD_UINT, LOG_FIELD_REAL, LOG_FIELD_BOOL } type;
	union {
		const char *text;                         /* NULL is left out */
		int64_t integer;
		uint64_t natural;
		double real;
	} value;
};

#define LOG_STR(name, v) ((struct log_field){ .key = (name), .type = LOG_FIELD_TEXT, .value.text = (v) })
#define LOG_INT(name, v) ((struct log_field){ .key = (name), .type = LOG_FIELD_INT, .value.integer = (v) })
#define LOG_UINT(name, v) ((struct log_field){ .key = (name), .type = LOG_FIELD_UINT, .value.natural = (v) })
#define LOG_REAL(name, v) ((struct log_field){ .key = (name), .type = LOG_FIELD_REAL, .value.real = (v) })
#define LOG_BOOL(name, v) ((struct log_field){ .key = (name), .type = LOG_FIELD_BOOL, .value.natural = (v) })
#define LOG_ERR(e) LOG_STR("error", (e)->text)

#define log_at(level, msg, ...)                                                                              \
	log_write(level, msg, (const struct log_field[]){ __VA_ARGS__ __VA_OPT__(, ) { .key = NULL } })
#define log_debug(...) log_at(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...) log_at(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warn(...) log_at(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_error(...) log_at(LOG_LEVEL_ERROR, __VA_ARGS__)

/* Before threads start; default: info, logfmt, UTC. local_time prints times in TZ's zone. */
void log_setup(enum log_level level, enum log_format format, bool local_time);
/*
 * Other ones while threads run: a level, a time zone for TZ ("": UTC). The first call is made before threads start, for it sets the
 * process's environment; of what else reads TZ nothing is promised.
 */
void log_change(enum log_level level, const char *time_zone);
/* "debug", "info", "warning" or "warn", "error", "critical"; any case (the predecessor's names). */
MUST_CHECK bool log_level_parse(const char *name, enum log_level *out);
void log_write(enum log_level level, const char *msg, const struct log_field *fields);
