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
#include "http/setup.h"

/* Messages taken from the engine before another event gets its turn (HTTP_FIRST: as long as there are more it is this one again). */
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

static void on_stop_deadline(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct http *http = arg;

	log_warn("stopping with requests unanswered", 
		LOG_UINT("connections", http->crowd.counted + http->control_crowd.counted));
	event_base_loopbreak(http->base);
}

static void on_signal(evutil_socket_t signal_number, short what UNUSED, void *arg)
{
	struct http *http = arg;
	struct timeval tv = http_timeval(http->params.stop_deadline_ms);
	struct door *door;

	if (signal_number == SIGHUP) {
		hatch_order_reload(http);
		return;
	}
	if (http->stopping) {
		event_base_loopbreak(http->base);
		return;
	}
	log_info("stopping", LOG_STR("signal", signal_number == SIGINT ? "SIGINT" : "SIGTERM"));
	supervisor_stopping();
	http->stopping = true;
	TAILQ_FOREACH(door, &http->doors, link)
		door_close(door);
	if (http->control != NULL)
		door_close(http->control);
	conn_close_idle(http, NULL);
	if (TAILQ_EMPTY(&http->conns))
		event_base_loopbreak(http->base);
	else
		evtimer_add(http->stop_timer, &tv);
}

static void make_events(struct http *http)
{
	static const int numbers[3] = { SIGTERM, SIGINT, SIGHUP };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		http->signals[i] = evsignal_new(http->base, numbers[i], on_signal, http);
		CHECK(http->signals[i] != NULL);
	}
	hatch_create(http);
	http->pulse_timer = event_new(http->base, -1, EV_PERSIST, on_pulse, http);
	http->wait_timer = evtimer_new(http->base, request_on_wait_timer, http);
	http->drain_timer = evtimer_new(http->base, refuse_on_drain_timer, http);
	http->stop_timer = evtimer_new(http->base, on_stop_deadline, http);
	http->engine_event = event_new(http->base, engine_fd(http->engine), EV_READ | EV_PERSIST, on_engine, http);
	CHECK(http->pulse_timer != NULL && http->wait_timer != NULL && http->drain_timer != NULL && http->stop_timer != NULL &&
		http->engine_event != NULL && event_priority_set(http->engine_event, HTTP_FIRST) == 0);
}

static int open_control(struct http *http, struct err *err)
{
	int fd;
	int ret = *http->control_path == '\0' ? ERR_OK : net_listen_unix(http->control_path, &fd, err);

	if (ret == ERR_OK && *http->control_path != '\0')
		http->control = door_open_control(http, fd);
	return ret;
}

/* All of it, or nothing. */
static int open_doors(struct http *http, struct http_setup *setup, struct err *err)
{
	int ret = setup_listen(setup, err);

	if (ret == ERR_OK)
		ret = open_control(http, err);
	if (ret != ERR_OK)
		return ret;
	http->port = setup->listeners[0].bound_port;
	http->tls = setup->tls;
	setup->tls = NULL;
	http->trusted = setup->trusted;
	setup->trusted = (struct cidr_list){ 0 };
	for (size_t i = 0; i < setup->count; i++)
		door_open(http, &setup->listeners[i]);
	return ERR_OK;
}

int http_share_files(struct http *http, const struct http_params *params, struct err *err)
{
	size_t reserved = params->reserved_files + 2; /* in each crowd one newcomer is looked at before another goes */
	size_t wanted = reserved + HTTP_NEWCOMERS_MAX - 1 + HTTP_CONTROL_MAX + params->max_connections;
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
	size_t more_newcomers = left / 32 < HTTP_NEWCOMERS_MAX - 1 ? left / 32 : HTTP_NEWCOMERS_MAX - 1;
	http->control_crowd.newcomers = 1;
	http->control_crowd.most = left / 4 < HTTP_CONTROL_MAX ? left / 4 : HTTP_CONTROL_MAX;
	http->crowd.newcomers = 1 + more_newcomers;
	http->crowd.most = left - more_newcomers - http->control_crowd.most;
	if (http->crowd.most > params->max_connections)
		http->crowd.most = params->max_connections;
	if (http->crowd.most < params->max_connections)
		log_warn("fewer connections than app.max_connections", LOG_UINT("connections", http->crowd.most),
			LOG_UINT("open_files", limit.rlim_cur), LOG_UINT("reserved", reserved));
	return 0;
}

void http_show_certificate(struct http *http)
{
	struct doc *doc = doc_create();

	doc_bool(doc, "enabled", http->tls != NULL);
	doc_time(doc, "expires_at", http->tls == NULL ? 0 : tls_expires_us(http->tls));
	engine_publish(http->engine, "tls", doc);
}

int http_create(const struct http_params *params, struct engine *engine, struct http **out, struct err *err)
{
	struct http *http = xcalloc(1, sizeof(*http));
	struct http_setup *setup = params->setup;
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
	TAILQ_INIT(&http->doors);
	TAILQ_INIT(&http->conns);
	TAILQ_INIT(&http->waiting);
	TAILQ_INIT(&http->refused);
	http->auth = auth_create(params->logins, params->login_count);
	http->names = names_create();
	http->base = event_base_new();
	CHECK(http->base != NULL && event_base_priority_init(http->base, HTTP_PRIORITIES) == 0);
	http->page = page_state_create(http);
	ret = http_share_files(http, params, err);
	if (ret == 0 && setup == NULL)
		ret = setup_create(params, NULL, &setup, err);
	if (ret == 0)
		ret = open_doors(http, setup, err);
	setup_destroy(setup);
	if (ret != 0) {
		http_destroy(http);
		return ret;
	}
	make_events(http);
	http_show_certificate(http);
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
	hatch_open(http);
	CHECK(event_base_dispatch(http->base) >= 0);
	hatch_close(http);
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

void http_destroy(struct http *http)
{
	struct door *door;

	if (http == NULL)
		return;
	while ((door = TAILQ_FIRST(&http->doors)) != NULL)
		door_free(door);
	if (http->control != NULL) {
		unlink(http->control_path);
		door_free(http->control);
	}
	for (size_t i = 0; i < ARRAY_SIZE(http->signals); i++)
		free_event(http->signals[i]);
	free_event(http->wait_timer);
	free_event(http->drain_timer);
	free_event(http->pulse_timer);
	free_event(http->stop_timer);
	free_event(http->engine_event);
	hatch_free(http);
	page_state_destroy(http->page);
	auth_destroy(http->auth);
	names_destroy(http->names);
	tls_free(http->tls);
	cidr_list_free(&http->trusted);
	strmap_free(&http->addresses);
	free(http->by_fd);
	free(http->control_path);
	event_base_free(http->base);
	free(http);
}

uint16_t http_port(const struct http *http)
{
	return http->port;
}
