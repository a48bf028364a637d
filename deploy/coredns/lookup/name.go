// SPDX-License-Identifier: Apache-2.0

package lookup

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/miekg/dns"
)

// Names have three forms here: text (as miekg/dns writes it, absolute), wire
// (RFC 1035 3.1, uncompressed, lower case) and key. The key of a name is
// relative to the apex: its labels from the apex downwards, each ended by 0,
// with 0 written as 1 1 and 1 as 1 2. So comparing bytes is the canonical
// order (RFC 4034 6.1), "is a subdomain of" is "has the prefix", and the key
// of the apex is empty.

const (
	maxWire   = 255           // octets of a name, RFC 1035 2.3.4
	maxLabels = maxWire/2 + 1 // the root label too
	maxKey    = 2 * maxWire   // every octet escaped
)

var errNameLength = errors.New("name longer than 255 octets")

// wireName holds a name in wire form; it lives on the stack of a query.
type wireName struct {
	buf  [maxWire + 1]byte
	size int
}

func (n *wireName) bytes() []byte { return n.buf[:n.size] }

// parse reads a text and lower-cases it.
func (n *wireName) parse(text string) error {
	size, err := dns.PackDomainName(text, n.buf[:], 0, nil, false)
	if err != nil {
		return fmt.Errorf("not a domain name: %w", err)
	}
	if size == 0 {
		return errors.New("an empty name")
	}
	if size > maxWire {
		return errNameLength
	}
	for i, c := range n.buf[:size] {
		// length octets are below 'A'
		if c >= 'A' && c <= 'Z' {
			n.buf[i] = c + 'a' - 'A'
		}
	}
	n.size = size
	return nil
}

// appendKey appends the key of wire to dst; false if the name is not in the
// zone of that origin (both are wire forms in lower case).
func appendKey(dst, wire, origin []byte) ([]byte, bool) {
	var starts [maxLabels]uint8
	end := len(wire) - len(origin)
	if end < 0 {
		return dst, false
	}
	labels, at := 0, 0
	for ; at < end; labels++ {
		starts[labels] = uint8(at)
		at += int(wire[at]) + 1
	}
	if at != end || !bytes.Equal(wire[at:], origin) {
		return dst, false
	}
	for labels > 0 {
		labels--
		start := int(starts[labels])
		dst = appendLabel(dst, wire[start+1:start+1+int(wire[start])])
	}
	return dst, true
}

func appendLabel(dst, label []byte) []byte {
	for _, c := range label {
		if c <= 1 {
			dst = append(dst, 1, c+1)
		} else {
			dst = append(dst, c)
		}
	}
	return append(dst, 0)
}

// appendWire is the other way: the wire form of a key. The key is well formed
// (checkKey).
func appendWire(dst, key, origin []byte) []byte {
	for end := len(key); end > 0; {
		start := len(parentKey(key[:end]))
		length := len(dst)
		dst = append(dst, 0)
		for i := start; i < end-1; i++ {
			c := key[i]
			if c == 1 {
				i++
				c = key[i] - 1
			}
			dst = append(dst, c)
		}
		dst[length] = uint8(len(dst) - length - 1)
		end = start
	}
	return append(dst, origin...)
}

// parentKey is the key without its lowest label. The key is not empty.
func parentKey(key []byte) []byte {
	return key[:bytes.LastIndexByte(key[:len(key)-1], 0)+1]
}

// commonKey is the key of the lowest common ancestor.
func commonKey(a, b []byte) []byte {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return a[:bytes.LastIndexByte(a[:n], 0)+1]
}

// childKey is the ancestor of key (or key itself) one label below its ancestor.
func childKey(key, ancestor []byte) []byte {
	return key[:len(ancestor)+bytes.IndexByte(key[len(ancestor):], 0)+1]
}

// wildcardKey is "*" below encloser.
func wildcardKey(encloser []byte) []byte {
	return append(encloser[:len(encloser):len(encloser)], '*', 0)
}

// checkKey refuses what is the key of no name under origin.
func checkKey(key, origin []byte) error {
	size, label := len(origin), 0
	for i := 0; i < len(key); i++ {
		if key[i] == 0 {
			if label == 0 || label > 63 {
				return errors.New("a label of bad length")
			}
			size += label + 1
			label = 0
			continue
		}
		if key[i] == 1 {
			i++
			if i == len(key) || key[i] != 1 && key[i] != 2 {
				return errors.New("a bad escape in a name")
			}
		}
		label++
	}
	if label != 0 {
		return errors.New("a name without end")
	}
	if size > maxWire {
		return errNameLength
	}
	return nil
}
