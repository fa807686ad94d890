package task

import (
	"math/rand/v2"
	"strings"
)

// ioi is indirect object identification (Wang et al. 2022, arXiv:2211.00593):
// of two names, one comes again as the giver, and the other is who is given to.
// The threshold is that of Conmy et al. 2023.
var ioi = Generator{
	Name:        "ioi",
	Description: "name who is given to: Then, A and B went to the store. B gave a key to -> A (Wang et al. 2022)",
	Model:       "gpt2",
	Builtin:     "mini",
	Metric:      "kl_div",
	Threshold:   0.0575,
	Ablation:    "resample",
	Examples:    100,
	Variants: []Variant{
		{ioiABBA, "the first template, the giver's name second: A, B, B"},
		{ioiBABA, "the first template, the giver's name first: B, A, B"},
		{ioiMixed, "all templates in both orders; prompts of several lengths"},
	},
	stream:  0x101,
	prepare: prepareIOI,
}

// The variants of ioi.
const (
	ioiABBA  = "abba"
	ioiBABA  = "baba"
	ioiMixed = "mixed"
)

// ioiTemplates have the two names {1} and {2} in the order they are first
// said, and {S}, who gives. The first is the one that circuits are found on.
func ioiTemplates() []string {
	return []string{
		"Then, {1} and {2} went to the {place}. {S} gave a {object} to",
		"After {1} and {2} met at the {place}, {S} handed a {object} to",
		"When {1} and {2} came back from the {place}, {S} offered a {object} to",
		"One evening {1} and {2} were alone at the {place}. {S} passed a {object} to",
		"Yesterday {1} and {2} stayed late at the {place}, and {S} brought a {object} to",
		"While {1} and {2} waited at the {place}, {S} showed a {object} to",
	}
}

// prepareIOI draws prompts whose corruption has three other names, all
// different, so that nobody in it is said twice.
func prepareIOI(variant string, l lexicon) (func(*rand.Rand) Pair, error) {
	names, err := l.words("names", 5, " ")
	if err != nil {
		return nil, err
	}
	places, err := l.words("places", 1, " ")
	if err != nil {
		return nil, err
	}
	objects, err := l.words("objects", 1, " ")
	if err != nil {
		return nil, err
	}
	templates := ioiTemplates()
	if variant != ioiMixed {
		templates = templates[:1]
	}
	return func(rng *rand.Rand) Pair {
		template := pick(rng, templates)
		giverFirst := variant == ioiBABA
		if variant == ioiMixed {
			giverFirst = rng.IntN(2) == 1
		}
		n := sample(rng, names, 5)
		taker, giver, first, second := n[0], n[1], n[0], n[1]
		if giverFirst {
			first, second = giver, taker
		}
		scene := strings.NewReplacer("{place}", pick(rng, places), "{object}", pick(rng, objects)).Replace(template)
		say := func(first, second, s string) Prompt {
			return Prompt{Text: strings.NewReplacer("{1}", first, "{2}", second, "{S}", s).Replace(scene)}
		}
		return Pair{
			Clean:   say(first, second, giver),
			Corrupt: say(n[2], n[3], n[4]),
			Correct: texts(" ", taker),
			Wrong:   texts(" ", giver),
		}
	}, nil
}
