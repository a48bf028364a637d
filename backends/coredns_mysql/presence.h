/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which of the three tables there are, where nobody has made sure of it. Thread of the back end; blocks as link.h does. */
#pragma once

#include "backends/coredns_mysql/target.h"

struct presence {
	bool zones; /* and records */
	bool stamps;
};

/* 0 or -1 (link->text). Where the connection was made ready all are there. */
MUST_CHECK int presence_look(struct target *target, struct presence *out);
