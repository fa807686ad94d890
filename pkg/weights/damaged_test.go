package weights

import (
	"encoding/binary"
	"strings"
)

// fileOf builds a file from a header's text and n bytes of data.
func fileOf(header string, n int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	b = append(b, header...)
	for i := range n {
		b = append(b, byte(i))
	}
	return b
}

// valid is a file with a number of each kind, an empty tensor, a single number
// and metadata.
func valid() []byte {
	return fileOf(`{"__metadata__":{"format":"pt"},`+
		`"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},`+
		`"h":{"dtype":"F16","shape":[2],"data_offsets":[24,28]},`+
		`"b":{"dtype":"BF16","shape":[2],"data_offsets":[28,32]},`+
		`"none":{"dtype":"I64","shape":[0,7],"data_offsets":[32,32]},`+
		`"one":{"dtype":"I64","shape":[],"data_offsets":[32,40]},`+
		`"mask":{"dtype":"BOOL","shape":[3],"data_offsets":[40,43],"note":[{"x":null}]}}  `, 43)
}

// one is a file with a single tensor "x" described by the given fields.
func one(fields string, n int) []byte { return fileOf(`{"x":{`+fields+`}}`, n) }

// damaged lists what must not be opened, with the error after "m: ". Behind
// the … come words of the standard library.
var damaged = []struct {
	name string
	file []byte
	want string
}{
	{"empty", nil, `truncated: header length needs 8 bytes, file has 0`},
	{"seven bytes", make([]byte, 7), `truncated: header length needs 8 bytes, file has 7`},
	{"header beyond the end", valid()[:100], `truncated: header needs 396 bytes, file has 92`},
	{"header too long", []byte("\x01\xe1\xf5\x05\x00\x00\x00\x00{}"), `header length: at most 100000000 expected, found 100000001`},
	{"header longer than memory", []byte("\xff\xff\xff\xff\xff\xff\xff\xff{}"), `header length: at most 100000000 expected, found 18446744073709551615`},
	{"git lfs", []byte("version https://git-lfs.github.com/spec/v1\n"), `a safetensors file expected, found a Git LFS pointer to it`},
	{"zip", []byte("PK\x03\x04\x00\x00\x08\x08\x00\x00"), `a safetensors file expected, found a zip archive, perhaps a PyTorch checkpoint`},
	{"html", []byte("<!DOCTYPE html><title>Not found</title>"), `a safetensors file expected, found an HTML page`},
	{"no header", fileOf("", 0), `header: a JSON object expected, found nothing`},
	{"not JSON", fileOf("weights", 0), `header: a JSON object expected, found "weights"`},
	{"array", fileOf("[]", 0), `header: a JSON object expected, found "[]"`},
	{"space first", fileOf(" {}", 0), `header: a JSON object expected, found " {}"`},
	{"not UTF-8", fileOf("{\"\xff\":{}}", 0), `header: UTF-8 text expected, found other bytes`},
	{"broken JSON", fileOf(`{"x":{]}`, 0), `header: JSON expected, found invalid character ']' …`},
	{"comma at the end", fileOf(`{"x":{"dtype":"F32","shape":[],"data_offsets":[0,4],}}`, 4), `header: JSON expected, found invalid character '}' …`},
	{"cut JSON", fileOf(`{"x":{"dtype":`, 0), `header: JSON expected, found an end in the middle of it`},
	{"cut string", fileOf(`{"x":{"dty`, 0), `header: JSON expected, found an end in the middle of it`},
	{"two objects", fileOf(`{}{}`, 0), `header: the end expected after the JSON object, found more at byte 3`},
	{"zero padding", fileOf("{}\x00", 0), `header: the end expected after the JSON object, found more at byte 2`},
	{"name twice", fileOf(`{"x":{"dtype":"U8","shape":[],"data_offsets":[0,1]},"\u0078":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}`, 1),
		`header: different names expected, found "x" twice`},
	{"field twice", one(`"dtype":"U8","dtype":"I8","shape":[],"data_offsets":[0,1]`, 1), `tensor "x": different fields expected, found "dtype" twice`},
	{"metadata twice", fileOf(`{"__metadata__":{},"__metadata__":{}}`, 0), `header: different names expected, found "__metadata__" twice`},
	{"metadata key twice", fileOf(`{"__metadata__":{"a":"1","a":"2"}}`, 0), `__metadata__: different names expected, found "a" twice`},
	{"metadata no object", fileOf(`{"__metadata__":[]}`, 0), `__metadata__: an object expected, found an array`},
	{"metadata no text", fileOf(`{"__metadata__":{"step":7}}`, 0), `__metadata__: "step": a string expected, found 7`},
	{"tensor no object", fileOf(`{"x":"F32"}`, 0), `tensor "x": an object expected, found "F32"`},
	{"no dtype", one(`"shape":[],"data_offsets":[0,4]`, 4), `tensor "x": field "dtype" is missing`},
	{"no shape", one(`"dtype":"F32","data_offsets":[0,4]`, 4), `tensor "x": field "shape" is missing`},
	{"no offsets", one(`"dtype":"F32","shape":[]`, 4), `tensor "x": field "data_offsets" is missing`},
	{"dtype unknown", one(`"dtype":"F31","shape":[],"data_offsets":[0,4]`, 4), `tensor "x": dtype: a safetensors type such as F32 expected, found "F31"`},
	{"dtype no text", one(`"dtype":true,"shape":[],"data_offsets":[0,4]`, 4), `tensor "x": dtype: a string expected, found true`},
	{"shape no array", one(`"dtype":"F32","shape":{},"data_offsets":[0,4]`, 4), `tensor "x": shape: an array expected, found an object`},
	{"shape no numbers", one(`"dtype":"F32","shape":["1"],"data_offsets":[0,4]`, 4), `tensor "x": shape: a number expected, found "1"`},
	{"shape nested", one(`"dtype":"F32","shape":[[1]],"data_offsets":[0,4]`, 4), `tensor "x": shape: a number expected, found an array`},
	{"shape negative", one(`"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]`, 4), `tensor "x": shape: whole numbers from 0 to 2^63-1 expected, found -1`},
	{"shape fraction", one(`"dtype":"F32","shape":[1.0],"data_offsets":[0,4]`, 4), `tensor "x": shape: whole numbers from 0 to 2^63-1 expected, found 1.0`},
	{"shape too large", one(`"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,4]`, 4), `tensor "x": shape: whole numbers from 0 to 2^63-1 expected, found 9223372036854775808`},
	{"shape overflow", one(`"dtype":"F32","shape":[2147483647,2147483647,4],"data_offsets":[0,4]`, 4),
		`tensor "x": shape: fewer than 2^63 bits expected, found [2147483647 2147483647 4] from dimension 1 on`},
	{"shape overflow to nothing", one(`"dtype":"U8","shape":[1073741824,1073741824,16],"data_offsets":[0,0]`, 0),
		`tensor "x": shape: fewer than 2^63 bits expected, found [1073741824 1073741824 16] from dimension 1 on`},
	{"shape too long", one(`"dtype":"F32","shape":[1`+strings.Repeat(",1", 64)+`],"data_offsets":[0,4]`, 4), `tensor "x": shape: at most 64 numbers expected, found more`},
	{"half a byte", one(`"dtype":"F4","shape":[3],"data_offsets":[0,2]`, 2), `tensor "x": shape: whole bytes expected, found 12 bits for F4 [3]`},
	{"one offset", one(`"dtype":"F32","shape":[],"data_offsets":[0]`, 4), `tensor "x": data_offsets: 2 numbers expected, found 1`},
	{"three offsets", one(`"dtype":"F32","shape":[],"data_offsets":[0,4,8]`, 4), `tensor "x": data_offsets: at most 2 numbers expected, found more`},
	{"offsets reversed", one(`"dtype":"F32","shape":[],"data_offsets":[4,0]`, 4), `tensor "x": data_offsets: start before end expected, found [4 0]`},
	{"offset negative", one(`"dtype":"F32","shape":[],"data_offsets":[-4,0]`, 4), `tensor "x": data_offsets: whole numbers from 0 to 2^63-1 expected, found -4`},
	{"size", one(`"dtype":"F32","shape":[2,2],"data_offsets":[0,12]`, 12), `tensor "x": data_offsets: 16 bytes expected for F32 [2 2], found 12`},
	{"hole before", one(`"dtype":"F32","shape":[],"data_offsets":[4,8]`, 8), `tensor "x": data_offsets: start 0 expected, found 4, after a hole`},
	{"offsets far away", one(`"dtype":"U8","shape":[0],"data_offsets":[9223372036854775807,9223372036854775807]`, 0),
		`tensor "x": data_offsets: start 0 expected, found 9223372036854775807, after a hole`},
	{"overlap", fileOf(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}`, 6),
		`tensor "b": data_offsets: start 4 expected, found 2, inside tensor "a"`},
	{"same bytes", fileOf(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}`, 4),
		`tensor "b": data_offsets: start 4 expected, found 0, inside tensor "a"`},
	{"hole", fileOf(`{"b":{"dtype":"U8","shape":[4],"data_offsets":[6,10]},"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}`, 10),
		`tensor "b": data_offsets: start 4 expected, found 6, after a hole`},
	{"truncated data", valid()[:len(valid())-1], `truncated: data section needs 43 bytes, file has 42`},
	{"far more data stated", one(`"dtype":"F32","shape":[1000000,1000000],"data_offsets":[0,4000000000000]`, 4), `truncated: data section needs 4000000000000 bytes, file has 4`},
	{"data left over", append(valid(), 0), `data section: 43 bytes expected, file has 44`},
	{"unknown field broken", one(`"note":[1,2`, 0), `tensor "x": "note": JSON expected, found invalid character '}' …`},
	{"half a character", one(`"dtype":"F32","shape":[],"data_offsets":[0,4],"note":"\ud800"`, 4), `header: field "x"."note": expected Unicode text, found \ud800, half of a character`},
	{"skipped key twice", one(`"dtype":"F32","shape":[],"data_offsets":[0,4],"note":{"a":1,"a":2}`, 4), `header: field "x"."note": expected different keys, found "a" twice`},
	{"name of two lines", fileOf(`{"a\nb":1}`, 0), `tensor "a\nb": an object expected, found 1`},
	{"deep nesting", one(`"note":`+strings.Repeat("[", 20000), 0), `tensor "x": "note": JSON expected, found invalid character '[' exceeded max depth…`},
}
