/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Zone text under another SOA serial: nothing else of it changes, not a
 * blank, and that is checked by parsing it again. Any thread, never blocks.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "zone/zone.h"

/*
 * text is what zone was parsed from. On success out (empty before) holds the new text and *changed is it, parsed, with one
 * reference. ERR_INVALID: the serial's place in the text can't be told.
 */
MUST_CHECK int zone_text_set_serial(const struct zone *zone, const char *text, size_t size, uint32_t serial,
	struct buf *out, struct zone **changed, struct err *err);
