package acdc_test

import (
	"context"
	"fmt"
	"log"

	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/discover/acdc"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/zoo"
)

func Example() {
	// A folder with config.json and model.safetensors does as well.
	model, err := zoo.Open(context.Background(), "induction")
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	induction, err := task.Find("induction") // task.Read takes a data file
	if err != nil {
		log.Fatal(err)
	}

	experiment, err := patch.Bind(context.Background(), patch.Config{
		Model: model.Model, Data: induction.Generate(context.Background(), 0, 40),
		Metric: "kl_div", Ablation: ablate.Resample, Threads: 2,
	})
	if err != nil {
		log.Fatal(err)
	}
	result, err := acdc.Algorithm{Threshold: 0.5}.Discover(context.Background(), discover.Request{Experiment: experiment})
	if err != nil {
		log.Fatal(err)
	}

	graph := experiment.Graph()
	fmt.Printf("%d of %d edges, kl_div %.3f\n", result.Mask.Count(), graph.NumEdges(), result.MetricFinal)
	for i, kept := range result.Mask {
		if kept {
			fmt.Printf("%-15s %.2f\n", graph.Edge(i), result.Scores[i])
		}
	}

	// Any mask can be measured: here the circuit without one edge.
	mask := result.Mask.Clone()
	edge, err := graph.ParseEdge("a0.h0->a1.h1<k>")
	if err != nil {
		log.Fatal(err)
	}
	mask[edge] = false
	kl, err := experiment.PlainMetric(context.Background(), mask)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("without %s: kl_div %.3f\n", graph.Edge(edge), kl)
	// Output:
	// 9 of 41 edges, kl_div 0.771
	// input->a0.h0<v> 11.67
	// a0.h0<v>        11.68
	// input->a1.h1<q> 11.63
	// a0.h0->a1.h1<k> 11.67
	// input->a1.h1<v> 14.92
	// a1.h1<q>        12.58
	// a1.h1<k>        12.01
	// a1.h1<v>        15.43
	// a1.h1->logits   3.83
	// without a0.h0->a1.h1<k>: kl_div 12.444
}
