/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "setup.h"

#include <stdlib.h>

#include "base/buf.h"
#include "stamp.h"

extern char **environ;

/* What lanes were made with stays as long as they do, over any number of reloads that do not change them. */
static void use(void *owner, bool begins)
{
	if (begins)
		setup_ref(owner);
	else
		setup_unref(owner);
}

/* Which files there are is known when they have been read; what is written meanwhile must not be taken for what was read. */
static int load(const char *path, struct setup *setup, struct buf *notices, struct err *err)
{
	int ret = conf_load(path, environ, &setup->conf, notices, err);

	if (ret != ERR_OK)
		return ret;
	setup->stamp = stamp_of(setup->conf->files, setup->conf->file_count);
	conf_destroy(setup->conf);
	setup->conf = NULL;
	buf_clear(notices);
	return conf_load(path, environ, &setup->conf, notices, err);
}

int setup_load(const char *path, struct setup **out, struct buf *notices, struct err *err)
{
	struct setup *setup = xcalloc(1, sizeof(*setup));
	int ret = load(path, setup, notices, err);

	if (ret == ERR_OK)
		ret = wire_create(setup->conf, &setup->wire, err);
	if (ret != ERR_OK) {
		conf_destroy(setup->conf);
		free(setup);
		return ret;
	}
	struct engine_backend *backends = setup->wire.engine.backends;
	for (size_t i = 0; i < setup->conf->backend_count; i++) {
		backends[i].use = use;
		backends[i].owner = setup;
	}
	setup->users = 1;
	*out = setup;
	return ERR_OK;
}

struct setup *setup_ref(struct setup *setup)
{
	setup->users++;
	return setup;
}

void setup_unref(struct setup *setup)
{
	if (setup == NULL || --setup->users > 0)
		return;
	wire_clear(&setup->wire);
	conf_destroy(setup->conf);
	free(setup);
}
