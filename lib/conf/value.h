/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Strict reading of configuration values. "10m", "010", "0x10", "-1" and
 * "1e3" are no numbers: a unit that was ignored or a forgotten base costs
 * more than a start refused.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

enum {
	VALUE_MAX_SIZE = 4096,
	VALUE_LIST_MAX_SIZE = 16384 /* of all elements and the commas between them */
};

/* Decimal digits alone, no leading zero, up to 2^63 - 1. */
bool value_number(const char *text, int64_t *out);
/* true, yes, on, 1; false, no, off, 0; any case. */
bool value_bool(const char *text, bool *out);
/* log_level_parse's names and loguru's TRACE and SUCCESS, which the predecessor took too. */
bool value_level(const char *text, enum log_level *out);
const char *value_level_name(enum log_level level);
/*
 * The element of a comma-separated list that begins at *at, blanks cut off, into out; *at is moved behind the comma,
 * to NULL at the end. false: none is left, or it is too long.
 */
bool value_element(const char **at, char *out, size_t size);
/* NULL, or what is wrong with text as such: too long, not UTF-8, a control character. */
const char *value_text_fault(const char *text);
/* The same of a comma-separated list. */
const char *value_list_fault(const char *text);

/* Shapes of text. */
bool value_is_table(const char *text);       /* ^[A-Za-z0-9_]{1,64}$ */
bool value_is_name(const char *text);        /* of a back end: ^[A-Za-z0-9_.-]{1,64}$ */
bool value_is_address(const char *text);     /* an IPv4 or IPv6 address, or "" */
bool value_is_host(const char *text);        /* a host name or address, or "" */
bool value_is_server(const char *text);      /* HOST:PORT or [IPV6]:PORT */
bool value_is_domain(const char *text);      /* a host name of two labels or more, or "" */
bool value_is_socket_path(const char *text); /* fits a Unix socket's address, or "" */
bool value_is_login(const char *text);       /* not empty, no colon: RFC 7617 2 */
bool value_is_login_or_none(const char *text); /* the same, or "" */
bool value_is_zone_name(const char *text);   /* of a time zone, "Pacific/Auckland", or "" */
bool value_is_filled(const char *text);      /* not empty */
bool value_is_webhook(const char *text);     /* http[s]://host[:port] and whatever follows, no login; or "" */
bool value_is_url(const char *text);         /* http[s]://host[:port], no login, no path; or "" */
bool value_is_network(const char *text);     /* base/cidr.h */
bool value_is_role(const char *text);        /* of a listener */
