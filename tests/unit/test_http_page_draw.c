/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The status page as it is drawn from answers: what is wrong is said first, and nothing that is shown is markup. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "http/page_draw.h"

static const int64_t now_us = 1700000000000000; /* 2023-11-14T22:13:20Z */

static char *page_of(enum page_kind kind, const char *answers, bool may_change)
{
	struct page_keep *keep = page_keep_create();
	json_error_t error;
	json_t *json = json_loads(answers, 0, &error);
	struct buf out = { 0 };

	if (json == NULL)
		fail_msg("%s in %s", error.text, answers);
	struct page_look look = { .kind = kind, .answers = json, .zone = "shop.example", .login = "ops", .may_change = may_change,
		.token = "TOKEN", .keep = keep, .now_us = now_us };
	page_draw(&out, &look);
	json_decref(json);
	page_keep_destroy(keep);
	return buf_take(&out);
}

static void assert_has(const char *page, const char *text)
{
	if (strstr(page, text) == NULL)
		fail_msg("no \"%s\" in %s", text, strstr(page, "<main>"));
}

static void assert_lacks(const char *page, const char *text)
{
	if (strstr(page, text) != NULL)
		fail_msg("\"%s\" in %s", text, strstr(page, "<main>"));
}

#define WELL                                                                                                 \
	"'version':'0.1.0','started_at':'2023-11-14T20:13:20.000000Z','zones':{'total':12345},'held':0,'frozen':0,"  \
	"'queues':{'save':0,'retry':0,'dead_letters':0},'counters':{'pushes':1204,'refused':3},'store':{'ok':true},"
#define LANE(name, state, more)                                                                              \
	"{'name':'" name "','state':'" state "','since':'2023-11-14T22:09:08.000000Z','heal':null" more "}"

/* JSON in single quotes, to be read here; the caller's. */
static char *with(const char *status, const char *rest)
{
	char *text = xasprintf("{'status':{%s}%s}", status, rest);

	for (char *c = text; *c != '\0'; c++) {
		if (*c == '\'')
			*c = '"';
	}
	return text;
}

/* The page for such a status says this. */
static void assert_verdict(const char *status, const char *colour, const char *headline, const char *detail)
{
	char *answers = with(status, ",'held':{'held':[]},'dead':{'dead':[]},'events':{'events':[]}");
	char *page = page_of(PAGE_OVERVIEW, answers, true);
	char *verdict = xasprintf("<section id=\"verdict\" class=\"%s\"><h1>%s", colour, headline);
	char *title = xasprintf("<title>%s - zonefan</title>", headline);

	assert_has(page, verdict);
	assert_has(page, title);
	assert_has(page, detail);
	free(title);
	free(verdict);
	free(page);
	free(answers);
}

static void test_verdicts(void **state UNUSED)
{
	assert_verdict(WELL "'backends':[" LANE("dc1", "up", "") "]", "good", "All is well",
		"12,345 zones in 1 data centre, all as they were pushed.");
	assert_verdict(WELL "'backends':[" LANE("dc1", "up", "") "," LANE("dc2", "down", ",'pending':12,'last_error':'refused'") "]",
		"bad", "dc2 is down", "Since 22:09:08 UTC, ");
	assert_verdict(WELL "'backends':[" LANE("dc2", "down", ",'pending':12,'last_error':'refused'") "]", "bad", "dc2 is down",
		"4 min 12 s ago</time>: refused. 12 zones wait.");
	assert_verdict(WELL "'backends':[" LANE("dc1", "up", ",'pending':9,'oldest_pending_seconds':15.0") "]", "good", "All is well",
		"on its way");
	assert_verdict(WELL "'backends':[" LANE("dc1", "up", ",'pending':9,'oldest_pending_seconds':75.5") "]", "bad",
		"dc1 is 1 min 15 s behind", "9 zones wait.");
	assert_verdict(WELL "'backends':[" LANE("dc1", "paused", ",'pending':1") "]", "warn", "dc1 is paused", "1 zone waits.");
	assert_verdict(WELL "'dry_run':true,'backends':[" LANE("dc1", "paused", "") "]", "warn",
		"Dry run: nothing is written to any data centre", "Pushes are taken and kept.");
	assert_verdict(WELL "'backends':[" LANE("dc1", "up", ",'contested':2") "]", "warn", "Somebody else writes to dc1",
		"2 zones are contested");
	assert_verdict(WELL "'backends':[" LANE("dc1", "up", ",'verify':{'unanswered':3,'oldest_unanswered_seconds':120.0}") "]", "bad",
		"Name servers of dc1 do not answer what was written", "3 zones, the oldest for 2 min.");
	assert_verdict(WELL "'backends':[" LANE("dc1", "up", ",'verify':{'still_answers':1}") "]", "warn",
		"Name servers of dc1 still answer what was deleted", "1 zone. The public plugin");
	assert_verdict(WELL "'backends':[" LANE("dc1", "up", ",'verify':{'servers':[{'address':'192.0.2.1:53','state':'silent',"
		"'error':'timed out','last_ok_at':null}]}") "]", "bad", "Name server 192.0.2.1:53 of dc1 is silent", "timed out. Last answer never.");
	assert_verdict(WELL "'tls':{'enabled':true,'expires_at':'2023-11-29T22:13:20.000000Z'}", "good", "All is well", "");
	assert_verdict(WELL "'tls':{'enabled':true,'expires_at':'2023-11-17T22:13:20.000000Z'}", "warn", "The certificate expires soon",
		"in 3 d</time>");
	assert_verdict(WELL "'tls':{'enabled':true,'expires_at':'2023-11-13T22:13:20.000000Z'}", "bad", "The certificate has expired",
		"1 d ago</time>");
	assert_verdict(WELL "'tls':{'enabled':false,'expires_at':null}", "good", "All is well", "");
	assert_verdict("'error':'disk I/O error'", "bad", "The state cannot be told", "disk I/O error");
	assert_verdict("'store':{'ok':false,'error':'No space left on device'}", "bad",
		"The store cannot be written: pushes are refused", "No space left on device");
	assert_verdict("'store':{'ok':true},'queues':{'dead_letters':1200},'backends':[]", "bad", "1,200 deliveries were given up",
		"tried again once an hour");
	assert_verdict("'store':{'ok':true},'held':1,'backends':[]", "warn", "1 change waits for your word", "approves it");
	assert_verdict(WELL "'reconciler':{'masters':[{'hostname':'da1.example','state':'unknown','error':'no list'}]}", "warn",
		"Master da1.example tells no complete list", "no list. Nothing of it is deleted until it does.");
	assert_verdict(WELL "'peer_sync':{'enabled':true,'peers':[{'url':'http://zf2','healthy':false,'last_error':'timed out'}]}",
		"warn", "Peer http://zf2 does not answer", "timed out");
	assert_verdict(WELL "'unconfigured':['dc9']", "warn", "dc9 is not configured any more", "zonefanctl retire dc9");
}

/* A data centre whose name servers are asked: what never answered is told, too. */
static void test_what_never_answered(void **state UNUSED)
{
	char *answers = with(WELL "'backends':[" LANE("dc1", "up", ",'verify':{'canary_answered_at':null,'canary':true,'servers':["
		"{'address':'192.0.2.1:53','state':'silent','since':'2023-11-14T22:09:08.000000Z','error':'timed out','last_ok_at':null}]}")
		"," LANE("dc2", "up", ",'verify':{'canary_answered_at':null,'canary':false,'servers':["
		"{'address':'192.0.2.2:53','state':'new','since':'2023-11-14T22:09:08.000000Z','error':null,'last_ok_at':null}]}") "]", "");
	char *page = page_of(PAGE_OVERVIEW, answers, true);
	char *second = strstr(page, "id=\"backend-dc2\"");

	assert_non_null(second);
	assert_has(second, "badge idle\">new</span> never answered</dd>");
	assert_lacks(second, "Canary");
	assert_has(page, "badge bad\">silent</span> never answered, since 22:09:08 UTC, <time");
	assert_has(page, "timed out. Last answer never, silent since 22:09:08 UTC, <time");
	assert_has(page, "<dt>Canary</dt><dd>not answered since the start</dd>");
	free(page);
	free(answers);
}

/* The worst is the headline, whatever comes first; of all there is a line. */
static void test_the_worst_first(void **state UNUSED)
{
	char *answers = with(WELL "'backends':[" LANE("dc1", "paused", "") "," LANE("dc2", "down", ",'pending':3") "]", "");
	char *page = page_of(PAGE_OVERVIEW, answers, true);

	assert_has(page, "<h1>dc2 is down <small>and 1 more</small></h1>");
	assert_has(page, "<li class=\"warn\"><a href=\"#backends\">dc1 is paused</a>");
	assert_true(strstr(page, ">dc1 is paused</a>") > strstr(page, ">dc2 is down</a>"));
	free(page);
	free(answers);
}

#define EVIL "<script>alert(1)</script>"

/* Every text of every answer is hostile. */
static void test_hostile_texts(void **state UNUSED)
{
	static const char lane[] = "{'name':'" EVIL "','state':'" EVIL "','since':'" EVIL "','last_error':'" EVIL "','next_probe':'" EVIL
		"','next_heal':'" EVIL "','heal':{'state':'" EVIL "','ended_at':'" EVIL "','error':'" EVIL "'},'verify':{'unanswered':1,"
		"'servers':[{'address':'" EVIL "','state':'" EVIL "','error':'" EVIL "','last_ok_at':'" EVIL "'}],'canary':true,'canary_answered_at':'" EVIL "'},'contested':1,'pending':1}";
	char *status = xasprintf("'version':'" EVIL "','started_at':'" EVIL "','store':{'ok':false,'error':'" EVIL "'},'backends':[%s],"
		"'unconfigured':['" EVIL "'],'peer_sync':{'enabled':true,'last_pass':'" EVIL "','peers':[{'url':'" EVIL "','last_error':'" EVIL
		"','kind':'" EVIL "','last_seen':'" EVIL "'}]},'reconciler':{'enabled':true,'last_run':{'status':'" EVIL "','completed_at':'"
		EVIL "'},'masters':[{'hostname':'" EVIL "','state':'unknown','error':'" EVIL "','complete_at':'" EVIL "'}]}", lane);
	static const char rest[] =
		",'held':{'held':[{'id':1,'zone':'" EVIL "','reason':'" EVIL "','hostname':'" EVIL "','at':'" EVIL "'}],'next':7,"
		"'id':1,'zone':'" EVIL "','reason':'" EVIL "','hostname':'" EVIL "','username':'" EVIL "','source':'" EVIL "','at':'" EVIL "',"
		"'removed':[{'owner':'" EVIL "','type':'" EVIL "','data':'" EVIL "','old_data':'" EVIL "'}],'zones':[{'name':'" EVIL "'}]},"
		"'dead':{'dead':[{'zone':'" EVIL "','backend':'" EVIL "','state':'" EVIL "','error':'" EVIL "','since':'" EVIL "'}]},"
		"'events':{'events':[{'at':'" EVIL "','kind':'" EVIL "','zone':'" EVIL "','backend':'" EVIL "','detail':'" EVIL "','actor':'"
		EVIL "'}]},'history':{'zone':'" EVIL "','versions':[{'version':1,'origin':'" EVIL "','hostname':'" EVIL "','at':'" EVIL "'}]},"
		"'zone':{'name':'" EVIL "','hostname':'" EVIL "','username':'" EVIL "','updated_at':'" EVIL "','frozen':{'by':'" EVIL "','since':'"
		EVIL "'},'deliveries':[{'backend':'" EVIL "','state':'" EVIL "','last_error':'" EVIL "','next_try':'" EVIL "','verify_state':'" EVIL "',"
		"'name_servers':[{'address':'" EVIL "','error':'" EVIL "'}],'answered_by':'" EVIL "','answered_at':'" EVIL "','applied_generation':1,'applied_at':'" EVIL "'},{'backend':'x','state':'dead','verify_state':'unanswered',"
		"'verify_error':'" EVIL "','unanswered_since':'" EVIL "'}]}";
	char *answers = with(status, rest);

	for (int kind = PAGE_OVERVIEW; kind <= PAGE_HELD; kind++) {
		char *page = page_of((enum page_kind)kind, answers, true);

		assert_lacks(page, EVIL);
		assert_has(page, "&lt;script&gt;alert(1)&lt;/script&gt;");
		free(page);
	}
	free(answers);
	free(status);
}

/* Answers of one kind fail: the rest is shown all the same. */
static void test_an_answer_fails(void **state UNUSED)
{
	char *answers = with(WELL "'backends':[" LANE("dc1", "up", "") "]",
		",'held':{'error':'the store is busy'},'dead':{'dead':[]},'events':{'error':'disk I/O error'}");
	char *page = page_of(PAGE_OVERVIEW, answers, false);

	assert_has(page, "This can't be told now: the store is busy");
	assert_has(page, "This can't be told now: disk I/O error");
	assert_has(page, "None: no delivery was given up.");
	assert_has(page, "id=\"backend-dc1\"");
	free(page);
	free(answers);
}

static void test_forms(void **state UNUSED)
{
	char *answers = with(WELL "'backends':[" LANE("dc1", "up", "") "," LANE("dc2", "paused", "") "]",
		",'held':{'held':[{'id':7,'zone':'a.example'}]},'dead':{'dead':[{'zone':'b.example','backend':'dc1','state':'dead'}]}");
	char *page = page_of(PAGE_OVERVIEW, answers, true);

	assert_has(page, "action=\"/page/pause\"><input type=\"hidden\" name=\"token\" value=\"TOKEN\"><input type=\"hidden\" "
		"name=\"backend\" value=\"dc1\">");
	assert_has(page, "action=\"/page/resume\"><input type=\"hidden\" name=\"token\" value=\"TOKEN\"><input type=\"hidden\" "
		"name=\"backend\" value=\"dc2\">");
	assert_has(page, "action=\"/page/approve\"><input type=\"hidden\" name=\"token\" value=\"TOKEN\"><input type=\"hidden\" "
		"name=\"id\" value=\"7\">");
	assert_has(page, "action=\"/page/drop\"");
	free(page);
	page = page_of(PAGE_OVERVIEW, answers, false);
	assert_lacks(page, "method=\"post\"");
	assert_lacks(page, "TOKEN");
	assert_has(page, "ops, looks only");
	free(page);
	free(answers);
}

#define ZONE                                                                                                 \
	",'history':{'versions':[]},'events':{'events':[]},'zone':{'name':'shop.example','serial':7,'generation':3,'deleted':false," \
	"'frozen':null,'deliveries':["

#define WRITTEN "'wanted_generation':3,'applied_generation':3,'state':'clean','written_at':'2023-11-14T22:13:10.000000Z',"

static void test_receipts(void **state UNUSED)
{
	char *answers = with(WELL "'backends':[]", ZONE
		"{'backend':'dc1'," WRITTEN "'verify_state':'answered','answered_at':'2023-11-14T22:13:15.000000Z','answered_by':'192.0.2.1:53'},"
		"{'backend':'dc2'," WRITTEN "'verify_state':'unanswered','unanswered_since':'2023-11-14T22:12:20.000000Z','verify_error':'no answer',"
		"'name_servers':[{'address':'192.0.2.2:53','serial':6},{'address':'192.0.2.3:53','error':'refused'}]},"
		"{'backend':'dc3'," WRITTEN "'verify_state':'waiting','unanswered_since':'2023-11-14T22:13:10.000000Z'},"
		"{'backend':'dc4'," WRITTEN "'verify_state':'still_answers','unanswered_since':'2023-11-14T22:13:10.000000Z',"
		"'name_servers':[{'address':'192.0.2.4:53','serial':null,'error':null},{'address':'192.0.2.5:53','serial':7,'error':'still'}]},"
		"{'backend':'dc5','state':'wait','wanted_generation':3,'applied_generation':2,'applied_at':'2023-11-14T20:13:10.000000Z',"
		"'verify_state':null},"
		"{'backend':'dc6','state':'held','wanted_generation':3,'applied_generation':2,'written_at':'2023-11-14T20:13:10.000000Z',"
		"'verify_state':'answered','answered_at':'2023-11-14T20:13:20.000000Z'}]}");
	char *page = page_of(PAGE_ZONE, answers, true);

	assert_has(page, "Written to 4 of 6 data centres, answered so by 1.");
	assert_has(page, "5 s ago</time> by <code>192.0.2.1:53</code>");
	assert_has(page, "badge bad\">not answered</span> written <time");
	assert_has(page, "<code>192.0.2.2:53</code> serial 6");
	assert_has(page, "<code>192.0.2.3:53</code> refused");
	assert_has(page, "badge idle\">not yet</span>");
	assert_has(page, "badge bad\">still answered</span>");
	assert_has(page, "<code>192.0.2.4:53</code> gone");
	assert_has(page, "<code>192.0.2.5:53</code> still");
	assert_has(page, "an older version");
	assert_has(page, "the older version");
	assert_has(page, "not verified");
	free(page);
	free(answers);
}

/* The store calls both parked: what is frozen was dropped by nobody, and a replay would not bring it there. */
static void test_a_frozen_zone(void **state UNUSED)
{
	static const char zone[] = ",'history':{'versions':[]},'events':{'events':[]},'zone':{'name':'shop.example','frozen':%s,"
		"'deliveries':[{'backend':'dc1','state':'parked','wanted_generation':3,'applied_generation':2}]}";
	static const struct {
		const char *frozen, *has, *lacks;
		bool letter;
	} cases[] = {
		{ "{'by':'ops','since':'2023-11-14T22:13:10.000000Z'}", "badge warn\">frozen</span></td>", "dropped by an operator", false },
		{ "null", "badge warn\">dropped by an operator</span></td>", ">frozen<", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *rest = xasprintf(zone, cases[i].frozen);
		char *answers = with(WELL "'backends':[]", rest);
		char *page = page_of(PAGE_ZONE, answers, true);

		assert_has(page, cases[i].has);
		assert_lacks(page, cases[i].lacks);
		(cases[i].letter ? assert_has : assert_lacks)(page, "action=\"/page/replay\"");
		(cases[i].letter ? assert_has : assert_lacks)(page, "action=\"/page/drop\"");
		free(page);
		free(answers);
		free(rest);
	}
}

static void test_missing_zone(void **state UNUSED)
{
	char *answers = with(WELL "'backends':[]", ",'zone':{'error':'zone shop.example is not held'},'near':{'zones':[{'name':'shop2.example'}]}");
	char *page = page_of(PAGE_ZONE, answers, true);

	assert_has(page, "zone shop.example is not held");
	assert_has(page, "<a href=\"/?zone=shop2.example\">shop2.example</a>");
	free(page);
	free(answers);
}

static void test_spans(void **state UNUSED)
{
	static const struct {
		double seconds;
		const char *wanted;
	} cases[] = { { 0, "0 s" }, { 0.9, "0 s" }, { -5, "0 s" }, { 59.9, "59 s" }, { 60, "1 min" }, { 252, "4 min 12 s" },
		{ 3600, "1 h" }, { 3661, "1 h 1 min" }, { 86400 * 3 + 3600 * 4, "3 d 4 h" }, { 86400 + 59, "1 d" }, { 1e300, "0 s" } };
	char span[PAGE_SPAN_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(page_span(cases[i].seconds, span), cases[i].wanted);
}

/* A lag that was, a time without samples, and that it was down. */
static void test_lag(void **state UNUSED)
{
	struct page_keep *keep = page_keep_create();
	struct engine_lane lane = { .backend = (char[]){ "dc1" }, .state = "up" };
	struct engine_status status = { .lanes = &lane, .lane_count = 1 };
	struct page_look look = { .keep = keep, .now_ms = (int64_t)PAGE_SAMPLES * PAGE_SAMPLE_MS };
	struct buf out = { 0 };

	for (int64_t at_ms = 0; at_ms < look.now_ms; at_ms += PAGE_SAMPLE_MS) {
		int64_t minute = at_ms / 60000;

		lane.state = minute >= 30 && minute < 35 ? "down" : "up";
		lane.pending = minute >= 30 && minute < 35;
		lane.oldest_pending_us = lane.pending ? (at_ms - (int64_t)30 * 60000 + 1000) * 1000 : 0;
		if (minute < 10 || minute >= 20)
			page_sample(keep, &status, at_ms);
	}
	page_draw_lag(&out, &look, "dc1");
	assert_has(out.data, "up to 4 min 51 s behind");
	assert_has(out.data, "<rect class=\"down\" x=\"59\" y=\"0\" width=\"11\"");
	/* Two stretches, an area and a line of each. */
	size_t paths = 0;
	for (const char *path = strstr(out.data, "<path"); path != NULL; path = strstr(path + 1, "<path"))
		paths++;
	assert_int_equal(paths, 4);
	buf_clear(&out);
	page_draw_lag(&out, &look, "dc2"); /* nothing is known of it */
	assert_int_equal(out.size, 0);
	buf_free(&out);
	page_keep_destroy(keep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_what_never_answered),
		cmocka_unit_test(test_the_worst_first),
		cmocka_unit_test(test_hostile_texts),
		cmocka_unit_test(test_an_answer_fails),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_receipts),
		cmocka_unit_test(test_a_frozen_zone),
		cmocka_unit_test(test_missing_zone),
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_lag),
	};

	return cmocka_run_group_tests_name("http_page_draw", tests, NULL, NULL);
}
