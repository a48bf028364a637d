/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One question to one name server, as zonefand puts it. One thread; blocks up to 10 s. */
#pragma once

#include <stdint.h>

#include "base/err.h"

enum doctor_name {
	DOCTOR_NAME_SILENT,   /* nobody answers there, or the host is not known; err */
	DOCTOR_NAME_REFUSED,  /* it answers, and does not have the zone; err says with what */
	DOCTOR_NAME_SERVED    /* with that serial */
};

enum doctor_name doctor_ask_name(const char *host, uint16_t port, const char *zone, uint32_t *serial, struct err *err);
