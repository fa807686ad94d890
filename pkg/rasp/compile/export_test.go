package compile

import "github.com/seed-2c350065/acdc/pkg/circuit"

// Wired is wired, for tests.
func (m *Model) Wired(g *circuit.Graph) (circuit.Mask, error) { return m.wired(g) }
