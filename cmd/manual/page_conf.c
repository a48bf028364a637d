/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "manual.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "key_text.h"
#include "program.h"
#include "roff.h"

static const char description[] =
	"YAML, also JSON. A key stands for a path: app.listen_port is listen_port within app. A key that is not known is an error, and the "
	"nearest known one is named; zonefand --check says what is wrong, and prints the effective configuration with secrets masked.\n"
	"The first file of these counts, unless --config names one: " PROGRAM_CONFIG_FILES ".\n"
	"A variable of the environment counts more than the file. Those named below are there for every key outside of lists (in \"[]\"); in "
	"DADNS_DNS_BACKENDS_NAME_..., NAME is a back end's name in capitals, with _ for what is neither letter nor digit. "
	"Commas separate the elements of a list there. A value has at most 4096 bytes; a list, from the file too, 16384 with its commas, "
	"of numbers 64 elements.\n"
	"A password may stand in a file, also for a key without a key of its own for that: the variable with _FILE behind its name, such as "
	"DADNS_APP_AUTH_PASSWORD_FILE, names the file. One newline at its end is not part of the password.";

static const char example[] =
	"app:\n"
	"  user: zonefan\n"
	"  auth_username: directdnsonly\n"
	"  auth_password: use-a-long-random-one\n"
	"  listen_port: 2222\n"
	"datastore:\n"
	"  db_location: /var/lib/zonefan/zonefan.db\n"
	"dns:\n"
	"  backends:\n"
	"    dc1:\n"
	"      type: coredns_mysql\n"
	"      enabled: true\n"
	"      host: 192.0.2.10\n"
	"      username: zonefan\n"
	"      password: one\n";

/* Keys stay together by what stands before their last dot. */
static size_t head_size(const struct key *key)
{
	const char *dot = strrchr(key->path, '.');

	return dot == NULL ? 0 : (size_t)(dot - key->path);
}

static void put_head(struct buf *out, const struct key *key)
{
	char *head = xmemdup(key->path, head_size(key));

	roff_part(out, *head == '\0' ? "at the top" : head);
	if (keys_set(key) == SET_BACKENDS)
		roff_text(out, "A mapping: instead of * stands the name of each back end.");
	else if (keys_set(key) != SET_MAIN)
		roff_text(out, "A list of mappings.");
	free(head);
}

static void put_key(struct buf *out, const struct key *key)
{
	struct buf beside = { 0 };
	struct buf variable = { 0 };
	struct buf help = { 0 };
	const char *preset = key_text_default(key);

	buf_puts(&beside, "(");
	key_text_values(key, &beside);
	if (preset != NULL)
		buf_printf(&beside, "%sdefault: %s", beside.size == 1 ? "" : "; ", preset);
	buf_puts(&beside, ")");
	roff_entry(out, key->path, beside.size == 2 ? NULL : beside.data);
	key_text_help(key, &help);
	roff_text(out, help.data);
	key_text_variable(key, &variable);
	if (variable.size > 0) {
		buf_puts(out, ".br\n");
		roff_text(out, variable.data);
	}
	buf_free(&help);
	buf_free(&variable);
	buf_free(&beside);
}

static void put_live(struct buf *out)
{
	const struct key *before = NULL;

	for (size_t i = 0; i < keys_count; i++) {
		const struct key *key = &keys_table[i];

		if (key->state != KEY_LIVE)
			continue;
		if (before == NULL || head_size(key) != head_size(before) ||
			strncmp(key->path, before->path, head_size(key)) != 0)
			put_head(out, key);
		put_key(out, key);
		before = key;
	}
}

static void put_others(struct buf *out, const char *title, const char *text, enum key_state one, enum key_state other,
	bool by_variable)
{
	roff_part(out, title);
	roff_text(out, text);
	for (size_t i = 0; i < keys_count; i++) {
		const struct key *key = &keys_table[i];
		struct buf variable = { 0 };

		if ((key->state != one && key->state != other) || key->environment_only != by_variable)
			continue;
		key_text_variable(key, &variable);
		roff_entry(out, by_variable ? variable.data : key->path, NULL);
		roff_text(out, key->help);
		buf_free(&variable);
	}
}

void manual_page_conf(struct buf *out)
{
	static const struct roff_page page = { "zonefan.yml", 5, "the configuration of zonefand (app.yml)" };

	roff_begin(out, &page);
	roff_section(out, "DESCRIPTION");
	roff_paragraphs(out, description);
	roff_section(out, "KEYS");
	put_live(out);
	roff_section(out, "KEYS OF DIRECTDNSONLY");
	roff_text(out, "Its configuration may stay as it is.");
	put_others(out, "peers by the environment", "Instead of 1 any digit from 1 to 9 is for one more.", KEY_TAKEN, KEY_TAKEN,
		true);
	put_others(out, "without meaning here", "Accepted with a notice.", KEY_OLD, KEY_TAKEN, false);
	put_others(out, "of what is not there", "Accepted while nothing uses them.", KEY_LATER, KEY_LATER, false);
	roff_section(out, "EXAMPLE");
	roff_example(out, example);
	roff_see_also(out, &page);
}
