// SPDX-License-Identifier: Apache-2.0

package lookup

import "github.com/miekg/dns"

// What a signed zone says about what is not there, by NSEC (RFC 4035 3.1.3) or
// by NSEC3 (RFC 5155 7.2). A zone that has neither says nothing.

func (z *Zone) usesNSEC3() bool { return len(z.nsec3()) > 0 }

// denial gives the NSEC of a name, or the NSEC3 of its hash, or the one whose
// gap it lies in; match tells which. Without a chain the node is empty. Of a chain
// with too many iterations it is one NSEC3 for all names, which tells of them.
func (z *Zone) denial(key []byte) (n node, match bool) {
	if !z.usesNSEC3() {
		return z.cover(z.nsec(), key)
	}
	param, _ := nsec3Param(z.apex())
	if param.iterations > maxIterations {
		return z.nodeAt(z.nsec3()[0]), true
	}
	var buf [maxWire]byte
	hash := param.hash(appendWire(buf[:0], key, z.originWire()))
	return z.cover(z.nsec3(), hash[:])
}

// prove adds the denial of a name to the authority section.
func (r *resolver) prove(key []byte) {
	n, _ := r.zone.denial(key)
	r.addProof(n)
}

// addProof adds an NSEC or NSEC3 to the authority section, once.
func (r *resolver) addProof(n node) {
	if owner, typ := r.proofOf(n); !r.has(r.out.Authority, owner, typ) {
		r.addType(&r.out.Authority, owner, n, typ)
	}
}

// proofOf tells what of a node that denial gave is the proof.
func (r *resolver) proofOf(n node) (owner string, typ uint16) {
	if r.zone.usesNSEC3() {
		return r.zone.ownerText(n.key), dns.TypeNSEC3
	}
	return r.zone.ownerText(n.key), dns.TypeNSEC
}

// proveNoName: neither key nor the wildcard below its closest encloser exists.
func (r *resolver) proveNoName(key, encloser []byte) {
	switch {
	case !r.do:
	case r.zone.usesNSEC3():
		r.prove(wildcardKey(r.proveEncloser(key, encloser)))
	default:
		r.prove(key)
		r.prove(wildcardKey(encloser))
	}
}

// proveExpansion: key itself does not exist, so that the answer may come from
// the wildcard below encloser. Without an encloser it does not.
func (r *resolver) proveExpansion(key, encloser []byte) {
	if !r.do || encloser == nil {
		return
	}
	if r.zone.usesNSEC3() {
		key = childKey(key, encloser)
	}
	r.prove(key)
}

// proveNoData: neither key nor, where encloser is set, the wildcard below it
// has the type.
func (r *resolver) proveNoData(key, encloser []byte) {
	switch {
	case !r.do:
	case r.zone.usesNSEC3():
		r.proveNoData3(key, encloser)
	default:
		r.prove(key)
		if encloser != nil {
			r.prove(wildcardKey(encloser))
		}
	}
}

// proveNoData3 is RFC 5155 7.2.3 to 7.2.5. What only unsigned delegations make
// exist has no NSEC3 under opt-out; then its closest encloser is all there is to
// prove.
func (r *resolver) proveNoData3(key, encloser []byte) {
	name := key
	if encloser != nil {
		name = wildcardKey(encloser)
		r.proveEncloser(key, encloser)
	}
	n, match := r.zone.denial(name)
	switch {
	case match:
		r.addProof(n)
	case encloser == nil && len(key) > 0:
		r.proveEncloser(key, parentKey(key))
	}
}

// proveEncloser proves the closest encloser (RFC 5155 7.2.1) and gives it: it
// has an NSEC3, the next name towards key is covered by one. Under opt-out it
// may be an ancestor of the one that exists.
func (r *resolver) proveEncloser(key, encloser []byte) []byte {
	n, match := r.zone.denial(encloser)
	for !match && len(encloser) > 0 {
		encloser = parentKey(encloser)
		n, match = r.zone.denial(encloser)
	}
	r.addProof(n)
	r.prove(childKey(key, encloser))
	return encloser
}
