// SPDX-License-Identifier: Apache-2.0

package zonefan

import (
	"crypto/md5"
	"database/sql"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
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

// database is a MariaDB server of this test's own, with zonefan's tables.
type database struct {
	t       *testing.T
	folder  string
	port    int
	server  *exec.Cmd
	pool    *sql.DB
	counter uint64
}

const readerPassword = "canary-reader-3f9a"

func (d *database) dsn() string {
	return fmt.Sprintf("reader:%s@tcp(127.0.0.1:%d)/coredns?timeout=1s&readTimeout=2s", readerPassword, d.port)
}

func newDatabase(t *testing.T) *database {
	t.Helper()
	d := &database{t: t, folder: copyTemplate(t), port: freePort(t)}
	t.Cleanup(d.kill)
	d.start()
	d.exec("CREATE DATABASE coredns")
	d.exec("USE coredns")
	files, _ := filepath.Glob("../../../schema/coredns_mysql/[123]_*.sql")
	if len(files) != 3 {
		t.Fatalf("schema: %v", files)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d.exec(string(text))
	}
	d.exec("CREATE USER reader IDENTIFIED BY '" + readerPassword + "'")
	d.exec("GRANT SELECT ON coredns.* TO reader")
	return d
}

// template is an empty data directory: making one takes longer than all the rest.
var template = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "zonefan-template-")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("mariadb-install-db", "--no-defaults", "--datadir="+folder, "--skip-test-db", "--force",
		"--auth-root-authentication-method=normal", "--user="+userName()).CombinedOutput()
	if err != nil {
		return folder, fmt.Errorf("mariadb-install-db: %w\n%s", err, out)
	}
	return folder, nil
})

func TestMain(m *testing.M) {
	status := m.Run()
	if folder, err := template(); err == nil {
		os.RemoveAll(folder)
	}
	os.Exit(status)
}

func userName() string {
	u, err := user.Current()
	if err != nil {
		return "root"
	}
	return u.Username
}

func copyTemplate(t *testing.T) string {
	t.Helper()
	from, err := template()
	if err != nil {
		t.Fatal(err)
	}
	to := t.TempDir()
	if out, err := exec.Command("cp", "-a", from, to+"/data").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return to
}

// start returns when the server answers.
func (d *database) start() {
	d.t.Helper()
	log, err := os.OpenFile(d.folder+"/log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		d.t.Fatal(err)
	}
	defer log.Close()
	d.server = exec.Command("mariadbd", "--no-defaults", "--datadir="+d.folder+"/data", "--user="+userName(),
		"--socket="+d.folder+"/socket", "--pid-file="+d.folder+"/pid", "--bind-address=127.0.0.1",
		fmt.Sprintf("--port=%d", d.port), "--skip-name-resolve", "--skip-log-bin", "--innodb-use-native-aio=0",
		"--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=2", "--lc-messages-dir=/usr/share/mysql")
	d.server.Stdout, d.server.Stderr = log, log
	if err := d.server.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.pool, err = sql.Open("mysql", "root@unix("+d.folder+"/socket)/?multiStatements=true&interpolateParams=true")
	if err != nil {
		d.t.Fatal(err)
	}
	d.pool.SetMaxOpenConns(1)
	waitFor(d.t, "MariaDB starts", func() bool { return d.pool.Ping() == nil })
}

// kill is kill -9.
func (d *database) kill() {
	if d.server != nil {
		d.pool.Close()
		d.server.Process.Kill()
		d.server.Wait()
		d.server = nil
	}
}

// freeze stops it as it is: connections stay open, nothing answers.
func (d *database) freeze() { d.server.Process.Signal(syscall.SIGSTOP) }

func (d *database) thaw() { d.server.Process.Signal(syscall.SIGCONT) }

func (d *database) exec(query string, arguments ...any) {
	d.t.Helper()
	if _, err := d.pool.Exec(query, arguments...); err != nil {
		d.t.Fatalf("%s: %v", query, err)
	}
}

// put makes text, lines of "OWNER TTL TYPE DATA", the zone's content, as
// zonefan does: all in one transaction, stamped.
func (d *database) put(zone, text string) {
	d.t.Helper()
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
	d.exec(script.String())
}

// drop deletes a zone as zonefan does.
func (d *database) drop(zone string) {
	d.t.Helper()
	d.exec(fmt.Sprintf(`START TRANSACTION; DELETE r FROM coredns.records r JOIN coredns.zones z ON z.id = r.zone_id WHERE z.zone_name = '%[1]s';
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
