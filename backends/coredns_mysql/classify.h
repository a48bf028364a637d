/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One rule for errors (reliability.md 3.3): what an error code of the server
 * or of the client library means for a delivery, and what an operator is told.
 * Pure; any thread.
 */
#pragma once

#include <stdbool.h>

#include "backends/backend.h"

enum classify_class {
	CLASSIFY_RETRY,      /* this transaction, again: deadlock, lock wait, statement time-out */
	CLASSIFY_ZONE,       /* this zone cannot be held there */
	CLASSIFY_CONNECTION, /* the connection is gone, or none can be had now */
	CLASSIFY_NOT_WRITABLE, /* read-only, or not in the primary component */
	CLASSIFY_OPERATOR,   /* somebody must act: rights, schema, disk, login, TLS */
	CLASSIFY_UNKNOWN     /* as a lost connection, and the code is named */
};

enum classify_class classify_code(unsigned code);
/* RETRY, REJECT or DOWN. */
enum backend_verdict classify_verdict(enum classify_class class);
/* After such an error in a transaction its outcome is in doubt: the zone may be the cause. */
bool classify_is_lost(enum classify_class class);
/*
 * A sentence for people: "server is read-only (1290)". message is the server's or the library's own text, of which
 * only what is known to be harmless is shown; NULL: none.
 */
void classify_explain(unsigned code, const char *message, char *out, size_t size);
