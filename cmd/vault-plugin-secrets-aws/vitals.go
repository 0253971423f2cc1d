//go:build !soak

package main

// watchVitals does something in the build for make soak only.
func watchVitals() {}
