// Package layers holds the project's floors as data, and the test that every
// import goes strictly downward.
package layers

// Floors says on which floor each package stands. A package may import only
// packages on lower floors; packages of one floor never import each other. A
// folder below a listed one belongs to it unless it is listed itself.
var Floors = map[string]float64{
	"cmd/acdc":                   8,
	"docs/agreement":             8,
	"docs/scaling":               8,
	"internal/thirdparty":        8,
	"internal/man":               8,
	"internal/cli":               7,
	"internal/study":             6,
	"internal/sweep":             6.5,
	"internal/sweep/figure":      6.75,
	"pkg/discover/acdc":          5,
	"pkg/discover/attribution":   5,
	"pkg/discover/baseline":      5,
	"pkg/discover/ensemble":      5,
	"pkg/discover/learn":         4.5,
	"pkg/discover/probing":       5,
	"pkg/discover/pruning":       5,
	"pkg/discover/ugs":           5,
	"pkg/discover/exact":         5,
	"pkg/discover/hisp":          5,
	"pkg/discover/flow":          5,
	"pkg/discover":               4.25,
	"pkg/patch/incremental":      4,
	"pkg/patch":                  3,
	"pkg/ablate":                 2,
	"pkg/train":                  2.5,
	"pkg/train/interchange":      2.25,
	"pkg/zoo":                    2.75,
	"pkg/transformer/checkpoint": 1.5,
	"pkg/transformer":            1,
	"pkg/metric":                 1,
	"pkg/task":                   1,
	"pkg/rasp":                   0,
	"pkg/rasp/text":              1,
	"pkg/rasp/programs":          2,
	"pkg/rasp/compile":           2,
	"pkg/reference":              1,
	"pkg/roc":                    1,
	"pkg/draw":                   1,
	"pkg/circuit":                0,
	"pkg/tensor":                 0,
	"pkg/weights":                0,
	"pkg/tokenizer":              0,
	"pkg/hub":                    0,
	"internal/atomicfile":        0,
	"internal/choice":            -1,
	"internal/fileerror":         -1.5,
	"internal/filelock":          -1,
	"internal/jsonfile":          -1,
	"internal/oneline":           -2,
	"internal/plotstyle":         0,
	"internal/scratch":           -1,
	"pkg/tensor/internal/kernel": -1,
}

// TestOnly lists packages that only tests may import.
var TestOnly = []string{"internal/ending", "internal/golden", "internal/layers", "internal/misuse", "pkg/weights/weightstest"}
