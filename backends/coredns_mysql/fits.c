/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/fits.h"

#include <inttypes.h>
#include <string.h>

#include "backends/coredns_mysql/literal.h"

/* The text is ASCII, so that characters are bytes. */
static int check(const struct zone_record *record, const char *column, const char *text, uint64_t width,
	struct err *err)
{
	size_t length = strlen(text);

	if (!literal_allows(text))
		return err_set(err, ERR_INVALID, "record %s %s: %s holds a byte above 127", record->owner, record->type,
			column);
	if (length > width)
		return err_set(err, ERR_LIMIT, "record %s %s: %s is %zu characters long, column %s holds %" PRIu64,
			record->owner, record->type, column, length, column, width);
	return 0;
}

int fits_check(const struct backend_item *item, const struct schema *schema, struct err *err)
{
	size_t count = 0;
	const struct zone_record *records = item->zone == NULL ? NULL : zone_records(item->zone, &count);

	if (!literal_allows(item->name))
		return err_set(err, ERR_INVALID, "the zone's name holds a byte above 127");
	if (strlen(item->name) > schema->zone_name_width)
		return err_set(err, ERR_LIMIT, "the zone's name is %zu characters long, column zone_name holds %" PRIu64,
			strlen(item->name), schema->zone_name_width);
	for (size_t i = 0; i < count; i++) {
		const struct zone_record *record = &records[i];
		int outcome = check(record, "hostname", record->owner, schema->hostname_width, err);

		if (outcome == 0)
			outcome = check(record, "type", record->type, schema->type_width, err);
		if (outcome == 0)
			outcome = check(record, "data", record->data, schema->data_width, err);
		if (outcome < 0)
			return outcome;
	}
	return 0;
}
