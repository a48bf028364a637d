/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of this room share. Everything here belongs to the loop
 * thread; the picture is in README.md.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/strmap.h"
#include "engine/engine.h"
#include "http/auth.h"
#include "http/gate.h"
#include "http/http.h"
#include "http/names.h"
#include "http/net.h"

enum {
	HTTP_QUEUE_WAIT_MS = 5000,   /* how long a request waits for a full queue, or for the names (decisions.md 13) */
	HTTP_QUEUE_RETRY_MS = 20,
	HTTP_RETRY_AFTER_S = 5,      /* what a 503 or 429 tells the client */
	HTTP_REFUSAL_MS = 1000,      /* for a refusal to be read before the connection is closed */
	HTTP_DRAIN_MS = 2,           /* between two looks at what those send that were refused */
	HTTP_DRAIN_BYTES = 64 * 1024, /* at each look, */
	HTTP_DRAIN_CONNECTIONS = 256, /* and of so many: then the next of them has to wait */
	HTTP_ACCEPT_PAUSE_MS = 100,  /* after accept ran out of descriptors */
	HTTP_PULSE_MS = 1000,        /* as engine_stalled wants to be asked */
	HTTP_CONTROL_MAX = 64,       /* connections on the control socket; they do not count with the others */
	HTTP_CONNECTIONS_MIN = 8,    /* with descriptors for fewer, it does not start */
	HTTP_NEWCOMERS_MAX = 16,     /* accepted and not yet looked at */
	HTTP_BEGINNERS = 2 * HTTP_NEWCOMERS_MAX, /* that may come before the first bytes of a newcomer are read */
	HTTP_PRIORITIES = 2,         /* of events; if nothing is said, the second */
	HTTP_FIRST = 0,
	HTTP_CLASSES = 6             /* of status codes: their first digit */
};

/* What a supervisor shows of us while all is well. */
#define HTTP_SERVES "serves"

/* Of a question that no connection asked (page.c). */
#define HTTP_OWN_TICKET UINT64_MAX

#define PAGE_ACTIONS "/page/"

struct page_state;
struct page_keep;
struct page_view;

enum conn_phase {
	CONN_NEW,      /* accepted, not yet looked at */
	CONN_HEAD,     /* idle, or the head is coming */
	CONN_BODY,
	CONN_HAND,     /* a whole request is with us */
	CONN_REPLY,    /* its answer is being written */
	CONN_REFUSED   /* a refusal of our own is written; then what comes is thrown away until the client closes */
};

enum conn_wait { WAIT_NONE, WAIT_QUEUE, WAIT_NAMES };

struct ssl_st; /* OpenSSL's SSL */

struct conn {
	TAILQ_ENTRY(conn) link;            /* of http.conns, oldest first */
	TAILQ_ENTRY(conn) wait_link;       /* of http.waiting, while wait is not WAIT_NONE */
	TAILQ_ENTRY(conn) refused_link;    /* of http.refused, while phase is CONN_REFUSED */
	struct http *http;
	struct bufferevent *bev;           /* one reference of ours, so that it outlives the library's */
	struct ssl_st *ssl;                /* NULL: no TLS. The bufferevent's */
	struct evhttp_connection *evcon;   /* NULL until seen */
	struct event *kick;                /* calls conn_on_kick from the loop itself, on a clean stack */
	struct event *timer;
	struct evbuffer *held;             /* read, not yet seen by the gate */
	struct evbuffer *body;             /* of the unfinished request, checked */
	struct gate gate;
	enum conn_phase phase;
	int fd;
	struct door *door;                 /* by which it came */
	bool counted;                      /* is one of door.counted */
	bool passing;                      /* we are moving bytes: no news for the gate */
	bool keep_alive;                   /* after the request in hand */
	bool authenticated;                /* once, at least */
	const struct auth_login *login;    /* of the request in hand; NULL: it needs none. Held, unless by the control socket */
	struct net_address peer;
	struct net_address client;         /* of the request in hand: the peer, or for whom it says that it asks */
	int64_t opened_ms;
	size_t bytes;                      /* held in memory for this connection's request */
	/* the request in hand: */
	struct evhttp_request *request;    /* NULL once answered */
	uint64_t id;                       /* 0: nothing is asked of the engine */
	enum conn_wait wait;
	int64_t wait_until_ms;
	struct engine_request *waiting_request; /* WAIT_QUEUE: not yet taken */
	struct buf gathered;               /* of an answer that takes several questions */
	struct page_view *view;            /* the status page, or an action of it; NULL: something else */
	size_t answer_bytes;               /* of the answer, in memory until it is written */
};

TAILQ_HEAD(conn_list, conn);

/* Says at most one line a second, with how many it stands for. */
struct http_limit {
	int64_t next_ms;
	uint64_t suppressed;
};

/* How many connections are held: all over TCP together, those of the control socket for themselves. */
struct crowd {
	size_t most;                       /* at once */
	size_t newcomers;                  /* accepted and not yet looked at, at once and beyond them */
	size_t open;                       /* accepted and not closed */
	size_t counted;                    /* of them, those that were looked at */
};

/* What /metrics shows of this room; since start. */
struct http_counts {
	uint64_t connections;              /* that were looked at */
	uint64_t answers[HTTP_CLASSES];    /* by the first digit of the status */
	uint64_t logins_refused;           /* wrong */
	uint64_t logins_limited;           /* wrong too often */
	uint64_t addresses_refused;        /* by a list of addresses */
	uint64_t handshakes_failed;        /* of TLS */
};

/* A way in. */
struct door {
	struct http *http;
	struct evhttp *evhttp;
	TAILQ_ENTRY(door) link;            /* of http.doors; not of the control socket's */
	LIST_ENTRY(door) known;
	struct evconnlistener *listener;   /* NULL once closed */
	struct evhttp_bound_socket *socket;
	struct event *resume;              /* after a pause, or once the last connection of a removed door has gone */
	struct crowd *crowd;
	char *address;                     /* as it was asked for */
	uint16_t port;                     /* likewise */
	bool control;                      /* no login is needed */
	bool ssl;                          /* of newcomers */
	bool accepts;                      /* the listener is enabled */
	bool removed;                      /* it goes with its last connection */
	struct cidr_list allow;            /* none: everybody */
	unsigned serves;                   /* acts; 0: all */
	size_t open;                       /* connections that came by it */
};

TAILQ_HEAD(door_list, door);

/* Settings that another thread brings (hatch.c). */
struct http_hatch {
	pthread_mutex_t lock;
	pthread_cond_t done;
	int fd;                            /* an eventfd: look at params */
	struct event *event;
	const struct http_params *params;  /* NULL: none wait */
	struct err err;                    /* what came of the last ones */
	bool open;                         /* the loop runs */
};

struct http {
	struct http_params params;         /* its numbers; what it pointed at may have gone */
	char *control_path;                /* "": no control socket */
	struct engine *engine;
	struct event_base *base;
	struct door_list doors;            /* over TCP */
	struct door *control;              /* NULL: no control socket */
	struct crowd crowd;
	struct crowd control_crowd;
	struct strmap addresses;           /* how many connections over TCP each has that were looked at, by net_address.key */
	uint16_t port;
	struct tls *tls;                   /* of new connections; NULL: no door has TLS */
	struct cidr_list trusted;          /* proxies */
	struct auth *auth;
	struct names *names;
	struct page_state *page;
	bool names_loaded;
	bool store_ok;
	char store_error[ERR_TEXT_SIZE];
	const char *stalled;               /* a thread of the engine that does not turn; NULL: all do */
	struct conn_list conns;
	struct conn **by_fd;
	size_t by_fd_size;
	size_t inflight_bytes;             /* of requests */
	size_t answer_bytes;
	uint64_t last_id;
	struct conn_list waiting;          /* first come, first served */
	struct event *wait_timer;
	struct conn_list refused;          /* next to be drained first */
	struct event *drain_timer;
	struct event *pulse_timer;
	struct event *engine_event;
	struct event *signals[3];
	struct event *stop_timer;
	bool stopping;
	bool fatal;
	struct err fatal_err;
	struct http_limit log_auth;
	struct http_limit log_accept;
	struct http_limit log_refused;
	struct http_limit log_address;
	struct http_limit log_tls;
	struct http_counts counts;
	struct http_hatch hatch;
};

int64_t http_now_ms(void);
struct timeval http_timeval(int64_t ms);
/* True if a line may be written now; *count is how many events it stands for. */
bool http_limit_pass(struct http_limit *limit, uint64_t *count);

/* ---- server.c ---- */

/* How many connections there may be, by params and the limit of open files. */
MUST_CHECK int http_share_files(struct http *http, const struct http_params *params, struct err *err);

/* The status is to show when the certificate of now ends. */
void http_show_certificate(struct http *http);

/* ---- door.c: the ways in ---- */

struct setup_listener;

/* Listens by a socket that listens; takes it, and the lists, out of from. */
struct door *door_open(struct http *http, struct setup_listener *from);
struct door *door_open_control(struct http *http, int fd);
/* Where a listener is asked for at that place; NULL: none is there. */
struct door *door_at(const struct http *http, const char *address, uint16_t port);
/* Other settings of the same place; takes the lists out of from. */
void door_settle(struct door *door, struct setup_listener *from);
/* Accepts nobody any more. */
void door_close(struct door *door);
/* ... and goes when its last connection does; the idle ones now. */
void door_remove(struct door *door);
/* With its connections. */
void door_free(struct door *door);
/* A connection was accepted, or has gone. */
void door_entered(struct door *door);
void door_left(struct door *door);
/* After a change of who is there: which doors accept now. */
void doors_update(struct http *http);

/* ---- admit.c: who is let in ---- */

/* By the address at the other end alone. False: it was counted and told. */
bool admit_peer(struct conn *conn);
/* Whether the request may go on, as far as its head tells. False: it was refused. */
bool admit(struct conn *conn, const struct gate_head *head);
/* The login of the request in hand is not needed any more. */
void admit_forget(struct conn *conn);

/* ---- session.c: TLS ---- */

/* Makes conn->ssl, and the bufferevent that speaks it. */
struct bufferevent *session_open(struct conn *conn);
/* It has said a whole hello. */
bool session_greeted(const struct conn *conn);
/* A few bytes at once, past the bufferevent. */
bool session_send(struct conn *conn, const char *data, size_t size);
/* Tells the client that nothing more comes. */
void session_end(struct conn *conn);
/* Before the connection goes: ends it, or tells why it never began. */
void session_close(struct conn *conn);

/* ---- hatch.c ---- */

void hatch_create(struct http *http);
/* The loop runs. */
void hatch_open(struct http *http);
/* What waits, or comes later, is refused. */
void hatch_close(struct http *http);
void hatch_free(struct http *http);
/* SIGHUP. */
void hatch_order_reload(struct http *http);

/* ---- conn.c: connections ---- */

/* evhttp's bufferevent callback; arg is the door. */
struct bufferevent *conn_open(struct event_base *base, void *arg);
/* Closes at once, whatever is under way. Not from within a callback of evhttp. */
void conn_close(struct conn *conn);
/* Those with nothing under way, of that door; NULL: of all. */
void conn_close_idle(struct http *http, const struct door *door);
struct conn *conn_by_fd(struct http *http, int fd);
/* The answer to the request in hand is complete: the next one may come. */
void conn_answered(struct conn *conn);
/* The current phase may last so long, but not beyond the life of the connection. */
void conn_deadline(struct conn *conn, int64_t ms);
/* The connection is refused: it is not read any more, memory is given back, and it lives HTTP_REFUSAL_MS more. */
void conn_give_up(struct conn *conn);
/* No request, nor a part of one, is with us. */
bool conn_is_idle(const struct conn *conn);

/* ---- refuse.c: answers that the library never hears of ---- */

/* The bytes of such an answer; what the gate has read tells who gets it. */
void refuse_build(struct buf *out, const struct gate *gate, int status, const char *headers, const char *text, bool with_body);
/* error=1&text=... with this status, then the connection is closed. headers: further lines, each with CRLF; or "". */
void refuse_send(struct conn *conn, int status, const char *headers, const char *text, bool with_body);
/* Closes the unfinished requests that are largest, until the bytes in memory are within the limit. */
void refuse_excess(struct http *http);
/* Throws away what those send that were refused, a few of them at a time. */
void refuse_on_drain_timer(evutil_socket_t fd, short what, void *arg);

/* ---- crowd.c: how many there may be ---- */

/* A newcomer was looked at: it counts. */
void crowd_enter(struct conn *conn);
/* It goes. */
void crowd_leave(struct conn *conn);
/* Makes room for conn, or closes it, if there are too many connections. False: it was closed. */
bool crowd_has_room(struct conn *conn);

/* ---- request.c: the request in hand ---- */

/* evhttp's general callback; arg is the door. */
void request_arrived(struct evhttp_request *request, void *arg);
/* The connection goes away: forget the request. */
void request_forget(struct conn *conn);
/* A long answer becomes a 503 where request_hold says so. */
void request_reply(struct conn *conn, int status, const char *type, const char *headers, const void *body,
	size_t size);
/*
 * So much of the answer is in memory now. False: it is long, and those of others are more than max_inflight_bytes already,
 * because they are not read; the caller gives it up.
 */
bool request_hold(struct conn *conn, size_t bytes);
/* error=1&text=...; a status other than 200 says why. */
void request_fail(struct conn *conn, int status, const char *text);
/* {"error": ...} */
void request_fail_json(struct conn *conn, int status, const char *text);
/* May whoever is logged in do that? False: it was refused, in the form of the path. */
bool request_allow(struct conn *conn, enum auth_act act);
/* A request that tells who asks, from where. */
struct engine_request *request_create(const struct conn *conn, enum engine_op op);
/* Its body, verbatim, with a NUL behind; the caller's. */
char *request_take_body(struct conn *conn, size_t *size);
/* Hands the request to the engine, or makes it wait. Takes ownership. */
void request_submit(struct conn *conn, struct engine_request *request);
/* Runs the request again once the names are loaded. */
void request_await_names(struct conn *conn);
/* The reason phrase of a status. */
const char *request_reason(int status);
void request_on_message(struct http *http, struct engine_message *message);
void request_on_wait_timer(evutil_socket_t fd, short what, void *arg);

/* ---- da.c: the DirectAdmin dialect (directadmin-protocol.md) ---- */

/* False: no path of this dialect. */
bool da_handle(struct conn *conn, const char *path, size_t path_size, const char *query);
void da_reply(struct conn *conn, const struct engine_message *message);

/* ---- api.c: probes and the operators' interface ---- */

bool api_handle(struct conn *conn, const char *path, size_t path_size, const char *query);
void api_reply(struct conn *conn, const struct engine_message *message);
/* What is asked for needs no login. */
bool api_is_open(const struct http *http, const char *target);
/* Why pushes can't be made durable now; NULL: they can. */
const char *api_not_ready(const struct http *http);
/* A list with its key and "next". */
json_t *api_list(const struct engine_message *message);

/* ---- page.c: the status page ---- */

struct page_state *page_state_create(struct http *http);
void page_state_destroy(struct page_state *page);
struct page_keep *page_keep_of(const struct http *http);
/* A target of its. */
bool page_owns(const char *target);
bool page_handle(struct conn *conn, const char *path, size_t path_size, const char *query);
void page_reply(struct conn *conn, const struct engine_message *message);
/* A page that says why there is no other. */
void page_fail(struct conn *conn, int status, const char *text);
/* The answer to HTTP_OWN_TICKET. */
void page_on_sample(struct http *http, const struct engine_message *message);

/* ---- origin.c ---- */

/* False: a page of another site made the browser send it. Without a browser there is no telling, and no need to. */
bool origin_is_own(const struct gate_head *head);
