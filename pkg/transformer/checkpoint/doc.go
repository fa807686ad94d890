// Package checkpoint makes models of the files that others wrote.
//
// The steps:
//
//  1. ReadConfig reads a config.json of TransformerLens, or of Hugging Face's
//     GPT-2, GPT-Neo and GPT-NeoX (Pythia), and refuses by name what is not
//     computed; tables (fields_*.go) say of every field what becomes of it;
//  2. Load takes the names of PyTorch's wrappers off (wrapper.go), recognises
//     the Layout by the tensors' names, checks each shape, refuses NaN and brings
//     everything into TransformerLens' shapes;
//  3. the weights are processed as TransformerLens processes them (Processing),
//     unless Switches say otherwise, and as a control shuffled (reset.go).
//
// It does not know where files lie, nor how they are written: that is packages
// zoo and weights.
package checkpoint
