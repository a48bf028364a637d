/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A configuration, and what its words are to the parts. Counted: what runs
 * with it points into it, so the last one that does lets it go. One thread at
 * a time.
 */
#pragma once

#include "conf/conf.h"
#include "wire.h"

struct setup {
	struct conf *conf;
	struct wire wire;
	uint64_t stamp; /* stamp_of its files before they were read: what is written from then on makes another one */
	unsigned users;
};

/* As conf_load and wire_create; with one user, the caller. Reads the files of the configuration twice. */
MUST_CHECK int setup_load(const char *path, struct setup **out, struct buf *notices, struct err *err);
struct setup *setup_ref(struct setup *setup);
/* NULL is allowed. */
void setup_unref(struct setup *setup);
