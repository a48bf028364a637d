// SPDX-License-Identifier: GPL-3.0-or-later

package main

import "bytes"

// difference is one line of the report.
type difference struct {
	Zone     string   `json:"zone"`
	Question string   `json:"question"`
	Over     string   `json:"over"`
	In       []string `json:"in"`
	Oracle   shown    `json:"oracle"`
	Reader   shown    `json:"reader"`
}

// pair is the replies of both servers to one question over one transport.
type pair struct {
	oracle, reader []byte
}

// body is a reply without its id.
func body(reply []byte) []byte {
	if reply == nil {
		return nil
	}
	return reply[2:]
}

// comparer compares the replies of one zone. It belongs to one goroutine.
type comparer struct {
	zone   *zone
	table  *table
	report *report
}

// both compares what came over UDP and TCP for one question.
func (c *comparer) both(q question, udp, tcp pair) {
	c.report.asked(2)
	c.compare(q, "tcp", tcp)
	switch {
	case bytes.Equal(body(udp.oracle), body(tcp.oracle)) && bytes.Equal(body(udp.reader), body(tcp.reader)):
		// the same four messages once more
	case truncated(udp.oracle) || truncated(udp.reader) || shortened(q, udp.oracle, tcp.oracle) || shortened(q, udp.reader, tcp.reader):
		c.truncation(q, udp, tcp)
	default:
		c.compare(q, "udp", udp)
	}
}

// truncation: the answers themselves are compared over TCP. The reader's UDP
// answer must keep to the size; it says TC only where all of it would not fit,
// and where it does not say so it is whole, or lacks but additional records for
// which there was no room (RFC 2181 9).
func (c *comparer) truncation(q question, udp, tcp pair) {
	c.report.truncated()
	fits := len(udp.reader) <= q.size()
	if truncated(udp.reader) {
		fits = fits && compressedSize(tcp.reader) > q.size()
	} else {
		fits = fits && (whole(q, udp.reader, tcp.reader) || shortened(q, udp.reader, tcp.reader) && compressedSize(tcp.reader) > q.size())
	}
	if !fits {
		c.differ(q, "udp", []string{"truncation"}, udp)
	}
}

// whole tells whether a server says the same by UDP as by TCP.
func whole(q question, udp, tcp []byte) bool {
	short, wrongShort := parse(q, udp)
	long, wrongLong := parse(q, tcp)
	return wrongShort == "" && wrongLong == "" && len(differing(short, long)) == 0
}

// shortened tells whether a server has left out additional records by UDP, as it
// may when they do not fit, unless they are the glue of a referral.
func shortened(q question, udp, tcp []byte) bool {
	if len(tcp) <= len(udp) {
		return false
	}
	short, wrongShort := parse(q, udp)
	long, wrongLong := parse(q, tcp)
	if wrongShort != "" || wrongLong != "" || !long.aa || len(without(short.additional, long.additional)) > 0 {
		return false
	}
	short.additional = long.additional
	return len(differing(short, long)) == 0
}

func (c *comparer) compare(q question, over string, replies pair) {
	oracle, wrongOracle := parse(q, replies.oracle)
	reader, wrongReader := parse(q, replies.reader)
	if wrongOracle != "" || wrongReader != "" {
		c.differ(q, over, []string{wrongOracle, wrongReader}, replies)
		return
	}
	if len(differing(oracle, reader)) == 0 {
		return
	}
	used := c.table.settle(c.zone, q, oracle, reader)
	if parts := differing(oracle, reader); len(parts) > 0 {
		c.differ(q, over, parts, replies)
		return
	}
	c.report.permitted(used)
}

func (c *comparer) differ(q question, over string, parts []string, replies pair) {
	c.report.differs(difference{c.zone.known.Name, q.String(), over, parts, show(replies.oracle), show(replies.reader)})
}
