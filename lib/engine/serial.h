/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Serials that secondaries take for newer (RFC 1982). Pure logic. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * A serial above all that were served (served[0] is the present one): of the form YYYYMMDDnn if today's is above them, else
 * the next. Where no number is above all of them, it is above the present one.
 */
uint32_t serial_next(const uint32_t *served, size_t count, int64_t wall_us);
