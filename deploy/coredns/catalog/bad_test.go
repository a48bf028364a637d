// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zonefan.internal/coredns/internal/mariadbtest"
)

// spoil makes a new version of a zone with a row that is no record.
func spoil(s *mariadbtest.Server, zone, change string) {
	s.Exec("START TRANSACTION; UPDATE coredns.records r JOIN coredns.zones z ON z.id = r.zone_id SET " + change +
		" WHERE z.zone_name = '" + zone + "'; UPDATE coredns.zonefan_state SET generation = generation + 1, " +
		"changed_at = UTC_TIMESTAMP(6) WHERE zone_name = '" + zone + "'; COMMIT")
}

const noAddress = "r.type = IF(hostname = 't', 'A', type), r.data = IF(hostname = 't', 'nowhere', data)"

func TestAVersionWithABadRowIsNotTaken(t *testing.T) {
	s := mariadbtest.Start(t)
	put(t, s, "bad.example.", 1, "good")
	c, log := open(t, s)
	eventually(t, "the zone", func() bool { return answer(c, "t.bad.example.") == "good" })
	spoil(s, "bad.example.", noAddress)
	eventually(t, "the bad row is seen", func() bool { return c.Stats().BadRecords == 1 })
	if got := answer(c, "t.bad.example."); got != "good" {
		t.Fatalf("after the bad version: %s", got)
	}
	line := "zone bad.example.: record t A is not served"
	if !strings.Contains(log.text(), line) {
		t.Fatalf("%q is not in the log:\n%s", line, log.text())
	}
	seen := time.Now() // many polls tell of it again, and it is not read again
	eventually(t, "some polls", func() bool { return c.Stats().Refreshed.After(seen.Add(c.pace.window / 2)) })
	if n := c.Stats().BadRecords; n != 1 {
		t.Errorf("it was read %d times", n)
	}
	put(t, s, "bad.example.", 9, "mended")
	eventually(t, "the mended version", func() bool { return answer(c, "t.bad.example.") == "mended" })
}

func TestAFirstVersionIsServedWithoutItsBadRow(t *testing.T) {
	s := mariadbtest.Start(t)
	put(t, s, "bad.example.", 1, "good")
	s.Exec("INSERT INTO coredns.records (zone_id, hostname, type, data, ttl, online) SELECT id, 'www', 'A', 'nowhere', 60, 1 FROM coredns.zones")
	path := filepath.Join(t.TempDir(), "zones")
	c, log := open(t, s, withSnapshot(path))
	eventually(t, "the zone", func() bool { return answer(c, "t.bad.example.") == "good" })
	if !strings.Contains(log.text(), "zone bad.example.: record www A is not served") {
		t.Fatalf("the log does not name it:\n%s", log.text())
	}
	put(t, s, "bad.example.", 2, "whole")
	eventually(t, "the whole one", func() bool { return answer(c, "t.bad.example.") == "whole" })
	eventually(t, "it is kept", kept(c, 1))
}

func TestTheVersionBeforeComesFromTheSnapshot(t *testing.T) {
	s := mariadbtest.Start(t)
	put(t, s, "bad.example.", 1, "good")
	path := filepath.Join(t.TempDir(), "zones")
	first, _ := open(t, s, withSnapshot(path))
	eventually(t, "the snapshot", kept(first, 1))
	spoil(s, "bad.example.", noAddress)
	eventually(t, "the pass sees it", func() bool { return first.Stats().BadRecords > 0 })
	if got := answer(first, "t.bad.example."); got != "good" {
		t.Fatalf("asked for the first time: %s", got)
	}
	second, log := open(t, s, func(config *Config, _ *pace) { config.Snapshot = path; config.Refresh = 60 * time.Millisecond })
	eventually(t, "after a start", func() bool { return answer(second, "t.bad.example.") == "good" })
	eventually(t, "the second sees it too", func() bool { return strings.Contains(log.text(), "record t A is not served") })
	if got := answer(second, "t.bad.example."); got != "good" {
		t.Fatalf("after it was seen: %s", got)
	}
}

// Where the version before was evicted, and no snapshot has it, there is none.
func TestARefusedVersionIsBetterThanNone(t *testing.T) {
	s := mariadbtest.Start(t)
	put(t, s, "bad.example.", 1, "good")
	c, _ := open(t, s)
	eventually(t, "the zone", func() bool { return answer(c, "t.bad.example.") == "good" })
	spoil(s, "bad.example.", noAddress)
	eventually(t, "the bad row is seen", func() bool { return c.Stats().BadRecords == 1 })
	c.evict(c.index.get("bad.example."))
	if got := answer(c, "t.bad.example."); got != "NXDOMAIN" {
		t.Fatalf("without its bad row: %s", got)
	}
}

func TestRowsThatAreNoRecords(t *testing.T) {
	for _, test := range []struct{ name, change, told string }{
		{"NULL", "r.data = IF(hostname = 't', NULL, data)", "record t TXT is not served: a column is NULL"},
		{"TTL", "r.ttl = IF(hostname = 't', -5, ttl)", "record t TXT is not served: the TTL is -5"},
		{"SOA", "r.online = IF(type = 'SOA', 0, 1)", "record @ SOA is not served"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := mariadbtest.Start(t)
			s.Exec("ALTER TABLE coredns.records DROP CONSTRAINT IF EXISTS CONSTRAINT_1, MODIFY data TEXT NULL")
			put(t, s, "bad.example.", 1, "good")
			put(t, s, "cold.example.", 1, "good")
			c, log := open(t, s)
			eventually(t, "the zone", func() bool { return answer(c, "t.bad.example.") == "good" })
			spoil(s, "bad.example.", test.change)
			eventually(t, "it is told", func() bool { return strings.Contains(log.text(), "zone bad.example.: "+test.told) })
			if got := answer(c, "t.bad.example."); got != "good" {
				t.Errorf("the version before does not go on: %s", got)
			}
			spoil(s, "cold.example.", test.change)
			want := map[bool]string{true: ErrNotThere.Error(), false: "NXDOMAIN"}[test.name == "SOA"]
			eventually(t, "a zone without a version before", func() bool { return answer(c, "t.cold.example.") == want })
			if test.name == "SOA" {
				bad := c.Stats().BadRecords
				for range 50 {
					answer(c, "t.cold.example.")
				}
				if again := c.Stats().BadRecords - bad; again > 1 {
					t.Errorf("a zone without SOA was read %d times more", again)
				}
			}
		})
	}
}
