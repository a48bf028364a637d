// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"zonefan.internal/coredns/source"
)

// The file, all numbers little-endian:
//
//	header  magic (8), format version (4), salt (16), sum (16)
//	record  magic (4), kind (1), length of the zone's name (1), zero (2), length of the payload (4),
//	        stamp: store id (16), digest (16), generation (8), changed at (8)
//	        name, payload, sum (16)
//
// A sum is the first half of the SHA-256 over the salt and all that stands
// before the sum. The salt is random, so that no text that somebody put into a
// zone can pass for a record when records are searched for in a damaged file.
const (
	formatVersion = 1
	saltSize      = 16
	sumSize       = 16
	headerSize    = 8 + 4 + saltSize + sumSize
	headSize      = 4 + 1 + 1 + 2 + 4 + stampSize
	stampSize     = 16 + 16 + 8 + 8
	overhead      = headSize + sumSize
	maxPayload    = 256 << 20 // so that a damaged length does not ask for all memory
)

var (
	headerMagic = []byte("ZONEFAN\n")
	recordMagic = []byte{0xf7, 'Z', 'R', 0x0a}
)

const (
	kindZone byte = 1 // the payload is a zone
	kindGone byte = 2 // the zone is not there any more
)

// errNoRecord: what stands here is no whole record.
var errNoRecord = errors.New("no record")

// head is the part of a record that tells how long the rest is.
type head struct {
	kind    byte
	name    int // bytes
	payload int // bytes
	stamp   source.Stamp
}

func (h *head) size() int64 { return int64(overhead + h.name + h.payload) }

// record is one in memory; zone and payload point into what was read.
type record struct {
	head
	zone    string
	payload []byte
}

func sum(salt, content []byte) []byte {
	hash := sha256.New()
	hash.Write(salt)
	hash.Write(content)
	return hash.Sum(nil)[:sumSize]
}

// newHeader makes the header of an empty file, with a salt of its own.
func newHeader() ([]byte, error) {
	header := append([]byte(nil), headerMagic...)
	header = binary.LittleEndian.AppendUint32(header, formatVersion)
	salt := make([]byte, saltSize)
	if _, err := rand.Read(salt); err != nil {
		return nil, fmt.Errorf("no random salt: %w", err)
	}
	header = append(header, salt...)
	return append(header, sum(salt, header)...), nil
}

// parseHeader returns the salt of a file that begins with header.
func parseHeader(header []byte) ([]byte, error) {
	if len(header) < headerSize || !bytes.HasPrefix(header, headerMagic) {
		return nil, errors.New("it is no snapshot of zonefan")
	}
	version := binary.LittleEndian.Uint32(header[8:])
	salt := header[12 : 12+saltSize]
	if !bytes.Equal(sum(salt, header[:headerSize-sumSize]), header[headerSize-sumSize:headerSize]) {
		return nil, errors.New("its header is damaged")
	}
	if version != formatVersion {
		return nil, fmt.Errorf("it has format %d, and this program reads %d", version, formatVersion)
	}
	return append([]byte(nil), salt...), nil
}

// appendRecord appends a whole record to buffer.
func appendRecord(buffer, salt []byte, kind byte, zone string, stamp source.Stamp, payload []byte) ([]byte, error) {
	if len(zone) == 0 || len(zone) > math.MaxUint8 {
		return buffer, fmt.Errorf("a name of %d bytes is no zone's", len(zone))
	}
	if len(payload) > maxPayload {
		return buffer, fmt.Errorf("zone %s: %d bytes are more than %d", zone, len(payload), maxPayload)
	}
	start := len(buffer)
	buffer = append(buffer, recordMagic...)
	buffer = append(buffer, kind, byte(len(zone)), 0, 0)
	buffer = binary.LittleEndian.AppendUint32(buffer, uint32(len(payload)))
	buffer = append(buffer, stamp.StoreID[:]...)
	buffer = append(buffer, stamp.Digest[:]...)
	buffer = binary.LittleEndian.AppendUint64(buffer, stamp.Generation)
	buffer = binary.LittleEndian.AppendUint64(buffer, uint64(stamp.ChangedAt))
	buffer = append(buffer, zone...)
	buffer = append(buffer, payload...)
	return append(buffer, sum(salt, buffer[start:])...), nil
}

// parseHead reads a record's head; it says nothing about the rest.
func parseHead(data []byte) (head, error) {
	if len(data) < headSize || !bytes.HasPrefix(data, recordMagic) {
		return head{}, errNoRecord
	}
	h := head{kind: data[4], name: int(data[5]), payload: int(binary.LittleEndian.Uint32(data[8:]))}
	if (h.kind != kindZone && h.kind != kindGone) || h.name == 0 || h.payload > maxPayload {
		return head{}, errNoRecord
	}
	stamp := data[headSize-stampSize:]
	copy(h.stamp.StoreID[:], stamp)
	copy(h.stamp.Digest[:], stamp[16:])
	h.stamp.Generation = binary.LittleEndian.Uint64(stamp[32:])
	h.stamp.ChangedAt = int64(binary.LittleEndian.Uint64(stamp[40:]))
	return h, nil
}

// parseRecord takes data, as long as its head says, for a record if its sum is
// right. The record goes on pointing into data.
func parseRecord(salt, data []byte) (record, error) {
	h, err := parseHead(data)
	if err != nil || int64(len(data)) != h.size() {
		return record{}, errNoRecord
	}
	end := len(data) - sumSize
	if !bytes.Equal(sum(salt, data[:end]), data[end:]) {
		return record{}, errNoRecord
	}
	name := headSize + h.name
	return record{head: h, zone: string(data[headSize:name]), payload: data[name:end:end]}, nil
}
