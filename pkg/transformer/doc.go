// Package transformer runs GPT-style transformers on the CPU: shape,
// parameters, the forward pass, the hook points of TransformerLens, at which any
// activation can be read or replaced, and the way backward, to the gradient of
// any activation and of all weights.
//
// The steps of a pass, with the letters B batch, T positions, D d_model, H
// heads, K d_head, F d_mlp, V vocabulary:
//
//  1. Config says the shape, Params holds the parameters, whose names and
//     shapes stand in one table (Params.All);
//  2. New makes a Model of the two, and Model.Repack tells it that parameters
//     were changed;
//  3. Model.Forward runs tokens [B,T] to logits [B,T,V]; Hooks see and may
//     change what flows past (Point lists the places), RunWithCache keeps it;
//  4. Norm1, Head, Attend, MLPOut and the functions beside them are the parts
//     of the pass for those who recompute only some of it, as package
//     incremental does;
//  5. RecordTape is Forward that keeps what the way backward needs;
//     Model.Backward goes it, from the gradient of logits: GradientHooks see and
//     may change gradients, Rules change what is not linear;
//  6. Norm1Backward, HeadBackward, AttendBackward and the functions beside them
//     are the parts of the way backward, one beside each of the pass. Reverse
//     has them for all rows of a batch, on several threads: through a run in
//     which each head's queries, keys and values have an input of their own one
//     goes with Attend, Unrotate, HeadInput, MLP and Output, and adds up the
//     senders' gradients oneself.
//
// It does not know circuits, metrics, or files (package checkpoint does).
package transformer
