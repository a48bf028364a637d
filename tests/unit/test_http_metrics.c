/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * /metrics: who may see it, the form of the text (promtool looks at it in
 * tests/deploy), and figures that come from where they should.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/metrics.h"
#include "test_http_fake.h"
#include "test_http_client.h"

static void scrape(const struct served *served, struct answer *answer)
{
	client_get(served, "/metrics", answer);
	assert_int_equal(answer->status, 200);
	assert_string_equal(answer_header(answer, "Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
}

/* The value behind that name and those labels; -1: there is no such sample. */
static double sample(const char *text, const char *what)
{
	size_t size = strlen(what);

	for (const char *line = text; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, what, size) == 0 && line[size] == ' ')
			return strtod(line + size, NULL);
	}
	return -1;
}

static void assert_sample(const char *text, const char *what, double value)
{
	double found = sample(text, what);

	if (found < value - 1e-6 || found > value + 1e-6)
		fail_msg("%s is %f, not %f", what, found, value);
}

static void engine_figures(void **state UNUSED)
{
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };

	scrape(served, &answer);
	const char *text = answer.body.data;
	assert_sample(text, "zonefan_pushes_total{result=\"accepted\"}", 7);
	assert_sample(text, "zonefan_pushes_total{result=\"held\"}", 0);
	assert_sample(text, "zonefan_zones", 2);
	assert_sample(text, "zonefan_store_writable", 1);
	assert_sample(text, "zonefan_backend_pending_deliveries{backend=\"dc1\"}", 0);
	assert_sample(text, "zonefan_backend_pending_deliveries{backend=\"dc2\"}", 3);
	assert_sample(text, "zonefan_backend_oldest_undelivered_seconds{backend=\"dc1\"}", 0);
	assert_sample(text, "zonefan_backend_oldest_undelivered_seconds{backend=\"dc2\"}", 65);
	assert_sample(text, "zonefan_backend_state{backend=\"dc2\",state=\"down\"}", 1);
	assert_sample(text, "zonefan_backend_state{backend=\"dc2\",state=\"up\"}", 0);
	assert_sample(text, "zonefan_backend_state{backend=\"dc1\",state=\"up\"}", 1);
	assert_sample(text, "zonefan_process_start_time_seconds", 1700000000);
	assert_sample(text, "zonefan_build_info{version=\"" ZONEFAN_VERSION "\"}", 1);
	assert_true(sample(text, "zonefan_process_resident_memory_bytes") > 1e6);
	assert_true(sample(text, "zonefan_process_open_fds") >= 5);
	assert_true(sample(text, "zonefan_process_threads") >= 2);
	/* What never happened, and should have, must be seen. */
	assert_sample(text, "zonefan_backend_healed_timestamp_seconds{backend=\"dc1\"}", -1);
	assert_sample(text, "zonefan_backend_healed_timestamp_seconds{backend=\"dc2\"}", 0);
	assert_sample(text, "zonefan_backend_canary_answered_timestamp_seconds{backend=\"dc1\"}", -1);
	assert_sample(text, "zonefan_backend_canary_answered_timestamp_seconds{backend=\"dc2\"}", 0);
	buf_free(&answer.body);
	serve_stop(served);
}

static void what_the_front_counts(void **state UNUSED)
{
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };

	client_ask(served, "GET /status HTTP/1.0\r\nAuthorization: Basic eDp5\r\n\r\n", &answer);
	assert_int_equal(answer.status, 401);
	client_ask(served, "GET /nowhere HTTP/1.0\r\n" LOGIN "\r\n", &answer);
	assert_int_equal(answer.status, 404);
	scrape(served, &answer);
	const char *text = answer.body.data;
	assert_sample(text, "zonefan_http_failed_logins_total{result=\"refused\"}", 1);
	assert_sample(text, "zonefan_http_failed_logins_total{result=\"limited\"}", 0);
	assert_sample(text, "zonefan_http_answers_total{class=\"4xx\"}", 2);
	assert_sample(text, "zonefan_http_answers_total{class=\"2xx\"}", 1); /* serve_start's; this one is being made */
	assert_sample(text, "zonefan_http_connections_max{door=\"network\"}", 512);
	assert_sample(text, "zonefan_http_connections_total", 4);
	assert_sample(text, "zonefan_ready", 1);
	fake_post(served->fake, fake_message(ENGINE_STORE_STATE)); /* store_ok: false */
	buf_clear(&answer.body);
	scrape(served, &answer);
	assert_sample(answer.body.data, "zonefan_ready", 0);
	/* Whoever was refused is held until it is looked at again. */
	wait_until((buf_clear(&answer.body), scrape(served, &answer),
		sample(answer.body.data, "zonefan_http_connections{door=\"network\"}") < 2));
	assert_sample(answer.body.data, "zonefan_http_connections{door=\"network\"}", 1);
	buf_free(&answer.body);
	serve_stop(served);
}

static int status_of(const struct served *served, const char *login)
{
	char *request = xasprintf("GET /metrics HTTP/1.0\r\n%s\r\n", login);
	struct answer answer = { 0 };

	client_ask(served, request, &answer);
	buf_free(&answer.body);
	free(request);
	return answer.status;
}

static void a_login_is_needed_unless_it_is_public(void **state UNUSED)
{
	struct http_params params = default_params();
	struct served *served = serve_start(params);

	assert_int_equal(status_of(served, ""), 401);
	assert_int_equal(status_of(served, "Authorization: Basic ZXllOnRocmVl\r\n"), 200); /* eye:three, who only looks */
	assert_int_equal(status_of(served, "Authorization: Basic ZGExOm9uZQ==\r\n"), 403); /* da1:one, a master */
	serve_stop(served);
	params.metrics_public = true;
	served = serve_start(params);
	assert_int_equal(status_of(served, ""), 200);
	serve_stop(served);
}

/* HELP and TYPE once before the samples of a metric, which stand together; and a name that is ours. */
static void each_metric_is_introduced_once(void **state UNUSED)
{
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };
	char name[128] = "", line[1024];
	size_t metrics = 0;

	scrape(served, &answer);
	for (const char *at = answer.body.data; *at != '\0'; at += strcspn(at, "\n") + 1) {
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
		if (strncmp(line, "# HELP ", 7) == 0) {
			char intro[160];

			snprintf(name, sizeof(name), "%.*s", (int)strcspn(line + 7, " "), line + 7);
			snprintf(intro, sizeof(intro), "# HELP %s ", name);
			assert_null(strstr(at + 1, intro));
			metrics++;
		} else if (strncmp(line, "# TYPE ", 7) == 0) {
			assert_memory_equal(line + 7, name, strlen(name));
		} else if (strncmp(line, name, strlen(name)) != 0) {
			fail_msg("%s stands among %s", line, name);
		}
		assert_memory_equal(name, "zonefan_", 8);
	}
	assert_true(metrics > 40);
	buf_free(&answer.body);
	serve_stop(served);
}

static void a_histogram_adds_up(void **state UNUSED)
{
	static const struct expose_metric metric = { "zonefan_x_seconds", EXPOSE_HISTOGRAM, "X." };
	struct histogram histogram = { 0 };
	struct histogram_copy copy;
	struct buf out = { 0 };
	struct expose expose = { .out = &out };

	histogram_observe(&histogram, 900);
	histogram_observe(&histogram, 2500);
	histogram_observe(&histogram, INT64_C(7200000000));
	histogram_read(&histogram, &copy);
	expose_histogram(&expose, &metric, EXPOSE_LABELS("backend", "dc1"), &copy);
	assert_sample(out.data, "zonefan_x_seconds_bucket{backend=\"dc1\",le=\"0.001\"}", 1);
	assert_sample(out.data, "zonefan_x_seconds_bucket{backend=\"dc1\",le=\"0.0025\"}", 2);
	assert_sample(out.data, "zonefan_x_seconds_bucket{backend=\"dc1\",le=\"3600\"}", 2);
	assert_sample(out.data, "zonefan_x_seconds_bucket{backend=\"dc1\",le=\"+Inf\"}", 3);
	assert_sample(out.data, "zonefan_x_seconds_sum{backend=\"dc1\"}", 7200.0034);
	assert_sample(out.data, "zonefan_x_seconds_count{backend=\"dc1\"}", 3);
	buf_free(&out);
}

/* As lib/sync and the others publish it; a peer's URL may be anything. */
static void what_rooms_publish(void **state UNUSED)
{
	static const char *const states[] = { "up", "silent", "new" };
	struct engine_status status = { .shown = doc_create() };
	struct doc *reconciler = doc_object(status.shown, "reconciler");
	struct doc *peers = doc_list(doc_object(status.shown, "peer_sync"), "peers");
	struct buf out = { 0 };
	struct expose expose = { .out = &out };
	struct doc *entry = doc_object(reconciler, "last_run");

	doc_time(entry, "completed_at", 1700000000500000);
	entry = doc_object(doc_list(reconciler, "masters"), NULL);
	doc_text(entry, "identity", "da1.example");
	doc_text(entry, "state", "unknown");
	doc_uint(entry, "missing", 4);
	entry = doc_object(peers, NULL);
	doc_text(entry, "url", "http://\"a\\b\n");
	doc_bool(entry, "healthy", true);
	doc_real(entry, "skew_seconds", -0.25);
	entry = doc_object(peers, NULL);
	doc_text(entry, "url", "http://ourselves");
	doc_bool(entry, "self", true);
	doc_bool(entry, "healthy", true);
	peers = doc_list(doc_object(doc_object(status.shown, "verify"), "dc1"), "servers");
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		entry = doc_object(peers, NULL);
		doc_text(entry, "address", states[i]);
		doc_text(entry, "state", states[i]);
	}
	doc_uint(doc_object(status.shown, "notify"), "waiting", 2);
	metrics_add_rooms(&expose, &status);
	assert_sample(out.data, "zonefan_reconciliation_completed_timestamp_seconds", 1700000000.5);
	assert_sample(out.data, "zonefan_master_state{master=\"da1.example\",state=\"unknown\"}", 1);
	assert_sample(out.data, "zonefan_master_state{master=\"da1.example\",state=\"ok\"}", 0);
	assert_sample(out.data, "zonefan_master_missing_zones{master=\"da1.example\"}", 4);
	assert_sample(out.data, "zonefan_peer_healthy{peer=\"http://\\\"a\\\\b\\n\"}", 1);
	assert_non_null(strstr(out.data, "zonefan_peer_skew_seconds{peer=\"http://\\\"a\\\\b\\n\"} -0.25\n"));
	assert_sample(out.data, "zonefan_name_server_answering{backend=\"dc1\",server=\"up\"}", 1);
	assert_sample(out.data, "zonefan_name_server_answering{backend=\"dc1\",server=\"silent\"}", 0);
	assert_null(strstr(out.data, "server=\"new\""));
	assert_sample(out.data, "zonefan_notify_waiting_messages", 2);
	assert_null(strstr(out.data, "ourselves"));
	assert_null(strstr(out.data, "zonefan_peer_seen")); /* nobody told: no sample, no word of it */
	doc_destroy(status.shown);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engine_figures),
		cmocka_unit_test(what_the_front_counts),
		cmocka_unit_test(a_login_is_needed_unless_it_is_public),
		cmocka_unit_test(each_metric_is_introduced_once),
		cmocka_unit_test(a_histogram_adds_up),
		cmocka_unit_test(what_rooms_publish),
	};

	return cmocka_run_group_tests_name("http metrics", tests, NULL, NULL);
}
