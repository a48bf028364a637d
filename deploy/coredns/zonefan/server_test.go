// SPDX-License-Identifier: Apache-2.0

package zonefan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/miekg/dns"

	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/metrics"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/transfer"
	_ "github.com/coredns/coredns/plugin/whoami"
)

func init() {
	dnsserver.Directives = []string{"bind", "ready", "prometheus", "errors", "cache", "transfer", pluginName, "whoami"}
	dnsserver.Quiet, caddy.Quiet = true, true
}

// server is a CoreDNS in this process.
type server struct {
	t        *testing.T
	instance *caddy.Instance
	address  string
}

// corefile is a server block on a free port with these lines in it.
func corefile(t *testing.T, lines ...string) (text, address string) {
	address = fmt.Sprintf("127.0.0.1:%d", freePort(t))
	return fmt.Sprintf(".:%s {\n bind 127.0.0.1\n errors\n %s\n}\n", strings.TrimPrefix(address, "127.0.0.1:"),
		strings.Join(lines, "\n ")), address
}

func input(text string) caddy.Input {
	return caddy.CaddyfileInput{Contents: []byte(text), Filepath: "Corefile", ServerTypeName: "dns"}
}

func serve(t *testing.T, lines ...string) *server {
	t.Helper()
	text, address := corefile(t, lines...)
	return start(t, text, address)
}

func start(t *testing.T, text, address string) *server {
	t.Helper()
	instance, err := caddy.Start(input(text))
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, instance: instance, address: address}
	t.Cleanup(s.stop)
	return s
}

func (s *server) stop() {
	if s.instance != nil {
		s.instance.ShutdownCallbacks()
		s.instance.Stop()
		s.instance = nil
	}
}

// block is a block of the plugin with these lines beside its DSN.
func (d *database) block(lines ...string) string {
	return "zonefan {\n dsn " + d.dsn() + "\n refresh 100ms\n " + strings.Join(lines, "\n ") + "\n }"
}

func (s *server) exchange(network string, m *dns.Msg) *dns.Msg {
	s.t.Helper()
	client := dns.Client{Net: network, Timeout: limit}
	answer, _, err := client.Exchange(m, s.address)
	if err != nil {
		s.t.Fatalf("%s: %v", m.Question[0].String(), err)
	}
	return answer
}

func (s *server) ask(name string, qtype uint16) *dns.Msg {
	s.t.Helper()
	return s.exchange("udp", new(dns.Msg).SetQuestion(name, qtype))
}

// waitAnswer waits until the answer to a question is as wanted (see said).
func (s *server) waitAnswer(name string, qtype uint16, want string) {
	s.t.Helper()
	var got string
	for range 300 {
		if got = said(s.ask(name, qtype)); got == want {
			return
		}
		waitABit()
	}
	s.t.Fatalf("%s %s: %s, wanted %s", name, dns.TypeToString[qtype], got, want)
}

// said is an answer in short: status, flags, and the data of its sections.
func said(m *dns.Msg) string {
	parts := []string{dns.RcodeToString[m.Rcode]}
	if m.Authoritative {
		parts = append(parts, "aa")
	}
	for _, section := range [][]dns.RR{m.Answer, m.Ns, m.Extra} {
		var data []string
		for _, rr := range section {
			if h := rr.Header(); h.Rrtype != dns.TypeOPT {
				data = append(data, dns.TypeToString[h.Rrtype]+" "+strings.TrimPrefix(rr.String(), h.String()))
			}
		}
		slices.Sort(data)
		parts = append(parts, "["+strings.Join(data, ", ")+"]")
	}
	return strings.Join(parts, " ")
}

const shop = "shop.example."

func soa(serial int) string {
	return fmt.Sprintf("SOA ns1.host.example. hostmaster.host.example. %d 7200 3600 1209600 300", serial)
}

func TestAnswersOfAZone(t *testing.T) {
	db := newDatabase(t)
	db.put(shop, zoneText(7))
	s := serve(t, db.block())
	s.waitAnswer(shop, dns.TypeSOA, "NOERROR aa ["+soa(7)+"] [] []")
	for _, c := range []struct {
		name  string
		qtype uint16
		want  string
	}{
		{"www." + shop, dns.TypeA, "NOERROR aa [A 192.0.2.7] [] []"},
		{"wWw.ShOp.example.", dns.TypeA, "NOERROR aa [A 192.0.2.7] [] []"},
		{"www." + shop, dns.TypeAAAA, "NOERROR aa [] [" + soa(7) + "] []"},
		{"none." + shop, dns.TypeA, "NXDOMAIN aa [] [" + soa(7) + "] []"},
		{"wild." + shop, dns.TypeA, "NOERROR aa [] [" + soa(7) + "] []"},
		{"a.b.wild." + shop, dns.TypeTXT, `NOERROR aa [TXT "v7"] [] []`},
		{"x.sub." + shop, dns.TypeA, "NOERROR [] [NS ns.sub.shop.example.] [A 198.51.100.53]"},
	} {
		answer := s.ask(c.name, c.qtype)
		if got := said(answer); got != c.want {
			t.Errorf("%s %s: %s, wanted %s", c.name, dns.TypeToString[c.qtype], got, c.want)
		}
		if answer.Question[0].Name != c.name {
			t.Errorf("%s: the question came back as %s", c.name, answer.Question[0].Name)
		}
	}
}

func TestWhatIsNotOursIsRefused(t *testing.T) {
	db := newDatabase(t)
	db.put(shop, zoneText(1))
	db.put("other.example.", zoneText(1))
	s := serve(t, strings.Replace(db.block(), "zonefan {", "zonefan shop.example org {", 1))
	s.waitAnswer("www."+shop, dns.TypeA, "NOERROR aa [A 192.0.2.1] [] []")
	for _, name := range []string{"example.", "www.example.org.", "www.other.example.", "."} {
		if got := said(s.ask(name, dns.TypeA)); got != "REFUSED [] [] []" {
			t.Errorf("%s: %s", name, got)
		}
	}
	for _, qtype := range []uint16{dns.TypeAXFR, dns.TypeIXFR} {
		if got := said(s.exchange("tcp", new(dns.Msg).SetQuestion(shop, qtype))); got != "REFUSED [] [] []" {
			t.Errorf("without the transfer plugin: %s", got)
		}
	}
	chaos := new(dns.Msg).SetQuestion(shop, dns.TypeTXT)
	chaos.Question[0].Qclass = dns.ClassCHAOS
	if got := said(s.exchange("udp", chaos)); got != "REFUSED [] [] []" {
		t.Errorf("class CH: %s", got)
	}
	if got := said(s.exchange("udp", new(dns.Msg).SetNotify(shop))); got != "REFUSED [] [] []" {
		t.Errorf("NOTIFY: %s", got)
	}
}

// The parent's matter is the child's where the parent is not ours.
func TestTheDSOfAZoneWhoseParentIsNotOurs(t *testing.T) {
	const child = "sub." + shop
	db := newDatabase(t)
	db.put(shop, zoneText(1))
	db.put(child, zoneText(2))
	for origin, want := range map[string]string{"": "NOERROR aa [] [" + soa(1) + "] []", child: "NOERROR aa [] [" + soa(2) + "] []"} {
		s := serve(t, strings.Replace(db.block(), "zonefan {", "zonefan "+origin+" {", 1))
		s.waitAnswer("www."+child, dns.TypeA, "NOERROR aa [A 192.0.2.2] [] []")
		if got := said(s.ask(child, dns.TypeDS)); got != want {
			t.Errorf("zonefan %q: %s", origin, got)
		}
	}
}

func TestFallthrough(t *testing.T) {
	db := newDatabase(t)
	db.put(shop, zoneText(1)+"\ndangling 300 CNAME none."+shop)
	const next = "NOERROR aa [] []" // so begins what whoami says
	for _, c := range []struct {
		line   string
		next   bool // for a name that is not there
		inZone string
	}{
		{"", false, "NXDOMAIN"}, {"fallthrough", true, ""}, {"fallthrough none." + shop, true, ""}, {"fallthrough example.org", false, "NXDOMAIN"},
	} {
		s := serve(t, db.block(c.line), "whoami")
		s.waitAnswer("www."+shop, dns.TypeA, "NOERROR aa [A 192.0.2.1] [] []")
		got := said(s.ask("none."+shop, dns.TypeA))
		if c.next != strings.HasPrefix(got, next) || !c.next && !strings.HasPrefix(got, c.inZone) {
			t.Errorf("%q: a name that is not there: %s", c.line, got)
		}
		if got := said(s.ask("www."+shop, dns.TypeAAAA)); !strings.Contains(got, soa(1)) {
			t.Errorf("%q: a type that is not there: %s", c.line, got)
		}
		if got := said(s.ask("www.example.org.", dns.TypeA)); !strings.HasPrefix(got, next) {
			t.Errorf("%q: a name in no zone: %s", c.line, got)
		}
		if got := said(s.ask("dangling."+shop, dns.TypeA)); got != "NXDOMAIN aa [CNAME none."+shop+"] ["+soa(1)+"] []" {
			t.Errorf("%q: an alias of a name that is not there: %s", c.line, got)
		}
		s.stop()
	}
}

// Ignorance is not absence: what can't be known is no REFUSED and no NXDOMAIN.
func TestWithoutIndexAllIsServfailAndNotReady(t *testing.T) {
	db := newDatabase(t)
	db.put(shop, zoneText(3))
	db.Kill()
	ready := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	s := serve(t, "ready "+ready, db.block())
	for _, name := range []string{"www." + shop, "www.example.org."} {
		if got := said(s.ask(name, dns.TypeA)); got != "SERVFAIL [] [] []" {
			t.Errorf("%s: %s", name, got)
		}
	}
	if status := get(t, "http://"+ready+"/ready").status; status != 503 {
		t.Errorf("/ready says %d without an index", status)
	}
	db.Up()
	s.waitAnswer("www."+shop, dns.TypeA, "NOERROR aa [A 192.0.2.3] [] []")
	if got := said(s.ask("www.example.org.", dns.TypeA)); got != "REFUSED [] [] []" {
		t.Errorf("a name in no zone, with an index: %s", got)
	}
	if status := get(t, "http://"+ready+"/ready").status; status != 200 {
		t.Errorf("/ready says %d with an index", status)
	}
}

func TestChangesShow(t *testing.T) {
	db := newDatabase(t)
	db.put(shop, zoneText(1))
	s := serve(t, db.block())
	s.waitAnswer("www."+shop, dns.TypeA, "NOERROR aa [A 192.0.2.1] [] []")
	db.put(shop, zoneText(2))
	s.waitAnswer("www."+shop, dns.TypeA, "NOERROR aa [A 192.0.2.2] [] []")
	db.put("new.example.", zoneText(5))
	s.waitAnswer("www.new.example.", dns.TypeA, "NOERROR aa [A 192.0.2.5] [] []")
	db.drop(shop)
	s.waitAnswer("www."+shop, dns.TypeA, "REFUSED [] [] []")
	db.Kill()
	if got := said(s.ask("www.new.example.", dns.TypeA)); got != "NOERROR aa [A 192.0.2.5] [] []" {
		t.Errorf("a loaded zone, the database killed: %s", got)
	}
}

// CoreDNS's cache counts the TTLs of the records in its hands down.
func TestACacheInFrontDoesNotChangeOurRecords(t *testing.T) {
	db := newDatabase(t)
	db.put(shop, zoneText(1))
	cached, address := corefile(t, "cache 3600", db.block())
	plain, plainAddress := corefile(t, db.block())
	instance, err := caddy.Start(input(cached + plain))
	if err != nil {
		t.Fatal(err)
	}
	front := &server{t: t, instance: instance, address: address}
	t.Cleanup(front.stop)
	behind := &server{t: t, address: plainAddress}
	behind.waitAnswer("www."+shop, dns.TypeA, "NOERROR aa [A 192.0.2.1] [] []")
	waitFor(t, "the cache counts down", func() bool {
		answer := front.ask("www."+shop, dns.TypeA)
		return len(answer.Answer) == 1 && answer.Answer[0].Header().Ttl < 299
	})
	if ttl := behind.ask("www."+shop, dns.TypeA).Answer[0].Header().Ttl; ttl != 300 {
		t.Errorf("TTL %d, wanted 300", ttl)
	}
}

func TestSeveralBlocksOnOneDatabaseShareWhatIsLoaded(t *testing.T) {
	db := newDatabase(t)
	db.put(shop, zoneText(1))
	one, address := corefile(t, db.block())
	two, other := corefile(t, db.block())
	instance, err := caddy.Start(input(one + two))
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, instance: instance, address: address}
	t.Cleanup(s.stop)
	s.waitAnswer("www."+shop, dns.TypeA, "NOERROR aa [A 192.0.2.1] [] []")
	if len(running.members) != 2 {
		t.Errorf("%d started", len(running.members))
	}
	db.Kill()
	s.address = other
	if got := said(s.ask("www."+shop, dns.TypeA)); got != "NOERROR aa [A 192.0.2.1] [] []" {
		t.Errorf("at the other block, the database killed: %s", got)
	}
}

func TestAStartThatFailsLeavesNothingBehind(t *testing.T) {
	db := newDatabase(t)
	if _, err := caddy.Start(input(".:0 {\n bind 192.0.2.1\n " + db.block() + "\n}")); err == nil {
		t.Fatal("started on a foreign address")
	}
	running.stopAllBut(nil) // the process would end
}
