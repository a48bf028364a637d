// SPDX-License-Identifier: GPL-3.0-or-later

package main

import "sync"

// asker asks both servers over both transports: oracle and reader by UDP, then
// oracle and reader by TCP.
type asker struct {
	lanes  [4]*lane
	serial bool
}

func newAsker(o options) *asker {
	made := &asker{serial: o.window == 1}
	for i, network := range []string{"udp", "tcp"} {
		made.lanes[2*i] = &lane{network: network, server: o.oracle, window: o.window}
		made.lanes[2*i+1] = &lane{network: network, server: o.reader, window: o.window}
	}
	return made
}

// ask returns the replies of each lane, in the order of the questions.
func (a *asker) ask(questions []question) (replies [4][][]byte, err error) {
	var errors [4]error
	var asking sync.WaitGroup
	for i, l := range a.lanes {
		asking.Add(1)
		go func() {
			defer asking.Done()
			replies[i], errors[i] = l.askAll(questions)
		}()
		if a.serial {
			asking.Wait()
		}
	}
	asking.Wait()
	for _, failed := range errors {
		if failed != nil {
			return replies, failed
		}
	}
	return replies, nil
}

// repeats since it was last asked.
func (a *asker) repeats() int {
	sum := 0
	for _, l := range a.lanes {
		sum += l.repeats
		l.repeats = 0
	}
	return sum
}

func (a *asker) close() {
	for _, l := range a.lanes {
		l.close()
	}
}
