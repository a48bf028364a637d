/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "legacy.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "conf/conf.h"
#include "legacy_queue.h"
#include "store/predecessor.h"
#include "table.h"

extern char **environ;

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* ---- the database ---- */

static bool is_database(const char *path)
{
	struct predecessor *predecessor;
	struct err err;

	if (predecessor_open(path, &predecessor, &err) != ERR_OK)
		return false;
	predecessor_close(predecessor);
	return true;
}

/* The only one of the folder's *.db that is directdnsonly's. */
static int search(const char *folder, char **out, struct err *err)
{
	DIR *entries = opendir(folder);
	int ret = ERR_OK;

	*out = NULL;
	if (entries == NULL)
		return err_set(err, ERR_IO, "%s: %s", folder, strerror(errno));
	for (struct dirent *entry = readdir(entries); entry != NULL && ret == ERR_OK; entry = readdir(entries)) {
		size_t size = strlen(entry->d_name);
		char *path = xasprintf("%s/%s", folder, entry->d_name);

		if (size < 4 || strcmp(entry->d_name + size - 3, ".db") != 0 || !is_database(path)) {
			free(path);
		} else if (*out == NULL) {
			*out = path;
		} else {
			ret = err_set(err, ERR_INVALID, "%s and %s are both directdnsonly's: name the file", *out, path);
			free(path);
		}
	}
	closedir(entries);
	if (ret == ERR_OK && *out == NULL)
		ret = err_set(err, ERR_NOTFOUND, "%s: there is no database of directdnsonly (data/directdns.db, directdns.db, *.db)",
			folder);
	return ret;
}

static int find_in(const char *folder, char **out, struct err *err)
{
	static const char *const usual[] = { "data/directdns.db", "directdns.db" };

	for (size_t i = 0; i < ARRAY_SIZE(usual); i++) {
		*out = xasprintf("%s/%s", folder, usual[i]);
		if (access(*out, F_OK) == 0)
			return ERR_OK;
		free(*out);
	}
	return search(folder, out, err);
}

int legacy_find_database(const char *path, char **out, struct err *err)
{
	char *whole = realpath(path, NULL);

	if (whole == NULL)
		return err_set(err, errno == ENOENT ? ERR_NOTFOUND : ERR_IO, "%s: %s", path, strerror(errno));
	if (!is_folder(whole)) {
		*out = whole;
		return ERR_OK;
	}
	int ret = find_in(whole, out, err);
	if (ret != ERR_OK)
		free(*out);
	free(whole);
	return ret;
}

/* The folder in which directdnsonly runs: where the database is, or above if that is called data. */
static char *home_of(const char *database)
{
	const char *end = strrchr(database, '/');
	char *folder = xasprintf("%.*s", (int)(end - database), database);
	char *last = strrchr(folder, '/');

	if (last != NULL && strcmp(last, "/data") == 0)
		*last = '\0';
	return folder;
}

/* ---- its configuration ---- */

static void sort_lines(const char *notices, json_t *told, json_t *faults)
{
	static const char fault[] = "fault: ";

	for (const char *line = notices; line != NULL && *line != '\0';) {
		size_t size = strcspn(line, "\n");
		bool bad = strncmp(line, fault, strlen(fault)) == 0;
		size_t skip = bad ? strlen(fault) : 0;

		char *text = xmemdup(line + skip, size - skip);

		json_array_append_new(bad ? faults : told, text_json(text));
		free(text);
		line += size + (line[size] == '\n');
	}
}

static json_t *check(const char *path)
{
	json_t *told = json_array(), *faults = json_array();
	struct buf notices = { 0 };
	struct conf *conf;
	struct err err;

	if (conf_load(path, environ, &conf, &notices, &err) == ERR_OK)
		conf_destroy(conf);
	else
		json_array_append_new(faults, text_json(err.text));
	sort_lines(notices.data, told, faults);
	buf_free(&notices);
	json_t *out = json_pack("{s:o, s:o, s:o}", "path", text_json(path), "notices", told, "faults", faults);
	CHECK(out != NULL);
	return out;
}

json_t *legacy_check_configuration(const char *database)
{
	static const char *const usual[] = { "app.yml", "config/app.yml" };
	char *home = home_of(database);
	json_t *out = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(usual) && out == NULL; i++) {
		char *path = xasprintf("%s/%s", home, usual[i]);

		if (access(path, F_OK) == 0)
			out = check(path);
		free(path);
	}
	free(home);
	return out == NULL ? json_null() : out;
}

/* ---- its queues ---- */

static void add_queue(json_t *list, const char *folder, const char *name)
{
	char *path = xasprintf("%s/%s", folder, name);
	int64_t items = is_folder(path) ? legacy_count_items(path) : 0;

	if (items != 0)
		json_array_append_new(list, json_pack("{s:s, s:o, s:o}", "queue", name, "path", text_json(path), "items",
			items < 0 ? json_null() : json_integer(items)));
	free(path);
}

json_t *legacy_list_queues(const char *database)
{
	static const char *const folders[] = { "data/queues", "queues" };
	static const char *const queues[] = { "save", "delete", "retry" };
	char *home = home_of(database);
	json_t *list = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		char *folder = xasprintf("%s/%s", home, folders[i]);

		for (size_t k = 0; k < ARRAY_SIZE(queues); k++)
			add_queue(list, folder, queues[k]);
		free(folder);
	}
	free(home);
	return list;
}
