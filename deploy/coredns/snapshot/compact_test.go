// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"bytes"
	"os"
	"testing"
)

// big is version g of zone i with a payload of 20,000 bytes.
func big(i, g int) Item {
	it := item(i, g)
	it.Payload = bytes.Repeat([]byte{byte(i), byte(g)}, 10_000)
	return it
}

// grow puts versions of 20 zones until the next one makes the file be written
// anew, and returns the newest.
func grow(t *testing.T, f *File) (g int) {
	t.Helper()
	for n := 0; f.end+big(0, 0).size()+100 < compactAtLeast; n++ {
		g = 1 + n/20
		mustPut(t, f, big(n%20, g))
	}
	return g
}

func (i Item) size() int64 { return int64(overhead + len(i.Zone) + len(i.Payload)) }

func TestGarbageIsBounded(t *testing.T) {
	path := newPath(t)
	f, log := mustOpen(t, path)
	for g := 1; g <= 30; g++ {
		for i := range 20 {
			mustPut(t, f, big(i, g))
		}
		if size := sizeOf(t, path); size > max(compactAtLeast, 2*f.live)+big(0, 0).size() {
			t.Fatalf("version %d: %d bytes, of which %d are of use", g, size, f.live)
		}
	}
	if err := f.Delete([]string{name(0), name(1), name(2)}); err != nil {
		t.Fatal(err)
	}
	f.Close()
	f, log = mustOpen(t, path)
	for i := 3; i < 20; i++ {
		mustHold(t, f, big(i, 30))
	}
	mustLack(t, f, name(0))
	if _, err := os.Stat(path + ".new"); err == nil || log.String() != "" {
		t.Fatalf("something is left of compaction; logged: %s", log)
	}
}

func TestCompactionLeavesOutADamagedRecordAndNamesIt(t *testing.T) {
	path := newPath(t)
	f, log := mustOpen(t, path)
	mustPut(t, f, item(100, 1))
	g := grow(t, f)
	salt := string(f.salt)
	flip(t, path, placeOf(t, f, 100).offset+headSize+40)
	for i := 0; string(f.salt) == salt; i++ {
		if i > 40 {
			t.Fatal("the file is never written anew")
		}
		mustPut(t, f, big(i%20, g+1))
	}
	log.mustSay(t, path, name(100), "damaged")
	mustLack(t, f, name(100))
	mustHold(t, f, big(0, g+1))
}

func TestCompactionThatFailsGoesOnWithTheOldFile(t *testing.T) {
	path := newPath(t)
	f, log := mustOpen(t, path)
	g := grow(t, f)
	if err := os.Mkdir(path+".new", 0o700); err != nil { // nothing can be written there
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".new/file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		mustPut(t, f, big(i, g+1))
		mustHold(t, f, big(i, g+1))
	}
	log.mustSay(t, path, "could not be compacted")
	if err := os.RemoveAll(path + ".new"); err != nil {
		t.Fatal(err)
	}
	for g += 2; f.end > f.live*2; g++ {
		for i := range 20 {
			mustPut(t, f, big(i, g))
		}
	}
	mustHold(t, f, big(19, g-1))
}

func TestWhatAKilledCompactionLeftIsRemoved(t *testing.T) {
	path, _ := three(t)
	if err := os.WriteFile(path+".new", []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, _ := mustOpen(t, path)
	mustHold(t, f, item(2, 1))
	if _, err := os.Stat(path + ".new"); !os.IsNotExist(err) {
		t.Fatalf("PATH.new is still there: %v", err)
	}
}
