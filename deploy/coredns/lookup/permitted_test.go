// SPDX-License-Identifier: Apache-2.0

package lookup

import (
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// permitted are the differences between Knot 3.2 and us that stay, each with
// what the law says. What it makes equal is compared; the rest is not hidden.
var permitted = []struct {
	why string
	fix func(q oracleQuestion, want, got *Answer)
}{
	{"RFC 4035 3.1.3.4, RFC 5155 7.2.5: that a wildcard lacks the type needs proof that the name itself does not " +
		"exist, and that the wildcard does. Knot leaves out one of them if the wildcard is an empty non-terminal, " +
		"or if the name asked for begins with an asterisk.", moreProof},
	{"RFC 5155 7.2.1: below a name that only unsigned delegations make exist, under opt-out, Knot finds no closest " +
		"encloser and sends NXDOMAIN with nothing else. Its closest provable encloser is an ancestor.", noEncloser},
	{"RFC 4592 3.3.1: what a wildcard stands for has the name looked for as owner. What Knot adds to SVCB and " +
		"HTTPS has the wildcard's.", wildcardOwner},
	{"RFC 4035 3.1.3.3: where the chain of aliases has its bound and the next alias would come from a wildcard, Knot " +
		"proves that expansion, though it is not in the answer.", endOfChain},
	{"RFC 4592 4.4: a DNAME at a wildcard is discouraged. For names below it Knot writes the name asked for as its " +
		"owner, with which nobody could make the CNAME.", wildcardDNAME},
	{"RFC 4592 4.7: NSEC can be asked of a wildcard. Where it is the proof of the expansion, too, Knot has it in one " +
		"of the two sections.", wildcardNSEC},
}

type oracleQuestion struct {
	zone  *Zone
	names []string // the one that is asked for, and what aliases lead to
	qtype uint16
}

// permitted applies the whole table to copies of both answers.
func (o *oracleZone) permitted(name string, qtype uint16, want, got Answer) bool {
	q := oracleQuestion{o.zone, []string{name}, qtype}
	for _, rr := range got.Answer {
		if cname, ok := rr.(*dns.CNAME); ok {
			q.names = append(q.names, cname.Target)
		}
	}
	for _, p := range permitted {
		p.fix(q, &want, &got)
	}
	return difference(want, got) == ""
}

// expands tells whether a name of the question does not exist, but a wildcard
// that stands for it, and fits.
func (q oracleQuestion) expands(fits func(name string, wildcard node) bool) bool {
	return slices.ContainsFunc(q.names, func(name string) bool {
		key, ok := q.zone.keyOf(nil, name)
		if !ok {
			return false
		}
		source := q.zone.source(key)
		n, exists := q.zone.find(source)
		return exists && string(source) != string(key) && fits(name, n)
	})
}

func moreProof(q oracleQuestion, want, got *Answer) {
	emptyOrAsterisk := q.expands(func(name string, wildcard node) bool {
		return len(wildcard.sets) == 0 || strings.HasPrefix(name, "*.")
	})
	if emptyOrAsterisk && len(without(want.Authority, got.Authority)) == 0 &&
		onlyProofs(without(got.Authority, want.Authority)) {
		got.Authority = want.Authority
	}
}

// without gives the records that are not in other.
func without(rrs, other []dns.RR) []dns.RR {
	var rest []dns.RR
	for _, rr := range rrs {
		if !slices.ContainsFunc(other, func(o dns.RR) bool { return strings.EqualFold(o.String(), rr.String()) }) {
			rest = append(rest, rr)
		}
	}
	return rest
}

func onlyProofs(rrs []dns.RR) bool {
	for _, rr := range rrs {
		typ := rr.Header().Rrtype
		if signature, ok := rr.(*dns.RRSIG); ok {
			typ = signature.TypeCovered
		}
		if typ != dns.TypeNSEC && typ != dns.TypeNSEC3 {
			return false
		}
	}
	return true
}

func noEncloser(q oracleQuestion, want, got *Answer) {
	key, ok := q.zone.keyOf(nil, q.names[len(q.names)-1])
	if !ok || got.Rcode != dns.RcodeNameError || want.Authoritative || len(want.Authority) > 0 {
		return
	}
	if _, match := q.zone.denial(q.zone.encloser(key)); !match {
		want.Authoritative, want.Authority = got.Authoritative, got.Authority
		if len(want.Answer) == 0 {
			want.Answer = got.Answer // the aliases that led there are lost, too
		}
	}
}

func wildcardOwner(q oracleQuestion, want, got *Answer) {
	if !slices.ContainsFunc(got.Answer, func(rr dns.RR) bool {
		return rr.Header().Rrtype == dns.TypeSVCB || rr.Header().Rrtype == dns.TypeHTTPS
	}) {
		return
	}
	for _, rr := range got.Additional {
		if key, _ := q.zone.keyOf(nil, rr.Header().Name); !isHashedKey(string(key)) {
			rr.Header().Name = q.zone.ownerText(q.zone.source(key))
		}
	}
}

func wildcardNSEC(q oracleQuestion, want, got *Answer) {
	expands := q.expands(func(string, node) bool { return true })
	switch {
	case !expands || q.qtype != dns.TypeNSEC || !onlyProofs(got.Answer):
	case len(want.Answer) == 0:
		got.Answer = nil
	case len(want.Authority) == 0 && onlyProofs(got.Authority):
		got.Authority = nil
	}
}

func wildcardDNAME(_ oracleQuestion, want, got *Answer) {
	for _, rr := range got.Answer {
		ours, ok := rr.(*dns.DNAME)
		if !ok || !strings.HasPrefix(ours.Hdr.Name, "*.") {
			continue
		}
		for _, rr := range want.Answer {
			if theirs, ok := rr.(*dns.DNAME); ok && theirs.Target == ours.Target {
				theirs.Hdr.Name = ours.Hdr.Name
			}
		}
	}
}

func endOfChain(q oracleQuestion, want, got *Answer) {
	aliases := len(q.names) - 1
	q.names = q.names[aliases:]
	expands := q.expands(func(_ string, wildcard node) bool {
		_, ok := wildcard.find(dns.TypeCNAME)
		return ok
	})
	if aliases == maxChain && expands && len(without(got.Authority, want.Authority)) == 0 &&
		onlyProofs(without(want.Authority, got.Authority)) {
		want.Authority = got.Authority
	}
}
