/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/forwarded.h"

#include <string.h>

enum { ELEMENT_MAX = 64 };

static bool is_port(const char *text)
{
	return *text == ':' && text[1] != '\0' && text[1 + strspn(text + 1, "0123456789")] == '\0';
}

/* Cuts off brackets and a port. False: neither form. */
static bool bare(char *element, char **address)
{
	char *colon = strchr(element, ':');
	char *close;

	*address = element;
	if (*element == '[') {
		close = strchr(element, ']');
		if (close == NULL || (close[1] != '\0' && !is_port(close + 1)))
			return false;
		*close = '\0';
		*address = element + 1;
		return strchr(*address, ':') != NULL;
	}
	if (colon != NULL && strchr(colon + 1, ':') == NULL) {
		if (!is_port(colon))
			return false;
		*colon = '\0';
	}
	return true;
}

static bool read_element(const char *text, size_t size, uint8_t out[CIDR_ADDRESS_SIZE])
{
	char element[ELEMENT_MAX];
	char *address;

	while (size > 0 && (*text == ' ' || *text == '\t')) {
		text++;
		size--;
	}
	while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '\t'))
		size--;
	if (size >= sizeof(element))
		return false;
	memcpy(element, text, size);
	element[size] = '\0';
	return bare(element, &address) && cidr_parse_address(address, out);
}

bool forwarded_client(const char *header, const struct cidr_list *trusted, uint8_t out[CIDR_ADDRESS_SIZE])
{
	size_t end = strlen(header);
	uint8_t address[CIDR_ADDRESS_SIZE];
	bool found = false;

	for (;;) {
		size_t start = end;

		while (start > 0 && header[start - 1] != ',')
			start--;
		if (!read_element(header + start, end - start, address))
			return found;
		memcpy(out, address, sizeof(address));
		found = true;
		if (start == 0 || !cidr_list_contains(trusted, address))
			return true;
		end = start - 1;
	}
}
