/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * On whose behalf does a browser ask? Sec-Fetch-Site (W3C Fetch Metadata) says it by https and on loopback; Origin (RFC 6454) with
 * every POST. A proxy may change Host, but no other site can take either header away.
 */
#include <string.h>
#include <strings.h>

#include "http/internal.h"

bool origin_is_own(const struct gate_head *head)
{
	const char *origin = head->origin;

	if (head->fetch_site != NULL)
		return strcmp(head->fetch_site, "same-origin") == 0;
	if (origin == NULL)
		return true;
	if (strncasecmp(origin, "http://", 7) == 0)
		origin += 7;
	else if (strncasecmp(origin, "https://", 8) == 0)
		origin += 8;
	else
		return false;
	return head->host != NULL && strcasecmp(origin, head->host) == 0;
}
