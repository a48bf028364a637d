/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sync/mirror.h"

#include <stdlib.h>
#include <string.h>

enum { SEVERAL = UINT32_MAX, FOREIGN = UINT32_MAX - 1 };

/* ---- what is held ---- */

void mirror_free(struct mirror *mirror)
{
	buf_free(&mirror->names);
	free(mirror->zones);
	strmap_free(&mirror->index);
	*mirror = (struct mirror){ 0 };
}

void mirror_add(struct mirror *mirror, const char *name, const struct mirror_zone *zone)
{
	if ((mirror->count & (mirror->count - 1)) == 0) {
		size_t room = mirror->count == 0 ? 1 : mirror->count * 2;

		mirror->zones = xrealloc(mirror->zones, room * sizeof(*mirror->zones));
	}
	mirror->zones[mirror->count] = *zone;
	mirror->zones[mirror->count].name = mirror->names.size;
	buf_append(&mirror->names, name, strlen(name) + 1);
	strmap_add(&mirror->index, name, strlen(name), (uint32_t)mirror->count++);
}

const struct mirror_zone *mirror_find(const struct mirror *mirror, const char *name)
{
	uint32_t entry = strmap_find(&mirror->index, name, strlen(name));

	return entry == 0 ? NULL : &mirror->zones[strmap_get(&mirror->index, entry)];
}

const char *mirror_name(const struct mirror *mirror, const struct mirror_zone *zone)
{
	return mirror->names.data + zone->name;
}

/* ---- who lists it ---- */

void claims_free(struct claims *claims)
{
	strmap_free(&claims->by_name);
}

void claims_add(struct claims *claims, const char *name, int master)
{
	uint32_t entry = strmap_find(&claims->by_name, name, strlen(name));

	if (entry == 0)
		strmap_add(&claims->by_name, name, strlen(name), (uint32_t)master);
	else if (strmap_get(&claims->by_name, entry) == FOREIGN)
		*strmap_value(&claims->by_name, entry) = (uint32_t)master;
	else if (strmap_get(&claims->by_name, entry) != (uint32_t)master)
		*strmap_value(&claims->by_name, entry) = SEVERAL;
}

void claims_add_foreign(struct claims *claims, const char *name)
{
	if (strmap_find(&claims->by_name, name, strlen(name)) == 0)
		strmap_add(&claims->by_name, name, strlen(name), FOREIGN);
}

int claims_of(const struct claims *claims, const char *name)
{
	uint32_t entry = strmap_find(&claims->by_name, name, strlen(name));
	uint32_t value = entry == 0 ? 0 : strmap_get(&claims->by_name, entry);

	if (entry == 0)
		return MIRROR_NOBODY;
	if (value == FOREIGN)
		return MIRROR_FOREIGN;
	return value == SEVERAL ? MIRROR_SEVERAL : (int)value;
}

/* ---- the judgement ---- */

static bool are_all_known(const struct mirror_master *masters, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!masters[i].known)
			return false;
	}
	return true;
}

enum mirror_verdict mirror_judge(int owner, int claimant, bool idn, const struct mirror_master *masters, size_t count)
{
	if (claimant == MIRROR_SEVERAL)
		return MIRROR_CONTESTED;
	if (claimant == MIRROR_FOREIGN || owner == MIRROR_OTHER || (owner >= 0 && !masters[owner].known))
		return MIRROR_LEFT;
	if (claimant == owner)
		return owner == MIRROR_NOBODY ? MIRROR_LEFT : MIRROR_KEPT;
	if (claimant != MIRROR_NOBODY)
		return are_all_known(masters, count) ? MIRROR_MOVED : MIRROR_LEFT;
	return idn && masters[owner].odd_names ? MIRROR_LEFT : MIRROR_MISSING;
}

void mirror_judge_all(struct mirror *mirror, const struct claims *claims, const struct mirror_master *masters, size_t count)
{
	for (size_t i = 0; i < mirror->count; i++) {
		struct mirror_zone *zone = &mirror->zones[i];
		const char *name = mirror_name(mirror, zone);

		zone->claimant = claims_of(claims, name);
		zone->verdict = zone->deleted ? MIRROR_LEFT :
			mirror_judge(zone->owner, zone->claimant, strstr(name, "xn--") != NULL, masters, count);
	}
}
