// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"zonefan.internal/coredns/internal/mariadbtest"
	"zonefan.internal/coredns/source"
)

// quick has the windows and intervals a thirtieth of the usual ones.
func quick() pace {
	p := usual
	p.window, p.wideWindow, p.wideEvery = time.Second, 6*time.Second, 2*time.Second
	p.patience = 30 * time.Second // on a busy machine
	p.fullEvery, p.foreignEvery, p.pollLimit, p.loadLimit = 20*time.Second, 300*time.Millisecond, 2*time.Second, 5*time.Second
	p.keepFailed = 300 * time.Millisecond
	return p
}

// lines is a Logger that keeps what it gets.
type lines struct {
	mutex sync.Mutex
	all   []string
}

func (l *lines) Infof(format string, v ...any)    { l.add("info", format, v...) }
func (l *lines) Warningf(format string, v ...any) { l.add("warning", format, v...) }
func (l *lines) Errorf(format string, v ...any)   { l.add("error", format, v...) }

func (l *lines) add(level, format string, v ...any) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.all = append(l.all, level+": "+fmt.Sprintf(format, v...))
}

func (l *lines) text() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return strings.Join(l.all, "\n")
}

func sourceOf(s *mariadbtest.Server) source.Config {
	return source.Config{DSN: s.DSN(), ZonesTable: "zones", RecordsTable: "records", StateTable: "zonefan_state"}
}

// open starts a catalog on a server; more changes its configuration and pace.
func open(t *testing.T, s *mariadbtest.Server, more ...func(*Config, *pace)) (*Catalog, *lines) {
	t.Helper()
	log := &lines{}
	config := Config{Source: sourceOf(s), Refresh: 50 * time.Millisecond, MaxMemory: 512 << 20, Log: log}
	p := quick()
	for _, change := range more {
		change(&config, &p)
	}
	c, err := start(config, p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.end)
	return c, log
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within the time", what)
		}
	}
}

// answer is the text of what a name answers to TXT, "NXDOMAIN", "no zone" or an
// error.
func answer(c *Catalog, name string) string {
	zone, known, err := c.Find(name, dns.TypeTXT)
	if err != nil {
		return err.Error()
	}
	if !known {
		return "no zone"
	}
	z, err := c.Zone(context.Background(), zone)
	if err != nil {
		return err.Error()
	}
	a := z.Lookup(name, dns.TypeTXT, false)
	var texts []string
	for _, rr := range a.Answer {
		texts = append(texts, strings.Join(rr.(*dns.TXT).Txt, ""))
	}
	if len(texts) == 0 {
		return dns.RcodeToString[a.Rcode]
	}
	return strings.Join(texts, " ")
}

// put writes a zone as zonefan does: rows and stamp in one transaction.
func put(t *testing.T, s *mariadbtest.Server, zone string, generation int, texts ...string) {
	t.Helper()
	s.Exec(putText(zone, generation, texts...))
}

// putText is the transaction of put, with the isolation that zonefan has. Each text is a TXT record of the name t.
func putText(zone string, generation int, texts ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `USE coredns; SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION;
		INSERT INTO zones (zone_name) SELECT '%[1]s' FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM zones WHERE zone_name = '%[1]s');
		SET @id = (SELECT id FROM zones WHERE zone_name = '%[1]s'); DELETE r FROM records r FORCE INDEX (zone_hostname_type) WHERE r.zone_id = @id;
		INSERT INTO records (zone_id, hostname, type, data, ttl, online) VALUES
		(@id, '@', 'SOA', 'ns.%[1]s hostmaster.%[1]s %[2]d 3600 600 86400 300', 3600, 1),
		(@id, '@', 'NS', 'ns.example.net.', 3600, 1)`, zone, generation)
	for _, text := range texts {
		fmt.Fprintf(&b, ",(@id, 't', 'TXT', '\"%s\"', 60, 1)", text)
	}
	fmt.Fprintf(&b, `;%s; COMMIT`, stampText(zone, generation, 0))
	return b.String()
}

func stampText(zone string, generation, deleted int) string {
	return fmt.Sprintf(`INSERT INTO zonefan_state VALUES ('%s', MD5('store'), %d, MD5('%d'), 3, %d, %d, UTC_TIMESTAMP(6))
		ON DUPLICATE KEY UPDATE generation = VALUES(generation), digest = VALUES(digest), serial = VALUES(serial),
		deleted = VALUES(deleted), changed_at = VALUES(changed_at)`,
		zone, generation, generation, generation, deleted)
}

func remove(t *testing.T, s *mariadbtest.Server, zone string, generation int) {
	t.Helper()
	s.Exec(fmt.Sprintf(`USE coredns; START TRANSACTION; DELETE r FROM records r JOIN zones z ON z.id = r.zone_id
		WHERE z.zone_name = '%[1]s'; DELETE FROM zones WHERE zone_name = '%[1]s'; %[2]s; COMMIT`, zone,
		stampText(zone, generation, 1)))
}
