/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/digest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "backends/coredns_mysql/literal.h"

/* "<length in bytes>:<text>", or "-" for NULL; in UTF-8, whatever the column's charset, with all its blanks. */
#define FIELD(name)                                                                                          \
	"COALESCE(CONCAT(OCTET_LENGTH(CONVERT(" name " USING utf8mb4)),':',CONVERT(" name " USING utf8mb4)),'-')"
/* MariaDB and MySQL sum BIGINT UNSIGNED as DECIMAL, so nothing wraps before the modulus. */
#define HALF(start) "MOD(SUM(CAST(CONV(SUBSTR(h," start ",16),16,10) AS UNSIGNED)),18446744073709551616)"

void digest_sql_begin(struct buf *sql, const char *records_table)
{
	literal_sql(sql,
		"SELECT zone_id,COUNT(*) AS n," HALF("1") " AS high," HALF("17") " AS low FROM (SELECT zone_id,SHA2(CONCAT(" FIELD(
			"hostname") "," FIELD("type") "," FIELD("data") "," FIELD("ttl") "," FIELD("online") "),256) AS h "
										       "FROM %t WHERE zone_id IN (",
		records_table);
}

void digest_sql_end(struct buf *sql)
{
	/* The limit limits nothing; without one the servers merge the two levels, and hash each row twice. */
	buf_puts(sql, ") LIMIT 18446744073709551615) AS d GROUP BY zone_id");
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

bool digest_take(const MYSQL_ROW columns, struct zone_digest *out)
{
	return take_number(columns[0], &out->count) && take_number(columns[1], &out->high) &&
		take_number(columns[2], &out->low);
}
