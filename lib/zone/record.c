/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/record.h"

#include <libknot/libknot.h>
#include <stdlib.h>
#include <string.h>

#include "zone/zone.h"

enum {
	DUMP_FIRST = 512,
	DUMP_MOST = 4 << 20, /* above what 64 KiB of any type can print as */
	TYPE_NXT = 30,       /* obsolete, RFC 2065 */
	TYPE_META_FIRST = 128,
	TYPE_META_LAST = 255,
	NAPTR_STRINGS = 3,
	NSEC3_FIXED = 4,     /* algorithm, flags, iterations */
	CAA_TAG = 2,         /* behind flags and the tag's length */
	RAW_SLACK = 1024
};

bool record_type_is_data(uint16_t type)
{
	return type != 0 && type != KNOT_RRTYPE_NULL && !knot_rrtype_is_metatype(type) &&
		(type < TYPE_META_FIRST || type > TYPE_META_LAST);
}

const char *record_type_name(uint16_t type)
{
	return knot_get_rdata_descriptor(type)->type_name;
}

const char *record_print_type(uint16_t type, char out[RECORD_TYPE_SIZE])
{
	CHECK(knot_rrtype_to_string(type, out, RECORD_TYPE_SIZE) > 0);
	return out;
}

bool record_type_beside_cname(uint16_t type)
{
	switch (type) {
	case KNOT_RRTYPE_RRSIG:
	case KNOT_RRTYPE_NSEC:
	case KNOT_RRTYPE_NSEC3:
	case KNOT_RRTYPE_SIG:
	case KNOT_RRTYPE_KEY:
	case TYPE_NXT:
		return true;
	default:
		return false;
	}
}

/* As miekg/dns prints a byte of a label, in lower case. */
static char *put_label_byte(char *at, uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		c = (uint8_t)(c + 'a' - 'A');
	if (c < ' ' || c > '~') {
		*at++ = '\\';
		*at++ = (char)('0' + c / 100);
		*at++ = (char)('0' + c / 10 % 10);
		*at++ = (char)('0' + c % 10);
		return at;
	}
	if (strchr(". '@;()\"\\", c) != NULL)
		*at++ = '\\';
	*at++ = (char)c;
	return at;
}

/* Where the zone's name begins in the owner's, or SIZE_MAX. */
static size_t zone_part(const uint8_t *owner, size_t owner_size, const uint8_t *zone, size_t zone_size)
{
	size_t at = 0;

	if (owner_size < zone_size)
		return SIZE_MAX;
	while (at < owner_size - zone_size)
		at += owner[at] + 1u;
	if (at != owner_size - zone_size)
		return SIZE_MAX;
	/* Length bytes are below 'A', so names can be compared without looking at labels. */
	for (size_t i = 0; i < zone_size; i++) {
		uint8_t c = owner[at + i];

		if (c >= 'A' && c <= 'Z')
			c = (uint8_t)(c + 'a' - 'A');
		if (c != zone[i])
			return SIZE_MAX;
	}
	return at;
}

bool record_print_owner(const uint8_t *owner, size_t owner_size, const uint8_t *zone, size_t zone_size,
	char out[RECORD_OWNER_SIZE])
{
	size_t end = zone_part(owner, owner_size, zone, zone_size);
	char *at = out;

	if (end == SIZE_MAX)
		return false;
	if (end == 0)
		*at++ = '@';
	for (size_t i = 0; i < end;) {
		size_t stop = i + 1 + owner[i];

		if (i != 0)
			*at++ = '.';
		for (i++; i < stop; i++)
			at = put_label_byte(at, owner[i]);
	}
	*at = '\0';
	return true;
}

/* The name at data, lower-cased if wanted; its size, or 0 if it is not a whole name. */
static size_t canonical_name(uint8_t *data, size_t size, bool lower)
{
	int used = knot_dname_wire_check(data, data + size, NULL);

	if (used <= 0)
		return 0;
	if (lower)
		knot_dname_to_lower(data);
	return (size_t)used;
}

/* Order, preference and three strings. */
static size_t naptr_header(const uint8_t *data, size_t size)
{
	size_t at = 4;

	for (int i = 0; i < NAPTR_STRINGS; i++) {
		if (at >= size)
			return 0;
		at += data[at] + 1u;
	}
	return at;
}

/* Checks the names in rdata (libknot prints broken ones too) and lower-cases them where RFC 4034 does. */
static bool canonical_names(uint16_t type, uint8_t *rdata, size_t size)
{
	const knot_rdata_descriptor_t *descriptor = knot_get_rdata_descriptor(type);
	bool lower = knot_rrtype_should_be_lowercased(type);
	size_t at = 0;

	for (size_t i = 0; i < KNOT_MAX_RDATA_BLOCKS; i++) {
		int block = descriptor->block_types[i];
		size_t used;

		switch (block) {
		case KNOT_RDATA_WF_END:
		case KNOT_RDATA_WF_REMAINDER:
			return true;
		case KNOT_RDATA_WF_FIXED_DNAME:
		case KNOT_RDATA_WF_COMPRESSIBLE_DNAME:
		case KNOT_RDATA_WF_DECOMPRESSIBLE_DNAME:
			used = canonical_name(rdata + at, size - at, lower);
			break;
		case KNOT_RDATA_WF_NAPTR_HEADER:
			used = naptr_header(rdata + at, size - at);
			break;
		default:
			used = (size_t)block;
			break;
		}
		if (used == 0 || used > size - at)
			return false;
		at += used;
	}
	return true;
}

/* Letters and digits (RFC 8659 4.1): it is printed as it is, so any other byte would be text of another meaning, or none. */
static bool caa_tag(const uint8_t *rdata, size_t size)
{
	size_t end = size < CAA_TAG ? 0 : CAA_TAG + (size_t)rdata[CAA_TAG - 1];

	if (end <= CAA_TAG || end > size)
		return false;
	for (size_t i = CAA_TAG; i < end; i++) {
		uint8_t c = rdata[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
			return false;
	}
	return true;
}

/* What libknot prints without looking; names are lower-cased where they are. */
static bool well_formed(uint16_t type, uint8_t *rdata, size_t size)
{
	return size <= UINT16_MAX && canonical_names(type, rdata, size) && (type != KNOT_RRTYPE_CAA || caa_tag(rdata, size));
}

/* libknot's text at out's end; its length or a negative error. */
static int dump(const knot_rrset_t *rrset, struct buf *out)
{
	/* A fixed now: the same data gives the same text for ever, and 1970..2106 can be written. */
	static const knot_dump_style_t style = { .human_timestamp = true, .now = UINT64_C(1) << 31 };

	for (size_t room = DUMP_FIRST; room <= DUMP_MOST; room *= 4) {
		buf_reserve(out, room);
		int length = knot_rrset_txt_dump_data(rrset, 0, out->data + out->size, room, &style);
		if (length >= 0)
			return length;
	}
	return KNOT_EMALF;
}

/*
 * libknot quotes single items of alpn, and leaves bytes of them bare that begin a comment or a parenthesis: nobody reads that, or
 * reads less. So the value, from its begin to its blank or NUL, is escaped as text without quotes (RFC 9460 2.1, appendix A).
 */
static const char *put_alpn(struct buf *out, const char *at)
{
	bool quoted = false;

	for (; *at != '\0' && (quoted || *at != ' '); at++) {
		if (*at == '"')
			quoted = !quoted;
		else if (*at == ' ')
			buf_puts(out, "\\032");
		else if (*at == '\\' && at[1] != '\0')
			buf_append(out, at++, 2);
		else if (strchr("();", *at) != NULL)
			buf_printf(out, "\\%c", *at);
		else
			buf_append(out, at, 1);
	}
	return at;
}

/* Of all keys alpn has the least number but that of mandatory, whose value has no blank: the first that looks like it is it. */
static void mend_alpn(struct buf *out, size_t from)
{
	static const char key[] = " alpn=";
	const char *found = strstr(out->data + from, key);

	if (found == NULL || strpbrk(found + strlen(key), "();\"") == NULL)
		return;
	char *text = xstrdup(out->data + from);
	const char *value = text + (found + strlen(key) - (out->data + from));
	out->size = (size_t)(found - out->data) + strlen(key);
	const char *rest = put_alpn(out, value);
	buf_append(out, rest, strlen(rest) + 1);
	free(text);
}

static int print_block(uint16_t type, knot_rdata_t *block, struct buf *out, struct err *err)
{
	knot_rrset_t rrset = { .type = type, .rclass = KNOT_CLASS_IN };

	rrset.rrs.rdata = block;
	rrset.rrs.count = 1;
	rrset.rrs.size = (uint32_t)knot_rdata_size(block->len);
	int length = dump(&rrset, out);
	if (length < 0)
		return err_set(err, ERR_INVALID, "malformed data");
	while (length > 0 && out->data[out->size + (size_t)length - 1] == ' ')
		length--;
	size_t from = out->size;
	out->size += (size_t)length;
	buf_append(out, "", 1);
	if (type == KNOT_RRTYPE_SVCB || type == KNOT_RRTYPE_HTTPS)
		mend_alpn(out, from);
	return 0;
}

int record_print_data(uint16_t type, uint8_t *rdata, size_t size, struct buf *out, struct err *err)
{
	union {
		knot_rdata_t rdata;
		uint8_t room[1024];
	} small;
	knot_rdata_t *block = &small.rdata;

	if (!well_formed(type, rdata, size))
		return err_set(err, ERR_INVALID, "malformed data");
	if (knot_rdata_size((uint16_t)size) > sizeof(small))
		block = xmalloc(knot_rdata_size((uint16_t)size));
	knot_rdata_init(block, (uint16_t)size, rdata);
	int status = print_block(type, block, out, err);
	if (block != &small.rdata)
		free(block);
	return status;
}

/* Salt and hash of an NSEC3, the salt of an NSEC3PARAM: libknot trusts their length bytes. */
static bool nsec3_lengths(uint16_t type, const uint8_t *rdata, size_t size)
{
	size_t strings = type == KNOT_RRTYPE_NSEC3 ? 2 : type == KNOT_RRTYPE_NSEC3PARAM ? 1 : 0;
	size_t at = NSEC3_FIXED;

	for (; strings > 0; strings--) {
		if (at >= size || rdata[at] > size - at - 1)
			return false;
		at += rdata[at] + 1u;
	}
	return true;
}

int zone_data_print(uint16_t type, const uint8_t *data, size_t size, struct buf *out, struct err *err)
{
	uint8_t *copy = xmalloc(size + 1); /* names are lower-cased in it */

	if (size > 0)
		memcpy(copy, data, size);
	int status = record_print_raw(type, copy, size, out, err);
	free(copy);
	if (status == 0)
		out->size--; /* its NUL is no part of it */
	return status;
}

int record_print_raw(uint16_t type, uint8_t *rdata, size_t size, struct buf *out, struct err *err)
{
	if (!well_formed(type, rdata, size) || !nsec3_lengths(type, rdata, size))
		return err_set(err, ERR_INVALID, "malformed data");
	/* Any length that libknot finds in the data, one or two bytes, ends within zeros that are ours. */
	knot_rdata_t *block = xcalloc(1, knot_rdata_size((uint16_t)size) + UINT16_MAX + RAW_SLACK);
	knot_rdata_init(block, (uint16_t)size, rdata);
	int status = print_block(type, block, out, err);
	free(block);
	return status;
}
