// SPDX-License-Identifier: Apache-2.0

package lookup

import "bytes"

func (z *Zone) names() []uint32 { return z.index[:z.cutsAt] }
func (z *Zone) cuts() []uint32  { return z.index[z.cutsAt:z.nsecAt] }
func (z *Zone) nsec() []uint32  { return z.index[z.nsecAt:z.nsec3At] }
func (z *Zone) nsec3() []uint32 { return z.index[z.nsec3At:] }

func (z *Zone) keyAt(offset uint32) []byte {
	key, _ := block(z.data[offset:])
	return key
}

func (z *Zone) nodeAt(offset uint32) node {
	n, _ := z.entry(int(offset))
	return n
}

// apex is the first name of every zone.
func (z *Zone) apex() node { return z.nodeAt(z.index[0]) }

// search gives the place of key in a part of the index, or where it would be.
func (z *Zone) search(part []uint32, key []byte) (int, bool) {
	low, high := 0, len(part)
	for low < high {
		middle := int(uint(low+high) / 2)
		switch order := bytes.Compare(z.keyAt(part[middle]), key); {
		case order == 0:
			return middle, true
		case order < 0:
			low = middle + 1
		default:
			high = middle
		}
	}
	return low, false
}

// keyOf appends the key of a text to dst; false if it is not in the zone.
func (z *Zone) keyOf(dst []byte, text string) ([]byte, bool) {
	var wire wireName
	if wire.parse(text) != nil {
		return dst, false
	}
	return appendKey(dst, wire.bytes(), z.originWire())
}

// find gives the node of a name. exists is true, too, for a name that has no
// records but others below it: an empty non-terminal (its node is empty).
func (z *Zone) find(key []byte) (n node, exists bool) {
	names := z.names()
	i, found := z.search(names, key)
	if found {
		return z.nodeAt(names[i]), true
	}
	return node{}, i < len(names) && bytes.HasPrefix(z.keyAt(names[i]), key)
}

// encloser gives the closest encloser (RFC 4592 3.3.1) of a name that does not
// exist: what it has in common with one of its two neighbours.
func (z *Zone) encloser(key []byte) []byte {
	names := z.names()
	i, _ := z.search(names, key)
	best := commonKey(key, z.keyAt(names[i-1])) // the apex comes before all others
	if i < len(names) {
		if other := commonKey(key, z.keyAt(names[i])); len(other) > len(best) {
			best = other
		}
	}
	return best
}

// wildcard gives the wildcard below an encloser: the source of synthesis (RFC
// 4592 3.3.1).
func (z *Zone) wildcard(encloser []byte) (n node, exists bool) {
	return z.find(wildcardKey(encloser))
}

// source gives the key that records of a name come from: itself, or that of the
// wildcard which may stand for it.
func (z *Zone) source(key []byte) []byte {
	if _, exists := z.find(key); exists {
		return key
	}
	return wildcardKey(z.encloser(key))
}

// cutAbove gives the delegation point or DNAME at or above a name. Cuts are
// not nested, so only the one before the name can be it.
func (z *Zone) cutAbove(key []byte) (node, bool) {
	cuts := z.cuts()
	i, found := z.search(cuts, key)
	if !found {
		if i == 0 || !bytes.HasPrefix(key, z.keyAt(cuts[i-1])) {
			return node{}, false
		}
		i--
	}
	return z.nodeAt(cuts[i]), true
}

// cover gives the last node of a circular chain that is not after key; match
// tells that it is key itself.
func (z *Zone) cover(part []uint32, key []byte) (n node, match bool) {
	if len(part) == 0 {
		return node{}, false
	}
	i, found := z.search(part, key)
	if !found {
		i = (i + len(part) - 1) % len(part)
	}
	return z.nodeAt(part[i]), found
}
