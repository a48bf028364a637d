/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "watch.h"

#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include <mysql.h>

#include "base/check.h"
#include "now.h"

enum { WATCH_PAUSE_NS = 200000 };

struct watch {
	MYSQL **dbs;
	unsigned *ports;
	size_t count;
};

int watch_open(const char *user, const char *password, const char *database, const unsigned *ports,
	size_t count, struct watch **out, struct err *err)
{
	struct watch *watch = xcalloc(1, sizeof(*watch));

	watch->dbs = xcalloc(count, sizeof(MYSQL *));
	watch->ports = xcalloc(count, sizeof(ports[0]));
	watch->count = count;
	for (size_t i = 0; i < count; i++) {
		MYSQL *db = mysql_init(NULL);

		watch->dbs[i] = db;
		watch->ports[i] = ports[i];
		if (mysql_real_connect(db, "127.0.0.1", user, password, database, ports[i], NULL, 0) ==
			NULL) {
			err_set(err, ERR_IO, "port %u: %s", ports[i], mysql_error(db));
			watch_close(watch);
			return ERR_IO;
		}
	}
	*out = watch;
	return 0;
}

static int ask(struct watch *watch, size_t i, const char *sql, size_t sql_size, bool *found, struct err *err)
{
	MYSQL *db = watch->dbs[i];
	MYSQL_RES *result;

	if (mysql_real_query(db, sql, sql_size) != 0 || (result = mysql_store_result(db)) == NULL)
		return err_set(err, ERR_IO, "port %u: %s", watch->ports[i], mysql_error(db));
	*found = mysql_num_rows(result) != 0;
	mysql_free_result(result);
	return 0;
}

int watch_wait(struct watch *watch, const char *sql, size_t sql_size, int64_t timeout_ms, int64_t *unseen_ns,
	struct err *err)
{
	int64_t deadline_ns = now_ns() + timeout_ms * 1000000;
	const struct timespec pause = { .tv_nsec = WATCH_PAUSE_NS };

	for (size_t i = 0; i < watch->count;) {
		int64_t asked_ns = now_ns();
		bool found = false;

		if (ask(watch, i, sql, sql_size, &found, err) != 0)
			return err->code;
		if (found) {
			i++;
			continue;
		}
		*unseen_ns = asked_ns;
		if (asked_ns > deadline_ns)
			return err_set(err, ERR_TIMEOUT, "port %u: not there after %lld ms", watch->ports[i],
				(long long)timeout_ms);
		nanosleep(&pause, NULL);
	}
	return 0;
}

void watch_close(struct watch *watch)
{
	if (watch == NULL)
		return;
	for (size_t i = 0; i < watch->count; i++) {
		if (watch->dbs[i] != NULL)
			mysql_close(watch->dbs[i]);
	}
	free(watch->dbs);
	free(watch->ports);
	free(watch);
}
