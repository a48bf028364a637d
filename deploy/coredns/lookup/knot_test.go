// SPDX-License-Identifier: Apache-2.0

package lookup

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// knot is a Knot DNS of Debian's package knot that serves zone files: the
// oracle of what a zone has to answer.
type knot struct {
	address string
	log     string
}

// program finds a program; a missing one fails the test and names its package.
func program(t testing.TB, name, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if path = filepath.Join("/usr/sbin", name); exec.Command(path, "-V").Run() == nil {
		return path
	}
	t.Fatalf("no %s here: install the Debian package %s", name, debianPackage)
	return ""
}

// startKnot serves zones (name -> master-file text) until the test ends.
func startKnot(t testing.TB, zones map[string]string) *knot {
	t.Helper()
	binary := program(t, "knotd", "knot")
	dir := t.TempDir()
	for name, text := range zones {
		if err := os.WriteFile(filepath.Join(dir, name+"zone"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// the port that is free now may be taken a moment later
	for try := 0; try < 5; try++ {
		k := &knot{address: freeAddress(t), log: filepath.Join(dir, "log")}
		if k.start(t, binary, dir, zones) {
			k.waitFor(t, zones)
			return k
		}
	}
	t.Fatal("knotd found no free port")
	return nil
}

func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func knotConfig(address, dir string, zones map[string]string) string {
	var config strings.Builder
	host, port, _ := net.SplitHostPort(address)
	fmt.Fprintf(&config, "server:\n  rundir: %q\n  listen: %s@%s\n", dir, host, port)
	config.WriteString("log:\n  - target: stderr\n    any: info\n")
	fmt.Fprintf(&config, "database:\n  storage: %q\n", filepath.Join(dir, "db"))
	fmt.Fprintf(&config, "template:\n  - id: default\n    storage: %q\n    file: \"%%s.zone\"\n", dir)
	config.WriteString("    zonefile-sync: -1\n    zonefile-load: whole\n    journal-content: none\nzone:\n")
	for name := range zones {
		fmt.Fprintf(&config, "  - domain: %s\n", name)
	}
	return config.String()
}

// start gives false if knotd ended at once.
func (k *knot) start(t testing.TB, binary, dir string, zones map[string]string) bool {
	t.Helper()
	config := filepath.Join(dir, "knot.conf")
	if err := os.WriteFile(config, []byte(knotConfig(k.address, dir, zones)), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(k.log)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	command := exec.Command(binary, "-c", config)
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		command.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		command.Process.Kill()
		<-ended
	})
	return k.listens(ended)
}

func (k *knot) listens(ended <-chan struct{}) bool {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		select {
		case <-ended:
			return false
		case <-time.After(20 * time.Millisecond):
		}
		if conn, err := net.Dial("tcp", k.address); err == nil {
			conn.Close()
			return true
		}
	}
	return false
}

// waitFor waits until each zone is served; a zone that Knot refuses is a fault
// of the test's data.
func (k *knot) waitFor(t testing.TB, zones map[string]string) {
	t.Helper()
	c := k.dial(t)
	defer c.Close()
	deadline := time.Now().Add(time.Minute)
	for name := range zones {
		for {
			question := new(dns.Msg)
			question.SetQuestion(name, dns.TypeSOA)
			if reply := c.ask(t, question); reply.Rcode == dns.RcodeSuccess && len(reply.Answer) == 1 {
				break
			}
			if time.Now().After(deadline) {
				log, _ := os.ReadFile(k.log)
				t.Fatalf("knotd does not serve %s\n%s", name, log)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// knotConn asks one question after the other over TCP.
type knotConn struct {
	address string
	*dns.Conn
}

func (k *knot) dial(t testing.TB) *knotConn {
	t.Helper()
	conn, err := dns.Dial("tcp", k.address)
	if err != nil {
		t.Fatal(err)
	}
	return &knotConn{k.address, conn}
}

func (c *knotConn) ask(t testing.TB, question *dns.Msg) *dns.Msg {
	t.Helper()
	c.SetDeadline(time.Now().Add(time.Minute))
	if err := c.WriteMsg(question); err != nil {
		t.Fatal(err)
	}
	reply, err := c.ReadMsg()
	if err != nil {
		t.Fatalf("no answer to %v: %v", question.Question, err)
	}
	return reply
}

// lookup asks as Zone.Lookup is asked.
func (c *knotConn) lookup(t testing.TB, qname string, qtype uint16, do bool) Answer {
	t.Helper()
	question := new(dns.Msg)
	question.SetQuestion(qname, qtype)
	question.RecursionDesired = false
	question.SetEdns0(4096, do)
	reply := c.ask(t, question)
	a := Answer{Rcode: reply.Rcode, Authoritative: reply.Authoritative, Answer: reply.Answer, Authority: reply.Ns}
	for _, rr := range reply.Extra {
		if rr.Header().Rrtype != dns.TypeOPT {
			a.Additional = append(a.Additional, rr)
		}
	}
	return a
}
