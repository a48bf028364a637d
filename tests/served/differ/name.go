// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"strings"

	"github.com/miekg/dns"
)

const (
	maxLabel = 63
	maxName  = 255 // octets of a name on the wire, RFC 1035 2.3.4
)

// name is a domain name as its raw labels, leftmost first; the root has none.
// Presentation form is for messages only: its escapes are in the way of labels.
type name []string

// parseName reads presentation form, which is one that dns.Msg gave out.
func parseName(text string) name {
	wire := make([]byte, maxName)
	end, err := dns.PackDomainName(dns.Fqdn(text), wire, 0, nil, false)
	if err != nil {
		return nil
	}
	var found name
	for at := 0; at < end && wire[at] != 0; at += int(wire[at]) + 1 {
		found = append(found, string(wire[at+1:at+1+int(wire[at])]))
	}
	return found
}

func (n name) wire() []byte {
	wire := make([]byte, 0, n.size())
	for _, label := range n {
		wire = append(wire, byte(len(label)))
		wire = append(wire, label...)
	}
	return append(wire, 0)
}

func (n name) size() int {
	size := 1
	for _, label := range n {
		size += 1 + len(label)
	}
	return size
}

// key is the same for names that differ in case alone, and for no others.
func (n name) key() string {
	return string(lowerASCII(n.wire()))
}

func (n name) String() string {
	text, _, err := dns.UnpackDomainName(n.wire(), 0)
	if err != nil {
		return err.Error()
	}
	return text
}

func (n name) parent() name {
	return n[1:]
}

func (n name) child(labels ...string) name {
	return append(append(name{}, labels...), n...)
}

// sibling has the first label in the place of n's own.
func (n name) sibling(label string) name {
	return n.parent().child(label)
}

// atOrBelow counts n itself as below n.
func (n name) atOrBelow(other name) bool {
	return len(n) >= len(other) && n[len(n)-len(other):].key() == other.key()
}

// valid: no label and no name is longer than RFC 1035 lets it be.
func (n name) valid() bool {
	for _, label := range n {
		if len(label) == 0 || len(label) > maxLabel {
			return false
		}
	}
	return n.size() <= maxName
}

// mixedCase turns every other letter over (0x20).
func (n name) mixedCase() name {
	mixed := make(name, len(n))
	for i, label := range n {
		turned := []byte(label)
		for j, c := range turned {
			if (i+j)%2 == 0 && isLetter(c) {
				turned[j] = c ^ 0x20
			}
		}
		mixed[i] = string(turned)
	}
	return mixed
}

func isLetter(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z'
}

func lowerASCII(text []byte) []byte {
	for i, c := range text {
		if 'A' <= c && c <= 'Z' {
			text[i] = c | 0x20
		}
	}
	return text
}

// filled is n with labels put before it until there is no room for one octet more.
func (n name) filled() name {
	for maxName-n.size() >= 2 {
		n = n.child(strings.Repeat("x", min(maxLabel, maxName-n.size()-1)))
	}
	return n
}
