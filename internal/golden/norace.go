//go:build !race

package golden

// Race reports whether the tests run under the race detector, which allocates.
const Race = false
