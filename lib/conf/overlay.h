/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The two sources of settings, laid over a sheet one after the other: later calls win. Faults go to the sheet. */
#pragma once

#include <stdbool.h>

#include "conf/document.h"
#include "conf/sheet.h"

/* world_readable: of the file, for a notice about secrets in it. */
void overlay_document(struct sheet *sheet, const struct document *document, bool world_readable);
/* environment is environ-like. Blocks on the files that ..._FILE variables name. */
void overlay_environment(struct sheet *sheet, char *const *environment);
