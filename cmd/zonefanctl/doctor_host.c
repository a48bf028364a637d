/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "doctor_findings.h"
#include "store/store.h"

enum { MIB = 1 << 20, LEAST_MIB = 64, FEW_MIB = 512, FEW_FILES = 1000 };

/* ---- the user, and what he may ---- */

static void examine_user(struct doctor *doctor)
{
	struct stat st;

	if (geteuid() == 0)
		doctor_tell(doctor, DOCTOR_DOUBT, "user", "root", "zonefand, started by root, stays root",
			"name a system user in app.user, whose the store's folder must be; or let the unit start it as one");
	else if (stat(doctor->conf->store_path, &st) == 0 && st.st_uid != geteuid())
		doctor_tell(doctor, DOCTOR_DOUBT, "user", "doctor",
			"this is not the user that zonefand runs as: what this one may not see says little", "run it as root, or as that user");
}

static const char *remedy_of(enum err_code code)
{
	switch (code) {
	case ERR_NOTFOUND:
		return "make it, for zonefand's user: install -d -o USER -m 0700 FOLDER; or correct the path";
	case ERR_DENIED:
		return "give it to zonefand's user (chown, chmod); in a systemd unit also ReadWritePaths= or StateDirectory=";
	default:
		return "correct the path";
	}
}

static void examine_files(struct doctor *doctor)
{
	struct err err;

	if (conf_check_host(doctor->conf, &err) == ERR_OK)
		doctor_tell(doctor, DOCTOR_WELL, "files", "folders and certificates", "they are there, and zonefand's user may use them", "");
	else
		doctor_tell(doctor, DOCTOR_FAULT, "files", "folders and certificates", err.text, remedy_of(err.code));
}

/* ---- secrets ---- */

static void examine_mode(struct doctor *doctor, const char *path)
{
	struct stat st;

	if (*path != '\0' && stat(path, &st) == 0 && (st.st_mode & S_IROTH) != 0)
		doctor_tell(doctor, DOCTOR_DOUBT, "secrets", path, "everyone on this host can read it", "chmod o= FILE");
}

/* Who runs this has read it already, maybe as root. */
static void examine_password(struct doctor *doctor, const char *path)
{
	if (path == NULL || *path == '\0')
		return;
	if (eaccess(path, R_OK) != 0 && errno == EACCES)
		doctor_tell(doctor, DOCTOR_FAULT, "secrets", path, "zonefand's user can't read it: no start as that user, and no reload, succeeds",
			"give it to that user, or to his group: chgrp zonefan FILE; chmod 640 FILE");
	else
		examine_mode(doctor, path);
}

static void examine_secrets(struct doctor *doctor)
{
	const struct conf *conf = doctor->conf;

	if (conf->path != NULL)
		examine_mode(doctor, conf->path);
	examine_password(doctor, conf->auth_password_file);
	examine_mode(doctor, conf->ssl_key);
	examine_password(doctor, conf->peer_auth_password_file);
	examine_password(doctor, conf->notify_password_file);
	for (size_t i = 0; i < conf->backend_count; i++) {
		examine_password(doctor, conf->backends[i].password_file);
		examine_mode(doctor, conf->backends[i].ssl_key);
	}
	for (size_t i = 0; i < conf->user_count; i++)
		examine_password(doctor, conf->users[i].password_file);
	for (size_t i = 0; i < conf->master_count; i++)
		examine_password(doctor, conf->masters[i].password_file);
	for (size_t i = 0; i < conf->peer_count; i++)
		examine_password(doctor, conf->peers[i].password_file);
}

/* ---- room ---- */

static void examine_disk(struct doctor *doctor)
{
	char *copy = xstrdup(doctor->conf->store_path);
	const char *folder = dirname(copy);
	struct statvfs disk;
	char text[128];

	if (statvfs(folder, &disk) == 0) {
		uint64_t free_mib = (uint64_t)disk.f_bavail * disk.f_frsize / MIB;
		bool few_files = disk.f_files > 0 && disk.f_favail < FEW_FILES;
		enum doctor_grade grade = free_mib < LEAST_MIB ? DOCTOR_FAULT :
			free_mib < FEW_MIB || few_files ? DOCTOR_DOUBT : DOCTOR_WELL;

		snprintf(text, sizeof(text), "%llu MiB are free%s", (unsigned long long)free_mib,
			few_files ? ", and hardly any inode" : "");
		doctor_tell(doctor, grade, "disk", folder, text,
			grade == DOCTOR_WELL ? "" : "make room: on a full disk no push is taken (error=1), and DirectAdmin does not repeat it");
	}
	free(copy);
}

void doctor_host(struct doctor *doctor)
{
	examine_user(doctor);
	examine_files(doctor);
	examine_secrets(doctor);
	examine_disk(doctor);
}

/* ---- the store, while nobody else can tell ---- */

static void tell_damage(struct doctor *doctor, const struct err *err)
{
	const char *remedy = err->code == ERR_VERSION ? "install the newer release again, or restore the copy that it made (.bak)" :
		err->code == ERR_DENIED ? "move it to a local disk, readable for zonefand's user" :
		err->code == ERR_CORRUPT ? "put the newest backup in its place, without the -wal and -shm of this one (zonefanctl backup --help); reconcile then fetches what is missing" :
					   "look at the disk (dmesg)";

	doctor_tell(doctor, DOCTOR_FAULT, "store", doctor->conf->store_path, err->text, remedy);
}

void doctor_store(struct doctor *doctor)
{
	const char *path = doctor->conf->store_path;
	struct err err;

	if (doctor->running)
		return; /* it has told */
	switch (store_examine(path, true, &err)) {
	case ERR_OK:
		doctor_tell(doctor, DOCTOR_WELL, "store", path, "its structure is whole", "");
		break;
	case ERR_NOTFOUND:
		doctor_tell(doctor, DOCTOR_WELL, "store", path, "not there yet: the first start makes it", "");
		break;
	case ERR_FOREIGN:
		doctor_tell(doctor, DOCTOR_WELL, "store", path, "the predecessor's database: the store is made beside it", "");
		break;
	default:
		tell_damage(doctor, &err);
	}
}
