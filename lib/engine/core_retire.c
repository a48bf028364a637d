/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The end of a back end that is not configured any more: its delivery rows
 * and its name go, a few thousand zones at a time, so that no push waits long.
 * The answer comes with the last step. A restart in between leaves the rest,
 * to be retired again.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/core_internal.h"
#include "engine/message.h"
#include "store/retire.h"

struct search {
	const struct core *core;
	const char *name;
	int64_t id;
	struct buf others;
};

static void look_at(void *ctx, int64_t id, const char *name)
{
	struct search *search = ctx;

	if (strcmp(name, search->name) == 0)
		search->id = id;
	else if (core_lane_of(search->core, id) == NULL)
		buf_printf(&search->others, "%s%s", search->others.size == 0 ? "" : ", ", name);
}

/* *id 0: it can't be retired, and refused says why. */
static int find(struct core *core, const char *name, int64_t *id, struct err *refused, struct err *err)
{
	struct search search = { .core = core, .name = name };
	int ret = store_backend_list(core->store, look_at, &search, err);

	/* Half a list says nothing. */
	if (ret != ERR_OK) {
		buf_free(&search.others);
		return ret;
	}
	*id = core_lane_of(core, search.id) == NULL ? search.id : 0;
	if (search.id == 0)
		err_set(refused, ERR_NOTFOUND, "the store knows no back end %.200s; not configured any more: %s", name,
			search.others.size == 0 ? "none" : search.others.data);
	else if (*id == 0 && core_is_gone(core_lane_of(core, search.id)))
		err_set(refused, ERR_BUSY, "back end %.200s still ends its last deliveries: try again", name);
	else if (*id == 0)
		err_set(refused, ERR_INVALID, "back end %.200s is configured: take it out of the configuration and reload "
			"first", name);
	buf_free(&search.others);
	return ERR_OK;
}

void core_retire_free(struct core *core)
{
	struct retirement *retire = &core->retire;

	engine_request_destroy(retire->request);
	free(retire->name);
	*retire = (struct retirement){ 0 };
}

int core_retire_order(struct core *core, struct core_command *command, struct err *err)
{
	const struct engine_request *request = command->request;
	const char *name = request->backend == NULL ? "" : request->backend;
	struct err refused = { 0 };
	int64_t id = 0;
	int ret = ERR_OK;

	if (core->retire.id != 0)
		err_set(&refused, ERR_BUSY, "back end %s is being retired", core->retire.name);
	else
		ret = find(core, name, &id, &refused, err);
	if (ret != ERR_OK)
		return ret;
	if (refused.code != ERR_OK) {
		core_stage(core, engine_message_reply(request, &refused));
		return ERR_OK;
	}
	core->retire = (struct retirement){ .id = id, .name = xstrdup(name), .request = core_copy_order(request) };
	return ERR_OK;
}

void core_retire_settle(struct core *core, bool committed)
{
	if (!committed && !core->retire.ordered)
		core_retire_free(core);
	core->retire.ordered = core->retire.id != 0;
}

static int write_step(struct core *core, struct retirement *retire, uint64_t *dropped, struct err *err)
{
	struct core_cause cause = core_cause_of(retire->request);
	int64_t after = retire->after;
	int ret = store_begin(core->store, err);

	if (ret == ERR_OK)
		ret = store_retire_step(core->store, retire->id, &after, dropped, err);
	if (ret == ERR_OK && after == INT64_MAX) {
		core_note_by(core, "retired", NULL, retire->name, &cause, "%" PRIu64 " deliveries were dropped with it",
			retire->dropped + *dropped);
		ret = core_write_events(core, err);
	}
	if (ret == ERR_OK)
		ret = store_commit(core->store, err);
	if (ret != ERR_OK)
		store_rollback(core->store);
	else
		retire->after = after;
	core_forget_events(core, 0);
	return ret;
}

void core_retire_go_on(struct core *core)
{
	struct retirement *retire = &core->retire;
	struct engine_message *reply;
	uint64_t dropped = 0;
	struct err err;

	if (!retire->ordered)
		return;
	int ret = write_step(core, retire, &dropped, &err);
	retire->dropped += ret == ERR_OK ? dropped : 0;
	if (ret == ERR_OK && retire->after != INT64_MAX)
		return;
	reply = engine_message_reply(retire->request, ret == ERR_OK ? NULL : &err);
	reply->doc = doc_create();
	doc_text(reply->doc, "backend", retire->name);
	doc_uint(reply->doc, "dropped", retire->dropped);
	core->params.tell(core->params.ctx, reply);
	core_retire_free(core);
}
