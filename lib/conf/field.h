/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One value: the text of a key -> a typed field of struct conf, or of the struct of the key's set. */
#pragma once

#include <stdbool.h>

#include "conf/keys.h"

enum { FIELD_WHY_SIZE = 256 };

/* Whether text is a value of the key; why says what is wrong. */
bool field_accepts(const struct key *key, const char *text, char why[FIELD_WHY_SIZE]);
/* An accepted text. What the field had is forgotten. */
void field_store(const struct key *key, void *target, const char *text);
/* Gives back what field_store took; secrets are wiped. */
void field_free(const struct key *key, void *target);
