// SPDX-License-Identifier: Apache-2.0

// Package zonefan is the CoreDNS plugin of that name: it answers with the zones
// that zonefan wrote into a database, exactly as they were pushed.
//
// What is known and loaded is the catalog's matter, what a zone answers the
// look-up's; here they meet CoreDNS.
package zonefan

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/fall"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"zonefan.internal/coredns/catalog"
)

const pluginName = "zonefan"

// Zonefan serves the zones of one database in one server block. It is a
// plugin.Handler, a ready.Readiness and a transfer.Transferer, all of them safe
// for any number of goroutines once it was started.
type Zonefan struct {
	Next plugin.Handler

	origins plugin.Zones // only zones at or below these are served
	fall    fall.F
	config  catalog.Config
	catalog atomic.Pointer[catalog.Catalog] // nil before the start
	started time.Time

	notify   *notifier // nil without CoreDNS's transfer plugin
	unlisten func()    // ends the catalog's calls of changed
}

// Name implements plugin.Handler.
func (z *Zonefan) Name() string { return pluginName }

// Ready implements ready.Readiness: the index of zones is known, from the
// database or from the snapshot.
func (z *Zonefan) Ready() bool {
	c := z.catalog.Load() // CoreDNS may ask before all is started
	return c != nil && c.Ready()
}

// ServeDNS implements plugin.Handler. It waits for the database at most where a
// zone that is not loaded is asked for.
func (z *Zonefan) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	state := request.Request{W: w, Req: r}
	if r.Opcode != dns.OpcodeQuery || state.QClass() != dns.ClassINET {
		return z.next(ctx, w, r)
	}
	zone, known, err := z.find(state.Name(), state.QType())
	if err != nil {
		return dns.RcodeServerFailure, nil // the catalog logs that once, not for each question
	}
	if !known {
		return z.next(ctx, w, r)
	}
	if state.QType() == dns.TypeAXFR || state.QType() == dns.TypeIXFR {
		return dns.RcodeRefused, nil // the transfer plugin, which comes before, let it through
	}
	found, err := z.catalog.Load().Zone(ctx, zone)
	if err != nil {
		return dns.RcodeServerFailure, nil // as above
	}
	answer := found.Lookup(state.QName(), state.QType(), state.Do())
	exists := answer.Rcode != dns.RcodeNameError || len(answer.Answer) > 0 // as an alias of what does not
	if !exists && z.fall.Through(state.Name()) && z.Next != nil {
		return z.next(ctx, w, r)
	}
	if !plugin.ClientWrite(answer.Rcode) {
		return answer.Rcode, nil
	}
	m := new(dns.Msg)
	m.SetRcode(r, answer.Rcode)
	m.Authoritative = answer.Authoritative
	m.Answer, m.Ns, m.Extra = answer.Answer, answer.Authority, answer.Additional
	return answer.Rcode, w.WriteMsg(m)
}

// find returns the zone of ours that a question is about. No zone outside the
// origins is ours.
func (z *Zonefan) find(qname string, qtype uint16) (zone string, known bool, err error) {
	if z.origins.Matches(qname) == "" {
		return "", false, nil
	}
	zone, known, err = z.catalog.Load().Find(qname, qtype)
	if known && qtype == dns.TypeDS && z.origins.Matches(zone) == "" {
		zone, known, err = z.catalog.Load().Find(qname, dns.TypeNone) // the parent is not here, but the child may be
	}
	if err != nil || !known || z.origins.Matches(zone) == "" {
		return "", false, err
	}
	return zone, true, nil
}

// next asks the next plugin. Where there is none, it is not our question: the
// zones come and go, so the server block's own zones promise nothing.
func (z *Zonefan) next(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	if z.Next == nil {
		return dns.RcodeRefused, nil
	}
	return plugin.NextOrFailure(pluginName, z.Next, ctx, w, r)
}
