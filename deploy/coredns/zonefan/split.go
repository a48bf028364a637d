// SPDX-License-Identifier: Apache-2.0

package zonefan

import (
	"context"

	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"
)

// maxTransferMessage is how many bytes of records go into one message of a
// transfer: a TCP message has 65,535 at most.
const maxTransferMessage = 60_000

// splitter stands at the front of the server block. CoreDNS's transfer plugin
// puts 500 records into a message whatever their size (up to v1.12.x at least),
// and what does not fit is cut off: a transfer with a hole. Here such a message
// is made several, which RFC 5936 2.2 leaves to the server.
type splitter struct{ plugin.Handler }

// Name implements plugin.Handler.
func (splitter) Name() string { return pluginName + "_transfer" }

// ServeDNS implements plugin.Handler.
func (s splitter) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	if len(r.Question) == 1 && (r.Question[0].Qtype == dns.TypeAXFR || r.Question[0].Qtype == dns.TypeIXFR) {
		w = splitWriter{w}
	}
	return plugin.NextOrFailure(s.Name(), s.Handler, ctx, w, r)
}

// splitWriter writes an answer that is too large in several messages.
type splitWriter struct{ dns.ResponseWriter }

// WriteMsg implements dns.ResponseWriter.
func (w splitWriter) WriteMsg(m *dns.Msg) error {
	if m.Len() <= maxTransferMessage {
		return w.ResponseWriter.WriteMsg(m)
	}
	for rest := m.Answer; len(rest) > 0; {
		n, size := 0, 0
		for n < len(rest) && (n == 0 || size+dns.Len(rest[n]) <= maxTransferMessage) {
			size += dns.Len(rest[n])
			n++
		}
		part := *m
		part.Answer, rest = rest[:n], rest[n:]
		if err := w.ResponseWriter.WriteMsg(&part); err != nil {
			return err
		}
	}
	return nil
}
