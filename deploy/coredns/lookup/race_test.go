// SPDX-License-Identifier: Apache-2.0

//go:build race

package lookup

// slower is how much less the tests of many cases do: the race detector takes
// its time, and finds nothing more in the hundredth case.
const slower = 4
