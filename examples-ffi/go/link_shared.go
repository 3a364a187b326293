//go:build !static

package hstreamdb

// #cgo pkg-config: hstreamdb
import "C"
