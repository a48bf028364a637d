// SPDX-License-Identifier: Apache-2.0

// Package mariadbtest starts MariaDB servers for tests: Debian's mariadbd, each
// in a folder of its own on a loopback port, gone when the test ends.
package mariadbtest

import (
	"database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

const patience = 60 * time.Second // with a busy machine

// Server is a running mariadbd with a database "coredns", which has the tables of
// schema/coredns_mysql.
type Server struct {
	t      testing.TB
	folder string
	port   int
	cmd    *exec.Cmd
	db     *sql.DB
}

// Start makes a server and waits until it answers.
func Start(t testing.TB) *Server {
	t.Helper()
	for _, program := range []string{"mariadbd", "mariadb-install-db"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%s is not here (Debian: mariadb-server-core)", program)
		}
	}
	folder, err := os.MkdirTemp("", "zonefan-mariadb-") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, folder: folder, port: freePort(t)}
	t.Cleanup(s.remove)
	s.makeData()
	s.Up()
	s.Exec("CREATE DATABASE coredns")
	s.Schema()
	return s
}

// template is where Main has an empty data directory; "" without Main.
var template string

// Main runs the tests of a package that starts many servers, each from a copy of
// one data directory: that is quicker than to make each anew. It returns the exit
// status.
func Main(m *testing.M) int {
	folder, err := os.MkdirTemp("", "zonefan-mariadb-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	template = filepath.Join(folder, "data")
	return m.Run()
}

func (s *Server) makeData() {
	s.t.Helper()
	if template == "" {
		s.install(s.path("data"))
		return
	}
	if _, err := os.Stat(template); err != nil {
		s.install(template)
	}
	s.runIn("cp", "-a", template, s.path("data"))
}

func (s *Server) install(data string) {
	s.t.Helper()
	if err := os.Mkdir(data, 0o700); err != nil {
		s.t.Fatal(err)
	}
	s.runIn("mariadb-install-db", "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal",
		"--skip-test-db", "--force", "--user=root", "--tmpdir="+s.folder)
}

func (s *Server) path(name string) string { return filepath.Join(s.folder, name) }

func (s *Server) runIn(name string, args ...string) {
	s.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

func freePort(t testing.TB) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// Up starts the server (again) and waits until it answers.
func (s *Server) Up() {
	s.t.Helper()
	log, err := os.OpenFile(s.path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	s.cmd = exec.Command("mariadbd", "--no-defaults", "--datadir="+s.path("data"), "--socket="+s.path("s"),
		"--pid-file="+s.path("pid"), "--bind-address=127.0.0.1", fmt.Sprintf("--port=%d", s.port), "--skip-name-resolve",
		"--skip-log-bin", "--innodb-use-native-aio=0", "--innodb-buffer-pool-size=32M", "--innodb-log-file-size=16M",
		"--innodb-flush-log-at-trx-commit=2", "--user=root", "--lc-messages-dir=/usr/share/mysql")
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	if s.db == nil {
		s.db = s.connect()
	}
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if err = s.db.Ping(); err == nil {
			return
		}
		if time.Now().After(end) {
			text, _ := os.ReadFile(s.path("log"))
			s.t.Fatalf("mariadbd does not answer: %v\n%s", err, text)
		}
	}
}

// connect says nothing of connections that broke: tests break them.
func (s *Server) connect() *sql.DB {
	s.t.Helper()
	config := mysql.NewConfig()
	config.User, config.Net, config.Addr = "root", "unix", s.path("s")
	config.MultiStatements, config.Logger = true, &mysql.NopLogger{}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		s.t.Fatal(err)
	}
	return sql.OpenDB(connector)
}

// Kill ends the server at once.
func (s *Server) Kill() {
	s.cmd.Process.Kill()
	s.cmd.Wait()
}

// Freeze stops the process until Thaw: its connections stay and say nothing.
func (s *Server) Freeze() { s.cmd.Process.Signal(syscall.SIGSTOP) }

// Thaw ends a Freeze.
func (s *Server) Thaw() { s.cmd.Process.Signal(syscall.SIGCONT) }

func (s *Server) remove() {
	if s.cmd != nil {
		s.Kill()
	}
	if s.db != nil {
		s.db.Close()
	}
	os.RemoveAll(s.folder)
}

// DSN is for the user root, who has no password.
func (s *Server) DSN() string { return s.DSNOf("root") }

// DSNOf is for "user" or "user:password".
func (s *Server) DSNOf(user string) string {
	return fmt.Sprintf("%s@tcp(127.0.0.1:%d)/coredns", user, s.port)
}

// DB is the administrator's connection, which is in no database.
func (s *Server) DB() *sql.DB { return s.db }

// Exec runs statements, which name the database.
func (s *Server) Exec(text string, args ...any) {
	s.t.Helper()
	if _, err := s.db.Exec(text, args...); err != nil {
		s.t.Fatalf("%s: %v", text, err)
	}
}

// Schema makes the tables, with the statements of the repository.
func (s *Server) Schema() {
	s.t.Helper()
	_, here, _, _ := runtime.Caller(0)
	files, err := filepath.Glob(filepath.Join(filepath.Dir(here), "../../../../schema/coredns_mysql/[123]_*.sql"))
	if err != nil || len(files) != 3 {
		s.t.Fatalf("schema/coredns_mysql: %d files, %v", len(files), err)
	}
	slices.Sort(files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			s.t.Fatal(err)
		}
		s.Exec("USE coredns; " + string(text))
	}
}
