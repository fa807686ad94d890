package faithful_test

import (
	"context"
	"fmt"
	"log"

	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/discover/exact"
	"github.com/seed-2c350065/acdc/pkg/faithful"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/zoo"
)

// The curve of exact scores on the induction task, by the scores and by their
// size.
func ExampleMeasure() {
	ctx := context.Background()
	model, err := zoo.Open(ctx, "induction")
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	induction, err := task.Find("induction")
	if err != nil {
		log.Fatal(err)
	}
	experiment, err := patch.Bind(ctx, patch.Config{
		Model: model.Model, Data: induction.Generate(ctx, 0, 20), Metric: "kl_div", Definition: circuit.EAP, Ablation: ablate.Resample, Threads: 2,
	})
	if err != nil {
		log.Fatal(err)
	}
	scored, err := exact.Scorer{}.Score(ctx, discover.Request{Experiment: experiment})
	if err != nil {
		log.Fatal(err)
	}
	for _, absolute := range []bool{false, true} {
		curve, err := faithful.Measure(ctx, experiment, scored.Scores, faithful.Options{Parts: []float64{.1, .2, .3, .5, 1}, Absolute: absolute})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: CPR %.3f, CMD %.3f, mean %.3f\n", curve.Selection(), curve.CPR(), curve.CMD(), curve.Mean())
		for _, p := range curve.Points {
			fmt.Printf("  %2d of %d edges: faithfulness %.3f\n", p.Kept, curve.Edges, p.Faithfulness)
		}
	}
	// Output:
	// signed: CPR 0.843, CMD 0.057, mean 0.787
	//    0 of 29 edges: faithfulness 0.000
	//    5 of 29 edges: faithfulness 0.955
	//    8 of 29 edges: faithfulness 0.982
	//   14 of 29 edges: faithfulness 1.000
	//   29 of 29 edges: faithfulness 1.000
	// absolute: CPR 0.843, CMD 0.057, mean 0.787
	//    0 of 29 edges: faithfulness 0.000
	//    5 of 29 edges: faithfulness 0.955
	//    8 of 29 edges: faithfulness 0.982
	//   14 of 29 edges: faithfulness 1.000
	//   29 of 29 edges: faithfulness 1.000
}
