/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the doctor knows and has found; and its examinations, one file each, which all only look. One thread; they block
 * within the time-outs of what they speak to.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "client.h"
#include "conf/conf.h"
#include "wire_engine.h"

enum doctor_grade {
	DOCTOR_WELL,
	DOCTOR_DOUBT, /* it works, and somebody should look at it */
	DOCTOR_FAULT
};

struct doctor {
	const struct conf *conf;
	struct wire_engine wire;
	struct client client;  /* the control socket */
	bool running;          /* zonefand answers there */
	json_t *findings;      /* [{grade, check, subject, text, remedy}] */
	unsigned counts[DOCTOR_FAULT + 1];
};

/* check: a word for what was looked at ("disk", "login"); subject: of what ("dc1", a path); remedy "" where none is needed. */
void doctor_tell(struct doctor *doctor, enum doctor_grade grade, const char *check, const char *subject, const char *text,
	const char *remedy);

/* For people. */
void doctor_show(const json_t *findings);

/* The user, files and their modes, room. */
void doctor_host(struct doctor *doctor);
/* Is zonefand up, and well by its own account? Sets running. */
void doctor_daemon(struct doctor *doctor);
/* The ports, the certificate, and the limit of open files. */
void doctor_door(struct doctor *doctor);
void doctor_store(struct doctor *doctor);
void doctor_backends(struct doctor *doctor);
/* Those that verify.dns names of that back end. zone: one that its database has; NULL: none is known. */
void doctor_names(struct doctor *doctor, const char *backend, const char *zone);
void doctor_masters(struct doctor *doctor);
void doctor_peers(struct doctor *doctor);
