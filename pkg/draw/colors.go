package draw

import "github.com/seed-2c350065/acdc/pkg/circuit"

// GroupColors lists the groups of nodes by name, each with the colour that fills
// its nodes.
func GroupColors(groups map[circuit.Node]Group) ([]Group, error) {
	p, err := palette(groups)
	if err != nil {
		return nil, err
	}
	var out []Group
	for _, name := range p.names {
		out = append(out, Group{Name: name, Color: p.fill[name]})
	}
	return out, nil
}
