// SPDX-License-Identifier: Apache-2.0

package source

// Stamp tells one version of a zone from another. Only equality matters: the
// order of commits is not that of changed_at, and a restored database goes
// backwards.
//
// It is what zonefan_state bears of the zone. Where the zone has no row there,
// because somebody else wrote it, it is made of a digest of the rows: StoreID
// and ChangedAt are zero then, Generation is the number of rows. The zero Stamp
// is that of a zone of others of which no digest was taken yet.
type Stamp struct {
	StoreID, Digest [16]byte
	Generation      uint64
	ChangedAt       int64 // microseconds since 1970, the database's clock
}

// Foreign says whether the stamp is of a zone that others wrote.
func (s Stamp) Foreign() bool { return s.ChangedAt == 0 && s.StoreID == [16]byte{} }
