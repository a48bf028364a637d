// SPDX-License-Identifier: GPL-3.0-or-later
package reader

import (
	"context"
	"fmt"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"
)

// Reader answers from the tables; what they lack it answers from memory, and what it never answered goes to Next.
type Reader struct {
	Next    plugin.Handler
	tables  *tables
	answers *answers
}

func (r *Reader) Name() string { return pluginName }

func (r *Reader) ServeDNS(ctx context.Context, w dns.ResponseWriter, query *dns.Msg) (int, error) {
	state := request.Request{W: w, Req: query}
	key := question{state.Name(), state.Type()}

	answer, err := r.lookup(ctx, key)
	if err != nil {
		log.Errorf("%s %s: %v", key.name, key.rtype, err)
		if _, bad := err.(*dataError); bad {
			return dns.RcodeServerFailure, err
		}
	}
	if len(answer) != 0 {
		r.answers.put(key, answer)
	} else if answer = r.answers.get(key); len(answer) == 0 {
		return plugin.NextOrFailure(pluginName, r.Next, ctx, w, query)
	}
	reply := new(dns.Msg)
	reply.SetReply(query)
	reply.Answer = answer
	reply.Extra = r.glue(ctx, answer)
	return dns.RcodeSuccess, w.WriteMsg(reply)
}

// lookup: the rows of the type, else a CNAME and one step of its chain, else the wildcard's rows of the type.
func (r *Reader) lookup(ctx context.Context, key question) ([]dns.RR, error) {
	at, found := r.tables.locate(key.name)
	if !found {
		return nil, nil
	}
	rows, err := r.tables.records(ctx, at, key.rtype)
	if err != nil {
		return nil, err
	}
	if len(rows) != 0 {
		return parseAll(rows)
	}
	answer, err := r.chase(ctx, at, key)
	if err != nil || len(answer) != 0 {
		return answer, err
	}
	at, found = r.tables.wildcardAbove(key.name)
	if !found {
		return nil, nil
	}
	if rows, err = r.tables.records(ctx, at, key.rtype); err != nil {
		return nil, err
	}
	for i := range rows {
		rows[i].owner = key.name
	}
	return parseAll(rows)
}

// chase: a target whose zone is not in the list gives no answer at all.
func (r *Reader) chase(ctx context.Context, at place, key question) ([]dns.RR, error) {
	aliases, err := r.tables.records(ctx, at, "CNAME")
	if err != nil {
		return nil, err
	}
	var answer []dns.RR
	for _, alias := range aliases {
		target, found := r.tables.locate(alias.data)
		if !found {
			return nil, nil
		}
		rows, err := r.tables.records(ctx, target, key.rtype)
		if err != nil {
			return nil, err
		}
		records, err := parseAll(append([]row{alias}, rows...))
		if err != nil {
			return nil, err
		}
		answer = append(answer, records...)
	}
	return answer, nil
}

// glue: the addresses of name servers that are in the tables.
func (r *Reader) glue(ctx context.Context, answer []dns.RR) []dns.RR {
	var extra []dns.RR
	for _, record := range answer {
		ns, isNS := record.(*dns.NS)
		if !isNS {
			continue
		}
		at, found := r.tables.locate(ns.Ns)
		if !found {
			continue
		}
		for _, rtype := range []string{"A", "AAAA"} {
			rows, err := r.tables.records(ctx, at, rtype)
			if err != nil {
				continue
			}
			if records, err := parseAll(rows); err == nil {
				extra = append(extra, records...)
			}
		}
	}
	return extra
}

// dataError: a row that is no record. It takes its whole RRset down.
type dataError struct{ error }

func parseAll(rows []row) ([]dns.RR, error) {
	var out []dns.RR
	for _, r := range rows {
		record, err := dns.NewRR(fmt.Sprintf("%s %d IN %s %s", r.owner, r.ttl, r.rtype, r.data))
		if err != nil || record == nil {
			return nil, &dataError{fmt.Errorf("row %s %s: not a record: %v", r.owner, r.rtype, err)}
		}
		out = append(out, record)
	}
	return out, nil
}
