/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "setup_ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "setup_tree.h"

/* The terminal shows no more what is typed, from before the question on. False: it is none. */
static bool silence(struct termios *before)
{
	struct termios quiet;

	if (tcgetattr(STDIN_FILENO, before) != 0)
		return false;
	quiet = *before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	return tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
}

/* The answer; NULL: there are no more. To be freed. preset NULL or "": there is none. */
static char *put_question(const char *question, const char *preset, bool hidden)
{
	struct termios before;
	char *line = NULL;
	size_t room = 0;
	bool silenced = hidden && silence(&before);

	printf(preset == NULL || *preset == '\0' ? "%s: " : "%s [%s]: ", question, preset);
	fflush(stdout);
	ssize_t size = getline(&line, &room, stdin);
	if (silenced) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		putchar('\n');
	}
	if (size < 0) {
		free(line);
		return NULL;
	}
	line[strcspn(line, "\r\n")] = '\0';
	return line;
}

/* Sets what is answered, or the preset (NULL: it must be answered; "": may be left out, and then nothing is set). */
static int ask(json_t *tree, const char *key, const char *question, const char *preset, bool hidden, struct err *err)
{
	char *line;

	do {
		line = put_question(question, preset, hidden);
		if (line == NULL)
			return err_set(err, ERR_CLOSED, "the answers ended before the questions; nothing was written");
		if (*line == '\0' && preset != NULL) {
			free(line);
			line = xstrdup(preset);
		} else if (*line == '\0') {
			free(line);
			line = NULL;
		}
	} while (line == NULL);
	int ret = *line == '\0' ? ERR_OK : setup_tree_set(tree, key, line, err);
	explicit_bzero(line, strlen(line));
	free(line);
	return ret;
}

struct question {
	const char *leaf;
	const char *text;
	const char *preset;
	bool hidden;
};

/* Below one key: dns.backends.dc1. */
static int ask_all(json_t *tree, const char *above, const struct question *questions, size_t count, struct err *err)
{
	int ret = ERR_OK;

	for (size_t i = 0; ret == ERR_OK && i < count; i++) {
		char *key = xasprintf("%s.%s", above, questions[i].leaf);

		/* A password whose key nobody knows would stand in app.yml itself. */
		if (setup_tree_row(key) == NULL)
			ret = err_set(err, ERR_INVALID, "%s: no key of app.yml is like that; a name here is without dots", key);
		else
			ret = ask(tree, key, questions[i].text, questions[i].preset, questions[i].hidden, err);
		free(key);
	}
	return ret;
}

/* A name to go on with; NULL: no more, or err. */
static char *ask_name(const char *question, const char *preset, int *ret, struct err *err)
{
	json_t *answer = json_object();
	char *name = NULL;

	*ret = ask(answer, "name", question, preset, false, err);
	const char *given = *ret == ERR_OK ? setup_tree_get(answer, "name") : NULL;
	if (given != NULL)
		name = xstrdup(given);
	json_decref(answer);
	return name;
}

static int ask_backends(json_t *tree, struct err *err)
{
	static const struct question questions[] = {
		{ "host", "  host of its database", NULL, false },
		{ "port", "  port", "3306", false },
		{ "database", "  database", "coredns", false },
		{ "username", "  user", "zonefan", false },
		{ "password", "  password (not shown)", NULL, true },
		{ "ssl_ca", "  for TLS: file of the CA of its certificate (empty: no TLS)", "", false },
	};
	char *name;
	int ret;

	for (bool first = true; (name = ask_name(first ? "Name of the first data centre" : "Name of the next one (empty: no more)",
					 first ? "dc1" : "", &ret, err)) != NULL; first = false) {
		char *above = xasprintf("dns.backends.%s", name);

		ret = ask_all(tree, above, questions, ARRAY_SIZE(questions), err);
		free(above);
		free(name);
		if (ret != ERR_OK)
			return ret;
	}
	return ret;
}

static int ask_masters(json_t *tree, struct err *err)
{
	static const struct question questions[] = {
		{ "port", "  its port", "2222", false },
		{ "ssl", "  by HTTPS", "true", false },
		{ "username", "  admin login there", "admin", false },
		{ "password", "  its login key or password (not shown)", NULL, true },
	};
	char *name;
	int ret;

	for (int i = 1; (name = ask_name(i == 1 ? "Host name of a DirectAdmin master (empty: none is asked)" :
						 "Host name of the next one (empty: no more)", "", &ret, err)) != NULL; i++) {
		char *above = xasprintf("reconciliation.directadmin_servers.%d", i);
		char *key = xasprintf("%s.hostname", above);

		ret = setup_tree_set(tree, key, name, err);
		if (ret == ERR_OK)
			ret = ask_all(tree, above, questions, ARRAY_SIZE(questions), err);
		free(key);
		free(above);
		free(name);
		if (ret != ERR_OK)
			return ret;
	}
	return ret;
}

int setup_ask(json_t *tree, struct err *err)
{
	puts("An empty answer takes what stands in brackets.\n");
	int ret = ask_backends(tree, err);
	if (ret == ERR_OK)
		ret = ask_masters(tree, err);
	if (ret == ERR_OK)
		ret = ask(tree, "app.listen_port", "Port that DirectAdmin pushes to", "2222", false, err);
	if (ret == ERR_OK)
		ret = ask(tree, "datastore.db_location", "File of the store", "/var/lib/zonefan/zonefan.db", false, err);
	return ret;
}

bool setup_ask_yes(const char *question)
{
	char *line = put_question(question, "no", false);
	bool yes = line != NULL && (strcasecmp(line, "yes") == 0 || strcasecmp(line, "y") == 0);
	free(line);
	return yes;
}
