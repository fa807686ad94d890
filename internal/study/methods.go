package study

// Each makes of options that several algorithms have in common one Method for
// each: those that it has. An option that none of them has is refused, as the
// last would refuse it.
func (m Method) Each(algorithms []string) ([]Method, error) {
	out := make([]Method, len(algorithms))
	for i, name := range algorithms {
		out[i].Algorithm = name
	}
	for _, set := range m.given() {
		taken := false
		var refused error
		for i := range out {
			with := out[i]
			set(&with)
			if err := with.Check(); err != nil {
				refused = err
				continue
			}
			out[i], taken = with, true
		}
		if !taken {
			return nil, refused
		}
	}
	return out, nil
}

// given are the options that somebody gave, each as what sets it.
func (m Method) given() (out []func(*Method)) {
	add := func(is bool, set func(*Method)) {
		if is {
			out = append(out, set)
		}
	}
	add(m.Absolute, func(x *Method) { x.Absolute = true })
	add(m.Order != "", func(x *Method) { x.Order = m.Order })
	add(m.Steps > 0, func(x *Method) { x.Steps = m.Steps })
	add(m.FixedPattern, func(x *Method) { x.FixedPattern = true })
	add(m.PreNorm, func(x *Method) { x.PreNorm = true })
	add(m.Rate != nil, func(x *Method) { x.Rate = m.Rate })
	add(m.Lambda != nil, func(x *Method) { x.Lambda = m.Lambda })
	add(m.Init != "", func(x *Method) { x.Init = m.Init })
	add(m.Rule != "", func(x *Method) { x.Rule = m.Rule })
	add(m.Norm != "", func(x *Method) { x.Norm = m.Norm })
	return out
}
