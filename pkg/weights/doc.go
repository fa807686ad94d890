// Package weights reads and writes checkpoint files: named arrays of numbers
// with a shape and a type. The format is safetensors; [Source] is what a model
// loader takes, so that other formats can stand behind it.
//
// Reading a file goes in these steps:
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
// A damaged or hostile file gives an error of one line that names the file, the
// tensor and field, and what was expected and found. Memory grows with the
// file's real size only, never with a number that the file merely states.
//
// The package does not know models: what tensors are called, which ones belong
// together, how they are transposed. It downloads nothing, and it does not
// compute: sub-byte, 8-bit float and complex types are listed by [File.Entry],
// but not converted.
//
// A mapped file must not be truncated by another process while it is open: the
// operating system answers a read behind the new end with a fatal signal.
// Replacing it by a rename is safe.
package weights
