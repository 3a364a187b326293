//go:build static

package hstreamdb

// A file of its own, because Go's build cache tells packages apart by their files, and not by what pkg-config says.

// #cgo pkg-config: hstreamdb-static
import "C"
