/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/value.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "base/check.h"
#include "base/cidr.h"

bool value_number(const char *text, int64_t *out)
{
	int64_t number = 0;

	if (*text == '\0' || (text[0] == '0' && text[1] != '\0'))
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		if (number > (INT64_MAX - (*text - '0')) / 10)
			return false;
		number = number * 10 + (*text - '0');
	}
	*out = number;
	return true;
}

bool value_bool(const char *text, bool *out)
{
	static const char *const names[] = { "false", "true", "no", "yes", "off", "on", "0", "1" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcasecmp(names[i], text) == 0) {
			*out = i % 2 == 1;
			return true;
		}
	}
	return false;
}

bool value_level(const char *text, enum log_level *out)
{
	if (strcasecmp(text, "trace") == 0)
		*out = LOG_LEVEL_DEBUG;
	else if (strcasecmp(text, "success") == 0)
		*out = LOG_LEVEL_INFO;
	else
		return log_level_parse(text, out);
	return true;
}

const char *value_level_name(enum log_level level)
{
	static const char *const names[] = { "debug", "info", "warning", "error" };

	CHECK((size_t)level < ARRAY_SIZE(names));
	return names[level];
}

bool value_element(const char **at, char *out, size_t size)
{
	const char *start = *at;

	if (start == NULL)
		return false;
	size_t length = strcspn(start, ",");
	*at = start[length] == ',' ? start + length + 1 : NULL;
	while (length > 0 && *start == ' ') {
		start++;
		length--;
	}
	while (length > 0 && start[length - 1] == ' ')
		length--;
	if (length >= size)
		return false;
	memcpy(out, start, length);
	out[length] = '\0';
	return true;
}

/* One UTF-8 sequence (RFC 3629 4); returns its size, 0 for a bad one. */
static size_t decode(const unsigned char *at, uint32_t *out)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t size = *at < 0x80 ? 1 : *at >= 0xf0 ? 4 : *at >= 0xe0 ? 3 : 2;

	if (size == 1) {
		*out = *at;
		return 1;
	}
	if (*at < 0xc2 || *at > 0xf4)
		return 0;
	uint32_t code = *at & (0xffU >> (size + 1));
	for (size_t i = 1; i < size; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (at[i] & 0x3fU);
	}
	if (code < least[size] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*out = code;
	return size;
}

/* What YAML cannot carry unescaped, or reads as a line break: conf_print's text must read back the same. */
static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x2028 || code == 0x2029 || code == 0xfeff ||
		code == 0xfffe || code == 0xffff;
}

static const char *form_fault(const char *text)
{
	for (const unsigned char *at = (const unsigned char *)text; *at != '\0';) {
		uint32_t code = 0;
		size_t size = decode(at, &code);

		if (size == 0)
			return "is not UTF-8";
		if (is_control(code))
			return "contains a control character";
		at += size;
	}
	return NULL;
}

const char *value_text_fault(const char *text)
{
	return strlen(text) > VALUE_MAX_SIZE ? "is longer than 4096 bytes" : form_fault(text);
}

const char *value_list_fault(const char *text)
{
	return strlen(text) > VALUE_LIST_MAX_SIZE ? "is longer than 16384 bytes" : form_fault(text);
}

static bool is_made_of(const char *text, const char *others, size_t least, size_t most)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t length = strlen(text);

	if (length < least || length > most)
		return false;
	for (const char *c = text; *c != '\0'; c++) {
		if (strchr(letters, *c) == NULL && strchr(others, *c) == NULL)
			return false;
	}
	return true;
}

bool value_is_table(const char *text)
{
	return is_made_of(text, "_", 1, 64);
}

bool value_is_name(const char *text)
{
	return is_made_of(text, "_.-", 1, 64);
}

bool value_is_address(const char *text)
{
	unsigned char address[16];

	return *text == '\0' || inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

bool value_is_host(const char *text)
{
	return is_made_of(text, ".-_:%", 0, 255);
}

static bool is_ipv6(const char *text)
{
	unsigned char address[16];

	return inet_pton(AF_INET6, text, address) == 1;
}

bool value_is_server(const char *text)
{
	const char *colon = strrchr(text, ':');
	int64_t port;

	if (colon == NULL || !value_number(colon + 1, &port) || port < 1 || port > 65535)
		return false;
	bool bracketed = *text == '[' && colon > text + 2 && colon[-1] == ']';
	char *host = xmemdup(text + bracketed, (size_t)(colon - text) - (bracketed ? 2 : 0));
	bool good = bracketed ? is_ipv6(host) : is_made_of(host, ".-_", 1, 255);
	free(host);
	return good;
}

bool value_is_domain(const char *text)
{
	return *text == '\0' || (is_made_of(text, ".-_", 3, 253) && *text != '.' && strstr(text, "..") == NULL &&
		strchr(text, '.') != NULL && strchr(text, '.')[1] != '\0');
}

bool value_is_socket_path(const char *text)
{
	return strlen(text) < sizeof(((struct sockaddr_un *)NULL)->sun_path);
}

bool value_is_login(const char *text)
{
	return *text != '\0' && strchr(text, ':') == NULL;
}

bool value_is_zone_name(const char *text)
{
	return is_made_of(text, "_/+-", 0, 64) && *text != '/';
}

bool value_is_filled(const char *text)
{
	return *text != '\0';
}

/* 0: it is not one of these. */
static size_t scheme_size(const char *text)
{
	return strncmp(text, "http://", 7) == 0 ? 7 : strncmp(text, "https://", 8) == 0 ? 8 : 0;
}

bool value_is_url(const char *text)
{
	size_t scheme = scheme_size(text);
	size_t host = scheme == 0 ? 0 : strcspn(text + scheme, "/");
	char *copy = xmemdup(text + scheme, host);
	bool good = *text == '\0' ||
		(host > 0 && is_made_of(copy, ".-_:[]", 1, 255) && strchr("/", text[scheme + host]) != NULL &&
			(text[scheme + host] == '\0' || text[scheme + host + 1] == '\0'));

	free(copy);
	return good;
}

bool value_is_login_or_none(const char *text)
{
	return *text == '\0' || value_is_login(text);
}

bool value_is_webhook(const char *text)
{
	size_t scheme = scheme_size(text);
	char *address = xmemdup(text, scheme + strcspn(text + scheme, "/?"));
	bool good = *text == '\0' || (scheme > 0 && value_is_url(address));

	for (const char *at = text; *at != '\0'; at++)
		good = good && *at > ' ' && *at < 0x7f;
	free(address);
	return good;
}

bool value_is_network(const char *text)
{
	struct cidr network;

	return cidr_parse(text, &network);
}

bool value_is_role(const char *text)
{
	return strcmp(text, "master") == 0 || strcmp(text, "peer") == 0 || strcmp(text, "operator") == 0;
}
