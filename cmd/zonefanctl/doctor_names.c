/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "doctor_names.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/resolve.h"
#include "dns/dns.h"
#include "doctor_findings.h"

enum { RESOLVE_MS = 3000 };

static bool go_on(UNUSED void *ctx)
{
	return true;
}

/* The text stands beside the host: "host HOST: " before it would tell that twice. */
static void leave_out_host(const char *host, struct err *err)
{
	char *lead = xasprintf("host %s: ", host);
	size_t size = strlen(lead);

	if (strncmp(err->text, lead, size) == 0)
		memmove(err->text, err->text + size, strlen(err->text + size) + 1);
	free(lead);
}

/* The first address that answers: a public plugin is not asked twice at once (decisions.md 27). */
static int ask(const char *host, uint16_t port, const struct dns_question *question, struct dns_answer *answer, struct err *err)
{
	char addresses[RESOLVE_MOST][NI_MAXHOST];
	size_t count = 0;
	int ret = resolve_host(host, clock_mono_ms(clock_system()) + RESOLVE_MS, -1, addresses, &count, err);

	if (ret != ERR_OK)
		leave_out_host(host, err);
	for (size_t i = 0; i < count && (i == 0 || ret == ERR_TIMEOUT); i++) {
		const struct dns_server server = { .address = addresses[i], .port = port, .tick = go_on };

		ret = dns_ask(&server, question, answer, err);
	}
	return ret;
}

enum doctor_name doctor_ask_name(const char *host, uint16_t port, const char *zone, uint32_t *serial, struct err *err)
{
	const struct dns_question question = { .name = zone, .type = DNS_TYPE_SOA };
	struct dns_answer answer = { 0 };

	if (ask(host, port, &question, &answer, err) != ERR_OK)
		return DOCTOR_NAME_SILENT;
	bool served = answer.rcode == DNS_RCODE_NOERROR && dns_answer_serial(&answer, serial);
	if (!served)
		err_set(err, ERR_NOTFOUND, "it answers, but does not have %s (code %u)", zone, answer.rcode);
	dns_answer_clear(&answer);
	return served ? DOCTOR_NAME_SERVED : DOCTOR_NAME_REFUSED;
}

/* "HOST:PORT" or "[IPV6]:PORT"; zone NULL: none is known that it should have. */
static void examine_server(struct doctor *doctor, const char *server, const char *zone)
{
	const char *colon = strrchr(server, ':');
	size_t bracket = server[0] == '[' ? 1 : 0;
	char *host = xmemdup(server + bracket, (size_t)(colon - server) - 2 * bracket);
	char text[ERR_TEXT_SIZE];
	uint32_t serial;
	struct err err;

	switch (doctor_ask_name(host, (uint16_t)strtoul(colon + 1, NULL, 10), zone == NULL ? "." : zone, &serial, &err)) {
	case DOCTOR_NAME_SILENT:
		doctor_tell(doctor, DOCTOR_FAULT, "names", server, err.text,
			"see whether that name server runs and listens there, by UDP and TCP, and whether a firewall stands between");
		break;
	case DOCTOR_NAME_REFUSED:
		doctor_tell(doctor, zone == NULL ? DOCTOR_WELL : DOCTOR_DOUBT, "names", server, zone == NULL ? "it answers" : err.text,
			zone == NULL ? "" : "its database has that zone: see whether its Corefile names that database, and what its log says; the public "
					    "plugin sees a new zone only after its refresh");
		break;
	case DOCTOR_NAME_SERVED:
		snprintf(text, sizeof(text), "it answers for %s, serial %" PRIu32, zone == NULL ? "." : zone, serial);
		doctor_tell(doctor, DOCTOR_WELL, "names", server, text, "");
	}
	free(host);
}

void doctor_names(struct doctor *doctor, const char *backend, const char *zone)
{
	for (size_t i = 0; i < doctor->conf->backend_count; i++) {
		const struct conf_backend *from = &doctor->conf->backends[i];

		for (unsigned k = 0; k < from->verify_dns_count && strcmp(from->name, backend) == 0; k++)
			examine_server(doctor, from->verify_dns[k], zone);
	}
}
