// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"github.com/miekg/dns"
)

// unlikeTTLs: where the text has one RRset with several TTLs, all get the lowest.
func unlikeTTLs(z *zone, _ question, oracle, _ *answer) bool {
	changed := false
	for _, section := range [][]record{oracle.answer, oracle.authority, oracle.additional} {
		for i := range section {
			key := section[i].owner + " " + dns.Type(section[i].rrtype).String()
			if lowest, ok := z.known.Lowest[key]; ok && section[i].ttl != lowest {
				section[i].ttl = lowest
				changed = true
			}
		}
	}
	return changed
}

// overlongAlias: the name that a DNAME makes is too long, which ends the answer.
// The oracle goes on with the DNAME's target, as if the question led there.
func overlongAlias(_ *zone, q question, oracle, reader *answer) bool {
	if reader.rcode != dns.RcodeYXDomain || !reader.aa || len(reader.authority)+len(reader.additional) > 0 {
		return false
	}
	if !overlong(q.name, reader.answer, len(reader.answer)) || len(without(reader.answer, oracle.answer)) > 0 {
		return false
	}
	*oracle = *reader
	return true
}

// overlong follows the aliases of an answer until a DNAME makes a name of more
// than 255 octets.
func overlong(n name, aliases []record, hops int) bool {
	for _, r := range aliases {
		owner := parseName(r.owner)
		switch rr := r.rr.(type) {
		case *dns.CNAME:
			if owner.key() == n.key() {
				return hops > 0 && overlong(parseName(rr.Target), aliases, hops-1)
			}
		case *dns.DNAME:
			if len(n) > len(owner) && n.atOrBelow(owner) && n.size()-owner.size()+parseName(rr.Target).size() > maxName {
				return true
			}
		}
	}
	return false
}

// doubledCNAME: an alias that leads to itself by way of a wildcard is one record, with one signature.
func doubledCNAME(_ *zone, _ question, oracle, _ *answer) bool {
	if !has(oracle.answer, dns.TypeCNAME) {
		return false
	}
	var single []record
	for i, r := range oracle.answer {
		if i == 0 || !r.equal(oracle.answer[i-1]) {
			single = append(single, r)
		}
	}
	changed := len(single) < len(oracle.answer)
	oracle.answer = single
	return changed
}

// proofOfWildcard: what a wildcard says of a name needs the proof that the name
// is not there and, if the wildcard lacks the type, that of the wildcard too.
func proofOfWildcard(z *zone, q question, oracle, reader *answer) bool {
	more := without(reader.authority, oracle.authority)
	if !wildcardSpeaks(z, q, reader) || !q.do || len(more) == 0 || len(without(oracle.authority, reader.authority)) > 0 || !onlyDenials(more) {
		return false
	}
	oracle.authority = reader.authority
	return true
}

// wildcardSpeaks: a wildcard stands for the name asked for, or for one to which an alias leads.
func wildcardSpeaks(z *zone, q question, reader *answer) bool {
	for _, r := range reader.answer {
		if alias, ok := r.rr.(*dns.CNAME); ok && z.covers(parseName(alias.Target)) {
			return true
		}
	}
	return z.covers(q.name)
}

// optOutNXDOMAIN: below a name that only unsigned delegations make exist the
// oracle finds no closest encloser, and says NXDOMAIN without AA and proof.
func optOutNXDOMAIN(_ *zone, q question, oracle, reader *answer) bool {
	if oracle.rcode != dns.RcodeNameError || reader.rcode != dns.RcodeNameError || oracle.aa || !reader.aa || !q.do {
		return false
	}
	if len(oracle.authority) > 0 || !has(reader.authority, dns.TypeSOA) || !has(reader.authority, dns.TypeNSEC3) {
		return false
	}
	oracle.aa, oracle.authority = true, reader.authority
	return true
}

// dnameAtAsterisk: a DNAME at a name with an asterisk leads on what is really below
// that name, and bears that name. The oracle finds what the asterisk stands for.
func dnameAtAsterisk(z *zone, q question, oracle, reader *answer) bool {
	for _, r := range reader.answer {
		owner := parseName(r.owner)
		if r.rrtype == dns.TypeDNAME && owner[0] == "*" && z.has(owner, dns.TypeDNAME) && len(q.name) > len(owner) && q.name.atOrBelow(owner) && reader.aa {
			*oracle = *reader
			return true
		}
	}
	return false
}

// serviceAddresses: records of an SVCB record's target, under the name of the target and at the end of aliases too.
func serviceAddresses(z *zone, _ question, oracle, reader *answer) bool {
	if !has(reader.answer, dns.TypeSVCB) && !has(reader.answer, dns.TypeHTTPS) {
		return false
	}
	for _, r := range reader.additional {
		switch r.rrtype {
		case dns.TypeA, dns.TypeAAAA, dns.TypeSVCB, dns.TypeHTTPS, dns.TypeRRSIG, dns.TypeNSEC, dns.TypeNSEC3:
		default:
			return false
		}
		if !parseName(r.owner).atOrBelow(z.apex) {
			return false
		}
	}
	oracle.additional = reader.additional
	return true
}

func has(section []record, rrtype uint16) bool {
	for _, r := range section {
		if r.rrtype == rrtype {
			return true
		}
	}
	return false
}

// without returns the records of a that b does not have.
func without(a, b []record) []record {
	var rest []record
	for _, r := range a {
		found := false
		for _, other := range b {
			found = found || r.equal(other)
		}
		if !found {
			rest = append(rest, r)
		}
	}
	return rest
}

// onlyDenials: NSEC and NSEC3 records and their signatures.
func onlyDenials(records []record) bool {
	for _, r := range records {
		rrtype := r.rrtype
		if signature, ok := r.rr.(*dns.RRSIG); ok {
			rrtype = signature.TypeCovered
		}
		if rrtype != dns.TypeNSEC && rrtype != dns.TypeNSEC3 {
			return false
		}
	}
	return true
}
