//go:build long

package golden

// Long reports whether the tests were built with the tag long, as make long
// does: every case of every property, every way to compute a run.
const Long = true
