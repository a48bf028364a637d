// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"strings"

	"github.com/miekg/dns"
)

// What the public CoreDNS plugin answers by its own limits (tests/coredns). These
// rules do not ask what the oracle says: they say what the plugin makes of the zone's rows.

// servfailInstead: SERVFAIL for all for which there is no row of that name and type, no alias with a row, no wildcard's row.
func servfailInstead(z *zone, q question, oracle, reader *answer) bool {
	if reader.rcode != dns.RcodeServerFailure || len(reader.answer)+len(reader.authority)+len(reader.additional) > 0 {
		return false
	}
	if len(z.rows(q.name, q.rrtype))+len(z.rows(q.name, dns.TypeCNAME))+len(z.apexWildcard(q)) > 0 {
		return false
	}
	*oracle = *reader
	return true
}

// noFlagAA: AA is never set.
func noFlagAA(_ *zone, _ question, oracle, reader *answer) bool {
	changed := oracle.aa && !reader.aa
	oracle.aa = reader.aa
	return changed
}

// noAuthority: there are no SOA, no proofs and no referrals.
func noAuthority(_ *zone, _ question, oracle, reader *answer) bool {
	changed := len(oracle.authority) > 0 && len(reader.authority) == 0
	if changed {
		oracle.authority = nil
	}
	return changed
}

// noSignatures: RRSIG is a type like others, and is not added to what it signs.
func noSignatures(_ *zone, q question, oracle, _ *answer) bool {
	if q.rrtype == dns.TypeRRSIG || q.rrtype == dns.TypeANY {
		return false
	}
	var plain []record
	for _, r := range oracle.answer {
		if r.rrtype != dns.TypeRRSIG {
			plain = append(plain, r)
		}
	}
	changed := len(plain) < len(oracle.answer)
	oracle.answer = plain
	return changed
}

// otherAddresses: the additional section has addresses of name servers at most.
func otherAddresses(_ *zone, _ question, oracle, reader *answer) bool {
	for _, r := range reader.additional {
		if r.rrtype != dns.TypeA && r.rrtype != dns.TypeAAAA {
			return false
		}
	}
	oracle.additional, reader.additional = nil, nil
	return true
}

// rowsAsTheyStand: rows of the name and type are the answer, at and below a cut too, and where no server gives them out.
func rowsAsTheyStand(z *zone, q question, oracle, reader *answer) bool {
	return settleByRows(z.rows(q.name, q.rrtype), oracle, reader)
}

// oneAlias: an alias is followed once, to rows of the target's own.
func oneAlias(z *zone, q question, oracle, reader *answer) bool {
	alias := z.rows(q.name, dns.TypeCNAME)
	if len(alias) != 1 || len(z.rows(q.name, q.rrtype)) > 0 {
		return false
	}
	target := parseName(alias[0].(*dns.CNAME).Target)
	return settleByRows(append(alias, z.rows(target, q.rrtype)...), oracle, reader)
}

// wildcardForAll: the wildcard below the apex answers for each name one label down that lacks the type, if it exists or not.
func wildcardForAll(z *zone, q question, oracle, reader *answer) bool {
	if len(z.rows(q.name, q.rrtype))+len(z.rows(q.name, dns.TypeCNAME)) > 0 {
		return false
	}
	return settleByRows(z.apexWildcard(q), oracle, reader)
}

// settleByRows: the answer is the rows, and no other.
func settleByRows(rows []dns.RR, oracle, reader *answer) bool {
	wanted, err := canonical(copies(rows))
	if err != nil || len(wanted) == 0 || reader.rcode != dns.RcodeSuccess || len(wanted) != len(reader.answer) {
		return false
	}
	for i := range wanted {
		wanted[i].ttl = reader.answer[i].ttl
		if !wanted[i].equal(reader.answer[i]) {
			return false
		}
	}
	oracle.rcode, oracle.answer = reader.rcode, reader.answer
	return true
}

// rows are the zone's records of that name and type.
func (z *zone) rows(owner name, rrtype uint16) []dns.RR {
	var found []dns.RR
	if !z.has(owner, rrtype) {
		return nil
	}
	for _, rr := range z.records {
		if rr.Header().Rrtype == rrtype && strings.EqualFold(rr.Header().Name, owner.String()) {
			found = append(found, rr)
		}
	}
	return found
}

// apexWildcard is what the wildcard below the apex has of the type, under the name asked for.
func (z *zone) apexWildcard(q question) []dns.RR {
	if len(q.name) != len(z.apex)+1 || !q.name.atOrBelow(z.apex) {
		return nil
	}
	found := copies(z.rows(z.apex.child("*"), q.rrtype))
	for _, rr := range found {
		rr.Header().Name = q.name.String()
	}
	return found
}
