// SPDX-License-Identifier: Apache-2.0

package lookup

import (
	"strings"

	"github.com/miekg/dns"
)

// maxAdditional is how many records of additional data there are at most, or few
// more: a message has room for no more, each taking 16 octets at least.
const maxAdditional = 4096

// addAddresses adds what the zone knows of the addresses of the hosts that the
// answer names: glue below a cut too, and what a wildcard stands for.
func (r *resolver) addAddresses() {
	for _, section := range [][]dns.RR{r.out.Answer, r.out.Authority} {
		for _, rr := range section {
			if len(r.out.Additional) >= maxAdditional {
				return
			}
			r.addHostsOf(rr)
		}
	}
}

// addHostsOf knows the types of which RFC 1035 3.3, RFC 2782 and RFC 9460 4.1
// want it.
func (r *resolver) addHostsOf(rr dns.RR) {
	switch rr := rr.(type) {
	case *dns.NS:
		r.addHost(rr.Ns)
	case *dns.MX:
		r.addHost(rr.Mx)
	case *dns.SRV:
		r.addHost(rr.Target)
	case *dns.SVCB:
		r.addService(rr.Target, dns.TypeSVCB)
	case *dns.HTTPS:
		r.addService(rr.Target, dns.TypeHTTPS)
	}
}

func (r *resolver) addHost(host string) {
	var buf [maxKey]byte
	if key, ok := r.zone.keyOf(buf[:0], host); ok {
		r.addAll(host, r.zone.source(key), dns.TypeA, dns.TypeAAAA)
	}
}

// addService adds the target's own record of the type too, and in a signed zone
// the proof for those of them that there are not (RFC 9460 4.1).
func (r *resolver) addService(host string, typ uint16) {
	var buf [maxKey]byte
	key, ok := r.zone.keyOf(buf[:0], host)
	if !ok {
		return
	}
	source := r.zone.source(key)
	if r.addAll(host, source, dns.TypeA, dns.TypeAAAA, typ) || !r.do {
		return
	}
	if n, match := r.zone.denial(source); match {
		if owner, typ := r.proofOf(n); !r.hasAdditional(owner, typ) {
			r.addType(&r.out.Additional, owner, n, typ)
		}
	}
}

// nameType is what of an RRset has says whether it is there.
type nameType struct {
	owner string // in lower case
	typ   uint16
}

// hasAdditional is has for the additional section, which can be long.
func (r *resolver) hasAdditional(owner string, typ uint16) bool {
	const few = 32 // in which to look costs less than to note them
	if len(r.out.Additional) <= few {
		return r.has(r.out.Additional, owner, typ)
	}
	if r.noted == nil {
		r.noted = map[nameType]struct{}{}
	}
	for ; r.notedTo < len(r.out.Additional); r.notedTo++ {
		header := r.out.Additional[r.notedTo].Header()
		r.noted[nameType{strings.ToLower(header.Name), header.Rrtype}] = struct{}{}
	}
	_, ok := r.noted[nameType{strings.ToLower(owner), typ}]
	return ok
}

// addAll tells whether the name has all the types.
func (r *resolver) addAll(host string, source []byte, types ...uint16) bool {
	n, _ := r.zone.find(source)
	all := true
	for _, typ := range types {
		if !r.hasAdditional(host, typ) && !r.addType(&r.out.Additional, host, n, typ) {
			all = false
		}
	}
	return all
}
