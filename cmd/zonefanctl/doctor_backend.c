/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "doctor_findings.h"
#include "zone/rows.h"

enum { SHOWN = 3 };

/* We write no stamps, and whose they are does not matter here. */
static const char nobody[BACKEND_STORE_ID_SIZE] = "00000000000000000000000000000000";

/* One back end under examination. */
struct patient {
	struct doctor *doctor;
	const char *name;
	struct backend *backend;
	bool ill;
	char *names[BACKEND_READ_MOST]; /* to be read next */
	size_t count;
	uint64_t foreign;               /* zones that zonefan did not write */
	uint64_t odd;                   /* of them: no whole zone can be made of their rows */
	struct buf reasons;
	char *sample;                   /* a zone of ours there; NULL: none was seen */
};

static void take_finding(void *ctx, const struct backend_finding *finding)
{
	struct patient *patient = ctx;
	enum doctor_grade grade = finding->health == BACKEND_ILL ? DOCTOR_FAULT :
		finding->health == BACKEND_DOUBT ? DOCTOR_DOUBT : DOCTOR_WELL;

	patient->ill = patient->ill || grade == DOCTOR_FAULT;
	doctor_tell(patient->doctor, grade, finding->about, patient->name, finding->text, finding->remedy);
}

/* ---- zones that somebody else wrote: nobody but the doctor looks at them ---- */

static void judge_rows(struct patient *patient, const struct backend_rows *rows)
{
	struct zone *zone;
	struct err err;

	if (!rows->exists || rows->cut)
		return;
	patient->foreign++;
	if (rows_make_zone(rows->name, rows->rows, (size_t)rows->count, patient->doctor->conf->max_zone_records, &zone, &err) == ERR_OK)
		zone_unref(zone);
	else if (++patient->odd <= SHOWN)
		buf_printf(&patient->reasons, "%s%s: %s", patient->odd == 1 ? "" : "; ", rows->name, err.text);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All that were gathered. False: the database is gone. */
static bool read_gathered(struct patient *patient)
{
	struct backend_rows *rows = xcalloc(BACKEND_READ_MOST, sizeof(*rows));
	bool good = true;
	struct err err;

	qsort(patient->names, patient->count, sizeof(patient->names[0]), compare_names);
	for (size_t at = 0; good && at < patient->count;) {
		struct backend_read read = { .zones = rows, .count = patient->count - at };

		for (size_t i = 0; i < read.count; i++)
			rows[i] = (struct backend_rows){ .name = patient->names[at + i] };
		good = patient->backend->ops->read(patient->backend, &read, &err) == BACKEND_OK;
		for (size_t i = 0; good && i < read.done; i++)
			judge_rows(patient, &rows[i]);
		at += good ? read.done : 0;
		backend_read_free(&read);
	}
	for (size_t i = 0; i < patient->count; i++)
		free(patient->names[i]);
	patient->count = 0;
	free(rows);
	return good;
}

static bool is_canonical(const char *name)
{
	char canonical[ZONE_NAME_SIZE];

	return zone_name_parse(name, strlen(name), canonical, NULL) == ERR_OK && strcmp(canonical, name) == 0;
}

static bool read_foreign(struct patient *patient)
{
	struct backend_list list = { .most = BACKEND_LIST_MOST };
	bool good = true;
	struct err err;

	do {
		good = patient->backend->ops->list(patient->backend, &list, &err) == BACKEND_OK;
		for (size_t i = 0; good && i < list.count; i++) {
			bool ours = list.names[i].stamp.store_id[0] != '\0';

			if (ours && patient->sample == NULL && !list.names[i].deleted)
				patient->sample = xstrdup(list.names[i].name);
			if (ours || !is_canonical(list.names[i].name))
				continue;
			patient->names[patient->count++] = xstrdup(list.names[i].name);
			if (patient->count == BACKEND_READ_MOST)
				good = read_gathered(patient);
		}
		list.after = good ? list.next : 0;
		backend_list_free(&list);
	} while (list.after != 0);
	return read_gathered(patient) && good;
}

static void examine_foreign(struct patient *patient)
{
	struct buf text = { 0 };

	if (!read_foreign(patient) || patient->foreign == 0)
		return; /* a database that is lost meanwhile: the next call tells */
	buf_printf(&text, "%llu zones there are not zonefan's", (unsigned long long)patient->foreign);
	if (patient->odd > 0)
		buf_printf(&text, "; %llu of them are no whole zones: %s", (unsigned long long)patient->odd, patient->reasons.data);
	doctor_tell(patient->doctor, patient->odd > 0 ? DOCTOR_DOUBT : DOCTOR_WELL, "foreign", patient->name, text.data,
		patient->odd > 0 ? "zonefanctl import backend NAME --dry-run lists all of them; name servers answer SERVFAIL for such rows" : "");
	buf_free(&text);
}

/* ---- one after the other ---- */

static void examine_backend(struct doctor *doctor, const struct engine_backend *from)
{
	struct backend_params params = { .name = from->name, .store_id = nobody, .settings = from->settings };
	struct patient *patient = xcalloc(1, sizeof(*patient));
	struct err err;

	*patient = (struct patient){ .doctor = doctor, .name = from->name };
	if (from->ops->create(&params, &patient->backend, &err) == ERR_OK) {
		from->ops->examine(patient->backend, take_finding, patient);
		if (!patient->ill)
			examine_foreign(patient);
		from->ops->destroy(patient->backend);
	} else {
		doctor_tell(doctor, DOCTOR_FAULT, "configuration", from->name, err.text, "correct that key of dns.backends");
	}
	doctor_names(doctor, from->name, patient->sample);
	buf_free(&patient->reasons);
	free(patient->sample);
	free(patient);
}

void doctor_backends(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->wire.params.backend_count; i++)
		examine_backend(doctor, &doctor->wire.params.backends[i]);
}
