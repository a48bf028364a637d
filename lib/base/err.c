/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *err, enum err_code code, const char *format, ...)
{
	if (err != NULL) {
		va_list args;

		err->code = code;
		va_start(args, format);
		vsnprintf(err->text, sizeof(err->text), format, args);
		va_end(args);
	}
	return code;
}

int err_prefix(struct err *err, const char *format, ...)
{
	struct err old = *err;
	va_list args;

	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	size_t used = strlen(err->text);
	const char *const parts[] = { ": ", old.text };
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		for (const char *c = parts[i]; *c != '\0' && used + 1 < sizeof(err->text); c++)
			err->text[used++] = *c;
	}
	err->text[used] = '\0';
	return err->code;
}

const char *err_name(enum err_code code)
{
	switch (code) {
	case ERR_OK:
		return "ok";
	case ERR_INVALID:
		return "invalid";
	case ERR_NOTFOUND:
		return "not found";
	case ERR_IO:
		return "i/o";
	case ERR_NOSPACE:
		return "no space";
	case ERR_BUSY:
		return "busy";
	case ERR_CORRUPT:
		return "corrupt";
	case ERR_VERSION:
		return "version";
	case ERR_DENIED:
		return "denied";
	case ERR_LIMIT:
		return "limit";
	case ERR_CLOSED:
		return "closed";
	case ERR_TIMEOUT:
		return "time-out";
	case ERR_FOREIGN:
		return "foreign";
	}
	return "unknown";
}
