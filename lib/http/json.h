/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Engine answers as JSON, in the shapes of README.md. The caller owns what is
 * returned. Text that is no UTF-8 is shown with each odd byte as "?", a NUL as
 * U+FFFD.
 */
#pragma once

#include <jansson.h>

#include "base/doc.h"
#include "engine/engine.h"

json_t *json_status(const struct engine_status *status);
/* The newest healing pass of each back end, alone. */
json_t *json_heals(const struct engine_status *status);
/* null if there was none. */
json_t *json_heal(const struct engine_heal *heal);
json_t *json_zone(const struct engine_zone *zone, bool with_deliveries);
json_t *json_refused(const struct engine_refused *refused, bool with_text);
json_t *json_event(const struct engine_event *event);
/* Whatever the engine tells as a tree. */
json_t *json_doc(const struct doc *doc);
/* NULL gives null. */
json_t *json_text(const char *text);
/* A zone name without its final dot. */
json_t *json_name(const char *name);
