/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/zone.h"

#include <libknot/libknot.h>
#include <libzscanner/scanner.h>
#include <stdlib.h>
#include <string.h>

#include "zone/draft.h"
#include "zone/record.h"
#include "zone/text.h"

enum {
	TTL_FALLBACK = 3600, /* no TTL was stated anywhere before: BIND refuses, others take their default */
	SOA_NUMBERS = 5 * 4, /* serial, refresh, retry, expire, minimum end an SOA's data */
	EXCERPT = 60
};

/* What the scanner's default TTL is set to before each record, to see whether the record states one. */
#define TTL_UNSTATED UINT32_C(4294967281)
#define TTL_MOST UINT32_C(2147483647)

struct parse {
	struct text text;
	zs_scanner_t *scanner;
	zs_scanner_t *reader; /* for reads_back; NULL until it is needed */
	struct draft draft;
	const char *name;
	uint8_t zone[RECORD_WIRE_NAME_SIZE];
	size_t zone_size;
	uint8_t owner[RECORD_WIRE_NAME_SIZE]; /* of the last record: neighbours often share it */
	size_t owner_size;
	size_t owner_at;
	size_t end; /* of the last record */
	uint64_t counted; /* the scanner's own line count before the record */
	bool soa_seen;
	bool ttl_fixed;    /* by $TTL, or by the minimum of an SOA without TTL: the default from here on */
	uint32_t last_ttl; /* the last one stated, or TTL_UNSTATED (RFC 1035 5.1) */
};

/* Where the scanner stands: at the end of the record's last line, or on the line of an error. */
static size_t position(const struct parse *parse)
{
	uintptr_t start = (uintptr_t)parse->text.data;
	uintptr_t at = (uintptr_t)parse->scanner->input.current;

	/* At the end of the input it stands in a buffer of its own. */
	return at >= start && at - start < parse->text.size ? at - start : parse->text.size - 1;
}

static size_t record_line(const struct parse *parse)
{
	return text_line(&parse->text, text_record_start(&parse->text, position(parse)));
}

static bool word_is(struct text_piece word, const char *text)
{
	return word.size == strlen(text) && strncasecmp(word.data, text, word.size) == 0;
}

/* A class other than IN before the type; such a record is "unsupported type" to the scanner. */
static struct text_piece foreign_class(struct text_piece line)
{
	static const char *const names[] = { "CH", "CHAOS", "HS", "HESIOD", "CS", "NONE", "CLASS3", "CLASS4" };

	if (!line.indented)
		text_next_word(&line);
	for (;;) {
		struct text_piece word = text_next_word(&line);

		if (word.size > 0 && word.data[0] >= '0' && word.data[0] <= '9')
			continue; /* the TTL may stand before the class */
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			if (word_is(word, names[i]))
				return word;
		return (struct text_piece){ 0 };
	}
}

/* A piece of the line for the reader of the message: printable, short. */
static const char *excerpt(struct text_piece line, char out[EXCERPT + 1])
{
	size_t size = line.size < EXCERPT ? line.size : EXCERPT;

	for (size_t i = 0; i < size; i++)
		out[i] = line.data[i] >= ' ' && line.data[i] <= '~' ? line.data[i] : ' ';
	out[size] = '\0';
	if (line.size > EXCERPT)
		memcpy(out + size - 3, "...", 3);
	return out;
}

/* A place on the line that a syntax error is about. */
static size_t error_position(const struct parse *parse)
{
	size_t at = position(parse);

	if (parse->scanner->error.code == ZS_UNCLOSED_MULTILINE)
		return text_record_start(&parse->text, at);
	if (parse->scanner->error.code != ZS_UNCOVERED_STATE)
		return at;
	/* The scanner still stands where it began, but has counted lines. */
	for (uint64_t n = parse->counted; n < parse->scanner->line_counter; n++) {
		const char *end = memchr(parse->text.data + at, '\n', parse->text.size - at);

		if (end == NULL || end + 1 == parse->text.data + parse->text.size)
			break;
		at = (size_t)(end + 1 - parse->text.data);
	}
	return at;
}

static int refuse_syntax(const struct parse *parse, struct err *err)
{
	int code = parse->scanner->error.code;
	size_t at = error_position(parse);
	size_t line = text_line(&parse->text, at);
	struct text_piece content = text_line_content(&parse->text, at);
	struct text_piece rest = content;
	struct text_piece word = text_next_word(&rest);
	struct text_piece class = foreign_class(content);
	char part[EXCERPT + 1];

	if (word_is(word, "$INCLUDE") || word_is(word, "$GENERATE"))
		return err_set(err, ERR_INVALID, "line %zu: %.*s is not accepted", line, (int)word.size, word.data);
	if (parse->scanner->state == ZS_STATE_INCLUDE)
		return err_set(err, ERR_INVALID, "line %zu: $INCLUDE is not accepted", line);
	if (class.size > 0)
		return err_set(err, ERR_INVALID, "line %zu: class %.*s is not IN", line, (int)class.size, class.data);
	const char *what = zs_strerror(code);
	if (code == ZS_DOS_NEWLINE)
		what = "carriage return without a line feed";
	else if (code == ZS_UNCLOSED_MULTILINE)
		what = "parenthesis is never closed";
	return err_set(err, ERR_INVALID, "line %zu: %s: %s", line, what, excerpt(content, part));
}

/* For what is wrong with a record that the scanner took: the line where it begins, and whose it is. */
static int refuse_record(const struct parse *parse, const char *what, struct err *err)
{
	char owner[KNOT_DNAME_TXT_MAXLEN + 1];
	char type[RECORD_TYPE_SIZE];

	if (knot_dname_to_str(owner, parse->scanner->r_owner, sizeof(owner)) == NULL)
		owner[0] = '\0';
	return err_set(err, ERR_INVALID, "line %zu: %s: %s %s", record_line(parse), what, owner,
		record_print_type(parse->scanner->r_type, type));
}

static uint32_t load_u32(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/*
 * The default TTL is $TTL (RFC 2308 4), else the last TTL stated (RFC 1035 5.1), else, for the SOA, its minimum,
 * which then stays the default, as BIND has it.
 */
static uint32_t record_ttl(struct parse *parse)
{
	const zs_scanner_t *scanner = parse->scanner;
	uint32_t ttl = scanner->r_ttl;

	if (!parse->ttl_fixed && ttl == TTL_UNSTATED) {
		ttl = parse->last_ttl;
		if (ttl == TTL_UNSTATED && scanner->r_type == KNOT_RRTYPE_SOA) {
			ttl = load_u32(scanner->r_data + scanner->r_data_length - 4);
			parse->scanner->default_ttl = ttl;
			parse->ttl_fixed = true;
		} else if (ttl == TTL_UNSTATED) {
			ttl = TTL_FALLBACK;
		}
	} else if (!parse->ttl_fixed) {
		parse->last_ttl = ttl;
	}
	return ttl > TTL_MOST ? TTL_MOST : ttl;
}

static int take_soa(struct parse *parse, bool apex, struct err *err)
{
	const zs_scanner_t *scanner = parse->scanner;

	if (!apex)
		return refuse_record(parse, "SOA outside of the apex", err);
	if (parse->soa_seen)
		return refuse_record(parse, "second SOA", err);
	parse->soa_seen = true;
	parse->draft.serial = load_u32(scanner->r_data + scanner->r_data_length - SOA_NUMBERS);
	return 0;
}

/* The owner's text goes to the draft's strings once for neighbours. */
static int take_owner(struct parse *parse, struct err *err)
{
	const zs_scanner_t *scanner = parse->scanner;
	char text[RECORD_OWNER_SIZE];

	if (parse->owner_size == scanner->r_owner_length &&
		memcmp(parse->owner, scanner->r_owner, parse->owner_size) == 0)
		return 0;
	if (!record_print_owner(scanner->r_owner, scanner->r_owner_length, parse->zone, parse->zone_size, text))
		return refuse_record(parse, "owner is out of the zone", err);
	parse->owner_size = scanner->r_owner_length;
	memcpy(parse->owner, scanner->r_owner, parse->owner_size);
	parse->owner_at = parse->draft.strings.size;
	buf_append(&parse->draft.strings, text, strlen(text) + 1);
	return 0;
}

/* The record's data may have the generic form of RFC 3597. */
static bool is_raw(const struct parse *parse)
{
	const char *at = parse->text.data + parse->end;
	const char *end = parse->text.data + position(parse);

	return memmem(at, (size_t)(end - at), "\\#", 2) != NULL;
}

/* The printed data means the very bytes that were pushed. */
static bool reads_back(struct parse *parse, const char *data)
{
	struct buf line = { 0 };
	char type[RECORD_TYPE_SIZE];
	bool same = false;

	if (parse->reader == NULL) {
		parse->reader = xmalloc(sizeof(*parse->reader));
		CHECK(zs_init(parse->reader, ".", KNOT_CLASS_IN, 0) == 0);
	}
	buf_printf(&line, ". %s %s\n", record_print_type(parse->scanner->r_type, type), data);
	CHECK(zs_set_input_string(parse->reader, line.data, line.size) == 0);
	if (zs_parse_record(parse->reader) == 0 && parse->reader->state == ZS_STATE_DATA)
		same = parse->reader->r_data_length == parse->scanner->r_data_length &&
			memcmp(parse->reader->r_data, parse->scanner->r_data, parse->reader->r_data_length) == 0;
	buf_free(&line);
	return same;
}

/* Appends the record's data to the draft's strings. */
static int take_data(struct parse *parse, struct err *err)
{
	zs_scanner_t *scanner = parse->scanner;
	struct buf *strings = &parse->draft.strings;
	size_t at = strings->size;
	/* libzscanner (3.2) makes other bytes of a backslash in alpn. */
	bool doubtful = scanner->r_type == KNOT_RRTYPE_SVCB || scanner->r_type == KNOT_RRTYPE_HTTPS;
	int status;

	if (record_type_name(scanner->r_type) != NULL && is_raw(parse)) {
		status = record_print_raw(scanner->r_type, scanner->r_data, scanner->r_data_length, strings, err);
		doubtful = true;
	} else {
		status = record_print_data(scanner->r_type, scanner->r_data, scanner->r_data_length, strings, err);
	}
	if (status == 0 && doubtful && !reads_back(parse, strings->data + at))
		status = ERR_INVALID;
	return status == 0 ? 0 : refuse_record(parse, "malformed data", err);
}

static int take_record(struct parse *parse, struct err *err)
{
	zs_scanner_t *scanner = parse->scanner;

	if (scanner->r_class != KNOT_CLASS_IN)
		return refuse_record(parse, "class is not IN", err);
	if (!record_type_is_data(scanner->r_type))
		return refuse_record(parse, "type cannot stand in a zone", err);
	int status = take_owner(parse, err);
	if (status != 0)
		return status;
	struct draft_record record = {
		.owner.at = parse->owner_at,
		.data.at = parse->draft.strings.size,
		.end = position(parse),
		.type = scanner->r_type,
	};
	status = take_data(parse, err);
	if (status == 0 && scanner->r_type == KNOT_RRTYPE_SOA)
		status = take_soa(parse, parse->owner_size == parse->zone_size, err);
	if (status != 0)
		return status;
	if (scanner->r_type == KNOT_RRTYPE_RRSIG)
		record.covered = (uint16_t)(scanner->r_data[0] << 8 | scanner->r_data[1]);
	record.ttl = record_ttl(parse);
	parse->end = record.end;
	draft_add(&parse->draft, &record);
	return 0;
}

/* A line of blanks, or a comment behind blanks, before any owner: an error to libzscanner 3.2 only. */
static bool is_blank_line(const struct parse *parse)
{
	struct text_piece line = text_line_content(&parse->text, position(parse));

	return parse->scanner->error.code == ZS_BAD_PREVIOUS_OWNER && (line.size == 0 || line.data[0] == ';');
}

/* zs_parse_all would open what $INCLUDE names: a pushed zone could read a file of this host. */
static int scan(struct parse *parse, size_t max_records, struct err *err)
{
	zs_scanner_t *scanner = parse->scanner;

	for (;;) {
		if (!parse->ttl_fixed)
			scanner->default_ttl = TTL_UNSTATED;
		parse->counted = scanner->line_counter;
		if (zs_parse_record(scanner) != 0)
			return refuse_syntax(parse, err);
		if (scanner->default_ttl != TTL_UNSTATED)
			parse->ttl_fixed = true; /* a $TTL stood before the record */
		if (scanner->state == ZS_STATE_EOF)
			return 0;
		if (scanner->state == ZS_STATE_ERROR && is_blank_line(parse))
			continue;
		if (scanner->state != ZS_STATE_DATA)
			return refuse_syntax(parse, err);
		if (max_records != 0 && parse->draft.count == max_records)
			return err_set(err, ERR_INVALID, "line %zu: more than %zu records",
				record_line(parse), max_records);
		int status = take_record(parse, err);
		if (status != 0)
			return status;
	}
}

static int parse_text(struct parse *parse, size_t max_records, struct zone **out, struct err *err)
{
	CHECK(zs_set_input_string(parse->scanner, parse->text.data, parse->text.size) == 0);
	int status = scan(parse, max_records, err);
	if (status != 0)
		return status;
	if (!parse->soa_seen)
		return err_set(err, ERR_INVALID, "line %zu: %s", text_line(&parse->text, parse->text.size - 1),
			parse->draft.count == 0 ? "the zone is empty" : "the zone has no SOA");
	return draft_finish(&parse->draft, parse->name, &parse->text, out, err);
}

static void free_scanner(zs_scanner_t *scanner)
{
	if (scanner != NULL)
		zs_deinit(scanner);
	free(scanner);
}

int zone_parse(const char *name, const char *text, size_t length, size_t max_records, struct zone **out,
	struct err *err)
{
	struct parse parse = { .name = name, .last_ttl = TTL_UNSTATED };

	CHECK(knot_dname_from_str(parse.zone, name, sizeof(parse.zone)) != NULL);
	parse.zone_size = knot_dname_size(parse.zone);
	int status = text_open(&parse.text, text, length, err);
	if (status != 0)
		return status;
	parse.scanner = xmalloc(sizeof(*parse.scanner));
	CHECK(zs_init(parse.scanner, name, KNOT_CLASS_IN, TTL_UNSTATED) == 0);
	status = parse_text(&parse, max_records, out, err);
	free_scanner(parse.scanner);
	free_scanner(parse.reader);
	draft_free(&parse.draft);
	text_close(&parse.text);
	return status;
}
