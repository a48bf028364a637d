// SPDX-License-Identifier: Apache-2.0

//go:build served_tests

package main

// What the reader is compared with. The public plugin mysql is not here: see README.md.
import _ "github.com/coredns/coredns/plugin/file"
