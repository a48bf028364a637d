/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A backup while the daemon runs: by a read-only handle, on a thread of its
 * own, one at a time. It is begun and asked after; who waits is the client.
 */
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/thread.h"
#include "engine/engine_internal.h"
#include "engine/message.h"
#include "engine/reader.h"
#include "store/backup.h"

char *engine_store_beside(const char *path)
{
	char *folder = xstrdup(path);
	char *beside = xasprintf("%s/zonefan.db", dirname(folder));

	free(folder);
	return beside;
}

int engine_backup_closed(const char *store_path, const char *file, struct err *err)
{
	int ret = store_backup_closed(store_path, file, err);

	if (ret != ERR_FOREIGN)
		return ret;
	char *beside = engine_store_beside(store_path);
	ret = store_backup_closed(beside, file, err);
	free(beside);
	return ret;
}

static void lock(struct engine_backup *backup)
{
	CHECK(pthread_mutex_lock(&backup->lock) == 0);
}

static void unlock(struct engine_backup *backup)
{
	pthread_mutex_unlock(&backup->lock);
}

/* The store's handle stands in backup while it may be interrupted. */
static int copy(struct engine *engine, struct engine_backup *backup, struct err *err)
{
	struct store *reader;
	int ret = store_open_reader(engine->params.store_path, &reader, err);

	if (ret != ERR_OK)
		return ret;
	lock(backup);
	bool stopping = atomic_load(&engine->stopping);
	backup->reader = reader;
	unlock(backup);
	ret = stopping ? err_set(err, ERR_CLOSED, "zonefand stops") : store_backup(reader, backup->file, err);
	lock(backup);
	backup->reader = NULL;
	unlock(backup);
	store_close(reader);
	return ret;
}

static void tell(struct engine *engine, const struct engine_backup *backup, const struct err *err)
{
	char *text = xasprintf("%s%s, by %s%s%s", err == NULL ? "to " : "failed: to ", backup->file,
		backup->actor == NULL ? "nobody named" : backup->actor, err == NULL ? "" : ": ", err == NULL ? "" : err->text);
	struct core_notice *notice = core_notice_create(NULL, "backup", NULL, text);

	if (queue_push(engine->notices, notice) != ERR_OK)
		core_notice_destroy(notice);
	else
		queue_wake(engine->commands);
	free(text);
}

static void *backup_run(void *arg)
{
	struct engine *engine = arg;
	struct engine_backup *backup = &engine->backup;
	struct err err = { 0 };
	struct stat made;
	int ret = copy(engine, backup, &err);

	tell(engine, backup, ret == ERR_OK ? NULL : &err);
	lock(backup);
	backup->err = err;
	backup->state = ret == ERR_OK ? "done" : "failed";
	backup->ended_us = clock_wall_us(engine->params.clock);
	backup->size = ret == ERR_OK && stat(backup->file, &made) == 0 ? (uint64_t)made.st_size : 0;
	unlock(backup);
	return NULL;
}

static bool is_running(struct engine_backup *backup)
{
	lock(backup);
	bool running = backup->state != NULL && backup->ended_us == 0;
	unlock(backup);
	return running;
}

/* The last one, if there was one, has ended. */
static void begin(struct engine *engine, const struct engine_request *request)
{
	struct engine_backup *backup = &engine->backup;

	if (backup->state != NULL)
		thread_join(backup->thread);
	lock(backup);
	free(backup->file);
	free(backup->actor);
	backup->file = xstrdup(request->file);
	backup->actor = xstrdup(request->actor);
	backup->started_us = clock_wall_us(engine->params.clock);
	backup->ended_us = 0;
	backup->size = 0;
	backup->err = (struct err){ 0 };
	backup->state = "running";
	unlock(backup);
	backup->thread = thread_start("backup", backup_run, engine);
}

int backup_begin(struct engine *engine, struct engine_request *request)
{
	struct engine_message *reply = engine_message_reply(request, NULL);

	if (request->file == NULL || request->file[0] != '/') {
		err_set(&reply->err, ERR_INVALID, "file must be an absolute path");
	} else if (is_running(&engine->backup)) {
		err_set(&reply->err, ERR_BUSY, "a backup is being made");
	} else {
		begin(engine, request);
		reply->doc = doc_create();
		doc_text(reply->doc, "file", request->file);
	}
	engine_tell(engine, reply);
	engine_request_destroy(request);
	return ERR_OK;
}

void backup_stop(struct engine *engine)
{
	struct engine_backup *backup = &engine->backup;

	lock(backup);
	bool begun = backup->state != NULL;
	if (backup->reader != NULL)
		store_interrupt(backup->reader);
	unlock(backup);
	if (begun)
		thread_join(backup->thread);
	free(backup->file);
	free(backup->actor);
	*backup = (struct engine_backup){ .lock = backup->lock };
}

/* How far one is that is under way: by the file, which grows. */
static void show_progress(struct engine *engine, struct doc *doc, const char *file)
{
	struct stat store;

	doc_uint(doc, "size", store_backup_written(file));
	doc_uint(doc, "of", stat(engine->params.store_path, &store) == 0 ? (uint64_t)store.st_size : 0);
}

int reader_show_backup(struct engine *engine, struct engine_message *message)
{
	struct engine_backup *backup = &engine->backup;

	message->doc = doc_create();
	lock(backup);
	doc_text(message->doc, "state", backup->state == NULL ? "none" : backup->state);
	doc_text(message->doc, "file", backup->file);
	doc_time(message->doc, "started_at", backup->started_us);
	doc_time(message->doc, "ended_at", backup->ended_us);
	if (backup->state != NULL && backup->ended_us == 0)
		show_progress(engine, message->doc, backup->file);
	else
		doc_uint(message->doc, "size", backup->size);
	doc_text(message->doc, "error", backup->err.code == ERR_OK ? NULL : backup->err.text);
	unlock(backup);
	return ERR_OK;
}
