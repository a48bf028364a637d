/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "da_zones.h"

#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "table.h"
#include "zone/zone.h"

struct comparison {
	const char *identity;
	const char *since;
	json_int_t listed, held, missing, arrived;
	json_t *conflicts;
};

/* name -> zone of zonefand's answer. */
static json_t *index_zones(json_t *zones)
{
	json_t *by_name = json_object();
	size_t index;
	json_t *zone;

	json_array_foreach(zones, index, zone)
		json_object_set(by_name, cell_text_at(zone, "name"), zone);
	return by_name;
}

static void compare(struct comparison *comparison, const char *name, const json_t *zone)
{
	const char *owner = json_string_value(json_object_get(zone, "hostname"));

	comparison->listed++;
	if (zone == NULL || json_is_true(json_object_get(zone, "deleted"))) {
		comparison->missing++;
	} else if (owner != NULL && *owner != '\0' && strcasecmp(owner, comparison->identity) != 0) {
		json_array_append_new(comparison->conflicts, json_pack("{s:s, s:s}", "zone", name, "owner", owner));
	} else {
		comparison->held++;
		comparison->arrived += strcmp(cell_text_at(zone, "updated_at"), comparison->since) >= 0;
	}
}

int da_zones_compare(const struct client *client, const struct da_list *list, const char *identity, const char *since,
	json_t **out, struct err *err)
{
	struct comparison comparison = { .identity = identity, .since = since, .conflicts = json_array() };
	char plain[ZONE_NAME_SIZE];
	json_t *answer = NULL;
	const char *name;
	size_t at = 0;

	int ret = client_list(client, "/api/v1/zones", "zones", "after", 0, &answer, err);
	if (ret != ERR_OK) {
		json_decref(comparison.conflicts);
		return ret;
	}
	json_t *by_name = index_zones(json_object_get(answer, "zones"));
	while ((name = da_list_next(&list->names, &at)) != NULL) {
		zone_name_plain(name, plain);
		compare(&comparison, plain, json_object_get(by_name, plain));
	}
	json_decref(by_name);
	json_decref(answer);
	*out = json_pack("{s:I, s:I, s:I, s:I, s:o}", "listed", comparison.listed, "held", comparison.held, "missing",
		comparison.missing, "arrived", comparison.arrived, "conflicts", comparison.conflicts);
	CHECK(*out != NULL);
	return ERR_OK;
}
