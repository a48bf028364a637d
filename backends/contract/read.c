/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>

#include "backends/backend.h"

void backend_read_free(struct backend_read *read)
{
	for (size_t i = 0; i < read->count; i++) {
		struct backend_rows *zone = &read->zones[i];

		free(zone->rows);
		free(zone->texts);
		*zone = (struct backend_rows){ .name = zone->name };
	}
	read->done = 0;
}

void backend_list_free(struct backend_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->names[i].name);
	free(list->names);
	list->names = NULL;
	list->count = 0;
}
