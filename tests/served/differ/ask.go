// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

const (
	batch    = 8192 // questions of a batch; an id is a place in it
	patience = 2 * time.Second
	attempts = 5
	udpRoom  = 1 << 20
)

// lane asks one server over one transport, with so many questions under way. It
// belongs to one goroutine.
type lane struct {
	network string // udp or tcp
	server  string
	window  int
	conn    net.Conn
	reader  *bufio.Reader
	room    [1 << 16]byte
	repeats int // questions that were sent again
}

func (l *lane) dial() error {
	l.close()
	conn, err := net.DialTimeout(l.network, l.server, patience)
	if err != nil {
		return err
	}
	if socket, ok := conn.(*net.UDPConn); ok {
		socket.SetReadBuffer(udpRoom) // as much of it as the kernel lets us have
	}
	l.conn, l.reader = conn, bufio.NewReaderSize(conn, 1<<16)
	return nil
}

func (l *lane) close() {
	if l.conn != nil {
		l.conn.Close()
		l.conn = nil
	}
}

// askAll returns the replies in the order of the questions; nil where none came.
func (l *lane) askAll(questions []question) ([][]byte, error) {
	replies := make([][]byte, len(questions))
	open := make([]int, len(questions))
	for i := range open {
		open[i] = i
	}
	for attempt := 0; attempt < attempts && len(open) > 0; attempt++ {
		if attempt > 0 {
			l.repeats += len(open)
		}
		if err := l.pass(questions, open, replies); err != nil && attempt == attempts-1 {
			return nil, fmt.Errorf("%s %s: %w", l.server, l.network, err)
		}
		open = unanswered(open, replies)
	}
	return replies, nil
}

func unanswered(asked []int, replies [][]byte) []int {
	var open []int
	for _, i := range asked {
		if replies[i] == nil {
			open = append(open, i)
		}
	}
	return open
}

// pass asks the open questions once. It ends early when a connection does, and
// when nothing comes for a while.
func (l *lane) pass(questions []question, open []int, replies [][]byte) error {
	if l.conn == nil {
		if err := l.dial(); err != nil {
			return err
		}
	}
	sent, received := 0, 0
	for received < len(open) {
		if room := min(l.window-(sent-received), len(open)-sent); room > l.window/2 || sent == received {
			if err := l.send(questions, open[sent:sent+room]); err != nil {
				l.close()
				return err
			}
			sent += room
		}
		reply, err := l.receive()
		if err != nil {
			l.close()
			if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if id := int(binary.BigEndian.Uint16(reply)); id < len(replies) && replies[id] == nil {
			replies[id] = reply
			received++
		}
	}
	return nil
}

func (l *lane) send(questions []question, which []int) error {
	var stream []byte
	for _, i := range which {
		message := questions[i].message(uint16(i))
		if l.network == "udp" {
			if _, err := l.conn.Write(message); err != nil {
				return err
			}
			continue
		}
		stream = binary.BigEndian.AppendUint16(stream, uint16(len(message)))
		stream = append(stream, message...)
	}
	if len(stream) == 0 {
		return nil
	}
	_, err := l.conn.Write(stream)
	return err
}

func (l *lane) receive() ([]byte, error) {
	if l.network == "udp" {
		return l.receiveDatagram()
	}
	var length [2]byte
	if l.reader.Buffered() == 0 {
		l.conn.SetReadDeadline(time.Now().Add(patience))
	}
	if _, err := io.ReadFull(l.reader, length[:]); err != nil {
		return nil, err
	}
	reply := make([]byte, binary.BigEndian.Uint16(length[:]))
	_, err := io.ReadFull(l.reader, reply)
	if err == nil && len(reply) < 12 {
		err = fmt.Errorf("a message of %d octets", len(reply))
	}
	return reply, err
}

func (l *lane) receiveDatagram() ([]byte, error) {
	for {
		l.conn.SetReadDeadline(time.Now().Add(patience))
		size, err := l.conn.Read(l.room[:])
		if err != nil {
			return nil, err
		}
		if size >= 12 {
			return append([]byte{}, l.room[:size]...), nil
		}
	}
}
