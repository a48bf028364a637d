// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bytes"

	"github.com/miekg/dns"
)

const (
	flagsByte    = 2 // of a message's header, RFC 1035 4.1.1
	flagTC       = 0x02
	headerLength = 12
)

// answer is a reply made comparable.
type answer struct {
	rcode      int
	aa, edns   bool
	answer     []record
	authority  []record
	additional []record
}

// parse reads a reply; the text tells what is wrong with it as a message.
func parse(q question, reply []byte) (*answer, string) {
	if reply == nil {
		return nil, "no reply"
	}
	asked := q.message(0)[headerLength : headerLength+q.name.size()+4]
	if len(reply) < headerLength+len(asked) || !bytes.Equal(reply[headerLength:headerLength+len(asked)], asked) {
		return nil, "the question is not repeated as it was asked"
	}
	message := new(dns.Msg)
	if err := message.Unpack(reply); err != nil {
		return nil, err.Error()
	}
	if !message.Response || message.Opcode != dns.OpcodeQuery || len(message.Question) != 1 {
		return nil, "not a reply to a query"
	}
	return compose(message)
}

func compose(message *dns.Msg) (*answer, string) {
	made := &answer{rcode: message.Rcode, aa: message.Authoritative}
	extra := message.Extra[:0]
	for _, rr := range message.Extra {
		if opt, ok := rr.(*dns.OPT); ok {
			made.edns = opt.Do()
			continue
		}
		extra = append(extra, rr)
	}
	var err error
	if made.answer, err = canonical(message.Answer); err != nil {
		return nil, err.Error()
	}
	if made.authority, err = canonical(message.Ns); err != nil {
		return nil, err.Error()
	}
	if made.additional, err = canonical(extra); err != nil {
		return nil, err.Error()
	}
	return made, ""
}

func truncated(reply []byte) bool {
	return len(reply) > flagsByte && reply[flagsByte]&flagTC != 0
}

// differing names the parts in which two answers differ.
func differing(a, b *answer) []string {
	var parts []string
	note := func(part string, same bool) {
		if !same {
			parts = append(parts, part)
		}
	}
	note("status", a.rcode == b.rcode)
	note("AA", a.aa == b.aa)
	note("DO", a.edns == b.edns)
	note("answer", alike(a.answer, b.answer))
	note("authority", alike(a.authority, b.authority))
	note("additional", alike(a.additional, b.additional))
	return parts
}

func alike(a, b []record) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !a[i].equal(b[i]) {
			return false
		}
	}
	return true
}

// compressedSize is the least that the reply would need; a reply that is none
// needs more than any.
func compressedSize(reply []byte) int {
	message := new(dns.Msg)
	if reply == nil || message.Unpack(reply) != nil {
		return dns.MaxMsgSize
	}
	message.Compress = true
	return min(message.Len(), len(reply))
}
