/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Masters that are asked, and peers: what zonefand would get from them now. */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "doctor_findings.h"
#include "doctor_names.h"
#include "sync/da_client.h"
#include "sync/peer_client.h"

enum { ANSWER_MOST = 1 << 20, SKEW_S = 300 };

/* ---- masters ---- */

static bool go_on(UNUSED void *ctx)
{
	return true;
}

static const char *remedy_of(enum err_code code, bool ssl)
{
	switch (code) {
	case ERR_DENIED:
		return "compare username and password (or login key) with that master: the key must be allowed CMD_DNS_ADMIN and "
		       "CMD_API_DNS_ADMIN, from this host's address";
	case ERR_INVALID:
		return "its answer is none of DirectAdmin's: look at that port with a browser; while a list is odd nothing is deleted";
	default:
		return ssl ? "see whether it listens there, a firewall stands between, and its certificate is valid for that name "
			     "(reconciliation.verify_ssl); ssl: false if it speaks plain HTTP" :
			     "see whether it listens there, a firewall stands between, or it wants HTTPS (ssl: true)";
	}
}

/* Its own name server tells which zones changed while we were away. */
static void examine_serials(struct doctor *doctor, const struct conf_master *master, const struct da_list *list)
{
	size_t at = 0;
	const char *zone = da_list_next(&list->names, &at);
	uint32_t serial;
	struct err err;

	if (zone == NULL || doctor_ask_name(master->hostname, master->dns_port, zone, &serial, &err) == DOCTOR_NAME_SERVED)
		return;
	err_prefix(&err, "%s port %u", master->hostname, master->dns_port);
	doctor_tell(doctor, DOCTOR_DOUBT, "serials", master->identity, err.text,
		"let its name server answer this host (dns_port): without serials what changed is found by fetching zones in turn, a day's work");
}

static void examine_master(struct doctor *doctor, const struct conf_master *master)
{
	const struct da_settings settings = { .hostname = master->hostname, .port = master->port, .username = master->username,
		.password = master->password, .ssl = master->ssl, .verify_ssl = doctor->conf->reconcile_verify_ssl,
		.ipp = doctor->conf->reconcile_ipp, .tick = go_on };
	struct da_client *client = da_client_create(&settings);
	struct da_list list = { 0 };
	char text[128];
	struct err err;

	if (da_client_list(client, &list, &err) == ERR_OK) {
		snprintf(text, sizeof(text), "it lists %zu zones of its own, %zu of other servers", list.count, list.foreign);
		doctor_tell(doctor, DOCTOR_WELL, "master", master->identity, text, "");
		examine_serials(doctor, master, &list);
	} else if (list.rows == 0 && list.total_told && list.total == 0) {
		doctor_tell(doctor, DOCTOR_DOUBT, "master", master->identity, "it lists no zone at all, which is not believed",
			"nothing, where it is a new one; else see whether the login is an administrator's");
	} else {
		doctor_tell(doctor, DOCTOR_FAULT, "master", master->identity, err.text, remedy_of(err.code, master->ssl));
	}
	da_list_free(&list);
	da_client_destroy(client);
}

void doctor_masters(struct doctor *doctor)
{
	if (doctor->conf->master_count == 0 || !doctor->conf->reconcile_enabled)
		doctor_tell(doctor, DOCTOR_DOUBT, "master", "reconciliation", "no master is asked: a push that is missed is missed for good",
			"name the masters in reconciliation.directadmin_servers, with enabled: true (zonefanctl setup asks for them)");
	for (size_t i = 0; i < doctor->conf->master_count; i++)
		examine_master(doctor, &doctor->conf->masters[i]);
}

/* ---- peers ---- */

static void tell_clock(struct doctor *doctor, const char *url, int64_t skew_s)
{
	char text[64];

	if (skew_s <= SKEW_S && skew_s >= -SKEW_S) {
		doctor_tell(doctor, DOCTOR_WELL, "peer", url, "it answers", "");
		return;
	}
	snprintf(text, sizeof(text), "its clock is %" PRId64 " s %s ours", skew_s < 0 ? -skew_s : skew_s,
		skew_s < 0 ? "behind" : "ahead of");
	doctor_tell(doctor, DOCTOR_DOUBT, "peer", url, text,
		"let both hosts follow one source of time: of two changes of one zone the later one wins");
}

static void examine_peer(struct doctor *doctor, const struct conf_peer *peer)
{
	const struct peer_address address = { .url = peer->url, .username = peer->username, .password = peer->password };
	const atomic_bool stopping = false;
	struct peer_client *client = peer_client_create(&address, &stopping);
	struct peer_answer answer;
	struct err err;

	if (peer_client_get(client, "/internal/peers", ANSWER_MOST, &answer, &err) == ERR_OK)
		tell_clock(doctor, peer->url, answer.date_us == 0 ? 0 : (answer.date_us - answer.answered_us) / 1000000);
	else
		doctor_tell(doctor, DOCTOR_FAULT, "peer", peer->url, err.text,
			err.code == ERR_DENIED ? "both sides must have the same peer_sync.auth_username and auth_password, or give the peer's own" :
						 "see whether it runs, and whether a firewall stands between");
	peer_answer_clear(&answer);
	peer_client_destroy(client);
}

void doctor_peers(struct doctor *doctor)
{
	for (size_t i = 0; doctor->conf->peer_enabled && i < doctor->conf->peer_count; i++)
		examine_peer(doctor, &doctor->conf->peers[i]);
}
