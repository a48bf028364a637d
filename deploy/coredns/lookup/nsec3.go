// SPDX-License-Identifier: Apache-2.0

package lookup

import (
	"bytes"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"

	"github.com/miekg/dns"
)

// hashLabel is the length of an NSEC3 owner's label, SHA-1 in base32hex.
const hashLabel = 32

// maxIterations bounds what one question may cost (RFC 9276 2.3). Validators take
// names for unsigned where an NSEC3 has more than they count, and look at nothing
// else of it (3.2): 150 mostly, with RFC 5155 10.3 500 for usual keys.
const maxIterations = 500

var hashEncoding = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// hashParam is what of an NSEC3PARAM makes the hash of a name (RFC 5155 5).
type hashParam struct {
	iterations uint16
	salt       []byte
}

// nsec3Param gives the parameters of the chain in use: the apex's first
// NSEC3PARAM of SHA-1 without flags (RFC 5155 4.1.2).
func nsec3Param(apex node) (hashParam, bool) {
	set, _ := apex.find(dns.TypeNSEC3PARAM)
	for rest := set.rdata; len(rest) > 0; {
		var rdata []byte
		rdata, rest = block(rest)
		if param, ok := readParam(rdata); ok && rdata[1] == 0 {
			return param, true
		}
	}
	return hashParam{}, false
}

// readParam reads the fields that NSEC3 and NSEC3PARAM begin with.
func readParam(rdata []byte) (hashParam, bool) {
	if len(rdata) < 5 || rdata[0] != dns.SHA1 || len(rdata) < 5+int(rdata[4]) {
		return hashParam{}, false
	}
	return hashParam{
		iterations: binary.BigEndian.Uint16(rdata[2:]),
		salt:       rdata[5 : 5+int(rdata[4])],
	}, true
}

// matches tells whether an NSEC3 set belongs to the chain.
func (p hashParam) matches(set rrset) bool {
	for rest := set.rdata; len(rest) > 0; {
		var rdata []byte
		rdata, rest = block(rest)
		other, ok := readParam(rdata)
		if ok && other.iterations == p.iterations && bytes.Equal(other.salt, p.salt) {
			return true
		}
	}
	return false
}

// hash gives the key of the NSEC3 owner of a name in wire form.
func (p hashParam) hash(wire []byte) [hashLabel + 1]byte {
	var buf [maxWire + 255]byte // a name and a salt
	digest := sha1.Sum(append(append(buf[:0], wire...), p.salt...))
	for i := 0; i < int(p.iterations); i++ {
		digest = sha1.Sum(append(append(buf[:0], digest[:]...), p.salt...))
	}
	var key [hashLabel + 1]byte
	hashEncoding.Encode(key[:], digest[:])
	return key
}
