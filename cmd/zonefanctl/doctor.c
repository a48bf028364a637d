/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "doctor.h"

#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/privilege.h"
#include "doctor_findings.h"
#include "exit.h"
#include "table.h"

extern char **environ;

static const char *const grades[] = { [DOCTOR_WELL] = "well", [DOCTOR_DOUBT] = "doubt", [DOCTOR_FAULT] = "fault" };

void doctor_tell(struct doctor *doctor, enum doctor_grade grade, const char *check, const char *subject, const char *text,
	const char *remedy)
{
	json_t *finding = json_pack("{s:s, s:s, s:o, s:o, s:o}", "grade", grades[grade], "check", check, "subject", text_json(subject),
		"text", text_json(text), "remedy", text_json(remedy));

	CHECK(finding != NULL);
	json_array_append_new(doctor->findings, finding);
	doctor->counts[grade]++;
}

/* ---- the configuration, without which nothing else can be looked at ---- */

static void tell_lines(struct doctor *doctor, const struct buf *notices, const char *path)
{
	static const char fault[] = "fault: ";
	char *copy = xstrdup(notices->size == 0 ? "" : notices->data);
	char *rest = copy;
	char *line;

	while ((line = strsep(&rest, "\n")) != NULL) {
		bool is_fault = strncmp(line, fault, strlen(fault)) == 0;

		if (*line != '\0')
			doctor_tell(doctor, is_fault ? DOCTOR_FAULT : DOCTOR_WELL, "configuration", path,
				is_fault ? line + strlen(fault) : line,
				is_fault ? "correct that line; zonefan.yml(5) and README.md name every key" : "");
	}
	free(copy);
}

static struct conf *examine_configuration(struct doctor *doctor, const char *path)
{
	static const char defaults[] = "the default places";
	struct buf notices = { 0 };
	struct conf *conf = NULL;
	struct err err;

	bool loads = conf_load(path, environ, &conf, &notices, &err) == ERR_OK;
	const char *subject = loads && conf->path != NULL ? conf->path : path == NULL ? defaults : path;
	if (loads)
		doctor_tell(doctor, DOCTOR_WELL, "configuration", subject, "it reads well", "");
	else
		doctor_tell(doctor, DOCTOR_FAULT, "configuration", subject, err.text,
			"correct that; zonefand --check prints all faults, zonefan.yml(5) and README.md name every key");
	tell_lines(doctor, &notices, subject);
	buf_free(&notices);
	return loads ? conf : NULL;
}

/* ---- all of it ---- */

static void examine_all(struct doctor *doctor)
{
	struct err err;

	if (wire_engine_create(doctor->conf, &doctor->wire, &err) != ERR_OK) {
		doctor_tell(doctor, DOCTOR_FAULT, "configuration", "dns.backends", err.text, "correct its type");
		return;
	}
	doctor->client = (struct client){ .socket_path = doctor->conf->control_socket };
	doctor_host(doctor);
	doctor_daemon(doctor);
	doctor_door(doctor);
	doctor_store(doctor);
	doctor_backends(doctor);
	doctor_masters(doctor);
	doctor_peers(doctor);
	wire_engine_clear(&doctor->wire);
}

/* app.user; or where zonefand is started as its user, the owner of the store's folder. The caller frees it. */
static char *find_user(const struct conf *conf)
{
	char *copy = xstrdup(conf->store_path);
	const struct passwd *owner = NULL;
	struct stat st;

	if (*conf->user == '\0' && stat(dirname(copy), &st) == 0 && st.st_uid != 0)
		owner = getpwuid(st.st_uid);
	free(copy);
	return xstrdup(owner == NULL ? conf->user : owner->pw_name);
}

static void examine(struct doctor *doctor, const char *path)
{
	struct conf *conf = examine_configuration(doctor, path);
	struct err err;

	if (conf == NULL)
		return;
	doctor->conf = conf;
	/* Files must be seen with the rights that zonefand has. */
	char *user = find_user(conf);
	if (geteuid() == 0 && privilege_become(user, &err) != ERR_OK)
		doctor_tell(doctor, DOCTOR_FAULT, "user", user, err.text,
			"make it: useradd --system --home-dir /var/lib/zonefan --shell /usr/sbin/nologin NAME; or correct app.user");
	else
		examine_all(doctor);
	free(user);
	conf_destroy(conf);
	doctor->conf = NULL;
}

/* ---- what came of it ---- */

static void show_finding(const json_t *finding)
{
	char *subject = cell_text(finding, "subject");
	char *text = cell_text(finding, "text");
	char *remedy = cell_text(finding, "remedy");

	printf("%-6s%-14s %s: %s\n", cell_text_at(finding, "grade"), cell_text_at(finding, "check"), subject, text);
	if (strcmp(remedy, "-") != 0)
		printf("%21s-> %s\n", "", remedy);
	free(subject);
	free(text);
	free(remedy);
}

void doctor_show(const json_t *findings)
{
	size_t index;
	json_t *finding;

	json_array_foreach(findings, index, finding)
		show_finding(finding);
}

static void show(const json_t *answer)
{
	doctor_show(json_object_get(answer, "findings"));
	printf("%" JSON_INTEGER_FORMAT " faults, %" JSON_INTEGER_FORMAT " doubts, %" JSON_INTEGER_FORMAT " things are well\n",
		cell_number_at(answer, "faults"), cell_number_at(answer, "doubts"), cell_number_at(answer, "well"));
}

int doctor_command(const struct call *call)
{
	struct doctor doctor = { .findings = json_array() };
	struct err err = { 0 };

	if (call_has(call, OPTION_URL)) {
		err_set(&err, ERR_INVALID, "doctor looks at this host: it needs --config, not --url");
		json_decref(doctor.findings);
		return commands_failed(&err);
	}
	examine(&doctor, call->options[OPTION_CONFIG]);
	json_t *answer = json_pack("{s:i, s:i, s:i, s:o}", "faults", doctor.counts[DOCTOR_FAULT], "doubts",
		doctor.counts[DOCTOR_DOUBT], "well", doctor.counts[DOCTOR_WELL], "findings", doctor.findings);
	int code = commands_finish(call, ERR_OK, &err, answer, show);
	return code != EXIT_WELL || doctor.counts[DOCTOR_FAULT] > 0 ? EXIT_FAILED :
		doctor.counts[DOCTOR_DOUBT] > 0 ? EXIT_BEHIND : EXIT_WELL;
}
