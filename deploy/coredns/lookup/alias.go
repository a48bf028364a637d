// SPDX-License-Identifier: Apache-2.0

package lookup

import (
	"strings"

	"github.com/miekg/dns"
)

// maxChain is how many aliases one answer has. A longer chain ends there, as one
// that leaves the zone does, and the asker goes on from its end. Knot has as many.
const maxChain = 5

// follow adds a CNAME and gives its target.
func (r *resolver) follow(owner string, key []byte, n node, cname rrset, encloser []byte) string {
	if r.hops == maxChain {
		return ""
	}
	at := len(r.out.Answer)
	r.addSet(&r.out.Answer, owner, n, cname)
	r.proveExpansion(key, encloser)
	return r.nextTarget(r.out.Answer[at].(*dns.CNAME).Target)
}

// substitute answers for a name below a DNAME (RFC 6672 3.1): the DNAME and the
// CNAME that follows from it.
func (r *resolver) substitute(owner string, cut node, dname rrset) string {
	if r.hops == maxChain {
		return ""
	}
	at := len(r.out.Answer)
	cutOwner := r.zone.ownerText(cut.key)
	r.addSet(&r.out.Answer, cutOwner, cut, dname)
	target, ok := replaceSuffix(owner, cutOwner, r.out.Answer[at].(*dns.DNAME).Target)
	if r.has(r.out.Answer[:at], cutOwner, dns.TypeDNAME) {
		r.out.Answer = r.out.Answer[:at]
	}
	if !ok {
		r.out.Rcode = dns.RcodeYXDomain
		return ""
	}
	header := dns.RR_Header{Name: owner, Rrtype: dns.TypeCNAME, Class: dns.ClassINET, Ttl: dname.ttl}
	r.out.Answer = append(r.out.Answer, &dns.CNAME{Hdr: header, Target: target})
	if r.qtype == dns.TypeCNAME {
		return ""
	}
	return r.nextTarget(target)
}

// nextTarget ends a chain that comes to a name for the second time.
func (r *resolver) nextTarget(target string) string {
	if r.has(r.out.Answer, target, dns.TypeCNAME) {
		return ""
	}
	return target
}

func (r *resolver) has(section []dns.RR, owner string, typ uint16) bool {
	for _, rr := range section {
		if rr.Header().Rrtype == typ && strings.EqualFold(rr.Header().Name, owner) {
			return true
		}
	}
	return false
}

// replaceSuffix puts target in the place of suffix, which name ends with; false
// if no name can be that long.
func replaceSuffix(name, suffix, target string) (string, bool) {
	if suffix != "." {
		starts := dns.Split(name)
		name = name[:starts[len(starts)-dns.CountLabel(suffix)]]
	}
	if target != "." {
		name += target
	}
	var wire wireName
	return name, wire.parse(name) == nil
}
