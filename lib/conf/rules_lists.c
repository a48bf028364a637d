/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules of the lists of mappings: users, masters, peers. */
#include "conf/rules.h"

#include <string.h>
#include <strings.h>

/* Of what must be given and was not found faulty for another reason. */
static void check_given(struct sheet *sheet, const struct sheet_entry *from, const char *path, const char *text)
{
	if (*text == '\0' && !sheet_find(sheet, from, path)->bad)
		sheet_fault_at(sheet, from, path, "must be set");
}

static bool same_place(const char *address, uint16_t port, const struct conf_listener *listener)
{
	/* One that is on all addresses is on the other's, too. */
	return port == listener->port && (*address == '\0' || *listener->address == '\0' ||
		strcmp(address, listener->address) == 0);
}

void rules_apply_listener(struct sheet *sheet, const struct sheet_entry *from, const struct conf *conf, size_t i)
{
	static const char port_path[] = "app.listeners[].port";
	const struct conf_listener *listener = &conf->listeners[i];
	bool taken = same_place(conf->listen_address, conf->listen_port, listener);

	if (listener->ssl)
		rules_check_certificate(sheet, from, "app.listeners[].ssl", conf);
	if (sheet_find(sheet, from, port_path)->bad || sheet_find(sheet, from, "app.listeners[].address")->bad)
		return;
	if (listener->port == 0) {
		sheet_fault_at(sheet, from, port_path, "must be set");
		return;
	}
	for (size_t k = 0; k < i; k++)
		taken = taken || same_place(conf->listeners[k].address, conf->listeners[k].port, listener);
	if (taken)
		sheet_fault_at(sheet, from, port_path, "another listener is at that address and port");
}

void rules_apply_user(struct sheet *sheet, const struct sheet_entry *from, const struct conf *conf, size_t i)
{
	static const char name_path[] = "app.users[].name";
	static const char identities_path[] = "app.users[].identities";
	const struct conf_user *user = &conf->users[i];
	bool master = strcmp(user->role, "master") == 0;
	bool taken = strcmp(user->name, conf->auth_username) == 0 ||
		(conf->peer_enabled && strcmp(user->name, conf->peer_auth_username) == 0);

	check_given(sheet, from, name_path, user->name);
	for (size_t k = 0; k < i; k++)
		taken = taken || (*user->name != '\0' && strcmp(conf->users[k].name, user->name) == 0);
	if (taken)
		sheet_fault_at(sheet, from, name_path, "another login has the name \"%.64s\"", user->name);
	if (!sheet_find(sheet, from, "app.users[].password_file")->bad)
		rules_check_secret(sheet, from, "app.users[].password", user->password, true);
	if (sheet_find(sheet, from, identities_path)->bad)
		return;
	if (master && user->identity_count == 0)
		sheet_fault_at(sheet, from, identities_path, "a master needs one: it may push and delete for nobody else");
	if (!master && user->identity_count > 0)
		sheet_fault_at(sheet, from, identities_path, "only the role master has identities");
}

void rules_apply_master(struct sheet *sheet, const struct sheet_entry *from, const struct conf *conf, size_t i)
{
	static const char identity_path[] = "reconciliation.directadmin_servers[].identity";
	const struct conf_master *master = &conf->masters[i];

	if (conf->reconcile_enabled) {
		check_given(sheet, from, "reconciliation.directadmin_servers[].hostname", master->hostname);
		check_given(sheet, from, "reconciliation.directadmin_servers[].username", master->username);
		if (!sheet_find(sheet, from, "reconciliation.directadmin_servers[].password_file")->bad)
			rules_check_secret(sheet, from, "reconciliation.directadmin_servers[].password", master->password,
				true);
	}
	/* One list would say of the other's zones that they are gone. */
	for (size_t k = 0; k < i; k++) {
		if (*master->identity != '\0' && strcasecmp(conf->masters[k].identity, master->identity) == 0)
			sheet_fault_at(sheet, from, identity_path, "another server has the identity \"%.64s\"", master->identity);
	}
}

void rules_apply_peer(struct sheet *sheet, const struct sheet_entry *from, const struct conf *conf, size_t i)
{
	static const char url_path[] = "peer_sync.peers[].url";
	const struct conf_peer *peer = &conf->peers[i];

	if (conf->peer_enabled) {
		check_given(sheet, from, url_path, peer->url);
		if (!sheet_find(sheet, from, "peer_sync.peers[].password_file")->bad)
			rules_check_secret(sheet, from, "peer_sync.peers[].password", peer->password, true);
	}
	for (size_t k = 0; k < i; k++) {
		if (*peer->url != '\0' && strcasecmp(conf->peers[k].url, peer->url) == 0)
			sheet_fault_at(sheet, from, url_path, "another peer has the url \"%.200s\"", peer->url);
	}
}
