/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which types of back end there are. A new one: a folder, its ops, one row here. */
#include <string.h>

#include "backends/backend.h"
#include "backends/coredns_mysql/coredns_mysql.h"

static const struct backend_ops *const types[] = {
	&coredns_mysql_ops,
};

const struct backend_ops *backend_find(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (strcmp(types[i]->type, type) == 0)
			return types[i];
	}
	return NULL;
}
