package main

// writeRows writes every loop over rows.
func writeRows(f *file) {
	for _, l := range rowLoops {
		l.write(f)
	}
	for _, l := range slopeLoops {
		l.write(f)
	}
	writeKL(f)
	writeLayerNorm(f)
	writeCausal(f)
}

var rowLoops = []rowLoop{
	{name: "addTo", doc: "for i: dst[i] = a[i] + b[i]",
		slices: []string{"dst", "a", "b"}, body: binary("VADDPS")},
	{name: "subTo", doc: "for i: dst[i] = a[i] - b[i]",
		slices: []string{"dst", "a", "b"}, body: binary("VSUBPS")},
	{name: "mulTo", doc: "for i: dst[i] = a[i] · b[i]",
		slices: []string{"dst", "a", "b"}, body: binary("VMULPS")},
	{name: "mulAdd", doc: "for i: dst[i] = fma(a[i], b[i], dst[i])",
		slices: []string{"dst", "a", "b"}, body: mulAdd},
	{name: "axpy", doc: "for i: dst[i] = fma(alpha, x[i], dst[i])",
		slices: []string{"dst", "x"}, scalars: []string{"alpha"}, body: axpy},
	{name: "scale", doc: "for i: x[i] *= s",
		slices: []string{"x"}, scalars: []string{"s"}, body: scale},
	{name: "subScalars", doc: "for i: dst[i] = (x[i] - s) - t",
		slices: []string{"dst", "x"}, scalars: []string{"s", "t"}, body: subScalars},
	{name: "relu", doc: "for i: if x[i] < 0 { x[i] = 0 }",
		slices: []string{"x"}, body: relu},
	{name: "gelu", doc: "for i: x[i] = x[i]/2·(1 + erf(x[i]/√2))",
		slices: []string{"x"}, body: inPlace(gelu)},
	{name: "geluNew", doc: "for i: x[i] = x[i] / (1 + exp(-2√(2/π)(x[i] + 0.044715·x[i]³)))",
		slices: []string{"x"}, body: inPlace(geluNew)},
	{name: "silu", doc: "for i: x[i] = x[i] / (1 + exp(-x[i]))",
		slices: []string{"x"}, body: inPlace(silu)},
	{name: "max", doc: "for i: m = max(m, x[i]); any value when there is a NaN",
		slices: []string{"x"}, result: "float32", start: cNegInf, fold: "VMAXPS", body: maximum},
	{name: "sumZero", doc: "for i: s += x[i] - x[i], in lanes",
		slices: []string{"x"}, result: "float32", start: noStart, fold: "VADDPS", body: sumZero},
	{name: "sum", doc: "for i: s += x[i], in lanes",
		slices: []string{"x"}, result: "float32", start: noStart, fold: "VADDPS", body: sum},
	{name: "dot", doc: "for i: s = fma(a[i], b[i], s), in lanes",
		slices: []string{"a", "b"}, result: "float32", start: noStart, fold: "VADDPS", body: dot},
	{name: "expSum", doc: "for i: dst[i] = exp(x[i]-top); s += dst[i], in lanes",
		slices: []string{"dst", "x"}, scalars: []string{"top"}, result: "float32", start: noStart, fold: "VADDPS", body: expSum},
	{name: "sumExp", doc: "for i: s += exp(x[i]-top), in lanes",
		slices: []string{"x"}, scalars: []string{"top"}, result: "float32", start: noStart, fold: "VADDPS", body: sumExp},
	{name: "klDivergence", doc: "for i: if p := exp(logp[i]); p != 0 { s = fma(p, logp[i]-logq[i], s) }, in float64 lanes",
		slices: []string{"logp", "logq"}, result: "float64", start: noStart, body: klDivergence},
	{name: "squaredDistance", doc: "for i: s = fma(a[i]-b[i], a[i]-b[i], s), in float64 lanes",
		slices: []string{"a", "b"}, result: "float64", start: noStart, body: squaredDistance},
}

func binary(op string) func(f *file, s step) {
	return func(f *file, s step) {
		f.load(s, 1, 0)
		f.load(s, 2, 1)
		f.in(op, 1, 0, 0)
		f.store(s, 0, 0)
	}
}

func mulAdd(f *file, s step) {
	f.load(s, 0, 0)
	f.load(s, 1, 1)
	f.load(s, 2, 2)
	f.in("VFMADD231PS", 1, 2, 0)
	f.store(s, 0, 0)
}

func axpy(f *file, s step) {
	f.load(s, 0, 0)
	f.load(s, 1, 1)
	f.in("VFMADD231PS", 1, scalar0, 0)
	f.store(s, 0, 0)
}

func scale(f *file, s step) {
	f.load(s, 0, 0)
	f.in("VMULPS", scalar0, 0, 0)
	f.store(s, 0, 0)
}

func subScalars(f *file, s step) {
	f.load(s, 1, 0)
	f.in("VSUBPS", scalar0, 0, 0)
	f.in("VSUBPS", scalar1, 0, 0)
	f.store(s, 0, 0)
}

// relu: the maximum's second operand is what comes back for a NaN or for
// zeros of either sign.
func relu(f *file, s step) {
	f.load(s, 0, 0)
	f.in("VPXOR"+f.q(), 1, 1, 1)
	f.in("VMAXPS", 0, 1, 0)
	f.store(s, 0, 0)
}

// inPlace applies a function of register 0 to x.
func inPlace(function func(f *file)) func(f *file, s step) {
	return func(f *file, s step) {
		f.load(s, 0, 0)
		function(f)
		f.store(s, 0, 0)
	}
}

func maximum(f *file, s step) {
	acc := lanes0 + s.part
	switch {
	case !s.masked:
		f.in("VMAXPS", s.at(pointers[0]), acc, acc)
	case f.isa == avx512:
		f.in("VMAXPS", s.at(pointers[0]), acc, "K1", acc)
	default:
		f.load(s, 0, 0)
		f.in("VBLENDVPS", mask0+s.part, 0, acc, 0)
		f.in("VMAXPS", 0, acc, acc)
	}
}

func sumZero(f *file, s step) {
	f.load(s, 0, 0)
	f.in("VSUBPS", 0, 0, 0)
	f.in("VADDPS", 0, lanes0+s.part, lanes0+s.part)
}

func sum(f *file, s step) {
	f.load(s, 0, 0)
	f.in("VADDPS", 0, lanes0+s.part, lanes0+s.part)
}

func dot(f *file, s step) {
	f.load(s, 0, 0)
	f.load(s, 1, 1)
	f.in("VFMADD231PS", 0, 1, lanes0+s.part)
}

func expSum(f *file, s step) {
	f.load(s, 1, 0)
	f.in("VSUBPS", scalar0, 0, 0)
	exp(f)
	f.store(s, 0, 0)
	f.clip(s, 0)
	f.in("VADDPS", 0, lanes0+s.part, lanes0+s.part)
}

func sumExp(f *file, s step) {
	f.load(s, 0, 0)
	f.in("VSUBPS", scalar0, 0, 0)
	exp(f)
	f.clip(s, 0)
	f.in("VADDPS", 0, lanes0+s.part, lanes0+s.part)
}

// klDivergence: lanes that are masked out give exp(0)·(0-0) = 0.
func klDivergence(f *file, s step) {
	f.load(s, 0, 0)
	f.load(s, 1, 6)
	f.in("VSUBPS", 6, 0, 6)
	exp(f)
	f.in("VPXOR"+f.q(), 7, 7, 7)
	if f.isa == avx512 {
		f.in("VCMPPS", "$4", 7, 0, "K2") // not equal, or a NaN
		f.in("VMOVAPS.Z", 6, "K2", 6)
	} else {
		f.in("VCMPPS", "$4", 7, 0, 7)
		f.in("VANDPS", 7, 6, 6)
	}
	f.widen(0, 1, 2)
	f.widen(6, 3, 4)
	f.in("VFMADD231PD", 1, 3, lanes0+2*s.part)
	f.in("VFMADD231PD", 2, 4, lanes0+2*s.part+1)
}

func squaredDistance(f *file, s step) {
	f.load(s, 0, 0)
	f.load(s, 1, 5)
	f.widen(0, 1, 2)
	f.widen(5, 3, 4)
	f.in("VSUBPD", 3, 1, 1)
	f.in("VSUBPD", 4, 2, 2)
	f.in("VFMADD231PD", 1, 1, lanes0+2*s.part)
	f.in("VFMADD231PD", 2, 2, lanes0+2*s.part+1)
}

// exp sets register 0 to its exponential; it uses 1 to 4. math_portable.go
// explains the steps. A minimum or maximum gives its second operand for a
// NaN, which so stays one.
func exp(f *file) {
	if f.isa == avx512 {
		f.in("VMOVUPS", cExpLow, 1)
		f.in("VCMPPS", "$5", 1, 0, "K2") // not less
	} else {
		f.in("VMOVUPS", cExpLow, 1)
		f.in("VCMPPS", "$5", 1, 0, 4)
	}
	f.in("VMAXPS", 0, 1, 0)
	f.in("VMOVUPS", cExpHigh, 1)
	f.in("VMINPS", 0, 1, 0)
	f.in("VMOVUPS", cLog2e, 1)
	f.in("VFMADD213PS", cRounding, 0, 1)
	f.in("VSUBPS", cRounding, 1, 2)
	f.in("VFNMADD231PS", cLn2High, 2, 0)
	f.in("VFNMADD231PS", cLn2Low, 2, 0)
	f.in("VMOVUPS", cExp5, 3)
	for c := cExp4; c >= cExp0; c-- {
		f.in("VFMADD213PS", c, 0, 3)
	}
	f.in("VMULPS", 0, 0, 2)
	f.in("VFMADD213PS", 0, 2, 3)
	f.in("VADDPS", cOne, 3, 3)
	f.in("VPADDD", cBias, 1, 1)
	f.in("VPSLLD", "$23", 1, 1)
	f.in("VMULPS", 1, 3, 3)
	f.in("VADDPS", 3, 3, 0)
	if f.isa == avx512 {
		f.in("VMOVAPS.Z", 0, "K2", 0)
	} else {
		f.in("VANDPS", 4, 0, 0)
	}
}

// gelu sets register 0 to x·Φ(x), following gelu in math_portable.go.
func gelu(f *file) {
	normalCDF(f)
	f.in("VMULPS", 5, 6, 0)
}

// normalCDF sets register 5 to Φ(x) and 6 to x, which was in 0. Register 7 is
// z, 8 is |z|, 5 is Φ from the odd polynomial, 1 that from the exponential.
func normalCDF(f *file) {
	f.in("VMOVAPS", 0, 6)
	f.in("VMULPS", cSqrtHalf, 0, 7)
	f.in("VANDPS", cAbs, 7, 8)
	f.in("VMULPS", 7, 7, 2)
	f.in("VMOVUPS", cErf5, 5)
	for c := cErf4; c >= cErf0; c-- {
		f.in("VFMADD213PS", c, 2, 5)
	}
	f.in("VFMADD213PS", 7, 7, 5)
	f.in("VMOVUPS", cHalf, 1)
	f.in("VFMADD213PS", 1, 1, 5)
	f.in("VMOVUPS", cErfc6, 0)
	f.in("VFMADD213PS", cErfc5, 8, 0)
	f.in("VMOVUPS", cErfc4, 1)
	f.in("VFMADD213PS", cErfc3, 8, 1)
	f.in("VFMADD213PS", 1, 2, 0)
	for c := cErfc2; c >= cErfc0; c-- {
		f.in("VFMADD213PS", c, 8, 0)
	}
	f.in("VFMSUB213PS", 8, 8, 0)
	exp(f)
	f.in("VMULPS", cHalf, 0, 0)
	f.in("VMOVUPS", cOne, 1)
	f.in("VSUBPS", 0, 1, 1)
	if f.isa == avx512 {
		f.in("VPMOVD2M", 7, "K2")
		f.in("VMOVAPS", 0, "K2", 1)
		f.in("VCMPPS", "$0x1e", cErfSplit, 8, "K2") // greater
		f.in("VMOVAPS", 1, "K2", 5)
	} else {
		f.in("VBLENDVPS", 7, 0, 1, 1)
		f.in("VCMPPS", "$0x1e", cErfSplit, 8, 8)
		f.in("VBLENDVPS", 8, 1, 5, 5)
	}
}

func geluNew(f *file) {
	f.in("VMOVAPS", 0, 6)
	f.in("VMULPS", 0, 0, 7)
	f.in("VMOVUPS", cGeluB, 1)
	f.in("VFMADD213PS", cGeluA, 7, 1)
	f.in("VMULPS", 1, 0, 0)
	sigmoidOf(f)
}

func silu(f *file) {
	f.in("VMOVAPS", 0, 6)
	f.in("VXORPS", cSign, 0, 0)
	sigmoidOf(f)
}

// sigmoidOf: register 0 = register 6 / (1 + exp(register 0))
func sigmoidOf(f *file) {
	exp(f)
	f.in("VADDPS", cOne, 0, 0)
	f.in("VDIVPS", 0, 6, 0)
}
