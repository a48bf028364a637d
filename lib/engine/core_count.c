/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which changes of ours are counted, so that peers can tell who knows more
 * (sched/version.h). Most are by their generation; these are the others. All
 * inside the transaction of the turn; without peers nothing is written.
 */
#include <string.h>

#include "base/log.h"
#include "engine/core_internal.h"
#include "store/version.h"

int core_count_change(struct core *core, const struct store_zone *row, struct err *err)
{
	struct store_version version;

	if (!core->params.peers)
		return ERR_OK;
	int ret = store_version_load(core->store, row, &version, err);
	if (ret != ERR_OK && ret != ERR_CORRUPT)
		return ret;
	if (store_version_count(core->store, row, &version, err) != ERR_OK) {
		/* Peers won't know of it; no push is refused for that. */
		log_warn("a change is not counted for peers", LOG_STR("zone", row->name), LOG_ERR(err));
		return ERR_OK;
	}
	return store_version_save(core->store, row, &version, err);
}

int core_delete_again(struct core *core, struct store_zone *row, struct err *err)
{
	if (!core->params.peers)
		return ERR_OK;
	row->updated_at_us = core_wall_us(core);
	int ret = store_zone_put(core->store, row, NULL, 0, err);
	return ret == ERR_OK ? core_count_change(core, row, err) : ret;
}

int core_put_tombstone(struct core *core, const char *name, const char *hostname, struct store_zone *out, struct err *err)
{
	*out = (struct store_zone){ .generation = 1, .deleted = true, .updated_at_us = core_wall_us(core),
		.hostname = xstrdup(hostname == NULL ? "" : hostname), .username = xstrdup("") };
	memcpy(out->name, name, strlen(name) + 1);
	/* No deliveries: no back end of ours ever had it. */
	return store_zone_put(core->store, out, NULL, 0, err);
}

bool core_is_hearsay(const struct store_zone *row)
{
	return row->deleted && row->text_size == 0;
}

int core_delete_unknown(struct core *core, const char *name, const char *hostname, struct err *err)
{
	struct store_zone row;

	if (!core->params.peers)
		return ERR_OK;
	int ret = core_put_tombstone(core, name, hostname, &row, err);
	store_zone_clear(&row);
	return ret;
}

int core_raise_uncounted(struct core *core, struct store_zone *row, uint64_t generation, struct err *err)
{
	struct store_version version;
	int ret = store_version_load(core->store, row, &version, err);

	if (ret != ERR_OK && ret != ERR_CORRUPT)
		return ret;
	row->generation = generation;
	ret = store_zone_put(core->store, row, NULL, 0, err);
	return ret == ERR_OK ? store_version_save(core->store, row, &version, err) : ret;
}
