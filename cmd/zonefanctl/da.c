/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "da.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"
#include "conf/conf.h"
#include "da_entry.h"
#include "da_zones.h"
#include "exit.h"
#include "table.h"

enum { SHOWN = 20, POLL_MS = 500 };

/* Only a shell on the master makes it push all again: no request does (directadmin-protocol.md 4.2). */
static const char rewrite[] = "echo \"action=rewrite&value=named\" >> /usr/local/directadmin/data/task.queue";

/* One command with one master. */
struct da {
	const struct call *call;
	const struct conf_master *master;
	struct da_client *client;
	struct da_entry_wanted wanted;
};

/* ---- which master, and how it reaches us ---- */

static bool go_on(UNUSED void *ctx)
{
	return true;
}

static const struct conf_master *find_master(const struct conf *conf, const char *name, struct err *err)
{
	struct buf known = { 0 };

	for (size_t i = 0; i < conf->master_count; i++) {
		const struct conf_master *master = &conf->masters[i];

		if (strcasecmp(master->identity, name) == 0 || strcasecmp(master->hostname, name) == 0) {
			buf_free(&known);
			return master;
		}
		buf_printf(&known, "%s%s", i == 0 ? "" : ", ", master->identity);
	}
	err_set(err, ERR_NOTFOUND, "there is no master %s in reconciliation.directadmin_servers; there are: %.300s", name,
		known.size == 0 ? "none" : known.data);
	buf_free(&known);
	return NULL;
}

/* The login that is the master's own, else that of all. */
static void find_login(const struct conf *conf, const char *identity, struct da_entry_wanted *wanted)
{
	wanted->user = conf->auth_username;
	wanted->password = conf->auth_password;
	for (size_t i = 0; i < conf->user_count; i++) {
		const struct conf_user *user = &conf->users[i];

		for (unsigned k = 0; k < user->identity_count; k++) {
			if (strcasecmp(user->identities[k], identity) == 0) {
				wanted->user = user->name;
				wanted->password = user->password;
			}
		}
	}
}

static int find_address(const struct da *da, struct da_entry_wanted *wanted, struct err *err)
{
	const struct conf *conf = da->call->conf;

	wanted->port = conf->listen_port;
	wanted->ssl = conf->ssl_enable;
	wanted->address = da->call->options[OPTION_ADDRESS] != NULL ? da->call->options[OPTION_ADDRESS] : conf->listen_address;
	if (*wanted->address == '\0')
		return err_set(err, ERR_INVALID, "--address is needed: the address of this host by which %s reaches it", da->master->identity);
	return ERR_OK;
}

static int begin(struct da *da, const struct call *call, struct err *err)
{
	const struct conf *conf = call->conf;

	*da = (struct da){ .call = call };
	if (conf == NULL)
		return err_set(err, ERR_INVALID, "da asks the master with the login of the configuration: it needs --config, not --url");
	da->master = find_master(conf, call->words[1], err);
	if (da->master == NULL)
		return err->code;
	find_login(conf, da->master->identity, &da->wanted);
	const struct da_settings settings = { .hostname = da->master->hostname, .port = da->master->port,
		.username = da->master->username, .password = da->master->password, .ssl = da->master->ssl,
		.verify_ssl = conf->reconcile_verify_ssl, .ipp = conf->reconcile_ipp, .tick = go_on };
	da->client = da_client_create(&settings);
	return ERR_OK;
}

static void end(struct da *da)
{
	if (da->client != NULL)
		da_client_destroy(da->client);
}

/* ---- what is told ---- */

static int compare_zones(const struct da *da, const char *since, json_t **zones, struct err *err)
{
	struct da_list list = { 0 };
	int ret = da_client_list(da->client, &list, err);

	if (ret == ERR_OK)
		ret = da_zones_compare(da->call->client, &list, da->master->identity, since, zones, err);
	da_list_free(&list);
	return ret;
}

/* {error} where nobody knows: zonefand does not run, or the list is odd (an empty one is). No reason to tell nothing else. */
static json_t *look_at_zones(const struct da *da)
{
	struct err err;
	json_t *zones;

	if (compare_zones(da, "", &zones, &err) == ERR_OK)
		return zones;
	zones = json_pack("{s:o}", "error", text_json(err.text));
	CHECK(zones != NULL);
	return zones;
}

static json_t *describe(const struct da *da, const struct da_entry *entry, json_t *zones)
{
	json_t *answer = json_pack("{s:s, s:o, s:i, s:s, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:o}", "master",
		da->master->identity, "address", text_json(da->wanted.address), "port", da->wanted.port, "user", da->wanted.user, "ssl",
		da->wanted.ssl, "multi_server_on", entry->cluster_on, "registered", entry->there, "right_port", entry->right_port,
		"right_user", entry->right_user, "right_ssl", entry->right_ssl, "zone_transfer", entry->dns, "domain_check",
		entry->domain_check, "other_switches", entry->others, "zones", zones);

	CHECK(answer != NULL);
	return answer;
}

static void show_entry(const json_t *answer)
{
	static const struct {
		const char *key;
		bool good;
		const char *text;
	} rows[] = {
		{ "multi_server_on", true, "Multi Server Setup is switched off there: switch it on in the panel" },
		{ "registered", true, "it does not know this server: zonefanctl da register" },
		{ "right_port", true, "its entry has another port" },
		{ "right_user", true, "its entry has another user" },
		{ "right_ssl", true, "its entry and app.ssl_enable differ in SSL" },
		{ "zone_transfer", true, "Zone Transfer is off: nothing is pushed" },
		{ "domain_check", true, "Domain Check is off: domains of other masters can be made there" },
		{ "other_switches", false, "User Check, Email Accounts or Show All Users is on: only a DirectAdmin can answer those" },
	};
	bool registered = json_is_true(json_object_get(answer, "registered"));

	printf("%s, and this server as %s port %" JSON_INTEGER_FORMAT ", user %s\n", cell_text_at(answer, "master"),
		cell_text_at(answer, "address"), cell_number_at(answer, "port"), cell_text_at(answer, "user"));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (json_is_true(json_object_get(answer, rows[i].key)) != rows[i].good && (registered || i < 2))
			printf("  %s\n", rows[i].text);
	}
}

static void show_zones(const json_t *zones)
{
	size_t index;
	json_t *conflict;

	if (json_object_get(zones, "listed") == NULL) {
		char *error = cell_text(zones, "error");

		printf("  its zones can't be compared with those here: %s\n", error);
		free(error);
		return;
	}
	printf("  it lists %" JSON_INTEGER_FORMAT " zones: %" JSON_INTEGER_FORMAT " are held as its own, %" JSON_INTEGER_FORMAT
	       " are missing here, %zu are another master's\n", cell_number_at(zones, "listed"), cell_number_at(zones, "held"),
		cell_number_at(zones, "missing"), json_array_size(json_object_get(zones, "conflicts")));
	json_array_foreach(json_object_get(zones, "conflicts"), index, conflict) {
		char *zone = cell_text(conflict, "zone");
		char *owner = cell_text(conflict, "owner");

		if (index < SHOWN)
			printf("  conflict: %s is held as %s's; whichever of both pushes next has it\n", zone, owner);
		else if (index == SHOWN)
			puts("  and more: --json lists all");
		free(zone);
		free(owner);
	}
}

static void show_status(const json_t *answer)
{
	show_entry(answer);
	show_zones(json_object_get(answer, "zones"));
}

static void show_registered(const json_t *answer)
{
	show_status(answer);
	puts("registered, with Zone Transfer and Domain Check on; zonefanctl da push-all says how the zones get here that exist already");
}

static void show_dry(const json_t *answer)
{
	show_status(answer);
	puts("--dry-run: nothing was changed there");
}

/* ---- status ---- */

static bool has_conflicts(const json_t *zones)
{
	return json_array_size(json_object_get(zones, "conflicts")) > 0;
}

static int status(struct da *da)
{
	struct da_entry entry;
	struct err err;
	int ret = find_address(da, &da->wanted, &err);

	if (ret == ERR_OK)
		ret = da_entry_read(da->client, &da->wanted, &entry, &err);
	if (ret != ERR_OK)
		return commands_failed(&err);
	json_t *zones = look_at_zones(da);
	bool well = da_entry_is_good(&entry) && cell_number_at(zones, "listed") == cell_number_at(zones, "held") &&
		json_object_get(zones, "error") == NULL;
	int code = commands_finish(da->call, ERR_OK, &err, describe(da, &entry, zones), show_status);
	return code == EXIT_WELL && !well ? EXIT_BEHIND : code;
}

/* ---- register ---- */

static int write_entry(const struct da *da, struct da_entry *entry, struct err *err)
{
	int ret = da_entry_write(da->client, &da->wanted, entry->there, err);

	if (ret == ERR_OK)
		ret = da_entry_read(da->client, &da->wanted, entry, err);
	/* What it says of a success is not believed. */
	if (ret == ERR_OK && entry->cluster_on && !da_entry_is_good(entry))
		ret = err_set(err, ERR_IO, "%s said that it has saved the entry, and it is not as it should be: zonefanctl da status",
			da->master->identity);
	if (ret == ERR_OK && !entry->cluster_on)
		ret = err_set(err, ERR_DENIED, "the entry is there, but Multi Server Setup is switched off on %s: switch it on in the panel",
			da->master->identity);
	return ret;
}

static int register_us(struct da *da)
{
	bool dry = call_has(da->call, OPTION_DRY_RUN);
	struct da_entry entry;
	struct err err;
	int ret = find_address(da, &da->wanted, &err);

	if (ret == ERR_OK)
		ret = da_entry_read(da->client, &da->wanted, &entry, &err);
	if (ret == ERR_OK && !dry)
		ret = write_entry(da, &entry, &err);
	if (ret != ERR_OK)
		return commands_failed(&err);
	json_t *zones = look_at_zones(da);
	bool conflicts = has_conflicts(zones);
	int code = commands_finish(da->call, ERR_OK, &err, describe(da, &entry, zones), dry ? show_dry : show_registered);
	return code == EXIT_WELL && conflicts ? EXIT_BEHIND : code;
}

/* ---- push-all ---- */

static void show_push_all(const json_t *answer)
{
	show_zones(json_object_get(answer, "zones"));
	printf("To have all of them pushed again, in a shell on %s (the serials rise; it takes a minute to begin):\n\n  %s\n\n"
	       "What is missing here is fetched without that by zonefanctl reconcile (reconciliation.enabled).\n"
	       "zonefanctl da push-all --follow waits until each zone has been pushed.\n", cell_text_at(answer, "master"), rewrite);
}

static void show_arrived(const json_t *answer)
{
	printf("all %" JSON_INTEGER_FORMAT " zones were pushed\n", cell_number_at(json_object_get(answer, "zones"), "arrived"));
}

/* Until every listed zone has been pushed since. What another master holds becomes this one's by its push. */
static int follow(const struct da *da, const char *since, json_t **zones, struct err *err)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
	json_int_t told = -1;

	for (;;) {
		int ret = compare_zones(da, since, zones, err);

		if (ret != ERR_OK)
			return ret;
		json_int_t arrived = cell_number_at(*zones, "arrived"), listed = cell_number_at(*zones, "listed");
		if (arrived != told && !call_has(da->call, OPTION_JSON)) {
			printf("%" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT " zones were pushed\n", arrived, listed);
			fflush(stdout);
		}
		told = arrived;
		if (arrived == listed)
			return ERR_OK;
		json_decref(*zones);
		nanosleep(&pause, NULL);
	}
}

static int push_all(struct da *da)
{
	bool follows = call_has(da->call, OPTION_FOLLOW);
	char since[CLOCK_TEXT_SIZE];
	json_t *zones = NULL;
	struct err err;

	clock_text(clock_wall_us(clock_system()), since);
	if (follows && !call_has(da->call, OPTION_JSON)) {
		printf("in a shell on %s:\n\n  %s\n\n", da->master->identity, rewrite);
		fflush(stdout);
	}
	int ret = follows ? follow(da, since, &zones, &err) : compare_zones(da, since, &zones, &err);
	json_t *answer = ret == ERR_OK ? json_pack("{s:s, s:s, s:o}", "master", da->master->identity, "command", rewrite, "zones",
		zones) : NULL;
	return commands_finish(da->call, ret, &err, answer, follows ? show_arrived : show_push_all);
}

/* ---- which of them ---- */

static const struct {
	const char *name;
	int (*run)(struct da *da);
	enum ctl_option option; /* the one that only this takes */
} acts[] = {
	{ "register", register_us, OPTION_DRY_RUN },
	{ "status", status, OPTION_COUNT },
	{ "push-all", push_all, OPTION_FOLLOW },
};

int da_command(const struct call *call)
{
	struct da da;
	struct err err;
	size_t act = 0;

	while (act < ARRAY_SIZE(acts) && strcmp(acts[act].name, call->words[0]) != 0)
		act++;
	if (act == ARRAY_SIZE(acts) || (call_has(call, OPTION_DRY_RUN) && acts[act].option != OPTION_DRY_RUN) ||
		(call_has(call, OPTION_FOLLOW) && acts[act].option != OPTION_FOLLOW))
		return EXIT_USAGE;
	int code = begin(&da, call, &err) == ERR_OK ? acts[act].run(&da) : commands_failed(&err);
	end(&da);
	return code;
}
