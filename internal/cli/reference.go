package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/draw"
	"github.com/seed-2c350065/acdc/pkg/hub"
	"github.com/seed-2c350065/acdc/pkg/reference"
)

// algorithmReference stands in a circuit file where the circuit was found by
// people, and taken from their paper.
const algorithmReference = "reference"

// referenceOptions are the flags of reference.
type referenceOptions struct {
	outputs
	name       string          // of the task, empty to list all
	ablation   ablate.Ablation // empty for the task's own, or whatever
	definition circuit.Definition
	json       bool
}

func newReference(a *app, run func(context.Context, *referenceOptions) error) *cobra.Command {
	o := &referenceOptions{definition: circuit.ACDC}
	cmd := &cobra.Command{
		Use:   "reference [TASK]",
		Short: "list the circuits known from papers or by definition, or write one",
		Long: `List the circuits that people found by hand and published, and those of models
that are written by hand, with the groups of heads and MLPs that do the same; or
write the circuit of one task, as discover writes what it finds: as DOT on
standard output, or to files. Drawings fill nodes in the colours of the groups,
also those of circuits that discover finds for these tasks in models of the same
shape. acdc run --circuit measures the circuit that was saved as JSON.`,
		Example: `  acdc reference
  acdc reference ioi --heads -o ioi.svg -o ioi.json
  acdc reference docstring --format edges
  acdc reference and_gate --ablation zero --format edges
  acdc run --circuit ioi.json --model random:12x12x24x48x50257 --examples 5`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("expected one task, found %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return o.list(cmd, run)
			}
			o.name = args[0]
			if o.json {
				return usagef("--json: expected no task, since it is of the list, found %q; did you mean --format json?", o.name)
			}
			return run(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.json, "json", false, "print the list as JSON")
	choice(cmd, &o.ablation, "ablation", "the task's", "under which a circuit is that of a model by hand", texts(ablate.Ablations()), ablate.Parse)
	choice(cmd, &o.definition, "definition", string(o.definition), "of the graph's edges", texts(circuit.Definitions()), oneOf("definition", circuit.Definitions()))
	o.outputs.flags(cmd)
	cmd.Flags().SortFlags = false
	cmd.ValidArgsFunction = cobra.FixedCompletions(referenceNames(), cobra.ShellCompDirectiveNoFileComp)
	return cmd
}

// list runs the command without a task, where flags about one circuit are a
// mistake.
func (o *referenceOptions) list(cmd *cobra.Command, run func(context.Context, *referenceOptions) error) error {
	for _, name := range []string{"ablation", "definition", "output", "format", "color", "direct", "heads", "collapse", "max-edges", "drop-idle"} {
		if cmd.Flags().Changed(name) {
			return usagef("--%s: expected a task, one of %s, found none", name, strings.Join(referenceNames(), ", "))
		}
	}
	return run(cmd.Context(), o)
}

// referenceNames lists the tasks that have a reference circuit.
func referenceNames() []string {
	return reference.Tasks()
}

// reference runs the command.
func (a *app) reference(ctx context.Context, o *referenceOptions) error {
	if o.name == "" {
		return a.references(o.json)
	}
	r, err := reference.Find(o.name, string(o.ablation))
	if err != nil {
		if !slices.Contains(referenceNames(), o.name) {
			err = fmt.Errorf("%w%s", err, suggestion(o.name, referenceNames()))
		}
		return &usageError{err}
	}
	if err := o.check(); err != nil {
		return err
	}
	f, err := referenceFile(r, string(o.ablation), o.definition)
	if err != nil {
		return err
	}
	return a.write(ctx, &o.outputs, f)
}

// referenceFile is a reference circuit as a file, under an ablation or, if none is
// given, the first of its own.
func referenceFile(r reference.Circuit, ablation string, d circuit.Definition) (*circuit.File, error) {
	g, err := r.Graph(d)
	if err != nil {
		return nil, err
	}
	mask, err := r.Mask(g)
	if err != nil {
		return nil, err
	}
	if ablation == "" && r.Ablations != nil {
		ablation = r.Ablations[0]
	}
	f := &circuit.File{Run: circuit.Run{Algorithm: algorithmReference, Task: r.Task, Model: r.Model, Ablation: ablation}}
	f.SetCircuit(g, mask, nil, false)
	return f, nil
}

// groupsOf are the groups that a circuit's nodes are drawn in: those of the
// reference circuit of its task, if the model is of the same shape and not
// known to be another, or one whose heads were shuffled.
func groupsOf(f *circuit.File) map[circuit.Node]draw.Group {
	r, err := reference.Find(f.Task, "") // whose groups are those of every ablation
	if err != nil || !sameShape(f.Graph, r) || f.ResetWeights != nil || isOther(f.Model, r.Model) {
		return nil
	}
	out := map[circuit.Node]draw.Group{}
	for _, g := range r.Groups {
		for _, n := range g.Nodes {
			out[n] = draw.Group{Name: g.Name, Color: g.Color}
		}
	}
	return out
}

// sameShape reports whether a graph, by whatever definition of its edges, has
// the nodes of a reference circuit's model.
func sameShape(g circuit.GraphInfo, r reference.Circuit) bool {
	return g.Layers == r.Layers && g.Heads == r.Heads && g.AttnOnly == r.AttnOnly && !g.ParallelAttnMLP
}

// isOther reports whether a name is a known one of a model other than the
// reference circuit's. A folder may hold any model.
func isOther(name, model string) bool {
	base, _ := hub.Split(name)
	found, err := hub.Resolve(base)
	if err != nil {
		return false
	}
	own, err := hub.Resolve(model)
	isFound := func(m hub.Model) bool { return slices.Contains(m.Repos, found.Repos[0]) }
	return err == nil && !isFound(own) && slices.ContainsFunc(hub.Aliases(), isFound)
}

// captionOf is the caption of a circuit file. It names the paper that a
// reference circuit is from, or that the groups of another circuit are from.
func captionOf(f *circuit.File) draw.Caption {
	r, err := reference.Find(f.Task, "") // whose groups are those of every ablation
	if err != nil {
		return draw.CaptionOf(f)
	}
	if f.Algorithm == algorithmReference {
		named := *f
		named.Algorithm += " · " + r.Source
		return draw.CaptionOf(&named)
	}
	c := draw.CaptionOf(f)
	if groupsOf(f) != nil {
		paper, _, _ := strings.Cut(r.Source, ",")
		c.Lines = append(c.Lines, "groups of "+paper+", in "+r.Model)
	}
	return c
}

// referenceInfo is a reference circuit as JSON.
type referenceInfo struct {
	Task       string      `json:"task"`
	Model      string      `json:"model"`
	Source     string      `json:"source"`
	Ablations  []string    `json:"ablations,omitempty"` // under which it is the circuit, none of a paper's
	EdgesKept  int         `json:"edges_kept"`
	EdgesTotal int         `json:"edges_total"`
	Others     [][]string  `json:"others,omitempty"` // edges of the other circuits that do as well
	Groups     []groupInfo `json:"groups"`
}

// groupInfo is a group of nodes as JSON.
type groupInfo struct {
	Name  string   `json:"name"`
	Color string   `json:"color"`
	Nodes []string `json:"nodes"`
}

// newReferenceInfo counts and names what a reference circuit has.
func newReferenceInfo(r reference.Circuit) (referenceInfo, error) {
	var info referenceInfo
	g, err := r.Graph(circuit.ACDC)
	if err != nil {
		return info, err
	}
	masks, err := r.Masks(g)
	if err != nil {
		return info, err
	}
	info = referenceInfo{r.Task, r.Model, r.Source, r.Ablations, masks[0].Count(), g.NumEdges(), nil, nil}
	for _, other := range masks[1:] {
		var edges []string
		for i, present := range other {
			if present {
				edges = append(edges, g.Edge(i).String())
			}
		}
		info.Others = append(info.Others, edges)
	}
	for _, group := range r.Groups {
		info.Groups = append(info.Groups, groupInfo{group.Name, group.Color, names(group.Nodes, circuit.Node.String)})
	}
	return info, nil
}

// references prints the list.
func (a *app) references(asJSON bool) error {
	var list []referenceInfo
	rows := [][]string{{"TASK", "MODEL", "ABLATION", "EDGES", "OF", "CIRCUITS", "GROUPS", "SOURCE"}}
	for _, r := range reference.All() {
		info, err := newReferenceInfo(r)
		if err != nil {
			return err
		}
		list = append(list, info)
		ablations := "any"
		if r.Ablations != nil {
			ablations = strings.Join(r.Ablations, ", ")
		}
		rows = append(rows, []string{r.Task, r.Model, ablations, grouped(info.EdgesKept), grouped(info.EdgesTotal),
			fmt.Sprint(1 + len(info.Others)), fmt.Sprint(len(r.Groups)), r.Source})
	}
	if asJSON {
		return a.printJSON(list)
	}
	a.print(table(rows, columns(a.stdout)))
	for i, r := range list {
		if i == 0 || list[i-1].Task != r.Task { // a task's circuits have the same groups
			a.print("\n" + groupTable(r, columns(a.stdout)))
		}
	}
	return nil
}

// groupTable lists the groups of a reference circuit.
func groupTable(r referenceInfo, width int) string {
	rows := [][]string{{"GROUP OF " + strings.ToUpper(r.Task), "COLOUR", "NODES"}}
	for _, g := range r.Groups {
		rows = append(rows, []string{g.Name, g.Color, strings.Join(g.Nodes, " ")})
	}
	return table(rows, width)
}
