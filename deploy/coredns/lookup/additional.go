// SPDX-License-Identifier: Apache-2.0

package lookup

import "github.com/miekg/dns"

// addAddresses adds what the zone knows of the addresses of the hosts that the
// answer names: glue below a cut too, and what a wildcard stands for.
func (r *resolver) addAddresses() {
	for _, rr := range r.out.Answer {
		r.addHostsOf(rr)
	}
	for _, rr := range r.out.Authority {
		r.addHostsOf(rr)
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
		r.addProof(&r.out.Additional, n)
	}
}

// addAll tells whether the name has all the types.
func (r *resolver) addAll(host string, source []byte, types ...uint16) bool {
	n, _ := r.zone.find(source)
	all := true
	for _, typ := range types {
		if !r.has(r.out.Additional, host, typ) && !r.addType(&r.out.Additional, host, n, typ) {
			all = false
		}
	}
	return all
}
