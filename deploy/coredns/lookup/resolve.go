// SPDX-License-Identifier: Apache-2.0

package lookup

import "github.com/miekg/dns"

// Answer is what a zone says to a question: the sections and flags of a
// response (RFC 1034 4.3.2). The records are the caller's.
type Answer struct {
	Rcode         int
	Authoritative bool
	Answer        []dns.RR
	Authority     []dns.RR
	Additional    []dns.RR
}

// Lookup answers a question of class IN. qname is absolute, in any case; the
// answer's owners repeat it as it is. do is the DNSSEC OK bit (RFC 3225); it says
// nothing to a zone that is not signed. A name that is no name or not in the zone
// is refused.
func (z *Zone) Lookup(qname string, qtype uint16, do bool) Answer {
	r := resolver{zone: z, qtype: qtype, do: do && z.signed}
	r.out.Authoritative = true
	for next := r.step(qname); next != ""; {
		r.hops++
		next = r.step(next)
	}
	r.addAddresses()
	return r.out
}

// resolver makes one answer.
type resolver struct {
	zone  *Zone
	qtype uint16
	do    bool
	hops  int // aliases followed
	out   Answer

	noted   map[nameType]struct{} // what the additional section has, but for its end
	notedTo int
}

// step answers for one name, and gives the next one if an alias leads on.
func (r *resolver) step(owner string) string {
	var buf [maxKey]byte
	key, ok := r.zone.keyOf(buf[:0], owner)
	if !ok {
		if r.hops == 0 {
			r.out = Answer{Rcode: dns.RcodeRefused}
		}
		return "" // an alias that leaves the zone is a whole answer
	}
	if cut, ok := r.zone.cutAbove(key); ok {
		below := len(key) > len(cut.key)
		if dname, ok := cut.find(dns.TypeDNAME); ok && below {
			return r.substitute(owner, cut, dname)
		}
		_, delegation := cut.find(dns.TypeNS)
		if delegation && len(cut.key) > 0 && (below || r.qtype != dns.TypeDS) {
			r.refer(cut)
			return ""
		}
	}
	n, exists := r.zone.find(key)
	if exists {
		return r.fromNode(owner, key, n, nil)
	}
	return r.fromWildcard(owner, key)
}

// fromWildcard answers for a name that does not exist (RFC 4592 3.3).
func (r *resolver) fromWildcard(owner string, key []byte) string {
	encloser := r.zone.encloser(key)
	if n, exists := r.zone.wildcard(encloser); exists {
		if _, delegation := n.find(dns.TypeNS); delegation && r.qtype != dns.TypeDS {
			r.refer(n) // RFC 4592 4.2 leaves it open; Knot does so
			return ""
		}
		return r.fromNode(owner, key, n, encloser)
	}
	r.out.Rcode = dns.RcodeNameError
	r.addSOA()
	r.proveNoName(key, encloser)
	return ""
}

// fromNode answers with what a name has; encloser is set if n is the wildcard
// below it, and key does not exist.
func (r *resolver) fromNode(owner string, key []byte, n node, encloser []byte) string {
	if r.addAnswer(owner, n) {
		r.proveExpansion(key, encloser)
		return ""
	}
	if cname, ok := n.find(dns.TypeCNAME); ok && !besideCNAME(r.qtype) {
		return r.follow(owner, key, n, cname, encloser)
	}
	r.addSOA()
	r.proveNoData(key, encloser)
	return ""
}

// addAnswer adds what answers the type. ANY is answered with the first type that
// is there (RFC 8482 4.1), RRSIG with the signatures of one.
func (r *resolver) addAnswer(owner string, n node) bool {
	if r.qtype != dns.TypeANY {
		return r.addType(&r.out.Answer, owner, n, r.qtype)
	}
	if len(n.sets) == 0 {
		return false
	}
	first, rest := nextSet(n.sets)
	r.addSet(&r.out.Answer, owner, n, first)
	for next := first; first.typ == dns.TypeRRSIG && len(rest) > 0; {
		if next, rest = nextSet(rest); next.typ == dns.TypeRRSIG {
			r.addSet(&r.out.Answer, owner, n, next)
		}
	}
	return true
}

// besideCNAME: these types of a name are its own, not those of the target (RFC
// 4035 2.5), so that an alias which lacks them is no alias for them.
func besideCNAME(qtype uint16) bool {
	return qtype == dns.TypeRRSIG || qtype == dns.TypeNSEC
}

// refer points to the servers of a child zone (RFC 1034 4.2.1), which is not an
// authoritative answer unless an alias led here.
func (r *resolver) refer(cut node) {
	r.out.Authoritative = r.hops > 0
	owner := r.zone.ownerText(cut.key)
	r.addType(&r.out.Authority, owner, cut, dns.TypeNS)
	if r.do && !r.addType(&r.out.Authority, owner, cut, dns.TypeDS) {
		r.proveNoData(cut.key, nil)
	}
}

// addType adds the RRset of a type and, if asked for, its signatures.
func (r *resolver) addType(section *[]dns.RR, owner string, n node, typ uint16) bool {
	set, ok := n.find(typ)
	if !ok {
		return false
	}
	r.addSet(section, owner, n, set)
	return true
}

func (r *resolver) addSet(section *[]dns.RR, owner string, n node, set rrset) {
	if *section == nil {
		*section = make([]dns.RR, 0, set.count())
	}
	*section = appendRRs(*section, owner, set)
	if !r.do {
		return
	}
	if signatures, ok := n.signatures(set.typ); ok {
		signatures.ttl = set.ttl
		*section = appendRRs(*section, owner, signatures)
	}
}

// addSOA adds the SOA of a negative answer, with the TTL of RFC 2308 3.
func (r *resolver) addSOA() {
	apex := r.zone.apex()
	soa, _ := apex.find(dns.TypeSOA)
	soa.ttl = min(soa.ttl, r.zone.minimum)
	r.addSet(&r.out.Authority, r.zone.origin, apex, soa)
}
