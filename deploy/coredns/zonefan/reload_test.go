// SPDX-License-Identifier: Apache-2.0

package zonefan

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"zonefan.internal/coredns/snapshot"
)

func waitABit() { time.Sleep(20 * time.Millisecond) }

type page struct {
	status int
	text   string
}

// get waits for the server to be there, as it is behind its own goroutine.
func get(t *testing.T, url string) (p page) {
	t.Helper()
	waitFor(t, url+" answers", func() bool {
		answer, err := http.Get(url)
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		p = page{answer.StatusCode, string(text)}
		return err == nil
	})
	return p
}

// value is that of a metric without regard to its labels; "" if it is not there.
func value(t *testing.T, address, name string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindStringSubmatch(get(t, "http://"+address+"/metrics").text)
	if found == nil {
		return ""
	}
	return found[1]
}

// restart makes CoreDNS take another Corefile, as SIGUSR1 and the reload plugin do.
func (s *server) restart(text string) error {
	instance, err := s.instance.Restart(input(text))
	if err == nil {
		s.instance = instance
	}
	return err
}

func TestAReloadKeepsLoadedZonesAndTheSnapshot(t *testing.T) {
	db := newDatabase(t)
	db.put(shop, zoneText(1))
	db.put("other.example.", zoneText(2))
	path := filepath.Join(t.TempDir(), "zones.snapshot")
	text, address := corefile(t, db.block("snapshot "+path))
	s := start(t, text, address)
	s.waitAnswer("www."+shop, dns.TypeA, "NOERROR aa [A 192.0.2.1] [] []")
	db.Freeze() // nothing can be loaded from now on
	defer db.Thaw()
	for range 5 {
		if err := s.restart(text + "# changed\n"); err != nil {
			t.Fatal(err)
		}
		if got := said(s.ask("www."+shop, dns.TypeA)); got != "NOERROR aa [A 192.0.2.1] [] []" {
			t.Fatalf("after the reload: %s", got)
		}
		if len(running.members) != 1 {
			t.Fatalf("%d started", len(running.members))
		}
	}
	s.stop()
	f, err := snapshot.Open(path, log)
	if err != nil {
		t.Fatalf("after the stop: %v", err)
	}
	f.Close()
}

func TestAFailedReloadChangesNothing(t *testing.T) {
	db := newDatabase(t)
	db.put(shop, zoneText(1))
	path := filepath.Join(t.TempDir(), "zones.snapshot")
	text, address := corefile(t, db.block("snapshot "+path))
	s := start(t, text, address)
	s.waitAnswer("www."+shop, dns.TypeA, "NOERROR aa [A 192.0.2.1] [] []")
	foreign := fmt.Sprintf("other.:53 {\n bind 192.0.2.1\n %s\n}\n", db.block("refresh 1s"))
	for what, bad := range map[string]string{
		"a bad key":           strings.Replace(text, "refresh", "refrech", 1),
		"a foreign address":   text + strings.Replace(foreign, " refresh 100ms\n", "", 1),
		"a key of the plugin": strings.Replace(text, "100ms", "soon", 1),
	} {
		if err := s.restart(bad); err == nil {
			t.Fatalf("%s: taken", what)
		}
		if got := said(s.ask("www."+shop, dns.TypeA)); got != "NOERROR aa [A 192.0.2.1] [] []" {
			t.Fatalf("%s: %s", what, got)
		}
		if len(running.members) != 1 {
			t.Fatalf("%s: %d started", what, len(running.members))
		}
	}
	s.stop()
	f, err := snapshot.Open(path, log)
	if err != nil {
		t.Fatalf("after the stop: %v", err)
	}
	f.Close()
}

func TestStartWithTheDatabaseDownServesTheSnapshot(t *testing.T) {
	db := newDatabase(t)
	db.put(shop, zoneText(1))
	db.put("never.asked.", zoneText(2))
	path := filepath.Join(t.TempDir(), "zones.snapshot")
	metrics := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	text, address := corefile(t, "prometheus "+metrics, db.block("snapshot "+path))
	s := start(t, text, address)
	waitFor(t, "both zones are in the snapshot", func() bool {
		return value(t, metrics, `coredns_zonefan_snapshot_zones\{.*\}`) == "2"
	})
	s.stop()
	db.Kill()
	s = start(t, text, address)
	s.waitAnswer("www."+shop, dns.TypeA, "NOERROR aa [A 192.0.2.1] [] []")
	s.waitAnswer("www.never.asked.", dns.TypeA, "NOERROR aa [A 192.0.2.2] [] []")
	if got := said(s.ask("www.example.org.", dns.TypeA)); got != "REFUSED [] [] []" {
		t.Errorf("a name in no zone of the snapshot: %s", got)
	}
}
