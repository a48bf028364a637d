/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/gate.h"

#include <string.h>
#include <strings.h>

enum state {
	STATE_BLANK,      /* before a request */
	STATE_REQUEST,    /* in the request line */
	STATE_HEADERS,
	STATE_COUNTED,    /* in a counted body, or at the end of a request without one */
	STATE_SIZE,       /* in a chunk-size line */
	STATE_SIZE_LF,
	STATE_CHUNK,
	STATE_CHUNK_CR,
	STATE_CHUNK_LF,
	STATE_LAST_CR,    /* behind the size line of the last chunk: no trailers */
	STATE_LAST_LF,
	STATE_END,
	STATE_REFUSED
};

/* "POST " before the target and " HTTP/1.1" with its line end behind it, and a long wrong method's name. */
enum { REQUEST_LINE_MAX = GATE_TARGET_MAX + 64 };

enum { CHUNK_DIGITS_MAX = 8 };

void gate_init(struct gate *gate, size_t max_body)
{
	*gate = (struct gate){ .max_body = max_body, .state = STATE_BLANK };
}

void gate_reset(struct gate *gate)
{
	struct buf text = gate->text;

	CHECK(gate->state == STATE_END);
	buf_free(&gate->forwarded);
	gate_init(gate, gate->max_body);
	/* The head of a request with a long target need not stay while a connection idles. */
	if (text.capacity > 4096)
		buf_free(&text);
	buf_clear(&text);
	gate->text = text;
}

void gate_free(struct gate *gate)
{
	buf_free(&gate->text);
	buf_free(&gate->forwarded);
}

bool gate_started(const struct gate *gate)
{
	return gate->state != STATE_BLANK;
}

static bool refuse(struct gate *gate, int status, const char *reason)
{
	gate->status = status;
	gate->reason = reason;
	gate->state = STATE_REFUSED;
	return false;
}

/* RFC 9110 5.6.2 */
static bool is_token_char(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		(c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static size_t token_length(const char *text)
{
	size_t length = 0;

	while (is_token_char((unsigned char)text[length]))
		length++;
	return length;
}

static bool check_version(struct gate *gate, const char *version)
{
	if (strcmp(version, "HTTP/1.0") == 0)
		gate->minor = 0;
	else if (strcmp(version, "HTTP/1.1") == 0)
		gate->minor = 1;
	else if (strncmp(version, "HTTP/", 5) == 0)
		return refuse(gate, 505, "HTTP version not supported");
	else
		return refuse(gate, 400, "malformed request line");
	return true;
}

static bool check_method(struct gate *gate, const char *method, size_t length)
{
	if (length == 3 && memcmp(method, "GET", 3) == 0) {
		gate->method = GATE_GET;
		return true;
	}
	if (length == 4 && memcmp(method, "POST", 4) == 0) {
		gate->method = GATE_POST;
		return true;
	}
	gate->body_unwanted = length == 4 && memcmp(method, "HEAD", 4) == 0;
	return refuse(gate, 405, "method not allowed");
}

static bool check_target(struct gate *gate, const char *target, size_t length)
{
	if (target[0] != '/')
		return refuse(gate, 400, "the request target must be a path");
	if (length > GATE_TARGET_MAX)
		return refuse(gate, 400, "the request target is too long");
	bool in_query = false;
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)target[i];
		in_query = in_query || c == '?';
		if (c < ' ' || c == 0x7f || (!in_query && (c == ' ' || c > 0x7f || c == '#')))
			return refuse(gate, 400, "a character is not allowed in the request target");
	}
	return true;
}

/*
 * Where the target ends. A client that does not encode what somebody types may leave blanks in a GET's query: then the
 * version is behind the last one. Nothing else of the head depends on it, and a GET has no body.
 */
static char *end_of_target(const char *line, char *target)
{
	char *space = strchr(target, ' ');
	const char *query = strchr(target, '?');

	if (space != NULL && query != NULL && query < space && strncmp(line, "GET ", 4) == 0)
		space = strrchr(target, ' ');
	return space;
}

static bool take_request_line(struct gate *gate, char *line)
{
	size_t method_length = token_length(line);
	char *target = line + method_length + 1;
	char *space;

	if (method_length == 0 || line[method_length] != ' ')
		return refuse(gate, 400, "malformed request line");
	space = end_of_target(line, target);
	if (space == NULL || space == target)
		return refuse(gate, 400, "malformed request line");
	*space = '\0';
	if (!check_version(gate, space + 1) || !check_method(gate, line, method_length) ||
		!check_target(gate, target, (size_t)(space - target)))
		return false;
	gate->target_at = (size_t)(target - gate->text.data);
	gate->state = STATE_HEADERS;
	return true;
}

static bool take_length(struct gate *gate, const char *value)
{
	uint64_t length = 0;

	if (gate->has_length)
		return refuse(gate, 400, "Content-Length is given twice");
	gate->has_length = true;
	if (*value == '\0')
		return refuse(gate, 400, "malformed Content-Length");
	for (; *value != '\0'; value++) {
		if (*value < '0' || *value > '9')
			return refuse(gate, 400, "malformed Content-Length");
		length = length * 10 + (uint64_t)(*value - '0');
		if (length > UINT64_MAX / 16)
			length = UINT64_MAX / 16; /* over any limit, and the next digit cannot wrap it */
	}
	gate->length = length;
	return true;
}

static bool take_coding(struct gate *gate, const char *value)
{
	if (gate->has_coding)
		return refuse(gate, 400, "Transfer-Encoding is given twice");
	gate->has_coding = true;
	if (strcmp(value, "chunked") != 0)
		return refuse(gate, 400, "this Transfer-Encoding is not supported");
	gate->chunked = true;
	return true;
}

static void take_connection(struct gate *gate, const char *value)
{
	while (*value != '\0') {
		size_t length = token_length(value);

		if (length == 5 && strncasecmp(value, "close", 5) == 0)
			gate->wants_close = true;
		if (length == 10 && strncasecmp(value, "keep-alive", 10) == 0)
			gate->wants_keep_alive = true;
		value += length;
		value += strcspn(value, ",");
		value += strspn(value, ", \t");
	}
}

/* Headers that are read later: where their values stand. */
static bool take_kept_header(struct gate *gate, const char *name, const char *value)
{
	const struct {
		const char *name, *twice;
		size_t *at;
	} kept[] = {
		{ "Host", "Host is given twice", &gate->host_at },
		{ "Authorization", "Authorization is given twice", &gate->authorization_at },
		{ "Origin", "Origin is given twice", &gate->origin_at },
		{ "Sec-Fetch-Site", "Sec-Fetch-Site is given twice", &gate->fetch_site_at },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		if (strcasecmp(name, kept[i].name) != 0)
			continue;
		if (*kept[i].at != 0)
			return refuse(gate, 400, kept[i].twice);
		*kept[i].at = (size_t)(value - gate->text.data);
	}
	return true;
}

static bool take_known_header(struct gate *gate, const char *name, char *value)
{
	if (strcasecmp(name, "Content-Length") == 0)
		return take_length(gate, value);
	if (strcasecmp(name, "Transfer-Encoding") == 0)
		return take_coding(gate, value);
	if (strcasecmp(name, "Connection") == 0)
		take_connection(gate, value);
	if (strcasecmp(name, "Expect") == 0) {
		if (strcasecmp(value, "100-continue") != 0)
			return refuse(gate, 417, "this expectation is not supported");
		gate->expect_continue = true;
	}
	if (strcasecmp(name, "X-Forwarded-For") == 0) {
		buf_puts(&gate->forwarded, gate->forwarded.size > 0 ? "," : "");
		buf_puts(&gate->forwarded, value);
	}
	return take_kept_header(gate, name, value);
}

static bool take_header_line(struct gate *gate, char *line)
{
	size_t name_length = token_length(line);
	char *value = line + name_length + 1;
	size_t length;

	if (++gate->headers > GATE_HEADERS_MAX)
		return refuse(gate, 400, "too many headers");
	if (name_length == 0 || line[name_length] != ':')
		return refuse(gate, 400, "malformed header");
	line[name_length] = '\0';
	value += strspn(value, " \t");
	length = strlen(value);
	while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
		value[--length] = '\0';
	return take_known_header(gate, line, value);
}

static bool finish_head(struct gate *gate)
{
	if (gate->chunked && gate->minor == 0)
		return refuse(gate, 400, "Transfer-Encoding is not for HTTP/1.0");
	if (gate->chunked && gate->has_length)
		return refuse(gate, 400, "Transfer-Encoding and Content-Length are both given");
	if (gate->method == GATE_GET && (gate->chunked || gate->length > 0))
		return refuse(gate, 400, "a GET request has no body");
	if (gate->length > gate->max_body)
		return refuse(gate, 413, "the body is too large");
	gate->left = gate->length;
	gate->state = gate->chunked ? STATE_SIZE : STATE_COUNTED;
	return true;
}

/* The line from line_start to the end of text, line end included. False: refused. */
static bool take_line(struct gate *gate)
{
	char *line = gate->text.data + gate->line_start;
	size_t length = gate->text.size - gate->line_start;

	if (length < 2 || line[length - 2] != '\r')
		return refuse(gate, 400, "a line ends without CR");
	length -= 2;
	line[length] = '\0';
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)line[i];
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return refuse(gate, 400, "a control character in the head");
	}
	gate->line_start = gate->text.size;
	if (gate->state == STATE_REQUEST)
		return take_request_line(gate, line);
	gate->headers_size += length + 2;
	if (gate->headers_size > GATE_HEADERS_SIZE_MAX)
		return refuse(gate, 400, "the headers are too large");
	if (length == 0)
		return finish_head(gate);
	return take_header_line(gate, line);
}

/* The unfinished line is already too long, or can never become a good one. */
static bool check_partial_line(struct gate *gate)
{
	const char *line = gate->text.data + gate->line_start;
	size_t length = gate->text.size - gate->line_start;

	if (memchr(line, '\0', length) != NULL)
		return refuse(gate, 400, "a control character in the head");
	if (gate->state == STATE_REQUEST && length > REQUEST_LINE_MAX)
		return refuse(gate, 400, "the request target is too long");
	if (gate->state == STATE_HEADERS && gate->headers_size + length > GATE_HEADERS_SIZE_MAX)
		return refuse(gate, 400, "the headers are too large");
	return true;
}

static size_t feed_head(struct gate *gate, const char *data, size_t size)
{
	size_t used = 0;

	while (used < size && (gate->state == STATE_REQUEST || gate->state == STATE_HEADERS)) {
		const char *end = memchr(data + used, '\n', size - used);
		size_t part = end != NULL ? (size_t)(end - (data + used)) + 1 : size - used;

		buf_append(&gate->text, data + used, part);
		used += part;
		/* The limits hold for a whole line too: one read can bring much. */
		if (!check_partial_line(gate) || (end != NULL && !take_line(gate)))
			break;
	}
	return used;
}

static size_t feed_blank(struct gate *gate, const char *data, size_t size)
{
	size_t used = 0;

	while (used < size && (data[used] == '\r' || data[used] == '\n')) {
		used++;
		if (++gate->blank > GATE_BLANK_MAX) {
			refuse(gate, 400, "malformed request line");
			return used;
		}
	}
	if (used == size)
		return used;
	if (!is_token_char((unsigned char)data[used])) /* a TLS hello, for one: no use to wait for a line end */
		refuse(gate, 400, "malformed request line");
	else
		gate->state = STATE_REQUEST;
	return used;
}

static int hex_digit(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool take_size_digit(struct gate *gate, char c)
{
	int digit = hex_digit((unsigned char)c);

	if (c == '\r' && gate->digits > 0) {
		gate->state = STATE_SIZE_LF;
		return true;
	}
	if (digit < 0 || ++gate->digits > CHUNK_DIGITS_MAX)
		return refuse(gate, 400, "malformed chunk size");
	gate->left = gate->left * 16 + (uint64_t)digit;
	return true;
}

static bool begin_chunk(struct gate *gate)
{
	gate->digits = 0;
	gate->taken += gate->left;
	if (gate->taken > gate->max_body)
		return refuse(gate, 413, "the body is too large");
	gate->state = gate->left == 0 ? STATE_LAST_CR : STATE_CHUNK;
	return true;
}

/* One byte of chunk framing. */
static bool take_framing(struct gate *gate, char c)
{
	switch ((enum state)gate->state) {
	case STATE_SIZE:
		return take_size_digit(gate, c);
	case STATE_SIZE_LF:
		return c == '\n' ? begin_chunk(gate) : refuse(gate, 400, "malformed chunk size");
	case STATE_CHUNK_CR:
		gate->state = STATE_CHUNK_LF;
		return c == '\r' || refuse(gate, 400, "a chunk is longer than its size");
	case STATE_CHUNK_LF:
		gate->state = STATE_SIZE;
		return c == '\n' || refuse(gate, 400, "a chunk is longer than its size");
	case STATE_LAST_CR:
		gate->state = STATE_LAST_LF;
		return c == '\r' || refuse(gate, 400, "trailers are not supported");
	case STATE_LAST_LF:
		gate->state = STATE_END;
		return c == '\n' || refuse(gate, 400, "trailers are not supported");
	default:
		WRONG("gate state");
	}
}

static size_t feed_chunked(struct gate *gate, const char *data, size_t size)
{
	size_t used = 0;

	while (used < size && gate->state != STATE_END) {
		if (gate->state == STATE_CHUNK) {
			size_t part = gate->left < size - used ? (size_t)gate->left : size - used;

			used += part;
			gate->left -= part;
			if (gate->left == 0)
				gate->state = STATE_CHUNK_CR;
		} else if (!take_framing(gate, data[used++])) {
			break;
		}
	}
	return used;
}

static size_t feed_counted(struct gate *gate, size_t size)
{
	size_t part = gate->left < size ? (size_t)gate->left : size;

	gate->left -= part;
	if (gate->left == 0)
		gate->state = STATE_END;
	return part;
}

static enum gate_step step_of(const struct gate *gate, bool in_head)
{
	if (gate->state == STATE_REFUSED)
		return GATE_REFUSED;
	if (gate->state == STATE_END)
		return GATE_END;
	if (gate->state <= STATE_HEADERS)
		return GATE_MORE;
	return in_head ? GATE_HEAD : GATE_BODY;
}

size_t gate_feed(struct gate *gate, const char *data, size_t size, enum gate_step *step)
{
	bool in_head = gate->state <= STATE_HEADERS;
	size_t used = 0;

	CHECK(gate->state != STATE_REFUSED && gate->state != STATE_END);
	if (gate->state == STATE_BLANK)
		used = feed_blank(gate, data, size);
	if (gate->state == STATE_REQUEST || gate->state == STATE_HEADERS)
		used += feed_head(gate, data + used, size - used);
	else if (!in_head && gate->state == STATE_COUNTED)
		used = feed_counted(gate, size);
	else if (!in_head)
		used = feed_chunked(gate, data, size);
	*step = step_of(gate, in_head);
	return used;
}

struct gate_head gate_head(const struct gate *gate)
{
	const char *text = gate->text.data;
	bool keep_alive = gate->minor == 0 ? gate->wants_keep_alive : true;

	CHECK(gate->target_at != 0);
	return (struct gate_head){
		.method = gate->method,
		.target = text + gate->target_at,
		.authorization = gate->authorization_at != 0 ? text + gate->authorization_at : NULL,
		.host = gate->host_at != 0 ? text + gate->host_at : NULL,
		.origin = gate->origin_at != 0 ? text + gate->origin_at : NULL,
		.fetch_site = gate->fetch_site_at != 0 ? text + gate->fetch_site_at : NULL,
		.forwarded = gate->forwarded.size > 0 ? gate->forwarded.data : "",
		.minor = gate->minor,
		.keep_alive = keep_alive && !gate->wants_close,
		.expect_continue = gate->expect_continue && gate->minor == 1,
		.chunked = gate->chunked,
		.length = gate->length,
	};
}
