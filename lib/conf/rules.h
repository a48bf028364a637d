/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What single values cannot tell: passwords, TLS, types and targets of back
 * ends, who is who among users, masters and peers, limits against each other.
 * Faults and notices go to the sheet.
 */
#pragma once

#include <stdbool.h>

#include "conf/conf.h"
#include "conf/sheet.h"

/* What stands for a secret in conf_print. */
#define RULES_MASK "********"

/* Of back ends: one that is built, or one that the predecessor has or that will be built. */
bool rules_is_type(const char *name);
/* The back end's final touches (TLS demanded or not, host or socket), and its checks if it is enabled. */
void rules_apply_backend(struct sheet *sheet, const struct sheet_entry *from, struct conf_backend *backend);
/* The values outside dns. */
void rules_apply_main(struct sheet *sheet, const struct conf *conf);
/* One element of a list of mappings, which is conf->users[i] (masters, peers). */
void rules_apply_user(struct sheet *sheet, const struct sheet_entry *from, const struct conf *conf, size_t i);
void rules_apply_master(struct sheet *sheet, const struct sheet_entry *from, const struct conf *conf, size_t i);
void rules_apply_listener(struct sheet *sheet, const struct sheet_entry *from, const struct conf *conf, size_t i);
void rules_apply_peer(struct sheet *sheet, const struct sheet_entry *from, const struct conf *conf, size_t i);
/* For rules*.c: a password that is empty (if it is needed), "changeme" or the mask is a fault. */
void rules_check_secret(struct sheet *sheet, const struct sheet_entry *from, const char *path, const char *text,
	bool needed);
/* For rules*.c: the switch at path is on, and TLS takes a certificate and its key. */
void rules_check_certificate(struct sheet *sheet, const struct sheet_entry *from, const char *path, const struct conf *conf);
/* After all back ends: what they are to each other. */
void rules_apply_whole(struct sheet *sheet, const struct conf *conf);
