/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside the engine: making messages for the loop. The receiver of a message owns it. */
#pragma once

#include "engine/engine.h"

struct engine_message *engine_message_create(enum engine_message_kind kind);
/* A reply to request; err NULL: success. */
struct engine_message *engine_message_reply(const struct engine_request *request, const struct err *err);
/* Copies the strings. */
void engine_message_add_name(struct engine_message *message, const char *name, const char *hostname,
	const char *username);
