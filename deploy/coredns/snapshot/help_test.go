// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"zonefan.internal/coredns/source"
)

// lines is a Logger that remembers.
type lines struct {
	mutex sync.Mutex
	text  []string
}

func (l *lines) Warningf(format string, v ...any) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.text = append(l.text, fmt.Sprintf(format, v...))
}

func (l *lines) String() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return strings.Join(l.text, "\n")
}

// mustSay fails unless exactly one line was logged, and it holds all parts.
func (l *lines) mustSay(t *testing.T, parts ...string) {
	t.Helper()
	said := l.String()
	if strings.Count(said, "\n") != 0 || said == "" {
		t.Fatalf("logged, instead of one line: %q", said)
	}
	for _, part := range parts {
		if !strings.Contains(said, part) {
			t.Errorf("%q is not in the line %q", part, said)
		}
	}
}

func newPath(t *testing.T) string {
	return filepath.Join(t.TempDir(), "zones.snapshot")
}

func mustOpen(t *testing.T, path string) (*File, *lines) {
	t.Helper()
	log := &lines{}
	f, err := Open(path, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f, log
}

func name(i int) string { return fmt.Sprintf("zone%d.example.", i) }

// item is version g of zone i; its payload tells both, so that a mixture is seen.
func item(i, g int) Item {
	stamp := source.Stamp{Generation: uint64(g), ChangedAt: int64(i)}
	stamp.StoreID[0], stamp.Digest[15] = 1, byte(g)
	text := fmt.Sprintf("zone %d version %d;", i, g)
	return Item{Zone: name(i), Stamp: stamp, Payload: bytes.Repeat([]byte(text), 20+i%7)}
}

func mustPut(t *testing.T, f *File, items ...Item) {
	t.Helper()
	if err := f.Put(items); err != nil {
		t.Fatal(err)
	}
}

func mustHold(t *testing.T, f *File, want Item) {
	t.Helper()
	stamp, payload, ok, err := f.Get(want.Zone)
	if err != nil || !ok {
		t.Fatalf("%s: there: %v, error: %v", want.Zone, ok, err)
	}
	if stamp != want.Stamp || !bytes.Equal(payload, want.Payload) {
		t.Fatalf("%s: stamp %v and %q, wanted %v and %q", want.Zone, stamp, payload, want.Stamp, want.Payload)
	}
	if listed, _ := f.Stamp(want.Zone); listed != want.Stamp {
		t.Fatalf("%s: listed with %v, wanted %v", want.Zone, listed, want.Stamp)
	}
}

func mustLack(t *testing.T, f *File, zone string) {
	t.Helper()
	if _, _, ok, err := f.Get(zone); ok || err != nil {
		t.Fatalf("%s: there: %v, error: %v", zone, ok, err)
	}
}

// placeOf returns where a zone's newest record stands.
func placeOf(t *testing.T, f *File, i int) entry {
	t.Helper()
	e, ok := f.entries[name(i)]
	if !ok {
		t.Fatalf("%s is not in the index", name(i))
	}
	return e
}

// flip inverts a byte of the file.
func flip(t *testing.T, path string, offset int64) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var b [1]byte
	if _, err := file.ReadAt(b[:], offset); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 0xff
	if _, err := file.WriteAt(b[:], offset); err != nil {
		t.Fatal(err)
	}
}

func sizeOf(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
