/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/classify.h"

#include <stdio.h>
#include <string.h>

/* What is added to the phrase: nothing, the server's own sentence, or right and table taken from it. */
enum detail { BARE, MESSAGE, RIGHT };

struct rule {
	unsigned code;
	enum classify_class class;
	enum detail detail;
	const char *phrase;
};

static const struct rule rules[] = {
	{ 167, CLASSIFY_OPERATOR, BARE, "an AUTO_INCREMENT id is at the end of its range" },
	{ 1020, CLASSIFY_RETRY, BARE, "a row changed under the transaction" },
	{ 1021, CLASSIFY_OPERATOR, BARE, "the server's disk is full" },
	{ 1030, CLASSIFY_OPERATOR, MESSAGE, "the storage engine failed" },
	{ 1040, CLASSIFY_CONNECTION, BARE, "the server has too many connections" },
	{ 1044, CLASSIFY_OPERATOR, MESSAGE, "no right on the database" },
	{ 1045, CLASSIFY_OPERATOR, BARE, "login refused" },
	{ 1047, CLASSIFY_NOT_WRITABLE, BARE, "the cluster node is not ready to write" },
	{ 1048, CLASSIFY_ZONE, MESSAGE, "a column may not be NULL" },
	{ 1049, CLASSIFY_OPERATOR, BARE, "the database does not exist" },
	{ 1053, CLASSIFY_CONNECTION, BARE, "the server is shutting down" },
	{ 1054, CLASSIFY_OPERATOR, MESSAGE, "a column is missing" },
	{ 1062, CLASSIFY_RETRY, MESSAGE, "another writer was first" },
	{ 1114, CLASSIFY_OPERATOR, MESSAGE, "the server has no room left" },
	{ 1129, CLASSIFY_CONNECTION, BARE, "the server blocks this host after too many errors" },
	{ 1130, CLASSIFY_OPERATOR, BARE, "the server does not let this host in" },
	{ 1142, CLASSIFY_OPERATOR, RIGHT, "a right is missing" },
	{ 1143, CLASSIFY_OPERATOR, RIGHT, "a right is missing" },
	{ 1146, CLASSIFY_OPERATOR, MESSAGE, "a table is missing" },
	{ 1152, CLASSIFY_CONNECTION, BARE, "the connection broke" },
	{ 1153, CLASSIFY_ZONE, BARE, "a record is longer than the server's max_allowed_packet" },
	{ 1158, CLASSIFY_CONNECTION, BARE, "the connection broke" },
	{ 1159, CLASSIFY_CONNECTION, BARE, "the connection broke" },
	{ 1160, CLASSIFY_CONNECTION, BARE, "the connection broke" },
	{ 1161, CLASSIFY_CONNECTION, BARE, "the connection broke" },
	{ 1176, CLASSIFY_OPERATOR, MESSAGE, "an index is missing or not to be used" },
	{ 1184, CLASSIFY_CONNECTION, BARE, "the connection broke" },
	{ 1203, CLASSIFY_CONNECTION, BARE, "the user has too many connections" },
	{ 1205, CLASSIFY_RETRY, BARE, "a lock was not to be had in time" },
	{ 1213, CLASSIFY_RETRY, BARE, "deadlock" },
	{ 1226, CLASSIFY_CONNECTION, MESSAGE, "the user has used up a limit" },
	{ 1227, CLASSIFY_OPERATOR, MESSAGE, "a right is missing" },
	{ 1264, CLASSIFY_ZONE, MESSAGE, "a number does not fit" },
	{ 1265, CLASSIFY_ZONE, MESSAGE, "a value does not fit the column" },
	{ 1290, CLASSIFY_NOT_WRITABLE, BARE, "server is read-only" },
	{ 1292, CLASSIFY_ZONE, MESSAGE, "a value does not fit the column" },
	{ 1317, CLASSIFY_RETRY, BARE, "the statement was interrupted" },
	{ 1364, CLASSIFY_OPERATOR, MESSAGE, "a column that is none of ours has no default" },
	{ 1366, CLASSIFY_ZONE, MESSAGE, "a value does not fit the column" },
	{ 1406, CLASSIFY_ZONE, MESSAGE, "a value does not fit" },
	{ 1412, CLASSIFY_RETRY, BARE, "a table was altered under the transaction" },
	{ 1451, CLASSIFY_ZONE, BARE, "rows of another table refer to the zone" },
	{ 1452, CLASSIFY_ZONE, BARE, "a foreign key refuses the record" },
	{ 1461, CLASSIFY_RETRY, BARE, "the server has too many prepared statements" },
	{ 1615, CLASSIFY_RETRY, BARE, "a table was altered under the statement" },
	{ 1665, CLASSIFY_OPERATOR, BARE, "the server's binlog_format is STATEMENT; it must be MIXED or ROW" },
	{ 1698, CLASSIFY_OPERATOR, BARE, "login refused" },
	{ 1836, CLASSIFY_NOT_WRITABLE, BARE, "server is read-only" },
	{ 1927, CLASSIFY_CONNECTION, BARE, "the connection was killed" },
	{ 1969, CLASSIFY_RETRY, BARE, "a statement took longer than max_statement_time" },
	{ 2002, CLASSIFY_CONNECTION, BARE, "cannot connect" },
	{ 2003, CLASSIFY_CONNECTION, BARE, "cannot connect" },
	{ 2005, CLASSIFY_CONNECTION, BARE, "the host name cannot be resolved" },
	{ 2006, CLASSIFY_CONNECTION, BARE, "the connection was lost" },
	{ 2013, CLASSIFY_CONNECTION, BARE, "the connection was lost" },
	{ 2020, CLASSIFY_ZONE, BARE, "a record is longer than a packet may be" },
	{ 2026, CLASSIFY_CONNECTION, MESSAGE, "TLS failed" },
	{ 2055, CLASSIFY_CONNECTION, BARE, "the connection was lost" },
	{ 2059, CLASSIFY_OPERATOR, BARE, "the server asks for a login method that is not at hand" },
	{ 2061, CLASSIFY_OPERATOR, BARE, "the server asks for a login method that needs TLS" },
	{ 3024, CLASSIFY_RETRY, BARE, "a statement took longer than the server allows" },
	{ 3159, CLASSIFY_OPERATOR, BARE, "the server demands TLS" },
	{ 3819, CLASSIFY_ZONE, MESSAGE, "a check refuses the record" },
	{ 4025, CLASSIFY_ZONE, MESSAGE, "a check refuses the record" },
	{ 4031, CLASSIFY_CONNECTION, BARE, "the server closed an idle connection" },
	{ 4151, CLASSIFY_OPERATOR, BARE, "login refused: the account is locked" },
};

static const struct rule *find(unsigned code)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].code == code)
			return &rules[i];
	return NULL;
}

enum classify_class classify_code(unsigned code)
{
	const struct rule *rule = find(code);

	return rule == NULL ? CLASSIFY_UNKNOWN : rule->class;
}

enum backend_verdict classify_verdict(enum classify_class class)
{
	switch (class) {
	case CLASSIFY_RETRY:
		return BACKEND_RETRY;
	case CLASSIFY_ZONE:
		return BACKEND_REJECT;
	case CLASSIFY_CONNECTION:
	case CLASSIFY_NOT_WRITABLE:
	case CLASSIFY_OPERATOR:
	case CLASSIFY_UNKNOWN:
		return BACKEND_DOWN;
	}
	WRONG("a class that is none");
}

bool classify_is_lost(enum classify_class class)
{
	return class == CLASSIFY_CONNECTION || class == CLASSIFY_UNKNOWN;
}

/* "INSERT command denied to user 'x'@'y' for table `db`.`records`" -> "INSERT right missing on table records". */
static bool explain_right(const char *message, unsigned code, char *out, size_t size)
{
	size_t verb = strspn(message, "ABCDEFGHIJKLMNOPQRSTUVWXYZ, ");
	const char *end = strrchr(message, '`');
	const char *start = end;

	if (verb < 2 || strncmp(message + verb, "command denied", 14) != 0 || end == NULL || end == message)
		return false;
	do
		start--;
	while (start > message && *start != '`');
	if (*start != '`')
		return false;
	snprintf(out, size, "%.*s right missing on table %.*s (%u)", (int)verb - 1, message, (int)(end - start - 1),
		start + 1, code);
	return true;
}

void classify_explain(unsigned code, const char *message, char *out, size_t size)
{
	const struct rule *rule = find(code);

	if (message == NULL)
		message = "";
	if (rule == NULL) {
		/* A parse error quotes the statement: that is SQL text, and may be a customer's record. */
		if (code == 1064 || message[0] == '\0')
			snprintf(out, size, "unexpected error %u", code);
		else
			snprintf(out, size, "unexpected error %u: %.200s", code, message);
	} else if (rule->detail == BARE || message[0] == '\0') {
		snprintf(out, size, "%s (%u)", rule->phrase, code);
	} else if (rule->detail == MESSAGE || !explain_right(message, code, out, size)) {
		snprintf(out, size, "%s (%u): %.200s", rule->phrase, code, message);
	}
}
