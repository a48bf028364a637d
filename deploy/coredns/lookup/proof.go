// SPDX-License-Identifier: Apache-2.0

package lookup

import "github.com/miekg/dns"

// What a signed zone says about the things that are not there, by NSEC (RFC
// 4035 3.1.3) or by NSEC3 (RFC 5155 7.2). A zone without either says nothing.

// proveNoName: neither key nor the wildcard below its closest encloser exists.
func (r *resolver) proveNoName(key, encloser []byte) {
	switch {
	case !r.do:
	case len(r.zone.nsec3()) > 0:
		closest := r.addEncloser3(key, encloser)
		r.addNSEC3(wildcardKey(closest), false)
	case len(r.zone.nsec()) > 0:
		r.addNSEC(key)
		r.addNSEC(wildcardKey(encloser))
	}
}

// proveExpansion: key itself does not exist, so that the answer may come from
// the wildcard below encloser. Without an encloser it does not.
func (r *resolver) proveExpansion(key, encloser []byte) {
	switch {
	case !r.do || encloser == nil:
	case len(r.zone.nsec3()) > 0:
		r.addNSEC3(childKey(key, encloser), false)
	case len(r.zone.nsec()) > 0:
		r.addNSEC(key)
	}
}

// proveNoData: neither key nor, where encloser is set, the wildcard below it
// has the type.
func (r *resolver) proveNoData(key []byte, encloser []byte) {
	switch {
	case !r.do:
	case len(r.zone.nsec3()) > 0 && encloser != nil:
		r.addEncloser3(key, encloser)
		r.addNSEC3(wildcardKey(encloser), true)
	case len(r.zone.nsec3()) > 0:
		if !r.addNSEC3(key, true) && len(key) > 0 {
			r.addEncloser3(key, parentKey(key)) // an unsigned delegation under opt-out
		}
	case len(r.zone.nsec()) > 0:
		r.addNSEC(key)
		if encloser != nil {
			r.addNSEC(wildcardKey(encloser))
		}
	}
}

// addNSEC adds the NSEC of key, or the one whose gap key lies in.
func (r *resolver) addNSEC(key []byte) {
	n, _ := r.zone.cover(r.zone.nsec(), key)
	r.addProof(n, dns.TypeNSEC)
}

// addNSEC3 adds the NSEC3 of a name: the one that matches its hash, or the one
// that covers it. False, if it should match and does not.
func (r *resolver) addNSEC3(key []byte, match bool) bool {
	param, _ := nsec3Param(r.zone.apex())
	var buf [maxWire]byte
	hash := param.hash(appendWire(buf[:0], key, r.zone.originWire()))
	n, found := r.zone.cover(r.zone.nsec3(), hash[:])
	if match && !found {
		return false
	}
	r.addProof(n, dns.TypeNSEC3)
	return true
}

// addEncloser3 proves the closest encloser (RFC 5155 7.2.1) and gives it: it has
// an NSEC3, the next name towards key is covered by one. What only unsigned
// delegations make exist has none under opt-out, so it may be an ancestor of
// the encloser.
func (r *resolver) addEncloser3(key, encloser []byte) []byte {
	for !r.addNSEC3(encloser, true) && len(encloser) > 0 {
		encloser = parentKey(encloser)
	}
	r.addNSEC3(childKey(key, encloser), false)
	return encloser
}

// addProof adds an NSEC or NSEC3 once.
func (r *resolver) addProof(n node, typ uint16) {
	owner := r.zone.ownerText(n.key)
	if !r.has(r.out.Authority, owner, typ) {
		r.addType(&r.out.Authority, owner, n, typ)
	}
}
