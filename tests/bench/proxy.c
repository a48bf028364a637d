/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Distance for one database: a relay (relay.h) between two loopback ports.
 *
 * bench_proxy LISTEN_PORT TARGET_PORT DELAY_MS_EACH_WAY
 *
 * Says "ready" on stdout once it listens. Then takes commands on stdin, a line
 * each, and answers each with a line: "stats" with JSON (see relay_print),
 * "reset" (counters), "swallow" and "pass" with "ok". Ends with stdin.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "relay.h"

static bool read_port(const char *text, uint16_t *out)
{
	unsigned long number = strtoul(text, NULL, 10);

	*out = (uint16_t)number;
	return number >= 1 && number <= 65535;
}

static void obey(struct relay *relay, const char *command)
{
	if (strcmp(command, "stats") == 0) {
		relay_print(relay, stdout);
		return;
	}
	if (strcmp(command, "reset") == 0)
		relay_reset(relay);
	else if (strcmp(command, "swallow") == 0)
		relay_swallow(relay, true);
	else if (strcmp(command, "pass") == 0)
		relay_swallow(relay, false);
	else
		fprintf(stderr, "bench_proxy: not a command: %s\n", command);
	puts("ok");
	fflush(stdout);
}

/* Carries out the lines that are complete. False: stdin has ended. */
static bool take_commands(struct relay *relay, struct buf *input)
{
	char text[256];
	ssize_t got = read(STDIN_FILENO, text, sizeof(text));
	char *end;

	if (got <= 0)
		return false;
	buf_append(input, text, (size_t)got);
	while ((end = memchr(input->data, '\n', input->size)) != NULL) {
		size_t length = (size_t)(end - input->data) + 1;

		*end = '\0';
		obey(relay, input->data);
		memmove(input->data, input->data + length, input->size - length);
		input->size -= length;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct relay *relay;
	struct buf input = { 0 };
	struct err err = { 0 };
	uint16_t listen_port, target_port;

	if (argc != 4 || !read_port(argv[1], &listen_port) || !read_port(argv[2], &target_port)) {
		fprintf(stderr, "usage: bench_proxy LISTEN_PORT TARGET_PORT DELAY_MS_EACH_WAY\n");
		return 2;
	}
	/* The kernel may be 50 us late with timers unless it is told otherwise. */
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	if (relay_create(listen_port, target_port, (int64_t)(strtod(argv[3], NULL) * 1e6), &relay, &err) != 0) {
		fprintf(stderr, "bench_proxy: %s\n", err.text);
		return 1;
	}
	puts("ready");
	fflush(stdout);
	while (relay_turn(relay, STDIN_FILENO) || take_commands(relay, &input))
		;
	relay_destroy(relay);
	buf_free(&input);
	return 0;
}
