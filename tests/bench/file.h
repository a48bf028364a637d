/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole files. Any thread; blocks. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* Appends what path holds to out. ERR_IO names the file. */
MUST_CHECK int file_read(const char *path, struct buf *out, struct err *err);
