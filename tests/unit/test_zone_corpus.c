/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Zones of tests/data/make_zones.py, whole and damaged. */
#include "test_zone_util.h"

#include <dirent.h>
#include <ftw.h>

#include "base/rng.h"
#include "base/clock.h"

enum { ZONES = 300, DAMAGES_PER_ZONE = 20 };

static char folder[] = "/tmp/zonefan-corpus-XXXXXX";

static int make_corpus(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	char *command = xasprintf("/usr/bin/python3 " ZONEFAN_SOURCE_DIR "/tests/data/make_zones.py --seed 7 %d %s", ZONES,
		folder);
	int status = system(command);
	free(command);
	return status;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *at)
{
	(void)info;
	(void)type;
	(void)at;
	return remove(path);
}

static int remove_corpus(void **state)
{
	(void)state;
	return nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* Calls check for each zone of the corpus and returns how many there were. */
static size_t for_each(void (*check)(const char *plain, const struct buf *text))
{
	DIR *entries = opendir(folder);
	struct buf text = { 0 };
	size_t count = 0;

	assert_non_null(entries);
	for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
		char plain[sizeof(entry->d_name)];
		char *path = xasprintf("%s/%s", folder, entry->d_name);

		strcpy(plain, entry->d_name);
		char *ending = strstr(plain, ".db");
		if (ending != NULL) {
			*ending = '\0';
			read_file(path, &text);
			check(plain, &text);
			count++;
		}
		free(path);
	}
	closedir(entries);
	buf_free(&text);
	return count;
}

static bool seen_types[UINT16_MAX + 1];

static void check_whole(const char *plain, const struct buf *text)
{
	struct zone *zone = parse_size(plain, text->data, text->size);
	size_t count;
	const struct zone_record *records = zone_records(zone, &count);

	assert_true(count >= 15);
	assert_record(zone, "@", "NS", 1, 3600, "ns2.dns-host.example.");
	for (size_t i = 0; i < count; i++)
		seen_types[records[i].type_code] = true;
	if (find_record(zone, "balanced", "A", 0) != NULL)
		assert_int_equal(find_record(zone, "balanced", "A", 2)->ttl, 300);
	if (find_record(zone, "doubled", "A", 0) != NULL) {
		assert_int_equal(find_record(zone, "doubled", "A", 0)->ttl, 3600);
		assert_null(find_record(zone, "doubled", "A", 1));
	}
	assert_fixed_point(zone);
	zone_unref(zone);
}

static void the_corpus_is_right(void **state)
{
	/* A AAAA NS SOA MX TXT CNAME SRV CAA TLSA SSHFP NAPTR HTTPS SVCB DS PTR LOC HINFO RP URI CERT OPENPGPKEY DNAME */
	static const uint16_t types[] = { 1, 28, 2, 6, 15, 16, 5, 33, 257, 52, 44, 35, 65, 64, 43, 12, 29, 13, 17, 256, 37,
		61, 39, 65400, 65401 };

	(void)state;
	assert_int_equal(for_each(check_whole), ZONES);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!seen_types[types[i]])
			fail_msg("type %u does not occur", types[i]);
}

static struct rng rng = { 4711 };
static size_t taken;
static size_t refused;

static void damage(struct buf *text)
{
	static const char odd[] = "\"();\\\n\r\t @$.*#0-\0\x80\xff";
	size_t at = (size_t)rng_between(&rng, 0, (int64_t)text->size - 1);

	switch (rng_between(&rng, 0, 2)) {
	case 0:
		text->data[at] = odd[rng_between(&rng, 0, sizeof(odd) - 2)];
		break;
	case 1:
		text->size = at; /* cut off */
		break;
	default:
		memmove(text->data + at, text->data + at + 1, text->size - at - 1);
		text->size--;
		break;
	}
}

/* Whatever arrives: either a zone in canonical form, or a message with a line that exists. */
static void check_damaged(const char *plain, const struct buf *text)
{
	struct buf copy = { 0 };
	char *name = xasprintf("%s.", plain);

	for (int i = 0; i < DAMAGES_PER_ZONE; i++) {
		struct zone *zone;
		struct err err;
		unsigned long line;
		size_t lines = 1;

		buf_clear(&copy);
		buf_append(&copy, text->data, text->size);
		for (int64_t n = rng_between(&rng, 1, 3); n > 0 && copy.size > 0; n--)
			damage(&copy);
		if (zone_parse(name, copy.data, copy.size, 0, &zone, &err) == 0) {
			assert_fixed_point(zone);
			zone_unref(zone);
			taken++;
			continue;
		}
		refused++;
		for (size_t k = 0; k < copy.size; k++)
			lines += copy.data[k] == '\n';
		assert_int_equal(err.code, ERR_INVALID);
		if (sscanf(err.text, "line %lu: ", &line) != 1 || line < 1 || line > lines)
			fail_msg("%s (of %zu lines)", err.text, lines);
	}
	free(name);
	buf_free(&copy);
}

static void damaged_zones(void **state)
{
	(void)state;
	for_each(check_damaged);
	print_message("%zu taken, %zu refused\n", taken, refused);
	assert_int_equal(taken + refused, ZONES * DAMAGES_PER_ZONE);
	assert_true(taken > 500 && refused > 500);
}

/* A limit far above what it takes, so that only an algorithm gone wrong fails; figures are for the reader. */
static void large_zones_are_quick(void **state)
{
	const struct clock *clock = clock_system();
	struct buf text = { 0 };

	(void)state;
	buf_puts(&text, "$TTL 3600\n@ IN SOA ns1.dns-host.example. hostmaster 1 3600 3600 1209600 86400\n");
	for (uint32_t i = 0; i < 100000; i++)
		buf_printf(&text, "h%u\t3600\tIN\tA\t10.%u.%u.%u\n", (unsigned int)(rng_next(&rng) % 90000), i >> 16, i >> 8 & 255,
			i & 255);
	int64_t start = clock_mono_ms(clock);
	struct zone *zone = parse("large.example", text.data);
	int64_t spent = clock_mono_ms(clock) - start;
	print_message("100,000 records: %lld ms, %zu bytes\n", (long long)spent, zone_memory(zone));
	assert_int_equal(zone_digest(zone)->count, 100001);
	assert_true(spent < 10000);
	zone_unref(zone);
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_corpus_is_right),
		cmocka_unit_test(damaged_zones),
		cmocka_unit_test(large_zones_are_quick),
	};
	return cmocka_run_group_tests(tests, make_corpus, remove_corpus);
}
