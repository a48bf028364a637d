/* SPDX-License-Identifier: GPL-3.0-or-later */
/* zonefand: arguments, ordered start-up, stop, exit codes (arguments.c has their meaning); no logic. */
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "arguments.h"
#include "base/log.h"
#include "base/privilege.h"
#include "base/supervisor.h"
#include "beside.h"
#include "reload.h"
#include "setup.h"

enum {
	ENGINE_STOP_MS = 5000,
	LARGE_ALLOCATION = 256 * 1024,
	KEPT_FREE = 512 * 1024
};

struct options {
	const char *config;
	bool check;
	enum log_format format;
};

/* What did not get where it was to go is no success. */
static int close_output(void)
{
	return program_close_output(&zonefand_program) ? EX_OK : EX_IOERR;
}

static void leave_usage(FILE *to, int code)
{
	program_print_usage(&zonefand_program, to);
	fprintf(to, "\n%s %s.\n\n", zonefand_program.name, zonefand_program.purpose);
	program_print_options(&zonefand_program, to);
	fputs("\n", to);
	program_print_exits(&zonefand_program, to);
	exit(code == EX_OK ? close_output() : code);
}

static struct options read_options(int argc, char **argv)
{
	struct options options = { .format = LOG_FORMAT_LOGFMT };
	const char *values[ARGUMENT_COUNT];

	if (!program_read_options(&zonefand_program, argc, argv, values))
		leave_usage(stderr, EX_USAGE);
	if (values[ARGUMENT_VERSION] != NULL) {
		puts("zonefand " ZONEFAN_VERSION);
		exit(close_output());
	}
	if (values[ARGUMENT_HELP] != NULL)
		leave_usage(stdout, EX_OK);
	const char *format = values[ARGUMENT_LOG_FORMAT];
	if (format != NULL && strcmp(format, "json") == 0)
		options.format = LOG_FORMAT_JSON;
	else if (optind != argc || (format != NULL && strcmp(format, "logfmt") != 0))
		leave_usage(stderr, EX_USAGE);
	options.config = values[ARGUMENT_CONFIG];
	options.check = values[ARGUMENT_CHECK] != NULL;
	return options;
}

static void log_notices(struct buf *notices)
{
	char *rest = notices->size == 0 ? NULL : notices->data;
	char *line;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if (*line != '\0')
			log_warn("configuration notice", LOG_STR("notice", line));
	}
}

static struct setup *load(const struct options *options)
{
	struct buf notices = { 0 };
	struct setup *setup;
	struct err err;

	if (setup_load(options->config, &setup, &notices, &err) != ERR_OK) {
		log_notices(&notices);
		log_error("the configuration is wrong", LOG_ERR(&err));
		exit(EX_CONFIG);
	}
	log_change(setup->conf->log_level, setup->conf->timezone);
	log_notices(&notices);
	buf_free(&notices);
	return setup;
}

static int check(struct setup *setup)
{
	const struct conf *conf = setup->conf;
	struct http_params *http = &setup->wire.http;
	struct buf text = { 0 };
	struct err err;

	int ret = http_bind(http, &err);
	if (ret == ERR_BUSY) { /* before a restart that is as it should be */
		log_warn("another process has the port: the zonefand that runs, or start would fail", LOG_ERR(&err));
		ret = ERR_OK;
	}
	if (ret == ERR_OK)
		ret = privilege_become(conf->user, &err);
	if (ret == ERR_OK)
		ret = conf_check_host(conf, &err);
	if (ret == ERR_OK)
		http_check_rights(http);
	if (ret != ERR_OK) {
		log_error("the configuration does not fit this host", LOG_ERR(&err));
		return EX_CONFIG;
	}
	conf_print(conf, &text);
	fputs(text.data, stdout);
	buf_free(&text);
	return close_output();
}

static int start_failed(const struct err *err)
{
	log_error("can't start", LOG_ERR(err));
	return err->code == ERR_CORRUPT || err->code == ERR_VERSION ? EX_DATAERR : EX_CONFIG;
}

/* What root alone may do, then the step down, then whether what is left of rights is enough. */
static int prepare(struct setup *setup, struct err *err)
{
	supervisor_open();
	int ret = http_bind(&setup->wire.http, err);
	if (ret == ERR_OK)
		ret = privilege_become(setup->conf->user, err);
	if (ret == ERR_OK)
		ret = conf_check_host(setup->conf, err);
	if (ret != ERR_OK)
		return ret;
	http_check_rights(&setup->wire.http);
	if (geteuid() == 0)
		log_warn("zonefand stays root", LOG_STR("hint", "app.user names another user to become"));
	return ERR_OK;
}

/* Until a signal ends it, or the store fails: 0, or what err says. */
static int run(struct setup *setup, const struct options *options, struct engine *engine, struct http *http, struct err *err)
{
	struct beside beside;
	const char *path = options->config != NULL ? options->config : setup->conf->path;
	const struct reload_params params = { .path = path, .engine = engine, .http = http, .beside = &beside,
		.setup = setup };

	beside_start(&beside, engine, setup);
	struct reload *reload = reload_start(&params);
	int ret = http_run(http, err);
	if (ret != ERR_OK)
		log_error("leaving", LOG_ERR(err));
	/* They ask the engine until they are stopped. */
	reload_stop(reload);
	beside_stop(&beside);
	/* The engine first: requests that it still answers point at nothing of the front's by then, and the front's
	   listening sockets are closed already. */
	engine_stop(engine, ret == ERR_OK ? ENGINE_STOP_MS : 0);
	reload_destroy(reload);
	return ret;
}

static int serve(struct setup *setup, const struct options *options)
{
	struct wire *wire = &setup->wire;
	struct engine *engine;
	struct http *http;
	struct err err;

	int ret = engine_start(&wire->engine.params, &engine, &err);
	if (ret != ERR_OK)
		return start_failed(&err);
	ret = http_create(&wire->http, engine, &http, &err);
	wire->http.setup = NULL; /* it has it */
	if (ret != ERR_OK) {
		engine_stop(engine, 0);
		engine_destroy(engine);
		return start_failed(&err);
	}
	log_info("zonefand serves", LOG_STR("version", ZONEFAN_VERSION), LOG_UINT("port", http_port(http)),
		LOG_STR("store", wire->engine.params.store_path), LOG_UINT("backends", wire->engine.params.backend_count));
	ret = run(setup, options, engine, http, &err);
	http_destroy(http);
	engine_destroy(engine);
	log_info("zonefand stopped");
	if (ret == ERR_OK)
		return EX_OK;
	return err.code == ERR_CORRUPT ? EX_DATAERR : EX_SOFTWARE;
}

/* Until the loop takes the signals: process 1 of a container would not even hear them. What is durable stays so. */
static void leave_before_serving(int signal_number UNUSED)
{
	_exit(EX_OK);
}

/* Secrets must not end up in a core file, nor the store in somebody's hands. */
static void protect(void)
{
	privilege_protect();
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	/* A limit on the size of files: the write fails then, and that is an end with a reason. */
	signal(SIGXFSZ, SIG_IGN);
	/* Until the loop takes it, there is nothing to reload yet; of the others: log rotation sends them out of habit. */
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	signal(SIGTERM, leave_before_serving);
	signal(SIGINT, leave_before_serving);
}

int main(int argc, char **argv)
{
	struct options options = read_options(argc, argv);
	struct err err;
	int code;

	protect();
	/* A batch's packet, a large body: what is this large goes back to the system when it is freed, always. */
	mallopt(M_MMAP_THRESHOLD, LARGE_ALLOCATION);
	/* Less goes back when it is more than this: what each push needs would else be mapped and cleared anew for each (of malloc's arenas each keeps that much). */
	mallopt(M_TRIM_THRESHOLD, KEPT_FREE);
	log_setup(LOG_LEVEL_INFO, options.format, false);
	struct setup *setup = load(&options);
	if (options.check)
		code = check(setup);
	else
		code = prepare(setup, &err) == ERR_OK ? serve(setup, &options) : start_failed(&err);
	supervisor_close();
	setup_unref(setup);
	return code;
}
