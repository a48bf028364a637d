/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/examine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backends/coredns_mysql/literal.h"
#include "backends/coredns_mysql/probe.h"
#include "backends/coredns_mysql/remedy.h"
#include "base/clock.h"

enum {
	SKEW_S = 30,
	CERTIFICATE_DAYS = 14, /* left */
	ROWS_SHOWN = 5,
	DAY_S = 24 * 3600
};

struct examination {
	struct target *target;
	void (*tell)(void *ctx, const struct backend_finding *finding);
	void *ctx;
	struct buf missing; /* of the schema: what is to be applied */
};

static void tell(const struct examination *examination, enum backend_health health, const char *about, const char *text,
	const char *remedy)
{
	const struct backend_finding finding = { .health = health, .about = about, .text = text, .remedy = remedy };

	examination->tell(examination->ctx, &finding);
}

/* The server refused, or was lost. about NULL: as the number of the error has it. */
static void tell_failure(const struct examination *examination, const char *about, const struct err *err)
{
	const struct target *target = examination->target;
	struct buf remedy = { 0 };
	const char *by_code;

	remedy_for(target->link.code, target->params.name, target->settings, &by_code, &remedy);
	tell(examination, BACKEND_ILL, about == NULL ? by_code : about, err->text, remedy.data);
	buf_free(&remedy);
}

/* One packet of questions. False: told. */
static bool ask(const struct examination *examination, struct buf *sql, const char *doing, struct result **rows, size_t count)
{
	struct err err;

	int outcome = link_fetch(&examination->target->link, sql, rows, count);
	buf_free(sql);
	if (outcome == 0)
		return true;
	target_failed(examination->target, doing, &err);
	tell_failure(examination, NULL, &err);
	return false;
}

static const char *cell(struct result *rows, unsigned at)
{
	char **row = NULL;

	if (rows != NULL) {
		result_rewind(rows);
		row = result_next(rows);
	}
	return row == NULL || row[at] == NULL ? "" : row[at];
}

/* ---- the way there ---- */

static bool examine_reach(const struct examination *examination)
{
	struct target *target = examination->target;
	struct buf text = { 0 };
	struct err err;

	target->link.code = 0;
	if (target_connected(target, &err) < 0) {
		tell_failure(examination, NULL, &err);
		return false;
	}
	target->backend.ops->describe(&target->backend, &text);
	tell(examination, BACKEND_WELL, "reach", text.data, "");
	buf_free(&text);
	return true;
}

static bool is_local(const struct coredns_mysql_settings *settings)
{
	return settings->unix_socket[0] != '\0' || strcmp(settings->host, "localhost") == 0 ||
		strncmp(settings->host, "127.", 4) == 0 || strcmp(settings->host, "::1") == 0;
}

/* "Nov 27 12:00:00 2027 GMT"; INT64_MAX: it is not told. */
static int64_t days_left(const char *not_after)
{
	struct tm end = { 0 };

	if (strptime(not_after, "%b %d %H:%M:%S %Y", &end) == NULL)
		return INT64_MAX;
	return (timegm(&end) - clock_wall_us(clock_system()) / 1000000) / DAY_S;
}

static bool examine_tls(const struct examination *examination)
{
	static const unsigned columns[] = { 2 };
	const struct coredns_mysql_settings *settings = examination->target->settings;
	struct buf sql = { 0 };
	struct result *rows[2];
	char text[256];

	if (!settings->ssl) {
		if (!is_local(settings))
			tell(examination, BACKEND_WELL, "tls", "the connection is not encrypted: that network must be a private one", "");
		return true;
	}
	buf_puts(&sql, "SHOW SESSION STATUS LIKE 'Ssl_version';SHOW SESSION STATUS LIKE 'Ssl_server_not_after'");
	link_demand(&examination->target->link, columns, ARRAY_SIZE(columns));
	if (!ask(examination, &sql, "asking about TLS", rows, ARRAY_SIZE(rows)))
		return false;
	int64_t days = days_left(cell(rows[1], 1));
	snprintf(text, sizeof(text), "%s, the server's certificate is valid until %s", cell(rows[0], 1),
		days == INT64_MAX ? "(not told)" : cell(rows[1], 1));
	if (!settings->ssl_verify)
		tell(examination, BACKEND_DOUBT, "tls", "the server's certificate is not verified: anybody between could be it",
			"give ssl_ca and set ssl_verify");
	else if (days < CERTIFICATE_DAYS)
		tell(examination, BACKEND_DOUBT, "tls", text, "renew it there: after that day nothing is delivered");
	else
		tell(examination, BACKEND_WELL, "tls", text, "");
	result_free(rows[0]);
	result_free(rows[1]);
	return true;
}

static bool examine_clock(const struct examination *examination)
{
	static const unsigned columns[] = { 1 };
	struct buf sql = { 0 };
	struct result *rows[1];
	char text[128];

	buf_puts(&sql, "SELECT TIMESTAMPDIFF(SECOND, '1970-01-01', UTC_TIMESTAMP())");
	link_demand(&examination->target->link, columns, ARRAY_SIZE(columns));
	if (!ask(examination, &sql, "asking for the time", rows, 1))
		return false;
	int64_t skew_s = strtoll(cell(rows[0], 0), NULL, 10) - clock_wall_us(clock_system()) / 1000000;
	result_free(rows[0]);
	snprintf(text, sizeof(text), "the server's clock is %" PRId64 " s %s ours", skew_s < 0 ? -skew_s : skew_s,
		skew_s < 0 ? "behind" : "ahead of");
	if (skew_s > SKEW_S || skew_s < -SKEW_S)
		tell(examination, BACKEND_DOUBT, "clock", text,
			"let both hosts follow one source of time (chrony, systemd-timesyncd): name servers go by the times in the "
			"database, and certificates by those of the hosts");
	else
		tell(examination, BACKEND_WELL, "clock", "the server's clock is right, by ours", "");
	return true;
}

/* ---- the rows, whoever wrote them ---- */

/* The public plugin leaks a connection at each query for such a row, and then answers nothing at all (decisions.md 26). */
static void compose_stoppers(struct buf *sql, const struct coredns_mysql_settings *settings)
{
	literal_sql(sql,
		"SELECT COALESCE(z.zone_name, '?'), r.hostname, r.type, CASE WHEN r.ttl IS NULL THEN 'its TTL is NULL' "
		"WHEN r.data IS NULL THEN 'its data is NULL' ELSE 'its TTL is negative' END FROM %t r LEFT JOIN %t z ON z.id = "
		"r.zone_id WHERE r.ttl IS NULL OR r.data IS NULL OR r.ttl < 0 ORDER BY r.id LIMIT %u",
		settings->records_table, settings->zones_table, (uint64_t)ROWS_SHOWN + 1);
}

/* Names that no name server ever looks up, and the row of the empty name. */
static void compose_names(struct buf *sql, const struct coredns_mysql_settings *settings)
{
	literal_sql(sql,
		";SELECT COUNT(*), MIN(zone_name) FROM %t WHERE zone_name <> '' AND (RIGHT(zone_name, 1) <> '.' OR BINARY zone_name "
		"<> BINARY LOWER(zone_name));SELECT COUNT(*) FROM %t WHERE zone_name = ''",
		settings->zones_table, settings->zones_table);
}

static void tell_stoppers(const struct examination *examination, struct result *rows)
{
	struct buf text = { 0 };
	size_t count = rows == NULL ? 0 : result_count(rows);
	char **row;

	if (count == 0) {
		tell(examination, BACKEND_WELL, "rows", "no row stops the public plugin", "");
		return;
	}
	buf_puts(&text, "rows that stop the public CoreDNS plugin, all zones of it: ");
	for (size_t i = 0; i < ROWS_SHOWN && (row = result_next(rows)) != NULL; i++)
		buf_printf(&text, "%s%s %s of zone %s: %s", i == 0 ? "" : "; ", row[1] == NULL ? "?" : row[1],
			row[2] == NULL ? "?" : row[2], row[0], row[3]);
	if (count > ROWS_SHOWN)
		buf_puts(&text, "; and more");
	tell(examination, BACKEND_ILL, "rows", text.data,
		"correct or delete these rows (zonefanctl heal does it where the zone is ours), then restart that CoreDNS: it does not "
		"recover by itself");
	buf_free(&text);
}

static void tell_names(const struct examination *examination, struct result *odd, struct result *empty)
{
	const struct coredns_mysql_settings *settings = examination->target->settings;
	struct buf text = { 0 };

	if (strcmp(cell(odd, 0), "0") != 0) {
		buf_printf(&text, "%s zone names are not in lower case with a final dot (%s): nobody is served them", cell(odd, 0),
			cell(odd, 1));
		tell(examination, BACKEND_DOUBT, "names", text.data, "rename or delete those rows of the zones table");
	}
	if (settings->catch_all_zone && !settings->manage_schema && strcmp(cell(empty, 0), "0") == 0)
		tell(examination, BACKEND_DOUBT, "names",
			"there is no row of the empty zone name: the public plugin answers SERVFAIL for a CNAME to elsewhere",
			"apply schema/coredns_mysql/7_catch_all.sql; where our own reader serves, set catch_all_zone: false");
	buf_free(&text);
}

/* Where there are no such tables, or columns, there are no rows: the look at the schema tells. */
static bool pass_over(const struct examination *examination)
{
	enum { NO_SUCH_TABLE = 1146, NO_SUCH_COLUMN = 1054 };
	struct link *link = &examination->target->link;
	struct err err;

	if (link->code == NO_SUCH_TABLE || link->code == NO_SUCH_COLUMN)
		return true;
	target_failed(examination->target, "looking through the rows", &err);
	tell_failure(examination, NULL, &err);
	return false;
}

static bool examine_rows(const struct examination *examination)
{
	static const unsigned columns[] = { 4, 2, 1 };
	struct buf sql = { 0 };
	struct result *rows[ARRAY_SIZE(columns)];

	compose_stoppers(&sql, examination->target->settings);
	compose_names(&sql, examination->target->settings);
	link_demand(&examination->target->link, columns, ARRAY_SIZE(columns));
	int outcome = link_fetch(&examination->target->link, &sql, rows, ARRAY_SIZE(rows));
	buf_free(&sql);
	if (outcome < 0)
		return pass_over(examination);
	tell_stoppers(examination, rows[0]);
	tell_names(examination, rows[1], rows[2]);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		result_free(rows[i]);
	return true;
}

/* ---- the tables ---- */

static void schema_notice(void *ctx, const char *kind, const char *text)
{
	struct examination *examination = ctx;

	if (strcmp(kind, "schema") == 0)
		buf_printf(&examination->missing, "%s%s", examination->missing.size == 0 ? "" : "; ", text);
	else
		tell(examination, BACKEND_DOUBT, "schema", text, "widen that column in time (BIGINT UNSIGNED)");
}

/* Of the account itself; what comes by a role is not listed there. */
#define MINE "GRANTEE = CONCAT('\\'', REPLACE(CURRENT_USER(), '@', '\\'@\\''), '\\'')"

static const char rights_sql[] = "SELECT CURRENT_ROLE();"
				 "SELECT PRIVILEGE_TYPE FROM information_schema.USER_PRIVILEGES WHERE " MINE
				 " UNION SELECT PRIVILEGE_TYPE FROM information_schema.SCHEMA_PRIVILEGES "
				 "WHERE DATABASE() LIKE TABLE_SCHEMA AND " MINE;

static void add_missing(struct buf *out, struct result *rights)
{
	static const char *const wanted[] = { "CREATE", "ALTER", "INDEX", "REFERENCES" };

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		bool has = false;
		char **row;

		result_rewind(rights);
		while (!has && (row = result_next(rights)) != NULL)
			has = row[0] != NULL && strcmp(row[0], wanted[i]) == 0;
		if (!has)
			buf_printf(out, "%s%s", out->size == 0 ? "" : ", ", wanted[i]);
	}
}

/* What is missing is ours to make: may we? */
static void examine_making(const struct examination *examination, const struct err *fault)
{
	static const unsigned columns[] = { 1 };
	struct buf sql = { 0 }, missing = { 0 }, text = { 0 };
	struct result *rows[2];

	buf_puts(&sql, rights_sql);
	link_demand(&examination->target->link, columns, ARRAY_SIZE(columns));
	if (!ask(examination, &sql, "asking for rights", rows, ARRAY_SIZE(rows)))
		return;
	bool by_role = cell(rows[0], 0)[0] != '\0' && strcmp(cell(rows[0], 0), "NONE") != 0;
	if (!by_role && rows[1] != NULL)
		add_missing(&missing, rows[1]);
	if (missing.size == 0) {
		tell(examination, BACKEND_WELL, "schema", "tables are missing: zonefand makes them when it connects (manage_schema)", "");
	} else {
		buf_printf(&text, "%s; and the account may not make it: it lacks %s", fault->text, missing.data);
		tell(examination, BACKEND_ILL, "schema", text.data,
			"apply files 1, 2, 3 and 7 of schema/coredns_mysql as an administrator, or grant those rights on the database");
	}
	result_free(rows[0]);
	result_free(rows[1]);
	buf_free(&missing);
	buf_free(&text);
}

static void tell_schema_fault(const struct examination *examination, bool makeable, const struct err *err)
{
	const struct target *target = examination->target;

	if (target->link.mysql == NULL)
		tell_failure(examination, "schema", err);
	else if (!makeable)
		tell(examination, BACKEND_ILL, "schema", err->text,
			"mend the table by hand: zonefan alters nothing that may be somebody else's");
	else if (target->settings->manage_schema)
		examine_making(examination, err);
	else
		tell(examination, BACKEND_ILL, "schema", err->text,
			examination->missing.size > 0 ? examination->missing.data : "apply that file, or set manage_schema");
}

/* False: there is nothing to look at further. */
static bool examine_schema(struct examination *examination)
{
	struct target *target = examination->target;
	const struct schema_notices notices = { target->params.name, schema_notice, examination };
	bool makeable;
	struct err err;

	int outcome = schema_judge(&target->link, &notices, &makeable, &err);
	if (outcome < 0)
		tell_schema_fault(examination, makeable, &err);
	else if (examination->missing.size > 0)
		tell(examination, BACKEND_DOUBT, "schema", "the tables serve, and could be better", examination->missing.data);
	else
		tell(examination, BACKEND_WELL, "schema", "the three tables are as they should be", "");
	buf_free(&examination->missing);
	return outcome == 0;
}

static void examine_rights(const struct examination *examination)
{
	struct target *target = examination->target;
	struct err err;

	target->link.code = 0;
	if (probe_target(target, &err) == BACKEND_OK)
		tell(examination, BACKEND_WELL, "rights", "the account may do what deliveries need, and the server takes writes", "");
	else if (target->link.code == 0)
		tell(examination, BACKEND_ILL, "read-only", err.text, "name a server that takes writes");
	else
		tell_failure(examination, NULL, &err);
}

void examine_target(struct target *target, void (*tell_finding)(void *ctx, const struct backend_finding *finding), void *ctx)
{
	struct examination examination = { .target = target, .tell = tell_finding, .ctx = ctx };

	if (examine_reach(&examination) && examine_tls(&examination) && examine_clock(&examination) &&
		examine_rows(&examination) && examine_schema(&examination))
		examine_rights(&examination);
}
