// SPDX-License-Identifier: Apache-2.0

package lookup

import "github.com/miekg/dns"

// addAddresses adds what the zone knows of the addresses of the hosts that the
// answer names: glue below a cut too, and what a wildcard stands for.
func (r *resolver) addAddresses() {
	for _, rr := range r.out.Answer {
		r.addHost(hostOf(rr))
	}
	for _, rr := range r.out.Authority {
		r.addHost(hostOf(rr))
	}
}

// hostOf gives the host that a record names: RFC 1035 3.3.9 and 3.3.11, RFC 2782,
// RFC 9460 4.1.
func hostOf(rr dns.RR) string {
	switch rr := rr.(type) {
	case *dns.NS:
		return rr.Ns
	case *dns.MX:
		return rr.Mx
	case *dns.SRV:
		return rr.Target
	case *dns.SVCB:
		return rr.Target
	case *dns.HTTPS:
		return rr.Target
	}
	return ""
}

func (r *resolver) addHost(host string) {
	if host == "" || r.has(r.out.Additional, host, dns.TypeA) || r.has(r.out.Additional, host, dns.TypeAAAA) {
		return
	}
	var wire wireName
	var buf [maxKey]byte
	if wire.parse(host) != nil {
		return
	}
	key, inZone := appendKey(buf[:0], wire.bytes(), r.zone.originWire())
	if !inZone {
		return
	}
	n, exists := r.zone.find(key)
	if !exists {
		n, _ = r.zone.wildcard(r.zone.encloser(key))
	}
	r.addType(&r.out.Additional, host, n, dns.TypeA)
	r.addType(&r.out.Additional, host, n, dns.TypeAAAA)
}
