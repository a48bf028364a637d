// SPDX-License-Identifier: Apache-2.0

//go:build !race

package lookup

const slower = 1
