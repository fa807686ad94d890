package transformer

import "github.com/seed-2c350065/acdc/pkg/tensor"

// HeadOutOnto sets dst [rows,D] to base and z W_O of one head, z being
// [rows,K]: as AddHeadOut to a copy of base, which may be dst itself.
func (m *Model) HeadOutOnto(layer, head int, dst, base, z tensor.Matrix) {
	tensor.MatMulOnto(dst, base, z, m.headOf(layer, head).oHead[head].get())
}
