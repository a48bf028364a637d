/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "setup.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "conf/keys.h"
#include "doctor_findings.h"
#include "exit.h"
#include "setup_ask.h"
#include "setup_files.h"
#include "setup_tree.h"
#include "table.h"

enum { PASSWORD_SIZE = 32 }; /* of 5 bits each */

static const char usual_path[] = "/etc/zonefan/app.yml";
static const char usual_user[] = "zonefan"; /* the package's */
static const char masters_key[] = "reconciliation.directadmin_servers";

struct setup {
	const struct call *call;
	bool asks;                /* somebody answers */
	char *path;               /* of app.yml, absolute: paths of secrets are made of it */
	json_t *tree;             /* what will stand in it */
	struct setup_files files;
	json_t *secrets;          /* [path] that were written */
	json_t *next;             /* [text] what is left to do */
	struct doctor doctor;
};

/* ---- what is wanted ---- */

static int take_word(struct setup *setup, const char *word, struct err *err)
{
	const char *equals = strchr(word, '=');

	if (equals == NULL)
		return err_set(err, ERR_INVALID, "%s: KEY=VALUE is wanted, KEY being one of app.yml", word);
	char *key = xmemdup(word, (size_t)(equals - word));
	const struct key *row = setup_tree_row(key);
	int ret;
	if (row == NULL)
		ret = err_set(err, ERR_INVALID, "%s: no key of app.yml is like that (elements of lists by number: app.users.1.name)", key);
	else if (row->secret)
		ret = err_set(err, ERR_INVALID, "%s: everyone sees a command line: give %s_file=PATH", key, key);
	else
		ret = setup_tree_set(setup->tree, key, equals + 1, err);
	free(key);
	return ret;
}

static int gather(struct setup *setup, struct err *err)
{
	if (setup->asks)
		return setup_ask(setup->tree, err);
	if (setup->call->word_count == 0)
		return err_set(err, ERR_INVALID, "nobody answers here: give KEY=VALUE words, or run it on a terminal");
	for (size_t i = 0; i < setup->call->word_count; i++) {
		int ret = take_word(setup, setup->call->words[i], err);
		if (ret != ERR_OK)
			return ret;
	}
	return ERR_OK;
}

/* ---- what follows from it ---- */

static bool names_file(const char *key)
{
	static const char *const ends[] = { "_file", "db_location", "_socket" };
	const struct key *row = setup_tree_row(key);
	size_t size = strlen(key);

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		size_t end = strlen(ends[i]);
		if (size > end && strcmp(key + size - end, ends[i]) == 0)
			return true;
	}
	return row != NULL && row->file;
}

static void find_relative(void *ctx, const char *key, const char *value)
{
	if (*value != '\0' && *value != '/' && names_file(key))
		json_array_append_new(ctx, json_string(key));
}

/* zonefand runs in a folder of its own: what is meant is the file that is seen from here. */
static int complete_paths(struct setup *setup, struct err *err)
{
	json_t *keys = json_array();
	int ret = ERR_OK;

	setup_tree_walk(setup->tree, find_relative, keys);
	for (size_t i = 0; ret == ERR_OK && i < json_array_size(keys); i++) {
		const char *key = json_string_value(json_array_get(keys, i));
		char *path = commands_absolute(setup_tree_get(setup->tree, key));

		ret = setup_tree_set(setup->tree, key, path, err);
		free(path);
	}
	json_decref(keys);
	return ret;
}

static int set_missing(struct setup *setup, const char *above, const char *leaf, const char *value, struct err *err)
{
	char *key = xasprintf("%s.%s", above, leaf);
	int ret = setup_tree_get(setup->tree, key) != NULL ? ERR_OK : setup_tree_set(setup->tree, key, value, err);

	free(key);
	return ret;
}

static void make_password(char out[PASSWORD_SIZE + 1])
{
	static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* none is taken for another one */
	uint8_t random[PASSWORD_SIZE];

	hash_random(random, sizeof(random));
	for (size_t i = 0; i < PASSWORD_SIZE; i++)
		out[i] = letters[random[i] % 32];
	out[PASSWORD_SIZE] = '\0';
}

/* Unless it is given, or stands in a file. */
static int set_password(struct setup *setup, const char *above, const char *leaf, struct err *err)
{
	char *file = xasprintf("%s.%s_file", above, leaf);
	bool given = setup_tree_get(setup->tree, file) != NULL;
	char password[PASSWORD_SIZE + 1];

	free(file);
	if (given)
		return ERR_OK;
	make_password(password);
	int ret = set_missing(setup, above, leaf, password, err);
	explicit_bzero(password, sizeof(password));
	return ret;
}

static int complete_backends(struct setup *setup, struct err *err)
{
	const char *name;
	json_t *backend;
	int ret = ERR_OK;

	json_object_foreach(setup_tree_below(setup->tree, "dns.backends"), name, backend) {
		char *above = xasprintf("dns.backends.%s", name);

		ret = set_missing(setup, above, "type", "coredns_mysql", err);
		if (ret == ERR_OK)
			ret = set_missing(setup, above, "enabled", "true", err);
		free(above);
		if (ret != ERR_OK)
			break;
	}
	return ret;
}

static const char *identity_of(const json_t *master)
{
	const char *identity = json_string_value(json_object_get(master, "identity"));

	return identity != NULL ? identity : json_string_value(json_object_get(master, "hostname"));
}

/* Each master gets a login of its own, which speaks for nobody else. */
static int complete_logins(struct setup *setup, struct err *err)
{
	bool given = setup_tree_below(setup->tree, "app.users") != NULL;
	const char *number;
	json_t *master;
	int ret = ERR_OK;

	json_object_foreach(setup_tree_below(setup->tree, masters_key), number, master) {
		const char *identity = identity_of(master);
		char *above = xasprintf("app.users.%s", number);

		if (!given && identity != NULL) {
			ret = set_missing(setup, above, "name", identity, err);
			if (ret == ERR_OK)
				ret = set_missing(setup, above, "identities", identity, err);
			if (ret == ERR_OK)
				ret = set_password(setup, above, "password", err);
		}
		free(above);
		if (ret != ERR_OK)
			break;
	}
	return ret;
}

static int complete(struct setup *setup, struct err *err)
{
	int ret = complete_paths(setup, err);

	if (ret == ERR_OK)
		ret = set_password(setup, "app", "auth_password", err);
	if (ret == ERR_OK)
		ret = set_missing(setup, "datastore", "db_location", "/var/lib/zonefan/zonefan.db", err);
	if (ret == ERR_OK)
		ret = complete_backends(setup, err);
	if (ret == ERR_OK && setup_tree_below(setup->tree, masters_key) != NULL)
		ret = set_missing(setup, "reconciliation", "enabled", "true", err);
	return ret == ERR_OK ? complete_logins(setup, err) : ret;
}

/* ---- secrets go to files ---- */

static void find_secret(void *ctx, const char *key, UNUSED const char *value)
{
	const struct key *row = setup_tree_row(key);

	if (row != NULL && row->secret)
		json_array_append_new(ctx, json_string(key));
}

static int stow_secret(struct setup *setup, const char *key, struct err *err)
{
	char *file_key = xasprintf("%s_file", key);
	char *path = NULL;
	int ret = setup_files_put_secret(&setup->files, key, setup_tree_get(setup->tree, key), &path, err);

	if (ret == ERR_OK) {
		json_array_append_new(setup->secrets, text_json(path));
		ret = setup_tree_set(setup->tree, file_key, path, err);
		setup_tree_remove(setup->tree, key);
		free(path);
	}
	free(file_key);
	return ret;
}

static int stow_secrets(struct setup *setup, struct err *err)
{
	json_t *keys = json_array();
	int ret = ERR_OK;

	setup_tree_walk(setup->tree, find_secret, keys);
	for (size_t i = 0; ret == ERR_OK && i < json_array_size(keys); i++)
		ret = stow_secret(setup, json_string_value(json_array_get(keys, i)), err);
	json_decref(keys);
	return ret;
}

/* ---- is it good? ---- */

/* Whose the files are to be: zonefand's user, where root sets it up. */
static const char *find_user(const struct setup *setup)
{
	const char *user = setup_tree_get(setup->tree, "app.user");

	if (geteuid() != 0)
		return NULL;
	return user != NULL ? user : getpwnam(usual_user) != NULL ? usual_user : NULL;
}

static int write_draft(struct setup *setup, char **draft, struct err *err)
{
	struct buf text = { 0 };

	buf_puts(&text, "# Made by zonefanctl setup. Every key: man zonefan.yml; after a change: zonefand --check, zonefanctl doctor.\n");
	setup_tree_print(setup->tree, &text);
	int ret = setup_files_put_draft(&setup->files, text.data, draft, err);
	buf_free(&text);
	return ret;
}

/* Loads what zonefand will load, and asks every database and master. Faults of the databases are counted, not an error. */
static int try_draft(struct setup *setup, const char *draft, struct err *err)
{
	char *nothing[] = { NULL };
	struct buf notices = { 0 };
	struct conf *conf = NULL;
	struct doctor *doctor = &setup->doctor;

	int ret = conf_load(draft, nothing, &conf, &notices, err);
	if (ret != ERR_OK && notices.size > 0)
		fputs(notices.data, stderr);
	buf_free(&notices);
	if (ret == ERR_OK)
		ret = wire_engine_create(conf, &doctor->wire, err);
	if (ret == ERR_OK) {
		doctor->conf = conf;
		doctor_backends(doctor);
		if (conf->master_count > 0)
			doctor_masters(doctor);
		doctor->conf = NULL;
		wire_engine_clear(&doctor->wire);
	}
	conf_destroy(conf);
	return ret;
}

/* ERR_DENIED: something is not as it should be, and nobody said that it does not matter. */
static int judge(struct setup *setup, struct err *err)
{
	if (!call_has(setup->call, OPTION_JSON))
		doctor_show(setup->doctor.findings);
	if (setup->doctor.counts[DOCTOR_FAULT] == 0 || call_has(setup->call, OPTION_CONFIRM))
		return ERR_OK;
	if (setup->asks && setup_ask_yes("Write the configuration all the same?"))
		return ERR_OK;
	return err_set(err, ERR_DENIED, "%u of the tests failed, so nothing was written; --confirm writes it all the same",
		setup->doctor.counts[DOCTOR_FAULT]);
}

/* ---- what is left to do ---- */

PRINTF_LIKE(2, 3) static void add_step(struct setup *setup, const char *format, ...);

static void add_step(struct setup *setup, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	json_array_append_new(setup->next, text_json(text));
}

static void add_steps(struct setup *setup)
{
	const char *port = setup_tree_get(setup->tree, "app.listen_port");
	const char *number;
	json_t *master;

	add_step(setup, "zonefand --config %s --check, then: systemctl enable --now zonefand", setup->path);
	json_object_foreach(setup_tree_below(setup->tree, masters_key), number, master) {
		char *key = xasprintf("app.users.%s.password_file", number);
		const char *file = setup_tree_get(setup->tree, key);

		if (file != NULL)
			add_step(setup, "zonefanctl --config %s da register %s --address ADDRESS-OF-THIS-HOST; or in its panel, Multi Server Setup: "
				"port %s, user %s, the password in %s, Zone Transfer and Domain Check on", setup->path, identity_of(master),
				port == NULL ? "2222" : port, identity_of(master), file);
		free(key);
	}
	add_step(setup, "zonefanctl --config %s doctor", setup->path);
}

static void show_done(const json_t *answer)
{
	size_t index;
	json_t *text;

	printf("\n%s is written; passwords stand in files beside it, which zonefand's user alone can read\n\nNext:\n",
		cell_text_at(answer, "config"));
	json_array_foreach(json_object_get(answer, "next"), index, text)
		printf("%2zu. %s\n", index + 1, json_string_value(text));
}

static void show_tested(UNUSED const json_t *answer)
{
	puts("--dry-run: nothing was written");
}

/* ---- all of it ---- */

static int run(struct setup *setup, struct err *err)
{
	char *draft = NULL;
	int ret = gather(setup, err);

	if (ret == ERR_OK)
		ret = complete(setup, err);
	if (ret == ERR_OK)
		ret = setup_files_begin(&setup->files, setup->path, find_user(setup), err);
	if (ret == ERR_OK)
		ret = stow_secrets(setup, err);
	if (ret == ERR_OK)
		ret = write_draft(setup, &draft, err);
	if (ret == ERR_OK)
		ret = try_draft(setup, draft, err);
	if (ret == ERR_OK)
		ret = judge(setup, err);
	if (ret == ERR_OK && !call_has(setup->call, OPTION_DRY_RUN))
		ret = setup_files_keep(&setup->files, draft, err);
	free(draft);
	setup_files_end(&setup->files);
	return ret;
}

static int prepare(struct setup *setup, struct err *err)
{
	setup->asks = setup->call->word_count == 0 && isatty(STDIN_FILENO) != 0;
	setup->path = commands_absolute(setup->call->options[OPTION_CONFIG] != NULL ? setup->call->options[OPTION_CONFIG] : usual_path);
	if (call_has(setup->call, OPTION_URL))
		return err_set(err, ERR_INVALID, "setup is for this host: it takes no --url");
	if (access(setup->path, F_OK) == 0 && !call_has(setup->call, OPTION_OVERWRITE) && !call_has(setup->call, OPTION_DRY_RUN))
		return err_set(err, ERR_BUSY, "%s is there already: --overwrite replaces it, and keeps it as %s.old", setup->path, setup->path);
	return ERR_OK;
}

int setup_command(const struct call *call)
{
	bool dry = call_has(call, OPTION_DRY_RUN);
	struct setup setup = { .call = call, .tree = json_object(), .secrets = json_array(), .next = json_array(),
		.doctor = { .findings = json_array() } };
	struct err err;

	int ret = prepare(&setup, &err);
	if (ret == ERR_OK)
		ret = run(&setup, &err);
	if (ret == ERR_OK && !dry)
		add_steps(&setup);
	json_t *answer = json_pack("{s:o, s:b, s:o, s:o, s:o, s:i}", "config", text_json(setup.path), "dry_run", dry, "secrets", setup.secrets,
		"next", setup.next, "findings", setup.doctor.findings, "faults", setup.doctor.counts[DOCTOR_FAULT]);
	json_decref(setup.tree);
	free(setup.path);
	if (ret != ERR_OK)
		json_decref(answer);
	return commands_finish(call, ret, &err, answer, dry ? show_tested : show_done);
}
