/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/probe.h"

#include <strings.h>

#include "backends/coredns_mysql/literal.h"
#include "backends/coredns_mysql/tables.h"

/* Rights, columns, read_only, a cluster's primary component: the server checks all of them before it sees "no rows". */
static void compose_probe(struct buf *sql, const struct coredns_mysql_settings *settings)
{
	literal_sql(sql,
		"INSERT INTO %t (zone_name) SELECT '' FROM DUAL WHERE FALSE;"
		"UPDATE %t SET zone_name = zone_name WHERE FALSE;DELETE FROM %t WHERE FALSE;",
		settings->zones_table, settings->zones_table, settings->zones_table);
	literal_sql(sql,
		"INSERT INTO %t (zone_id,hostname,type,data,ttl,online) SELECT 0,'','','',0,0 FROM DUAL WHERE FALSE;"
		"UPDATE %t SET data=data,ttl=ttl,online=online WHERE FALSE;DELETE FROM %t WHERE FALSE;",
		settings->records_table, settings->records_table, settings->records_table);
	literal_sql(sql,
		"INSERT INTO %t (zone_name,store_id,generation,digest,record_count,serial,deleted,changed_at) "
		"SELECT '','',0,'',0,0,0,UTC_TIMESTAMP(6) FROM DUAL WHERE FALSE;"
		"UPDATE %t SET generation=generation WHERE FALSE;DELETE FROM %t WHERE FALSE;",
		settings->state_table, settings->state_table, settings->state_table);
	literal_sql(sql, "SELECT id,zone_name FROM %t WHERE FALSE;SELECT id,zone_id,hostname FROM %t WHERE FALSE;",
		settings->zones_table, settings->records_table);
	tables_add_engines(sql, settings);
	buf_puts(sql, ";SELECT @@innodb_read_only;SHOW GLOBAL VARIABLES LIKE 'wsrep_on';"
		      "SHOW GLOBAL STATUS LIKE 'wsrep_ready'");
}

static bool cell_is(struct result *rows, unsigned at, const char *value)
{
	char **row = rows == NULL ? NULL : result_next(rows);

	return row != NULL && row[at] != NULL && strcasecmp(row[at], value) == 0;
}

enum backend_verdict probe_target(struct target *target, struct err *err)
{
	static const unsigned columns[] = { 2, 3, 3, 1, 2, 2 };
	enum { ENGINES = 2, READ_ONLY, WSREP_ON, WSREP_READY, RESULTS };
	struct buf sql = { 0 };
	struct result *rows[RESULTS];
	enum backend_verdict verdict = BACKEND_OK;

	compose_probe(&sql, target->settings);
	link_demand(&target->link, columns, ARRAY_SIZE(columns));
	int outcome = link_fetch(&target->link, &sql, rows, RESULTS);
	buf_free(&sql);
	if (outcome < 0) {
		/* Whatever it is, a zone could not be written now. */
		target_failed(target, "probing", err);
		link_abort(&target->link);
		return BACKEND_DOWN;
	}
	if (tables_check_engines(target->settings, rows[ENGINES], err) < 0) {
		err_prefix(err, "%s", target->params.name);
		verdict = BACKEND_DOWN;
	} else if (cell_is(rows[READ_ONLY], 0, "1")) {
		err_set(err, ERR_DENIED, "%s: server is read-only (innodb_read_only)", target->params.name);
		verdict = BACKEND_DOWN;
	} else if (cell_is(rows[WSREP_ON], 1, "ON") && cell_is(rows[WSREP_READY], 1, "OFF")) {
		err_set(err, ERR_DENIED, "%s: the cluster node is not ready to write (wsrep)", target->params.name);
		verdict = BACKEND_DOWN;
	}
	for (size_t i = 0; i < RESULTS; i++)
		result_free(rows[i]);
	return verdict;
}
