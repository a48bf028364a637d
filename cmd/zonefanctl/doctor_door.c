/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "doctor_findings.h"
#include "wire_files.h"

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
		return "ports below 1024 are root's: let root start it with app.user, or give the unit CAP_NET_BIND_SERVICE";
	case EADDRNOTAVAIL:
		return "app.listen_address must be an address of this host; \"\" is all of them";
	default:
		return "see the log of zonefand, and whether a firewall of this host stands between";
	}
}

static void examine_port(struct doctor *doctor)
{
	const struct conf *conf = doctor->conf;
	char subject[128], text[256];

	snprintf(subject, sizeof(subject), "%s port %u", conf->listen_address[0] == '\0' ? "all addresses," : conf->listen_address,
		conf->listen_port);
	int number = try_address(conf->listen_address, conf->listen_port, !doctor->running);
	if (number == 0) {
		doctor_tell(doctor, DOCTOR_WELL, "port", subject, doctor->running ? "zonefand listens there" : "it is free", "");
		return;
	}
	snprintf(text, sizeof(text), "%s: %s", doctor->running ? "zonefand runs, and nobody answers there" : "zonefand can't listen there",
		strerror(number));
	doctor_tell(doctor, DOCTOR_FAULT, "port", subject, text, remedy_of(number));
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
			(void)sscanf(line + strlen(title), "%" SCNu64, &soft);
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
	examine_port(doctor);
	examine_limit(doctor);
}
