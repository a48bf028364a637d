/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Other settings while it serves: first everything that can fail, then what
 * can't, so that a reload happens wholly or not at all.
 */
#include "http/internal.h"

int http_reload(struct http *http, const struct http_params *params, struct err *err)
{
	int ret = http_share_files(http, params, err);

	if (ret != ERR_OK)
		return ret;
	auth_replace(http->auth, params->logins, params->login_count);
	http->params = *params;
	door_update(&http->front);
	return ERR_OK;
}
