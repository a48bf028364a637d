// SPDX-License-Identifier: Apache-2.0

package zonefan

import "sync"

// notifier tells secondaries of changed zones (RFC 1996), one zone after the
// other on a goroutine of its own: who is slow to answer holds up nobody else.
// A zone that changes while it waits is told once.
type notifier struct {
	send func(zone string) error

	mutex   sync.Mutex
	waiting map[string]struct{}
	queue   []string
	closed  bool
	wake    *sync.Cond
}

func newNotifier(send func(zone string) error) *notifier {
	n := &notifier{send: send, waiting: map[string]struct{}{}}
	n.wake = sync.NewCond(&n.mutex)
	go n.run()
	return n
}

// changed never blocks.
func (n *notifier) changed(zone string) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if _, ok := n.waiting[zone]; !ok && !n.closed {
		n.waiting[zone] = struct{}{}
		n.queue = append(n.queue, zone)
		n.wake.Signal()
	}
}

// close drops what waits. It does not wait for an answer that is under way.
func (n *notifier) close() {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	n.closed = true
	n.wake.Signal()
}

func (n *notifier) run() {
	for {
		zone, ok := n.take()
		if !ok {
			return
		}
		if err := n.send(zone); err != nil {
			log.Warning(err) // names zone and secondary
		}
	}
}

func (n *notifier) take() (zone string, ok bool) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	for len(n.queue) == 0 && !n.closed {
		n.wake.Wait()
	}
	if n.closed {
		return "", false
	}
	zone, n.queue = n.queue[0], n.queue[1:]
	delete(n.waiting, zone)
	return zone, true
}
