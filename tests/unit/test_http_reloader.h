/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A server (test_http_client.h) that is reloaded: http_reload in its loop's thread, asked for by the test's. Included behind that file. */
#pragma once

struct reloader {
	struct served served;
	struct event *event;
	int ask[2];           /* a pipe: one byte, one reload */
	const struct http_params *params;
	struct err err;
	int ret;
	bool done;
};

static void on_reload_asked(evutil_socket_t fd, short what UNUSED, void *arg)
{
	struct reloader *reloader = arg;
	char byte;

	assert_int_equal(read(fd, &byte, 1), 1);
	reloader->ret = http_reload(reloader->served.http, reloader->params, &reloader->err);
	__atomic_store_n(&reloader->done, true, __ATOMIC_RELEASE);
}

static struct reloader *reloader_start(struct http_params params)
{
	struct reloader *reloader = xcalloc(1, sizeof(*reloader));

	serve_create(&reloader->served, params);
	assert_int_equal(pipe(reloader->ask), 0);
	reloader->event = event_new(reloader->served.http->base, reloader->ask[0], EV_READ | EV_PERSIST, on_reload_asked,
		reloader);
	event_add(reloader->event, NULL);
	serve_begin(&reloader->served);
	fake_post(reloader->served.fake, fake_message(ENGINE_NAMES_LOADED));
	return reloader;
}

static int reloader_reload(struct reloader *reloader, const struct http_params *params)
{
	reloader->params = params;
	reloader->done = false;
	assert_int_equal(write(reloader->ask[1], "r", 1), 1);
	wait_until(__atomic_load_n(&reloader->done, __ATOMIC_ACQUIRE));
	return reloader->ret;
}

static void reloader_stop(struct reloader *reloader)
{
	int ask[2] = { reloader->ask[0], reloader->ask[1] };

	pthread_kill(reloader->served.thread, SIGTERM);
	thread_join(reloader->served.thread);
	assert_int_equal(reloader->served.ret, 0);
	event_free(reloader->event);
	http_destroy(reloader->served.http);
	fake_destroy(reloader->served.fake);
	free(reloader);
	close(ask[0]);
	close(ask[1]);
}
