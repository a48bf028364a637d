/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/digest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "backends/coredns_mysql/literal.h"

/* MariaDB and MySQL sum BIGINT UNSIGNED as DECIMAL, so nothing wraps before the modulus. */
#define HALF(start) "MOD(SUM(CAST(CONV(SUBSTR(h," start ",16),16,10) AS UNSIGNED)),18446744073709551616)"

/* "<length in bytes>:<text>", or "-" for NULL; in UTF-8, whatever the column's charset, with all its blanks. */
static void add_field(struct buf *sql, const char *name, const struct schema_column *column)
{
	const char *as_utf8 = column->foreign ? "CONVERT(%t USING utf8mb4)" : "%t";

	buf_puts(sql, column->nullable ? "COALESCE(CONCAT(OCTET_LENGTH(" : "OCTET_LENGTH(");
	literal_sql(sql, as_utf8, name);
	buf_puts(sql, "),':',");
	literal_sql(sql, as_utf8, name);
	buf_puts(sql, column->nullable ? "),'-')" : "");
}

static void add_hashes(struct buf *sql, const char *columns, const char *records_table, const struct schema *schema)
{
	static const char *const names[SCHEMA_DIGESTED] = { [SCHEMA_HOSTNAME] = "hostname", [SCHEMA_TYPE] = "type",
		[SCHEMA_DATA] = "data", [SCHEMA_TTL] = "ttl", [SCHEMA_ONLINE] = "online" };

	buf_puts(sql, " FROM (SELECT ");
	buf_puts(sql, columns);
	buf_puts(sql, "SHA2(CONCAT(");
	for (size_t i = 0; i < SCHEMA_DIGESTED; i++) {
		buf_puts(sql, i > 0 ? "," : "");
		add_field(sql, names[i], &schema->digested[i]);
	}
	literal_sql(sql, "),256) AS h FROM %t WHERE zone_id IN (", records_table);
}

void digest_sql_begin(struct buf *sql, const char *records_table, const struct schema *schema)
{
	buf_puts(sql, "SELECT zone_id,COUNT(*) AS n," HALF("1") " AS high," HALF("17") " AS low");
	add_hashes(sql, "zone_id,", records_table, schema);
}

void digest_sql_assert(struct buf *sql, const char *records_table, const struct schema *schema,
	const struct zone_digest *expected)
{
	/* A comparison with NULL, that of a sum of nothing, counts as one that failed. */
	literal_sql(sql, "SELECT 9223372036854775807+(COALESCE(COUNT(*)=%u AND " HALF("1") "=%u AND " HALF("17") "=%u,0)=0)",
		expected->count, expected->high, expected->low);
	add_hashes(sql, "", records_table, schema);
}

/* The limit limits nothing; without one the servers merge the two levels, and hash each row twice. */
void digest_sql_assert_end(struct buf *sql)
{
	buf_puts(sql, ") LIMIT 18446744073709551615) AS d");
}

void digest_sql_end(struct buf *sql)
{
	digest_sql_assert_end(sql);
	buf_puts(sql, " GROUP BY zone_id");
}

static bool take_number(const char *text, uint64_t *out)
{
	char *end;

	if (text == NULL || text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*out = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0';
}

bool digest_take(char *const *columns, struct zone_digest *out)
{
	return take_number(columns[0], &out->count) && take_number(columns[1], &out->high) &&
		take_number(columns[2], &out->low);
}
