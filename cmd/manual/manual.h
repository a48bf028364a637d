/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is told of zonefan's programs and configuration outside of them, made of the tables that they run by: conf/keys.h,
 * zonefand/arguments.h, zonefanctl/commands.h. One function for each file; one thread, never blocks.
 */
#pragma once

#include "base/buf.h"

void manual_page_conf(struct buf *out);       /* zonefan.yml(5) */
void manual_page_zonefanctl(struct buf *out); /* zonefanctl(1) */
void manual_page_zonefand(struct buf *out);   /* zonefand(8) */
void manual_table_conf(struct buf *out);      /* Markdown: every key */
void manual_bash(struct buf *out);            /* completions of both programs */
void manual_zsh(struct buf *out);
