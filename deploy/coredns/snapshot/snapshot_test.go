// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"errors"
	"io/fs"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"zonefan.internal/coredns/source"
)

func TestWhatWasPutIsThereAfterReopening(t *testing.T) {
	path := newPath(t)
	f, _ := mustOpen(t, path)
	mustPut(t, f, item(1, 1), item(2, 1), item(3, 1))
	mustPut(t, f, item(2, 2), Item{Zone: "name.example."})
	if err := f.Delete([]string{name(3), "never.there."}); err != nil {
		t.Fatal(err)
	}
	check := func(f *File) {
		t.Helper()
		mustHold(t, f, item(1, 1))
		mustHold(t, f, item(2, 2))
		mustHold(t, f, Item{Zone: "name.example."})
		mustLack(t, f, name(3))
		if f.Len() != 2 { // a name without a payload is not counted
			t.Fatalf("%d zones", f.Len())
		}
	}
	check(f)
	f.Close()
	f, log := mustOpen(t, path)
	check(f)
	if log.String() != "" {
		t.Errorf("logged: %s", log)
	}
}

func TestIndexTellsEachZoneOnce(t *testing.T) {
	f, _ := mustOpen(t, newPath(t))
	for g := 1; g <= 3; g++ {
		mustPut(t, f, item(1, g), item(2, g))
	}
	seen := map[string]source.Stamp{}
	f.Index(func(zone string, stamp source.Stamp) bool {
		seen[zone] = stamp
		return true
	})
	if len(seen) != 2 || seen[name(1)] != item(1, 3).Stamp || seen[name(2)] != item(2, 3).Stamp {
		t.Fatalf("index: %v", seen)
	}
	calls := 0
	f.Index(func(string, source.Stamp) bool { calls++; return false })
	if calls != 1 {
		t.Fatalf("%d calls after false", calls)
	}
}

func TestAZoneRevivedAfterDelete(t *testing.T) {
	path := newPath(t)
	f, _ := mustOpen(t, path)
	mustPut(t, f, item(1, 1))
	if err := f.Delete([]string{name(1)}); err != nil {
		t.Fatal(err)
	}
	mustPut(t, f, item(1, 2))
	f.Close()
	f, _ = mustOpen(t, path)
	mustHold(t, f, item(1, 2))
}

func TestBadItemsAreRefusedByName(t *testing.T) {
	f, _ := mustOpen(t, newPath(t))
	mustPut(t, f, item(1, 1))
	for _, bad := range []string{"", strings.Repeat("x", 256)} {
		if err := f.Put([]Item{item(1, 2), {Zone: bad}}); err == nil || !strings.Contains(err.Error(), f.path) {
			t.Errorf("a name of %d bytes: %v", len(bad), err)
		}
	}
	huge := make([]byte, maxPayload+1)
	if err := f.Put([]Item{{Zone: "huge.example.", Payload: huge}}); err == nil || !strings.Contains(err.Error(), "huge.example.") {
		t.Errorf("a payload that is too large: %v", err)
	}
	mustHold(t, f, item(1, 1))
}

func TestAfterCloseNothingIsFoundOrKept(t *testing.T) {
	f, _ := mustOpen(t, newPath(t))
	mustPut(t, f, item(1, 1))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	mustLack(t, f, name(1))
	if err := f.Put([]Item{item(1, 2)}); !errors.Is(err, fs.ErrClosed) {
		t.Fatalf("put after close: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatalf("second close: %v", err)
	}
}

func TestPathsThatCannotBe(t *testing.T) {
	folder := t.TempDir()
	if err := syscall.Mkfifo(folder+"/fifo", 0o600); err != nil {
		t.Fatal(err)
	}
	for path, part := range map[string]string{
		folder:                      "is no regular file",
		folder + "/none/z.snapshot": "no such file or directory",
		folder + "/fifo":            "is no regular file",
	} {
		f, err := Open(path, &lines{})
		if err == nil {
			f.Close()
			t.Errorf("%s could be opened", path)
			continue
		}
		if !strings.Contains(err.Error(), part) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestManyReadersBesideAWriterThatCompacts(t *testing.T) {
	f, log := mustOpen(t, newPath(t))
	const zones = 200
	var first []Item
	for i := range zones {
		first = append(first, item(i, 1))
	}
	mustPut(t, f, first...)
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Add(1)
		go func() {
			defer readers.Done()
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				stamp, payload, ok, err := f.Get(name(i % zones))
				want := item(i%zones, int(stamp.Generation))
				if !ok || err != nil || string(payload) != string(want.Payload) {
					t.Errorf("%s: %v, %v, %q", want.Zone, ok, err, payload)
					return
				}
			}
		}()
	}
	salt := string(f.salt)
	for g := 2; g < 40; g++ {
		for i := range first {
			first[i] = item(i, g)
		}
		mustPut(t, f, first...)
	}
	close(stop)
	readers.Wait()
	if string(f.salt) == salt || log.String() != "" {
		t.Fatalf("no compaction beside the readers, or something was logged: %s", log)
	}
}

func TestTenThousandZones(t *testing.T) {
	path := newPath(t)
	f, _ := mustOpen(t, path)
	const zones = 10_000
	payload := make([]byte, 2000) // 20 records of the usual kind
	began := time.Now()
	for i := 0; i < zones; {
		var batch []Item
		for ; len(batch) < 64 && i < zones; i++ {
			batch = append(batch, Item{Zone: name(i), Payload: payload})
		}
		mustPut(t, f, batch...)
	}
	written := time.Since(began)
	f.Close()
	began = time.Now()
	f, _ = mustOpen(t, path)
	opened := time.Since(began)
	began = time.Now()
	for i := range zones {
		mustHold(t, f, Item{Zone: name(i), Payload: payload})
	}
	read := time.Since(began)
	t.Logf("%d zones, %d bytes: written in %v, opened in %v, all read in %v", zones, sizeOf(t, path), written, opened, read)
	// The limits are far from what is measured: they only find what grows with the square.
	if f.Len() != zones || written > 60*time.Second || opened > 10*time.Second || read > 20*time.Second {
		t.Fatalf("%d zones; written in %v, opened in %v, all read in %v", f.Len(), written, opened, read)
	}
}

func BenchmarkGet(b *testing.B) {
	f, err := Open(b.TempDir()+"/s", &lines{})
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	for i := range 1000 {
		f.Put([]Item{{Zone: name(i), Payload: make([]byte, 2000)}})
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		if _, _, ok, err := f.Get(name(i % 1000)); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
