package weights

import "os"

// readFile stands in for a mapping: it returns a copy of the whole file.
func readFile(path string) ([]byte, func() error, error) {
	data, err := os.ReadFile(path)
	return data, func() error { return nil }, err
}
