/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A sheet -> struct conf: texts become typed fields by the table of keys. Faults and notices go to the sheet. */
#pragma once

#include "conf/conf.h"
#include "conf/sheet.h"

/*
 * Always gives a conf, which the caller frees by conf_destroy; it is good only if the sheet has no fault. Fields
 * whose text is bad have the key's default.
 */
struct conf *build_conf(struct sheet *sheet);
