// Package compile makes a transformer of a RASP program, as Tracr does (Lindner
// et al. 2023, arXiv:2301.05062): its weights compute the program.
//
//  1. lower makes of every sequence a variable: what values it can have, which
//     of the parts of a block computes it, and from which variables;
//  2. setTolerances says how exact each must be for the output to be, schedule in
//     which block each is computed: as early as its operands allow;
//  3. assemble gives each variable its dimensions of the residual stream (one a
//     value where it is categorical, one where it is numerical), and writes
//     weights: tables of values and steps as MLPs, selectors as attention;
//  4. Model is the transformer with its vocabulary, the meaning of its logits,
//     and the circuit that the program is (Model.Circuit).
//
// # What a block computes
//
// An MLP maps the values of one variable or of two by a neuron a value or a
// pair, ReLU(x_a + y_b - 1); it maps numbers by steps, of which each is the
// difference of two neurons, ReLU(N(x-t)+1) - ReLU(N(x-t)).
//
// Attention scores a selected key T, an inverse temperature, and the beginning
// of sequence (BOS), which stands before every input, T/2, so that BOS is looked
// at only where nothing is selected. BOS has a token dimension of its own and
// nothing else: every variable is zero there, and what a block would write there
// is taken back by a neuron that knows BOS.
//
// Weights of programs that Tracr compiles are Tracr's, but where its precision
// would not do: T is 100 or a larger multiple of it, and N is 100 or a power of
// two (functions temperature and steepness).
package compile
