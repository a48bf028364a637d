// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

// three makes a closed snapshot of three zones and returns its path and where
// the records stand.
func three(t *testing.T) (path string, places [3]entry) {
	t.Helper()
	path = newPath(t)
	f, _ := mustOpen(t, path)
	for i := range places {
		mustPut(t, f, item(i, 1))
		places[i] = placeOf(t, f, i)
	}
	f.Close()
	return path, places
}

func TestATornTailIsCutOffWhereverItWasTorn(t *testing.T) {
	path, places := three(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	last := places[2]
	for size := last.offset + 1; size < last.offset+last.size; size++ {
		if err := os.WriteFile(path, whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		f, log := mustOpen(t, path)
		log.mustSay(t, path, fmt.Sprintf("the last %d bytes are no whole record", size-last.offset))
		mustHold(t, f, item(0, 1))
		mustHold(t, f, item(1, 1))
		mustLack(t, f, name(2))
		if sizeOf(t, path) != last.offset {
			t.Fatalf("torn at %d: the file has %d bytes after, wanted %d", size, sizeOf(t, path), last.offset)
		}
		mustPut(t, f, item(2, 2))
		f.Close()
		f, log = mustOpen(t, path)
		mustHold(t, f, item(2, 2))
		if log.String() != "" {
			t.Fatalf("logged: %s", log)
		}
		f.Close()
	}
}

func TestAnOlderVersionStandsInForATornOne(t *testing.T) {
	path, _ := three(t)
	f, _ := mustOpen(t, path)
	mustPut(t, f, item(1, 2))
	f.Close()
	if err := os.Truncate(path, sizeOf(t, path)-1); err != nil {
		t.Fatal(err)
	}
	f, log := mustOpen(t, path)
	log.mustSay(t, name(1))
	mustHold(t, f, item(1, 1))
}

func TestADamagedRecordIsSkippedAndNamedWhicheverByteItIs(t *testing.T) {
	path, places := three(t)
	middle := places[1]
	for offset := middle.offset; offset < middle.offset+middle.size; offset++ {
		flip(t, path, offset)
		f, log := mustOpen(t, path)
		log.mustSay(t, path, fmt.Sprintf("%d bytes at byte %d are damaged", middle.size, middle.offset))
		if in := offset - middle.offset; in > headSize+int64(len(name(1))) {
			log.mustSay(t, fmt.Sprintf("zone %q", name(1)))
		}
		mustHold(t, f, item(0, 1))
		mustLack(t, f, name(1))
		mustHold(t, f, item(2, 1))
		f.Close()
		flip(t, path, offset)
	}
}

func TestAHoleOfZerosIsSkipped(t *testing.T) {
	path, places := three(t)
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	file.WriteAt(make([]byte, places[1].size+5), places[1].offset-5)
	file.Close()
	f, log := mustOpen(t, path)
	log.mustSay(t, "are damaged")
	mustLack(t, f, name(0))
	mustLack(t, f, name(1))
	mustHold(t, f, item(2, 1))
	mustPut(t, f, item(4, 1))
	mustHold(t, f, item(4, 1))
}

func TestDamageThatComesWhileItIsOpenIsFoundByTheRead(t *testing.T) {
	path, places := three(t)
	f, log := mustOpen(t, path)
	flip(t, path, places[1].offset+places[1].size-1) // the checksum itself
	_, _, ok, err := f.Get(name(1))
	if ok || !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), name(1)) || !strings.Contains(err.Error(), path) {
		t.Fatalf("there: %v, error: %v", ok, err)
	}
	mustLack(t, f, name(1)) // known from now on
	if _, listed := f.Stamp(name(1)); listed || f.Len() != 2 {
		t.Fatal("the damaged zone is still listed")
	}
	mustPut(t, f, item(1, 1))
	mustHold(t, f, item(1, 1))
	if log.String() != "" {
		t.Fatalf("logged: %s", log)
	}
}

func TestAFileCutShortWhileItIsOpen(t *testing.T) {
	path, places := three(t)
	f, _ := mustOpen(t, path)
	if err := os.Truncate(path, places[2].offset+3); err != nil {
		t.Fatal(err)
	}
	if _, _, ok, err := f.Get(name(2)); ok || !errors.Is(err, ErrDamaged) {
		t.Fatalf("there: %v, error: %v", ok, err)
	}
	mustHold(t, f, item(1, 1))
}

// What is no snapshot is never overwritten: it may be somebody's.
func TestWhatIsNoSnapshotIsKeptAsideAndBegunAnew(t *testing.T) {
	path, _ := three(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(whole)
	damaged[20] ^= 1
	newer := bytes.Clone(whole)
	binary.LittleEndian.PutUint32(newer[8:], 2)
	salt := newer[12 : 12+saltSize]
	copy(newer[headerSize-sumSize:], sum(salt, newer[:headerSize-sumSize]))
	for reason, content := range map[string][]byte{
		"its header is damaged":                     damaged,
		"it has format 2, and this program reads 1": newer,
		"it is no snapshot of zonefan":              []byte("$TTL 3600\n@ IN SOA a. b. 1 2 3 4 5\n" + strings.Repeat("; text\n", 20)),
		"it is no snapshot of zonefan ":             whole[:headerSize-1],
	} {
		path := newPath(t)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		f, log := mustOpen(t, path)
		log.mustSay(t, path, strings.TrimSpace(reason), path+".unreadable")
		if kept, err := os.ReadFile(path + ".unreadable"); err != nil || !bytes.Equal(kept, content) {
			t.Errorf("%s: not kept: %v", reason, err)
		}
		if f.Len() != 0 {
			t.Errorf("%s: %d zones", reason, f.Len())
		}
		mustPut(t, f, item(1, 1))
		f.Close()
		f, log = mustOpen(t, path)
		mustHold(t, f, item(1, 1))
		if log.String() != "" {
			t.Errorf("%s: logged afterwards: %s", reason, log)
		}
		f.Close()
	}
}

// A zone whose text is a record must not come to life when damage is skipped.
func TestAPayloadThatLooksLikeARecordIsNone(t *testing.T) {
	path := newPath(t)
	f, _ := mustOpen(t, path)
	forged, err := appendRecord(nil, make([]byte, saltSize), kindZone, "victim.example.", item(1, 9).Stamp, []byte("forged"))
	if err != nil {
		t.Fatal(err)
	}
	mustPut(t, f, Item{Zone: name(0), Payload: forged}, item(1, 1))
	e := placeOf(t, f, 0)
	f.Close()
	flip(t, path, e.offset)
	f, log := mustOpen(t, path)
	log.mustSay(t, "are damaged")
	mustLack(t, f, "victim.example.")
	mustHold(t, f, item(1, 1))
}

func FuzzOpen(fuzz *testing.F) {
	fuzz.Add(uint32(60), byte(1), uint32(0))
	fuzz.Add(uint32(300), byte(0xf7), uint32(17))
	fuzz.Fuzz(func(t *testing.T, offset uint32, value byte, cut uint32) {
		path, _ := three(t)
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		content[int(offset)%len(content)] = value
		content = content[:len(content)-int(cut)%len(content)]
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		f, _ := mustOpen(t, path)
		for i := range 3 {
			if _, payload, ok, err := f.Get(name(i)); err != nil || ok && !bytes.Equal(payload, item(i, 1).Payload) {
				t.Fatalf("zone %d: %v, %q", i, err, payload)
			}
		}
	})
}
