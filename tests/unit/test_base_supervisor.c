/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a supervisor hears, at a socket of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/supervisor.h"

struct listener {
	int socket;
	char name[64];
};

static struct listener *listen_at(struct listener *listener, const char *prefix)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(listener->name, sizeof(listener->name), "%s/zonefan-supervisor.%d", prefix, (int)getpid());
	memcpy(address.sun_path, listener->name, strlen(listener->name));
	if (*prefix == '@')
		address.sun_path[0] = '\0';
	listener->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(listener->socket >= 0);
	assert_int_equal(bind(listener->socket, (struct sockaddr *)&address,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(listener->name) + (*prefix != '@'))), 0);
	setenv("NOTIFY_SOCKET", listener->name, 1);
	return listener;
}

static void finish(struct listener *listener)
{
	supervisor_close();
	close(listener->socket);
	unlink(listener->name);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

/* The next message; "" if there is none. */
static const char *heard(const struct listener *listener)
{
	static char text[1024];
	ssize_t size = recv(listener->socket, text, sizeof(text) - 1, 0);

	text[size < 0 ? 0 : size] = '\0';
	return text;
}

static void from_start_to_end(const char *prefix)
{
	struct listener listener;

	supervisor_ready("too early"); /* nobody is to be told yet */
	listen_at(&listener, prefix);
	supervisor_open();
	supervisor_reloading();
	supervisor_reloaded("serves");
	assert_string_equal(heard(&listener), ""); /* it is not ready for having read a configuration */
	supervisor_ready("serves");
	supervisor_ready("serves");
	assert_string_equal(heard(&listener), "READY=1\nSTATUS=serves");
	assert_string_equal(heard(&listener), "");
	supervisor_status("a thread does not turn");
	assert_string_equal(heard(&listener), "STATUS=a thread does not turn");
	supervisor_reloading();
	assert_int_equal(strncmp(heard(&listener), "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
	supervisor_ready("serves");
	assert_string_equal(heard(&listener), "");
	supervisor_reloaded("serves");
	assert_string_equal(heard(&listener), "READY=1\nSTATUS=serves");
	supervisor_stopping();
	assert_string_equal(heard(&listener), "STOPPING=1\nSTATUS=stopping");
	supervisor_ready("serves");
	supervisor_reloading();
	supervisor_reloaded("serves");
	assert_string_equal(heard(&listener), "");
	finish(&listener);
	supervisor_stopping();
}

static void test_hears_from_start_to_end(void **state)
{
	(void)state;
	from_start_to_end("/tmp");
}

static void test_hears_at_an_abstract_name(void **state)
{
	(void)state;
	from_start_to_end("@");
}

static void test_signs_of_life_where_they_are_wanted(void **state)
{
	static const struct {
		const char *usec, *pid;
		const char *text;
	} rows[] = { { NULL, NULL, "" }, { "60000000", NULL, "WATCHDOG=1" }, { "60000000", "1", "" }, { "1000000", NULL, "WATCHDOG=1" } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct listener listener;

		if (rows[i].usec != NULL)
			setenv("WATCHDOG_USEC", rows[i].usec, 1);
		if (rows[i].pid != NULL)
			setenv("WATCHDOG_PID", rows[i].pid, 1);
		supervisor_open();
		supervisor_close(); /* without a socket there is nothing to be asked for */
		listen_at(&listener, "/tmp");
		supervisor_open();
		supervisor_beat();
		assert_string_equal(heard(&listener), rows[i].text);
		finish(&listener);
	}
}

/* Its queue is full: we go on, and what matters is told when there is room. */
static void test_never_waits_for_the_supervisor(void **state)
{
	struct listener listener;

	(void)state;
	listen_at(&listener, "/tmp");
	supervisor_open();
	for (int i = 0; i < 10000; i++)
		supervisor_status("busy");
	supervisor_ready("serves");
	int seen = 0;
	for (const char *text = heard(&listener); *text != '\0'; text = heard(&listener)) {
		assert_string_equal(text, "STATUS=busy");
		seen++;
	}
	assert_in_range(seen, 1, 9999);
	supervisor_ready("serves");
	assert_string_equal(heard(&listener), "READY=1\nSTATUS=serves");
	finish(&listener);
}

static void test_a_name_that_is_none(void **state)
{
	static const char *const names[] = { "", "/", "@", "relative", "vsock:2:1234" };
	char *longest = calloc(1, 200);

	(void)state;
	memset(longest, '/', 199);
	for (size_t i = 0; i <= sizeof(names) / sizeof(names[0]); i++) {
		setenv("NOTIFY_SOCKET", i < sizeof(names) / sizeof(names[0]) ? names[i] : longest, 1);
		supervisor_open();
		supervisor_ready("serves");
		supervisor_close();
	}
	unsetenv("NOTIFY_SOCKET");
	free(longest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hears_from_start_to_end),
		cmocka_unit_test(test_hears_at_an_abstract_name),
		cmocka_unit_test(test_signs_of_life_where_they_are_wanted),
		cmocka_unit_test(test_never_waits_for_the_supervisor),
		cmocka_unit_test(test_a_name_that_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
