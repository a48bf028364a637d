/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/internal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <jansson.h>

#include "base/log.h"
#include "base/supervisor.h"

/* Messages taken from the engine before connections get their turn again. */
enum { MESSAGES_AT_ONCE = 64, MESSAGES_PER_TURN = 4 * MESSAGES_AT_ONCE };

int64_t http_now_ms(void)
{
	return clock_mono_ms(clock_system());
}

struct timeval http_timeval(int64_t ms)
{
	return (struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
}

bool http_limit_pass(struct http_limit *limit, uint64_t *count)
{
	int64_t now_ms = http_now_ms();

	limit->suppressed++;
	if (now_ms < limit->next_ms)
		return false;
	limit->next_ms = now_ms + 1000;
	*count = limit->suppressed;
	limit->suppressed = 0;
	return true;
}

static void on_library_log(int severity, const char *text)
{
	if (severity >= EVENT_LOG_WARN)
		log_debug("libevent", LOG_STR("text", text));
}

/* Newcomers wait in the kernel, where they take no descriptor of ours, while a door is full or has enough to look at. */
void door_update(struct door *door)
{
	if (door->listener == NULL)
		return;
	bool wanted = door->open <= door->most && door->open - door->counted < HTTP_NEWCOMERS_MAX &&
		!evtimer_pending(door->resume, NULL);
	if (wanted == door->accepts)
		return;
	door->accepts = wanted;
	if (wanted)
		evconnlistener_enable(door->listener);
	else
		evconnlistener_disable(door->listener);
}

static void on_resume(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	door_update(arg);
}

/*
 * All doors of the process. evhttp_bind_listener makes evhttp the argument of all the listener's callbacks, so that
 * the one for errors cannot know its door otherwise.
 */
static LIST_HEAD(, door) doors = LIST_HEAD_INITIALIZER(doors);

static struct door *find_door(const struct evconnlistener *listener)
{
	struct door *door;

	LIST_FOREACH(door, &doors, link) {
		if (door->listener == listener)
			return door;
	}
	WRONG("a listener without a door");
}

/* accept failed, mostly for want of descriptors: a listener that stays ready would spin (reliability.md 10.1 L7). */
static void on_accept_error(struct evconnlistener *listener, void *arg UNUSED)
{
	struct timeval tv = http_timeval(HTTP_ACCEPT_PAUSE_MS);
	int error = errno;
	struct door *door = find_door(listener);
	uint64_t count;

	evtimer_add(door->resume, &tv);
	door_update(door);
	if (http_limit_pass(&door->http->log_accept, &count))
		log_error("cannot accept connections", LOG_STR("error", strerror(error)), LOG_UINT("times", count));
}

static void on_engine(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct http *http = arg;
	struct engine_message *messages[MESSAGES_AT_ONCE];
	size_t count = MESSAGES_AT_ONCE;

	for (size_t taken = 0; count == MESSAGES_AT_ONCE && taken < MESSAGES_PER_TURN; taken += count) {
		count = engine_take(http->engine, messages, MESSAGES_AT_ONCE);
		for (size_t i = 0; i < count; i++) {
			if (!http->fatal)
				request_on_message(http, messages[i]);
			engine_message_destroy(messages[i]);
		}
	}
}

/* Nothing that hangs for ever may look as if it worked (reliability.md P05). */
static void on_pulse(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct http *http = arg;
	const char *stalled = engine_stalled(http->engine);

	if (stalled != NULL && http->stalled == NULL) {
		log_error("a thread does not turn any more: not ready", LOG_STR("thread", stalled));
		supervisor_status("a thread does not turn any more");
	}
	if (stalled == NULL && http->stalled != NULL) {
		log_info("all threads turn again");
		supervisor_status(HTTP_SERVES);
	}
	http->stalled = stalled;
	if (stalled != NULL)
		return;
	supervisor_beat();
	if (http->names_loaded)
		supervisor_ready(HTTP_SERVES); /* it may not have got there */
}

static void close_door(struct door *door)
{
	if (door->listener == NULL)
		return;
	event_del(door->resume);
	evhttp_del_accept_socket(door->evhttp, door->socket); /* frees the listener and closes its descriptor */
	door->listener = NULL;
}

static void on_stop_deadline(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct http *http = arg;

	log_warn("stopping with requests unanswered", LOG_UINT("connections", http->front.counted + http->control.counted));
	event_base_loopbreak(http->base);
}

static void on_signal(evutil_socket_t signal_number, short what UNUSED, void *arg)
{
	struct http *http = arg;
	struct timeval tv = http_timeval(http->params.stop_deadline_ms);

	if (http->stopping) {
		event_base_loopbreak(http->base);
		return;
	}
	log_info("stopping", LOG_STR("signal", signal_number == SIGINT ? "SIGINT" : "SIGTERM"));
	supervisor_stopping();
	http->stopping = true;
	close_door(&http->front);
	close_door(&http->control);
	conn_close_idle(http);
	if (TAILQ_EMPTY(&http->conns))
		event_base_loopbreak(http->base);
	else
		evtimer_add(http->stop_timer, &tv);
}

static void open_door(struct http *http, struct door *door, int fd, bool control)
{
	door->http = http;
	door->control = control;
	door->resume = evtimer_new(http->base, on_resume, door);
	door->evhttp = evhttp_new(http->base);
	/* Without a callback it does not accept yet; evhttp_bind_listener sets one. */
	door->listener = evconnlistener_new(http->base, NULL, door,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	CHECK(door->resume != NULL && door->evhttp != NULL && door->listener != NULL);
	evhttp_set_bevcb(door->evhttp, conn_open, door);
	evhttp_set_gencb(door->evhttp, request_arrived, door);
	evhttp_set_allowed_methods(door->evhttp, EVHTTP_REQ_GET | EVHTTP_REQ_POST);
	/* The gate has checked them; this only bounds what a fault of ours could do. */
	evhttp_set_max_headers_size(door->evhttp, GATE_HEADERS_SIZE_MAX);
	door->socket = evhttp_bind_listener(door->evhttp, door->listener);
	CHECK(door->socket != NULL);
	door->accepts = true;
	evconnlistener_set_error_cb(door->listener, on_accept_error);
	LIST_INSERT_HEAD(&doors, door, link);
}

static void make_events(struct http *http)
{
	static const int numbers[2] = { SIGTERM, SIGINT };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		http->signals[i] = evsignal_new(http->base, numbers[i], on_signal, http);
		CHECK(http->signals[i] != NULL);
	}
	http->pulse_timer = event_new(http->base, -1, EV_PERSIST, on_pulse, http);
	http->wait_timer = evtimer_new(http->base, request_on_wait_timer, http);
	http->stop_timer = evtimer_new(http->base, on_stop_deadline, http);
	http->engine_event = event_new(http->base, engine_fd(http->engine), EV_READ | EV_PERSIST, on_engine, http);
	CHECK(http->pulse_timer != NULL && http->wait_timer != NULL && http->stop_timer != NULL &&
		http->engine_event != NULL);
}

int http_bind(struct http_params *params, struct err *err)
{
	int ret = net_bind_tcp(params->listen_address, &params->listen_port, &params->socket, err);

	params->bound = ret == 0;
	return ret;
}

static int open_doors(struct http *http, struct err *err)
{
	int control;
	int ret = http->params.bound ? 0 : http_bind(&http->params, err);

	if (ret != 0)
		return ret;
	int front = http->params.socket;
	http->port = http->params.listen_port;
	ret = net_listen_tcp(front, http->params.listen_address, http->port, err);
	if (ret != 0)
		return ret;
	if (*http->control_path != '\0') {
		ret = net_listen_unix(http->control_path, &control, err);
		if (ret != 0) {
			close(front);
			return ret;
		}
		open_door(http, &http->control, control, true);
	}
	open_door(http, &http->front, front, false);
	return 0;
}

int http_share_files(struct http *http, const struct http_params *params, struct err *err)
{
	size_t reserved = params->reserved_files + 2; /* one newcomer at each door is looked at before another goes */
	size_t wanted = reserved + HTTP_CONTROL_MAX + params->max_connections;
	struct rlimit limit;

	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	if (limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max; /* what is reserved is a count of the usual: there may be more */
		if (setrlimit(RLIMIT_NOFILE, &limit) != 0) /* a sandbox may forbid it */
			CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	}
	if (limit.rlim_cur < reserved + HTTP_CONNECTIONS_MIN)
		return err_set(err, ERR_LIMIT, "the limit of open files, %ju, is less than the %zu that are needed (ulimit -n)",
			(uintmax_t)limit.rlim_cur, reserved + HTTP_CONNECTIONS_MIN);
	size_t left = limit.rlim_cur < wanted ? (size_t)limit.rlim_cur - reserved : wanted - reserved;
	http->control.most = left / 4 < HTTP_CONTROL_MAX ? left / 4 : HTTP_CONTROL_MAX;
	http->front.most = left - http->control.most;
	if (http->front.most > params->max_connections)
		http->front.most = params->max_connections;
	if (http->front.most < params->max_connections)
		log_warn("fewer connections than app.max_connections", LOG_UINT("connections", http->front.most),
			LOG_UINT("open_files", limit.rlim_cur), LOG_UINT("reserved", reserved));
	return 0;
}

int http_create(const struct http_params *params, struct engine *engine, struct http **out, struct err *err)
{
	struct http *http = xcalloc(1, sizeof(*http));
	int ret;

	/*
	 * Out of memory ends us, as everywhere. Their own ways back from a failed allocation have been seen to follow a wild pointer
	 * (libevent), and to print half an object (jansson).
	 */
	event_set_mem_functions(xmalloc, xrealloc, free);
	json_set_alloc_funcs(xmalloc, free);
	event_set_log_callback(on_library_log);
	http->params = *params;
	http->control_path = xstrdup(params->control_socket);
	http->engine = engine;
	http->store_ok = true; /* the engine has opened it; it says when that changes */
	TAILQ_INIT(&http->conns);
	TAILQ_INIT(&http->waiting);
	http->auth = auth_create(params->logins, params->login_count);
	http->names = names_create();
	http->base = event_base_new();
	CHECK(http->base != NULL);
	http->page = page_state_create(http);
	ret = http_share_files(http, params, err);
	if (ret == 0)
		ret = open_doors(http, err);
	else if (http->params.bound)
		close(http->params.socket);
	if (ret != 0) {
		http_destroy(http);
		return ret;
	}
	make_events(http);
	*out = http;
	return 0;
}

int http_run(struct http *http, struct err *err)
{
	struct timeval pulse = http_timeval(HTTP_PULSE_MS);

	/* A client that goes away while it is answered must not end the process. */
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < ARRAY_SIZE(http->signals); i++)
		event_add(http->signals[i], NULL);
	event_add(http->engine_event, NULL);
	event_add(http->pulse_timer, &pulse);
	CHECK(event_base_dispatch(http->base) >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(http->signals); i++)
		event_del(http->signals[i]);
	if (http->fatal) {
		*err = http->fatal_err;
		return ERR_IO;
	}
	return 0;
}

static void free_event(struct event *event)
{
	if (event != NULL)
		event_free(event);
}

static void free_door(struct door *door)
{
	if (door->evhttp == NULL)
		return;
	LIST_REMOVE(door, link);
	door->listener = NULL; /* its connections count themselves off */
	event_free(door->resume);
	evhttp_free(door->evhttp); /* with its listener and connections */
}

void http_destroy(struct http *http)
{
	if (http == NULL)
		return;
	free_door(&http->front);
	if (http->control.evhttp != NULL)
		unlink(http->control_path);
	free_door(&http->control);
	for (size_t i = 0; i < ARRAY_SIZE(http->signals); i++)
		free_event(http->signals[i]);
	free_event(http->wait_timer);
	free_event(http->pulse_timer);
	free_event(http->stop_timer);
	free_event(http->engine_event);
	page_state_destroy(http->page);
	auth_destroy(http->auth);
	names_destroy(http->names);
	free(http->by_fd);
	free(http->control_path);
	event_base_free(http->base);
	free(http);
}

uint16_t http_port(const struct http *http)
{
	return http->port;
}
