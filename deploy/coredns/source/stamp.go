// SPDX-License-Identifier: Apache-2.0

package source

// Stamp tells one version of a zone from another, as zonefan_state bears it.
// Only equality matters; the zero Stamp is that of a zone without one, whose
// rows somebody else wrote.
type Stamp struct {
	StoreID, Digest [16]byte
	Generation      uint64
	ChangedAt       int64 // microseconds since 1970, the database's clock
}
