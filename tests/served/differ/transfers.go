// SPDX-License-Identifier: GPL-3.0-or-later

package main

import "github.com/miekg/dns"

// transfers compares the reader's transfer of the zone with the oracle's, in any order.
func (c *comparer) transfers(o options) {
	q := question{c.zone.apex, dns.TypeAXFR, false}
	c.report.asked(1)
	given, err := transfer(o.reader, c.zone.known.Name)
	if err != nil {
		c.report.differs(difference{Zone: c.zone.known.Name, Question: q.String(), Over: "tcp", In: []string{err.Error()}})
		return
	}
	oracle, wrongOracle := compose(&dns.Msg{Answer: copies(c.zone.records)})
	reader, wrongReader := compose(&dns.Msg{Answer: given})
	if wrongOracle != "" || wrongReader != "" {
		c.report.differs(difference{Zone: c.zone.known.Name, Question: q.String(), Over: "tcp", In: []string{wrongOracle, wrongReader}})
		return
	}
	if len(differing(oracle, reader)) == 0 {
		return
	}
	used := c.table.settle(c.zone, q, oracle, reader)
	if parts := differing(oracle, reader); len(parts) > 0 {
		missing, surplus := apart(oracle.answer, reader.answer)
		c.report.differs(difference{c.zone.known.Name, q.String(), "tcp", parts, shown{Answer: missing}, shown{Answer: surplus}})
		return
	}
	c.report.permitted(used)
}

func copies(records []dns.RR) []dns.RR {
	made := make([]dns.RR, len(records))
	for i, rr := range records {
		made[i] = dns.Copy(rr)
	}
	return made
}

// apart returns what only a has, and what only b has, as text; both are sorted.
func apart(a, b []record) (onlyA, onlyB []string) {
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(a) > 0 && len(b) > 0 && a[0].equal(b[0]):
			a, b = a[1:], b[1:]
		case len(b) == 0 || len(a) > 0 && a[0].less(b[0]):
			onlyA, a = append(onlyA, a[0].text()), a[1:]
		default:
			onlyB, b = append(onlyB, b[0].text()), b[1:]
		}
	}
	return onlyA, onlyB
}
