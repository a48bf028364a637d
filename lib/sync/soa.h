/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The SOA serial of a zone, as a master's own name server tells it: only an answer with authority counts. Blocks as
 * dns_ask does.
 */
#pragma once

#include "dns/dns.h"

/*
 * ERR_TIMEOUT: nobody answers there. ERR_NOTFOUND: it answers, but does not have the zone, or not with authority.
 * ERR_CLOSED: given up.
 */
MUST_CHECK int soa_ask(const struct dns_server *server, const char *zone, uint32_t *serial, struct err *err);
/* What an answer says, or ERR_NOTFOUND. */
MUST_CHECK int soa_judge(const struct dns_answer *answer, uint32_t *serial, struct err *err);
