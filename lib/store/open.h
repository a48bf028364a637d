/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For the tests of migrations: store_open with steps of one's own. */
#pragma once

#include "store/store.h"

MUST_CHECK int store_open_steps(const char *path, const char *const *steps, int count, struct store **out,
	bool *unclean, struct err *err);
