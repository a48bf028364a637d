/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /metrics as a whole, and what of it this room counts itself. */
#include "http/metrics.h"

#include "http/internal.h"
#include "http/tls.h"

static const struct expose_metric ready = { "zonefan_ready", EXPOSE_GAUGE, "1 if /readyz says so: pushes can be made durable." };
static const struct expose_metric connections = { "zonefan_http_connections", EXPOSE_GAUGE, "Open connections." };
static const struct expose_metric connections_most = { "zonefan_http_connections_max", EXPOSE_GAUGE,
	"How many there may be: as configured, or what the limit of open files leaves." };
static const struct expose_metric accepted = { "zonefan_http_connections_total", EXPOSE_COUNTER, "Connections that were looked at." };
static const struct expose_metric answers = { "zonefan_http_answers_total", EXPOSE_COUNTER, "Answers, by the class of their status." };
static const struct expose_metric logins = { "zonefan_http_failed_logins_total", EXPOSE_COUNTER,
	"Wrong logins, by answer: refused (401), limited (429: the address, or all together, failed too often)." };
static const struct expose_metric held = { "zonefan_http_request_bytes", EXPOSE_GAUGE, "Memory of unfinished requests." };

static const struct expose_metric addresses = { "zonefan_http_refused_addresses_total", EXPOSE_COUNTER,
	"Connections and requests of addresses that the listener's list does not have." };
static const struct expose_metric handshakes = { "zonefan_http_failed_handshakes_total", EXPOSE_COUNTER, "TLS handshakes that failed for a reason." };
static const struct expose_metric expiry = { "zonefan_http_certificate_expiry_timestamp_seconds", EXPOSE_GAUGE,
	"When the certificate of the HTTP server ends." };

static void add_doors(struct expose *expose, const struct http *http)
{
	expose_count(expose, &connections, EXPOSE_LABELS("door", "network"), http->crowd.counted);
	expose_count(expose, &connections, EXPOSE_LABELS("door", "control"), http->control_crowd.counted);
	expose_count(expose, &connections_most, EXPOSE_LABELS("door", "network"), http->crowd.most);
	expose_count(expose, &connections_most, EXPOSE_LABELS("door", "control"), http->control_crowd.most);
}

static void add_http(struct expose *expose, const struct http *http)
{
	static const char *const classes[HTTP_CLASSES] = { [2] = "2xx", [3] = "3xx", [4] = "4xx", [5] = "5xx" };

	expose_count(expose, &ready, NULL, api_not_ready(http) == NULL);
	add_doors(expose, http);
	expose_count(expose, &accepted, NULL, http->counts.connections);
	for (size_t i = 0; i < HTTP_CLASSES; i++) {
		if (classes[i] != NULL)
			expose_count(expose, &answers, EXPOSE_LABELS("class", classes[i]), http->counts.answers[i]);
	}
	expose_count(expose, &logins, EXPOSE_LABELS("result", "refused"), http->counts.logins_refused);
	expose_count(expose, &logins, EXPOSE_LABELS("result", "limited"), http->counts.logins_limited);
	expose_count(expose, &held, NULL, http->inflight_bytes);
	expose_count(expose, &addresses, NULL, http->counts.addresses_refused);
	expose_count(expose, &handshakes, NULL, http->counts.handshakes_failed);
	if (http->tls != NULL)
		expose_us(expose, &expiry, NULL, tls_expires_us(http->tls));
}

void metrics_write(const struct http *http, const struct engine_status *status, struct buf *out)
{
	struct expose expose = { .out = out };

	metrics_add_engine(&expose, status);
	metrics_add_rooms(&expose, status);
	add_http(&expose, http);
	metrics_add_process(&expose, status);
}
