/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sync/soa.h"

int soa_judge(const struct dns_answer *answer, uint32_t *serial, struct err *err)
{
	if (answer->rcode != DNS_RCODE_NOERROR)
		return err_set(err, ERR_NOTFOUND, "the name server answers with code %u", answer->rcode);
	if (!answer->authoritative)
		return err_set(err, ERR_NOTFOUND, "the name server has no authority over the zone");
	if (!dns_answer_serial(answer, serial))
		return err_set(err, ERR_NOTFOUND, "the answer has no SOA of the zone");
	return ERR_OK;
}

int soa_ask(const struct dns_server *server, const char *zone, uint32_t *serial, struct err *err)
{
	const struct dns_question question = { .name = zone, .type = DNS_TYPE_SOA };
	struct dns_answer answer;
	int ret = dns_ask(server, &question, &answer, err);

	if (ret == ERR_OK)
		ret = soa_judge(&answer, serial, err);
	dns_answer_clear(&answer);
	/* All that it has to say would take as long as silence. */
	if (ret == ERR_LIMIT)
		return err_set(err, ERR_TIMEOUT, "the answer is truncated, and by TCP there is none");
	/* As good as one that knows nothing: somebody is there. */
	return ret == ERR_INVALID ? err_set(err, ERR_NOTFOUND, "the answer by TCP is none") : ret;
}
