// SPDX-License-Identifier: Apache-2.0

package lookup

import (
	"github.com/miekg/dns"
)

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
// answer's owners repeat it as it is. do is the DNSSEC OK bit (RFC 3225). A name
// that is no name or not in the zone is refused.
func (z *Zone) Lookup(qname string, qtype uint16, do bool) Answer {
	r := resolver{zone: z, qtype: qtype, do: do}
	r.out.Authoritative = true
	for owner := qname; owner != ""; r.hops++ {
		owner = r.step(owner)
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
}

// step answers for one name, and gives the next one if an alias leads on.
func (r *resolver) step(owner string) string {
	var wire wireName
	var buf [maxKey]byte
	err := wire.parse(owner)
	key, inZone := appendKey(buf[:0], wire.bytes(), r.zone.originWire())
	if err != nil || !inZone {
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
	if set, ok := n.answering(r.qtype); ok {
		r.addSet(&r.out.Answer, owner, n, set)
		r.proveExpansion(key, encloser)
		return ""
	}
	if cname, ok := n.find(dns.TypeCNAME); ok {
		return r.follow(owner, key, n, cname, encloser)
	}
	r.addSOA()
	r.proveNoData(key, encloser)
	return ""
}

// answering gives the set that answers a type. ANY is answered with one RRset,
// the first that is no signature (RFC 8482 4.1), and RRSIG with the signatures
// of one.
func (n node) answering(qtype uint16) (set rrset, ok bool) {
	if qtype != dns.TypeANY {
		return n.find(qtype)
	}
	for sets := n.sets; len(sets) > 0 && (!ok || set.typ == dns.TypeRRSIG); ok = true {
		set, sets = nextSet(sets)
	}
	return set, ok
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
