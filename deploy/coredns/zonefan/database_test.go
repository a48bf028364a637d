// SPDX-License-Identifier: Apache-2.0

package zonefan

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"zonefan.internal/coredns/internal/mariadbtest"
)

// waitFor waits until ready, and fails where that takes too long.
func waitFor(t *testing.T, what string, ready func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !ready(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// database is a MariaDB server of this test's own, with zonefan's tables and a
// reader's account.
type database struct {
	*mariadbtest.Server
	counter uint64
}

const readerAccount = "reader:canary-reader-3f9a"

func (d *database) dsn() string { return d.DSNOf(readerAccount) + "?timeout=1s&readTimeout=2s" }

func newDatabase(t *testing.T) *database {
	t.Helper()
	d := &database{Server: mariadbtest.Start(t)}
	name, password, _ := strings.Cut(readerAccount, ":")
	d.Exec("CREATE USER " + name + " IDENTIFIED BY '" + password + "'")
	d.Exec("GRANT SELECT ON coredns.* TO " + name)
	return d
}

func TestMain(m *testing.M) { os.Exit(mariadbtest.Main(m)) }

// put makes text, lines of "OWNER TTL TYPE DATA", the zone's content, as
// zonefan does: all in one transaction, stamped.
func (d *database) put(zone, text string) {
	d.counter++
	digest := md5.Sum([]byte(text))
	var script strings.Builder
	script.WriteString("START TRANSACTION;")
	fmt.Fprintf(&script, "INSERT IGNORE INTO coredns.zones (zone_name) VALUES ('%s');", zone)
	fmt.Fprintf(&script, "SELECT id INTO @id FROM coredns.zones WHERE zone_name = '%s'; DELETE FROM coredns.records WHERE zone_id = @id;", zone)
	count := 0
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		field := strings.SplitN(strings.TrimSpace(line), " ", 4)
		fmt.Fprintf(&script, "INSERT INTO coredns.records (zone_id, hostname, ttl, type, data, online) VALUES (@id, '%s', %s, '%s', '%s', 1);",
			field[0], field[1], field[2], strings.ReplaceAll(field[3], "'", "''"))
		count++
	}
	fmt.Fprintf(&script, `REPLACE INTO coredns.zonefan_state (zone_name, store_id, generation, digest, record_count, serial, deleted, changed_at)
		VALUES ('%s', '%032d', %d, '%s', %d, %d, 0, UTC_TIMESTAMP(6)); COMMIT`, zone, 7, d.counter, hex.EncodeToString(digest[:]), count, d.counter)
	d.Exec(script.String())
}

// drop deletes a zone as zonefan does.
func (d *database) drop(zone string) {
	d.Exec(fmt.Sprintf(`START TRANSACTION; DELETE r FROM coredns.records r JOIN coredns.zones z ON z.id = r.zone_id WHERE z.zone_name = '%[1]s';
		DELETE FROM coredns.zones WHERE zone_name = '%[1]s';
		UPDATE coredns.zonefan_state SET deleted = 1, generation = generation + 1, changed_at = UTC_TIMESTAMP(6) WHERE zone_name = '%[1]s'; COMMIT`, zone))
}

// zoneText is a small zone whose version shows in three records.
func zoneText(serial int) string {
	return fmt.Sprintf(`@ 3600 SOA ns1.host.example. hostmaster.host.example. %d 7200 3600 1209600 300
		@ 3600 NS ns1.host.example.
		@ 300 A 192.0.2.%d
		www 300 A 192.0.2.%d
		*.wild 300 TXT "v%d"
		sub 3600 NS ns.sub.shop.example.
		ns.sub 3600 A 198.51.100.53`, serial, serial%250, serial%250, serial)
}
