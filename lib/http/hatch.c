/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Other settings that another thread brings: the loop is told by an eventfd,
 * puts them in force (reload.c), and says what came of it. And the signal that
 * has that thread look for some.
 */
#include "http/internal.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"

static void lock(struct http_hatch *hatch)
{
	CHECK(pthread_mutex_lock(&hatch->lock) == 0);
}

static void unlock(struct http_hatch *hatch)
{
	pthread_mutex_unlock(&hatch->lock);
}

/* Under the lock: whoever brought them waits, and so they stay. */
static void take(struct http *http)
{
	struct http_hatch *hatch = &http->hatch;

	if (hatch->params == NULL)
		return;
	hatch->err = (struct err){ 0 };
	hatch->err.code = (enum err_code)http_reload(http, hatch->params, &hatch->err);
	hatch->params = NULL;
	pthread_cond_signal(&hatch->done);
}

static void on_hatch(evutil_socket_t fd, short what UNUSED, void *arg)
{
	struct http *http = arg;
	uint64_t count;

	if (read(fd, &count, sizeof(count)) != sizeof(count))
		return;
	lock(&http->hatch);
	take(http);
	unlock(&http->hatch);
}

void hatch_create(struct http *http)
{
	struct http_hatch *hatch = &http->hatch;

	CHECK(pthread_mutex_init(&hatch->lock, NULL) == 0 && pthread_cond_init(&hatch->done, NULL) == 0);
	hatch->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	CHECK(hatch->fd >= 0);
	hatch->event = event_new(http->base, hatch->fd, EV_READ | EV_PERSIST, on_hatch, http);
	CHECK(hatch->event != NULL);
}

void hatch_open(struct http *http)
{
	event_add(http->hatch.event, NULL);
	lock(&http->hatch);
	http->hatch.open = true;
	unlock(&http->hatch);
}

void hatch_close(struct http *http)
{
	struct http_hatch *hatch = &http->hatch;

	event_del(hatch->event);
	lock(hatch);
	hatch->open = false;
	if (hatch->params != NULL)
		err_set(&hatch->err, ERR_CLOSED, "zonefand stops");
	hatch->params = NULL;
	pthread_cond_signal(&hatch->done);
	unlock(hatch);
}

void hatch_free(struct http *http)
{
	struct http_hatch *hatch = &http->hatch;

	if (hatch->event == NULL)
		return;
	event_free(hatch->event);
	close(hatch->fd);
	pthread_cond_destroy(&hatch->done);
	pthread_mutex_destroy(&hatch->lock);
}

int http_have_reloaded(struct http *http, const struct http_params *params, struct err *err)
{
	static const uint64_t one = 1;
	struct http_hatch *hatch = &http->hatch;

	lock(hatch);
	err_set(&hatch->err, ERR_CLOSED, "zonefand does not serve yet, or not any more");
	if (hatch->open) {
		hatch->params = params;
		CHECK(write(hatch->fd, &one, sizeof(one)) == sizeof(one));
	}
	while (hatch->params != NULL)
		pthread_cond_wait(&hatch->done, &hatch->lock);
	*err = hatch->err;
	unlock(hatch);
	return err->code;
}

void hatch_order_reload(struct http *http)
{
	struct engine_request *order = engine_request_create(ENGINE_RELOAD, 0);

	order->actor = xstrdup("SIGHUP");
	if (engine_submit(http->engine, order) == ERR_OK)
		return;
	log_warn("SIGHUP is not heeded: so many before it are not yet done");
	engine_request_destroy(order);
}
