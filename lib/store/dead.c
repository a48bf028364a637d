/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/dead.h"

#include "store/db.h"
#include "store/rows.h"

/* "state >= 4" as it stands in the index, so that it can be used: along it, without a sort. */
static const char list_sql[] = "SELECT " ROWS_DELIVERY ", d.zone_id, z.name, d.backend_id"
	" FROM delivery AS d INDEXED BY delivery_dead CROSS JOIN zone AS z ON z.id = d.zone_id"
	" WHERE d.state >= 4 AND d.state <= ?1 AND d.zone_id > ?2 AND d.zone_id <= ?3 AND ?4 IN (0, d.backend_id)"
	" AND (d.state <> 6 OR NOT EXISTS (SELECT 1 FROM frozen AS f WHERE f.zone_id = d.zone_id))"
	" ORDER BY d.zone_id, d.backend_id LIMIT ?5";

int store_dead_list(struct store *store, const struct store_dead_filter *filter, size_t limit,
	bool (*each)(void *ctx, const struct store_dead *dead), void *ctx, struct err *err)
{
	struct delivery delivery;
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, list_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, filter->dropped ? DELIVERY_PARKED : DELIVERY_DEAD);
	db_bind_int(stmt, 2, filter->zone_id == 0 ? filter->after : filter->zone_id - 1);
	db_bind_int(stmt, 3, filter->zone_id == 0 ? INT64_MAX : filter->zone_id);
	db_bind_int(stmt, 4, filter->backend_id);
	db_bind_int(stmt, 5, db_limit(limit));
	while ((rc = db_step(store, stmt, err)) > 0) {
		struct store_dead dead = { .zone_id = sqlite3_column_int64(stmt, ROWS_DELIVERY_COLUMNS),
			.zone = db_column_text(stmt, ROWS_DELIVERY_COLUMNS + 1),
			.backend_id = sqlite3_column_int64(stmt, ROWS_DELIVERY_COLUMNS + 2), .delivery = &delivery };

		rows_read_delivery(stmt, 0, &delivery);
		if (!each(ctx, &dead)) {
			db_reset(stmt);
			return 0;
		}
	}
	return rc;
}
