/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "import.h"

#include <signal.h>
#include <string.h>

#include "exit.h"

int import_command(const struct call *call)
{
	signal(SIGPIPE, SIG_IGN); /* libmariadb's connections, and an engine's */
	if (strcmp(call->words[0], "backend") == 0)
		return import_backend(call);
	if (strcmp(call->words[0], "directdnsonly") == 0 && !call_has(call, OPTION_PREFER))
		return import_directdnsonly(call);
	return EXIT_USAGE;
}
