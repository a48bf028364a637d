// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"os"
	"strings"
	"testing"

	"zonefan.internal/coredns/internal/mariadbtest"
)

func TestMain(m *testing.M) { os.Exit(mariadbtest.Main(m)) }

func configOf(dsn string) Config {
	return Config{DSN: dsn, ZonesTable: "zones", RecordsTable: "records", StateTable: "zonefan_state"}
}

func TestBadDSNsAreToldWithoutThePassword(t *testing.T) {
	for _, dsn := range []string{"", "zonefan:s3cret", "zonefan:s3cret@tcp(127.0.0.1:3306)", "zonefan:s3cret@tcp(127.0.0.1:3306)/",
		"zonefan:s3cret@tcp(127.0.0.1:3306/db", "zonefan:s3cret@tcp(h)/db?timeout=soon"} {
		_, err := Open(configOf(dsn))
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", dsn, err)
		}
	}
	for _, table := range []string{"", "a b", "x`y", "a.b.c", "zones;", strings.Repeat("x", 65)} {
		config := configOf("u@tcp(h)/db")
		config.RecordsTable = table
		if _, err := Open(config); err == nil {
			t.Errorf("table %q is taken", table)
		}
	}
}

// whatFails polls, lists and loads, and returns the first error's text.
func whatFails(s *Source) string {
	ctx := context.Background()
	if _, err := s.Poll(ctx, Never); err != nil {
		return err.Error()
	}
	if _, _, err := s.Page(ctx, "", 10); err != nil {
		return err.Error()
	}
	if _, err := s.Load(ctx, []string{"one.example."}); err != nil {
		return err.Error()
	}
	return ""
}

func TestWhatIsMissingIsToldAndThenFound(t *testing.T) {
	server := mariadbtest.Start(t)
	server.Exec("CREATE USER reader IDENTIFIED BY 's3cret'; CREATE USER half IDENTIFIED BY 's3cret'; " +
		"GRANT SELECT ON coredns.* TO reader; GRANT SELECT ON coredns.zones TO half; GRANT SELECT ON coredns.zonefan_state TO half")
	for _, test := range []struct{ name, dsn, breaks, mends, told string }{
		{"password", server.DSNOf("reader:wr0ng"), "SELECT 1", "SET PASSWORD FOR reader = PASSWORD('wr0ng')", "the password of the DSN is wrong"},
		{"right", server.DSNOf("half:s3cret"), "SELECT 1", "GRANT SELECT ON coredns.records TO half", "GRANT SELECT ON `coredns`.*"},
		{"database", strings.Replace(server.DSN(), "/coredns", "/nowhere", 1), "SELECT 1",
			"CREATE DATABASE nowhere; CREATE VIEW nowhere.zones AS SELECT * FROM coredns.zones; " +
				"CREATE VIEW nowhere.records AS SELECT * FROM coredns.records; CREATE VIEW nowhere.zonefan_state AS SELECT * FROM coredns.zonefan_state",
			"a database that is not there"},
		{"zones", server.DSN(), "ALTER TABLE coredns.zones RENAME TO coredns.x", "ALTER TABLE coredns.x RENAME TO coredns.zones", "'coredns.zones'"},
		{"records", server.DSN(), "ALTER TABLE coredns.records RENAME TO coredns.x", "ALTER TABLE coredns.x RENAME TO coredns.records", "'coredns.records'"},
		{"column", server.DSN(), "ALTER TABLE coredns.records CHANGE online x INT", "ALTER TABLE coredns.records CHANGE x online INT", "not those of schema/coredns_mysql"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := Open(configOf(test.dsn))
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			server.Exec(test.breaks)
			text := whatFails(s)
			if !strings.Contains(text, test.told) || !strings.Contains(text, "127.0.0.1") ||
				strings.Contains(text, "s3cret") || strings.Contains(text, "wr0ng") {
				t.Errorf("told: %s", text)
			}
			server.Exec(test.mends)
			if text = whatFails(s); text != "" {
				t.Errorf("mended: %s", text)
			}
		})
	}
}

// A server, or a proxy before it, closes what is idle. It is there all the same.
func TestAnIdleConnectionThatWasClosedIsNoOutage(t *testing.T) {
	server := mariadbtest.Start(t)
	server.Exec("CREATE USER reader IDENTIFIED BY 's3cret'; GRANT SELECT ON coredns.* TO reader")
	s, err := Open(configOf(server.DSNOf("reader:s3cret")))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	polled := func(reconnected bool) {
		t.Helper()
		if poll, err := s.Poll(context.Background(), Never); err != nil || poll.Reconnected != reconnected {
			t.Errorf("%+v, %v", poll, err)
		}
	}
	for _, closes := range []string{"KILL CONNECTION USER reader", "SELECT SLEEP(4)"} {
		server.Exec("SET GLOBAL wait_timeout = 3")
		polled(true)
		polled(false)
		server.Exec(closes)
		for left := 1; left > 0; {
			if err := server.DB().QueryRow("SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'reader'").Scan(&left); err != nil {
				t.Fatal(err)
			}
		}
		polled(true)
		s.dropPoll()
	}
	server.Kill()
	if _, err = s.Poll(context.Background(), Never); err == nil {
		t.Error("a server that is away is told as there")
	}
}

func TestPagesAndLoads(t *testing.T) {
	server := mariadbtest.Start(t)
	long := strings.Repeat("\u00e4", 128) + "." // 257 bytes; the column holds 255 characters
	server.Exec("USE coredns; INSERT INTO zones (zone_name) VALUES (''), ('" + long + "'), ('a.example.'), ('b.example.'), ('Upper.example.'), ('nodot'), ('c.example.');" +
		"INSERT INTO records (zone_id, hostname, type, data, ttl, online) SELECT id, '@', 'A', '192.0.2.1', 60, 1 FROM zones WHERE zone_name = 'a.example.';" +
		"INSERT INTO records (zone_id, hostname, type, data, ttl, online) SELECT id, 'off', 'A', '192.0.2.2', 60, 0 FROM zones WHERE zone_name = 'a.example.';" +
		"INSERT INTO zonefan_state VALUES ('a.example.', REPEAT('ab', 16), 7, REPEAT('cd', 16), 1, 1, 0, '2026-01-02 03:04:05.678901')," +
		"('" + long + "', REPEAT('ab', 16), 7, REPEAT('cd', 16), 1, 1, 0, '2026-01-02 03:04:05')," +
		"('gone.example.', REPEAT('ab', 16), 8, '', 0, 0, 1, '2026-01-02 03:04:06')")
	s, err := Open(configOf(server.DSN()))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var names []string
	next := ""
	for pages := 0; pages == 0 || next != ""; pages++ {
		var entries []Entry
		if entries, next, err = s.Page(context.Background(), next, 2); err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Zone)
			if ours := e.Zone == "a.example."; ours == e.Stamp.Foreign() || ours != (e.Records == 1) {
				t.Errorf("%s: %+v", e.Zone, e.Stamp)
			}
		}
	}
	if got := strings.Join(names, " "); got != "a.example. b.example. c.example." {
		t.Errorf("listed: %s", got)
	}
	poll, err := s.Poll(context.Background(), 0)
	if err != nil || len(poll.Entries) != 2 || !poll.Reconnected || poll.Latest != 1767323046_000000 {
		t.Fatalf("%+v, %v", poll, err)
	}
	for _, e := range poll.Entries {
		if e.Deleted != (e.Zone == "gone.example.") || e.Deleted != (e.Records == 0) {
			t.Errorf("%+v", e)
		}
	}
	poll, err = s.Poll(context.Background(), 1767323045_678902)
	if err != nil || len(poll.Entries) != 1 || poll.Reconnected {
		t.Fatalf("%+v, %v", poll, err)
	}
	versions, err := s.Load(context.Background(), []string{"b.example.", "none.example.", "a.example."})
	if err != nil {
		t.Fatal(err)
	}
	b, none, a := versions[0], versions[1], versions[2]
	if !b.Exists || len(b.Records) != 0 || b.Stamp == (Stamp{}) || !b.Stamp.Foreign() {
		t.Errorf("%+v", b)
	}
	if none.Exists {
		t.Errorf("%+v", none)
	}
	if !a.Exists || a.Stamp.Generation != 7 || a.Stamp.StoreID[0] != 0xab || a.Stamp.ChangedAt != 1767323045_678901 ||
		len(a.Records) != 1 || a.Records[0].Data != "192.0.2.1" {
		t.Errorf("%+v", a)
	}
	foreign, err := s.Foreign(context.Background())
	if err != nil || strings.Join(foreign, " ") != "b.example. c.example." {
		t.Errorf("of others: %v, %v", foreign, err)
	}
	stamps, err := s.Digests(context.Background(), []string{"b.example."})
	if err != nil || stamps["b.example."] != b.Stamp {
		t.Errorf("%+v, %v; loaded with %+v", stamps, err, b.Stamp)
	}
}
