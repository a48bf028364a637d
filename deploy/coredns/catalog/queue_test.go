// SPDX-License-Identifier: Apache-2.0

package catalog

import "testing"

// A zone that waits in both queues is read once, and what is left of it in the
// other one ends no loader.
func TestAZoneInBothQueuesIsTakenOnce(t *testing.T) {
	var l loader
	l.init()
	first, second := &entry{zone: "a."}, &entry{zone: "b."}
	l.want(first, false)
	l.want(first, true)
	if got := l.take(1); len(got) != 1 || got[0] != first {
		t.Fatalf("took %v", got)
	}
	taken := make(chan []*entry, 1)
	go func() { taken <- l.take(1) }()
	eventually(t, "what is left is dropped", func() bool {
		l.mutex.Lock()
		defer l.mutex.Unlock()
		return len(l.stale) == 0
	})
	l.want(second, false)
	if got := <-taken; len(got) != 1 || got[0] != second {
		t.Fatalf("took %v", got)
	}
	go func() { taken <- l.take(1) }()
	l.close()
	if got := <-taken; got != nil {
		t.Fatalf("took %v after the end", got)
	}
}
