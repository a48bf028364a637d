/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backup.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "conf/conf.h"
#include "engine/engine.h"
#include "table.h"

enum { POLL_MS = 100 };

/* zonefand may be at home in another folder. */
static char *absolute(const char *path)
{
	char *here, *whole;

	if (path[0] == '/')
		return xstrdup(path);
	here = getcwd(NULL, 0);
	whole = xasprintf("%s/%s", here == NULL ? "" : here, path);
	free(here);
	return whole;
}

static int wait_for_end(const struct client *client, json_t **answer, struct err *err)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };

	for (;;) {
		int ret = client_get(client, "/api/v1/backup", answer, err);
		const char *state = ret == ERR_OK ? cell_text_at(*answer, "state") : "";

		if (ret != ERR_OK || strcmp(state, "done") == 0)
			return ret;
		if (strcmp(state, "running") != 0) {
			ret = err_set(err, ERR_IO, "%s", strcmp(state, "failed") == 0 ? cell_text_at(*answer, "error") :
				"zonefand was restarted, and the backup is not made");
			json_decref(*answer);
			return ret;
		}
		json_decref(*answer);
		nanosleep(&pause, NULL);
	}
}

static int by_daemon(const struct client *client, const char *file, json_t **answer, struct err *err)
{
	char *encoded = client_encode(file);
	char *path = xasprintf("/api/v1/backup?file=%s", encoded);
	int ret = client_post(client, path, answer, err);

	free(path);
	free(encoded);
	if (ret != ERR_OK)
		return ret;
	json_decref(*answer);
	return wait_for_end(client, answer, err);
}

static int by_ourselves(const struct conf *conf, const char *file, json_t **answer, struct err *err)
{
	struct stat made;
	int ret = engine_backup_closed(conf->store_path, file, err);

	if (ret != ERR_OK)
		return ret;
	json_int_t size = stat(file, &made) == 0 ? (json_int_t)made.st_size : 0;
	*answer = json_pack("{s:s, s:s, s:I}", "state", "done", "file", file, "size", size);
	return ERR_OK;
}

static void show(const json_t *answer)
{
	printf("%s: %" JSON_INTEGER_FORMAT " bytes\n", cell_text_at(answer, "file"), cell_number_at(answer, "size"));
}

int backup_command(const struct call *call)
{
	char *file = absolute(call->words[0]);
	struct err err, own;
	json_t *answer = NULL;
	int ret = by_daemon(call->client, file, &answer, &err);

	/* Whether it is down, the store's lock tells for certain. */
	if (ret == ERR_CLOSED && call->conf != NULL) {
		int again = by_ourselves(call->conf, file, &answer, &own);

		if (again != ERR_BUSY) {
			ret = again;
			err = own;
		}
	}
	free(file);
	return commands_finish(call, ret, &err, answer, show);
}
