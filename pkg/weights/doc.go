// Package weights reads and writes checkpoint files: named arrays of numbers
// with a shape and a type. It writes safetensors; it reads safetensors, PyTorch
// files (.bin, .pt, .pth), npz, and checkpoints of several such files.
// [OpenAny] and [OpenFolder] find out what lies there by its content; [Source]
// is what a model loader takes.
//
// Reading a safetensors file goes in these steps:
//
//  1. [Open] maps the file into memory ([Decode] takes bytes that are already
//     there, such as embedded ones). Where mapping is not possible the file is
//     read whole.
//  2. The header, a length of 8 bytes and a JSON object, is read token by
//     token, so that duplicate names are seen.
//  3. The layout is checked: every type known, every shape matching its bytes,
//     the tensors' bytes following one another without overlap or hole and
//     filling the file to its end.
//  4. [File.Float32], [File.Ints] and [File.Bools] hand out single tensors,
//     converted where the type asks for it. Only touched tensors are read from
//     disk.
//
// The other containers differ in the second and third step. PyTorch's and
// NumPy's zip archives store their numbers as they are, so tensors are views of
// the mapped file there too; only transposed and compressed ones are copied,
// when they are asked for. A PyTorch file describes its tensors by a pickle, a
// program for Python's stack machine. The machine here knows the opcodes of
// that language, and only those functions and classes that rebuild tensors, each
// of which it replaces by plain data: whatever else a pickle asks for is refused
// by name, and nothing in it is executed. (The Go module gopickle was not taken
// for this: it reserves memory for any length that a file states, and its error
// texts follow objects that contain themselves until the stack overflows.)
//
// A damaged or hostile file gives an error of one line that names the file, the
// tensor and field, and what was expected and found. Memory grows with the
// file's real size only, never with a number that the file merely states.
//
// Whatever reads takes a context, which is asked at least once a tensor and once
// in a mebibyte that is looked at.
//
// The package does not know models: what tensors are called, which ones belong
// together, how they are transposed. It downloads nothing, and it does not
// compute: sub-byte, 8-bit float and complex types are listed by [File.Entry],
// but not converted. It does not read whole pickled models, TorchScript, sparse
// and quantized tensors, big-endian files, and tar files of 2016. Checksums of
// zip entries are compared only where they are compressed, as they would read
// the whole file.
//
// A mapped file must not be truncated by another process while it is open: the
// operating system answers a read behind the new end with a fatal signal.
// Replacing it by a rename is safe.
package weights
