/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the process may do, and who may look into it: given up for good, before threads start. (reliability.md 9.)
 */
#pragma once

#include "base/err.h"

/*
 * The memory holds passwords: no core file, no debugger of the same user, /proc/PID/environ for root alone. What is
 * executed later gains no rights that this process has not.
 */
void privilege_protect(void);
/*
 * Started as root, the process becomes that user, with the groups that the system gives him, and can't come back. "" changes
 * nothing; so does the user that it is already. ERR_NOTFOUND: there is none of that name; ERR_DENIED: only root becomes
 * another. Blocks on the system's user database.
 */
MUST_CHECK int privilege_become(const char *user, struct err *err);
