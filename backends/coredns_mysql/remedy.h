/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an operator does about an error of a server, or of the way to it. Pure; any thread. */
#pragma once

#include "backends/coredns_mysql/coredns_mysql.h"
#include "base/buf.h"

/* code 0: nobody answered in time, or the name is not known. backend: its name in the configuration. *about: as in struct backend_finding. */
void remedy_for(unsigned code, const char *backend, const struct coredns_mysql_settings *settings, const char **about,
	struct buf *out);
