/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/backend.h"

const char *backend_verdict_name(enum backend_verdict verdict)
{
	switch (verdict) {
	case BACKEND_OK:
		return "ok";
	case BACKEND_RETRY:
		return "retry";
	case BACKEND_REJECT:
		return "reject";
	case BACKEND_STALE:
		return "stale";
	case BACKEND_DOWN:
		return "down";
	}
	WRONG("a verdict that the contract does not know");
}
