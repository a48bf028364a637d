/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/field.h"
#include "conf/file.h"
#include "conf/rules.h"
#include "conf/value.h"

static const char type_path[] = "dns.backends.*.type";

static void build_value(struct sheet *sheet, const struct sheet_entry *entry, const struct key *key, void *target)
{
	struct setting *setting = sheet_setting(sheet, entry, key);
	const char *text = sheet_text(setting, key);
	char why[FIELD_WHY_SIZE];

	if (text == NULL) /* computed by the caller */
		text = "";
	else if (!setting->bad && setting->text != NULL && !field_accepts(key, text, why))
		sheet_fault_at(sheet, entry, key->path, "%s", why);
	if (setting->bad)
		text = key->preset != NULL ? key->preset : "";
	field_store(key, target, text);
}

/* The keys of one mapping: live ones into target, the others judged. entry NULL: those of SET_MAIN. */
static void build_values(struct sheet *sheet, const struct sheet_entry *entry, void *target)
{
	for (size_t i = 0; i < keys_count; i++) {
		const struct key *key = &keys_table[i];

		if (keys_set(key) != (entry == NULL ? SET_MAIN : entry->set) || key->environment_only)
			continue;
		bool given = sheet_setting(sheet, entry, key)->text != NULL;
		if (key->state == KEY_LIVE)
			build_value(sheet, entry, key, target);
		else if (key->state == KEY_OLD && given)
			sheet_notice_at(sheet, entry, key->path, "accepted, but without meaning here: %s", key->help);
	}
}

/* The predecessor's switch speaks where our key is silent. Its 1 gave the parent's owner, its 0 did not. */
static void translate_exists_parent(struct sheet *sheet)
{
	static const char old_path[] = "app.check_subdomain_owner_in_cluster_domainowners";
	struct setting *setting = sheet_find(sheet, NULL, "app.exists_parent");
	const struct setting *old = sheet_find(sheet, NULL, old_path);
	char why[FIELD_WHY_SIZE];
	bool with_owner = false;

	if (old->text == NULL || old->bad)
		return;
	if (!field_accepts(keys_row(old_path), old->text, why)) {
		sheet_fault_at(sheet, NULL, old_path, "%s", why);
		return;
	}
	if (setting->text == NULL && !setting->bad && value_bool(old->text, &with_owner)) {
		setting->text = xstrdup(with_owner ? "3" : "2");
		setting->line = old->line;
		sheet_notice_at(sheet, NULL, old_path, "taken as app.exists_parent: %s", setting->text);
	} else {
		sheet_notice_at(sheet, NULL, old_path, "accepted, but without meaning here: app.exists_parent is given");
	}
}

static void replace_text(const char **field, char *text)
{
	free((char *)*field);
	*field = text;
}

/*
 * A password may stand in a file of its own, named by the key beside it. One that comes by the environment counts more, as
 * everything from there does; the file is none then, for a print with it would load to its password. path: the password's. entry
 * NULL: of SET_MAIN.
 */
static void take_password_file(struct sheet *sheet, const struct sheet_entry *entry, const char *path, const char **file,
	const char **password)
{
	char file_path[64];
	char *secret;
	struct err err;

	snprintf(file_path, sizeof(file_path), "%s_file", path);
	if (**file == '\0')
		return;
	if (**password != '\0') {
		if (sheet_find(sheet, entry, path)->variable == NULL)
			sheet_fault_at(sheet, entry, file_path, "%s is given, too: one of them is enough", strrchr(path, '.') + 1);
		replace_text(file, xstrdup(""));
		return;
	}
	sheet_note_file(sheet, *file);
	if (file_read_secret(*file, VALUE_MAX_SIZE, &secret, &err) == ERR_OK) {
		replace_text(password, secret);
	} else {
		sheet_fault_at(sheet, entry, file_path, "%s", err.text);
		sheet_find(sheet, entry, path)->bad = true;
	}
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct conf_backend *)a)->name, ((const struct conf_backend *)b)->name);
}

static void build_backends(struct sheet *sheet, struct conf *conf)
{
	size_t most = sheet_entry_count(sheet, SET_BACKENDS) + 1;
	struct conf_backend *backends = xcalloc(most, sizeof(*backends));
	struct conf_backend *disabled = xcalloc(most, sizeof(*disabled));

	for (size_t i = 0; i < sheet->entry_count; i++) {
		const struct sheet_entry *from = &sheet->entries[i];
		struct conf_backend backend = { .name = xstrdup(from->name) };

		if (from->set != SET_BACKENDS) {
			free((char *)backend.name);
			continue;
		}
		build_values(sheet, from, &backend);
		if (sheet_find(sheet, from, type_path)->text == NULL && rules_is_type(from->name))
			replace_text(&backend.type, xstrdup(from->name));
		if (backend.enabled)
			take_password_file(sheet, from, "dns.backends.*.password", &backend.password_file, &backend.password);
		rules_apply_backend(sheet, from, &backend);
		if (backend.enabled)
			backends[conf->backend_count++] = backend;
		else
			disabled[conf->disabled_count++] = backend;
	}
	qsort(backends, conf->backend_count, sizeof(*backends), compare_names);
	qsort(disabled, conf->disabled_count, sizeof(*disabled), compare_names);
	conf->backends = backends;
	conf->disabled = disabled;
}

/* The elements of a list of mappings, each of so many bytes, in their order. */
static void *build_elements(struct sheet *sheet, enum key_set set, size_t size, size_t *count)
{
	char *elements = xcalloc(sheet_entry_count(sheet, set) + 1, size);

	for (size_t i = 0; i < sheet->entry_count; i++) {
		if (sheet->entries[i].set == set)
			build_values(sheet, &sheet->entries[i], elements + (*count)++ * size);
	}
	return elements;
}

/* The n-th entry of the set. */
static const struct sheet_entry *entry_at(const struct sheet *sheet, enum key_set set, size_t n)
{
	const struct sheet_entry *entry = sheet->entries;

	while (entry->set != set || n-- > 0)
		entry++;
	return entry;
}

static void build_lists(struct sheet *sheet, struct conf *conf)
{
	struct conf_user *users = build_elements(sheet, SET_USERS, sizeof(*users), &conf->user_count);
	struct conf_master *masters = build_elements(sheet, SET_MASTERS, sizeof(*masters), &conf->master_count);
	struct conf_peer *peers = build_elements(sheet, SET_PEERS, sizeof(*peers), &conf->peer_count);
	struct conf_listener *listeners = build_elements(sheet, SET_LISTENERS, sizeof(*listeners), &conf->listener_count);

	conf->listeners = listeners;
	conf->users = users;
	conf->masters = masters;
	conf->peers = peers;
	for (size_t i = 0; i < conf->user_count; i++)
		take_password_file(sheet, entry_at(sheet, SET_USERS, i), "app.users[].password", &users[i].password_file,
			&users[i].password);
	for (size_t i = 0; i < conf->master_count; i++) {
		take_password_file(sheet, entry_at(sheet, SET_MASTERS, i), "reconciliation.directadmin_servers[].password",
			&masters[i].password_file, &masters[i].password);
		if (*masters[i].identity == '\0')
			replace_text(&masters[i].identity, xstrdup(masters[i].hostname));
	}
	for (size_t i = 0; i < conf->peer_count; i++) {
		size_t size = strlen(peers[i].url);

		if (size > 0 && peers[i].url[size - 1] == '/')
			replace_text(&peers[i].url, xmemdup(peers[i].url, size - 1));
		take_password_file(sheet, entry_at(sheet, SET_PEERS, i), "peer_sync.peers[].password", &peers[i].password_file,
			&peers[i].password);
		if (*peers[i].username == '\0')
			replace_text(&peers[i].username, xstrdup(conf->peer_auth_username));
		if (*peers[i].password == '\0')
			replace_text(&peers[i].password, xstrdup(conf->peer_auth_password));
	}
	for (size_t i = 0; i < conf->listener_count; i++)
		rules_apply_listener(sheet, entry_at(sheet, SET_LISTENERS, i), conf, i);
	for (size_t i = 0; i < conf->user_count; i++)
		rules_apply_user(sheet, entry_at(sheet, SET_USERS, i), conf, i);
	for (size_t i = 0; i < conf->master_count; i++)
		rules_apply_master(sheet, entry_at(sheet, SET_MASTERS, i), conf, i);
	for (size_t i = 0; i < conf->peer_count; i++)
		rules_apply_peer(sheet, entry_at(sheet, SET_PEERS, i), conf, i);
}

static char *beside(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? xstrdup(name) : xasprintf("%.*s%s", (int)(slash - path + 1), path, name);
}

static void place_control_socket(struct sheet *sheet, struct conf *conf)
{
	static const char path[] = "app.control_socket";
	const struct setting *setting = sheet_find(sheet, NULL, path);

	if (setting->text != NULL || setting->bad)
		return;
	replace_text(&conf->control_socket, beside(conf->store_path, "zonefan.sock"));
	if (!value_is_socket_path(conf->control_socket))
		sheet_fault_at(sheet, NULL, path, "the path beside the store is longer than 107 bytes: give one here");
}

static void add_file(struct conf *conf, const char *path)
{
	const char **files = (const char **)(uintptr_t)conf->files;

	files = xrealloc(files, (conf->file_count + 1) * sizeof(*files));
	files[conf->file_count++] = xstrdup(path);
	conf->files = files;
}

/* Those that the values of one mapping name. */
static void add_files(struct conf *conf, enum key_set set, const void *values)
{
	const char *path;

	for (size_t i = 0; i < keys_count; i++) {
		const struct key *key = &keys_table[i];

		if (key->state != KEY_LIVE || !key->file || keys_set(key) != set)
			continue;
		memcpy(&path, (const char *)values + key->offset, sizeof(path));
		if (*path != '\0')
			add_file(conf, path);
	}
}

static void collect_files(const struct sheet *sheet, struct conf *conf)
{
	for (size_t at = 0; at < sheet->files.size; at += strlen(sheet->files.data + at) + 1)
		add_file(conf, sheet->files.data + at);
	add_files(conf, SET_MAIN, conf);
	for (size_t i = 0; i < conf->backend_count; i++)
		add_files(conf, SET_BACKENDS, &conf->backends[i]);
}

struct conf *build_conf(struct sheet *sheet)
{
	struct conf *conf = xcalloc(1, sizeof(*conf));

	conf->path = sheet->file != NULL ? xstrdup(sheet->file) : NULL;
	translate_exists_parent(sheet);
	build_values(sheet, NULL, conf);
	take_password_file(sheet, NULL, "app.auth_password", &conf->auth_password_file, &conf->auth_password);
	if (conf->peer_enabled)
		take_password_file(sheet, NULL, "peer_sync.auth_password", &conf->peer_auth_password_file, &conf->peer_auth_password);
	take_password_file(sheet, NULL, "notify.password", &conf->notify_password_file, &conf->notify_password);
	place_control_socket(sheet, conf);
	rules_apply_main(sheet, conf);
	build_backends(sheet, conf);
	build_lists(sheet, conf);
	rules_apply_whole(sheet, conf);
	collect_files(sheet, conf);
	return conf;
}

static void free_values(void *target, enum key_set set)
{
	for (size_t i = 0; i < keys_count; i++) {
		if (keys_table[i].state == KEY_LIVE && keys_set(&keys_table[i]) == set)
			field_free(&keys_table[i], target);
	}
}

static void free_elements(const void *elements, size_t count, size_t size, enum key_set set)
{
	char *own = (char *)(uintptr_t)elements;

	for (size_t i = 0; i < count; i++)
		free_values(own + i * size, set);
	free(own);
}

static void free_backends(const struct conf_backend *backends, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free((char *)backends[i].name);
	free_elements(backends, count, sizeof(*backends), SET_BACKENDS);
}

void conf_destroy(struct conf *conf)
{
	if (conf == NULL)
		return;
	free_backends(conf->backends, conf->backend_count);
	free_backends(conf->disabled, conf->disabled_count);
	free_elements(conf->listeners, conf->listener_count, sizeof(*conf->listeners), SET_LISTENERS);
	free_elements(conf->users, conf->user_count, sizeof(*conf->users), SET_USERS);
	free_elements(conf->masters, conf->master_count, sizeof(*conf->masters), SET_MASTERS);
	free_elements(conf->peers, conf->peer_count, sizeof(*conf->peers), SET_PEERS);
	for (size_t i = 0; i < conf->file_count; i++)
		free((char *)conf->files[i]);
	free((char **)(uintptr_t)conf->files);
	free((char *)conf->path);
	free_values(conf, SET_MAIN);
	free(conf);
}
