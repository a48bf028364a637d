/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "doctor_findings.h"
#include "http/tls.h"
#include "wire_files.h"

enum { DAY_S = 24 * 3600, CERTIFICATE_S = 14 * DAY_S /* left */ };

/* ---- the port ---- */

/* Takes the address as a server does, or calls it as a client does. 0 or an errno. */
static int try_address(const char *address, uint16_t port, bool as_server)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | (as_server ? AI_PASSIVE : 0) };
	struct addrinfo *found = NULL;
	const int yes = 1;
	char service[8];
	int ret = EADDRNOTAVAIL;

	snprintf(service, sizeof(service), "%u", port);
	if (getaddrinfo(address[0] == '\0' ? (as_server ? NULL : "localhost") : address, service, &hints, &found) != 0)
		return ret;
	for (const struct addrinfo *at = found; at != NULL && ret != 0; at = at->ai_next) {
		int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd < 0)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
		ret = (as_server ? bind(fd, at->ai_addr, at->ai_addrlen) : connect(fd, at->ai_addr, at->ai_addrlen)) == 0 ? 0 : errno;
		if (as_server && ret == 0 && listen(fd, 1) != 0)
			ret = errno;
		close(fd);
		if (as_server && ret == EADDRINUSE)
			break;
	}
	freeaddrinfo(found);
	return ret;
}

static const char *remedy_of(int number)
{
	switch (number) {
	case EADDRINUSE:
		return "ss -ltnp shows which process has it: end that one (the predecessor?), or set app.listen_port";
	case EACCES:
		return "only root may have that port: it is well where root starts zonefand with app.user, or its unit gives CAP_NET_BIND_SERVICE";
	case EADDRNOTAVAIL:
		return "app.listen_address must be an address of this host; \"\" is all of them";
	default:
		return "see the log of zonefand, and whether a firewall of this host stands between";
	}
}

static void examine_port(struct doctor *doctor, const char *address, uint16_t port)
{
	char subject[128], text[256];

	snprintf(subject, sizeof(subject), "%s port %u", address[0] == '\0' ? "all addresses," : address, port);
	int number = try_address(address, port, !doctor->running);
	if (number == 0) {
		doctor_tell(doctor, DOCTOR_WELL, "port", subject, doctor->running ? "zonefand listens there" : "it is free", "");
		return;
	}
	/* zonefand binds before it gives up root's rights, or has some from its unit; the doctor has neither. */
	bool unknown = number == EACCES && !doctor->running;
	const char *what = unknown ? "whether zonefand can listen there can't be told from here" :
		doctor->running ? "zonefand runs, and nobody answers there" : "zonefand can't listen there";
	snprintf(text, sizeof(text), "%s: %s", what, strerror(number));
	doctor_tell(doctor, unknown ? DOCTOR_DOUBT : DOCTOR_FAULT, "port", subject, text, remedy_of(number));
}

static void examine_ports(struct doctor *doctor)
{
	const struct conf *conf = doctor->conf;

	examine_port(doctor, conf->listen_address, conf->listen_port);
	for (size_t i = 0; i < conf->listener_count; i++)
		examine_port(doctor, conf->listeners[i].address, conf->listeners[i].port);
}

/* ---- the certificate ---- */

static bool speaks_tls(const struct conf *conf)
{
	bool tls = conf->ssl_enable;

	for (size_t i = 0; i < conf->listener_count; i++)
		tls = tls || conf->listeners[i].ssl;
	return tls;
}

static void tell_end(struct doctor *doctor, const struct tls *tls)
{
	int64_t left_s = (tls_expires_us(tls) - clock_wall_us(clock_system())) / 1000000;
	char text[64];

	snprintf(text, sizeof(text), left_s < 0 ? "it expired %" PRId64 " days ago" : "it is valid for %" PRId64 " days more",
		(left_s < 0 ? -left_s : left_s) / DAY_S);
	doctor_tell(doctor, left_s < 0 ? DOCTOR_FAULT : left_s < CERTIFICATE_S ? DOCTOR_DOUBT : DOCTOR_WELL, "certificate",
		doctor->conf->ssl_cert, text,
		left_s < CERTIFICATE_S ? "renew it; zonefanctl reload takes the new one, and no request is lost" : "");
}

static void examine_certificate(struct doctor *doctor)
{
	const struct conf *conf = doctor->conf;
	const struct tls_files files = { .cert = conf->ssl_cert, .key = conf->ssl_key, .bundle = conf->ssl_bundle };
	struct tls *tls;
	struct err err;

	if (!speaks_tls(conf))
		return;
	if (tls_load(&files, &tls, &err) == ERR_OK) {
		tell_end(doctor, tls);
		tls_free(tls);
		return;
	}
	/* Root reads it at the start, and after a step down nobody does. */
	doctor_tell(doctor, err.code == ERR_DENIED ? DOCTOR_DOUBT : DOCTOR_FAULT, "certificate", conf->ssl_cert, err.text,
		err.code == ERR_DENIED ? "let zonefand's user read it: else a new one needs a restart, by root" :
					 "app.ssl_cert and app.ssl_key must be a certificate and its own key, PEM, without a passphrase");
}

/* ---- the limit of open files ---- */

/* Of whoever listens at the control socket; 0: nobody, or it can't be told. */
static pid_t find_process(const char *socket_path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct ucred peer = { 0 };
	socklen_t size = sizeof(peer);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
		peer.pid = 0;
	if (fd >= 0)
		close(fd);
	return peer.pid;
}

static uint64_t limit_of(pid_t pid)
{
	static const char title[] = "Max open files";
	char path[64], line[256];
	uint64_t soft = 0;

	snprintf(path, sizeof(path), "/proc/%d/limits", (int)pid);
	FILE *file = fopen(path, "re");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, title, strlen(title)) == 0)
			soft = strtoull(line + strlen(title), NULL, 10);
	}
	if (file != NULL)
		fclose(file);
	return soft;
}

static void examine_limit(struct doctor *doctor)
{
	uint64_t wanted = (uint64_t)doctor->conf->max_connections + wire_count_files(doctor->conf);
	struct rlimit own = { 0 };
	uint64_t limit = doctor->running ? limit_of(find_process(doctor->conf->control_socket)) : 0;
	char text[128];

	/* Started from here it would have this process's, the hard one. */
	if (limit == 0 && !doctor->running && getrlimit(RLIMIT_NOFILE, &own) == 0)
		limit = own.rlim_max;
	if (limit == 0)
		return;
	snprintf(text, sizeof(text), "%" PRIu64 " are allowed, up to %" PRIu64 " are wanted", limit, wanted);
	doctor_tell(doctor, limit < wanted ? DOCTOR_DOUBT : DOCTOR_WELL, "limits", "open files", text,
		limit < wanted ? "LimitNOFILE= in the unit, or ulimit -Hn: else fewer connections are taken than app.max_connections" : "");
}

void doctor_door(struct doctor *doctor)
{
	examine_ports(doctor);
	examine_certificate(doctor);
	examine_limit(doctor);
}
