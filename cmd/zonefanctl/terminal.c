/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

enum { USUAL_COLUMNS = 80, USUAL_ROWS = 24 };

static struct termios before;
static volatile sig_atomic_t ended, resized;

struct terminal_size terminal_size(int fd)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
		return (struct terminal_size){ USUAL_COLUMNS, USUAL_ROWS };
	return (struct terminal_size){ size.ws_col, size.ws_row };
}

static void take_signal(int signal)
{
	if (signal == SIGWINCH)
		resized = 1;
	else
		ended = 1;
}

static void set_signals(void (*handler)(int))
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH };
	/* Without SA_RESTART: they end a wait. */
	const struct sigaction action = { .sa_handler = handler };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, NULL);
}

int terminal_enter(struct err *err)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &before) != 0)
		return err_set(err, ERR_INVALID, "this is no terminal: --once prints a single view");
	raw = before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VSUSP] = _POSIX_VDISABLE; /* a shell would be left with a screen of ours */
	set_signals(take_signal);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	fputs("\x1b[?1049h\x1b[?25l", stdout); /* the other screen, without a cursor */
	return ERR_OK;
}

void terminal_leave(void)
{
	fputs("\x1b[?25h\x1b[?1049l", stdout);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
	set_signals(SIG_DFL);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Whether a key that was pressed means to leave; so does a terminal that is gone. */
static bool is_end(short revents)
{
	char key;

	if ((revents & POLLIN) == 0)
		return (revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
	return read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q';
}

enum terminal_key terminal_wait(int timeout_ms)
{
	int64_t until = now_ms() + timeout_ms;
	int64_t left = timeout_ms;

	while (!ended && !resized && left > 0) {
		struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };

		if (poll(&input, 1, (int)left) > 0 && is_end(input.revents))
			return TERMINAL_QUIT;
		left = until - now_ms();
	}
	if (ended)
		return TERMINAL_QUIT;
	if (!resized)
		return TERMINAL_NOTHING;
	resized = 0;
	return TERMINAL_RESIZED;
}

/* How many bytes from text on take one column, or none. */
static size_t step(const char *text, size_t left, bool *takes_room)
{
	size_t size = 1;

	*takes_room = text[0] != '\x1b';
	if (!*takes_room) {
		while (size < left && text[size - 1] != 'm')
			size++;
	} else {
		while (size < left && ((unsigned char)text[size] & 0xc0) == 0x80) /* the rest of a UTF-8 character */
			size++;
	}
	return size;
}

static void put_line(struct buf *screen, const char *line, size_t size, size_t columns)
{
	/* Before the text: behind a full line it would take the last character away. */
	buf_puts(screen, "\x1b[K");
	for (size_t at = 0, width = 0; at < size;) {
		bool takes_room;
		size_t part = step(line + at, size - at, &takes_room);

		width += takes_room;
		if (!takes_room || width <= columns)
			buf_append(screen, line + at, part);
		at += part;
	}
}

void terminal_draw(const char *text)
{
	struct terminal_size size = terminal_size(STDOUT_FILENO);
	struct buf screen = { 0 };
	size_t row = 0;

	/* What is between these two is shown at once, by terminals that know them. */
	buf_puts(&screen, "\x1b[?2026h\x1b[H");
	for (; row < size.rows && *text != '\0'; row++) {
		size_t length = strcspn(text, "\n");

		buf_puts(&screen, row == 0 ? "" : "\r\n");
		put_line(&screen, text, length, size.columns);
		text += length + (text[length] == '\n');
	}
	buf_puts(&screen, row < size.rows ? "\r\n\x1b[J\x1b[?2026l" : "\x1b[?2026l");
	fwrite(screen.data, 1, screen.size, stdout);
	fflush(stdout);
	buf_free(&screen);
}
