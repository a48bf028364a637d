/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int fail(int fd, struct err *err, const char *what, const char *address, unsigned port)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	return err_set(err, saved == EADDRINUSE ? ERR_BUSY : ERR_IO, "%s on %s port %u: %s%s", what,
		*address != '\0' ? address : "all addresses", port, strerror(saved),
		saved == EACCES && port < 1024 ? " (ports below 1024 are for root: a start as root takes it)" : "");
}

static uint16_t bound_port(int fd)
{
	struct sockaddr_storage address = { 0 };
	socklen_t size = sizeof(address);

	CHECK(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
	/* clang 14 does not follow the cast to what getsockname() filled. */
	if (address.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)&address)->sin6_port); /* NOLINT(clang-analyzer-core.CallAndMessage) */
	return ntohs(((struct sockaddr_in *)&address)->sin_port);     /* NOLINT(clang-analyzer-core.CallAndMessage) */
}

static int bind_to(const struct addrinfo *info, const char *address, uint16_t *port, int *out, struct err *err)
{
	int on = 1, off = 0, unsent = NET_UNSENT_MAX, silent = NET_SILENT_S;
	int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return fail(fd, err, "cannot make a socket", address, *port);
	/* Else a restart would wait for the connections of the process before. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* Accepted sockets have it from this one. */
	setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
	setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &silent, sizeof(silent));
	if (info->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, info->ai_addr, info->ai_addrlen) < 0)
		return fail(fd, err, "cannot listen", address, *port);
	*port = bound_port(fd);
	*out = fd;
	return 0;
}

int net_bind_tcp(const char *address, uint16_t *port, int *out, struct err *err)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	char service[8];
	int ret;

	snprintf(service, sizeof(service), "%u", (unsigned)*port);
	if (*address == '\0') {
		struct sockaddr_in6 any6 = { .sin6_family = AF_INET6, .sin6_port = htons(*port),
			.sin6_addr = IN6ADDR_ANY_INIT };
		struct addrinfo info = { .ai_family = AF_INET6, .ai_addr = (struct sockaddr *)&any6,
			.ai_addrlen = sizeof(any6) };

		if (bind_to(&info, address, port, out, err) == 0)
			return 0;
		if (errno == EADDRINUSE || errno == EACCES)
			return err->code;
		address = "0.0.0.0"; /* a host without IPv6 */
	}
	ret = getaddrinfo(address, service, &hints, &found);
	if (ret != 0)
		return err_set(err, ERR_IO, "cannot listen on %s port %s: %s", address, service, gai_strerror(ret));
	ret = bind_to(found, address, port, out, err);
	freeaddrinfo(found);
	return ret;
}

int net_listen_tcp(int fd, const char *address, uint16_t port, struct err *err)
{
	return listen(fd, NET_BACKLOG) < 0 ? fail(-1, err, "cannot listen", address, port) : 0;
}

static bool is_alive(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool alive = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;

	if (fd >= 0)
		close(fd);
	return alive;
}

int net_listen_unix(const char *path, int *out, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat st;
	mode_t old;
	int fd, ret;

	if (strlen(path) >= sizeof(address.sun_path))
		return err_set(err, ERR_IO, "control socket %s: the path is longer than %zu characters", path,
			sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path));
	if (lstat(path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode))
			return err_set(err, ERR_IO, "control socket %s: a file of another kind is there", path);
		if (is_alive(&address))
			return err_set(err, ERR_IO, "control socket %s: another process listens on it", path);
		unlink(path);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, ERR_IO, "control socket %s: %s", path, strerror(errno));
	old = umask(0117); /* the file must never be wider than 0660, not for a moment */
	ret = bind(fd, (struct sockaddr *)&address, sizeof(address));
	umask(old);
	if (ret < 0 || chmod(path, 0660) < 0 || listen(fd, NET_BACKLOG) < 0) {
		ret = err_set(err, ERR_IO, "control socket %s: %s", path, strerror(errno));
		close(fd);
		return ret;
	}
	*out = fd;
	return 0;
}

ssize_t net_discard(int fd)
{
	char dregs[NET_DISCARD_MAX];
	/* MSG_TRUNC: of TCP nothing is copied (tcp(7)). */
	ssize_t size = recv(fd, dregs, sizeof(dregs), MSG_DONTWAIT | MSG_TRUNC);

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return size > 0 ? size : -1;
}

void net_address_fill(const uint8_t bytes[CIDR_ADDRESS_SIZE], struct net_address *out)
{
	bool v4 = cidr_is_v4(bytes);

	*out = (struct net_address){ 0 };
	memcpy(out->bytes, bytes, sizeof(out->bytes));
	memcpy(out->key, bytes, v4 ? sizeof(out->key) : 8);
	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? bytes + 12 : bytes, out->text, sizeof(out->text));
}

bool net_peer(int fd, struct net_address *out)
{
	struct sockaddr_storage address = { 0 };
	socklen_t size = sizeof(address);
	const struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;
	const struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
	uint8_t bytes[CIDR_ADDRESS_SIZE] = { [10] = 0xff, [11] = 0xff };

	if (getpeername(fd, (struct sockaddr *)&address, &size) < 0)
		return false;
	if (address.ss_family == AF_UNIX) {
		*out = (struct net_address){ .text = "control" };
		return true;
	}
	if (address.ss_family == AF_INET)
		memcpy(bytes + 12, &v4->sin_addr, 4);
	else
		memcpy(bytes, &v6->sin6_addr, sizeof(bytes));
	net_address_fill(bytes, out);
	return true;
}
