package circuit

// MIBSizes are the sizes of circuits that the MIB benchmark looks at, as parts of
// all edges that can be chosen.
func MIBSizes() []float64 { return []float64{.001, .002, .005, .01, .02, .05, .1, .2, .5, 1} }

// Choosable is how many edges a Selection can choose from: all but direct edges,
// which come with others.
func (g *Graph) Choosable() int { return g.CountChosen(g.Full()) }

// CountChosen is how many edges of a mask are no direct edges. It panics if the
// mask is of another graph.
func (g *Graph) CountChosen(m Mask) int {
	g.checkMask("CountChosen", m)
	n := 0
	for i, present := range m {
		if present && !g.Edge(i).IsDirect() {
			n++
		}
	}
	return n
}
