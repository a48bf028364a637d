// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
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

	"zonefan.internal/coredns/lookup"
	"zonefan.internal/coredns/snapshot"
	"zonefan.internal/coredns/source"
)

const limit = 30 * time.Second

// With this in the environment the test program is coredns.
const beCoreDNS = "ZONEFAN_TEST_COREDNS"

func TestMain(m *testing.M) {
	if os.Getenv(beCoreDNS) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// process is a coredns; its log comes line by line.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	log  chan string
	seen []string
}

func run(t *testing.T, arguments ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(os.Args[0], arguments...), log: make(chan string, 1000)}
	p.cmd.Env = append(os.Environ(), beCoreDNS+"=1")
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stderr = p.cmd.Stdout
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.log)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			p.log <- lines.Text()
		}
	}()
	t.Cleanup(func() { p.cmd.Process.Kill(); p.cmd.Wait() })
	return p
}

// says tells whether a line with this text comes within that time.
func (p *process) says(text string, within time.Duration) bool {
	p.t.Helper()
	end := time.After(within)
	for {
		select {
		case line, ok := <-p.log:
			if !ok {
				p.t.Fatalf("it ended without %q; its log:\n%s", text, strings.Join(p.seen, "\n"))
			}
			if p.seen = append(p.seen, line); strings.Contains(line, text) {
				return true
			}
		case <-end:
			return false
		}
	}
}

func (p *process) mustSay(text string) {
	p.t.Helper()
	if !p.says(text, limit) {
		p.t.Fatalf("not within %v: %q; its log:\n%s", limit, text, strings.Join(p.seen, "\n"))
	}
}

// reload sends SIGUSR1, again where it came too early: CoreDNS may say that it
// started before it listens to signals.
func (p *process) reload(outcome string) {
	p.t.Helper()
	for try := 0; ; try++ {
		p.cmd.Process.Signal(syscall.SIGUSR1)
		if p.says("SIGUSR1: Reloading", 2*time.Second) || try == 10 {
			break
		}
	}
	p.mustSay(outcome)
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

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// writeSnapshot makes one with a zone, for a database that is not there.
func writeSnapshot(t *testing.T, path string) {
	t.Helper()
	zone, bad := lookup.Build("shop.example.", []lookup.Record{
		{Owner: "@", Type: "SOA", TTL: 3600, Data: "ns1.host.example. h.host.example. 7 7200 3600 1209600 300"},
		{Owner: "www", Type: "A", TTL: 300, Data: "192.0.2.7"},
	})
	if zone == nil {
		t.Fatal(bad)
	}
	f, err := snapshot.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Put([]snapshot.Item{{Zone: "shop.example.", Stamp: source.Stamp{Generation: 7}, Payload: zone.Encode()}}); err != nil {
		t.Fatal(err)
	}
}

func ask(t *testing.T, port int, name string) string {
	t.Helper()
	client := dns.Client{Timeout: limit}
	answer, _, err := client.Exchange(new(dns.Msg).SetQuestion(name, dns.TypeA), fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.Answer) == 1 {
		return answer.Answer[0].(*dns.A).A.String()
	}
	return dns.RcodeToString[answer.Rcode]
}

// SIGUSR1: the process stays, the snapshot stays its own, a changed Corefile is
// taken, a bad one is not, by file, line and key.
func TestSIGUSR1(t *testing.T) {
	folder := t.TempDir()
	corefile, kept := filepath.Join(folder, "Corefile"), filepath.Join(folder, "zones.snapshot")
	writeSnapshot(t, kept)
	port, second := freePort(t), freePort(t)
	text := fmt.Sprintf(".:%d {\n\tbind 127.0.0.1\n\terrors\n\tzonefan {\n\t\tdsn reader:canary-5521@tcp(127.0.0.1:%d)/coredns\n\t\tsnapshot %s\n\t}\n}\n",
		port, freePort(t), kept)
	write(t, corefile, text)
	p := run(t, "-conf", corefile)
	p.mustSay("CoreDNS-")
	if got := ask(t, port, "www.shop.example."); got != "192.0.2.7" {
		t.Fatalf("at the start: %s", got)
	}
	for range 3 {
		p.reload("Reloading complete")
		if got := ask(t, port, "www.shop.example."); got != "192.0.2.7" {
			t.Fatalf("after SIGUSR1: %s", got)
		}
	}
	write(t, corefile, strings.Replace(text, "snapshot", "snapshoot", 1))
	p.reload(corefile + ":6: snapshoot: there is no such key")
	if got := ask(t, port, "www.shop.example."); got != "192.0.2.7" {
		t.Fatalf("after a bad Corefile: %s", got)
	}
	write(t, corefile, strings.Replace(text, fmt.Sprint(".:", port), fmt.Sprint(".:", second), 1))
	p.reload("Reloading complete")
	if got := ask(t, second, "www.shop.example."); got != "192.0.2.7" {
		t.Fatalf("at another port: %s", got)
	}
	for _, line := range p.seen {
		if strings.Contains(line, "canary-5521") || strings.Contains(line, "in use by") {
			t.Errorf("logged: %s", line)
		}
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("SIGTERM: %v", err)
	}
}

// A second CoreDNS with the same snapshot says whose it is, and serves without.
func TestTheSnapshotOfAnotherProcess(t *testing.T) {
	folder := t.TempDir()
	corefile, kept := filepath.Join(folder, "Corefile"), filepath.Join(folder, "zones.snapshot")
	writeSnapshot(t, kept)
	text := ".:%d {\n\tbind 127.0.0.1\n\tzonefan {\n\t\tdsn reader@tcp(127.0.0.1:%d)/coredns\n\t\tsnapshot %s\n\t}\n}\n"
	write(t, corefile, fmt.Sprintf(text, freePort(t), freePort(t), kept))
	first := run(t, "-conf", corefile)
	first.mustSay("CoreDNS-")
	port := freePort(t)
	write(t, corefile, fmt.Sprintf(text, port, freePort(t), kept))
	second := run(t, "-conf", corefile)
	second.mustSay(fmt.Sprintf("%s is in use by process %d", kept, first.cmd.Process.Pid))
	second.mustSay("CoreDNS-")
	if got := ask(t, port, "www.shop.example."); got != "SERVFAIL" {
		t.Errorf("without database and snapshot: %s", got)
	}
}

// What has a place in the order is built in.
func TestEveryPluginHasItsPlace(t *testing.T) {
	p := run(t, "-plugins")
	p.mustSay("zonefan")
	for line := range p.log {
		p.seen = append(p.seen, line)
	}
	built := map[string]bool{"file": true} // with the tag served_tests only
	for _, line := range p.seen {
		built[strings.TrimPrefix(strings.TrimSpace(line), "dns.")] = true
	}
	for _, name := range directives {
		if !built[name] {
			t.Errorf("%s has a place in the order, and is not built in", name)
		}
	}
}
