// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"zonefan.internal/coredns/source"
)

// Where another process is needed it is this test program, with a task in the
// environment.
const taskVariable = "SNAPSHOT_TEST_TASK"

var tasks = map[string]func(path string) error{"hold": taskHold, "write": taskWrite, "fill": taskFill}

func TestMain(m *testing.M) {
	task, path, found := strings.Cut(os.Getenv(taskVariable), " ")
	if !found {
		os.Exit(m.Run())
	}
	if err := tasks[task](path); err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
}

// child is a running task.
type child struct {
	*exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func start(t *testing.T, task, path string) *child {
	t.Helper()
	c := &child{Cmd: exec.Command(os.Args[0])}
	c.Env = append(os.Environ(), taskVariable+"="+task+" "+path)
	c.Stderr = os.Stderr
	var err error
	if c.in, err = c.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.out = bufio.NewScanner(out)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	return c
}

func (c *child) mustSay(t *testing.T, want string) {
	t.Helper()
	if !c.out.Scan() || c.out.Text() != want {
		t.Fatalf("the other process said %q, wanted %q", c.out.Text(), want)
	}
}

// taskHold owns the snapshot until its input ends.
func taskHold(path string) error {
	f, err := Open(path, &lines{})
	if err != nil {
		return err
	}
	if err := f.Put([]Item{item(1, 1)}); err != nil {
		return err
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
	return f.Close()
}

func TestOneProcessOwnsTheFile(t *testing.T) {
	path := newPath(t)
	owner := start(t, "hold", path)
	owner.mustSay(t, "ready")
	before := sizeOf(t, path)
	_, err := Open(path, &lines{})
	var locked *LockedError
	if !errors.As(err, &locked) || locked.Owner != strconv.Itoa(owner.Process.Pid) || !strings.Contains(err.Error(), path) {
		t.Fatalf("while process %d owns it: %v", owner.Process.Pid, err)
	}
	if sizeOf(t, path) != before {
		t.Fatal("the file of another process was changed")
	}
	owner.in.Close()
	owner.Wait()
	f, _ := mustOpen(t, path)
	mustHold(t, f, item(1, 1))
}

func TestAKilledOwnerLeavesNoLock(t *testing.T) {
	path := newPath(t)
	owner := start(t, "hold", path)
	owner.mustSay(t, "ready")
	owner.Process.Kill()
	owner.Wait()
	f, log := mustOpen(t, path)
	mustHold(t, f, item(1, 1))
	if log.String() != "" {
		t.Fatalf("logged: %s", log)
	}
}

func TestTwiceInOneProcessIsRefusedToo(t *testing.T) {
	path := newPath(t)
	mustOpen(t, path)
	var locked *LockedError
	if _, err := Open(path, &lines{}); !errors.As(err, &locked) {
		t.Fatalf("opened twice: %v", err)
	}
}

const killZones = 50

// taskWrite goes on writing, in batches, and tells each zone's version before
// (begun) and after (done) it is kept. Zone 0 is deleted in between.
func taskWrite(path string) error {
	f, err := Open(path, &lines{})
	if err != nil {
		return err
	}
	first := 1
	f.Index(func(_ string, stamp source.Stamp) bool {
		first = max(first, int(stamp.Generation)+1)
		return true
	})
	for g := first; ; g++ {
		for i := 0; i < killZones; i += 10 {
			var batch []Item
			for k := i; k < i+10; k++ {
				batch = append(batch, big(k, g))
			}
			fmt.Println("begun", i, g)
			if err := f.Put(batch); err != nil {
				return err
			}
			fmt.Println("done", i, g)
		}
		if err := f.Delete([]string{name(0)}); err != nil {
			return err
		}
	}
}

// Whatever the moment: what was kept is there, in that version or in the one
// that was being written, and whole.
func TestKill9InTheMiddleOfWriting(t *testing.T) {
	path := newPath(t)
	seed := time.Now().UnixNano()
	random := rand.New(rand.NewSource(seed))
	torn, compacted, salt := 0, 0, ""
	var begun, done [killZones]int
	for round := range 60 {
		writer := start(t, "write", path)
		// Counted from what it said, and not from its start, which may take
		// longer than any time that is long enough elsewhere.
		lines, pause := random.Intn(25), time.Duration(random.Intn(5_000))*time.Microsecond
		for said := 0; ; said++ {
			if said == lines {
				time.AfterFunc(pause, func() { writer.Process.Kill() })
			}
			if !writer.out.Scan() {
				break
			}
			follow(t, writer.out.Text(), &begun, &done)
		}
		writer.Wait()
		f, log := mustOpen(t, path)
		for i := 1; i < killZones; i++ {
			stamp, payload, ok, err := f.Get(name(i))
			g := int(stamp.Generation)
			if err != nil || (!ok && done[i] > 0) || g < done[i] || g > begun[i] || ok && string(payload) != string(big(i, g).Payload) {
				t.Fatalf("seed %d, round %d: zone %d: there: %v, version %d of %d to %d: %v", seed, round, i, ok, g, done[i], begun[i], err)
			}
			begun[i], done[i] = max(g, done[i]), max(g, done[i])
		}
		if strings.Contains(log.String(), "cut off") {
			torn++
		}
		if strings.Contains(log.String(), "are damaged") {
			t.Fatalf("seed %d, round %d: %s", seed, round, log)
		}
		if string(f.salt) != salt {
			compacted++
		}
		salt = string(f.salt)
		f.Close()
	}
	t.Logf("60 kills: %d left a torn tail, %d a file that was written anew", torn, compacted)
	if done[1] == 0 || compacted < 2 {
		t.Fatalf("nothing was tried: version %d, %d compactions", done[1], compacted)
	}
}

// follow notes what the writer said of a batch of ten zones.
func follow(t *testing.T, line string, begun, done *[killZones]int) {
	t.Helper()
	var what string
	var first, g int
	if _, err := fmt.Sscan(line, &what, &first, &g); err != nil {
		t.Fatalf("the writer said %q", line)
	}
	for i := first; i < first+10; i++ {
		if what == "begun" {
			begun[i] = g
		} else {
			done[i] = g
		}
	}
}

// taskFill writes until the file may not grow any more, which ends as a full
// disk does: a write that stops half way. Then the limit goes.
func taskFill(path string) error {
	signal.Ignore(syscall.SIGXFSZ)
	f, err := Open(path, &lines{})
	if err != nil {
		return err
	}
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return err
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 500_000, Max: old.Max}); err != nil {
		return err
	}
	i := 0
	for ; err == nil; i++ {
		err = f.Put([]Item{big(i, 1)})
	}
	fmt.Println("full", i-1, err)
	if _, _, ok, err := f.Get(name(0)); !ok || err != nil {
		return fmt.Errorf("zone 0 can't be read while the disk is full: %v, %w", ok, err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return err
	}
	if err := f.Put([]Item{big(i-1, 2)}); err != nil {
		return fmt.Errorf("there is room again: %w", err)
	}
	return f.Close()
}

func TestAFullDisk(t *testing.T) {
	path := newPath(t)
	filler := start(t, "fill", path)
	if !filler.out.Scan() {
		t.Fatal("the other process said nothing")
	}
	said := filler.out.Text()
	var refused int
	if _, err := fmt.Sscanf(said, "full %d", &refused); err != nil || refused < 10 || !strings.Contains(said, path) || !strings.Contains(said, "file too large") {
		t.Fatalf("the other process said %q", said)
	}
	for filler.out.Scan() {
		t.Fatal(filler.out.Text())
	}
	if err := filler.Wait(); err != nil {
		t.Fatal(err)
	}
	f, log := mustOpen(t, path)
	for i := range refused {
		mustHold(t, f, big(i, 1))
	}
	mustHold(t, f, big(refused, 2))
	if log.String() != "" {
		t.Fatalf("logged: %s", log)
	}
}
