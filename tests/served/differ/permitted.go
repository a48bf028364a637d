// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// rule takes one permitted difference out of two answers, by changing the
// oracle's or the reader's; it tells whether it changed anything.
type rule func(z *zone, q question, oracle, reader *answer) bool

// rules are those that a table may name (rules.go; limits.go for the public plugin).
var rules = map[string]rule{
	"unlike-ttls":       unlikeTTLs,
	"yxdomain":          overlongAlias,
	"doubled-cname":     doubledCNAME,
	"proof-of-wildcard": proofOfWildcard,
	"opt-out-nxdomain":  optOutNXDOMAIN,
	"dname-at-asterisk": dnameAtAsterisk,
	"service-addresses": serviceAddresses,

	"servfail":           servfailInstead,
	"no-aa":              noFlagAA,
	"no-authority":       noAuthority,
	"no-signatures":      noSignatures,
	"other-addresses":    otherAddresses,
	"rows-as-they-stand": rowsAsTheyStand,
	"one-alias":          oneAlias,
	"wildcard-for-all":   wildcardForAll,
}

// table is a file of permitted differences: lines of name, RFC and reason with
// tabs between them, # begins a comment.
type table struct {
	names []string
}

func readTable(path string) (*table, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	read := &table{}
	lines := bufio.NewScanner(file)
	for number := 1; lines.Scan(); number++ {
		if lines.Text() == "" || strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		fields := strings.Split(lines.Text(), "\t")
		if len(fields) != 3 || rules[fields[0]] == nil {
			return nil, fmt.Errorf("%s:%d: not a known rule, its RFC and the reason: %q", path, number, lines.Text())
		}
		read.names = append(read.names, fields[0])
	}
	return read, lines.Err()
}

// settle applies the rules in their order until nothing differs; the names of
// those that changed something.
func (t *table) settle(z *zone, q question, oracle, reader *answer) []string {
	var used []string
	for _, name := range t.names {
		if rules[name](z, q, oracle, reader) {
			used = append(used, name)
			if len(differing(oracle, reader)) == 0 {
				break
			}
		}
	}
	return used
}
