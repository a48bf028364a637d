/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire_files.h"

/*
 * The loop's and the store's with a backup and a look-through; of a lane its connection, one that fences it, a look-up of a
 * name; of a master and of a name server a connection and a look-up, of all peers and
 * of the webhook likewise.
 */
enum { OWN_FILES = 32, LANE_FILES = 3, MASTER_FILES = 2, PEER_FILES = 2, SERVER_FILES = 2, NOTIFY_FILES = 2 };

unsigned wire_count_files(const struct conf *conf)
{
	unsigned files = OWN_FILES + (unsigned)conf->listener_count;

	for (size_t i = 0; i < conf->backend_count; i++)
		files += conf->backends[i].connections * LANE_FILES + conf->backends[i].verify_dns_count * SERVER_FILES;
	if (conf->reconcile_enabled)
		files += (unsigned)conf->master_count * MASTER_FILES;
	files += *conf->notify_url == '\0' ? 0 : NOTIFY_FILES;
	return files + (conf->peer_enabled ? PEER_FILES : 0);
}
