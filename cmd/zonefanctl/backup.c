/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backup.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/thread.h"
#include "conf/conf.h"
#include "engine/engine.h"
#include "progress.h"
#include "store/backup.h"
#include "table.h"

enum { POLL_MS = 100, KIB = 1024 };

static void tell(struct progress *progress, uint64_t written, uint64_t of)
{
	progress_tell(progress, written / KIB, of / KIB);
}

static int wait_for_end(const struct client *client, struct progress *progress, json_t **answer, struct err *err)
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
		tell(progress, (uint64_t)cell_number_at(*answer, "size"), (uint64_t)cell_number_at(*answer, "of"));
		json_decref(*answer);
		nanosleep(&pause, NULL);
	}
}

static int by_daemon(const struct client *client, const char *file, json_t **answer, struct err *err)
{
	char *encoded = client_encode(file);
	char *path = xasprintf("/api/v1/backup?file=%s", encoded);
	struct progress progress;
	int ret = client_post(client, path, answer, err);

	free(path);
	free(encoded);
	if (ret != ERR_OK)
		return ret;
	json_decref(*answer);
	progress_begin(&progress, "copying", "KiB");
	ret = wait_for_end(client, &progress, answer, err);
	progress_end(&progress);
	return ret;
}

/* A copy that is made by another thread, to look at meanwhile. */
struct copy {
	const char *store;
	const char *file;
	atomic_bool is_over;
	int ret;
	struct err err;
};

static void *make_copy(void *ctx)
{
	struct copy *copy = ctx;

	copy->ret = engine_backup_closed(copy->store, copy->file, &copy->err);
	atomic_store(&copy->is_over, true);
	return NULL;
}

static int copy_watched(const struct conf *conf, const char *file, struct err *err)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
	struct copy copy = { .store = conf->store_path, .file = file };
	struct progress progress;
	struct stat store;
	uint64_t size = stat(conf->store_path, &store) == 0 ? (uint64_t)store.st_size : 0;

	progress_begin(&progress, "copying", "KiB");
	pthread_t thread = thread_start("copy", make_copy, &copy);
	while (!atomic_load(&copy.is_over)) {
		tell(&progress, store_backup_written(file), size);
		nanosleep(&pause, NULL);
	}
	thread_join(thread);
	progress_end(&progress);
	*err = copy.err;
	return copy.ret;
}

static int by_ourselves(const struct conf *conf, const char *file, json_t **answer, struct err *err)
{
	struct stat made;
	int ret = copy_watched(conf, file, err);

	if (ret != ERR_OK)
		return ret;
	json_int_t size = stat(file, &made) == 0 ? (json_int_t)made.st_size : 0;
	*answer = json_pack("{s:s, s:o, s:I}", "state", "done", "file", text_json(file), "size", size);
	return ERR_OK;
}

static void show(const json_t *answer)
{
	printf("%s: %" JSON_INTEGER_FORMAT " bytes\n", cell_text_at(answer, "file"), cell_number_at(answer, "size"));
}

int backup_command(const struct call *call)
{
	char *file = commands_absolute(call->words[0]);
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
