// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"slices"
	"testing"
)

// A zone that waits in both queues is read once, and what is left of it in the
// other one ends no loader.
func TestAZoneInBothQueuesIsTakenOnce(t *testing.T) {
	var l loader
	l.init()
	first, second := &entry{zone: "a."}, &entry{zone: "b."}
	l.want(first, false)
	l.want(first, true)
	if got := l.take(room{zones: 1}); len(got) != 1 || got[0] != first {
		t.Fatalf("took %v", got)
	}
	taken := make(chan []*entry, 1)
	go func() { taken <- l.take(room{zones: 1}) }()
	eventually(t, "what is left is dropped", func() bool {
		l.mutex.Lock()
		defer l.mutex.Unlock()
		return len(l.stale) == 0
	})
	l.want(second, false)
	if got := <-taken; len(got) != 1 || got[0] != second {
		t.Fatalf("took %v", got)
	}
	go func() { taken <- l.take(room{zones: 1}) }()
	l.close()
	if got := <-taken; got != nil {
		t.Fatalf("took %v after the end", got)
	}
}

// Whoever found the zone in the snapshot and a loader that read it may both end the load.
func TestALoadThatTwoEndEndsOnce(t *testing.T) {
	c := bare(1)
	e := c.index.get(manyName(0))
	l, mine, _, _ := e.begin()
	if !mine {
		t.Fatal("a load is under way")
	}
	c.finish(e, l, nil, ErrGone)
	c.finish(e, l, nil, nil)
	<-l.done
	if l.err != ErrGone {
		t.Errorf("the second one changed what those who waited got: %v", l.err)
	}
}

func TestABatchIsBoundedByItsRecordsToo(t *testing.T) {
	c := bare(6)
	c.pace.batch, c.pace.batchRows = 3, 100
	for i, rows := range []uint32{30, 70, 1, 1000, 0, 0} {
		e := c.index.get(manyName(i))
		e.rows.Store(rows)
		c.loads.want(e, i == 0)
		c.keep.unkept = append(c.keep.unkept, e)
	}
	for i, want := range []int{2, 1, 1, 2} { // the largest one alone
		batch := c.loads.take(c.pace.room())
		if len(batch) != want {
			t.Errorf("batch %d has %d zones to load", i, len(batch))
		}
		if _, kept := c.keep.next(c, nil); !slices.Equal(kept, batch) {
			t.Errorf("batch %d has %d zones to keep", i, len(kept))
		}
	}
}
