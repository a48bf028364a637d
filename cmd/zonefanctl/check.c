/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "check.h"

#include "base/buf.h"
#include "conf/conf.h"
#include "exit.h"

int check_command(const struct call *call)
{
	struct conf *conf = call_has(call, OPTION_URL) ? NULL : commands_load_conf(call->options);
	struct buf text = { 0 };
	struct err err;

	if (conf == NULL)
		return call_has(call, OPTION_URL) ? EXIT_USAGE : EXIT_FAILED;
	int ret = conf_check_host(conf, &err);
	if (ret == ERR_OK) {
		(call_has(call, OPTION_JSON) ? conf_print_json : conf_print)(conf, &text);
		fputs(text.data, stdout);
		buf_free(&text);
	}
	conf_destroy(conf);
	return ret == ERR_OK ? EXIT_WELL : commands_failed(&err);
}
