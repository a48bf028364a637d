/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_conf_util.h"

#include "conf/document.h"
#include "conf/keys.h"

static void print(const struct folder *folder, struct buf *out)
{
	buf_clear(out);
	conf_print(folder->conf, out);
}

/* What is printed, loaded with the secrets given again, prints the same. */
static void assert_fixed_point(struct folder *folder, char *const *secrets)
{
	struct buf first = { 0 };
	struct buf second = { 0 };

	print(folder, &first);
	assert_loads(folder, first.data, secrets);
	print(folder, &second);
	assert_string_equal(first.data, second.data);
	buf_free(&first);
	buf_free(&second);
}

static void defaults_print_to_a_fixed_point(void **state)
{
	char *secrets[] = { "DADNS_APP_AUTH_PASSWORD=a", "DADNS_DNS_BACKENDS_DC1_PASSWORD=b", NULL };
	struct folder *folder = *state;

	assert_loads(folder, GOOD, NULL);
	assert_fixed_point(folder, secrets);
	assert_int_equal(folder->notices.size, 0);
}

static void odd_values_print_to_a_fixed_point(void **state)
{
	char *secrets[] = { "DADNS_APP_AUTH_PASSWORD=a", "DADNS_DNS_BACKENDS_1E3_PASSWORD=b", NULL };
	struct folder *folder = *state;

	assert_loads(folder,
		"log_level: error\n"
		"app:\n  auth_password: x\n  auth_username: \"quo\\\"te \\\\ #h\xc3\xa9, [x]\"\n  listen_address: \"::\"\n"
		"  control_socket: \"\"\n  exists_parent: 2\n  max_body_bytes: 1024\n"
		"datastore:\n  db_location: \"  two blanks  \"\n"
		"retry:\n  backoff_seconds: [604800, 1]\n"
		"dns:\n  default_backend: nsd\n  backends:\n"
		"    1e3: {type: coredns_mysql, enabled: yes, password: p, ssl_ca: /ca.pem, signed_zones: refuse}\n"
		"    true: {type: coredns_mysql, enabled: yes, unix_socket: /run/db.sock, database: \"null\"}\n"
		"    \"-\": {type: coredns_mysql, ssl: false, ssl_verify: false, port: 1}\n"
		"    ...: {type: later, zones_dir: x}\n"
		"    nsd: {zones_dir: y}\n"
		"    bare:\n",
		NULL);
	assert_int_equal(folder->conf->backend_count, 2);
	assert_int_equal(folder->conf->disabled_count, 4);
	assert_fixed_point(folder, secrets);
	assert_string_equal(folder->conf->auth_username, "quo\"te \\ #h\xc3\xa9, [x]");
	assert_string_equal(folder->conf->store_path, "  two blanks  ");
	assert_string_equal(folder->conf->backends[1].name, "true");
	assert_string_equal(folder->conf->backends[1].database, "null");
	assert_true(folder->conf->backends[0].ssl_verify);
	assert_false(folder->conf->backends[1].ssl_verify);
	assert_string_equal(folder->conf->disabled[0].name, "-");
	assert_int_equal(folder->conf->disabled[0].port, 1);
	assert_string_equal(folder->conf->disabled[1].type, "later");
}

/* Behind one JSON value of RFC 8259 at text; NULL: it is none. */
static const char *behind_json(const char *text)
{
	static const char *const words[] = { "true", "false", "null" };
	char end = *text == '{' ? '}' : ']';

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strncmp(text, words[i], strlen(words[i])) == 0)
			return text + strlen(words[i]);
	}
	if (*text >= '1' && *text <= '9')
		return text + strspn(text, "0123456789");
	if (*text == '0')
		return text + 1;
	if (*text == '"') {
		for (text++; *text != '"'; text++) {
			if ((unsigned char)*text < ' ' || (*text == '\\' && strchr("\\\"", *++text) == NULL))
				return NULL;
		}
		return text + 1;
	}
	if (*text != '{' && *text != '[')
		return NULL;
	text += 1 + strspn(text + 1, " \n");
	if (*text == end)
		return text + 1;
	for (;;) {
		if (end == '}') {
			text = *text == '"' ? behind_json(text) : NULL;
			if (text == NULL || *text++ != ':')
				return NULL;
			text += strspn(text, " \n");
		}
		text = behind_json(text);
		if (text == NULL)
			return NULL;
		text += strspn(text, " \n");
		if (*text == end)
			return text + 1;
		if (*text++ != ',')
			return NULL;
		text += strspn(text, " \n");
	}
}

/* JSON is YAML too: what is printed, loaded with the secrets given again, is the same configuration. */
static void assert_json_is_the_same(struct folder *folder, char *const *secrets)
{
	struct buf yaml = { 0 }, json = { 0 }, again = { 0 };
	const char *end;

	print(folder, &yaml);
	conf_print_json(folder->conf, &json);
	end = behind_json(json.data);
	if (end == NULL || strcmp(end, "\n") != 0)
		fail_msg("not one JSON value: %s", json.data);
	assert_loads(folder, json.data, secrets);
	print(folder, &again);
	assert_string_equal(yaml.data, again.data);
	buf_free(&yaml);
	buf_free(&json);
	buf_free(&again);
}

#define LISTS                                                                                                \
	"  users:\n    - {name: da1, password_file: %s, identities: [da1.example, b]}\n"                             \
	"    - {name: ops, password_file: %s, role: operator}\n"                                                    \
	"reconciliation:\n  enabled: true\n  directadmin_servers:\n"                                                \
	"    - {hostname: da1, username: admin, password_file: %s}\n"                                               \
	"peer_sync:\n  enabled: true\n  auth_password: x\n  peers:\n    - {url: \"http://b\", password_file: %s}\n"

static void lists_print_to_a_fixed_point(void **state)
{
	char *secrets[] = { "DADNS_APP_AUTH_PASSWORD=a", "DADNS_DNS_BACKENDS_DC1_PASSWORD=b",
		"DADNS_PEER_SYNC_AUTH_PASSWORD=c", NULL };
	struct folder *folder = *state;
	struct buf text = { 0 };

	file_put(folder->other, "hidden\n", 7);
	buf_printf(&text, DC1 LOGIN LISTS, folder->other, folder->other, folder->other, folder->other);
	assert_loads(folder, text.data, NULL);
	assert_fixed_point(folder, secrets);
	assert_int_equal(folder->conf->users[0].identity_count, 2);
	assert_string_equal(folder->conf->users[1].password, "hidden");
	assert_json_is_the_same(folder, secrets);
	buf_clear(&text);
	print(folder, &text);
	assert_null(strstr(text.data, "hidden"));
	buf_free(&text);
}

static void the_predecessor_s_file_prints_to_a_fixed_point(void **state)
{
	char *secrets[] = { "DADNS_APP_AUTH_PASSWORD=a", "DADNS_DNS_BACKENDS_COREDNS_DC1_PASSWORD=b",
		"DADNS_DNS_BACKENDS_COREDNS_DC2_PASSWORD=c", NULL };
	struct folder *folder = *state;

	assert_int_equal(conf_load(ZONEFAN_SOURCE_DIR "/tests/data/app-predecessor.yml", NULL, &folder->conf, NULL,
				 &folder->err),
		0);
	assert_fixed_point(folder, secrets);
}

static void secrets_are_masked_and_masks_refused(void **state)
{
	struct folder *folder = *state;
	struct buf text = { 0 };

	assert_loads(folder, GOOD, NULL);
	print(folder, &text);
	assert_contains(text.data, "  auth_password: \"********\"\n");
	assert_contains(text.data, "      password: \"********\"\n");
	assert_null(strstr(text.data, "panel-pass"));
	assert_null(strstr(text.data, "db-pass"));
	assert_int_equal(folder_load(folder, text.data, NULL), ERR_INVALID);
	assert_contains(folder->err.text, "app.auth_password: is the mask that --check prints");
	assert_contains(folder->notices.data, "dns.backends.dc1.password: is the mask");
	buf_free(&text);
}

/* The file that the password would be in is no part of what is effective. */
static void a_secret_of_the_environment_is_printed_instead_of_its_file(void **state)
{
	char *secrets[] = { "DADNS_APP_AUTH_PASSWORD=a", "DADNS_DNS_BACKENDS_DC1_PASSWORD=by-environment", NULL };
	struct folder *folder = *state;
	struct buf text = { 0 };

	file_put(folder->other, "by-file\n", 8);
	buf_printf(&text, "app:\n  auth_password_file: %s\ndns:\n  backends:\n    dc1:\n      type: coredns_mysql\n      enabled: true\n"
		"      password_file: %s\n", folder->other, folder->other);
	assert_loads(folder, text.data, NULL);
	assert_string_equal(folder->conf->backends[0].password, "by-file");
	assert_loads(folder, text.data, secrets);
	assert_string_equal(folder->conf->backends[0].password, "by-environment");
	print(folder, &text);
	assert_contains(text.data, "  auth_password: \"********\"\n");
	assert_contains(text.data, "      password: \"********\"\n");
	assert_json_is_the_same(folder, secrets);
	assert_fixed_point(folder, secrets);
	assert_string_equal(folder->conf->backends[0].password, "by-environment");
	assert_int_equal(folder_load(folder, text.data, NULL), ERR_INVALID);
	assert_contains(folder->err.text, "app.auth_password: is the mask that --check prints");
	buf_free(&text);
}

/* Each live key stands in the print once, under the path that the table gives it; no other key does. */
static void every_live_key_is_printed(void **state)
{
	struct folder *folder = *state;
	struct buf text = { 0 };
	struct document document;
	size_t scalars = 0;
	size_t live = 0;

	assert_loads(folder, DC1 LOGIN "  users: [{name: a, password: b, identities: [c]}]\n  listeners: [{port: 1}]\n"
		"reconciliation: {directadmin_servers: [{hostname: da1}]}\npeer_sync: {peers: [{url: \"http://b\"}]}\n", NULL);
	print(folder, &text);
	assert_int_equal(document_read(text.data, text.size, "print", &document, &folder->err), 0);
	for (size_t i = 0; i < keys_count; i++) {
		const struct key *key = &keys_table[i];
		const char *star = strchr(key->path, '*');
		char path[128];
		size_t hits = 0;

		snprintf(path, sizeof(path), "%.*s%s%s", (int)(star == NULL ? strlen(key->path) : (size_t)(star - key->path)),
			key->path, star == NULL ? "" : "dc1", star == NULL ? "" : star + 1);
		for (size_t j = 0; j < document.count; j++)
			hits += strcmp(document.nodes[j].shown, path) == 0;
		if (hits != (key->state == KEY_LIVE ? 1U : 0U))
			fail_msg("%s is printed %zu times", path, hits);
		live += key->state == KEY_LIVE && strstr(key->path, "[]") == NULL;
	}
	for (size_t j = 0; j < document.count; j++)
		scalars += document.nodes[j].kind != DOCUMENT_MAP && strstr(document.nodes[j].shown, "[]") == NULL &&
			keys_set_of_list(document.nodes[j].shown) == SET_MAIN;
	assert_int_equal(scalars, live);
	document_free(&document);
	buf_free(&text);
}

static void json_says_the_same(void **state)
{
	char *secrets[] = { "DADNS_APP_AUTH_PASSWORD=a", "DADNS_DNS_BACKENDS_1E3_PASSWORD=b", NULL };
	struct folder *folder = *state;

	assert_loads(folder,
		"log_level: error\n"
		"app:\n  auth_password: x\n  auth_username: \"quo\\\"te \\\\ #h\xc3\xa9, [x]\"\n  exists_parent: 0\n"
		"datastore:\n  db_location: \"  two blanks  \"\n"
		"dns:\n  backends:\n"
		"    1e3: {type: coredns_mysql, enabled: yes, password: p, ssl_ca: /ca.pem}\n"
		"    ...: {type: later, zones_dir: x}\n",
		NULL);
	assert_json_is_the_same(folder, secrets);
}

static void json_is_of_the_right_shape_and_masked(void **state)
{
	struct folder *folder = *state;
	struct buf text = { 0 };

	assert_loads(folder, GOOD, NULL);
	conf_print_json(folder->conf, &text);
	assert_ptr_equal(strstr(text.data, "{\n  \"log_level\": \"info\",\n  \"timezone\": \"\",\n  \"app\": {\n"
		"    \"user\": \"\",\n"
		"    \"auth_username\": \"directdnsonly\",\n    \"auth_password\": \"********\",\n"
		"    \"auth_password_file\": \"\",\n"
		"    \"listen_port\": 2222,\n"), text.data);
	assert_contains(text.data, "\n    \"backends\": {\n      \"dc1\": {\n        \"type\": \"coredns_mysql\",\n"
		"        \"enabled\": true,\n");
	assert_contains(text.data, "\"backoff_seconds\": [30, 120, 300, 900, 1800],\n");
	assert_null(strstr(text.data, "panel-pass"));
	assert_null(strstr(text.data, "db-pass"));
	buf_free(&text);
}

static void the_table_is_sound(void **state)
{
	(void)state;
	for (size_t i = 0; i < keys_count; i++) {
		const struct key *key = &keys_table[i];

		assert_ptr_equal(keys_row(key->path), key); /* no path twice */
		assert_true(key->help != NULL && *key->help != '\0');
		if (key->state == KEY_LIVE)
			assert_true(key->size > 0);
		if (key->type == KEY_NUMBER || key->type == KEY_LIST)
			assert_true(key->high > key->low);
		if (key->accepts != NULL)
			assert_non_null(key->wants);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(defaults_print_to_a_fixed_point),
		TEST(odd_values_print_to_a_fixed_point),
		TEST(lists_print_to_a_fixed_point),
		TEST(the_predecessor_s_file_prints_to_a_fixed_point),
		TEST(secrets_are_masked_and_masks_refused),
		TEST(a_secret_of_the_environment_is_printed_instead_of_its_file),
		TEST(every_live_key_is_printed),
		TEST(json_says_the_same),
		TEST(json_is_of_the_right_shape_and_masked),
		TEST(the_table_is_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
