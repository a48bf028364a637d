/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables for people: what the operator API answers, in aligned columns. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* true: everything is well. */
bool show_status(const json_t *status);
/* What else there is to tell of it: a line for each thing that is under way, or wants an operator. */
void show_status_notes(const json_t *status, FILE *to);
/* A cell: how long the oldest pending delivery of a back end waits. */
char *show_oldest(const json_t *lane);
/* What came of a healing pass. */
void show_heal(const json_t *list);
void show_zones(const json_t *list);
void show_zone(const json_t *zone);
void show_rejected(const json_t *list);
void show_refused(const json_t *refused);
